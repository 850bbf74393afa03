"""Which revision of which weights a request means, answered in a millisecond where nothing changed on the disk.

Finding weights needs the hub's library, and a folder's revision is a digest of gigabytes. So a short-lived process (`worker_weights`) answers
once, and the answer is kept with a stamp of the files that it rests on: their names, sizes and times.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..api.errors import EngineError, error_from_json
from ..api.folders import write_private_file
from ..api.settings import EMBEDDED, RefineSettings

LOOK_UP_S = 110.0
ENGINE_ROOT = Path(__file__).resolve().parents[2]
_log = logging.getLogger(__name__)


class Revisions:
    """Remembers revisions in the file at ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[str, Any] | None = None

    def of(self, settings: RefineSettings) -> dict[str, str]:
        """Return the revision of each model that ``settings`` need, by role.

        Raises:
            ModelError: a model is unknown, or its weights are not here.
        """
        wanted = wanted_models(settings)
        with self._lock:
            known = self._known_now()
            fresh = {role for role, name in wanted.items() if not _holds(known.get(f"{role}:{name}"))}
            if fresh:
                found = _look_up({role: wanted[role] for role in fresh})
                known |= {f"{role}:{wanted[role]}": {**answer, "stamp": stamp(answer["watch"])} for role, answer in found.items()}
                self._keep()
            return {role: known[f"{role}:{name}"]["revision"] for role, name in wanted.items()}

    def _known_now(self) -> dict[str, Any]:
        if self._known is None:
            try:
                self._known = dict(json.loads(self._path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                self._known = {}
        return self._known

    def _keep(self) -> None:
        try:
            write_private_file(self._path, json.dumps(self._known, indent=1))
        except OSError as error:
            _log.warning("revisions are not kept: %s", error)


def wanted_models(settings: RefineSettings) -> dict[str, str]:
    """Return the name of each model that a refinement uses, by role; the captioner only where one would be asked."""
    wanted = {"depth": settings.depth_model, "prior": settings.prior}
    if settings.prior != EMBEDDED:
        wanted |= {"autoencoder": "taesd"} if settings.autoencoder == "tiny" else {}
        wanted |= {"caption": "blip"} if settings.prompt is None else {}
    return wanted


def stamp(watch: Mapping[str, bool]) -> str:
    """Return a digest of names, sizes and times of the files in folders; of those mapped to False, of the folder alone."""
    digest = hashlib.blake2b(digest_size=16)
    for folder, deep in sorted(watch.items()):
        paths = sorted(Path(folder).rglob("*")) if deep else [Path(folder)]
        for path in paths:
            if path.exists() and (path.is_file() or not deep):
                facts = path.stat()
                digest.update(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _holds(entry: Any) -> bool:
    try:
        return bool(entry["stamp"] == stamp(entry["watch"]) and entry["revision"])
    except (TypeError, KeyError, AttributeError, OSError):
        return False


def _look_up(wanted: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "engine.service.worker_weights", json.dumps(wanted)]
    try:
        run = subprocess.run(command, cwd=ENGINE_ROOT, env=os.environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=LOOK_UP_S, check=True)
        answer = json.loads(run.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, OSError, ValueError, IndexError) as exc:
        said = getattr(exc, "stderr", None) or b""
        _log.error("looking up %s failed: %s", wanted, said.decode(errors="replace"))
        raise EngineError("The models could not be looked up.", hint="See the engine's log; check its installation.") from exc
    if "error" in answer:
        raise error_from_json(answer["error"])
    return dict(answer)
