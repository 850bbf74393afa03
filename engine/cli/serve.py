"""`python -m engine serve`: the shared engine in the foreground; every client starts one by itself where none runs."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import Any

from ..api.folders import find_folders
from .installed import InstalledEngine

_DESCRIPTION = """\
Run the engine that Blender, the viewer and `refine` share. They start it themselves where none runs; run it here to see its log or to
choose its limits. There is one engine a user; the variable REDEPTH_HOME gives another folder, and with it another engine."""


def add_parser(verbs: Any) -> None:
    """Add the verb to the parser's ``verbs``."""
    parser = verbs.add_parser("serve", help="run the shared engine", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--stop", action="store_true", help="end the running engine; unfinished jobs go on when it is started again")
    parser.add_argument("--idle-exit", type=float, default=15.0, metavar="MIN", help="end after so many minutes without client and job (default 15)")
    parser.add_argument("--worker-idle", type=float, default=10.0, metavar="MIN", help="free the models after so many idle minutes (default 10)")
    parser.add_argument("--cache-limit", type=float, default=20.0, metavar="GB", help="size that the folders of jobs may have (default 20)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, engine: InstalledEngine) -> int:
    """Serve until told to end, or end the engine that runs.

    Raises:
        EngineError: ``--stop`` and the engine does not answer.
    """
    if arguments.stop:
        with engine.connect(start=False) as client:
            client.shutdown()
        print("The engine ends.")
        return 0
    from ..service.listener import ServiceSettings, serve
    from ..service.supervisor import Limits

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    settings = ServiceSettings(
        idle_exit_s=60 * arguments.idle_exit,
        cache_limit_bytes=int(1e9 * arguments.cache_limit),
        limits=Limits(idle_s=60 * arguments.worker_idle),
    )
    if not serve(find_folders(), settings):
        print("Another engine is running already.", file=sys.stderr)
    return 0
