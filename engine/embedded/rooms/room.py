"""A room while it is being furnished: its walls, what stands where, and the places worth a look. World: metres, floor at y = 0."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .clutter import Tray
from .plan import Plan, Things, turn_y

Array = np.ndarray


@dataclass(frozen=True)
class Wall:
    """A wall's foot in its middle (3,), its yaw (its front, turned by yaw from +z, looks into the room), and its width in metres."""

    foot: Array
    yaw: float
    width: float

    def point(self, along: float, up: float, out: float) -> Array:
        """Return the world point ``along`` the wall from its middle, ``up`` from the floor and ``out`` into the room."""
        return self.foot + turn_y(self.yaw) @ np.array([along, up, out])


@dataclass(frozen=True, eq=False)
class Stage:
    """Something worth a look: its middle (3,), the yaw it faces, its span in metres, and how many small things lie on it."""

    middle: Array
    yaw: float
    span: float
    things: int = 0


@dataclass
class Room:
    """A furnished room. Blocks are boxes (low, high) that no camera may stand in; ``window`` is middle, half across and half up (3, 3), or None."""

    size: Array
    walls: list[Wall]
    plan: Plan = field(default_factory=Plan)
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)
    blocks: list[tuple[Array, Array]] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    trays: list[Tray] = field(default_factory=list)
    window: Array | None = None

    def things(self) -> Things:
        """Return all that stands in the room and the room itself."""
        return self.plan.things()

    def is_free(self, low_x: float, low_z: float, high_x: float, high_z: float) -> bool:
        """Return whether a rectangle of floor is inside the room and not taken."""
        half_x, half_z = self.size[0] / 2 + 0.01, self.size[2] / 2 + 0.01
        inside = -half_x <= low_x and high_x <= half_x and -half_z <= low_z and high_z <= half_z
        return inside and all(low_x >= hx or high_x <= lx or low_z >= hz or high_z <= lz for lx, lz, hx, hz in self.taken)

    def take(self, at: Array, yaw: float, width: float, depth: float, height: float) -> None:
        """Note that a box with the middle of its foot at ``at`` stands there."""
        half = np.abs(turn_y(yaw)) @ np.array([width / 2, 0, depth / 2])
        self.taken.append((at[0] - half[0], at[2] - half[2], at[0] + half[0], at[2] + half[2]))
        self.blocks.append((at - half, at + half + np.array([0, height, 0])))
