"""The light under which a known surface looks most like a noisy relight of it: nonlinear least squares through the method's own renderer.

The relight is of a surface that refinement has reached, somewhere between what a depth model estimates and the true one. How far it has come is
fitted along with the light, for a flatter surface under a lower light looks much the same. Thousands of noisy pixels determine five numbers.

Shapes: B relights, H W pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..method.draws import SHININESS_LOG2_RANGE
from ..method.relight import Light, composite, display_from_linear

STEPS = 5
_EXPECTED = (0.0, 0.0, 0.0, 0.0, -1.5)  # tanh: light x, y; logistic: shininess, diffuse weight, way from the estimated to the true surface.
_LIMIT = 3.0  # Beyond it tanh and the logistic function hardly move.
_LARGEST_STEP = 1.0
_DAMPING = 1e-3
_DIFFERENCE = 1e-2
_SURFACE_ERROR = 0.05  # Of a pixel, standard deviation: what a surface known wrongly adds to the noise.


@torch.no_grad()
def fit_light(noise_to_signal: Tensor, relit_srgb: Tensor, picture_srgb: Tensor, estimated: Tensor, true: Tensor) -> Light:
    """Return B lights within the range of `engine.method.draws.draw_light`, the most probable ones, by Gauss-Newton steps.

    Args:
        noise_to_signal: (B,), standard deviation of a pixel's noise, in the units of the relight.
        relit_srgb: (B, 3, H, W) in about [0, 1], noisy.
        picture_srgb: (B or 1, 3, H, W) in [0, 1].
        estimated, true: (B or 1, 3, H, W) normals, unit length, of the surfaces that the relit one is between.
    """
    noise_to_signal, relit_srgb, picture_srgb, estimated, true = (
        each.double() for each in (noise_to_signal, relit_srgb, picture_srgb, estimated, true)
    )  # Differences of float32 relights are so coarse that a member would depend on those beside it.
    observed = relit_srgb.mean(dim=1).flatten(1)
    weight = 1 / (noise_to_signal**2 / relit_srgb.shape[1] + _SURFACE_ERROR**2)

    def rendered(unknowns: Tensor) -> Tensor:
        copies = len(unknowns) // len(relit_srgb)
        scene = (each if len(each) == 1 else each.repeat(copies, 1, 1, 1) for each in (picture_srgb, estimated, true))
        return _render(unknowns, *scene)

    expected = torch.tensor(_EXPECTED, dtype=torch.float64, device=relit_srgb.device)
    unknowns = expected.expand(len(relit_srgb), -1)
    for _ in range(STEPS):
        image, slopes = _value_and_slopes(rendered, unknowns)
        weighted = slopes * weight[:, None, None]
        curvature = weighted @ slopes.mT + torch.eye(len(expected), dtype=torch.float64, device=relit_srgb.device)
        downhill = (weighted @ (observed - image)[..., None])[..., 0] + expected - unknowns
        curvature = curvature + _DAMPING * torch.diag_embed(curvature.diagonal(dim1=1, dim2=2))
        step = torch.linalg.solve(curvature, downhill).clamp(-_LARGEST_STEP, _LARGEST_STEP)
        unknowns = (unknowns + step).clamp(-_LIMIT, _LIMIT)
    return _light(unknowns.float())


def _light(unknowns: Tensor) -> Light:
    low, high = SHININESS_LOG2_RANGE
    diffuse = torch.sigmoid(unknowns[:, 3])
    return Light(
        xy=torch.tanh(unknowns[:, :2]),
        shininess=2 ** (low + (high - low) * torch.sigmoid(unknowns[:, 2])),
        diffuse_specular=torch.stack([diffuse, 1 - diffuse], dim=1),
    )


def _render(unknowns: Tensor, picture_srgb: Tensor, estimated: Tensor, true: Tensor) -> Tensor:
    """Return the grey relights (B, H W) of the surfaces and lights that ``unknowns`` (B, 5) tell."""
    way = torch.sigmoid(unknowns[:, 4])[:, None, None, None]
    normals = estimated + way * (true - estimated)
    normals = normals * normals.square().sum(dim=1, keepdim=True).rsqrt()
    return display_from_linear(composite(picture_srgb, normals, _light(unknowns))).mean(dim=1).flatten(1)


def _value_and_slopes(rendered: Callable[[Tensor], Tensor], unknowns: Tensor) -> tuple[Tensor, Tensor]:
    """Return the relights (B, N) and their slopes (B, 5, N) along each of the unknowns (B, 5), by differences."""
    batch, count = unknowns.shape
    apart = torch.cat(
        [
            torch.zeros(1, count, dtype=unknowns.dtype, device=unknowns.device),
            _DIFFERENCE * torch.eye(count, dtype=unknowns.dtype, device=unknowns.device),
        ]
    )
    images = rendered((unknowns[None] + apart[:, None]).flatten(0, 1)).view(count + 1, batch, -1)
    return images[0], ((images[1:] - images[0]) / _DIFFERENCE).transpose(0, 1)
