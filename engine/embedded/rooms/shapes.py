"""Bodies that the furniture library lacks: boards, books, solids of revolution, and cloth that hangs, lies in heaps or covers things.

All are about a metre across, rest on y = 0, and wear one drawn tile by their uvs (see `DRESSED`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .mesh import Mesh, with_normals
from .obj import Skin

Array = np.ndarray
Random = np.random.Generator
DRESSED = Skin(colour=(1.0, 1.0, 1.0), texture=None, gloss=0.15, see_through=False, dressed=True)
PAPER = Skin(colour=(0.9, 0.88, 0.82), texture=None, gloss=0.0, see_through=False)
_SIDES = 28


def _mesh(positions: Array, uvs: Array, triangles: Array, skin: Array | None = None) -> Mesh:
    """Return a mesh that rests on y = 0 and is centred."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    placed = (positions - np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])).astype(np.float32)
    skins = np.zeros(len(placed), np.int64) if skin is None else skin
    return with_normals(Mesh(placed, np.zeros_like(placed), uvs, skins, triangles, [DRESSED, PAPER]))


def _grid_triangles(rows: int, columns: int) -> Array:
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    one = np.stack([corner, corner + 1, corner + columns], axis=1)
    return np.concatenate([one, np.stack([corner + 1, corner + columns + 1, corner + columns], axis=1)])


def _sheet(surface: Callable[[Array, Array], tuple[Array, Array, Array]], rows: int, columns: int) -> Mesh:
    """Return the sheet x, y, z = surface(u, v) over u, v in [-1, 1]; its uvs run from 0 to 1."""
    u, v = np.meshgrid(np.linspace(-1, 1, columns), np.linspace(-1, 1, rows))
    positions = np.stack([part.ravel() for part in np.broadcast_arrays(*surface(u, v))], axis=1)
    uvs = np.stack([u.ravel(), v.ravel()], axis=1) / 2 + 0.5
    return _mesh(positions, uvs, _grid_triangles(rows, columns))


def _waves(random: Random, count: int, longest: float, shortest: float) -> Callable[[Array, Array], Array]:
    """Return a smooth random field over the plane: sums of sharpened waves, about within [-1, 1]."""
    angle, phase, bend = random.uniform(0, 2 * np.pi, (3, count))
    length = np.exp(random.uniform(np.log(shortest), np.log(longest), count))
    weight = length / length.sum()

    def field(u: Array, v: Array) -> Array:
        total = np.zeros_like(u)
        for index in range(count):
            along = u * np.cos(angle[index]) + v * np.sin(angle[index]) + 0.15 * np.sin(2 * (u - v) + bend[index])
            total = total + weight[index] * (1 - 2 * np.abs(np.sin(np.pi * along / length[index] + phase[index])) ** 1.3)
        return total

    return field


def box(skins: tuple[int, ...] = (0,) * 6) -> Mesh:
    """Return the unit cube; ``skins`` are 0 (the tile) or 1 (paper) for the sides -x, +x, -y, +y, -z, +z."""
    positions, uvs, triangles = [], [], []
    for side in range(6):
        axis, sign = side // 2, 2 * (side % 2) - 1
        across, up = (2, 1) if axis == 0 else (0, 2) if axis == 1 else (0, 1)
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            corner = np.zeros(3)
            corner[axis], corner[across], corner[up] = sign, a, b
            positions.append(corner / 2)
            uvs.append((a / 2 + 0.5, b / 2 + 0.5))
        triangles += [(4 * side, 4 * side + 1, 4 * side + 2), (4 * side, 4 * side + 2, 4 * side + 3)]
    return _mesh(np.array(positions), np.array(uvs), np.array(triangles), np.repeat(np.array(skins), 4))


def book() -> Mesh:
    """Return a closed book of unit size that stands upright: spine at -x, covers in front and behind, pages elsewhere.

    The spine shows a strip of the cover, not all of it squeezed.
    """
    whole = box((0, 1, 1, 1, 0, 0))
    spine = whole.normals[:, 0] < -0.5
    uvs = whole.uvs.copy()
    uvs[spine, 0] = 0.4 + 0.15 * uvs[spine, 0]
    return replace(whole, uvs=uvs)


def open_book(random: Random) -> Mesh:
    """Return an open book that lies on its back: two bulging pages."""
    thick, sharp = random.uniform(0.06, 0.16), random.uniform(2, 6)
    return _sheet(lambda u, v: (0.7 * u, thick * (1 - np.abs(2 * np.abs(u) - 0.6) ** sharp) * np.minimum(1, 8 * np.abs(u) + 0.3), 0.5 * v), 6, 41)


def revolved(radii: Array, heights: Array) -> Mesh:
    """Return the solid of revolution about y with ``radii`` (K,) at ``heights`` (K,); open or pointed ends as the radii say."""
    turn = np.linspace(0, 2 * np.pi, _SIDES + 1)
    positions = np.stack([np.outer(radii, np.cos(turn)).ravel(), np.repeat(heights, _SIDES + 1), np.outer(radii, np.sin(turn)).ravel()], axis=1)
    along = np.concatenate([[0], np.cumsum(np.hypot(np.diff(radii), np.diff(heights)))])
    uvs = np.stack([np.tile(turn / np.pi, len(radii)), np.repeat(along, _SIDES + 1)], axis=1)
    return _mesh(positions, uvs, _grid_triangles(len(radii), _SIDES + 1))


def cone(random: Random) -> Mesh:
    """Return a cone one high, its tip sharp or cut."""
    return revolved(np.array([0, random.uniform(0.2, 0.45), random.choice([0.0, 0.02, 0.1]), 0]), np.array([0, 0, 1.0, 1.0]))


def cylinder(random: Random) -> Mesh:
    """Return a closed cylinder or tapered drum one high."""
    radius = random.uniform(0.12, 0.6)
    return revolved(np.array([0, radius, radius * random.uniform(0.8, 1.15), 0]), np.array([0, 0, 1.0, 1.0]))


def stick(random: Random) -> Mesh:
    """Return a thin rod one high: a brush, a pencil, a pole."""
    radius = random.uniform(0.01, 0.03)
    return revolved(np.array([0, radius, radius * random.uniform(0.5, 1.5), radius, 0]), np.array([0, 0, 0.8, 0.9, 1.0]))


def pot(random: Random) -> Mesh:
    """Return a round open pot one high with a bellied wall and an inside."""
    height = np.linspace(0, 1, 9)
    belly = 0.35 + random.uniform(-0.12, 0.12) * height + random.uniform(0.05, 0.2) * np.sin(np.pi * height ** random.uniform(0.5, 1.5))
    wall = random.uniform(0.02, 0.05)
    inner = height[::-1][:-1]
    return revolved(np.concatenate([[0], belly, (belly - wall)[::-1][:-1], [0]]), np.concatenate([[0], height, inner, [inner[-1]]]))


def ball() -> Mesh:
    """Return a sphere of diameter one."""
    turn = np.linspace(-np.pi / 2, np.pi / 2, 17)
    return revolved(0.5 * np.cos(turn), 0.5 + 0.5 * np.sin(turn))


def heap(random: Random) -> Mesh:
    """Return cloth in a heap: folds that fall to the ground at a ragged edge."""
    folds, edge = _waves(random, 7, 1.6, 0.3), _waves(random, 3, 2.0, 0.7)
    tall, power = random.uniform(0.15, 0.5), random.uniform(1.5, 4)

    def surface(u: Array, v: Array) -> tuple[Array, Array, Array]:
        reach = np.maximum(np.abs(u), np.abs(v)) ** power
        height = tall * (0.55 + 0.45 * folds(u, v)) * (1 - reach) + 0.01
        return 0.5 * u * (1 + 0.2 * edge(v, u)), height, 0.5 * v * (1 + 0.2 * edge(u, v))

    return _sheet(surface, 36, 36)


def cover(random: Random) -> Mesh:
    """Return a cloth that covers a round or square thing and hangs down in folds."""
    folds, round_ = int(random.integers(3, 9)), random.uniform(2, 8)
    inside, tall, flare, depth = random.uniform(0.3, 0.6), random.uniform(0.3, 0.9), random.uniform(0.05, 0.4), random.uniform(0.1, 0.35)
    phase, bumps = random.uniform(0, 6.3), _waves(random, 4, 1.2, 0.4)

    def surface(u: Array, v: Array) -> tuple[Array, Array, Array]:
        reach = np.maximum((np.abs(u) ** round_ + np.abs(v) ** round_) ** (1 / round_), 1e-6)
        hanging = np.clip((reach - inside) / (1 - inside), 0, None)
        around = np.sin(folds * np.arctan2(v, u) + phase + 1.5 * hanging)
        shrink = np.where(reach > inside, (inside + (reach - inside) * flare * (1 + depth / flare * around)) / reach, 1.0)
        return u * shrink, tall * (1 - hanging) + 0.04 * bumps(u, v), v * shrink

    return _sheet(surface, 40, 40)


def curtain(random: Random) -> Mesh:
    """Return a hanging cloth one wide and one high, folded along y."""
    folds, bumps = int(random.integers(2, 9)), _waves(random, 4, 2.0, 0.5)
    deep, phase, pinch = random.uniform(0.01, 0.07), random.uniform(0, 6.3), random.uniform(0, 1)

    def surface(u: Array, v: Array) -> tuple[Array, Array, Array]:
        wave = np.sin(np.pi * folds * u + phase + 0.5 * bumps(u, v))
        return 0.5 * u, 0.5 * v, deep * (1 - pinch * (v + 1) / 2) * wave + 0.03 * bumps(v, u)

    return _sheet(surface, 14, 56)


def sweep(random: Random) -> Mesh:
    """Return a backdrop: cloth that hangs down behind and runs forward on the ground, wrinkled."""
    wrinkles, bend = _waves(random, 6, 1.5, 0.3), random.uniform(0.15, 0.4)
    rough = random.uniform(0.01, 0.05)

    def surface(u: Array, v: Array) -> tuple[Array, Array, Array]:
        along = (1 - v) * 0.9
        arc = bend * np.pi / 2
        turn = np.clip((along - 0.9 + arc / 2) / bend, 0, np.pi / 2)
        up = np.maximum(0.9 - arc / 2 - along, 0) + bend * (1 - np.sin(turn))
        forward = np.maximum(along - 0.9 - arc / 2, 0) + bend * (1 - np.cos(turn))
        lift = rough * (0.5 + 0.5 * wrinkles(u, v))
        return 0.8 * u, up + lift * np.sin(turn), forward + lift * np.cos(turn)

    return _sheet(surface, 44, 36)


def cushion(random: Random) -> Mesh:
    """Return a stuffed square that lies flat."""
    thick, power, bumps = random.uniform(0.12, 0.3), random.uniform(2, 5), _waves(random, 4, 1.5, 0.5)
    under = _sheet(lambda u, v: (0.5 * u, -thick * (1 - np.abs(u) ** power) * (1 - np.abs(v) ** power) / 2, 0.5 * v), 14, 14)
    over = _sheet(lambda u, v: (0.5 * u, thick * (1 - np.abs(u) ** power) * (1 - np.abs(v) ** power) * (0.5 + 0.12 * bumps(u, v)), 0.5 * v), 22, 22)
    lifted = over.positions + np.array([0, -under.positions[:, 1].min() + np.ptp(under.positions[:, 1]), 0], np.float32)
    return _mesh(
        np.concatenate([under.positions, lifted]),
        np.concatenate([under.uvs, over.uvs]),
        np.concatenate([under.triangles, over.triangles + len(under.positions)]),
    )


def lattice(random: Random) -> Mesh:
    """Return a standing screen of crossed slats, one wide and one high."""
    slat, gap = random.uniform(0.03, 0.06), random.uniform(0.12, 0.25)
    unit = box()
    parts = []
    for layer, turn in enumerate((np.pi / 4, -np.pi / 4) if random.random() < 0.7 else (0.0, np.pi / 2)):
        rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        for offset in np.arange(-0.5, 0.51, gap):
            stick_ = (unit.positions - np.array([0, 0.5, 0])) * np.array([1.4, slat, 0.02])
            parts.append((stick_ + np.array([0, offset, 0.02 * layer])) @ rotation.T)
    count = len(unit.positions)
    triangles = np.concatenate([unit.triangles + index * count for index in range(len(parts))])
    positions = np.concatenate(parts)
    return _mesh(np.clip(positions, -0.5, 0.5), np.tile(unit.uvs, (len(parts), 1)), triangles)


def drawn_shapes(random: Random) -> list[tuple[str, Mesh]]:
    """Return all drawn bodies by name; those with chance in them come in several kinds."""
    many: list[tuple[str, Callable[[Random], Mesh], int]] = [
        ("open book", open_book, 3),
        ("cone", cone, 4),
        ("cylinder", cylinder, 4),
        ("stick", stick, 3),
        ("pot", pot, 5),
        ("heap", heap, 14),
        ("cover", cover, 8),
        ("curtain", curtain, 10),
        ("sweep", sweep, 6),
        ("cushion", cushion, 5),
        ("lattice", lattice, 3),
    ]
    single = [("box", box()), ("block", box((1,) * 6)), ("book", book()), ("ball", ball())]
    return single + [(name, make(random)) for name, make, count in many for _ in range(count)]
