"""Furniture with its back to the walls, clutter on it, cloth, books on shelves, things on the walls. World: metres, floor at y = 0."""

from __future__ import annotations

import numpy as np

from .clutter import Clutter, Dresser, Tray, put
from .pack import Pack
from .plan import turn_y
from .roles import find_roles
from .room import Room, Stage, Wall
from .shell import Builder

Array = np.ndarray
Random = np.random.Generator
_THEMES = ("Living room", "Bedroom", "Kitchen", "Office", "Bathroom")


class Furnisher:
    """Draws rooms from a pack."""

    def __init__(self, pack: Pack) -> None:
        self.pack, self.roles, self.dresser = pack, find_roles(pack), Dresser(pack)
        self.clutter = Clutter(pack, self.roles, self.dresser)
        self.builder = Builder(self.roles, self.dresser)
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
        self.builder.shell(random, room)
        self.builder.window(random, room)
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

    def _stand(self, random: Random, room: Room, model: int, size: Array, at: Array, yaw: float, *, stage: bool) -> Tray:
        """Put furniture of ``size`` at ``at``; return the tray of its top."""
        scale = size / self.pack.size_m[model]
        put(room.plan, model, turn_y(yaw) @ np.diag(scale), at, self.dresser.furniture(random))
        room.take(at, yaw, size[0], size[2], size[1])
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
            model = self.builder.block
            size = np.array([random.uniform(0.8, 1.8), random.uniform(0.35, 0.95), random.uniform(0.5, 0.9)])
        spot = self._spot(random, room, size[0], size[2], random.choice([0.02, 0.1, 0.3]))
        if spot is None:
            return
        at, yaw, wall = spot
        if library:
            tray = self._stand(random, room, model, size, at, yaw, stage=False)
        else:
            look = self.dresser.surface(random, str(random.choice(["floor", "cloth", "wall"])), random.uniform(0.3, 1.2))
            self.builder.slab(room, size, at, yaw, look)
            room.take(at, yaw, size[0], size[2], size[1])
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
            self.builder.picture(random, room, wall, along + random.uniform(-0.5, 0.5) * size[0], size[1] + random.uniform(0.0, 0.5))
        if random.random() < 0.15:
            self._bedding(random, room, tray)
        for _ in range(int(random.integers(0, 3))):
            self._cloth_on(random, room, tray)
        self.clutter.scatter(random, room.plan, tray, int(random.integers(8, 45)), random.uniform(0.25, 0.6))
        if tray.tops:
            room.stages.append(Stage(np.mean(tray.tops, axis=0), tray.yaw, float(size[0]), len(tray.tops)))

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
            self.builder.slab(room, np.array([0.03, height, depth]), at + turn @ np.array([side * (width - 0.03) / 2, 0, 0]), yaw, look)
        if random.random() < 0.6:
            self.builder.slab(room, np.array([width, height, 0.015]), at + turn @ np.array([0, 0, -depth / 2]), yaw, look)
        room.take(at, yaw, width, depth, height)
        for up in np.linspace(0.06, height - 0.02, max(2, round(height / random.uniform(0.28, 0.45)) + 1)):
            self.builder.slab(room, np.array([width, 0.02, depth]), at + np.array([0, up, 0]), yaw, look)
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
        room.take(at, yaw, size[0], size[2], 0.3)
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
        for tray in room.trays:
            before = len(tray.tops)
            if random.random() < 0.25:
                self._cloth_on(random, room, tray)
            self.clutter.scatter(random, room.plan, tray, int(random.integers(0, 7)), random.uniform(0.2, 0.5))
            if len(tray.tops) > before:
                room.stages.append(Stage(np.mean(tray.tops, axis=0), tray.yaw, float(np.clip(tray.width, 0.5, 1.5)), len(tray.tops)))

    def _on_walls(self, random: Random, room: Room) -> None:
        """Hang pictures and what the catalogue hangs."""
        if len(self.roles.opening) and random.random() < 0.5:
            self._door(random, room)
        for wall in room.walls:
            for _ in range(int(random.integers(0, 4))):
                along = random.uniform(-0.5, 0.5) * wall.width
                if random.random() < 0.7 or not len(self.roles.hung):
                    self.builder.picture(random, room, wall, along, random.uniform(1.0, 1.7))
                    continue
                model = int(random.choice(self.roles.hung))
                size, up = self.pack.size_m[model], float(self.pack.elevation_m[model])
                if abs(along) + size[0] / 2 < wall.width / 2 and up + size[1] < room.size[1]:
                    look = self.dresser.furniture(random)
                    put(room.plan, model, turn_y(wall.yaw), wall.point(along, up, size[2] / 2 + 0.005), look)

    def _door(self, random: Random, room: Room) -> None:
        """Set one of the catalogue's doors or windows into a wall, most of it sunk in."""
        model = int(random.choice(self.roles.opening))
        size, up = self.pack.size_m[model], float(self.pack.elevation_m[model])
        wall = room.walls[int(random.integers(4))]
        if size[0] < wall.width and up + size[1] < room.size[1]:
            along = random.uniform(-0.5, 0.5) * (wall.width - size[0])
            at = wall.point(along, up, random.uniform(0.0, 0.5) * size[2])
            put(room.plan, model, turn_y(wall.yaw), at, self.dresser.furniture(random))

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
