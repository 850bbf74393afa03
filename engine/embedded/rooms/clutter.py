"""Things put on surfaces: what a surface can still carry, and how small objects come to lie, stand, lean and pile on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .pack import Pack
from .plan import NO_TILE, Plan, turn_y
from .roles import Roles
from .tiles import ROLES

Array = np.ndarray
Random = np.random.Generator
_LEVEL_M = 0.012
_CELL_M = 0.02
_BLOCKED = -1.0


class Tray:
    """A surface with its own axes: columns along x, rows along z, front at +z; heights (R, C) above ``at``, -1 where nothing may stand."""

    def __init__(self, at: Array, yaw: float, width: float, depth: float, heights: Array | None = None) -> None:
        self.at, self.yaw, self.width, self.depth = np.asarray(at, float), yaw, width, depth
        rows, columns = max(3, round(depth / _CELL_M)), max(3, round(width / _CELL_M))
        if heights is None:
            self.heights = np.zeros((rows, columns))
        else:
            row, column = (np.arange(count) * side // count for count, side in zip((rows, columns), heights.shape, strict=True))
            self.heights = heights[row[:, None], column[None]].astype(float)
        self.tops: list[Array] = []

    def world(self, x: float, y: float, z: float) -> Array:
        """Return the world point (3,) of a point in the tray's axes."""
        return self.at + turn_y(self.yaw) @ np.array([x, y, z])

    def find_place(self, random: Random, width: float, depth: float, tries: int = 20) -> tuple[float, float, float] | None:
        """Return x, y, z where a footprint of ``width`` × ``depth`` metres stands level and free, or None."""
        rows, columns = self.heights.shape
        high, wide = max(1, round(depth / _CELL_M)), max(1, round(width / _CELL_M))
        if high > rows or wide > columns:
            return None
        for row, column in zip(random.integers(0, rows - high + 1, tries), random.integers(0, columns - wide + 1, tries), strict=True):
            patch = self.heights[row : row + high, column : column + wide]
            level = patch.max()
            if patch.min() > _BLOCKED and level - patch.min() < _LEVEL_M:
                x, z = (column + wide / 2) / columns - 0.5, (row + high / 2) / rows - 0.5
                return x * self.width, float(level), z * self.depth
        return None

    def fill(self, x: float, z: float, width: float, depth: float, height: float) -> None:
        """Note that a footprint around x, z now reaches ``height``; -1 for nothing more on it."""
        rows, columns = self.heights.shape
        low = ((np.array([z - depth / 2, x - width / 2]) / [self.depth, self.width] + 0.5) * [rows, columns]).round().astype(int)
        high = low + np.maximum(np.round(np.array([depth, width]) / _CELL_M).astype(int), 1)
        low = np.maximum(low, 0)
        self.heights[low[0] : high[0], low[1] : high[1]] = height


@dataclass(frozen=True)
class Look:
    """How a thing is worn: see `Plan.put`."""

    tint: Array
    recolour: float
    tile: int
    tile_size: float
    seed: float
    gloss: float


class Dresser:
    """Draws what things wear from a pack's tiles."""

    def __init__(self, pack: Pack) -> None:
        self._tiles = {name: np.flatnonzero(pack.tile_role == index) for index, name in enumerate(ROLES)}

    def tile(self, random: Random, role: str) -> int:
        """Return the layer of a tile of ``role``."""
        return int(random.choice(self._tiles[role]))

    def furniture(self, random: Random) -> Look:
        """Return what a library's model wears: mostly its own colours, at times others, at times a tile on what is plain."""
        tint = random.uniform(0.6, 1.1) * (1 + random.uniform(-0.15, 0.15, 3)) if random.random() < 0.6 else np.ones(3)
        recolour = random.uniform(0.4, 1.0) if random.random() < 0.35 else 0.0
        tile = self.tile(random, str(random.choice(["floor", "cloth", "cloth", "wall"]))) if random.random() < 0.2 else NO_TILE
        return Look(tint, recolour, tile, random.uniform(0.2, 1.0), 100 * random.random(), 0.5 * random.random() ** 3)

    def drawn(self, random: Random, role: str, repeats: float = 1.0) -> Look:
        """Return what a drawn body wears: a tile of ``role`` that repeats so many times over its uvs."""
        tint = np.clip(1 + random.uniform(-0.25, 0.1, 3), 0, 1)
        return Look(tint, 0.0, self.tile(random, role), repeats, 100 * random.random(), 0.4 * random.random() ** 3)

    def surface(self, random: Random, role: str, metres: float) -> Look:
        """Return what a plain surface wears: a tile of ``role``, ``metres`` a repeat."""
        return Look(np.ones(3) * random.uniform(0.75, 1.0), 0.0, self.tile(random, role), metres, 0.0, 0.3 * random.random() ** 3)


def put(plan: Plan, model: int, linear: Array, at: Array, look: Look, *, casts: bool = True) -> None:
    """Place ``model`` with ``look``."""
    plan.put(
        model,
        linear,
        at,
        tint=look.tint,
        recolour=look.recolour,
        tile=look.tile,
        tile_size=look.tile_size,
        seed=look.seed,
        gloss=look.gloss,
        casts=casts,
    )


class Clutter:
    """Puts small objects on trays."""

    def __init__(self, pack: Pack, roles: Roles, dresser: Dresser) -> None:
        self._pack, self._roles, self._dresser = pack, roles, dresser
        self._points: dict[int, Array] = {}

    def extent(self, model: int, linear: Array) -> tuple[Array, Array]:
        """Return the lowest and highest corner (3,) of ``model`` after ``linear``."""
        if model not in self._points:
            points = self._pack.points(model)
            self._points[model] = points[:: max(1, len(points) // 600)]
        placed = self._points[model] @ linear.T
        return placed.min(axis=0), placed.max(axis=0)

    def scatter(self, random: Random, plan: Plan, tray: Tray, count: int, largest_m: float) -> None:
        """Put about ``count`` objects of at most ``largest_m`` on ``tray``."""
        for _ in range(count):
            kind = random.random()
            if kind < 0.3:
                self._books(random, plan, tray, largest_m)
            elif kind < 0.55:
                self._drawn(random, plan, tray, largest_m)
            else:
                self._model(random, plan, tray, largest_m)

    def _model(self, random: Random, plan: Plan, tray: Tray, largest_m: float) -> None:
        roles, pack = self._roles, self._pack
        small = random.random() < 0.5 and len(roles.small) > 0
        model = int(random.choice(roles.small if small else roles.toy))
        longest = float(pack.size_m[model].max())
        scale = min(random.uniform(0.9, 1.5), largest_m / longest) if small else min(largest_m, random.uniform(0.12, 0.5)) / longest
        self._settle(random, plan, tray, model, np.eye(3) * scale, self._dresser.furniture(random), stackable=False)

    def _drawn(self, random: Random, plan: Plan, tray: Tray, largest_m: float) -> None:
        name = str(random.choice(["box", "box", "cone", "cone", "cylinder", "ball", "pot", "heap", "heap", "cover", "cushion", "open book", "stick"]))
        model = int(random.choice(self._roles.drawn[name]))
        longest = min(largest_m, random.uniform(0.08, 0.45) if name not in ("heap", "cover") else random.uniform(0.2, 0.8))
        stretch = random.uniform(0.4, 1.0, 3) if name == "box" else random.uniform(0.8, 1.2, 3) * np.array([1, random.uniform(0.6, 1.3), 1])
        linear = np.diag(stretch) * (longest / (self._pack.size_m[model] * stretch).max())
        role = "cloth" if name in ("heap", "cover", "cushion") else "print" if name in ("box", "open book", "cylinder") else "cloth"
        role = role if random.random() < 0.7 else str(random.choice(ROLES))
        look = self._dresser.drawn(random, role, float(random.choice([0.5, 1, 1, 2, 3])) if role != "print" else 1.0)
        if name == "stick" or (name in ("cone", "cylinder", "box", "pot") and random.random() < 0.15):
            linear = _tip(random, lying=random.random() < 0.6) @ linear
        self._settle(random, plan, tray, model, linear, look, stackable=name in ("box", "cushion"))

    def _settle(self, random: Random, plan: Plan, tray: Tray, model: int, linear: Array, look: Look, *, stackable: bool) -> None:
        """Stand ``model`` somewhere on ``tray``, turned at random, at times fallen over."""
        if not stackable and random.random() < 0.12:
            linear = _tip(random, lying=random.random() < 0.7) @ linear
        linear = turn_y(random.uniform(0, 2 * np.pi)) @ linear
        low, high = self.extent(model, linear)
        width, height, depth = high - low
        place = tray.find_place(random, width, depth)
        if place is None:
            return
        x, y, z = place
        middle = (low + high) / 2
        put(plan, model, turn_y(tray.yaw) @ linear, tray.world(x - middle[0], y - low[1], z - middle[2]), look)
        tray.fill(x, z, width, depth, y + height if stackable else _BLOCKED)
        tray.tops.append(tray.world(x, y + height / 2, z))

    def _books(self, random: Random, plan: Plan, tray: Tray, largest_m: float) -> None:
        """Put a stack, a row, or one leaning or standing book."""
        tall = min(largest_m, random.uniform(0.16, 0.32))
        wide = tall * random.uniform(0.65, 0.85)
        kind = random.random()
        if kind < 0.45:
            self._stack(random, plan, tray, tall, wide)
        elif kind < 0.75:
            self.row(random, plan, tray, tall, wide, int(random.integers(3, 12)))
        else:
            lean = random.uniform(0.0, 0.35)
            model, thick = int(self._roles.drawn["book"][0]), random.uniform(0.01, 0.05)
            linear = _turn_x(-lean) @ np.diag([wide, tall, thick])
            self._settle(random, plan, tray, model, linear, self._dresser.drawn(random, "print"), stackable=False)

    def _stack(self, random: Random, plan: Plan, tray: Tray, tall: float, wide: float) -> None:
        reach = np.hypot(tall, wide)
        place = tray.find_place(random, reach, reach)
        if place is None:
            return
        x, y, z = place
        book, yaw, base = int(self._roles.drawn["book"][0]), random.uniform(0, 2 * np.pi), y
        for _ in range(int(random.integers(1, 7))):
            size = np.array([wide, tall, random.uniform(0.01, 0.06)]) * [*random.uniform(0.85, 1.0, 2), 1]
            lying = _turn_x(-np.pi / 2) @ np.diag(size)
            linear = turn_y(yaw + random.normal(0, 0.25)) @ lying
            low, high = self.extent(book, linear)
            look = self._dresser.drawn(random, "print")
            middle = (low + high) / 2
            put(plan, book, turn_y(tray.yaw) @ linear, tray.world(x - middle[0], y - low[1], z - middle[2]), look)
            y += size[2]
        tray.fill(x, z, reach, reach, _BLOCKED)
        tray.fill(x, z, 0.6 * wide, 0.6 * wide, y)
        tray.tops.append(tray.world(x, (base + y) / 2, z))

    def row(self, random: Random, plan: Plan, tray: Tray, tall: float, wide: float, count: int) -> None:
        """Put ``count`` books side by side, spines to the front."""
        thick = random.uniform(0.012, 0.05, count)
        length = float(thick.sum())
        place = tray.find_place(random, length, wide)
        if place is None:
            return
        x, y, z = place
        left = x - length / 2
        book = int(self._roles.drawn["book"][0])
        for each in thick:
            size = np.array([wide * random.uniform(0.8, 1), tall * random.uniform(0.75, 1), each])
            linear = turn_y(np.pi / 2) @ np.diag(size)  # the spine, -x, comes to the front, +z
            at = tray.world(left + each / 2, y, z + (wide - size[0]) / 2)
            put(plan, book, turn_y(tray.yaw) @ linear, at, self._dresser.drawn(random, "print"))
            left += each
        tray.fill(x, z, length, wide, _BLOCKED)
        tray.tops.append(tray.world(x, y + tall / 2, z))


def _turn_x(angle: float) -> Array:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])


def _tip(random: Random, *, lying: bool) -> Array:
    """Return a rotation (3, 3): on its side, or leaning any way."""
    angle = np.pi / 2 if lying else random.uniform(0.2, 1.4)
    return turn_y(random.uniform(0, 2 * np.pi)) @ _turn_x(float(angle))
