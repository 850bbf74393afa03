"""Test-time refinement of one picture's depth: the paper, read from top to bottom.

    encode once → for each step: decode → pseudo-depth → normals → random light → composite → canvas → latents
    → SDS gradient + smoothness + anchor → AdamW on tokens, head and o → mean over members

Source: Re-Depth Anything, arXiv 2512.17908, and the authors' released code; `Differs` notes stand where we leave it.
See `engine.method` for the notation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..api.errors import NumericalError
from ..api.settings import MethodSettings
from .canvas import to_canvas
from .confidence import confidence
from .draws import StepDraw, draw_step, member_generator
from .guidance import sds_gradient
from .losses import anchor_loss, laplacian_smoothness, sds_loss
from .members import Members, base_disparity
from .protocols import Conditioning, DepthModel, DiffusionPrior, Encoding
from .relight import normals_from_depth, pseudo_depth, relight


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One picture, ready for refinement.

    Attributes:
        image_srgb: (1, 3, H, W) in [0, 1], at the depth model's size.
        encoding: what the encoder saw of it; the encoder itself is no longer needed.
        base: (1, H, W), the depth model's own disparity of it: where every member starts.
        confidence: (1, H, W), in the base, which the anchor is weighted by; 1 where the depth model looked once.
        conditioning: of the prior, for this picture and prompt.
    """

    image_srgb: Tensor
    encoding: Encoding
    base: Tensor
    confidence: Tensor
    conditioning: Conditioning


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """Where a batch of members stands after a step; losses are means over its members."""

    members: Sequence[int]
    step: int
    guidance_loss: float
    smoothness_loss: float
    disparity: Tensor


@dataclass(frozen=True, kw_only=True)
class RefinedMembers:
    """Members after their last step.

    Attributes:
        disparity, depth: (B, H, W); the ensemble's answer is their mean over B.
        steps_done: steps that these members made; fewer than asked for after a stop.
    """

    disparity: Tensor
    depth: Tensor
    steps_done: int


def prepare(
    depth_model: DepthModel, prior: DiffusionPrior, image_srgb: Tensor, *, prompt: str, negative_prompt: str, settings: MethodSettings
) -> Problem:
    """Return the problem of one picture: the encoder and the text encoder run here, and not in the steps.

    Args:
        image_srgb: (1, 3, H, W) in [0, 1], H and W multiples of the depth model's patch.
    """
    encoding = depth_model.encode(image_srgb)
    base = base_disparity(depth_model, encoding)
    base_depth = pseudo_depth(base, torch.zeros(1, device=base.device), depth_scale=settings.depth_scale, min_disparity=settings.min_disparity)
    base_normals = normals_from_depth(base_depth)
    canvas_srgb, canvas_normals = (
        to_canvas(field, settings.canvas, prior.canvas_px, prior.canvas_multiple_px) for field in (image_srgb, base_normals)
    )
    return Problem(
        image_srgb=image_srgb,
        encoding=encoding,
        base=base,
        confidence=torch.ones_like(base) if encoding.views is None else confidence(base, encoding.views, settings.min_disparity),
        conditioning=prior.condition(canvas_srgb, canvas_normals, prompt, negative_prompt),
    )


def refine_members(
    problem: Problem,
    depth_model: DepthModel,
    prior: DiffusionPrior,
    settings: MethodSettings,
    members: Sequence[int],
    *,
    on_step: Callable[[StepReport], None] = lambda report: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> RefinedMembers:
    """Return ``members`` (numbers below ``settings.members``) refined as one batch; a stop between steps keeps what they reached.

    Each member draws from a generator of its own, so any split into batches gives the same members within float tolerance.

    Raises:
        NumericalError: a loss is no longer finite.
    """
    state = Members(depth_model, problem.encoding, len(members))
    optimiser = state.optimiser(settings)
    generators = [generator for member in members for generator in [member_generator(settings.seed, member)] * settings.lights_per_step]
    latent_shape = prior.latent_shape(*_canvas_size(problem.image_srgb, prior, settings))
    steps_done = 0
    while steps_done < settings.steps and not should_stop():
        draw = draw_step(generators, latent_shape, settings, problem.image_srgb.device)
        disparity, guidance_loss, smoothness_loss, anchor = _losses(state, problem, prior, settings, draw)
        total = guidance_loss + settings.smoothness_weight * smoothness_loss + settings.anchor_weight * anchor
        _require_finite(total, steps_done + 1)
        optimiser.zero_grad(set_to_none=True)
        total.sum().backward()
        optimiser.step()
        steps_done += 1
        on_step(
            StepReport(
                members=members,
                step=steps_done,
                guidance_loss=guidance_loss.mean().item(),
                smoothness_loss=smoothness_loss.mean().item(),
                disparity=disparity.detach(),
            )
        )
    with torch.no_grad():
        disparity = state.disparity()
        depth = _depth(disparity, state, settings)
    return RefinedMembers(disparity=disparity, depth=depth, steps_done=steps_done)


def _losses(
    state: Members, problem: Problem, prior: DiffusionPrior, settings: MethodSettings, draw: StepDraw
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the members' disparity (B, H, W), and their losses without weights, (B,) each: guidance, smoothness, anchor."""
    disparity = state.disparity()
    relit = relight(problem.image_srgb, _depth(disparity, state, settings), draw.light)
    canvas_srgb = to_canvas(relit, settings.canvas, prior.canvas_px, prior.canvas_multiple_px)
    latents = prior.encode(canvas_srgb, draw.posterior_noise)
    gradient = sds_gradient(
        prior,
        latents,
        draw.timestep,
        draw.noise,
        problem.conditioning,
        guidance_scale=settings.guidance_scale,
        weighting=settings.weighting,
    )
    guidance_loss = sds_loss(latents, gradient).view(-1, settings.lights_per_step).mean(dim=1)
    anchor = anchor_loss(disparity, problem.base, problem.confidence, settings.min_disparity)
    return disparity, guidance_loss, laplacian_smoothness(disparity), anchor


def _depth(disparity: Tensor, state: Members, settings: MethodSettings) -> Tensor:
    return pseudo_depth(disparity, state.scale_offset, depth_scale=settings.depth_scale, min_disparity=settings.min_disparity)


def _canvas_size(image_srgb: Tensor, prior: DiffusionPrior, settings: MethodSettings) -> tuple[int, int]:
    height, width = to_canvas(image_srgb, settings.canvas, prior.canvas_px, prior.canvas_multiple_px).shape[-2:]
    return height, width


def _require_finite(total: Tensor, step: int) -> None:
    if not torch.isfinite(total).all():
        raise NumericalError(
            f"The loss is no longer finite at step {step}.",
            hint="Lower the learning rates or the guidance scale, or choose float32 precision.",
        )
