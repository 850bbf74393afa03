"""`Session`: what is open in the window, and what follows from it: names, panels, plots, the way it is looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from engine.api.errors import InputError, RedepthError
from engine.api.folders import find_folders
from engine.api.settings import MeshSettings
from engine.export.files import prepare_folder, write_whole

from ..state.comparison import Comparison
from ..state.depth_maps import MapKind, read_truth
from ..state.findings import findings, strongest_change
from ..state.look import Look
from ..state.measures import measure_rows
from ..state.opening import OpenedFolder, OpenedPicture, Reading, open_paths
from ..state.probe import histogram, probe, profile
from ..state.view import Point
from ..views3d.mesh_pane import MeshPane
from ..views3d.relight_pane import RelightPane
from .background import Background
from .keeping import Keeping
from .main_window import MainWindow
from .screen_image import png_of


class Session(QObject):
    """Binds the window to the state.

    Signals:
        opened: what is shown now: `Comparison`, `OpenedPicture` or None.
        picture_opened: path of a picture that was opened to be refined.
    """

    opened = Signal(object)
    picture_opened = Signal(object)

    def __init__(self, window: MainWindow, background: Background, keeping: Keeping) -> None:
        super().__init__(window)
        self.window, self.background, self.keeping = window, background, keeping
        self.shown: Comparison | OpenedPicture | None = None
        self.picture: Path | None = None
        self.folder_pictures: tuple[Path, ...] = ()
        self.look = keeping.look()
        self.reading = Reading()
        self._paths: list[Path] = []
        self._truth: tuple[Path, MapKind] | None = None
        self._in_3d: dict[QWidget, Comparison] = {}
        self._wire()
        window.refine.choose({name: keeping.choice(name) for name in window.refine.choices()})
        window.sliders.show_settings(self.look.mesh)
        window.top_bar.show_look(self.look)
        window.compare.show_look(self.look)
        self.show(None)

    def _wire(self) -> None:
        window = self.window
        window.paths_dropped.connect(self.open)
        window.image_dropped.connect(self.open_image)
        window.first_screen.path_asked.connect(lambda path: self.open([path]))
        window.strip.chosen.connect(self._open_from_strip)
        window.flip_held.connect(lambda held: self.set_look(replace(self.look, flipped=held)))
        window.top_bar.tab_changed.connect(self._show_tab)
        window.top_bar.look_changed.connect(lambda look: self.set_look(replace(look, mesh=self.look.mesh, wipe_share=self.look.wipe_share)))
        window.compare.wipe_changed.connect(lambda share: self.set_look(replace(self.look, wipe_share=share)))
        window.compare.probed.connect(self._probe)
        window.compare.line_changed.connect(self._profile)
        window.compare.view_changed.connect(lambda _: self._show_place(None))
        window.sliders.changed.connect(self._take_mesh)
        window.relight.light_changed.connect(window.mesh.set_light)
        for pane in (window.relight, window.mesh):
            pane.failed.connect(lambda sentence, hint: window.message.show_error(RedepthError(sentence, hint=hint, code="viewer.drawing")))

    # --- opening ----------------------------------------------------------------------------------------------------------------------------

    def open(self, paths: Sequence[Path]) -> None:
        """Open files or a folder; what it is is found out off the window's thread."""
        absolute = [Path(path).expanduser().absolute() for path in paths]
        self.window.message.clear()
        self._run("open", lambda: open_paths(absolute), lambda opened: self._take_opened(opened, absolute))

    def _take_opened(self, opened: OpenedPicture | OpenedFolder | Comparison, paths: list[Path]) -> None:
        if len(paths) == 1:
            self.keeping.keep_recent(paths[0])
        self._paths, self._truth, self.reading = paths, None, Reading()
        self.folder_pictures = opened.pictures if isinstance(opened, OpenedFolder) else ()
        self.window.strip.show_pictures(self.folder_pictures)
        if isinstance(opened, OpenedPicture):
            self._take_picture(opened)
        elif isinstance(opened, Comparison):
            self.picture = None
            self.show(opened)

    def _open_from_strip(self, path: Path) -> None:
        self._truth = None
        self._run("open", lambda: open_paths([path]), self._take_picture)

    def _take_picture(self, opened: OpenedPicture) -> None:
        self.picture = opened.path
        self.show(opened)
        self.picture_opened.emit(opened.path)

    def take_result(self, comparison: Comparison, picture: Path | None) -> None:
        """Show a job's result; ``picture`` is the file that it was made from, as far as that is known."""
        same = picture is not None and picture == self.picture
        if not same:
            self._truth, self._paths = None, []
        self.picture = picture
        self.show(comparison, keep_view=same)
        if self._truth is not None:
            self.measure_against(*self._truth)

    def read_maps(self, reading: Reading) -> None:
        """Read the depth files that are open again, by other conventions."""
        self.reading = reading
        paths = self._paths

        def done(opened: Any) -> None:
            if paths is self._paths:
                self.show(opened, keep_view=True)

        self._run("open", lambda: open_paths(paths, reading), done)

    @property
    def map_count(self) -> int:
        """How many depth files are shown: 0, 1 or 2."""
        shown = self.shown
        return 0 if not isinstance(shown, Comparison) or shown.is_refinement else 1 if shown.is_single else 2

    def measure_against(self, path: Path, read_as: MapKind = "unknown") -> None:
        """Measure what is shown against the depth in a file."""
        comparison = self.shown
        if not isinstance(comparison, Comparison):
            sentence = "There is no depth to measure yet."
            self.window.message.show_error(InputError(sentence, hint="Refine the picture or open a result first.", code="input.truth"))
            return

        def done(truth: Any) -> None:
            self._truth = (path, read_as)
            if self.shown is comparison:
                self.show(replace(comparison, truth=truth), keep_view=True)
                self.window.plots.reveal("Measures")

        self._run("truth", lambda: read_truth(path, comparison, read_as), done)

    def open_image(self, image: QImage) -> None:
        """Open a picture that is in no file yet; it is kept in the engine's home under the time of day."""
        folder = find_folders().home / "pasted"

        def save() -> Path:
            prepare_folder(folder)
            path = folder / time.strftime("pasted %Y-%m-%d %H.%M.%S.png")
            write_whole(path, png_of(image))
            return path

        self._run("paste", save, lambda path: self.open([path]))

    def close_opened(self) -> None:
        """Go back to the first screen."""
        self.picture = self._truth = None
        self.folder_pictures = ()
        self.window.strip.show_pictures([])
        self.show(None)

    # --- showing ----------------------------------------------------------------------------------------------------------------------------

    def show(self, shown: Comparison | OpenedPicture | None, *, keep_view: bool = False) -> None:
        """Show this in every part of the window."""
        window, before = self.window, self.shown
        self.shown = shown
        comparison = shown if isinstance(shown, Comparison) else None
        window.show_maps(shown is not None)
        if shown is None:
            window.first_screen.show_recent(self.keeping.recent())
        window.setWindowTitle("Re-Depth" if shown is None else f"{shown.name} – Re-Depth")
        if comparison is not None and not (keep_view and isinstance(before, Comparison)):
            window.sliders.show_picture(comparison.fov_deg)
        window.top_bar.show_comparison(comparison)
        if comparison is None:
            window.top_bar.tabs.setCurrentIndex(0)
        window.compare.show_opened(shown, keep_view=keep_view)
        window.refine.show_picture(self.picture.name if self.picture else None, is_result=comparison is not None)
        window.findings.show_findings([])
        window.probe.show_probe(comparison, None)
        window.plots.show_histogram(None, None)
        window.plots.show_measures(None, [])
        self._show_tab(window.top_bar.tabs.currentIndex())
        if comparison is not None:
            self._study(comparison)
            window.plots.reveal("Histogram")
        self.opened.emit(shown)

    def _study(self, comparison: Comparison) -> None:
        """Find out what there is to say about a comparison, and mark where it changed most."""
        window, plots = self.window, self.window.plots

        def current(show: Callable[[Any], object]) -> Callable[[Any], object]:
            return lambda found: show(found) if self.shown is comparison else None

        def mark(point: Point | None) -> None:
            window.compare.set_pin(window.compare.pin or point)

        self._run("findings", lambda: findings(comparison), current(window.findings.show_findings))
        self._run("mark", lambda: strongest_change(comparison), current(mark))
        self._run("histogram", lambda: histogram(comparison), current(lambda found: plots.show_histogram(comparison, found)))
        if comparison.truth is not None:
            self._run("measures", lambda: measure_rows(comparison), current(lambda rows: plots.show_measures(comparison, rows)))

    def set_look(self, look: Look) -> None:
        """Show it that way."""
        if look != self.look:
            self.look = look
            self.window.top_bar.show_look(look)
            self.window.compare.show_look(look)

    def _show_tab(self, index: int) -> None:
        """Bring a view to the front; those in 3D get what they show only then, for it costs memory and time."""
        window = self.window
        window.views.setCurrentIndex(index)
        window.plots.setVisible(index == 0)
        pane = window.views.currentWidget()
        if isinstance(pane, RelightPane | MeshPane) and isinstance(self.shown, Comparison):
            pane.set_mesh_settings(self.look.mesh)
            if self._in_3d.get(pane) is not self.shown:
                self._in_3d[pane] = self.shown
                pane.show_comparison(self.shown)

    def _take_mesh(self, mesh: MeshSettings) -> None:
        self.set_look(replace(self.look, mesh=mesh))
        self._show_tab(self.window.views.currentIndex())
        self._probe(self.window.compare.pin)

    def _probe(self, point: Point | None) -> None:
        comparison = self.shown if isinstance(self.shown, Comparison) else None
        found = probe(comparison, point, self.look.mesh) if comparison is not None and point is not None else None
        self.window.probe.show_probe(comparison, found)
        self._show_place(point)

    def _profile(self, line: tuple[Point, Point] | None) -> None:
        comparison = self.shown if isinstance(self.shown, Comparison) else None
        found = profile(comparison, *line) if comparison is not None and line is not None else None
        self.window.plots.show_profile(comparison, found)
        if found is not None:
            self.window.plots.reveal("Profile")

    def _show_place(self, point: Point | None) -> None:
        zoom = f"{100 * self.window.compare.view.scale:.0f} %"
        self.window.place.setText(zoom if point is None else f"{int(point[0])}, {int(point[1])}   ·   {zoom}")

    def restyle(self) -> None:
        """Draw anew in another theme."""
        self.window.plots.restyle()
        self._profile(self.window.compare.line)
        if isinstance(self.shown, Comparison):
            self._study(self.shown)
        self.window.compare.update()

    def end(self) -> None:
        """Remember what was chosen, and end the drawing threads."""
        self.window.relight.shut_down()
        self.window.mesh.shut_down()
        for name, value in self.window.refine.choices().items():
            self.keeping.keep_choice(name, value)

    def _run(self, key: str, work: Callable[[], Any], done: Callable[[Any], object]) -> None:
        self.background.run(key, work, done, self.window.message.show_error)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is under way: no file, no paint, no thumbnail."""
        pane = self.window.views.currentWidget()
        drawn = pane.is_settled if isinstance(pane, RelightPane | MeshPane) and self.shown is not None else self.window.compare.is_painted
        return self.background.is_idle and drawn
