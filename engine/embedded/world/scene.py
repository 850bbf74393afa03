"""Scenes: what the camera sees of a layout, its exact depth, and the picture of it.

B scenes, H W pixels, P = H·W rays, M materials (floor, walls, ceiling, then one a body slot).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .bodies import MISS, Placement, leave_box
from .camera_effects import photograph
from .families import Family
from .layout import Layout, draw_layout
from .lighting import draw_lights, light_surface
from .textures import draw_albedo_tiles, draw_tiles, sample_tiles, uniform, with_slopes

BODY_SLOTS = 12
_ROOM_MATERIALS = 3
_TILES_A_BANK = 28
_GRAZING = 0.3
_NEAREST = 0.05

MEDIAN_DEPTH = 2.5
DEPTH_SCALE = 7.0
MIN_DISPARITY = 0.1


@dataclass(frozen=True)
class Scenes:
    """A batch of pictures with their exact depth: ``image_srgb`` (B, 3, H, W) in [0, 1], ``depth`` (B, 1, H, W) along the view axis."""

    image_srgb: Tensor
    depth: Tensor

    @classmethod
    def joined(cls, parts: Sequence[Scenes]) -> Scenes:
        """Return the scenes of all ``parts``, in order."""
        return cls(torch.cat([part.image_srgb for part in parts]), torch.cat([part.depth for part in parts]))

    def to(self, device: str | torch.device) -> Scenes:
        """Return the scenes on ``device``."""
        return Scenes(self.image_srgb.to(device), self.depth.to(device))


@dataclass(frozen=True)
class Surface:
    """What each ray meets: depth t (B, P), world points and outward unit normals (B, P, 3), material index (B, P)."""

    t: Tensor
    points: Tensor
    normals: Tensor
    material: Tensor


@dataclass(frozen=True)
class Materials:
    """Tables (B, M) of what surfaces wear; the banks (T, C, S, S) are shared by the batch."""

    albedo_bank: Tensor
    relief_bank: Tensor
    albedo_tile: Tensor
    relief_tile: Tensor
    tile_size: Tensor
    relief_slope: Tensor
    gloss: Tensor
    shininess: Tensor


def disparity_target(depth: Tensor) -> Tensor:
    """Return the raw disparity (B, 1, H, W) that the depth model is taught: `depth` scaled to median 2.5, as d = 7 / z - 0.1, at least 0.

    With this scale the method's orthographic points z = 7 / (d + 0.1) are about as deep as they are wide, as the true ones are.
    """
    median = depth.flatten(1).median(dim=1).values.view(-1, 1, 1, 1)
    return (DEPTH_SCALE * median / (MEDIAN_DEPTH * depth) - MIN_DISPARITY).clamp_min(0)


def camera_rays(fov_deg: Tensor, height: int, width: int) -> Tensor:
    """Return (B, P, 3) ray directions through pixel centres in the camera's frame, z = -1; ``fov_deg`` (B,) is across the longer side."""
    device = fov_deg.device
    reach = torch.deg2rad(fov_deg / 2).tan()[:, None] / max(height, width)
    x = (2 * torch.arange(width, device=device) + 1 - width).repeat(height)
    y = (height - 1 - 2 * torch.arange(height, device=device)).repeat_interleave(width)
    return torch.stack([reach * x, reach * y, -torch.ones_like(reach * x)], dim=-1)


def first_hit(bodies: list[tuple[str, Placement]], origins: Tensor, directions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the nearest meeting with any body: t (B, P), normals (B, P, 3), slot (B, P); t is `MISS` and slot -1 where there is none."""
    best_t = torch.full(directions.shape[:2], MISS, device=directions.device)
    best_normals = torch.zeros_like(directions)
    slots = torch.full_like(best_t, -1, dtype=torch.long)
    for slot, (kind, placement) in enumerate(bodies):
        t, normals = placement.intersect(kind, origins, directions)
        nearer = t < best_t
        best_t = torch.where(nearer, t, best_t)
        best_normals = torch.where(nearer[..., None], normals, best_normals)
        slots = torch.where(nearer, slot, slots)
    return best_t, best_normals, slots


def see(layout: Layout, directions: Tensor) -> Surface:
    """Return what the camera's world rays ``directions`` (B, P, 3) meet in ``layout``, without relief."""
    origins = torch.zeros_like(directions[:, :1])
    room_t, room_normals = leave_box(layout.room, origins, directions)
    t, normals, slot = first_hit(layout.bodies, origins, directions)
    room_material = torch.where(room_normals[..., 1] > 0.5, 0, torch.where(room_normals[..., 1] < -0.5, 2, 1))
    in_front = t < room_t
    t = torch.where(in_front, t, room_t)
    normals = torch.where(in_front[..., None], normals, room_normals)
    material = torch.where(in_front, slot + _ROOM_MATERIALS, room_material)
    return Surface(t, t[..., None] * directions, normals, material)


def draw_materials(generator: torch.Generator, family: Family, batch: int) -> Materials:
    """Draw what every surface of ``batch`` scenes wears."""
    materials = _ROOM_MATERIALS + BODY_SLOTS
    relief = draw_tiles(generator, family.relief, _TILES_A_BANK // 2)
    slopes = with_slopes(relief)
    relief_bank = slopes / slopes[:, 1:].square().sum(1, keepdim=True).mean((2, 3), keepdim=True).sqrt()
    tile_size = torch.exp(uniform(generator, batch, materials, low=-2.3, high=0.5))
    tile_size[:, _ROOM_MATERIALS:] *= 0.5
    has_relief = uniform(generator, batch, materials) < family.relief_share
    return Materials(
        albedo_bank=draw_albedo_tiles(generator, family.albedo, _TILES_A_BANK),
        relief_bank=relief_bank,
        albedo_tile=torch.randint(_TILES_A_BANK, (batch, materials), generator=generator, device=generator.device),
        relief_tile=torch.randint(len(relief_bank), (batch, materials), generator=generator, device=generator.device),
        tile_size=tile_size,
        relief_slope=torch.where(has_relief, family.relief_slope * uniform(generator, batch, materials), 0.0),
        gloss=family.gloss * uniform(generator, batch, materials) ** 2,
        shininess=torch.exp(uniform(generator, batch, materials, low=1.5, high=4.5)),
    )


def wear(layout: Layout, surface: Surface, directions: Tensor, materials: Materials) -> tuple[Surface, Tensor]:
    """Return ``surface`` with its relief, and its albedo (B, P, 3).

    Relief moves a point along its ray by height / |normal · ray| and tilts the normal by the height's slope.
    """

    def pick(table: Tensor) -> Tensor:
        return table.gather(1, surface.material)

    def sample(bank: Tensor, tiles: Tensor, t: Tensor) -> Tensor:
        offset = t[..., None] * directions - centre
        uv = torch.stack([(offset * u_axis).sum(-1), (offset * v_axis).sum(-1)], dim=-1) / size[..., None]
        return sample_tiles(bank, pick(tiles).flatten(), uv.flatten(0, 1)).view(*t.shape, -1)

    rotation, centre = _frames(layout, surface)
    u_axis, v_axis = _tile_axes(rotation, surface.normals)
    size, slope = pick(materials.tile_size), pick(materials.relief_slope)
    length = directions.norm(dim=-1)
    facing = (surface.normals * directions).sum(-1).abs() / length
    lift = slope * size / (facing.clamp_min(_GRAZING) * length)
    t = surface.t
    for _ in range(2):  # The second pass reads the height where the first one moved the point to.
        relief = sample(materials.relief_bank, materials.relief_tile, t)
        t = (surface.t - lift * relief[..., 0]).clamp_min(_NEAREST)
    normals = surface.normals - slope[..., None] * (relief[..., 1:2] * u_axis + relief[..., 2:] * v_axis)
    worn = replace(surface, t=t, points=t[..., None] * directions, normals=torch.nn.functional.normalize(normals, dim=-1))
    return worn, sample(materials.albedo_bank, materials.albedo_tile, t)


def _frames(layout: Layout, surface: Surface) -> tuple[Tensor, Tensor]:
    """Return per pixel the rotation (B, P, 3, 3) and centre (B, P, 3) of the body or room it belongs to."""
    placements = [layout.room] * _ROOM_MATERIALS + [placement for _, placement in layout.bodies]
    rotations = torch.stack([placement.rotation for placement in placements], dim=1)
    centres = torch.stack([placement.centre for placement in placements], dim=1)
    scene = torch.arange(len(rotations), device=rotations.device)[:, None]
    return rotations[scene, surface.material], centres[scene, surface.material]


def _tile_axes(rotation: Tensor, normals: Tensor) -> tuple[Tensor, Tensor]:
    """Return world axes u, v (B, P, 3) of the tile on each point's dominant local face."""
    dominant = (normals[..., None, :] @ rotation)[..., 0, :].abs().argmax(-1)
    u_index = torch.where(dominant == 0, 2, 0)[..., None, None].expand(*dominant.shape, 3, 1)
    v_index = torch.where(dominant == 1, 2, 1)[..., None, None].expand(*dominant.shape, 3, 1)
    return rotation.gather(-1, u_index)[..., 0], rotation.gather(-1, v_index)[..., 0]


def draw_scenes(generator: torch.Generator, family: Family, batch: int, size: tuple[int, int]) -> Scenes:
    """Draw ``batch`` scenes of ``family`` as pictures of ``size`` (height, width), on the generator's device.

    The same generator state gives the same scenes.
    """
    height, width = size
    layout = draw_layout(generator, family, batch, BODY_SLOTS)
    materials = draw_materials(generator, family, batch)
    directions = camera_rays(layout.fov_deg, height, width) @ layout.camera.transpose(1, 2)
    surface, albedo = wear(layout, see(layout, directions), directions, materials)
    lights = draw_lights(generator, family, layout)
    scene_linear = light_surface(generator, layout, surface, albedo, materials, lights, size)
    image_srgb = photograph(generator, scene_linear.transpose(1, 2).reshape(batch, 3, height, width))
    return Scenes(image_srgb, surface.t.view(batch, 1, height, width))
