"""Menus and keys: every action once, named, with its key, for mouse and keyboard alike."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtGui import QAction, QGuiApplication, QImage, QKeySequence
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from engine.api.errors import InputError

from ..state.comparison import Comparison
from ..state.look import LAYOUT_TITLES, Layout, shown_extra_layers, shown_map_layers
from ..state.opening import OPEN_SUFFIXES
from .dialogs import MetadataDialog, ShortcutsDialog
from .refining import Refining
from .session import Session
from .theme import ThemeName, apply_theme, current_theme

_MAP_SIDES = ("left", "right")

Key = QKeySequence | QKeySequence.StandardKey | str | None

_OPEN_FILTER = f"Pictures and depth maps ({' '.join(f'*{suffix}' for suffix in OPEN_SUFFIXES)});;All files (*)"
_MAP_FILTER = "Depth maps (*.exr *.npy *.png *.pfm);;All files (*)"
_TRUTH_FILTER = "Measured depth (*.npz *.exr *.npy *.png *.pfm);;All files (*)"


class Actions:
    """All actions of the window, in its menus."""

    def __init__(self, session: Session, refining: Refining) -> None:
        self.session, self.refining, self.window = session, refining, session.window
        self.all: list[QAction] = []
        self._needs_comparison: list[QAction] = []
        self._needs_maps: list[QAction] = []
        self._fill_file(self.window.menuBar().addMenu("&File"))
        self._fill_edit(self.window.menuBar().addMenu("&Edit"))
        self._fill_view(self.window.menuBar().addMenu("&View"))
        self._fill_engine(self.window.menuBar().addMenu("E&ngine"))
        self._fill_help(self.window.menuBar().addMenu("&Help"))
        first = self.window.first_screen
        first.picture_asked.connect(self.open_files)
        first.folder_asked.connect(self.open_folder)
        first.maps_asked.connect(self.compare_maps)
        session.opened.connect(self._show_opened)
        self.window.top_bar.tab_changed.connect(lambda _: self._show_opened(self.session.shown))
        self._show_opened(session.shown)

    def add(
        self, menu: QMenu, text: str, run: Callable[[], object], key: Key = None, *, needs_comparison: bool = False, needs_maps: bool = False
    ) -> QAction:
        """Add an action to a menu.

        Args:
            needs_comparison: grey it, with the reason as its tooltip, while there is nothing to compare.
            needs_maps: grey it while the maps are not in front; the views in 3D have keys of their own.
        """
        action = QAction(text, self.window)
        if key is not None:
            action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda _=False: run())
        menu.addAction(action)
        self.all.append(action)
        if needs_comparison:
            self._needs_comparison.append(action)
        if needs_maps:
            self._needs_maps.append(action)
        return action

    def _show_opened(self, shown: object) -> None:
        comparison = isinstance(shown, Comparison)
        for action in self._needs_comparison:
            action.setEnabled(comparison)
            action.setToolTip("" if comparison else "Refine a picture or open a result first.")
        for action in self._needs_maps:
            action.setEnabled(shown is not None and self.window.top_bar.tabs.currentIndex() == 0)
        self._refine.setEnabled(self.session.picture is not None)
        self._show_reading()

    # --- File -------------------------------------------------------------------------------------------------------------------------------

    def _fill_file(self, menu: QMenu) -> None:
        keys = QKeySequence.StandardKey
        menu.setToolTipsVisible(True)
        self.add(menu, "&Open …", self.open_files, keys.Open)
        self.add(menu, "Open &folder or result …", self.open_folder, "Ctrl+Shift+O")
        self.add(menu, "&Compare two depth files …", self.compare_maps, "Ctrl+D")
        self.add(menu, "&Measure against ground truth …", self.measure, "Ctrl+T", needs_comparison=True)
        self.recent = menu.addMenu("Open &recent")
        self.recent.aboutToShow.connect(self._fill_recent)
        menu.addSeparator()
        self.saving = menu
        self.save_separator = menu.addSeparator()
        self.add(menu, "C&lose", self.session.close_opened, "Ctrl+W")
        self.add(menu, "&Quit", self.window.close, "Ctrl+Q")

    def _fill_recent(self) -> None:
        self.recent.clear()
        for path in self.session.keeping.recent():
            action = self.recent.addAction(str(path))
            action.triggered.connect(lambda _=False, path=path: self.session.open([path]))
        self.recent.addSeparator()
        self.recent.addAction("Forget these").triggered.connect(self.session.keeping.forget_recent)

    def open_files(self) -> None:
        """Ask for files."""
        names, _ = QFileDialog.getOpenFileNames(self.window, "Open", self.session.keeping.folder("open"), _OPEN_FILTER)
        self._open([Path(name) for name in names])

    def open_folder(self) -> None:
        """Ask for a folder."""
        name = QFileDialog.getExistingDirectory(self.window, "Open a folder of pictures or of a result", self.session.keeping.folder("open"))
        self._open([Path(name)] if name else [])

    def compare_maps(self) -> None:
        """Ask for two depth files."""
        folder = self.session.keeping.folder("open")
        left, _ = QFileDialog.getOpenFileName(self.window, "Left depth map", folder, _MAP_FILTER)
        if left:
            right, _ = QFileDialog.getOpenFileName(self.window, "Right depth map", str(Path(left).parent), _MAP_FILTER)
            self._open([Path(left), Path(right)] if right else [])

    def _open(self, paths: list[Path]) -> None:
        if paths:
            self.session.keeping.keep_folder("open", paths[0].parent)
            self.session.open(paths)

    def measure(self) -> None:
        """Ask for measured depth."""
        name, _ = QFileDialog.getOpenFileName(self.window, "Measured depth", self.session.keeping.folder("open"), _TRUTH_FILTER)
        if name:
            self.session.measure_against(Path(name))

    # --- Edit -------------------------------------------------------------------------------------------------------------------------------

    def _fill_edit(self, menu: QMenu) -> None:
        keys = QKeySequence.StandardKey
        for action, key in (
            (self.window.undo.createUndoAction(self.window, "Undo"), keys.Undo),
            (self.window.undo.createRedoAction(self.window, "Redo"), keys.Redo),
        ):
            action.setShortcut(QKeySequence(key))
            menu.addAction(action)
            self.all.append(action)
        menu.addSeparator()
        self.add(menu, "&Paste a picture", self.paste, keys.Paste)
        self.add(menu, "&Copy what is shown as a picture", self.copy_view, keys.Copy)
        menu.addSeparator()
        self._as_depth = {side: self.add(menu, f"Read the {side} map as depth", functools.partial(self._read_as, side)) for side in _MAP_SIDES}
        self._aligned = self.add(menu, "&Align the right map to the left", self._align)
        for action in (*self._as_depth.values(), self._aligned):
            action.setCheckable(True)

    def _read_as(self, side: str) -> None:
        """Read one of the depth files that are open by the other convention."""
        kind = "depth" if self._as_depth[side].isChecked() else "disparity"
        self.session.read_maps(replace(self.session.reading, **{side: kind}))  # type: ignore[arg-type]

    def _align(self) -> None:
        self.session.read_maps(replace(self.session.reading, aligned=self._aligned.isChecked()))

    def _show_reading(self) -> None:
        """Show how the depth files that are open are read."""
        shown, count = self.session.shown, self.session.map_count
        labels = {"left": shown.label_base, "right": shown.label_refined} if isinstance(shown, Comparison) else {}
        for number, (side, action) in enumerate(self._as_depth.items()):
            action.setEnabled(number < count)
            action.setChecked(labels.get(side, "").endswith("(depth)"))
        self._aligned.setEnabled(count == 2)
        self._aligned.setChecked(self.session.reading.aligned)

    def paste(self) -> None:
        """Open what the clipboard holds: files, or a picture, which is kept beside the engine's jobs."""
        clipboard = QGuiApplication.clipboard()
        urls = [Path(url.toLocalFile()) for url in clipboard.mimeData().urls() if url.isLocalFile()]
        if urls:
            self.session.open(urls)
            return
        image = clipboard.image()
        if image.isNull():
            hint = "Copy a picture in another program, or a file in the file browser."
            self.window.message.show_error(InputError("The clipboard holds neither a picture nor a file.", hint=hint, code="input.clipboard"))
            return
        self.session.open_image(image)

    def copy_view(self) -> None:
        """Copy the panes as they are seen."""
        image: QImage = self.window.views.grab().toImage()
        QGuiApplication.clipboard().setImage(image)
        self.window.message.show_note("The picture of this view is in the clipboard.")

    # --- View -------------------------------------------------------------------------------------------------------------------------------

    def _fill_view(self, menu: QMenu) -> None:
        keys, compare = QKeySequence.StandardKey, self.window.compare
        for number, (layout, title) in enumerate(LAYOUT_TITLES.items(), start=1):
            self.add(menu, title, functools.partial(self.set_layout, layout), str(number), needs_maps=True)
        menu.addSeparator()
        self.add(menu, "Next kind of &map", self.next_map, "M", needs_maps=True)
        self.add(menu, "Next view of the &change", self.next_extra, "C", needs_maps=True)
        self.line_tool = self.add(menu, "Draw a &line for the profile", self._toggle_line, "L", needs_maps=True)
        self.line_tool.setCheckable(True)
        self.add(menu, "Start or end the line at the &pin", self._line_by_keys, "P", needs_maps=True)
        menu.addSeparator()
        self.add(menu, "&Fit", compare.fit, "F", needs_maps=True)
        self.add(menu, "&One to one", compare.one_to_one, "Ctrl+0", needs_maps=True)
        self.add(menu, "Zoom &in", lambda: compare.zoom(1.25), keys.ZoomIn)
        self.add(menu, "Zoom o&ut", lambda: compare.zoom(0.8), keys.ZoomOut)
        menu.addSeparator()
        for index in range(self.window.top_bar.tabs.count()):
            title = self.window.top_bar.tabs.tabText(index)
            self.add(menu, f"{title} view", functools.partial(self.show_tab, index), f"F{index + 2}")
        menu.addSeparator()
        self.add(menu, "Show or hide the left panel", lambda: self.window.left.setVisible(self.window.left.isHidden()), "Ctrl+1")
        self.add(menu, "Show or hide the right panel", lambda: self.window.right.setVisible(self.window.right.isHidden()), "Ctrl+2")
        self.add(menu, "Show or hide the plots", lambda: self.window.plots.setVisible(self.window.plots.isHidden()), "Ctrl+3")
        self.add(menu, "&Dark or light", self.toggle_theme, "Ctrl+Shift+T")
        self.add(menu, "Full screen", self._toggle_full_screen, keys.FullScreen)

    def set_layout(self, layout: Layout) -> None:
        """Arrange the maps in that way."""
        self.session.set_look(replace(self.session.look, layout=layout))

    def show_tab(self, index: int) -> None:
        """Bring one of the views to the front, where there is something to show."""
        if self.window.top_bar.tabs.isTabEnabled(index):
            self.window.top_bar.tabs.setCurrentIndex(index)

    def next_map(self) -> None:
        """Show base and refined as the next kind of map."""
        if isinstance(self.session.shown, Comparison):
            layers = shown_map_layers(self.session.shown)
            at = layers.index(self.session.look.map_layer) if self.session.look.map_layer in layers else -1
            self.session.set_look(replace(self.session.look, map_layer=layers[(at + 1) % len(layers)]))

    def next_extra(self) -> None:
        """Show the next view of the change."""
        if isinstance(self.session.shown, Comparison):
            layers = shown_extra_layers(self.session.shown)
            at = layers.index(self.session.look.extra_layer) if self.session.look.extra_layer in layers else -1
            self.session.set_look(replace(self.session.look, extra_layer=layers[(at + 1) % len(layers)]))

    def _toggle_line(self) -> None:
        self.window.compare.set_line_tool(self.line_tool.isChecked())

    def _line_by_keys(self) -> None:
        if self.window.compare.line_by_keys():
            self.window.message.show_note("The line starts at the pin. Move the pin with Ctrl + arrows, then press P again.")
        else:
            self.window.message.clear()

    def _toggle_full_screen(self) -> None:
        if self.window.isFullScreen():
            self.window.showNormal()
        else:
            self.window.showFullScreen()

    def toggle_theme(self) -> None:
        """Change between dark and light."""
        self.set_theme("light" if current_theme().name == "dark" else "dark")

    def set_theme(self, name: ThemeName) -> None:
        """Use a theme from now on."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, name)
        self.session.keeping.keep_theme(name)
        self.session.restyle()

    # --- Engine and Help --------------------------------------------------------------------------------------------------------------------

    def _fill_engine(self, menu: QMenu) -> None:
        self._refine = self.add(menu, "&Refine the picture", self.window.refine.start.click, "Ctrl+R")
        self.add(menu, "&Cancel the refinement", self.window.refine.stop.click, "Ctrl+.")
        self.add(menu, "Refine all pictures of the &folder", self.refining.refine_folder, "Ctrl+Shift+R")
        menu.addSeparator()
        self.add(menu, "Release the &GPU's memory", self.refining.link.release)
        self.add(menu, "Look again which &models are here", self.refining.link.find_models)

    def _fill_help(self, menu: QMenu) -> None:
        self.add(menu, "&Keys and mouse", self.show_keys, "?")
        self.add(menu, "How this result was made", self.show_metadata, "I", needs_comparison=True)

    def show_keys(self) -> None:
        """List all keys."""
        ShortcutsDialog(self.all, self.window).open()

    def show_metadata(self) -> None:
        """Show how the result was made."""
        if isinstance(self.session.shown, Comparison):
            MetadataDialog(self.session.shown, self.window).open()
