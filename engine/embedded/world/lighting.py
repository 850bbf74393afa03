"""Lamps, soft shadows, and the light that a surface sends to the camera. B scenes, P points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, normalize

from .families import Family
from .layout import Layout
from .textures import uniform

if TYPE_CHECKING:
    from .scene import Materials, Surface

_LIFT = 2e-3


@dataclass(frozen=True)
class Lights:
    """Two lamps a scene and the light from all around.

    Attributes:
        positions: (2, B, 3); colours: (2, B, 3); radius: (B,) of the first lamp, which casts the shadows.
        ambient: (B, 3).
    """

    positions: Tensor
    colours: Tensor
    radius: Tensor
    ambient: Tensor


def draw_lights(generator: torch.Generator, family: Family, layout: Layout) -> Lights:
    """Draw the lamps: direction by the family's azimuths, near ones falling off and far ones like the sun."""
    batch = len(layout.fov_deg)
    reach = layout.room.scale[:, 2]
    positions, colours = [], []
    for strength in (1.0, family.second_light):
        azimuth = torch.deg2rad(uniform(generator, batch, low=family.key_azimuth_deg[0], high=family.key_azimuth_deg[1]))
        elevation = torch.deg2rad(uniform(generator, batch, low=12, high=80))
        away = torch.stack([azimuth.sin() * elevation.cos(), elevation.sin(), azimuth.cos() * elevation.cos()], dim=-1)
        distance = reach * torch.where(uniform(generator, batch) < 0.5, uniform(generator, batch, low=0.6, high=1.5), 20.0)
        aim = torch.zeros_like(away)
        aim[:, 2] = -0.7 * reach
        positions.append(aim + away * distance[:, None])
        warmth = uniform(generator, batch, low=-0.25, high=0.25)
        tint = torch.stack([1 + warmth, torch.ones_like(warmth), 1 - warmth], dim=-1)
        colours.append(tint * (strength * uniform(generator, batch, 1, low=0.4, high=1)))
    ambient = uniform(generator, batch, 1, low=0.1, high=0.7) * (1 + uniform(generator, batch, 3, low=-0.1, high=0.1))
    radius = (positions[0] - aim).norm(dim=-1) * uniform(generator, batch, high=0.2)
    return Lights(torch.stack(positions), torch.stack(colours), radius, ambient)


def _lit_share(generator: torch.Generator, layout: Layout, surface: Surface, lights: Lights, size: tuple[int, int]) -> Tensor:
    """Return (B, P) the share of the first lamp that each point sees: one ray to a random point of the lamp at every second pixel, smoothed."""
    height, width = size
    points = (surface.points + _LIFT * surface.normals * surface.t[..., None]).view(-1, height, width, 3)[:, ::2, ::2]
    batch, rows, columns, _ = points.shape
    jitter = torch.randn((batch, rows * columns, 3), generator=generator, device=generator.device) * lights.radius[:, None, None]
    points = points.reshape(batch, -1, 3)
    towards = lights.positions[0][:, None] + jitter - points
    lit = torch.ones(points.shape[:2], device=points.device)
    for kind, placement in layout.bodies:
        t, _ = placement.intersect(kind, points, towards)
        lit = torch.where(t < 1, 0.0, lit)
    smooth = avg_pool2d(lit.view(batch, 1, rows, columns), 3, stride=1, padding=1, count_include_pad=False)
    return interpolate(smooth, size=size, mode="bilinear", align_corners=False).flatten(1)


def _mean_around(image: Tensor, reach: int) -> Tensor:
    along = avg_pool2d(image, (1, reach), stride=1, padding=(0, reach // 2), count_include_pad=False)
    return avg_pool2d(along, (reach, 1), stride=1, padding=(reach // 2, 0), count_include_pad=False)


def openness(depth: Tensor) -> Tensor:
    """Return (B, 1, H, W) in [0.35, 1]: how little of the light from all around nearer neighbours hide, judged from depth alone."""
    disparity = 1 / depth
    hidden = torch.zeros_like(depth)
    for reach in (7, 21):
        around = _mean_around(disparity, reach)
        hidden = hidden + (around / disparity - 1).clamp(0, 0.25) * 1.3
    return 1 - hidden.clamp_max(0.65)


def light_surface(
    generator: torch.Generator, layout: Layout, surface: Surface, albedo: Tensor, materials: Materials, lights: Lights, size: tuple[int, int]
) -> Tensor:
    """Return the linear light (B, P, 3) that the camera receives: Lambert, Blinn-Phong, soft shadow, and ambient with openness."""
    view_dir = normalize(-surface.points, dim=-1)
    gloss = materials.gloss.gather(1, surface.material)[..., None]
    shininess = materials.shininess.gather(1, surface.material)[..., None]
    up = 0.75 + 0.25 * surface.normals[..., 1:2]
    open_ = openness(surface.t.view(-1, 1, *size)).flatten(2).transpose(1, 2)
    received = albedo * lights.ambient[:, None] * up * open_
    shares = (_lit_share(generator, layout, surface, lights, size)[..., None], open_)
    for position, colour, share in zip(lights.positions, lights.colours, shares, strict=True):
        towards = position[:, None] - surface.points
        distance = towards.norm(dim=-1, keepdim=True)
        light_dir = towards / distance
        falloff = (position.norm(dim=-1)[:, None, None] / distance).clamp_max(2.5) ** 2
        diffuse = (surface.normals * light_dir).sum(-1, keepdim=True).clamp_min(0)
        half_dir = normalize(light_dir + view_dir, dim=-1)
        specular = (surface.normals * half_dir).sum(-1, keepdim=True).clamp_min(1e-4) ** shininess * (diffuse > 0)
        received = received + colour[:, None] * share * falloff * (albedo * diffuse + gloss * specular)
    return received
