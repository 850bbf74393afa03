"""`python -m engine`: the command line."""

from __future__ import annotations

import io
import sys

from .cli.main import main

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a file name that the terminal cannot show is no reason to fail
    sys.exit(main())
