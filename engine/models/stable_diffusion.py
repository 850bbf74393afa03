"""Stable Diffusion 1.x and 2.x, and anything in a diffusers folder of that shape, as a prior.

Shapes: B members, H W canvas pixels, c = 4 latent channels, h w = H/8 W/8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from ..api.errors import WeightsInvalidError
from .catalogue import Weights
from .loading import load_pretrained
from .precision import cast_into_prior, cast_out_of_prior
from .prediction import noise_from_prediction


@dataclass(frozen=True, kw_only=True)
class TextConditioning:
    """Embeddings of prompt and negative prompt, each (1, length, channels)."""

    text: Tensor
    uncond: Tensor


class StableDiffusionPrior:
    """A `engine.method.protocols.DiffusionPrior` in latent space, guided by text.

    ``encode`` is differentiable through the autoencoder; the denoiser and the texts are frozen.
    """

    reads_text = True

    def __init__(self, weights: Weights, device: torch.device, dtype: torch.dtype, tiny_autoencoder: Weights | None = None) -> None:
        """Load the parts that the method needs; the safety checker and the decoder's use are not among them.

        Args:
            tiny_autoencoder: weights of an `AutoencoderTiny` to use in place of the prior's own autoencoder.

        Raises:
            WeightsInvalidError: a part is missing or damaged, or the shapes are not those of text-to-image Stable Diffusion.
        """
        self.weights, self.device, self.dtype = weights, device, dtype
        self.scheduler = load_pretrained(DDIMScheduler, weights, subfolder="scheduler")
        self.prediction_type: str = self.scheduler.config.prediction_type
        self.alphas_cumprod: Tensor = self.scheduler.alphas_cumprod.to(device)
        self.unet: UNet2DConditionModel = _frozen(_load_part(UNet2DConditionModel, weights, "unet", dtype), device)
        self.autoencoder: AutoencoderKL | AutoencoderTiny = _frozen(_load_autoencoder(weights, tiny_autoencoder, dtype), device)
        self._require_text_to_image()
        self.latent_factor: int = 2 ** (len(_block_channels(self.autoencoder)) - 1)
        self.canvas_px: int = self.unet.config.sample_size * self.latent_factor
        self.canvas_multiple_px: int = self.latent_factor * 2 ** (len(self.unet.config.block_out_channels) - 1)

    def latent_shape(self, height_px: int, width_px: int) -> tuple[int, int, int]:
        """Return (4, H/8, W/8)."""
        return self.unet.config.in_channels, height_px // self.latent_factor, width_px // self.latent_factor

    @torch.no_grad()
    def condition(self, canvas_srgb: Tensor, base_normals: Tensor, prompt: str, negative_prompt: str) -> TextConditioning:
        """Return the embeddings of both texts; the picture itself is not seen by this prior.

        The text encoder runs on the CPU and is freed at once.
        """
        tokenizer = load_pretrained(CLIPTokenizer, self.weights, subfolder="tokenizer")
        text_encoder = _load_part(CLIPTextModel, self.weights, "text_encoder", torch.float32).eval()
        limit = text_encoder.config.max_position_embeddings
        tokens = tokenizer([prompt, negative_prompt], padding="max_length", max_length=limit, truncation=True, return_tensors="pt")
        text, uncond = text_encoder(tokens.input_ids)[0].to(self.device, self.dtype).split(1)
        return TextConditioning(text=text, uncond=uncond)

    def encode(self, canvas_srgb: Tensor, posterior_noise: Tensor) -> Tensor:
        """Return scaled latents (B, 4, h, w), float32, of (B, 3, H, W) in [0, 1].

        The tiny autoencoder has no posterior and leaves the noise unused.
        """
        pixels = cast_into_prior(canvas_srgb * 2 - 1, self.dtype)
        if isinstance(self.autoencoder, AutoencoderTiny):
            latents = cast_out_of_prior(self.autoencoder.encode(pixels).latents)
        else:
            posterior = self.autoencoder.encode(pixels).latent_dist
            latents = cast_out_of_prior(posterior.mean) + cast_out_of_prior(posterior.std) * posterior_noise
        return latents * self.autoencoder.config.scaling_factor

    @torch.no_grad()
    def predict_noise(self, noisy_latents: Tensor, timestep: Tensor, conditioning: TextConditioning, *, guided: bool) -> tuple[Tensor, Tensor | None]:
        """Return the noise predicted under the prompt and, if ``guided``, under the negative prompt, each (B, 4, h, w), in one pass."""
        texts = (conditioning.text, conditioning.uncond) if guided else (conditioning.text,)
        embeddings = torch.cat([text.expand(len(noisy_latents), -1, -1) for text in texts])
        noisy, timesteps = noisy_latents.repeat(len(texts), 1, 1, 1), timestep.repeat(len(texts))
        prediction = self.unet(noisy.to(self.dtype), timesteps, encoder_hidden_states=embeddings).sample.to(noisy_latents.dtype)
        noise_pred = noise_from_prediction(prediction, noisy, self.alphas_cumprod[timesteps], self.prediction_type)
        text, *uncond = noise_pred.chunk(len(texts))
        return text, uncond[0] if uncond else None

    def _require_text_to_image(self) -> None:
        latent_channels = self.autoencoder.config.latent_channels
        if self.unet.config.in_channels != latent_channels or self.scheduler.config.num_train_timesteps != 1000:
            raise WeightsInvalidError(
                f"{self.weights.name} takes {self.unet.config.in_channels} latent channels where its autoencoder gives {latent_channels}: "
                "it is no plain text-to-image model.",
                hint="Choose a text-to-image model of the Stable Diffusion 1.x or 2.x family.",
            )
        if self.prediction_type not in ("epsilon", "v_prediction"):
            raise WeightsInvalidError(f"{self.weights.name} predicts {self.prediction_type!r}.", hint="Choose a model that predicts epsilon or v.")


def _load_part(kind: type[Any], weights: Weights, subfolder: str, dtype: torch.dtype) -> Any:
    """Load one part; where the folder holds only half-precision files, those."""
    folder = weights.folder / subfolder
    full_precision = (folder / "model.safetensors").exists() or (folder / "diffusion_pytorch_model.safetensors").exists()
    variant = None if full_precision or not list(folder.glob("*.fp16.safetensors")) else "fp16"
    dtype_name = "dtype" if kind is CLIPTextModel else "torch_dtype"
    return load_pretrained(kind, weights, subfolder=subfolder, variant=variant, use_safetensors=True, **{dtype_name: dtype})


def _load_autoencoder(weights: Weights, tiny: Weights | None, dtype: torch.dtype) -> Any:
    if tiny is not None:
        return load_pretrained(AutoencoderTiny, tiny, torch_dtype=dtype)
    return _load_part(AutoencoderKL, weights, "vae", dtype)


def _block_channels(autoencoder: AutoencoderKL | AutoencoderTiny) -> tuple[int, ...]:
    is_tiny = isinstance(autoencoder, AutoencoderTiny)
    return autoencoder.config.encoder_block_out_channels if is_tiny else autoencoder.config.block_out_channels


def _frozen(module: Any, device: torch.device) -> Any:
    return module.to(device).eval().requires_grad_(False)
