"""What a Python holds of the engine: asked of the Python itself, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..engine import __version__
from ..engine.api.errors import EngineError
from ..engine.api.folders import find_folders
from ..engine.api.launch import find_installation
from .children import clean_environment, run_child

EXAMINE_S = 180.0  # importing torch for the first time, from a slow disk
_MARK = "redepth-answer:"
_QUESTION = f"""
import json, sys
import engine, torch, engine.pipeline
from engine.models.devices import choose_compute
device = choose_compute("auto", "auto").label
answer = {{"version": engine.__version__, "torch": torch.__version__, "device": device, "python": sys.version.split()[0]}}
print({_MARK!r} + json.dumps(answer))
"""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A Python that can run the engine.

    Attributes:
        python: its interpreter.
        version: of the engine.
        python_version, torch_version: as they name themselves.
        device: that the engine will compute on, for people.
    """

    python: Path
    version: str
    python_version: str
    torch_version: str
    device: str

    @property
    def fits(self) -> bool:
        """Whether its engine is of the same version as this add-on."""
        return self.version == __version__

    @property
    def label(self) -> str:
        """The environment in one line."""
        return f"Re-Depth {self.version}, torch {self.torch_version}, {self.device}"


def examine(
    python: Path, *, should_stop: Callable[[], bool] = lambda: False, on_line: Callable[[str], None] = lambda line: None, timeout_s: float = EXAMINE_S
) -> Environment:
    """Return what ``python`` holds; imports torch there, which takes seconds.

    Args:
        python: of a virtual environment with the engine installed, or of a checkout's .venv.
        on_line: told each line that the child writes beside its answer, such as a traceback.

    Raises:
        EngineError: nothing is there, it does not answer in time, or what it should hold is missing or broken; the sentence holds its last line.
        CancelledError: ``should_stop`` said so.
    """
    if not python.is_file():
        hint = "Choose the program itself, such as …/bin/python3, or install the engine."
        raise EngineError(f"There is no Python at {python}.", hint=hint, code="engine.install.python")
    folders = find_folders()
    root = find_installation(folders, python).root
    said: list[str] = []
    try:
        folders.make()
        run_child(
            [str(python), "-c", _QUESTION],
            environment=clean_environment(),
            cwd=root,
            on_line=said.append,
            should_stop=should_stop,
            growth=lambda: 0,
            stall_s=timeout_s,
        )
        answer = json.loads(next(line for line in said if line.startswith(_MARK)).removeprefix(_MARK))
        return Environment(
            python=python, version=answer["version"], python_version=answer["python"], torch_version=answer["torch"], device=answer["device"]
        )
    except (EngineError, StopIteration, ValueError, KeyError, TypeError) as exc:
        raise _in_words(exc, python, said, timeout_s) from exc
    finally:
        for line in said:
            if not line.startswith(_MARK):
                on_line(line)


def _in_words(error: Exception, python: Path, said: list[str], timeout_s: float) -> EngineError:
    hint = "Install the engine anew, or choose another Python."
    if isinstance(error, EngineError) and error.code == "engine.install.stalled":
        return EngineError(f"{python} did not answer within {timeout_s:g} s.", hint=hint, code=error.code)
    last = said[-1] if said else str(error)
    return EngineError(f"{python} cannot run the engine: {last}", hint=hint, code="engine.install.broken")
