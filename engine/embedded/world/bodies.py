"""Unit bodies and where rays meet them.

A body is a unit shape under an affine placement: x_world = rotation · (scale * x_local) + centre. Ray directions have length 1 along the view axis
(z = -1 in the camera's frame), so the ray parameter t *is* the depth, in world and local coordinates alike.

B scenes, P rays, F planes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

MISS = 1e6
_NEAREST = 1e-3
_TRACE_STEPS = 20
_TRACE_TOLERANCE = 2e-3

Hit = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Placement:
    """Where a batch of unit bodies stands: ``centre`` (B, 3), ``rotation`` (B, 3, 3) local to world, ``scale`` (B, 3) half sizes."""

    centre: Tensor
    rotation: Tensor
    scale: Tensor

    def to_local(self, points: Tensor) -> Tensor:
        """Return world ``points`` (B, P, 3) in the body's own frame, undistorted (rotated and moved, not scaled)."""
        return (points - self.centre[:, None]) @ self.rotation

    def normals_to_world(self, normals: Tensor) -> Tensor:
        """Return outward unit normals (B, P, 3) of the placed body from those of the unit body."""
        placed = (normals / self.scale[:, None]) @ self.rotation.transpose(1, 2)
        return torch.nn.functional.normalize(placed, dim=-1)

    def intersect(self, kind: str, origins: Tensor, directions: Tensor) -> Hit:
        """Return t (B, P), `MISS` where the ray passes by, and outward world normals (B, P, 3).

        Args:
            kind: a key of `BODIES`.
            origins: (B, P or 1, 3) world.
            directions: (B, P, 3) world, not normalised.
        """
        local_origins = self.to_local(origins) / self.scale[:, None]
        local_directions = (directions @ self.rotation) / self.scale[:, None]
        t, normals = BODIES[kind](local_origins, local_directions)
        return t, self.normals_to_world(normals)


def _nearest_root(a: Tensor, half_b: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    discriminant = half_b * half_b - a * c
    root = discriminant.clamp_min(0).sqrt()
    return (-half_b - root) / a, discriminant > 0


def _sphere(origins: Tensor, directions: Tensor) -> Hit:
    t, met = _nearest_root((directions**2).sum(-1), (origins * directions).sum(-1), (origins**2).sum(-1) - 1)
    t = torch.where(met & (t > _NEAREST), t, MISS)
    return t, origins + t[..., None] * directions


def _convex(planes: Tensor, offsets: Tensor, origins: Tensor, directions: Tensor) -> Hit:
    """Meet the convex body {x : planes · x <= offsets}; ``planes`` (F, 3) unit normals, ``offsets`` (F,)."""
    enter = torch.full(directions.shape[:-1], -MISS, device=directions.device)
    leave = torch.full_like(enter, MISS)
    face = torch.zeros_like(enter, dtype=torch.long)
    towards, gap = directions @ planes.T, offsets - origins @ planes.T
    for index in range(len(planes)):
        facing = towards[..., index]
        t = gap[..., index] / torch.where(facing.abs() < 1e-9, 1e-9, facing)
        entering = (facing < 0) & (t > enter)
        face = torch.where(entering, index, face)
        enter = torch.where(entering, t, enter)
        leave = torch.where((facing >= 0) & (t < leave), t, leave)
    met = (enter < leave) & (enter > _NEAREST)
    return torch.where(met, enter, MISS), planes[face]


def _box_planes() -> tuple[Tensor, Tensor]:
    eye = torch.eye(3)
    return torch.cat([eye, -eye]), torch.ones(6)


def _prism_planes(sides: int) -> tuple[Tensor, Tensor]:
    angle = torch.arange(sides) * (2 * torch.pi / sides)
    around = torch.stack([angle.cos(), torch.zeros(sides), angle.sin()], dim=-1)
    caps = torch.tensor([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])
    return torch.cat([around, caps]), torch.ones(sides + 2)


def _wedge_planes() -> tuple[Tensor, Tensor]:
    planes, offsets = _box_planes()
    slope = torch.tensor([[0.0, 1.0, 1.0]]) / 2**0.5
    return torch.cat([planes, slope]), torch.cat([offsets, torch.zeros(1)])


def _pyramid_planes() -> tuple[Tensor, Tensor]:
    slopes = torch.tensor([[2.0, 1.0, 0.0], [-2.0, 1.0, 0.0], [0.0, 1.0, 2.0], [0.0, 1.0, -2.0]]) / 5**0.5
    return torch.cat([slopes, torch.tensor([[0.0, -1.0, 0.0]])]), torch.cat([torch.full((4,), 5**-0.5), torch.ones(1)])


def _gem_planes() -> tuple[Tensor, Tensor]:
    corners = torch.tensor([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]) / 3**0.5
    planes, offsets = _box_planes()
    return torch.cat([planes, corners]), torch.cat([offsets, torch.full((8,), 0.95)])


def _polyhedron(planes_and_offsets: tuple[Tensor, Tensor]) -> Callable[[Tensor, Tensor], Hit]:
    planes, offsets = planes_and_offsets

    def meet(origins: Tensor, directions: Tensor) -> Hit:
        return _convex(planes.to(directions.device), offsets.to(directions.device), origins, directions)

    return meet


def _turned(top_radius: float) -> Callable[[Tensor, Tensor], Hit]:
    """Return the meeting function of a frustum around y, radius 1 at y = -1 and ``top_radius`` at y = 1, capped."""
    slope = (top_radius - 1) / 2
    middle = (top_radius + 1) / 2

    def meet(origins: Tensor, directions: Tensor) -> Hit:
        (ox, oy, oz), (dx, dy, dz) = origins.unbind(-1), directions.unbind(-1)
        radius, change = middle + slope * oy, slope * dy
        a = dx * dx + dz * dz - change * change
        t_side, met = _nearest_root(torch.where(a.abs() < 1e-9, 1e-9, a), ox * dx + oz * dz - radius * change, ox * ox + oz * oz - radius * radius)
        y = oy + t_side * dy
        t_side = torch.where(met & (y.abs() < 1) & (t_side > _NEAREST), t_side, MISS)
        cap_y = torch.where(dy < 0, 1.0, -1.0)
        t_cap = (cap_y - oy) / torch.where(dy.abs() < 1e-9, 1e-9, dy)
        x, z = ox + t_cap * dx, oz + t_cap * dz
        t_cap = torch.where((x * x + z * z < (middle + slope * cap_y) ** 2) & (t_cap > _NEAREST), t_cap, MISS)
        t = torch.minimum(t_side, t_cap)
        at = origins + t[..., None] * directions
        side = torch.stack([at[..., 0], -slope * (middle + slope * at[..., 1]), at[..., 2]], dim=-1)
        cap = torch.stack([torch.zeros_like(cap_y), cap_y, torch.zeros_like(cap_y)], dim=-1)
        return t, torch.where((t_side <= t_cap)[..., None], side, cap)

    return meet


def _traced(distance: Callable[[Tensor, Tensor, Tensor], Tensor], bound: float) -> Callable[[Tensor, Tensor], Hit]:
    """Return the meeting function of a body given by a signed distance (or a lower bound of it), by sphere tracing inside a sphere of ``bound``."""

    def at(points: Tensor) -> Tensor:
        return distance(*points.unbind(-1))

    def meet(origins: Tensor, directions: Tensor) -> Hit:
        length = directions.norm(dim=-1)
        a, half_b, c = length**2, (origins * directions).sum(-1), (origins**2).sum(-1) - bound**2
        t, near_enough = _nearest_root(a, half_b, c)
        rows = near_enough & (t > _NEAREST)
        origin, direction, speed, t_row = origins.expand_as(directions)[rows], directions[rows], length[rows], t[rows]
        for _ in range(_TRACE_STEPS):
            t_row = t_row + at(origin + t_row[:, None] * direction) / speed
        points = origin + t_row[:, None] * direction
        met = at(points).abs() < _TRACE_TOLERANCE * 4
        steps = _TRACE_TOLERANCE * torch.eye(3, device=directions.device)
        slopes = torch.stack([at(points + step) - at(points - step) for step in steps], dim=-1)
        t = torch.full_like(t, MISS).masked_scatter(rows, torch.where(met, t_row, MISS))
        normals = torch.zeros_like(directions).masked_scatter(rows[..., None].expand_as(directions), slopes)
        return t, torch.where((t < MISS)[..., None], normals, directions)

    return meet


def _torus(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return (((x * x + z * z).sqrt() - 0.72) ** 2 + y * y).sqrt() - 0.28


def _superquadric(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return (x**4 + y**4 + z**4).clamp_min(1e-12) ** 0.25 - 1


def _bowl(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    shell = ((x * x + y * y + z * z).sqrt() - 0.9).abs() - 0.08
    return torch.maximum(shell, y - 0.25)


def _peanut(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    round_ = x * x + z * z
    lower, upper = (round_ + (y + 0.45) ** 2).sqrt() - 0.55, (round_ + (y - 0.5) ** 2).sqrt() - 0.45
    blend = (0.5 + (upper - lower) / 0.6).clamp(0, 1)
    return (upper * (1 - blend) + lower * blend - 0.3 * blend * (1 - blend)) * 0.9


def _vase(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    radius = 0.62 + 0.3 * torch.sin(3.2 * y + 0.8)
    return torch.maximum(((x * x + z * z).sqrt() - radius) * 0.7, y.abs() - 0.98)


BODIES: dict[str, Callable[[Tensor, Tensor], Hit]] = {
    "ellipsoid": _sphere,
    "box": _polyhedron(_box_planes()),
    "cylinder": _turned(1.0),
    "cone": _turned(0.02),
    "pot": _turned(0.6),
    "wedge": _polyhedron(_wedge_planes()),
    "prism": _polyhedron(_prism_planes(6)),
    "pyramid": _polyhedron(_pyramid_planes()),
    "gem": _polyhedron(_gem_planes()),
    "torus": _traced(_torus, 1.05),
    "superquadric": _traced(_superquadric, 1.75),
    "bowl": _traced(_bowl, 1.05),
    "peanut": _traced(_peanut, 1.15),
    "vase": _traced(_vase, 1.45),
}


def leave_box(placement: Placement, origins: Tensor, directions: Tensor) -> Hit:
    """Return where rays from inside a placed box leave it: t (B, P) and inward world normals (B, P, 3). The box is the room."""
    local_origins = placement.to_local(origins) / placement.scale[:, None]
    local_directions = (directions @ placement.rotation) / placement.scale[:, None]
    safe = torch.where(local_directions.abs() < 1e-9, 1e-9, local_directions)
    t_axes = (safe.sign() - local_origins) / safe
    t, axis = t_axes.min(dim=-1)
    face = torch.nn.functional.one_hot(axis, 3).to(safe.dtype) * -safe.sign()
    return t, face @ placement.rotation.transpose(1, 2)
