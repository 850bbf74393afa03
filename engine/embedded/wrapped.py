"""A depth model and a prior that are another one's in all but what a subclass says; see `engine.method.protocols`."""

from __future__ import annotations

from torch import Tensor, nn

from ..method.protocols import Conditioning, DepthModel, DiffusionPrior, Encoding


class WrappedDepth:
    """A `engine.method.protocols.DepthModel`."""

    def __init__(self, depth: DepthModel) -> None:
        self._depth = depth
        self.patch_px, self.input_px, self.needs_cleaning = depth.patch_px, depth.input_px, depth.needs_cleaning

    def encode(self, image_srgb: Tensor) -> Encoding:
        return self._depth.encode(image_srgb)

    def free_encoder(self) -> None:
        self._depth.free_encoder()

    def new_decoder(self) -> nn.Module:
        return self._depth.new_decoder()


class WrappedPrior:
    """A `engine.method.protocols.DiffusionPrior`."""

    def __init__(self, prior: DiffusionPrior) -> None:
        self._prior = prior
        self.reads_text, self.canvas_px, self.canvas_multiple_px = prior.reads_text, prior.canvas_px, prior.canvas_multiple_px
        self.alphas_cumprod = prior.alphas_cumprod

    def latent_shape(self, height_px: int, width_px: int) -> tuple[int, int, int]:
        return self._prior.latent_shape(height_px, width_px)

    def condition(self, canvas_srgb: Tensor, base_normals: Tensor, prompt: str, negative_prompt: str) -> Conditioning:
        return self._prior.condition(canvas_srgb, base_normals, prompt, negative_prompt)

    def encode(self, canvas_srgb: Tensor, posterior_noise: Tensor) -> Tensor:
        return self._prior.encode(canvas_srgb, posterior_noise)

    def predict_noise(self, noisy_latents: Tensor, timestep: Tensor, conditioning: Conditioning, *, guided: bool) -> tuple[Tensor, Tensor | None]:
        return self._prior.predict_noise(noisy_latents, timestep, conditioning, guided=guided)
