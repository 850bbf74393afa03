"""Questions to the engine that are no jobs: is it there, what does it hold, let go of the device. Each in a thread of its own."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.api.errors import EngineTimeoutError, EngineUnavailableError, RedepthError
from ..engine.api.folders import find_folders
from ..engine.api.launch import find_installation
from ..engine.api.messages import EngineStatus
from ..installing.children import no_window
from .follower import Connect

MODELS_S = 60.0


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """What a test of the engine found.

    Attributes:
        models: one object a model, as `python -m engine models --json-events` prints them.
        models_error: why they could not be listed, or None.
    """

    status: EngineStatus
    models: tuple[dict[str, Any], ...]
    models_error: RedepthError | None = None


class Question(threading.Thread):
    """One question; after `is_alive` turned False there is an `answer` or an `error`."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        super().__init__(name="redepth question", daemon=True)
        self.answer: Any = None
        self.error: RedepthError | None = None
        self._ask = ask
        self.start()

    def run(self) -> None:
        """Ask, and keep what comes back."""
        try:
            self.answer = self._ask()
        except RedepthError as error:
            self.error = error


def engine_facts(connect: Connect, python: Path | None) -> EngineFacts:
    """Start the engine where none runs, and return what it is and which models it knows.

    Raises:
        EngineError: it cannot be started, or does not answer.
    """
    with connect() as client:
        status = client.status()
    try:
        return EngineFacts(status=status, models=tuple(known_models(python)))
    except RedepthError as error:  # an engine that runs can be used, whoever started it
        return EngineFacts(status=status, models=(), models_error=error)


def release_device(connect: Connect) -> EngineStatus:
    """Let the engine's worker end, with the models that it holds, and return what the engine is then.

    Raises:
        EngineError: none runs, or it does not answer.
    """
    with connect() as client:
        client.release()
        return client.status()


def known_models(python: Path | None) -> list[dict[str, Any]]:
    """Return the models that the engine's installation knows: name, role, licence, size, whether they are here.

    Raises:
        EngineUnavailableError: its Python is not known, or cannot list them.
        EngineTimeoutError: it takes longer than `MODELS_S`.
    """
    installation = find_installation(find_folders(), python)
    command = [str(installation.python), "-m", "engine", "models", "--json-events"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        run = subprocess.run(
            command,
            cwd=installation.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=MODELS_S,
            check=True,
            **no_window(),
        )
        return [json.loads(line) for line in run.stdout.decode(errors="replace").splitlines() if line.startswith("{")]
    except subprocess.TimeoutExpired as exc:
        raise EngineTimeoutError(f"The list of models did not come within {MODELS_S:g} s.", hint="Test again.") from exc
    except (OSError, ValueError, subprocess.CalledProcessError) as exc:
        raise EngineUnavailableError(f"{installation.python} cannot list the models: {exc}.", hint="Check the engine's Python.") from exc
