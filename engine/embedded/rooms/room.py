"""Rooms: walls, a window, furniture with its back to them, clutter on it, pictures, and the places worth a look. World: metres, floor at y = 0."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .clutter import Clutter, Dresser, Look, Tray, put
from .pack import Pack
from .plan import Plan, Things, turn_y
from .roles import find_roles

Array = np.ndarray
Random = np.random.Generator
_WALL_M = 0.1
_THEMES = ("Living room", "Bedroom", "Kitchen", "Office", "Bathroom")


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


class Furnisher:
    """Draws rooms from a pack."""

    def __init__(self, pack: Pack) -> None:
        self.pack, self.roles, self.dresser = pack, find_roles(pack), Dresser(pack)
        self.clutter = Clutter(pack, self.roles, self.dresser)
        self._block = int(self.roles.drawn["block"][0])
        self._box = int(self.roles.drawn["box"][0])

    def draw(self, random: Random) -> Room:
        """Return a room."""
        width, depth, height = random.uniform(2.6, 5.5), random.uniform(2.6, 5.5), random.uniform(2.3, 3.0)
        walls = [
            Wall(np.array([0, 0, -depth / 2]), 0.0, width),
            Wall(np.array([0, 0, depth / 2]), np.pi, width),
            Wall(np.array([-width / 2, 0, 0]), np.pi / 2, depth),
            Wall(np.array([width / 2, 0, 0]), -np.pi / 2, depth),
        ]
        room = Room(np.array([width, height, depth]), walls)
        theme = str(random.choice(_THEMES))
        self._shell(random, room)
        self._window(random, room)
        self._stage_table(random, room)
        if random.random() < 0.4:
            self._shelf(random, room)
        for _ in range(int(random.integers(3, 9))):
            self._against_wall(random, room, theme)
        self._seats(random, room, theme)
        if random.random() < 0.6:
            self._floor_pile(random, room)
        self._on_trays(random, room)
        self._on_walls(random, room)
        self._above(random, room)
        return room

    def _slab(self, room: Room, size: Array, at: Array, yaw: float, look: Look, *, casts: bool = True) -> None:
        """Put a block of ``size`` (3,) with the middle of its foot at ``at``."""
        put(room.plan, self._block, turn_y(yaw) @ np.diag(size), at, look, casts=casts)

    def _shell(self, random: Random, room: Room) -> None:
        """Build floor, ceiling and walls, skirting, now and then a pillar, a ledge or panelling."""
        dresser, (width, height, depth) = self.dresser, room.size
        slab = np.array([width + 2 * _WALL_M, _WALL_M, depth + 2 * _WALL_M])
        self._slab(room, slab, np.array([0, -_WALL_M, 0]), 0.0, dresser.surface(random, "floor", random.uniform(0.5, 2.0)), casts=False)
        ceiling = Look(np.ones(3) * random.uniform(0.8, 1.0), 0.0, -1, 1.0, 0.0, 0.0)
        self._slab(room, slab, np.array([0, height, 0]), 0.0, ceiling, casts=False)
        common = dresser.surface(random, "wall", random.uniform(0.5, 2.2))
        trim = Look(random.uniform(0.4, 1.0) * np.ones(3), 0.0, -1, 1.0, 0.0, 0.1)
        skirted, panelled = random.random() < 0.6, random.uniform(0.7, 1.2) if random.random() < 0.2 else 0.0
        panel = dresser.surface(random, "wall", random.uniform(0.4, 1.2))
        for wall in room.walls:
            look = common if random.random() < 0.7 else dresser.surface(random, "wall", random.uniform(0.5, 2.2))
            long = wall.width + 2 * _WALL_M
            self._slab(room, np.array([long, height, _WALL_M]), wall.point(0, 0, -_WALL_M / 2), wall.yaw, look, casts=False)
            if panelled:
                self._slab(room, np.array([wall.width, panelled, 0.03]), wall.point(0, 0, 0.015), wall.yaw, panel)
                self._slab(room, np.array([wall.width, 0.03, 0.06]), wall.point(0, panelled, 0.03), wall.yaw, trim)
            if skirted:
                self._slab(room, np.array([wall.width, 0.09, 0.03]), wall.point(0, 0, 0.015), wall.yaw, trim)
            if random.random() < 0.15:
                wide, deep, along = random.uniform(0.25, 0.9), random.uniform(0.1, 0.4), random.uniform(-0.4, 0.4) * wall.width
                self._slab(room, np.array([wide, height, deep]), wall.point(along, 0, deep / 2), wall.yaw, look)
                self._take(room, wall.point(along, 0, deep / 2), wall.yaw, wide, deep, height)

    def _window(self, random: Random, room: Room) -> None:
        """Give one wall a bright pane with a frame and a sill, at times curtains."""
        if random.random() < 0.25:
            return
        wall = room.walls[int(random.integers(4))]
        wide, tall = random.uniform(0.6, min(2.2, wall.width - 0.6)), random.uniform(0.8, 1.5)
        sill = random.uniform(0.5, 1.0) if random.random() < 0.8 else 0.05
        tall = min(tall, room.size[1] - sill - 0.15)
        along = random.uniform(-0.5, 0.5) * (wall.width - wide - 0.3)
        pane = Look(np.array([0.85, 0.95, 1.0]) * random.uniform(0.7, 1.0), 0.0, -1, 1.0, 0.0, -random.uniform(0.8, 2.2))
        self._slab(room, np.array([wide, tall, 0.01]), wall.point(along, sill, 0.005), wall.yaw, pane, casts=False)
        frame = Look(random.uniform(0.3, 1.0) * np.ones(3), 0.0, -1, 1.0, 0.0, 0.2)
        bars = np.linspace(-0.5, 0.5, int(random.integers(2, 5)))
        for bar in bars:
            self._slab(room, np.array([0.05, tall, 0.05]), wall.point(along + bar * wide, sill, 0.025), wall.yaw, frame)
        for share in (0.0, random.uniform(0.4, 0.7), 1.0):
            self._slab(room, np.array([wide + 0.05, 0.05, 0.05]), wall.point(along, sill + share * tall - 0.025, 0.025), wall.yaw, frame)
        self._slab(room, np.array([wide + 0.15, 0.03, 0.15]), wall.point(along, sill - 0.05, 0.075), wall.yaw, frame)
        across, up = turn_y(wall.yaw) @ np.array([wide / 2, 0, 0]), np.array([0, tall / 2, 0])
        room.window = np.stack([wall.point(along, sill + tall / 2, 0.01), across, up])
        if random.random() < 0.4:
            look = self.dresser.drawn(random, "cloth", random.uniform(1, 4))
            for side in (-1, 1):
                model = int(random.choice(self.roles.drawn["curtain"]))
                size = np.array([random.uniform(0.35, 0.7), room.size[1] - 0.15, random.uniform(0.6, 1.2)])
                at = wall.point(along + side * (wide / 2 + 0.15), 0.03, 0.1)
                put(room.plan, model, turn_y(wall.yaw) @ np.diag(size), at, look)

    def _take(self, room: Room, at: Array, yaw: float, width: float, depth: float, height: float) -> None:
        """Note that a box with the middle of its foot at ``at`` stands there."""
        half = np.abs(turn_y(yaw)) @ np.array([width / 2, 0, depth / 2])
        room.taken.append((at[0] - half[0], at[2] - half[2], at[0] + half[0], at[2] + half[2]))
        room.blocks.append((at - half, at + half + np.array([0, height, 0])))

    def _stand(self, random: Random, room: Room, model: int, size: Array, at: Array, yaw: float, *, stage: bool) -> Tray:
        """Put furniture of ``size`` at ``at``; return the tray of its top."""
        scale = size / self.pack.size_m[model]
        put(room.plan, model, turn_y(yaw) @ np.diag(scale), at, self.dresser.furniture(random))
        self._take(room, at, yaw, size[0], size[2], size[1])
        heights = self.pack.tops[model].astype(float) * scale[1]
        heights[(heights < 0.2) | (heights > 1.35)] = -1
        tray = Tray(at, yaw, size[0], size[2], heights)
        if stage:
            room.stages.append(Stage(at + np.array([0, 0.6 * size[1], 0]), yaw, float(max(size))))
        return tray

    def _choose(self, random: Random, candidates: Array, theme: str) -> int | None:
        """Return one of ``candidates``, mostly one of the room's own theme."""
        if not len(candidates):
            return None
        themed = candidates[self.pack.categories[candidates] == theme]
        return int(random.choice(themed if len(themed) and random.random() < 0.75 else candidates))

    def _spot(self, random: Random, room: Room, width: float, depth: float, gap: float) -> tuple[Array, float, Wall] | None:
        """Return foot, yaw and wall where a box with its back to a wall fits, or None."""
        for _ in range(8):
            wall = room.walls[int(random.integers(4))]
            if width > wall.width - 0.05:
                continue
            along = random.uniform(-0.5, 0.5) * (wall.width - width)
            at = wall.point(along, 0, depth / 2 + gap)
            half = np.abs(turn_y(wall.yaw)) @ np.array([width / 2, 0, depth / 2])
            if room.is_free(at[0] - half[0], at[2] - half[2], at[0] + half[0], at[2] + half[2]):
                return at, wall.yaw, wall
        return None

    def _stage_table(self, random: Random, room: Room) -> None:
        """Stand a table, or a plain board, against a wall, cover it with clutter, and often hang a cloth or a picture behind it."""
        library = len(self.roles.table) > 0 and random.random() < 0.5
        if library:
            model = int(random.choice(self.roles.table))
            size = np.asarray(self.pack.size_m[model] * random.uniform(0.85, 1.15))
        else:
            model = self._block
            size = np.array([random.uniform(0.8, 1.8), random.uniform(0.35, 0.95), random.uniform(0.5, 0.9)])
        spot = self._spot(random, room, size[0], size[2], random.choice([0.02, 0.1, 0.3]))
        if spot is None:
            return
        at, yaw, wall = spot
        if library:
            tray = self._stand(random, room, model, size, at, yaw, stage=False)
        else:
            look = self.dresser.surface(random, str(random.choice(["floor", "cloth", "wall"])), random.uniform(0.3, 1.2))
            self._slab(room, size, at, yaw, look)
            self._take(room, at, yaw, size[0], size[2], size[1])
            tray = Tray(at + np.array([0, size[1], 0]), yaw, size[0], size[2])
        self._dress_stage(random, room, wall, tray, at, size)

    def _dress_stage(self, random: Random, room: Room, wall: Wall, tray: Tray, at: Array, size: Array) -> None:
        """Hang something behind a stage, fill it, and note it."""
        along = float((at - wall.foot) @ (turn_y(wall.yaw) @ np.array([1.0, 0, 0])))
        kind = random.random()
        if kind < 0.3:
            model = int(random.choice(self.roles.drawn["curtain"]))
            cloth = np.array([size[0] * random.uniform(0.9, 1.6), random.uniform(1.0, 2.0), random.uniform(0.3, 1.3)])
            look = self.dresser.drawn(random, "cloth", random.uniform(1, 4))
            put(room.plan, model, turn_y(wall.yaw) @ np.diag(cloth), wall.point(along, size[1] * random.uniform(0.2, 1.0), 0.08), look)
        elif kind < 0.45:
            model = int(random.choice(self.roles.drawn["lattice"]))
            screen = np.array([size[0] * random.uniform(0.4, 1.1), random.uniform(0.5, 1.2), 1.0])
            put(room.plan, model, turn_y(wall.yaw) @ np.diag(screen), wall.point(along, size[1], 0.05), self.dresser.drawn(random, "wall"))
        for _ in range(int(random.integers(0, 4))):
            self._picture(random, room, wall, along + random.uniform(-0.5, 0.5) * size[0], size[1] + random.uniform(0.0, 0.5))
        if random.random() < 0.15:
            self._bedding(random, room, tray)
        for _ in range(int(random.integers(0, 3))):
            self._cloth_on(random, room, tray)
        self.clutter.scatter(random, room.plan, tray, int(random.integers(8, 45)), random.uniform(0.25, 0.6))
        if tray.tops:
            room.stages.append(Stage(np.mean(tray.tops, axis=0), tray.yaw, float(size[0]), len(tray.tops)))
            room.trays.append(tray)

    def _cloth_on(self, random: Random, room: Room, tray: Tray) -> None:
        """Spread a heap of cloth over part of a tray; it may hang over the edge."""
        model = int(random.choice(self.roles.drawn[str(random.choice(["heap", "heap", "cover"]))]))
        size = random.uniform(0.4, 1.0) * min(1.0, tray.width) * np.array([1, random.uniform(0.3, 1.0), 1])
        place = tray.find_place(random, 0.6 * size[0], min(0.6 * size[2], 0.8 * tray.depth))
        if place is None:
            return
        x, high, z = place
        look = self.dresser.drawn(random, "cloth", random.uniform(0.7, 3))
        put(room.plan, model, turn_y(random.uniform(0, 6.3)) @ np.diag(size), tray.world(x, high, z), look)
        tray.fill(x, z, 0.8 * size[0], 0.8 * size[2], -1)
        tray.tops.append(tray.world(x, high + 0.1, z))

    def _bedding(self, random: Random, room: Room, tray: Tray) -> None:
        """Cover a tray with large cloths that lie over one another, so that little else is to be seen."""
        level = max(float(np.median(tray.heights)), 0.0)
        for _ in range(int(random.integers(2, 6))):
            model = int(random.choice(self.roles.drawn["heap"]))
            size = random.uniform(0.7, 1.3) * tray.width * np.array([1, random.uniform(0.4, 1.2), random.uniform(0.6, 1.0)])
            x, z = random.uniform(-0.35, 0.35) * tray.width, random.uniform(-0.35, 0.35) * tray.depth
            look = self.dresser.drawn(random, "cloth", random.uniform(1, 4))
            put(room.plan, model, turn_y(tray.yaw + random.uniform(0, 6.3)) @ np.diag(size), tray.world(x, level, z), look)
            tray.tops.append(tray.world(x, level + 0.15, z))
        rows, columns = tray.heights.shape
        tray.heights[rows // 6 :, columns // 6 : -columns // 6] = -1

    def _shelf(self, random: Random, room: Room) -> None:
        """Build an open shelf with books and things on its boards."""
        width, depth, height = random.uniform(0.7, 1.7), random.uniform(0.25, 0.4), random.uniform(0.8, 2.0)
        spot = self._spot(random, room, width, depth, 0.01)
        if spot is None:
            return
        at, yaw, _ = spot
        look = self.dresser.surface(random, str(random.choice(["floor", "wall"])), random.uniform(0.3, 1.0))
        turn = turn_y(yaw)
        for side in (-1, 1):
            self._slab(room, np.array([0.03, height, depth]), at + turn @ np.array([side * (width - 0.03) / 2, 0, 0]), yaw, look)
        if random.random() < 0.6:
            self._slab(room, np.array([width, height, 0.015]), at + turn @ np.array([0, 0, -depth / 2]), yaw, look)
        self._take(room, at, yaw, width, depth, height)
        for up in np.linspace(0.06, height - 0.02, max(2, round(height / random.uniform(0.28, 0.45)) + 1)):
            self._slab(room, np.array([width, 0.02, depth]), at + np.array([0, up, 0]), yaw, look)
            tray = Tray(at + np.array([0, up + 0.02, 0]), yaw, width - 0.08, depth - 0.02)
            for _ in range(int(random.integers(0, 4))):
                self.clutter.row(random, room.plan, tray, 0.24, min(0.2, depth - 0.04), int(random.integers(3, 14)))
            self.clutter.scatter(random, room.plan, tray, int(random.integers(0, 6)), 0.24)
            if tray.tops and random.random() < 0.5:
                room.stages.append(Stage(np.mean(tray.tops, axis=0), yaw, width, len(tray.tops)))

    def _against_wall(self, random: Random, room: Room, theme: str) -> None:
        """Stand a piece of furniture with its back to a wall."""
        kinds = (self.roles.cabinet, self.roles.cabinet, self.roles.bed, self.roles.seat, self.roles.table, self.roles.floor)
        model = self._choose(random, kinds[int(random.integers(len(kinds)))], theme)
        if model is None:
            return
        size = self.pack.size_m[model] * random.uniform(0.9, 1.1)
        if size[1] > room.size[1] - 0.05:
            return
        spot = self._spot(random, room, size[0], size[2], 0.01)
        if spot is not None:
            room.trays.append(self._stand(random, room, model, size, spot[0], spot[1] + random.normal(0, 0.03), stage=True))

    def _seats(self, random: Random, room: Room, theme: str) -> None:
        """Stand chairs and other things freely in the room."""
        for _ in range(int(random.integers(1, 5))):
            model = self._choose(random, self.roles.seat if random.random() < 0.65 else self.roles.floor, theme)
            if model is None:
                continue
            size = self.pack.size_m[model] * random.uniform(0.9, 1.1)
            reach = float(np.hypot(size[0], size[2])) / 2
            x, z = (random.uniform(-0.5, 0.5) * side for side in (room.size[0], room.size[2]))
            if size[1] < room.size[1] and room.is_free(x - reach, z - reach, x + reach, z + reach):
                yaw = random.uniform(0, 2 * np.pi)
                room.trays.append(self._stand(random, room, model, size, np.array([x, 0, z]), yaw, stage=True))

    def _floor_pile(self, random: Random, room: Room) -> None:
        """Pile things up on the floor in front of a wall, often on a cloth that runs down from it."""
        size = np.array([random.uniform(0.9, 1.8), 0.0, random.uniform(0.6, 1.1)])
        spot = self._spot(random, room, size[0], size[2], 0.02)
        if spot is None:
            return
        at, yaw, wall = spot
        self._take(room, at, yaw, size[0], size[2], 0.3)
        tray = Tray(at, yaw, size[0], size[2])
        if random.random() < 0.5:
            model = int(random.choice(self.roles.drawn["sweep"]))
            scale = np.array([size[0], random.uniform(0.8, 1.6), size[2]]) / self.pack.size_m[model]
            look = self.dresser.drawn(random, "cloth", random.uniform(1, 4))
            put(room.plan, model, turn_y(yaw) @ np.diag(scale), at + np.array([0, 0.005, 0]), look)
            tray.at = at + np.array([0, 0.04, 0])
        self._dress_stage(random, room, wall, tray, at, size)

    def _on_trays(self, random: Random, room: Room) -> None:
        """Put a few things on the furniture."""
        for tray in room.trays[1:]:
            before = len(tray.tops)
            if random.random() < 0.25:
                self._cloth_on(random, room, tray)
            self.clutter.scatter(random, room.plan, tray, int(random.integers(0, 7)), random.uniform(0.2, 0.5))
            if len(tray.tops) > before:
                room.stages.append(Stage(np.mean(tray.tops, axis=0), tray.yaw, float(np.clip(tray.width, 0.5, 1.5)), len(tray.tops)))

    def _picture(self, random: Random, room: Room, wall: Wall, along: float, up: float) -> None:
        """Hang a poster or a framed picture with its lower edge at ``up``."""
        wide, tall = random.uniform(0.2, 0.8), random.uniform(0.2, 0.8)
        tall = min(tall, room.size[1] - up - 0.05)
        if abs(along) + wide / 2 > wall.width / 2 or tall < 0.1:
            return
        out = random.uniform(0.002, 0.012)  # so that two that overlap do not lie in one plane
        if random.random() < 0.5:
            frame = Look(random.uniform(0.1, 1.0) * (1 + random.uniform(-0.3, 0.3, 3)), 0.0, -1, 1.0, 0.0, 0.2)
            out += random.uniform(0.01, 0.03)
            self._slab(room, np.array([wide + 0.06, tall + 0.06, out]), wall.point(along, up - 0.03, out / 2), wall.yaw, frame)
        look = self.dresser.drawn(random, "print")
        put(room.plan, self._box, turn_y(wall.yaw) @ np.diag([wide, tall, 0.006]), wall.point(along, up, out + 0.003), look)

    def _on_walls(self, random: Random, room: Room) -> None:
        """Hang pictures and what the catalogue hangs."""
        for wall in room.walls:
            for _ in range(int(random.integers(0, 4))):
                along = random.uniform(-0.5, 0.5) * wall.width
                if random.random() < 0.7 or not len(self.roles.hung):
                    self._picture(random, room, wall, along, random.uniform(1.0, 1.7))
                    continue
                model = int(random.choice(self.roles.hung))
                size, up = self.pack.size_m[model], float(self.pack.elevation_m[model])
                if abs(along) + size[0] / 2 < wall.width / 2 and up + size[1] < room.size[1]:
                    look = self.dresser.furniture(random)
                    put(room.plan, model, turn_y(wall.yaw), wall.point(along, up, size[2] / 2 + 0.005), look)

    def _above(self, random: Random, room: Room) -> None:
        """Hang a lamp from the ceiling, and lay a rug."""
        if len(self.roles.ceiling) and random.random() < 0.4:
            model = int(random.choice(self.roles.ceiling))
            size = self.pack.size_m[model]
            x, z = random.uniform(-0.25, 0.25) * room.size[0], random.uniform(-0.25, 0.25) * room.size[2]
            scale = min(1.0, 0.9 / size[1])
            put(room.plan, model, np.eye(3) * scale, np.array([x, room.size[1] - scale * size[1], z]), self.dresser.furniture(random))
        if random.random() < 0.4:
            wide, deep = random.uniform(0.8, 2.2), random.uniform(0.8, 2.2)
            x, z = random.uniform(-0.3, 0.3) * room.size[0], random.uniform(-0.3, 0.3) * room.size[2]
            look = self.dresser.drawn(random, "cloth", random.uniform(1, 4))
            put(room.plan, self._box, turn_y(random.normal(0, 0.15)) @ np.diag([wide, 0.012, deep]), np.array([x, 0, z]), look)
