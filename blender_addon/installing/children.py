"""Child processes of the installation: their lines as they come, their signs of life, and their end with all that they started."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..engine.api.errors import CancelledError, EngineError

# The user's pip settings (an index of their own, a proxy, certificates) hold; what would send packages elsewhere does not.
_MISLEADING = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_REQUIRE_VIRTUALENV", "PIP_QUIET", "PIP_DRY_RUN")
_LOOK_AGAIN_S = 0.1
_GRACE_S = 3.0
_LAST_WORDS_S = 1.0


def clean_environment(temporary: Path | None = None) -> dict[str, str]:
    """Return this process's environment without what belongs to Blender's own Python.

    Args:
        temporary: where the child shall keep its temporary files; None = where the system says.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON") and name not in _MISLEADING}
    environment.pop("__PYVENV_LAUNCHER__", None)  # macOS: would make the child believe that it is another Python
    environment |= {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    if temporary is not None:
        environment |= {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}
    return environment


def no_window() -> dict[str, Any]:
    """Return the arguments of `subprocess` that keep Windows from flashing a console."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW}
    return {}


def run_child(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    cwd: Path,
    on_line: Callable[[str], None],
    should_stop: Callable[[], bool],
    growth: Callable[[], int],
    stall_s: float,
) -> None:
    """Run ``command`` to its end, and tell each line that it writes.

    Args:
        growth: a number that grows while the child works in silence, such as the bytes that it has downloaded.
        stall_s: how long the child may give no sign of life: no line, no growth.

    Raises:
        CancelledError: ``should_stop`` said so; the child and all that it started have ended.
        EngineError: it could not be started, failed, or gave no sign of life.
    """
    try:
        child = subprocess.Popen(
            list(command), cwd=cwd, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **_own_group()
        )
    except OSError as exc:
        hint = "Check that the file is there and may be run."
        raise EngineError(f"{command[0]} cannot be started: {exc.strerror}.", hint=hint, code="engine.install.start") from exc
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    reader = threading.Thread(target=_read_lines, args=(child, lines), daemon=True)
    reader.start()
    try:
        _follow(child, reader, lines, on_line, should_stop, growth, stall_s)
    finally:
        _end_tree(child)
    if child.returncode != 0:
        raise EngineError(
            f"A step of the installation ended with status {child.returncode}.", hint="The report holds its last words.", code="engine.install.failed"
        )


def _follow(
    child: subprocess.Popen[bytes],
    reader: threading.Thread,
    lines: queue.SimpleQueue[str],
    on_line: Callable[[str], None],
    should_stop: Callable[[], bool],
    growth: Callable[[], int],
    stall_s: float,
) -> None:
    """Return once the child has ended and its last line is told."""
    heard_at, grown = time.monotonic(), growth()
    while True:
        if should_stop():
            raise CancelledError("The installation was stopped.", hint="Start it again to go on; what was downloaded is kept.")
        try:
            on_line(lines.get(timeout=_LOOK_AGAIN_S))
            heard_at = time.monotonic()
            continue
        except queue.Empty:
            pass
        if child.poll() is not None:
            reader.join(_LAST_WORDS_S)  # not for ever: something that the child started may hold the pipe open
            while not lines.empty():
                on_line(lines.get())
            return
        if (now := growth()) != grown:
            heard_at, grown = time.monotonic(), now
        if time.monotonic() - heard_at > stall_s:
            hint = "Check the network, then start it again; what was downloaded is kept."
            raise EngineError(f"A step of the installation gave no sign of life for {stall_s:g} s.", hint=hint, code="engine.install.stalled")


def _read_lines(child: subprocess.Popen[bytes], lines: queue.SimpleQueue[str]) -> None:
    assert child.stdout is not None
    with child.stdout:
        for line in child.stdout:
            if text := line.decode("utf-8", errors="replace").strip():
                lines.put(text)


def _own_group() -> dict[str, Any]:
    return no_window() if sys.platform == "win32" else {"start_new_session": True}


def _end_tree(child: subprocess.Popen[bytes]) -> None:
    """End the child and its own children: asked first, then made to."""
    if child.poll() is not None:
        return
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(child.pid)], capture_output=True, timeout=30, check=False, **no_window())
    else:
        _signal_group(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=_GRACE_S)
        _signal_group(child.pid, signal.SIGKILL)
    child.wait(timeout=30)


def _signal_group(group: int, number: int) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses where only zombies are left
            os.killpg(group, number)
