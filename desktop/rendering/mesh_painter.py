"""Paints the meshes of both depths from one camera: coarse ones in fewer pixels while something moves, those of the settings when it rests.

The meshes are those that `desktop.saving` writes, from `mesh_from_comparison`. A graphics card that draws them quickly gets no coarse ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from desktop.state.comparison import Comparison, Which
from desktop.state.painting import change_limit
from engine.api.settings import MeshSettings
from engine.export.colours import change_to_srgb8

from .context import graphics_errors, open_context
from .frames import Frame, shown_sides
from .meshes import LoadedMesh, Look, MeshRenderer
from .orbit import OrbitCamera, Pivot
from .shapes import mesh_from_comparison, pivot_of

_DRAFT_VERTICES = 144
_QUICK_S = 0.04  # a frame of both meshes that is drawn within this needs no draft, and a draft shall take no longer
_DRAFT_SHRINKS = (2, 4)  # a draft's width and height are so many times smaller
_SMOOTH_WITHIN_S = 0.3  # one that takes longer is not drawn again with smooth edges


@dataclass(frozen=True, kw_only=True, eq=False)
class MeshRequest:
    """A comparison's meshes, a camera, a look, and the width and height of one side's picture."""

    comparison: Comparison
    settings: MeshSettings
    camera: OrbitCamera
    look: Look
    size_px: tuple[int, int]


class MeshPainter:
    """The painter of meshes."""

    def __init__(self) -> None:
        self._context = open_context()
        with graphics_errors():
            self._renderer = MeshRenderer(self._context)
        self._comparison: Comparison | None = None
        self._settings: MeshSettings | None = None
        self._camera: OrbitCamera | None = None
        self._pivot: Pivot | None = None
        self._change_limit: float | None = None
        self._meshes: dict[tuple[Which, int], LoadedMesh] = {}
        self._full_s = float("inf")
        self._shrink = _DRAFT_SHRINKS[0]

    def frames(self, request: MeshRequest) -> Iterator[Frame | None]:
        """Yield a draft where the meshes of the settings are not built or slow to draw, then those, then with smooth edges.

        Raises:
            DeviceError: the graphics driver failed.
            NumericalError: a disparity is not finite.
        """
        moved = request.camera != self._camera
        self._take(request)
        sides, full = shown_sides(request.comparison), request.settings.long_side_vertices
        draft = min(_DRAFT_VERTICES, full)
        is_built = all((side, full) in self._meshes for side in sides)
        if draft < full and (not is_built or (moved and self._full_s > _QUICK_S)):
            for side in sides:
                self._build(request, side, draft)
            yield self._draft(request, sides, draft)
        for side in sides:
            if self._build(request, side, full):
                yield None
        notes = {side: self._note(request, side) for side in sides}
        begun = time.perf_counter()
        pictures = {}
        for side in sides:
            pictures[side] = self._draw(request, side, full, request.size_px)
            yield None
        self._full_s = time.perf_counter() - begun
        is_slow = self._full_s > _SMOOTH_WITHIN_S
        yield Frame(dict(pictures), is_slow, notes)
        if not is_slow:
            for side in sides:
                pictures[side] = self._draw(request, side, full, request.size_px, smooth=True)
                yield None
            yield Frame(pictures, True, notes)

    def _draft(self, request: MeshRequest, sides: tuple[Which, ...], long_side_vertices: int) -> Frame:
        """Draw coarse meshes, in fewer pixels than the last time if that was slow, and in more if there is time."""
        begun = time.perf_counter()
        size_px = max(1, request.size_px[0] // self._shrink), max(1, request.size_px[1] // self._shrink)
        frame = Frame({side: self._draw(request, side, long_side_vertices, size_px) for side in sides}, is_final=False)
        seconds, (least, most) = time.perf_counter() - begun, _DRAFT_SHRINKS
        if seconds > _QUICK_S:
            self._shrink = min(most, self._shrink + 1)
        elif seconds < _QUICK_S / 4:
            self._shrink = max(least, self._shrink - 1)
        return frame

    def _take(self, request: MeshRequest) -> None:
        """Drop what was made for another comparison or other settings."""
        if request.comparison is not self._comparison or request.settings != self._settings:
            self._free_meshes()
            self._full_s = float("inf")
            if request.comparison is not self._comparison:
                self._change_limit = None
                with graphics_errors():
                    self._renderer.load_picture(request.comparison.image_srgb)
            self._pivot = pivot_of(request.comparison, request.settings)
        self._comparison, self._settings, self._camera = request.comparison, request.settings, request.camera
        if request.look.shading == "change":
            self._show_change(request.comparison)

    def _show_change(self, comparison: Comparison) -> None:
        """Load the colours of the change, in the range that the maps show it in, if they are not there yet."""
        if self._change_limit is None:
            limit = change_limit(comparison)
            with graphics_errors():
                self._renderer.load_change(change_to_srgb8(comparison.change, limit))
            self._change_limit = limit

    def _note(self, request: MeshRequest, side: Which) -> str:
        face_count = self._meshes[side, request.settings.long_side_vertices].face_count
        if not face_count:
            return "every face is cut away; raise the edge cut"
        if request.look.shading == "change" and self._change_limit is not None:
            return f"red = nearer, blue = farther; ends at ±{100 * self._change_limit:.2g} % of the range"
        return f"{face_count:,} faces"

    def _build(self, request: MeshRequest, side: Which, long_side_vertices: int) -> bool:
        """Build and load a mesh where it is not there yet; return whether it was built now."""
        key = (side, long_side_vertices)
        if key in self._meshes:
            return False
        mesh = mesh_from_comparison(request.comparison, side, replace(request.settings, long_side_vertices=long_side_vertices))
        with graphics_errors():
            self._meshes[key] = self._renderer.load_mesh(mesh)
        return True

    def _draw(
        self, request: MeshRequest, side: Which, long_side_vertices: int, size_px: tuple[int, int], *, smooth: bool = False
    ) -> NDArray[np.uint8]:
        assert self._pivot is not None
        with graphics_errors():
            mesh = self._meshes[side, long_side_vertices]
            return self._renderer.draw(mesh, request.camera, self._pivot, request.look, size_px, smooth=smooth)

    def _free_meshes(self) -> None:
        for mesh in self._meshes.values():
            mesh.release()
        self._meshes = {}

    def close(self) -> None:
        """Release the drawing context, on the thread that made the painter."""
        self._free_meshes()
        self._renderer.release()
        self._context.release()
