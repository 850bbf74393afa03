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


def points_from_depth(depth: Tensor) -> Tensor:
    """Return orthographic points (B, 3, H, W): x in [-W/H, W/H], y in [1, -1] from the top row down, z = -depth."""
    batch, height, width = depth.shape
    x = torch.linspace(-width / height, width / height, width, dtype=depth.dtype, device=depth.device)
    y = torch.linspace(1, -1, height, dtype=depth.dtype, device=depth.device)
    x, y = x.expand(batch, height, width), y[:, None].expand(batch, height, width)
    return torch.stack([x, y, -depth], dim=1)


def normals_from_points(points: Tensor) -> Tensor:
    """Return unit normals (B, 3, H, W) facing the viewer, from central differences (one-sided at the borders).

    Differs: the released code keeps depth as z and so gets x and y negated; here the frame is right-handed.
    """
    padded_x = functional.pad(points, (1, 1, 0, 0), mode="replicate")
    padded_y = functional.pad(points, (0, 0, 1, 1), mode="replicate")
    along_x = padded_x[..., 2:] - padded_x[..., :-2]
    along_y = padded_y[..., :-2, :] - padded_y[..., 2:, :]  # Rows run down, y runs up.
    across: Tensor = torch.linalg.cross(along_x, along_y, dim=1)  # Never zero: its z is the product of the grid's steps.
    return across * across.square().sum(dim=1, keepdim=True).rsqrt()  # torch's `normalize` over this dimension takes seven times as long.


def shade(normals: Tensor, light: Light) -> tuple[Tensor, Tensor]:
    """Return Blinn-Phong diffuse and specular shading, each (B, 1, H, W) in [0, 1].

    The view direction is (0, 0, 1) everywhere: the camera is orthographic.
    """
    light_dir = functional.normalize(functional.pad(light.xy, (0, 1), value=1.0), dim=1)
    view_dir = torch.tensor([0.0, 0.0, 1.0], dtype=light_dir.dtype, device=light_dir.device)
    half_dir = functional.normalize(light_dir + view_dir, dim=1)
    diffuse = torch.einsum("bchw,bc->bhw", normals, light_dir).clamp(min=0)
    specular = torch.einsum("bchw,bc->bhw", normals, half_dir).clamp(min=0) ** light.shininess[:, None, None]
    return diffuse[:, None], specular[:, None]


def composite(image_srgb: Tensor, normals: Tensor, light: Light) -> Tensor:
    """Return the relit picture in linear light, (B, 3, H, W) in [0.001, 1]; the linear input stands in for the albedo.

    Args:
        image_srgb: (B or 1, 3, H, W) in [0, 1].
    """
    diffuse, specular = shade(normals, light)
    diffuse_weight, specular_weight = light.diffuse_specular[:, :, None, None, None].unbind(1)
    return (diffuse_weight * diffuse * image_srgb**DISPLAY_GAMMA + specular_weight * specular).clamp(MIN_LINEAR, 1)


def display_from_linear(image_linear: Tensor) -> Tensor:
    """Return display values of a composite, the inverse of the power that `composite` applied to the picture."""
    return image_linear ** (1 / DISPLAY_GAMMA)


def relight(image_srgb: Tensor, depth: Tensor, light: Light) -> Tensor:
    """Return the picture relit on the surfaces that ``depth`` (B, H, W) describes, display-referred, (B L, 3, H, W).

    Args:
        light: B L lights, L for each surface in turn.
    """
    normals = normals_from_points(points_from_depth(depth))
    return display_from_linear(composite(image_srgb, normals.repeat_interleave(len(light.xy) // len(depth), dim=0), light))
