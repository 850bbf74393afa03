"""How a step of the set-up is run, told, refused, and kept from running twice at once; and where the project's own folders are."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"


class SetupError(Exception):
    """The set-up cannot go on; the text says why and what to do next."""


def say(text: str) -> None:
    """Tell the user which step begins; set-up speaks on stderr, for stdout belongs to what is set up."""
    print(f"==> {text}", file=sys.stderr, flush=True)


def call(command: list[str]) -> None:
    """Run ``command`` in sight of the user.

    Raises:
        SetupError: it failed.
    """
    status = subprocess.run(command, check=False, stdout=sys.stderr).returncode
    if status != 0:
        raise SetupError(
            f"This step ended with status {status}:\n    {shlex.join(command)}\n"
            "Its own words are above. Check the network and the free disk space, then run the same command again: it goes on from here."
        )


def call_quietly(command: list[str]) -> None:
    """Run ``command``, whose words nobody needs unless it fails.

    Raises:
        SetupError: it failed; the text holds what it said.
    """
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if result.returncode != 0:
        raise SetupError(f"This step ended with status {result.returncode}:\n    {shlex.join(command)}\nIt said:\n{result.stdout.strip()}")


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold the lock file at ``path``; a second build.py waits here until the first is done. The system frees it when its holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("Another build.py is setting up; waiting for it.")
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
