"""What the viewer remembers between two runs: window, theme, look, choices, what was opened last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from PySide6.QtCore import QByteArray, QSettings

from engine.api.errors import SettingsError
from engine.api.folders import find_folders
from engine.export.colours import COLOUR_MAPS

from ..state.look import EXTRA_TITLES, LAYOUT_TITLES, MAP_TITLES, RANGE_TITLES, Look
from .theme import ThemeName

RECENT_KEPT = 12
_CHOICES: dict[str, Sequence[str]] = {
    "layout": list(LAYOUT_TITLES),
    "map_layer": list(MAP_TITLES),
    "extra_layer": list(EXTRA_TITLES),
    "colour_map": list(COLOUR_MAPS),
    "range_mode": list(RANGE_TITLES),
}


class Keeping:
    """An INI file in the engine's home. Values that make no sense any more count as absent."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = QSettings(str(path or find_folders().home / "viewer.ini"), QSettings.Format.IniFormat)

    def theme(self) -> ThemeName:
        """Return the kept theme, dark where none is."""
        name = str(self._file.value("theme", "dark"))
        return "light" if name == get_args(ThemeName)[1] else "dark"

    def keep_theme(self, name: ThemeName) -> None:
        """Remember the theme."""
        self._file.setValue("theme", name)

    def look(self) -> Look:
        """Return the kept look with the usual mesh settings."""
        changes: dict[str, Any] = {}
        for name, choices in _CHOICES.items():
            value = str(self._file.value(f"look/{name}", ""))
            if value in choices:
                changes[name] = value
        mesh = Look().mesh
        try:
            mesh = replace(mesh, near_far_ratio=self._number("near_far_ratio", mesh.near_far_ratio), edge_cut=self._number("edge_cut", mesh.edge_cut))
        except SettingsError:
            mesh = Look().mesh
        return replace(Look(), mesh=mesh, **changes)

    def keep_look(self, look: Look) -> None:
        """Remember the look, but not what belongs to one picture."""
        for name in _CHOICES:
            self._file.setValue(f"look/{name}", getattr(look, name))
        self._file.setValue("look/near_far_ratio", look.mesh.near_far_ratio)
        self._file.setValue("look/edge_cut", look.mesh.edge_cut)

    def _number(self, name: str, default: float) -> float:
        try:
            return float(str(self._file.value(f"look/{name}", default)))
        except ValueError:
            return default

    def recent(self) -> list[Path]:
        """Return what was opened last and is still there, newest first."""
        kept: Any = self._file.value("recent", [])
        listed = [kept] if isinstance(kept, str) else list(kept or [])
        return [path for path in map(Path, listed) if path.exists()]

    def keep_recent(self, path: Path) -> None:
        """Remember that ``path`` was opened."""
        others = [kept for kept in self.recent() if kept != path]
        self._file.setValue("recent", [str(kept) for kept in [path, *others][:RECENT_KEPT]])

    def forget_recent(self) -> None:
        """Remember nothing that was opened."""
        self._file.remove("recent")

    def folder(self, purpose: str) -> str:
        """Return the folder that was last used to open or to save."""
        return str(self._file.value(f"folder/{purpose}", ""))

    def keep_folder(self, purpose: str, folder: Path) -> None:
        """Remember a folder."""
        self._file.setValue(f"folder/{purpose}", str(folder))

    def bytes_of(self, name: str) -> QByteArray:
        """Return a widget's kept state, empty where there is none."""
        value = self._file.value(f"window/{name}")
        return value if isinstance(value, QByteArray) else QByteArray()

    def keep_bytes(self, name: str, state: QByteArray) -> None:
        """Remember a widget's state."""
        self._file.setValue(f"window/{name}", state)

    def choice(self, name: str) -> str:
        """Return a kept choice of the refine panel, empty where there is none."""
        return str(self._file.value(f"refine/{name}", ""))

    def keep_choice(self, name: str, value: str) -> None:
        """Remember a choice of the refine panel."""
        self._file.setValue(f"refine/{name}", value)
