"""The embedded prior: a small denoiser of relit pictures that sees the input picture.

It works on pixels folded ``fold_px`` by ``fold_px`` into channels, so its "latents" are the canvas itself. Guidance contrasts seeing the picture
with not seeing it; texts have no effect. Shapes: B members, H W canvas pixels, p = fold_px, c = 3 p², h w = H/p W/p.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .catalogue import Weights
from .loading import load_pretrained
from .prediction import noise_from_prediction
from .relight_denoiser import RelightDenoiser, Seen, cosine_alphas_cumprod
from .views import see_in_views

CANVAS_PX = 192
CANVAS_MULTIPLE_PX = 16
_VIEW_SCALES = (1.0, 4 / 3)
_STEEP = 0.2  # n_z below which a slope of the estimate is a step from one surface to another.


def latents_from_canvas(canvas_srgb: Tensor, fold_px: int) -> Tensor:
    """Return (B, c, h, w) in [-1, 1] of (B, 3, H, W) in [0, 1]."""
    return functional.pixel_unshuffle(canvas_srgb * 2 - 1, fold_px)


def with_steps_of(estimated: Tensor, seen: Tensor) -> Tensor:
    """Return the normals ``seen`` (B, 3, H, W), but those of ``estimated`` where that steps from one surface to another, and beside.

    The network sees the two surfaces of a step and nothing steep between them; relit so, refinement would flatten the step. Around the picture
    ``estimated`` may be zero: there is no surface, and ``seen`` stays.
    """
    there = estimated[:, 2:] > 0
    steep = (there & (estimated[:, 2:] < _STEEP)).float()
    return torch.where(there & (functional.max_pool2d(steep, 3, stride=1, padding=1) > 0), estimated, seen)


def see_normals_in_views(network: RelightDenoiser, picture_srgb: Tensor) -> Tensor:
    """Return the normals (1, 3, H/2, W/2) of ``picture_srgb`` (1, 3, H, W), their mean over what the network sees at two sizes, each mirrored too.

    The views err apart from one another: on 48 scenes of the unseen family the mean is off by 12.5 degrees, one view by 13.1.
    """
    height, width = picture_srgb.shape[-2:]
    views = see_in_views(
        network.see_normals,
        picture_srgb,
        (height // 2, width // 2),
        scales=_VIEW_SCALES,
        multiple_px=CANVAS_MULTIPLE_PX,
        unmirrored=_mirrored,
    )
    return functional.normalize(views.mean(dim=0, keepdim=True), dim=1)


def _mirrored(normals: Tensor) -> Tensor:
    """Return normals (B, 3, H, W) as they are in the mirror image."""
    return normals.flip(-1) * normals.new_tensor([-1, 1, 1]).view(1, 3, 1, 1)


class EmbeddedPrior:
    """A `engine.method.protocols.DiffusionPrior` on pixels, conditioned on the input picture, predicting the clean canvas."""

    reads_text = False
    canvas_px = CANVAS_PX
    canvas_multiple_px = CANVAS_MULTIPLE_PX

    def __init__(self, network: RelightDenoiser, device: torch.device) -> None:
        self.network = network.to(device).eval().requires_grad_(False)
        self.fold_px: int = network.config["fold_px"]
        self.alphas_cumprod = cosine_alphas_cumprod().to(device)

    @classmethod
    def load(cls, weights: Weights, device: torch.device) -> EmbeddedPrior:
        """Return the prior of the weights' folder, in float32.

        Raises:
            WeightsInvalidError: the weights are damaged or of another shape.
        """
        return cls(load_pretrained(RelightDenoiser, weights, torch_dtype=torch.float32), device)

    def latent_shape(self, height_px: int, width_px: int) -> tuple[int, int, int]:
        """Return (c, h, w)."""
        return 3 * self.fold_px**2, height_px // self.fold_px, width_px // self.fold_px

    @torch.no_grad()
    def condition(self, canvas_srgb: Tensor, base_normals: Tensor, prompt: str, negative_prompt: str) -> Seen:
        """Return what the network sees in the input picture (1, 3, H, W), with the estimate that its light is fitted on."""
        estimated = functional.normalize(functional.avg_pool2d(base_normals, 2), dim=1)
        return Seen.of(canvas_srgb, with_steps_of(estimated, see_normals_in_views(self.network, canvas_srgb)), estimated)

    def encode(self, canvas_srgb: Tensor, posterior_noise: Tensor) -> Tensor:
        """Return the folded canvas (B, c, h, w); there is no posterior."""
        return latents_from_canvas(canvas_srgb, self.fold_px)

    @torch.no_grad()
    def predict_noise(self, noisy_latents: Tensor, timestep: Tensor, conditioning: Seen | None, *, guided: bool) -> tuple[Tensor, Tensor | None]:
        """Return the noise predicted with the picture, if it was seen, and, if ``guided``, without it, each (B, c, h, w)."""
        seeing = self._noise(noisy_latents, timestep, conditioning)
        return seeing, self._noise(noisy_latents, timestep, None) if guided else None

    def _noise(self, noisy_latents: Tensor, timestep: Tensor, seen: Seen | None) -> Tensor:
        clean = self.network(noisy_latents, timestep, seen)
        return noise_from_prediction(clean, noisy_latents, self.alphas_cumprod[timestep], "sample")
