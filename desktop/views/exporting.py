"""Saving from the window: asks for a name, writes off the window's thread with progress that can be stopped, says where the file went."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QProgressBar, QPushButton, QWidget

from engine.api.errors import CancelledError, InputError, RedepthError
from engine.api.folders import find_folders
from engine.api.handoff import offer_job

from ..saving.files import (
    DEPTH_SUFFIXES,
    MESH_SUFFIXES,
    NORMALS_SUFFIXES,
    PICTURE_SUFFIXES,
    OnProgress,
    save_comparison_picture,
    save_depth,
    save_mesh,
    save_normals,
    suggested_name,
)
from ..state.comparison import Comparison, Which
from .actions import Actions
from .session import Session

Kind = Literal["mesh", "depth", "disparity", "normals", "comparison"]

_SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "mesh": MESH_SUFFIXES,
    "depth": DEPTH_SUFFIXES,
    "disparity": DEPTH_SUFFIXES,
    "normals": NORMALS_SUFFIXES,
    "comparison": PICTURE_SUFFIXES,
}
_SIDES: tuple[tuple[Which, str], ...] = (("refined", "&Refined …"), ("base", "&Base …"))


class ExportBar(QWidget):
    """Progress of what is being saved, for the status bar; hidden while nothing is."""

    def __init__(self) -> None:
        super().__init__()
        self.doing, self.bar, self.stop = QLabel(), QProgressBar(), QPushButton("Stop")
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(160)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 12, 0)
        for part in (self.doing, self.bar, self.stop):
            line.addWidget(part)
        self.hide()

    def show_progress(self, share: float, doing: str) -> None:
        """Show how far it is."""
        self.doing.setText(doing)
        self.bar.setValue(round(1000 * share))
        self.show()


class Exporter(QObject):
    """The saving entries of the File menu.

    Signals:
        saved: list of paths that were written.
    """

    saved = Signal(object)
    _progressed = Signal(float, str)

    def __init__(self, session: Session, actions: Actions) -> None:
        super().__init__(session)
        self.session, self.window = session, session.window
        self.bar = ExportBar()
        self._stopping = False
        self.window.statusBar().addPermanentWidget(self.bar)
        self.bar.stop.clicked.connect(self._stop)
        self._progressed.connect(self._show_progress)
        self._fill(actions)

    def _fill(self, actions: Actions) -> None:
        menu = actions.saving
        menus: tuple[tuple[Kind, str, str | None], ...] = (
            ("mesh", "Save &mesh", "Ctrl+S"),
            ("depth", "Save &depth", "Ctrl+Shift+S"),
            ("disparity", "Save d&isparity", None),
            ("normals", "Save &normals", None),
        )
        for kind, title, key in menus:
            sides = QMenu(title, menu)
            menu.insertMenu(actions.save_separator, sides)
            for which, side in _SIDES:
                shortcut = key if which == "refined" else None
                actions.add(sides, side, lambda kind=kind, which=which: self.ask(kind, which), shortcut, needs_comparison=True)  # type: ignore[misc]
        for text, run, key in (
            ("Save the com&parison as a picture …", lambda: self.ask("comparison", "refined"), "Ctrl+P"),
            ("Send to &Blender", self.send_to_blender, "Ctrl+B"),
        ):
            action = actions.add(menu, text, run, key, needs_comparison=True)
            menu.insertAction(actions.save_separator, action)

    def ask(self, kind: Kind, which: Which) -> None:
        """Ask for a name and save there."""
        comparison = self.session.shown
        if not isinstance(comparison, Comparison):
            return
        suffixes, keeping = _SUFFIXES[kind], self.session.keeping
        folder = keeping.folder("save") or str(Path.home())
        name = suggested_name(comparison, None if kind == "comparison" else which, kind) + suffixes[0]
        filters = ";;".join(f"{suffix[1:].upper()} (*{suffix})" for suffix in suffixes)
        chosen, wanted = QFileDialog.getSaveFileName(self.window, f"Save {kind}", str(Path(folder) / name), filters)
        if chosen:
            path = Path(chosen)
            if not path.suffix:
                path = path.with_suffix(wanted[wanted.index("*") + 1 : -1])
            keeping.keep_folder("save", path.parent)
            self.save(kind, which, path)

    def save(self, kind: Kind, which: Which, path: Path) -> None:
        """Save what is shown, with the sliders' values, replacing what is there."""
        comparison, settings = self.session.shown, self.session.look.mesh
        if not isinstance(comparison, Comparison):
            return
        writers: dict[Kind, Callable[[OnProgress], list[Path]]] = {
            "mesh": lambda tell: save_mesh(comparison, which, settings, path, tell),
            "depth": lambda tell: save_depth(comparison, which, settings, path, tell),
            "disparity": lambda tell: save_depth(comparison, which, settings, path, tell, kind="disparity"),
            "normals": lambda tell: save_normals(comparison, which, settings, path, tell),
            "comparison": lambda tell: save_comparison_picture(comparison, settings, path, tell),
        }
        self._stopping = False
        self.bar.show_progress(0, f"Saving {path.name}")
        self.session.background.run("save", lambda: writers[kind](self._tell), lambda paths: self._take_saved(path, paths), self._take_failure)

    def send_to_blender(self) -> None:
        """Put the job where the Blender add-on finds it."""
        comparison = self.session.shown
        if not isinstance(comparison, Comparison) or not comparison.job_id:
            hint = "Refine the picture here, or open its job from the list; a folder can be imported in Blender itself."
            self.window.message.show_error(InputError("Only a job of the engine can be sent to Blender.", hint=hint, code="input.no_job"))
            return
        try:
            offer_job(find_folders(), comparison.job_id, comparison.name)
        except RedepthError as error:
            self.window.message.show_error(error)
            return
        self.window.message.show_note(f"{comparison.name} waits in Blender's Re-Depth panel.")

    def _tell(self, share: float, doing: str) -> None:
        """Pass progress on from the writing thread, or stop it."""
        if self._stopping:
            raise CancelledError("Saving was stopped.", hint="Nothing was written.")
        self._progressed.emit(share, doing)

    def _show_progress(self, share: float, doing: str) -> None:
        if self.session.background.is_idle:
            return  # told late, after the end
        self.bar.show_progress(share, doing)

    def _stop(self) -> None:
        self._stopping = True

    def _take_saved(self, path: Path, paths: list[Path]) -> None:
        self.bar.hide()
        others = [written.name for written in paths if written != path]
        self.window.message.show_note(f"Saved {path}" + (f", with {' and '.join(others)} beside it" if others else ""))
        self.saved.emit(paths)

    def _take_failure(self, error: RedepthError) -> None:
        self.bar.hide()
        if isinstance(error, CancelledError):
            self.window.message.show_note(str(error))
        else:
            self.window.message.show_error(error)
