"""Where things stand: a room seen by a camera, and bodies on its floor, on one another and on its back wall.

World frame: x right, y up, z toward the viewer, camera at the origin. B scenes, K body slots.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .bodies import Placement
from .families import Family
from .textures import uniform

_FAR_BELOW = -1000.0
_CLUTTER_GROWTH = 1.8


@dataclass(frozen=True)
class Layout:
    """The geometry of a batch of scenes.

    Attributes:
        camera: (B, 3, 3) rotation from camera to world.
        fov_deg: (B,) across the longer side.
        room: the box that the camera stands in; bodies: slot by slot its kind (shared by the batch) and placements.
    """

    camera: Tensor
    fov_deg: Tensor
    room: Placement
    bodies: list[tuple[str, Placement]]


def rotation_about(axis: int, angle: Tensor) -> Tensor:
    """Return (B, 3, 3) right-handed rotations by ``angle`` (B,) radians about axis 0, 1 or 2."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    rotation = torch.zeros((len(angle), 3, 3), device=angle.device)
    rotation[:, axis, axis] = 1
    rotation[:, first, first] = rotation[:, second, second] = angle.cos()
    rotation[:, second, first], rotation[:, first, second] = angle.sin(), -angle.sin()
    return rotation


def _choose(generator: torch.Generator, batch: int, ranges: list[tuple[float, float]]) -> Tensor:
    """Return (B,) numbers, each uniform in a range of its own choice."""
    low, high = torch.tensor(ranges, device=generator.device)[torch.randint(len(ranges), (batch,), generator=generator, device=generator.device)].T
    return low + (high - low) * uniform(generator, batch)


def _draw_room(generator: torch.Generator, batch: int, eye_height: Tensor, back: Tensor) -> Placement:
    yaw = torch.deg2rad(_choose(generator, batch, [(-5, 5), (-15, 15), (-45, 45)]))
    left, right = _choose(generator, batch, [(1, 3), (3, 8)]) * back, _choose(generator, batch, [(1, 3), (3, 8)]) * back
    ceiling = eye_height * _choose(generator, batch, [(1.0, 2.5), (3, 9)])
    behind = back
    low = torch.stack([-left, -eye_height, -back], dim=-1)
    high = torch.stack([right, ceiling, behind], dim=-1)
    rotation = rotation_about(1, yaw)
    centre = (rotation @ ((low + high) / 2)[..., None])[..., 0]
    return Placement(centre, rotation, (high - low) / 2)


def _draw_rotation(generator: torch.Generator, batch: int) -> Tensor:
    yaw = uniform(generator, batch, low=-torch.pi, high=torch.pi)
    leans = uniform(generator, batch) < 0.25
    tilt = torch.where(leans, uniform(generator, batch, low=-0.8, high=0.8), 0.0)
    lies = uniform(generator, batch) < 0.15
    roll = torch.where(lies, torch.pi / 2, 0.0)
    return rotation_about(1, yaw) @ rotation_about(0, tilt) @ rotation_about(2, roll)


def _on_floor(generator: torch.Generator, pitch: Tensor, half_fov: Tensor, eye_height: Tensor, back: Tensor) -> Tensor:
    """Return (B, 3) points of the floor that the camera mostly sees, before the back wall."""
    batch = len(pitch)
    below = pitch + half_fov * uniform(generator, batch, low=-0.5, high=0.85)
    seen = eye_height / below.clamp_min(0.02).tan()
    distance = torch.minimum(seen, back * uniform(generator, batch, low=0.5, high=0.95)).clamp_min(0.5 * eye_height.clamp_max(1))
    distance = torch.maximum(distance, 0.35 * back.clamp_max(1.5))
    sideways = distance * half_fov.tan() * uniform(generator, batch, low=-1, high=1)
    return torch.stack([sideways, -eye_height, -distance], dim=-1)


def _before_wall(generator: torch.Generator, half_fov: Tensor, eye_height: Tensor, back: Tensor) -> Tensor:
    """Return (B, 3) points at any distance from half way to the back wall on, as high as a shelf, a box or the floor would put them."""
    batch = len(back)
    distance = back * uniform(generator, batch, low=0.45, high=0.97)
    sideways = distance * half_fov.tan() * uniform(generator, batch, low=-1.1, high=1.1)
    lifted = torch.where(uniform(generator, batch) < 0.4, uniform(generator, batch, high=1.6), 0.0)
    return torch.stack([sideways, eye_height * (lifted - 1), -distance], dim=-1)


def _half_height(rotation: Tensor, scale: Tensor) -> Tensor:
    return ((rotation[:, 1] * scale) ** 2).sum(-1).sqrt()


def _hang(generator: torch.Generator, room: Placement, placed: Placement) -> Placement:
    """Return ``placed`` as a flat thing on the room's back wall."""
    batch = len(room.centre)
    across = uniform(generator, batch, low=-0.35, high=0.35) * room.scale[:, 0]
    up = uniform(generator, batch, low=-0.6, high=0.8) * room.scale[:, 1]
    local = torch.stack([across, up, -room.scale[:, 2]], dim=-1)
    centre = room.centre + (room.rotation @ local[..., None])[..., 0]
    width, height = placed.scale[:, 0] * 1.5, placed.scale[:, 1] * 1.5
    return Placement(centre, room.rotation, torch.stack([width, height, 0.08 * torch.minimum(width, height)], dim=-1))


def _where(mask: Tensor, first: Placement, second: Placement) -> Placement:
    def pick(a: Tensor, b: Tensor) -> Tensor:
        return torch.where(mask.view(-1, *[1] * (a.dim() - 1)), a, b)

    return Placement(pick(first.centre, second.centre), pick(first.rotation, second.rotation), pick(first.scale, second.scale))


def draw_layout(generator: torch.Generator, family: Family, batch: int, slots: int) -> Layout:
    """Draw the geometry of ``batch`` scenes with up to ``slots`` bodies each; slots used and the kind of each are one for the batch."""
    fov_deg = uniform(generator, batch, low=35, high=70)
    half_fov = torch.deg2rad(fov_deg) / 2
    pitch = torch.deg2rad(_choose(generator, batch, [(0, 15), (5, 25), (10, 40)]))
    roll = torch.deg2rad(uniform(generator, batch, low=-3, high=3))
    eye_height = _choose(generator, batch, [(0.4, 0.8), (0.6, 1.2)])
    back = _choose(generator, batch, [(1.2, 2.2), (1.5, 3.5), (3, 7)])
    cluttered = None
    if family.clutter_share:
        cluttered = uniform(generator, batch) < family.clutter_share
        pitch = torch.where(cluttered, torch.deg2rad(uniform(generator, batch, low=-4, high=14)), pitch)
        eye_height = torch.where(cluttered, uniform(generator, batch, low=0.25, high=0.7), eye_height)
        back = torch.where(cluttered, uniform(generator, batch, low=1.2, high=2.6), back)
    room = _draw_room(generator, batch, eye_height, back)
    used = int(torch.randint(2, slots + 1, (1,), generator=generator, device=generator.device))
    filled = torch.randint(used // 2, used + 1, (batch,), generator=generator, device=generator.device)
    bodies: list[tuple[str, Placement]] = []
    previous = None
    for slot in range(used):
        kind = family.bodies[int(torch.randint(len(family.bodies), (1,), generator=generator, device=generator.device))]
        foot = _on_floor(generator, pitch, half_fov, eye_height, back)
        size = foot.norm(dim=-1) * torch.exp(uniform(generator, batch, low=-3.3, high=-1.7))
        if cluttered is not None:
            foot = torch.where(cluttered[:, None], _before_wall(generator, half_fov, eye_height, back), foot)
            size = torch.where(cluttered, _CLUTTER_GROWTH * size, size)
        shape = torch.exp(uniform(generator, batch, 3, low=-0.9, high=0.9))
        scale = torch.minimum(size[:, None] * shape, 0.4 * foot.norm(dim=-1, keepdim=True))
        rotation = _draw_rotation(generator, batch)
        if previous is not None:
            top = previous.centre + torch.stack(
                [torch.zeros_like(size), _half_height(previous.rotation, previous.scale), torch.zeros_like(size)], dim=-1
            )
            foot = torch.where((uniform(generator, batch) < 0.2)[:, None], top, foot)
        up = torch.tensor([0.0, 1.0, 0.0], device=generator.device)
        placed = Placement(foot + _half_height(rotation, scale)[:, None] * up, rotation, scale)
        placed = _where(uniform(generator, batch) < (0.25 if kind in ("box", "gem") else 0.0), _hang(generator, room, placed), placed)
        previous = placed
        centre = torch.where((slot < filled)[:, None], placed.centre, placed.centre + up * _FAR_BELOW)
        bodies.append((kind, Placement(centre, placed.rotation, placed.scale)))
    return Layout(rotation_about(0, -pitch) @ rotation_about(2, roll), fov_deg, room, bodies)
