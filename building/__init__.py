"""What stands behind `build.py`, a room a file. Standard library only, for it runs before anything is installed."""

import sys

OLDEST_PYTHON = (3, 11)
if sys.version_info < OLDEST_PYTHON:
    sys.exit(f"Re-Depth needs Python {'.'.join(map(str, OLDEST_PYTHON))} or later; this is {sys.version.split()[0]}. Try: python3.11 build.py")
