"""Pictures of furnished rooms with their depth: rooms drawn, views chosen, rendered and photographed. H W pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import interpolate

from ...api.errors import InputError
from ..world.camera_effects import photograph
from .furnish import Furnisher
from .pack import Pack
from .renderer import Renderer, View
from .room import Room
from .shots import draw_camera, draw_lights

Array = np.ndarray
Random = np.random.Generator
VIEWS_A_ROOM = 4
_TRIES = 40
_CROWDED = 0.25
_FLAT = 1.2
_STEP = 0.03
_STEPS_SHARE = 0.012
_NEAR_IS_LOW = 0.4
_OTHERS_SHARE = 0.15


@dataclass(frozen=True)
class Pictures:
    """Pictures (N, H, W, 3) uint8 sRGB; depth (N, H, W) float32 in metres along the view axis; normals (N, H, W, 3) in the camera's frame."""

    image: Array
    depth: Array
    normals: Array


def is_worth_a_picture(view: View) -> bool:
    """Return whether nothing stands right before the camera, and there is more to see than bare walls: depth that ranges and has steps."""
    nearest, near, middle, far = np.percentile(view.depth, (2, 5, 50, 95))
    steps = np.abs(np.diff(np.log(view.depth), axis=1)) > _STEP
    return bool(nearest > _CROWDED * middle and far > _FLAT * near and steps.mean() > _STEPS_SHARE)


def nearness_downward(depth: Array) -> float:
    """Return how nearness, 1 / ``depth`` (H, W), goes with the row: their correlation, 1 where the picture comes nearer line by line downward."""
    rows = np.broadcast_to(np.arange(len(depth))[:, None], depth.shape)
    return float(np.corrcoef(rows.ravel(), 1 / depth.ravel())[0, 1])


def is_taken(random: Random, depth: Array) -> bool:
    """Return whether a photographer takes a view of ``depth`` (H, W): one where near things are low in the picture, and seldom another.

    Measured photographs of things on tables have correlations of 0.6 to 0.9; of views from anywhere in a room, every fourth is below 0.2.
    """
    return nearness_downward(depth) > _NEAR_IS_LOW or random.random() < _OTHERS_SHARE


def roll_off(light: Array) -> Array:
    """Return linear ``light`` (H, W, 3) with what is far brighter than the rest compressed, as film and cameras do before they clip."""
    scaled = light / max(1.6 * float(np.percentile(light.mean(axis=2), 92)), 1e-4)
    return np.where(scaled < 0.5, scaled, 0.5 + 0.5 * np.tanh(2 * (scaled - 0.5))).astype(np.float32)


class Studio:
    """Makes pictures of rooms from a pack; the same seeds give the same pictures on the same renderer."""

    def __init__(self, pack: Pack, height: int, width: int) -> None:
        self._furnisher, self._renderer = Furnisher(pack), Renderer(pack, height, width)

    def pictures(self, *seeds: int) -> Pictures:
        """Return `VIEWS_A_ROOM` pictures of the room that ``seeds`` name. A room without enough good views is replaced by another.

        Raises:
            InputError: no room from this pack shows enough.
        """
        for attempt in range(_TRIES):
            random = np.random.default_rng([*seeds, attempt])
            room = self._furnisher.draw(random)
            shots = self._shots(random, room)
            if len(shots) == VIEWS_A_ROOM:
                break
        else:
            raise InputError(f"None of {_TRIES} rooms from this pack had enough to see.", hint="Make the pack again, from all libraries.")
        generator = torch.Generator().manual_seed(int(random.integers(2**62)))
        finer = torch.from_numpy(np.stack([light for _, light in shots])).permute(0, 3, 1, 2)
        light = interpolate(finer, shots[0][0].depth.shape, mode="bilinear", antialias=True)
        image = (photograph(generator, light) * 255).round().byte().permute(0, 2, 3, 1).numpy()
        return Pictures(image, np.stack([view.depth for view, _ in shots]), np.stack([view.normals for view, _ in shots]))

    def _shots(self, random: Random, room: Room) -> list[tuple[View, Array]]:
        """Return the views of ``room`` that are worth a picture, four at most, with their light; each looks at something else where it can."""
        self._renderer.set_scene(room.things(), draw_lights(random, room))
        shots: list[tuple[View, Array]] = []
        stages = list(room.stages)
        for _ in range(_TRIES):
            if len(shots) == VIEWS_A_ROOM:
                break
            drawn = draw_camera(random, room, stages)
            if drawn is None:
                continue
            camera, stage = drawn
            view = self._renderer.look(camera)
            if is_worth_a_picture(view) and is_taken(random, view.depth):
                shots.append((view, roll_off(self._renderer.shade())))
                if stage is not None and len(stages) > 1:
                    stages.remove(stage)
        return shots
