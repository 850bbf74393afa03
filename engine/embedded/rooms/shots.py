"""Where the light comes from and where the camera stands in a furnished room."""

from __future__ import annotations

import numpy as np

from .plan import Camera, Lights, turn_y
from .room import Room, Stage

Array = np.ndarray
Random = np.random.Generator
_INSET_M = 0.12


def _warmth(random: Random) -> Array:
    """Return a light's colour (3,) with mean 1, from warm lamp to blue sky."""
    warm = random.uniform(-0.25, 0.35)
    colour = np.array([1 + warm, 1.0, 1 - warm]) * (1 + random.uniform(-0.04, 0.04, 3))
    return colour / colour.mean()


def draw_lights(random: Random, room: Room) -> Lights:
    """Return the lights of ``room``: the sun through its window, a lamp under the ceiling, or a lamp set up in front of a stage."""
    width, height, depth = room.size
    inside = np.array([width, 1.0, depth]) / 2 - 0.15
    kind = random.random()
    ambient = random.uniform(0.12, 0.6)
    stages = [stage for stage in room.stages if stage.things] or room.stages
    aim = stages[int(random.integers(len(stages)))].middle if stages else np.array([0, 0.5, 0])
    sun = room.window is not None and kind < 0.3
    window = room.window if room.window is not None else np.stack([np.array([0, 50.0, 0]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0])])
    strength = random.uniform(0.8, 2.0)
    if sun:
        inward = np.cross(window[1], window[2])
        inward /= np.linalg.norm(inward)
        sideways = window[1] / np.linalg.norm(window[1]) * random.uniform(-0.9, 0.9)
        at = -inward + sideways + np.array([0, random.uniform(0.35, 1.3), 0])
        aim, reach, strength, softness = np.array([0, height / 2, 0]), float(np.linalg.norm(room.size) / 2), 2.5 * strength, 0.002
    elif kind < 0.5:
        at = np.array([random.uniform(-0.3, 0.3) * width, height - random.uniform(0.08, 0.5), random.uniform(-0.3, 0.3) * depth])
        aim, reach, softness = at * np.array([1, 0, 1]) + np.array([0.01, 0, 0.01]), random.uniform(1.6, 2.4), random.uniform(0.004, 0.02)
    else:
        stage_yaw = stages[0].yaw if stages else 0.0
        swing, away = random.uniform(-1.7, 1.7), random.uniform(0.9, 2.6)
        at = aim + turn_y(stage_yaw + swing) @ np.array([0, 0, away]) + np.array([0, random.uniform(0.2, 1.6), 0])
        at = np.clip(at, [-inside[0], 0.4, -inside[2]], [inside[0], height - 0.1, inside[2]])
        if np.linalg.norm(at - aim) < 0.4:
            at = aim + np.array([0.05, 0.8, 0.3])
        reach, softness = random.uniform(0.8, 1.5), random.uniform(0.003, 0.03)
        strength *= 0.25 * (1 + float(np.sum((at - aim) ** 2)))
    lamp_at = np.array([random.uniform(-1, 1) * inside[0], random.uniform(1.0, height - 0.1), random.uniform(-1, 1) * inside[2]])
    sky = ambient * _warmth(random)
    return Lights(
        sun=sun,
        at=at,
        aim=aim,
        reach=reach,
        colour=strength * _warmth(random),
        softness=softness,
        window_at=window[0],
        window_across=window[1],
        window_up=window[2],
        window_colour=_warmth(random) * random.uniform(0.3, 2.0) * (room.window is not None),
        lamp_at=lamp_at,
        lamp_colour=_warmth(random) * random.uniform(0, 1.2),
        sky=sky,
        ground=sky * random.uniform(0.3, 0.9),
    )


def draw_camera(random: Random, room: Room, stages: list[Stage]) -> tuple[Camera, Stage | None] | None:
    """Return a camera for ``room``, and which of ``stages`` it looks at; None where it cannot stand.

    It is mostly close to things on a surface, else near a piece of furniture, or looks across the room.
    """
    close = [stage for stage in stages if stage.things]
    furniture = [stage for stage in stages if not stage.things]
    kind = random.random()
    stage = None
    if close and kind < 0.62:
        crowd = np.array([min(stage.things, 12) for stage in close], float)
        stage = close[int(random.choice(len(close), p=crowd / crowd.sum()))]
        camera = _at_stage(random, room, stage, distance=random.uniform(0.7, 1.3), pitch=(0.03, 0.6))
    elif furniture and kind < 0.82:
        stage = furniture[int(random.integers(len(furniture)))]
        camera = _at_stage(random, room, stage, distance=random.uniform(0.9, 1.8), pitch=(0.0, 0.45))
    else:
        camera = _across(random, room)
    return None if camera is None else (camera, stage)


def _camera(random: Random, room: Room, eye: Array, target: Array, fov: float) -> Camera | None:
    half = room.size / 2 - _INSET_M
    inside = abs(eye[0]) < half[0] and abs(eye[2]) < half[2] and 0.1 < eye[1] < room.size[1] - 0.1
    if not inside or any(np.all(eye > low - 0.08) and np.all(eye < high + 0.08) for low, high in room.blocks):
        return None
    return Camera(eye=eye, target=target, fov=fov, roll=random.normal(0, 0.025))


def _at_stage(random: Random, room: Room, stage: Stage, *, distance: float, pitch: tuple[float, float]) -> Camera | None:
    """Return a camera in front of ``stage``, ``distance`` times as far as its span needs, looking down by ``pitch`` radians."""
    fov = random.uniform(0.55, 1.1)
    span = min(stage.span, random.uniform(0.5, 1.6)) if stage.things else stage.span
    away = float(np.clip(distance * span / (2 * np.tan(fov / 2)), 0.5, 3.5))
    down = random.uniform(*pitch)
    yaw = stage.yaw + float(np.clip(random.normal(0, 0.45), -1.2, 1.2))
    target = stage.middle + random.normal(0, 0.12, 3) * np.array([stage.span, 0.5, 0.5])
    eye = target + turn_y(yaw) @ np.array([0, np.sin(down), np.cos(down)]) * away
    return _camera(random, room, eye, target, fov)


def _across(random: Random, room: Room) -> Camera | None:
    """Return a camera at eye height that looks through the room."""
    eye = np.array([random.uniform(-0.45, 0.45), 0, random.uniform(-0.45, 0.45)]) * room.size
    eye[1] = random.uniform(0.7, 1.8)
    target = np.array([random.uniform(-0.4, 0.4), random.uniform(0.05, 0.5), random.uniform(-0.4, 0.4)]) * room.size
    if np.linalg.norm((eye - target)[[0, 2]]) < 1.2:
        return None
    return _camera(random, room, eye, target, random.uniform(0.8, 1.25))
