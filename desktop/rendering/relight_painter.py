"""Paints both depths of a comparison under one light; what it needs of them is computed once and kept on the graphics card.

Where that is slow, as without a graphics card, on a busy machine or with shadows, only every second to fourth pixel each way is drawn first.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

from desktop.state.comparison import SIDES, Comparison, Which
from engine.api.settings import MeshSettings

from .context import graphics_errors, open_context
from .frames import Frame, shown_sides
from .light import Light
from .relight import Relighter
from .surface import preview_size_px, surface_from_comparison

_QUICK_S = 0.045  # a frame of both sides that is drawn within this needs no draft, and a draft shall take no longer
_DRAFT_STRIDES = (2, 4)


@dataclass(frozen=True, kw_only=True, eq=False)
class RelightRequest:
    """A comparison under a light.

    Attributes:
        settings: near/far ratio and angle of view shape the surfaces; the mesh's resolution and cut do not matter here.
        room_px: width and height that one side may take.
    """

    comparison: Comparison
    settings: MeshSettings
    light: Light
    room_px: tuple[int, int]

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the pictures."""
        return preview_size_px(self.comparison.size_px, self.room_px)

    def has_surfaces_of(self, other: RelightRequest) -> bool:
        """Whether only the light differs."""
        mine, theirs = ((each.settings.near_far_ratio, each.comparison.resolved_fov_deg(each.settings), each.size_px) for each in (self, other))
        return self.comparison is other.comparison and mine == theirs


class RelightPainter:
    """The painter of relit previews."""

    def __init__(self) -> None:
        self._context = open_context()
        with graphics_errors():
            self._relighters: dict[Which, Relighter] = {side: Relighter(self._context) for side in SIDES}
        self._loaded: RelightRequest | None = None
        self._seconds: dict[bool, float] = {False: 0.0, True: 0.0}  # of the last frame without and with shadows

    def frames(self, request: RelightRequest) -> Iterator[Frame | None]:
        """Yield the frame, where that was slow the last time after a draft.

        Raises:
            DeviceError: the graphics driver failed.
            NumericalError: a disparity is not finite.
        """
        sides = shown_sides(request.comparison)
        if self._loaded is None or not request.has_surfaces_of(self._loaded):
            self._loaded = None
            for side in sides:
                surface = surface_from_comparison(request.comparison, side, request.settings, request.size_px)
                with graphics_errors():
                    self._relighters[side].load(surface)
                yield None
            self._loaded = request
        too_slow = self._seconds[request.light.shadows] / _QUICK_S
        if too_slow > 1:
            least, most = _DRAFT_STRIDES
            yield self._frame(sides, request.light, min(most, max(least, math.ceil(math.sqrt(too_slow)))))
        begun = time.perf_counter()
        frame = self._frame(sides, request.light, 1)
        self._seconds[request.light.shadows] = time.perf_counter() - begun
        yield frame

    def _frame(self, sides: tuple[Which, ...], light: Light, stride: int) -> Frame:
        with graphics_errors():
            return Frame({side: self._relighters[side].relight(light, stride) for side in sides}, is_final=stride == 1)

    def close(self) -> None:
        """Release the drawing context, on the thread that made the painter."""
        for relighter in self._relighters.values():
            relighter.release()
        self._context.release()
