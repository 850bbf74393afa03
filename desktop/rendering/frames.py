"""What painters give: pictures of both sides, the quick ones first.

A painter owns its drawing context, so one thread makes it, asks it and closes it. It draws a request in steps and hands over after each,
so that whoever asked can drop it for a newer request: a light or a camera in motion is never behind by more than one step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from desktop.state.comparison import SIDES, Comparison, Which

Request = TypeVar("Request", contravariant=True)


@dataclass(frozen=True, eq=False)
class Frame:
    """Both sides, drawn for one request.

    Attributes:
        pictures: (h, w, 4) uint8 sRGB a side, rows from the top; base alone where there is only one map.
        is_final: False where a finer frame of the same request follows.
        notes: what there is to know about a picture, in a few words.
    """

    pictures: dict[Which, NDArray[np.uint8]]
    is_final: bool
    notes: dict[Which, str] = field(default_factory=dict)


class Painter(Protocol[Request]):
    """Draws requests of one kind."""

    def frames(self, request: Request) -> Iterator[Frame | None]:
        """Yield the frames of ``request``; None marks a step after which it may be dropped too.

        Raises:
            DeviceError: the graphics driver failed.
        """

    def close(self) -> None:
        """Release the drawing context, on the thread that made the painter."""


def shown_sides(comparison: Comparison) -> tuple[Which, ...]:
    """Return the sides that differ: base alone where there is only one map."""
    return SIDES[:1] if comparison.is_single else SIDES
