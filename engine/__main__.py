"""`python -m engine`: the command line."""

from __future__ import annotations

import io
import os
import sys

from .api.folders import keep_models_at_home
from .cli.main import main
from .startup import before_torch

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a file name that the terminal cannot show is no reason to fail
    keep_models_at_home(os.environ)
    before_torch()
    sys.exit(main())
