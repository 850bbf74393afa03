"""`CompareView`: the panes of a comparison in the layout that was chosen, all showing one `View`, painted off the window's thread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from engine.export.colours import disparity_to_srgb8

from ..state.comparison import Comparison, Which
from ..state.look import Layer, Look, shown_extra_layers, shown_map_layers
from ..state.opening import OpenedPicture
from ..state.painting import Painted, paint
from ..state.view import Point, Size, View, fitted, one_to_one
from .background import Background, Failed
from .map_pane import MapPane
from .screen_image import ScreenImage, screen_image

Slot = tuple[Layer, Which]
PANES = 4
_GAP_PX = 6


class CompareView(QWidget):
    """Up to four linked panes.

    Signals:
        view_changed: `View` that all panes show.
        probed: picture point under the pointer, else the pinned one, else None.
        line_changed: (start, end) in picture points, or None.
        wipe_changed: share, 0 to 1.
    """

    view_changed = Signal(object)
    probed = Signal(object)
    line_changed = Signal(object)
    wipe_changed = Signal(float)

    def __init__(self, background: Background, on_failed: Failed, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._background, self._on_failed = background, on_failed
        self._opened: Comparison | OpenedPicture | None = None
        self._preview: ScreenImage | None = None
        self._look = Look()
        self._images: dict[Slot, ScreenImage] = {}
        self._fresh: dict[Slot, Look] = {}
        self._columns = 0
        self.view = View()
        self.pin: Point | None = None
        self._line_start: Point | None = None
        self.line: tuple[Point, Point] | None = None
        self._hover: Point | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP_PX)
        self.panes = [self._make_pane() for _ in range(PANES)]
        self._arrange()

    def _make_pane(self) -> MapPane:
        pane = MapPane(self)
        pane.zoom_asked.connect(lambda factor, at, pane=pane: self.set_view(self.view.zoomed(factor, at, pane.area_size, self.picture_size)))
        pane.move_asked.connect(lambda by: self.set_view(self.view.moved(by, self.picture_size)))
        pane.fit_asked.connect(self.fit)
        pane.hovered.connect(self._take_hover)
        pane.pinned.connect(self.set_pin)
        pane.line_drawn.connect(lambda start, end: self.set_line((start, end)))
        pane.wipe_moved.connect(self.wipe_changed)
        pane.step_asked.connect(self._step_pin)
        pane.resized.connect(self._follow_size)
        return pane

    # --- what is shown ----------------------------------------------------------------------------------------------------------------------

    @property
    def picture_size(self) -> Size:
        """Width and height of what is shown, in pixels."""
        if isinstance(self._opened, Comparison):
            return self._opened.size_px
        if self._opened is not None:
            height, width = self._opened.image_srgb.shape[:2]
            return width, height
        return 1, 1

    def show_opened(self, opened: Comparison | OpenedPicture | None, *, keep_view: bool = False) -> None:
        """Show a picture or a comparison; what was marked on another one is forgotten."""
        same_size = keep_view and opened is not None and self._opened is not None
        before = self.picture_size
        self._opened, self._preview = opened, None
        self._images.clear()
        self._fresh.clear()
        self._arrange()
        if not (same_size and before == self.picture_size):
            self.pin = self.line = self._hover = None
            self.line_changed.emit(None)
            self.fit()
        self._refresh()

    def show_look(self, look: Look) -> None:
        """Show it that way; only what differs is painted anew."""
        layout_changed = look.layout != self._look.layout
        self._look = look
        if layout_changed:
            self._arrange()
        self._refresh()

    def show_preview(self, disparity: NDArray[np.float32]) -> None:
        """Show the running members' disparity (h, w) beside the picture, or in the place of the refined map."""
        colour_map = self._look.colour_map

        def make() -> ScreenImage:
            colours = disparity_to_srgb8(disparity, None, colour_map)
            return screen_image(Painted(name="Refining …", note="live preview, own range", colours=colours, scale=None))

        self._background.run("preview", make, self._take_preview, self._on_failed)

    def end_preview(self) -> None:
        """Take the preview away."""
        self._background.forget("preview")
        if self._preview is not None:
            self._preview = None
            self._arrange()
            self._refresh()

    def _take_preview(self, image: ScreenImage) -> None:
        first = self._preview is None
        self._preview = image
        if first:
            self._arrange()
        self._refresh()

    def slots(self) -> list[Slot]:
        """Return the layers on screen, pane by pane; the wipe shows its two in one pane."""
        if not isinstance(self._opened, Comparison):
            return [] if self._opened is None else [("picture", "base")]
        comparison, look = self._opened, self._look
        layer = look.map_layer if look.map_layer in shown_map_layers(comparison) else "disparity"
        if comparison.is_single:
            return [("picture", "base"), (layer, "base")] if comparison.has_picture else [(layer, "base")]
        both: list[Slot] = [(layer, "base"), (layer, "refined")]
        extra = look.extra_layer if look.extra_layer in shown_extra_layers(comparison) else "change"
        return [("picture", "base"), (extra, "base"), *both] if look.layout == "overview" else both

    def _shown(self) -> list[tuple[Slot, Slot | None]]:
        """Return for each pane its layer and the one on the other side of the wipe."""
        slots, look = self.slots(), self._look
        if not isinstance(self._opened, Comparison) or self._opened.is_single:
            return [(slot, None) for slot in slots]
        if look.layout == "wipe":
            return [(slots[0], slots[1])]
        if look.layout == "single":
            return [(slots[0] if look.flipped else slots[1], None)]
        if look.flipped:
            slots[-1] = slots[-2]
        return [(slot, None) for slot in slots]

    def _refresh(self) -> None:
        """Paint what is missing, and show what is there."""
        if self._opened is not None:
            for slot in dict.fromkeys(self.slots()):
                wanted = _relevant(self._look, slot[0])
                if self._fresh.get(slot) != wanted:
                    self._fresh[slot] = wanted
                    self._paint(slot, wanted)
        self._show()

    def _paint(self, slot: Slot, look: Look) -> None:
        opened = self._opened

        def make() -> ScreenImage:
            if isinstance(opened, Comparison):
                return screen_image(paint(opened, *slot, look))
            assert opened is not None
            height, width = opened.image_srgb.shape[:2]
            return screen_image(Painted(name=opened.name, note=f"{width} × {height} px", colours=opened.image_srgb, scale=None))

        def done(image: ScreenImage) -> None:
            if opened is self._opened:
                self._images[slot] = image
                self._show()

        self._background.run(f"layer {slot[0]} {slot[1]}", make, done, self._on_failed)

    def _show(self) -> None:
        shown = self._shown()
        wipe = self._look.wipe_share if self._look.layout == "wipe" else None
        for pane, (slot, other) in zip(self.panes, shown, strict=False):
            pane.show_images(self._images.get(slot), self._images.get(other) if other else None, wipe if other else None)
        if self._preview is not None and self._opened is not None:
            place = len(shown) if isinstance(self._opened, OpenedPicture) else len(shown) - 1
            self.panes[place].show_images(self._preview)
        self._show_view()

    @property
    def is_painted(self) -> bool:
        """Whether every layer on screen is there."""
        return all(slot in self._images for slot in self.slots())

    # --- layout and view --------------------------------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Put as many panes as there are layers into the grid that shows the picture largest."""
        count = max(1, len(self._shown()))
        if self._preview is not None and isinstance(self._opened, OpenedPicture):
            count += 1
        columns = self._best_columns(count)
        self._columns = columns
        for pane in self.panes:
            self._grid.removeWidget(pane)
        for line in range(PANES):
            self._grid.setColumnStretch(line, 1 if line < columns else 0)
            self._grid.setRowStretch(line, 1 if line < -(-count // columns) else 0)
        for index, pane in enumerate(self.panes):
            pane.setVisible(index < count)
            if index < count:
                self._grid.addWidget(pane, index // columns, index % columns)
        self._grid.activate()
        self._follow_size()

    def _best_columns(self, count: int) -> int:
        width, height = self.picture_size
        best = max(
            (c for c in range(1, count + 1) if count % c == 0), key=lambda c: min(self.width() / c / width, self.height() * c / count / height)
        )
        return best

    def resizeEvent(self, event: object) -> None:
        count = sum(not pane.isHidden() for pane in self.panes)
        if count and self._best_columns(count) != self._columns:
            self._arrange()

    def set_view(self, view: View) -> None:
        """Show this part in every pane."""
        if view != self.view:
            self.view = view
            self._show_view()
            self.view_changed.emit(view)

    def _show_view(self) -> None:
        for pane in self.panes:
            pane.show_view(self.view, self.picture_size)
            pane.show_marks(self.pin, self._hover, self.line)

    def fit(self) -> None:
        """Show the whole picture in every pane."""
        self.set_view(fitted(self.picture_size, self.panes[0].area_size))

    def one_to_one(self) -> None:
        """Show one picture pixel on one pixel of the screen."""
        self.set_view(one_to_one(self.view, self.picture_size, self.devicePixelRatioF()))

    def zoom(self, factor: float) -> None:
        """Magnify about the centre."""
        size = self.panes[0].area_size
        self.set_view(self.view.zoomed(factor, (size[0] / 2, size[1] / 2), size, self.picture_size))

    def _follow_size(self) -> None:
        """Give all panes an area of one size, for a grid's rows and columns may differ by a pixel."""
        rooms = [pane.room for pane in self.panes if not pane.isHidden()]
        limit = (min(room[0] for room in rooms), min(room[1] for room in rooms))
        for pane in self.panes:
            pane.area_limit = limit
        if self.view.fits:
            self.fit()

    # --- marks ------------------------------------------------------------------------------------------------------------------------------

    def set_pin(self, point: Point | None) -> None:
        """Pin the probe to a picture point."""
        self.pin = None if point is None or not self._on_picture(point) else point
        self._show_view()
        self.probed.emit(self.pin)

    def set_line(self, line: tuple[Point, Point] | None) -> None:
        """Draw the profile's line."""
        self.line = line
        self._show_view()
        self.line_changed.emit(line)

    def line_by_keys(self) -> bool:
        """Start the profile's line at the pin, or end it there where one was started; return whether it was started."""
        if self._line_start is None or self.pin is None or self.pin == self._line_start:
            self._line_start = self.pin
            return self.pin is not None
        start, self._line_start = self._line_start, None
        self.set_line((start, self.pin))
        return False

    def set_line_tool(self, on: bool) -> None:
        """Let a plain drag draw the line."""
        for pane in self.panes:
            pane.line_tool = on

    def _take_hover(self, point: Point | None) -> None:
        self._hover = point if point is not None and self._on_picture(point) else None
        for pane in self.panes:
            pane.show_marks(self.pin, None if pane.underMouse() else self._hover, self.line)
        self.probed.emit(self._hover or self.pin)

    def _step_pin(self, right: int, down: int) -> None:
        width, height = self.picture_size
        x, y = self.pin or (width / 2, height / 2)
        self.set_pin((min(max(x + right, 0.5), width - 0.5), min(max(y + down, 0.5), height - 0.5)))

    def _on_picture(self, point: Point) -> bool:
        width, height = self.picture_size
        return 0 <= point[0] < width and 0 <= point[1] < height


def _relevant(look: Look, layer: Layer) -> Look:
    """Return ``look`` with everything at its default that this layer's colours do not depend on."""
    plain = Look()
    if layer == "disparity":
        return replace(plain, colour_map=look.colour_map, range_mode=look.range_mode)
    if layer == "depth":
        return replace(plain, colour_map=look.colour_map, range_mode=look.range_mode, mesh=look.mesh)
    return replace(plain, mesh=look.mesh) if layer == "normals" else plain
