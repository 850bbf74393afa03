"""What is built rather than bought: floor, ceiling, walls, the window, pictures on the walls. World: metres, floor at y = 0."""

from __future__ import annotations

import numpy as np

from .clutter import Dresser, Look, put
from .plan import turn_y
from .roles import Roles
from .room import Room, Wall

Array = np.ndarray
Random = np.random.Generator
_WALL_M = 0.1


class Builder:
    """Builds a room's shell from blocks."""

    def __init__(self, roles: Roles, dresser: Dresser) -> None:
        self._dresser, self._curtains = dresser, roles.drawn["curtain"]
        self.block, self._box = int(roles.drawn["block"][0]), int(roles.drawn["box"][0])

    def slab(self, room: Room, size: Array, at: Array, yaw: float, look: Look, *, casts: bool = True) -> None:
        """Put a block of ``size`` (3,) with the middle of its foot at ``at``."""
        put(room.plan, self.block, turn_y(yaw) @ np.diag(size), at, look, casts=casts)

    def shell(self, random: Random, room: Room) -> None:
        """Build floor, ceiling and walls, skirting, now and then a pillar, a ledge or panelling."""
        dresser, (width, height, depth) = self._dresser, room.size
        slab = np.array([width + 2 * _WALL_M, _WALL_M, depth + 2 * _WALL_M])
        self.slab(room, slab, np.array([0, -_WALL_M, 0]), 0.0, dresser.surface(random, "floor", random.uniform(0.5, 2.0)), casts=False)
        ceiling = Look(np.ones(3) * random.uniform(0.8, 1.0), 0.0, -1, 1.0, 0.0, 0.0)
        self.slab(room, slab, np.array([0, height, 0]), 0.0, ceiling, casts=False)
        common = dresser.surface(random, "wall", random.uniform(0.5, 2.2))
        trim = Look(random.uniform(0.4, 1.0) * np.ones(3), 0.0, -1, 1.0, 0.0, 0.1)
        skirted, panelled = random.random() < 0.6, random.uniform(0.7, 1.2) if random.random() < 0.2 else 0.0
        panel = dresser.surface(random, "wall", random.uniform(0.4, 1.2))
        for wall in room.walls:
            look = common if random.random() < 0.7 else dresser.surface(random, "wall", random.uniform(0.5, 2.2))
            long = wall.width + 2 * _WALL_M
            self.slab(room, np.array([long, height, _WALL_M]), wall.point(0, 0, -_WALL_M / 2), wall.yaw, look, casts=False)
            if panelled:
                self.slab(room, np.array([wall.width, panelled, 0.03]), wall.point(0, 0, 0.015), wall.yaw, panel)
                self.slab(room, np.array([wall.width, 0.03, 0.06]), wall.point(0, panelled, 0.03), wall.yaw, trim)
            if skirted:
                self.slab(room, np.array([wall.width, 0.09, 0.03]), wall.point(0, 0, 0.015), wall.yaw, trim)
            if random.random() < 0.15:
                wide, deep, along = random.uniform(0.25, 0.9), random.uniform(0.1, 0.4), random.uniform(-0.4, 0.4) * wall.width
                self.slab(room, np.array([wide, height, deep]), wall.point(along, 0, deep / 2), wall.yaw, look)
                room.take(wall.point(along, 0, deep / 2), wall.yaw, wide, deep, height)

    def window(self, random: Random, room: Room) -> None:
        """Give one wall a bright pane with a frame and a sill, at times curtains."""
        if random.random() < 0.25:
            return
        wall = room.walls[int(random.integers(4))]
        wide, tall = random.uniform(0.6, min(2.2, wall.width - 0.6)), random.uniform(0.8, 1.5)
        sill = random.uniform(0.5, 1.0) if random.random() < 0.8 else 0.05
        tall = min(tall, room.size[1] - sill - 0.15)
        along = random.uniform(-0.5, 0.5) * (wall.width - wide - 0.3)
        pane = Look(np.array([0.85, 0.95, 1.0]) * random.uniform(0.7, 1.0), 0.0, -1, 1.0, 0.0, -random.uniform(0.8, 2.2))
        self.slab(room, np.array([wide, tall, 0.01]), wall.point(along, sill, 0.005), wall.yaw, pane, casts=False)
        frame = Look(random.uniform(0.3, 1.0) * np.ones(3), 0.0, -1, 1.0, 0.0, 0.2)
        bars = np.linspace(-0.5, 0.5, int(random.integers(2, 5)))
        for bar in bars:
            self.slab(room, np.array([0.05, tall, 0.05]), wall.point(along + bar * wide, sill, 0.025), wall.yaw, frame)
        for share in (0.0, random.uniform(0.4, 0.7), 1.0):
            self.slab(room, np.array([wide + 0.05, 0.05, 0.05]), wall.point(along, sill + share * tall - 0.025, 0.025), wall.yaw, frame)
        self.slab(room, np.array([wide + 0.15, 0.03, 0.15]), wall.point(along, sill - 0.05, 0.075), wall.yaw, frame)
        across, up = turn_y(wall.yaw) @ np.array([wide / 2, 0, 0]), np.array([0, tall / 2, 0])
        room.window = np.stack([wall.point(along, sill + tall / 2, 0.01), across, up])
        if random.random() < 0.4:
            look = self._dresser.drawn(random, "cloth", random.uniform(1, 4))
            for side in (-1, 1):
                model = int(random.choice(self._curtains))
                size = np.array([random.uniform(0.35, 0.7), room.size[1] - 0.15, random.uniform(0.6, 1.2)])
                at = wall.point(along + side * (wide / 2 + 0.15), 0.03, 0.1)
                put(room.plan, model, turn_y(wall.yaw) @ np.diag(size), at, look)

    def picture(self, random: Random, room: Room, wall: Wall, along: float, up: float) -> None:
        """Hang a poster or a framed picture with its lower edge at ``up``."""
        wide, tall = random.uniform(0.2, 0.8), random.uniform(0.2, 0.8)
        tall = min(tall, room.size[1] - up - 0.05)
        if abs(along) + wide / 2 > wall.width / 2 or tall < 0.1:
            return
        out = random.uniform(0.002, 0.012)  # so that two that overlap do not lie in one plane
        if random.random() < 0.5:
            frame = Look(random.uniform(0.1, 1.0) * (1 + random.uniform(-0.3, 0.3, 3)), 0.0, -1, 1.0, 0.0, 0.2)
            out += random.uniform(0.01, 0.03)
            self.slab(room, np.array([wide + 0.06, tall + 0.06, out]), wall.point(along, up - 0.03, out / 2), wall.yaw, frame)
        look = self._dresser.drawn(random, "print")
        put(room.plan, self._box, turn_y(wall.yaw) @ np.diag([wide, tall, 0.006]), wall.point(along, up, out + 0.003), look)
