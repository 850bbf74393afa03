"""What the method asks of a depth model and of a prior; `engine.models` implements both.

Shapes: B members, H W pixels, N patch tokens of C channels, c h w latents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

Conditioning = Any  # Whatever a prior's `condition` gives; only the same prior's `predict_noise` looks inside.


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """What the encoder saw of one picture.

    Attributes:
        tokens: 4 tensors (1, 1 + N, C), the class token first.
        patch_grid: rows and columns of patches; N is their product.
        views: (V, H, W), raw disparities of the picture seen in V ways, whose mean is the model's estimate; None where what is decoded of
            ``tokens`` is the estimate.
    """

    tokens: tuple[Tensor, ...]
    patch_grid: tuple[int, int]
    views: Tensor | None = None


class Decoder(Protocol):
    """The trainable neck and head: tokens to raw disparity."""

    def __call__(self, tokens: tuple[Tensor, ...], patch_grid: tuple[int, int]) -> Tensor:
        """Return raw disparity (1, H, W), larger = nearer, of 4 token tensors (1, 1 + N, C)."""


class DepthModel(Protocol):
    """A depth model that splits exactly into an encoder and a decoder.

    Attributes:
        patch_px: sides of its input are multiples of this.
        input_px: long side of the input that it was trained for.
        needs_cleaning: whether its maps blur steps and carry grain, for `engine.images.clean` to take away; never so of published models.
    """

    patch_px: int
    input_px: int
    needs_cleaning: bool

    def encode(self, image_srgb: Tensor) -> Encoding:
        """Return the encoder's tokens of ``image_srgb`` (1, 3, H, W) in [0, 1], H and W multiples of the patch."""

    def free_encoder(self) -> None:
        """Give the encoder's memory back; the next `encode` takes it again."""

    def new_decoder(self) -> nn.Module:
        """Return a fresh float32 copy of the pretrained `Decoder`, trainable."""


class DiffusionPrior(Protocol):
    """A frozen image diffusion model on a schedule of 1000 timesteps.

    Attributes:
        canvas_px: long side of the canvas it was trained on.
        canvas_multiple_px: both sides of a non-square canvas are multiples of this.
        alphas_cumprod: (1000,) ᾱ, on the prior's device.
        reads_text: whether prompts have an effect.
    """

    reads_text: bool
    canvas_px: int
    canvas_multiple_px: int
    alphas_cumprod: Tensor

    def latent_shape(self, height_px: int, width_px: int) -> tuple[int, int, int]:
        """Return (c, h, w) of the latents of a canvas."""

    def condition(self, canvas_srgb: Tensor, base_normals: Tensor, prompt: str, negative_prompt: str) -> Conditioning:
        """Return what guides the denoiser.

        Args:
            canvas_srgb: the input picture on the canvas, (1, 3, H, W) in [0, 1].
            base_normals: of the depth model's own estimate, on the canvas, (1, 3, H, W); for a prior that wants to know what is relit first.
        """

    def encode(self, canvas_srgb: Tensor, posterior_noise: Tensor) -> Tensor:
        """Return latents (B, c, h, w) of (B, 3, H, W) in [0, 1], differentiable; ``posterior_noise`` samples the posterior, if there is one."""

    def predict_noise(self, noisy_latents: Tensor, timestep: Tensor, conditioning: Conditioning, *, guided: bool) -> tuple[Tensor, Tensor | None]:
        """Return the predicted noise with the condition and, if ``guided``, without it, each (B, c, h, w)."""
