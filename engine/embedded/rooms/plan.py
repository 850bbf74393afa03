"""The parts of a planned picture: things, lights, camera. N things. World: metres, x right, y up, floor at y = 0."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray
NO_TILE = -1


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A pinhole at ``eye`` (3,) that looks at ``target`` (3,); ``fov`` in radians across the width, ``roll`` in radians."""

    eye: Array
    target: Array
    fov: float
    roll: float = 0.0


@dataclass(frozen=True)
class Things:
    """Placed models: index (N,), matrix (N, 3, 4) to the world, casts (N,) bool whether it throws shadows, tint and wear (N, 4) as in `shaders`."""

    model: Array
    matrix: Array
    casts: Array
    tint: Array
    wear: Array

    def __len__(self) -> int:
        return len(self.model)

    def to_buffer(self) -> bytes:
        """Return the instances as the shaders read them."""
        rows = np.concatenate([self.matrix.reshape(-1, 12), self.tint, self.wear], axis=1)
        return np.ascontiguousarray(rows, dtype=np.float32).tobytes()


@dataclass
class Plan:
    """Things while they are being placed."""

    model: list[int] = field(default_factory=list)
    matrix: list[Array] = field(default_factory=list)
    casts: list[bool] = field(default_factory=list)
    tint: list[Array] = field(default_factory=list)
    wear: list[Array] = field(default_factory=list)

    def put(
        self,
        model: int,
        linear: Array,
        at: Array,
        *,
        tint: Array | None = None,
        recolour: float = 0.0,
        tile: int = NO_TILE,
        tile_size: float = 1.0,
        seed: float = 0.0,
        gloss: float = 0.0,
        casts: bool = True,
    ) -> None:
        """Place ``model``: its points p go to ``linear`` p + ``at``. A gloss below zero makes it shine by itself, that strongly."""
        self.model.append(model)
        self.matrix.append(np.concatenate([linear, np.asarray(at, float)[:, None]], axis=1))
        self.casts.append(casts)
        self.tint.append(np.array([*(np.ones(3) if tint is None else tint), recolour]))
        self.wear.append(np.array([tile, tile_size, seed, gloss]))

    def things(self) -> Things:
        """Return what was placed."""
        return Things(np.array(self.model), np.array(self.matrix), np.array(self.casts, bool), np.array(self.tint), np.array(self.wear))


@dataclass(frozen=True, kw_only=True)
class Lights:
    """One light with a shadow (a lamp, or the sun through the window), the window's own glow, a lamp without shadow, and light from all around.

    Attributes:
        at: where the lamp is, or (``sun``) the direction to the sun; ``aim`` is what the shadow map is centred on; ``reach`` half its width, as a
            slope for the lamp and in metres for the sun. softness: radius of the penumbra as a share of the map.
        window_at, window_across, window_up: middle and half sides of the window, (3,) each, across × up pointing into the room.
        Colours (3,) are linear and may exceed 1.
    """

    sun: bool
    at: Array
    aim: Array
    reach: float
    colour: Array
    softness: float
    window_at: Array
    window_across: Array
    window_up: Array
    window_colour: Array
    lamp_at: Array
    lamp_colour: Array
    sky: Array
    ground: Array

    def clip_matrix(self) -> Array:
        """Return (4, 4) from the world to the shadow map's clip space."""
        back = self.at / np.linalg.norm(self.at) if self.sun else (self.at - self.aim) / np.linalg.norm(self.at - self.aim)
        helper = np.array([1.0, 0, 0]) if abs(back[1]) > 0.9 else np.array([0, 1.0, 0])
        right = np.cross(helper, back)
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(back, right), back])
        eye = self.aim + 15 * back if self.sun else self.at
        view = np.eye(4)
        view[:3, :3], view[:3, 3] = rotation, -rotation @ eye
        clip = np.zeros((4, 4))
        near, far = (5.0, 25.0) if self.sun else (0.1, 12.0)
        clip[0, 0] = clip[1, 1] = 1 / self.reach
        if self.sun:
            clip[2, 2], clip[2, 3], clip[3, 3] = -2 / (far - near), -(far + near) / (far - near), 1
        else:
            clip[2, 2], clip[2, 3], clip[3, 2] = -(far + near) / (far - near), -2 * far * near / (far - near), -1
        return clip @ view

    def uniforms(self) -> dict[str, float | tuple[float, ...]]:
        """Return the values of the light shader's uniforms."""
        direction = self.at / np.linalg.norm(self.at) if self.sun else self.at
        vectors: dict[str, Array] = {
            "light_at": np.append(direction, 0.0 if self.sun else 1.0),
            "light_colour": self.colour,
            "window_at": self.window_at,
            "window_across": self.window_across,
            "window_up": self.window_up,
            "window_colour": self.window_colour,
            "lamp_at": self.lamp_at,
            "lamp_colour": self.lamp_colour,
            "sky": self.sky,
            "ground": self.ground,
        }
        return {name: tuple(float(part) for part in vector) for name, vector in vectors.items()} | {"softness": self.softness}


def turn_y(angle: float) -> Array:
    """Return the rotation (3, 3) about y that takes +z towards +x by ``angle``."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
