"""Relighting the picture with the normals of its pseudo-depth (paper, section "augmentation by re-lighting").

Shapes: B members, H W pixels of the depth model. See the notation table of `engine.method`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

DISPLAY_GAMMA = 2.2  # The released code's stand-in for the sRGB curve; kept inside the loss alone.
MIN_LINEAR = 1e-3


@dataclass(frozen=True, kw_only=True)
class Light:
    """One random light a member.

    Attributes:
        xy: (B, 2) in [-1, 1], the direction (x, y, 1) before normalising; x right, y up.
        shininess: (B,) Blinn-Phong exponent.
        diffuse_specular: (B, 2) weights, non-negative, sum 1.
    """

    xy: Tensor
    shininess: Tensor
    diffuse_specular: Tensor


def pseudo_depth(raw_disparity: Tensor, scale_offset: Tensor, *, depth_scale: float, min_disparity: float) -> Tensor:
    """Return z = (s + tanh o) / (ReLU(d) + m), (B, H, W), positive.

    Args:
        raw_disparity: (B, H, W) output of the DPT head, before or after its ReLU.
        scale_offset: (B,).
    """
    numerator = depth_scale + torch.tanh(scale_offset)
    return numerator[:, None, None] / (torch.relu(raw_disparity) + min_disparity)


def normals_from_depth(depth: Tensor) -> Tensor:
    """Return unit normals (B, 3, H, W) of ``depth`` (B, H, W), facing the viewer, from central differences (one-sided at the borders).

    The camera is orthographic: pixels lie at x in [-W/H, W/H], y in [1, -1] from the top row down, z = -depth.
    Differs: the released code keeps depth as z and so gets x and y negated; here the frame is right-handed.
    """
    height, width = depth.shape[-2:]
    x = torch.linspace(-width / height, width / height, width, dtype=depth.dtype, device=depth.device)
    y = torch.linspace(1, -1, height, dtype=depth.dtype, device=depth.device)
    slope_x, slope_y = _ahead(depth, -1) / _ahead(x, -1), _ahead(depth, -2) / _ahead(y, -1)[:, None]
    n_z = (1 + slope_x**2 + slope_y**2).rsqrt()
    return torch.stack([slope_x * n_z, slope_y * n_z, n_z], dim=1)


def _ahead(values: Tensor, dim: int) -> Tensor:
    """Return the following value less the one before along ``dim``; at the borders the value itself stands in for what is beyond."""
    count = values.shape[dim]
    following = torch.cat([values.narrow(dim, 1, count - 1), values.narrow(dim, count - 1, 1)], dim)
    before = torch.cat([values.narrow(dim, 0, 1), values.narrow(dim, 0, count - 1)], dim)
    return following - before


def shade(normals: Tensor, light: Light) -> tuple[Tensor, Tensor]:
    """Return Blinn-Phong diffuse and specular shading, each (B L, 1, H, W) in [0, 1], of B surfaces under B L lights, L for each in turn.

    The view direction is (0, 0, 1) everywhere: the camera is orthographic.
    """
    light_dir = functional.normalize(functional.pad(light.xy, (0, 1), value=1.0), dim=1)
    view_dir = torch.tensor([0.0, 0.0, 1.0], dtype=light_dir.dtype, device=light_dir.device)
    half_dir = functional.normalize(light_dir + view_dir, dim=1)
    directions = torch.stack([light_dir, half_dir], dim=1).view(len(normals), -1, 3)
    diffuse, specular = (directions @ normals.flatten(2)).clamp(min=0).view(len(light_dir), 2, 1, *normals.shape[-2:]).unbind(1)
    return diffuse, specular ** light.shininess[:, None, None, None]


def composite(image_srgb: Tensor, normals: Tensor, light: Light) -> Tensor:
    """Return the relit picture in linear light, (B L, 3, H, W) in [0.001, 1]; the linear input stands in for the albedo.

    Args:
        image_srgb: (B L or 1, 3, H, W) in [0, 1].
        normals: (B, 3, H, W).
        light: B L lights, L for each surface in turn.
    """
    diffuse, specular = shade(normals, light)
    diffuse_weight, specular_weight = light.diffuse_specular[:, :, None, None, None].unbind(1)
    return (diffuse_weight * diffuse * image_srgb**DISPLAY_GAMMA + specular_weight * specular).clamp(MIN_LINEAR, 1)


def display_from_linear(image_linear: Tensor) -> Tensor:
    """Return display values of a composite (positive), the inverse of the power that `composite` applied to the picture."""
    return (image_linear.log() / DISPLAY_GAMMA).exp()  # torch's power and its derivative take twice as long.


def relight(image_srgb: Tensor, depth: Tensor, light: Light) -> Tensor:
    """Return the picture relit on the surfaces that ``depth`` (B, H, W) describes, display-referred, (B L, 3, H, W).

    Args:
        light: B L lights, L for each surface in turn.
    """
    return display_from_linear(composite(image_srgb, normals_from_depth(depth), light))
