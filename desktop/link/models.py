"""Which models the engine knows and has, asked of the engine's own command line, for only there the catalogue is at hand."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Literal

from engine.api.errors import EngineUnavailableError
from engine.api.folders import find_folders
from engine.api.launch import find_installation

LIST_S = 90.0


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """A model by its short name; ``location`` is None where its weights are not on this machine."""

    name: str
    role: Literal["depth", "prior", "autoencoder", "caption"]
    licence: str
    size_mb: int
    location: str | None
    note: str


EMBEDDED_FACTS = [
    ModelFacts(name="embedded", role="depth", licence="GPL-3.0-or-later", size_mb=0, location="", note="Tiny; ships with Re-Depth."),
    ModelFacts(name="embedded", role="prior", licence="GPL-3.0-or-later", size_mb=0, location="", note="Tiny; ships with Re-Depth."),
]


def list_models() -> list[ModelFacts]:
    """Return all models that the engine knows by name; takes a second or more.

    Raises:
        EngineUnavailableError: the engine's Python cannot be found or does not answer.
    """
    installation = find_installation(find_folders(), None)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(installation.python), "-m", "engine", "models", "--json-events"]
    try:
        run = subprocess.run(command, cwd=installation.root, env=environment, capture_output=True, text=True, timeout=LIST_S, check=True)
        lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
        return [ModelFacts(**{name: line[name] for name in ModelFacts.__dataclass_fields__}) for line in lines if line.get("event") == "model"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as exc:
        raise EngineUnavailableError("The engine does not say which models it has.", hint="Run `python -m engine models` to see why.") from exc
