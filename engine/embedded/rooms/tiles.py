"""Drawn textures for what the furniture library does not have: walls, floors, cloth, and printed or painted things.

Each drawing returns an sRGB picture (S, S, 3) in [0, 1] whose edges join where it is meant to repeat.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np

Array = np.ndarray
Random = np.random.Generator
TILE_PX = 128
ROLES = ("wall", "floor", "cloth", "print")

_LINE = (np.arange(TILE_PX) + 0.5) / TILE_PX
_U, _V = np.meshgrid(_LINE, _LINE)


def draw_colour(random: Random, saturation: float = 0.6, low: float = 0.15, high: float = 0.95) -> Array:
    """Return an sRGB colour (3,): mostly warm, blue or green, mostly of low saturation but up to ``saturation``, value from ``low`` to ``high``."""
    hue = random.random() if random.random() < 0.25 else random.normal(random.choice([0.05, 0.11, 0.35, 0.6]), 0.05)
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation * random.random() ** 1.7, random.uniform(low, high)))


def noise(random: Random, roughness: float) -> Array:
    """Return (S, S) periodic noise with mean 0 and deviation 1; its amplitude falls as frequency to the power -``roughness``."""
    frequency = np.fft.fftfreq(TILE_PX) * TILE_PX
    radius = np.maximum(np.hypot(frequency[:, None], frequency[None, :]), 1)
    wave = np.fft.ifft2(np.fft.fft2(random.standard_normal((TILE_PX, TILE_PX))) * radius**-roughness).real
    return (wave - wave.mean()) / wave.std()


def _between(mask: Array, first: Array, second: Array) -> Array:
    return first + mask[..., None] * (second - first)


def _grain(random: Random, picture: Array, strength: float, roughness: float = 0.7) -> Array:
    return picture * (1 + strength * noise(random, roughness)[..., None])


def _plaster(random: Random) -> Array:
    base = np.ones((TILE_PX, TILE_PX, 3)) * draw_colour(random, 0.45, 0.45, 0.95)
    return _grain(random, _grain(random, base, random.uniform(0.0, 0.05), 0.5), random.uniform(0, 0.06), 1.6)


def _wallpaper(random: Random) -> Array:
    ground = draw_colour(random, 0.5, 0.4, 0.95)
    ink = np.clip(ground * random.uniform(0.6, 1.25) + random.uniform(-0.08, 0.08, 3), 0, 1)
    count = int(random.integers(3, 10))
    bands = (np.sin(2 * np.pi * count * _U) > random.uniform(-0.6, 0.8)).astype(float)
    flowers = np.sin(2 * np.pi * count * _U) * np.sin(2 * np.pi * count * _V) + 0.5 * np.sin(4 * np.pi * count * (_U + _V))
    return _grain(random, _between(bands if random.random() < 0.4 else (flowers > 0.4).astype(float), ground, ink), 0.02)


def _bricks(random: Random) -> Array:
    rows = 2 * int(random.integers(2, 7))
    y, x = _V * rows, _U * rows / 2 + 0.5 * (np.floor(_V * rows) % 2)
    edge = np.minimum(np.minimum(x % 1, 1 - x % 1) * 2, np.minimum(y % 1, 1 - y % 1))
    stone = draw_colour(random, 0.7, 0.3, 0.8) if random.random() < 0.5 else np.array([0.62, 0.36, 0.28]) * random.uniform(0.7, 1.3)
    shade = random.uniform(0.75, 1.2, (rows, rows))[np.floor(y).astype(int) % rows, np.floor(x).astype(int) % (rows // 2)]
    picture = _between((edge > random.uniform(0.05, 0.12)).astype(float), draw_colour(random, 0.1, 0.5, 0.85), stone) * shade[..., None]
    return _grain(random, picture, 0.08)


def _planks(random: Random) -> Array:
    count = int(random.integers(3, 9))
    board = np.floor(_U * count).astype(int)
    start = random.random(count)[board]
    piece = (board * 7 + np.floor((_V + start) * 1) * 3).astype(int) % 16
    wood = np.array([0.62, 0.43, 0.26]) * random.uniform(0.45, 1.45) * random.uniform(0.85, 1.15, 3)
    streaks = np.roll(np.repeat(noise(random, 0.8).mean(0, keepdims=True), TILE_PX, 0), int(random.integers(TILE_PX)), 1)
    grain = 0.25 * streaks + 0.06 * noise(random, 1.2)
    shade = random.uniform(0.8, 1.15, 16)[piece]
    joint = (np.minimum((_U * count) % 1, 1 - (_U * count) % 1) < 0.03) | (np.abs((_V + start) % 1) < 0.012)
    return wood * (shade * (1 + grain) * np.where(joint, 0.55, 1.0))[..., None]


def _ceramic(random: Random) -> Array:
    count = int(random.integers(1, 6))
    edge = np.minimum(np.minimum((_U * count) % 1, 1 - (_U * count) % 1), np.minimum((_V * count) % 1, 1 - (_V * count) % 1))
    first, second = draw_colour(random, 0.4, 0.35, 0.95), draw_colour(random, 0.4, 0.2, 0.9)
    second = second if random.random() < 0.35 and count % 2 == 0 else first
    chess = (np.floor(_U * count) + np.floor(_V * count)) % 2
    picture = _grain(random, _between(chess, first, second), random.uniform(0.02, 0.12), 1.4)
    return _between((edge < 0.025).astype(float), picture, draw_colour(random, 0.1, 0.3, 0.8))


def _carpet(random: Random) -> Array:
    base = np.ones((TILE_PX, TILE_PX, 3)) * draw_colour(random, 0.7, 0.2, 0.8)
    return _grain(random, _grain(random, base, random.uniform(0.05, 0.2), 0.15), 0.05, 1.5)


def _stone(random: Random) -> Array:
    veins = np.abs(noise(random, 1.6))
    return _grain(random, _between(np.clip(veins, 0, 1.5) / 1.5, draw_colour(random, 0.3, 0.2, 0.7), draw_colour(random, 0.25, 0.5, 0.95)), 0.03)


def _weave(random: Random) -> Array:
    base = np.ones((TILE_PX, TILE_PX, 3)) * draw_colour(random, 0.9, 0.15, 0.95)
    threads = 0.5 * np.sin(2 * np.pi * 32 * _U) + 0.5 * np.sin(2 * np.pi * 32 * _V)
    return _grain(random, base * (1 + random.uniform(0, 0.12) * threads)[..., None], random.uniform(0.01, 0.08), random.uniform(0.2, 1.5))


def _stripes(random: Random) -> Array:
    colours = np.array([draw_colour(random, 0.9, 0.15, 0.95) for _ in range(int(random.integers(2, 5)))])
    edges = np.sort(random.random(int(random.integers(3, 12))))
    return _grain(random, colours[np.searchsorted(edges, _U) % len(colours)], 0.04)


def _plaid(random: Random) -> Array:
    across, down = _stripes(random), _stripes(random).transpose(1, 0, 2)
    return _grain(random, 0.5 * (across + down), 0.04)


def _motifs(random: Random) -> Array:
    """Scattered flowers or dots on a ground, as on printed cloth."""
    picture = np.ones((TILE_PX, TILE_PX, 3)) * draw_colour(random, 0.8, 0.25, 0.95)
    inks = [draw_colour(random, 1.0, 0.1, 1.0) for _ in range(3)]
    petals = int(random.integers(0, 7))
    for _ in range(int(random.integers(8, 40))):
        x, y, radius, turn = *random.random(2), random.uniform(0.02, 0.11), random.uniform(0, 6.3)
        du, dv = (_U - x + 0.5) % 1 - 0.5, (_V - y + 0.5) % 1 - 0.5
        reach = np.hypot(du, dv) / (radius * (1 + 0.35 * np.cos(petals * np.arctan2(dv, du) + turn)))
        ink = inks[int(random.integers(3))]
        picture = _between((reach < 1).astype(float), picture, ink)
        picture = _between((reach < 0.35).astype(float), picture, 1 - 0.7 * ink)
    return _grain(random, picture, 0.04)


def _within(left: float, top: float, right: float, bottom: float) -> Array:
    return (np.abs(_U - (left + right) / 2) < (right - left) / 2) & (np.abs(_V - (top + bottom) / 2) < (bottom - top) / 2)


def _write(random: Random, picture: Array, box: tuple[float, float, float, float], lines: int, ink: Array) -> Array:
    """Return ``picture`` with ``lines`` rows of words inside ``box`` (left, top, right, bottom)."""
    left, top, right, bottom = box
    y = (_V - top) / (bottom - top) * lines
    x = (_U - left) / (right - left) * lines * 2.5 * (right - left) / (bottom - top)
    row = np.floor(y)
    inside = _within(left, top, right, bottom)
    letters = random.random((64, 512))[np.clip(row, 0, 63).astype(int), np.clip(x * 3, 0, 511).astype(int)]
    words = random.random((64, 512))[np.clip(row, 0, 63).astype(int), np.clip(x / 1.7, 0, 511).astype(int)]
    inked = inside & (letters > 0.35) & (words > 0.15) & (np.abs(y % 1 - 0.5) < 0.27)
    return _between(inked.astype(float), picture, ink)


def _page(random: Random) -> Array:
    paper = np.ones((TILE_PX, TILE_PX, 3)) * random.uniform(0.8, 0.97) * np.array([1, 0.99, random.uniform(0.88, 1)])
    margin = random.uniform(0.05, 0.12)
    return _write(random, paper, (margin, margin, 1 - margin, 1 - margin), int(random.integers(14, 30)), np.full(3, random.uniform(0.1, 0.45)))


def _cover(random: Random) -> Array:
    ground = np.ones((TILE_PX, TILE_PX, 3)) * draw_colour(random, 0.95, 0.1, 0.97)
    picture = _grain(random, ground, random.uniform(0, 0.1), 1.8)
    if random.random() < 0.6:
        top = random.uniform(0.35, 0.6)
        inside = _within(0.12, top, 0.88, random.uniform(top + 0.2, 0.97))
        picture = _between(inside.astype(float), picture, _collage(random))
    ink = draw_colour(random, 0.8, 0.0, 1.0)
    picture = _write(random, picture, (0.1, 0.06, 0.9, 0.32), int(random.integers(2, 5)), ink)
    return _write(random, picture, (0.15, 0.86, 0.8, 0.94), 1, ink)


def _collage(random: Random) -> Array:
    """A poster: shapes and lines over one another."""
    picture = _between(np.clip(noise(random, 1.8) * 0.3 + 0.5, 0, 1), draw_colour(random, 0.9), draw_colour(random, 0.9))
    for _ in range(int(random.integers(4, 16))):
        x, y, width, height = random.random(4)
        du, dv = (_U - x) / (0.03 + 0.25 * width), (_V - y) / (0.03 + 0.25 * height)
        turn = random.uniform(0, np.pi)
        du, dv = du * np.cos(turn) - dv * np.sin(turn), du * np.sin(turn) + dv * np.cos(turn)
        inside = (np.hypot(du, dv) < 1) if random.random() < 0.4 else (np.maximum(np.abs(du), np.abs(dv)) < 1)
        picture = _between(inside.astype(float) * random.uniform(0.6, 1), picture, draw_colour(random, 1.0, 0.05, 1.0))
    return picture


def _painting(random: Random) -> Array:
    """Soft patches of a few colours, with strokes: a landscape or an abstract picture."""
    level = noise(random, random.uniform(1.3, 2.2)) + random.uniform(0, 3) * (_V - 0.5)
    colours = np.array([draw_colour(random, 0.9, 0.1, 1.0) for _ in range(6)])
    picture = colours[np.clip((level + 2.5) * 1.2, 0, 5).astype(int)]
    return _grain(random, picture, random.uniform(0.03, 0.15), 1.0)


def _map(random: Random) -> Array:
    land, sea = draw_colour(random, 0.5, 0.6, 0.95), draw_colour(random, 0.5, 0.6, 0.95)
    level = noise(random, 1.8)
    picture = _between((level > 0.2).astype(float), land, sea)
    roads = np.abs(noise(random, 1.7)) < 0.05
    return _write(random, _between(roads.astype(float), picture, draw_colour(random, 0.8)), (0.05, 0.8, 0.5, 0.95), 3, np.full(3, 0.2))


DRAWINGS: dict[str, tuple[Callable[[Random], Array], ...]] = {
    "wall": (_plaster, _plaster, _plaster, _wallpaper, _bricks, _planks, _stone),
    "floor": (_planks, _planks, _ceramic, _carpet, _carpet, _stone),
    "cloth": (_weave, _weave, _stripes, _plaid, _motifs, _motifs),
    "print": (_page, _cover, _cover, _collage, _painting, _map),
}


def draw_tile(random: Random, role: str) -> Array:
    """Return a uint8 sRGB tile (S, S, 3) for one of `ROLES`."""
    drawings = DRAWINGS[role]
    picture = drawings[int(random.integers(len(drawings)))](random)
    return (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)
