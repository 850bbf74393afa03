"""`Session`: what is open in the window, which jobs it waits for, and what follows from either."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from engine.api.errors import CancelledError, InputError, RedepthError
from engine.api.folders import find_folders
from engine.api.messages import JobInfo, Notice, Progress
from engine.api.settings import MeshSettings, RefineSettings
from engine.export.depth_files import MapKind
from engine.export.files import prepare_folder, write_whole

from ..link.engine_link import EngineLink, LinkStatus
from ..state.comparison import Comparison
from ..state.depth_maps import read_truth
from ..state.findings import findings
from ..state.look import Look
from ..state.measures import measure_rows
from ..state.opening import OpenedFolder, OpenedPicture, open_paths
from ..state.probe import histogram, probe, profile
from ..state.progress import LossCurves
from ..state.view import Point
from ..views3d.mesh_pane import MeshPane
from ..views3d.relight_pane import RelightPane
from .background import Background
from .keeping import Keeping
from .main_window import MainWindow
from .screen_image import png_of

LOSSES_EVERY_MS = 300


class Session(QObject):
    """Binds window, engine and state.

    Signals:
        opened: what is shown now: `Comparison`, `OpenedPicture` or None.
        settled: everything that was asked for is on screen.
    """

    opened = Signal(object)
    settled = Signal()

    def __init__(self, window: MainWindow, background: Background, link: EngineLink, keeping: Keeping) -> None:
        super().__init__(window)
        self.window, self.background, self.link, self.keeping = window, background, link, keeping
        self.shown: Comparison | OpenedPicture | None = None
        self.picture: Path | None = None
        self.job: JobInfo | None = None
        self.jobs: list[JobInfo] = []
        self.look = keeping.look()
        self._truth: tuple[Path, MapKind] | None = None
        self._of_picture: dict[str, Path] = {}
        self._results: dict[Path, str] = {}
        self._curves: dict[str, LossCurves] = {}
        self._waiting: set[str] = set()
        self._loss_timer = QTimer(self)
        self._loss_timer.setSingleShot(True)
        self._loss_timer.setInterval(LOSSES_EVERY_MS)
        self._loss_timer.timeout.connect(self._show_losses)
        self._lost = False
        self._in_3d: dict[QWidget, Comparison] = {}
        self._wire()
        window.refine.choose({name: keeping.choice(name) for name in window.refine.choices()})
        window.sliders.show_settings(self.look.mesh)
        window.top_bar.show_look(self.look)
        window.compare.show_look(self.look)
        self._show(None)

    def _wire(self) -> None:
        window, link = self.window, self.link
        window.paths_dropped.connect(self.open)
        window.first_screen.path_asked.connect(lambda path: self.open([path]))
        window.strip.chosen.connect(self._open_from_strip)
        window.flip_held.connect(lambda held: self.set_look(replace(self.look, flipped=held)))
        window.image_dropped.connect(self.open_image)
        window.top_bar.tab_changed.connect(self._show_tab)
        window.relight.light_changed.connect(window.mesh.set_light)
        for pane in (window.relight, window.mesh):
            pane.failed.connect(lambda sentence, hint: window.message.show_error(RedepthError(sentence, hint=hint, code="viewer.drawing")))
        window.top_bar.look_changed.connect(lambda look: self.set_look(replace(look, mesh=self.look.mesh, wipe_share=self.look.wipe_share)))
        window.compare.wipe_changed.connect(lambda share: self.set_look(replace(self.look, wipe_share=share)))
        window.compare.probed.connect(self._probe)
        window.compare.line_changed.connect(self._profile)
        window.compare.view_changed.connect(lambda _: self._show_place(None))
        window.sliders.changed.connect(self._take_mesh)
        window.refine.refine_asked.connect(self.refine)
        window.refine.cancel_asked.connect(link.cancel)
        window.refine.refused.connect(window.message.show_error)
        window.jobs.open_asked.connect(link.open_job)
        window.jobs.cancel_asked.connect(link.cancel)
        window.jobs.remove_asked.connect(link.remove)
        link.status_changed.connect(self._take_status)
        link.jobs_changed.connect(self._take_jobs)
        link.progressed.connect(self._take_event)
        link.previewed.connect(self._take_preview)
        link.submitted.connect(self._take_submitted)
        link.ended.connect(self._take_ended)
        link.opened.connect(self._take_comparison)
        link.refused.connect(window.message.show_error)
        link.models_found.connect(window.refine.show_models)

    # --- opening ----------------------------------------------------------------------------------------------------------------------------

    def open(self, paths: Sequence[Path]) -> None:
        """Open files or a folder; what it is is found out off the window's thread."""
        paths = [Path(path).expanduser().absolute() for path in paths]
        self.window.message.clear()
        self._run("open", lambda: open_paths(paths), lambda opened: self._take_opened(opened, paths))

    def _take_opened(self, opened: OpenedPicture | OpenedFolder | Comparison, paths: Sequence[Path]) -> None:
        if len(paths) == 1:
            self.keeping.keep_recent(paths[0])
        if isinstance(opened, OpenedFolder):
            self.window.strip.show_pictures(opened.pictures)
            return
        self.window.strip.show_pictures([])
        self._truth = None
        if isinstance(opened, OpenedPicture):
            self._take_picture(opened)
        else:
            self.picture = None
            self._take_comparison(opened)

    def _open_from_strip(self, path: Path) -> None:
        """Show a picture of the folder; one that was refined before comes with its result."""
        self._truth = None
        self._run("open", lambda: open_paths([path]), self._take_picture)

    def _take_picture(self, opened: OpenedPicture) -> None:
        self.picture = opened.path
        self.job = next((job for job in self.jobs if self._of_picture.get(job.id) == opened.path and not job.ended), None)
        self._show(opened)
        if opened.path in self._results:
            self.link.open_job(self._results[opened.path])

    def _take_comparison(self, comparison: Comparison, *, keep_view: bool = False) -> None:
        self._show(comparison, keep_view=keep_view)
        if self._truth is not None and comparison.truth is None:
            self.measure_against(*self._truth)

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
                self._show(replace(comparison, truth=truth), keep_view=True)
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
        self.window.strip.show_pictures([])
        self._show(None)

    # --- showing ----------------------------------------------------------------------------------------------------------------------------

    def _show(self, shown: Comparison | OpenedPicture | None, *, keep_view: bool = False) -> None:
        window, before = self.window, self.shown
        self.shown = shown
        comparison = shown if isinstance(shown, Comparison) else None
        window.show_maps(shown is not None)
        if shown is None:
            window.first_screen.show_recent(self.keeping.recent())
        window.setWindowTitle("Re-Depth" if shown is None else f"{shown.name} – Re-Depth")
        if comparison is not None and not keep_view:
            window.sliders.show_picture(comparison.fov_deg)
        window.top_bar.show_comparison(comparison)
        if comparison is None:
            window.top_bar.tabs.setCurrentIndex(0)
        window.compare.show_opened(shown, keep_view=keep_view or isinstance(before, OpenedPicture))
        window.refine.show_picture(self.picture.name if self.picture else None)
        window.refine.show_job(self.job)
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
        """Find out what there is to say about a comparison."""
        plots = self.window.plots

        def current(show: Callable[[Any], object]) -> Callable[[Any], object]:
            return lambda found: show(found) if self.shown is comparison else None

        self._run("findings", lambda: findings(comparison), current(self.window.findings.show_findings))
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

    # --- the engine -------------------------------------------------------------------------------------------------------------------------

    def refine(self, settings: RefineSettings) -> None:
        """Ask the engine to refine the picture that is open."""
        if self.picture is not None:
            self.window.message.clear()
            self.link.submit(self.picture, settings)

    def _take_status(self, status: LinkStatus) -> None:
        self.window.engine_state.setText(status.text)
        self.window.engine_state.setToolTip(status.hint)
        lost = status.state == "lost"
        if lost:
            self.window.message.show_error(RedepthError(status.text, hint=status.hint, code="engine.unavailable"))
        elif self._lost and status.state == "connected":
            self.window.message.show_note("The engine is back; the job goes on.")
        self._lost = lost or (self._lost and status.state != "connected")

    def _take_jobs(self, jobs: list[JobInfo]) -> None:
        self.jobs = jobs
        self.window.jobs.show_jobs(jobs)
        if self.job is not None:
            self.job = next((job for job in jobs if job.id == self.job.id), self.job)
            self.window.refine.show_job(self.job)

    def _take_submitted(self, job: JobInfo, picture: Path) -> None:
        self._of_picture[job.id] = picture
        self._waiting.add(job.id)
        self.job = job
        if picture != self.picture:
            self.window.message.clear()
            self._run("open", functools.partial(open_paths, [picture]), self._take_picture)
        self.window.refine.show_job(job)

    def _take_event(self, job_id: str, event: Progress | Notice) -> None:
        if not isinstance(event, Progress) or not event.losses:
            return
        first = job_id not in self._curves
        self._curves.setdefault(job_id, LossCurves()).add(event)
        if self.job is not None and job_id == self.job.id:
            if first:
                self.window.plots.reveal("Losses")
            if not self._loss_timer.isActive():
                self._loss_timer.start()

    def _show_losses(self) -> None:
        """Draw the curves of the job that is shown; a few times a second at most, for a plot costs more than a step."""
        curves = self._curves.get(self.job.id) if self.job is not None else None
        if curves is not None and self.window.plots.isVisible():
            self.window.plots.show_losses(curves)

    def _take_preview(self, job_id: str, disparity: Any) -> None:
        if self.job is not None and job_id == self.job.id and self.shown is not None:
            self.window.compare.show_preview(disparity)

    def _take_ended(self, job: JobInfo, ending: Comparison | RedepthError) -> None:
        self._waiting.discard(job.id)
        picture = self._of_picture.get(job.id)
        if picture is not None and isinstance(ending, Comparison):
            self._results[picture] = job.id
        if self.job is None or job.id != self.job.id:
            return
        self.job = job
        self.window.compare.end_preview()
        self.window.refine.show_job(job)
        if isinstance(ending, Comparison):
            self._take_comparison(ending, keep_view=isinstance(self.shown, OpenedPicture))
            self.window.plots.reveal("Histogram")
        elif isinstance(ending, CancelledError):
            self.window.message.show_note(str(ending))
        else:
            self.window.message.show_error(ending)

    def end(self) -> None:
        """Remember what was chosen, and end the drawing threads; the engine and its jobs go on."""
        self.window.relight.shut_down()
        self.window.mesh.shut_down()
        refine = self.window.refine
        for name, value in refine.choices().items():
            self.keeping.keep_choice(name, value)

    # --- settling ---------------------------------------------------------------------------------------------------------------------------

    def _run(self, key: str, work: Callable[[], Any], done: Callable[[Any], object]) -> None:
        self.background.run(key, work, done, self.window.message.show_error)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is under way: no file, no paint, no thumbnail, and no job of the picture that is shown."""
        running = self.job is not None and self.job.id in self._waiting
        pane = self.window.views.currentWidget()
        drawn = pane.is_settled if isinstance(pane, RelightPane | MeshPane) and self.shown is not None else self.window.compare.is_painted
        return self.background.is_idle and not running and drawn
