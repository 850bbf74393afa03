"""Made scenes through the whole engine, each refined once and taken with and without the quality gate, and measured against their exact depth.

Shapes: B scenes, H W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..api.result import RefineResult
from ..api.settings import RefineSettings
from ..evaluation.manifest import GroundTruth
from ..evaluation.measure import measure
from ..images.picture import Picture
from ..method.protocols import Conditioning, DepthModel, DiffusionPrior, Encoding
from ..method.refine import RefinedMembers
from ..pipeline import LoadedModels, refine_picture
from .seeds import seeded
from .world.families import Family
from .world.scene import draw_scenes
from .wrapped import WrappedDepth, WrappedPrior

SCENE_PX = (144, 192)
DRAWN_AT_ONCE = 4

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One picture ``image_srgb`` (H, W, 3) in [0, 1] with its exact ``depth`` (H, W), positive, along the view axis."""

    image_srgb: NDArray[np.float32]
    depth: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What refinement made of a scene: ``refined`` is all of it, ``gated`` what the quality gate kept; both hold the same base and members."""

    refined: RefineResult
    gated: RefineResult


class _KeptMembers:
    """Finished members in memory, so that the second run of a scene does not refine again."""

    def __init__(self) -> None:
        self._batches: dict[range, RefinedMembers] = {}

    def load(self, members: range) -> RefinedMembers | None:
        return self._batches.get(members)

    def save(self, members: range, batch: RefinedMembers) -> None:
        self._batches[members] = batch


class _EncodedOnce(WrappedDepth):
    """A depth model that encodes a picture once for all refinements of it in a row."""

    def __init__(self, depth: DepthModel) -> None:
        super().__init__(depth)
        self._encode = _once(depth.encode)

    def encode(self, image_srgb: Tensor) -> Encoding:
        """Return what the wrapped model makes of ``image_srgb`` (1, 3, H, W)."""
        return self._encode(image_srgb)

    def free_encoder(self) -> None:
        """Keep it: the next scene needs it."""


class _ConditionedOnce(WrappedPrior):
    """A prior that looks at a picture once for all refinements of it in a row."""

    def __init__(self, prior: DiffusionPrior) -> None:
        super().__init__(prior)
        self._condition = _once(prior.condition)

    def condition(self, canvas_srgb: Tensor, base_normals: Tensor, prompt: str, negative_prompt: str) -> Conditioning:
        """Return what the wrapped prior makes of ``canvas_srgb`` and ``base_normals``, each (1, 3, H, W), and the texts."""
        return self._condition(canvas_srgb, base_normals, prompt, negative_prompt)


def _once(compute: Callable[..., T]) -> Callable[..., T]:
    """Return ``compute`` such that equal arguments, tensors or texts, in a row are computed with once."""
    last: tuple[tuple[Tensor | str, ...], T] | None = None

    def computed(*arguments: Tensor | str) -> T:
        nonlocal last
        if last is None or not all(map(_is_same, arguments, last[0])):
            last = arguments, compute(*arguments)
        return last[1]

    return computed


def _is_same(one: Tensor | str, other: Tensor | str) -> bool:
    return torch.equal(one, other) if isinstance(one, Tensor) and isinstance(other, Tensor) else one == other


def seen_once(models: LoadedModels) -> LoadedModels:
    """Return ``models`` such that they look at a picture once however often it is refined; the results are the same to the byte."""
    return replace(models, depth=_EncodedOnce(models.depth), prior=_ConditionedOnce(models.prior))


def draw_trial_scenes(family: Family, count: int, seed: int, size: tuple[int, int] = SCENE_PX, *, first: int = 0) -> Iterator[Scene]:
    """Yield ``count`` scenes of ``family``; scene k depends on the seed and k alone.

    Args:
        size: (height, width).
        first: number of the first scene, a multiple of `DRAWN_AT_ONCE`.
    """
    for group in range(first, first + count, DRAWN_AT_ONCE):
        drawn = draw_scenes(seeded("cpu", seed, "trial", family.name, group), family, DRAWN_AT_ONCE, size)
        for image_srgb, depth in zip(drawn.image_srgb[: first + count - group], drawn.depth, strict=False):
            yield Scene(image_srgb=_array(image_srgb.permute(1, 2, 0)), depth=_array(depth[0]))


def picture_of(scene: Scene) -> Picture:
    """Return the scene's picture as `refine_picture` takes it."""
    return Picture(image_srgb=scene.image_srgb, fov_deg=None, sha256="", source_name="made scene")


def refine_scene(scene: Scene, models: LoadedModels, settings: RefineSettings) -> Trial:
    """Return the scene refined by the functions behind ``refine``, once, and both outcomes of it.

    Raises:
        RedepthError: see `engine.pipeline.refine_picture`.
    """
    picture = picture_of(scene)
    members = _KeptMembers()
    refined, gated = (refine_picture(picture, models, replace(settings, gate=gate), member_store=members) for gate in (False, True))
    return Trial(refined=refined, gated=gated)


def scene_errors(disparity: NDArray[np.float32], scene: Scene, *, fov_deg: float) -> dict[str, float]:
    """Return the errors of ``disparity`` (H, W) by the standard protocol, metric -> value; see `engine.evaluation.metrics`."""
    depth = scene.depth.astype(np.float64)
    return measure(disparity, GroundTruth(depth=depth, valid=np.ones(depth.shape, bool)), fov_deg=fov_deg)["standard"]


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.to(torch.float32).contiguous().numpy()
