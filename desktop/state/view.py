"""Which part of the picture is looked at: one `View` for all panes, so that they cannot drift apart.

Picture coordinates (x, y) are in pixels, x right, y down, pixel (row, column) spans (column..column + 1, row..row + 1). Pane coordinates
are in logical screen pixels from a pane's upper left corner.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

Point = tuple[float, float]
Size = tuple[float, float]

LARGEST_SCALE = 64.0
_SMALLEST_SHARE_OF_FIT = 0.25


@dataclass(frozen=True, kw_only=True)
class View:
    """The point of the picture in the panes' centres, and how large it is seen.

    Attributes:
        centre: (x, y) in picture pixels.
        scale: screen pixels a picture pixel.
        fits: whether it follows the panes' size, showing the whole picture.
    """

    centre: Point = (0.0, 0.0)
    scale: float = 1.0
    fits: bool = True

    def to_pane(self, point: Point, pane: Size) -> Point:
        """Return where a picture point appears in a pane of that size."""
        return tuple(0.5 * side + (value - middle) * self.scale for value, middle, side in zip(point, self.centre, pane, strict=True))  # type: ignore[return-value]

    def to_picture(self, point: Point, pane: Size) -> Point:
        """Return which picture point appears at ``point`` of a pane."""
        return tuple(middle + (value - 0.5 * side) / self.scale for value, middle, side in zip(point, self.centre, pane, strict=True))  # type: ignore[return-value]

    def zoomed(self, factor: float, at: Point, pane: Size, picture: Size) -> View:
        """Return the view magnified by ``factor`` with the picture point under ``at`` staying there; `LARGEST_SCALE` is the most."""
        smallest = _SMALLEST_SHARE_OF_FIT * min(LARGEST_SCALE, fit_scale(picture, pane))
        scale = min(max(self.scale * factor, smallest), LARGEST_SCALE)
        fixed = self.to_picture(at, pane)
        centre = tuple(place - (value - 0.5 * side) / scale for place, value, side in zip(fixed, at, pane, strict=True))
        return View(centre=_held(centre, picture), scale=scale, fits=False)  # type: ignore[arg-type]

    def moved(self, by: Point, picture: Size) -> View:
        """Return the view with the picture moved by ``by`` screen pixels; its centre stays on the picture."""
        centre = (self.centre[0] - by[0] / self.scale, self.centre[1] - by[1] / self.scale)
        return replace(self, centre=_held(centre, picture), fits=False)


def fit_scale(picture: Size, pane: Size) -> float:
    """Return the scale at which a whole picture is as large as the pane allows."""
    return min(max(side, 1.0) / length for side, length in zip(pane, picture, strict=True))


def fitted(picture: Size, pane: Size) -> View:
    """Return the view of the whole picture."""
    return View(centre=(picture[0] / 2, picture[1] / 2), scale=min(fit_scale(picture, pane), LARGEST_SCALE))


def one_to_one(view: View, picture: Size, device_ratio: float) -> View:
    """Return the view in which a picture pixel is one pixel of the screen, which holds ``device_ratio`` of them a logical pixel."""
    return View(centre=_held(view.centre, picture), scale=1.0 / device_ratio, fits=False)


def _held(centre: Point, picture: Size) -> Point:
    return min(max(centre[0], 0.0), picture[0]), min(max(centre[1], 0.0), picture[1])
