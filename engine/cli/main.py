"""The command line's frame: the parser, the verb it chooses, and the one place where errors become words and an exit status."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__
from ..api.errors import CancelledError, InputError, RedepthError, error_to_json
from . import evaluate, jobs, models, refine, serve
from .installed import InstalledEngine
from .reporters import print_json_line

FAULT_STATUS = 70
_DESCRIPTION = "Depth of one picture by Depth Anything V2, refined on that very picture by self-supervised relighting."


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are `InputError`s, told like every other error."""

    def error(self, message: str) -> NoReturn:
        """Raise ``message`` as an `InputError`."""
        raise InputError(f"{message[:1].upper()}{message[1:]}.", hint=f"See `{self.prog} --help`.", code="input.arguments")


def build_parser() -> Parser:
    """Return the parser; each verb sets ``run``, a function of (arguments, engine) that returns the exit status."""
    parser = Parser(prog="python -m engine", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"Re-Depth {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True, parser_class=Parser)
    for verb in (refine, evaluate, models, jobs, serve):
        verb.add_parser(verbs)
    return parser


def main(argv: Sequence[str] | None = None, *, engine: InstalledEngine | None = None) -> int:
    """Run the command line and return its exit status; see `engine.cli` for what goes where.

    Args:
        argv: arguments without the program's name; None = those of this process.
        engine: what the verbs call; None = the engine as installed.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        arguments = build_parser().parse_args(argv)
        status: int = arguments.run(arguments, engine or InstalledEngine())
        return status
    except RedepthError as error:
        return _tell(error, argv)
    except KeyboardInterrupt:
        return _tell(CancelledError("Aborted; no file was left half-written."), argv)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read stdout has left; the flush at exit shall not complain
        return RedepthError.exit_status
    except Exception as error:
        fault = RedepthError(
            f"Re-Depth has a fault of its own: {type(error).__name__}: {error}",
            hint=f"What happened is written in {_write_log()}; please report it.",
            code="fault",
        )
        _tell(fault, argv)
        return FAULT_STATUS


def _tell(error: RedepthError, argv: Sequence[str]) -> int:
    if "--json-events" in argv:
        print_json_line({"event": "error", **error_to_json(error)})
    print(f"Error: {error.sentence}", file=sys.stderr)
    if error.hint:
        print(error.hint, file=sys.stderr)
    return error.exit_status


def _write_log() -> str:
    """Write the current exception's traceback to a file of its own and return its path."""
    with tempfile.NamedTemporaryFile("w", prefix="redepth-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(traceback.format_exc())
        return file.name
