"""What the prior says to the same lights, timesteps and noises before and after refinement. Shapes as in `engine.gate`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..api.settings import MethodSettings
from ..method.canvas import to_canvas
from ..method.draws import draw_step, member_generator
from ..method.guidance import sds_gradient
from ..method.protocols import DiffusionPrior
from ..method.refine import Problem
from ..method.relight import pseudo_depth, relight
from .bands import smooth

DRAWS = 8
_SEED = 77_000_001  # Of the gate's own draws: the same for every picture and every seed of a refinement.
_WINDOW_SHARE = 0.0625


@dataclass(frozen=True, kw_only=True)
class Score:
    """How the prior's residual changed: ln(refined / base), below 0 where it finds the refined relight more plausible.

    Attributes:
        local: (H, W), each value over a smooth window.
        picture: over the whole picture.
    """

    local: Tensor
    picture: float


@torch.no_grad()
def compare_scores(
    problem: Problem,
    prior: DiffusionPrior,
    settings: MethodSettings,
    base: Tensor,
    refined: Tensor,
    *,
    on_draw: Callable[[int], None] = lambda draws_done: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Score | None:
    """Return the score of ``refined`` against ``base``, both (H, W), or None after a stop.

    Each of the `DRAWS` draws relights both with one light and asks the prior once about both with one noise. The residual is the refinement's
    own SDS gradient without extrapolated guidance; each draw counts alike, whatever its timestep weighs.
    """
    maps = torch.stack([base, refined])
    no_offset = torch.zeros(2, device=maps.device)
    depth = pseudo_depth(maps, no_offset, depth_scale=settings.depth_scale, min_disparity=settings.min_disparity)
    canvas_px = _canvas(problem.image_srgb, prior, settings).shape[-2:]
    energy = torch.zeros_like(maps)
    for draw_number in range(DRAWS):
        if should_stop():
            return None
        twins = [member_generator(_SEED, draw_number) for _ in maps]  # Two generators in one state draw the same twice.
        draw = draw_step(twins, prior.latent_shape(*canvas_px), settings, maps.device)
        latents = prior.encode(_canvas(relight(problem.image_srgb, depth, draw.light), prior, settings), draw.posterior_noise)
        residual = sds_gradient(prior, latents, draw.timestep, draw.noise, problem.conditioning, guidance_scale=1.0, weighting=settings.weighting)
        squared = _from_canvas((residual.float() ** 2).mean(dim=1, keepdim=True), problem.image_srgb, prior, settings)
        energy += squared / squared[0].mean().clamp(min=torch.finfo(torch.float32).tiny)
        on_draw(draw_number + 1)
    tiny = torch.finfo(torch.float32).tiny
    windows = [smooth(values, _WINDOW_SHARE).clamp(min=tiny).log() for values in energy]
    base_mean, refined_mean = energy.mean(dim=(1, 2)).clamp(min=tiny).log().tolist()
    return Score(local=windows[1] - windows[0], picture=refined_mean - base_mean)


def _canvas(images: Tensor, prior: DiffusionPrior, settings: MethodSettings) -> Tensor:
    return to_canvas(images, settings.canvas, prior.canvas_px, prior.canvas_multiple_px)


def _from_canvas(values: Tensor, image_srgb: Tensor, prior: DiffusionPrior, settings: MethodSettings) -> Tensor:
    """Return ``values`` (2, 1, h, w) on the latents' grid as (2, H, W), without the canvas's padding."""
    picture = _canvas(torch.ones_like(image_srgb[:, :1]), prior, settings)
    rows, columns = (picture[0, 0].amax(dim=axis).nonzero() for axis in (1, 0))
    on_canvas = functional.interpolate(values, size=picture.shape[-2:], mode="bilinear", align_corners=False)
    inside = on_canvas[..., int(rows.min()) : int(rows.max()) + 1, int(columns.min()) : int(columns.max()) + 1]
    return functional.interpolate(inside, size=image_srgb.shape[-2:], mode="bilinear", align_corners=False)[:, 0]
