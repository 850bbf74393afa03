"""Which jobs this user's Blender still waits for, in one small file, so that a crash loses none of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..engine.api.disk import disk_errors_in_words
from ..engine.api.folders import write_private_file

_KEPT = 50


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A job that was begun and not yet built.

    Attributes:
        name: what to show for it.
        blend: the .blend file that was open, or empty.
        wish: what to build from it, as in `running.controller.Task`.
    """

    job_id: str
    name: str
    blend: str = ""
    wish: dict[str, Any] = field(default_factory=dict)


class Journal:
    """The file; missing or damaged, it is empty."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[Entry]:
        """Return what was noted, oldest first."""
        try:
            return [Entry(**fields) for fields in json.loads(self.path.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError):
            return []

    def note(self, entry: Entry) -> None:
        """Note a job; noted again, it is replaced.

        Raises:
            OutputError: the disk is full or refuses.
        """
        self._write([*(other for other in self.entries() if other.job_id != entry.job_id), entry][-_KEPT:])

    def strike(self, job_id: str) -> None:
        """Forget a job; one that is not noted is no error."""
        entries = self.entries()
        left = [entry for entry in entries if entry.job_id != job_id]
        if left != entries:
            self._write(left)

    def _write(self, entries: list[Entry]) -> None:
        with disk_errors_in_words(self.path):
            write_private_file(self.path, json.dumps([asdict(entry) for entry in entries], indent=1))
