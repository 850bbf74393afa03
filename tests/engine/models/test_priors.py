from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel

from engine.api.errors import WeightsInvalidError
from engine.method.relight import composite, display_from_linear
from engine.models.architectures import new_prior_network
from engine.models.catalogue import Weights
from engine.models.embedded_prior import EmbeddedPrior, latents_from_canvas, see_normals_in_views, with_steps_of
from engine.models.precision import cast_into_prior, cast_out_of_prior
from engine.models.prediction import noise_from_prediction
from engine.models.relight_denoiser import cosine_alphas_cumprod
from engine.models.stable_diffusion import StableDiffusionPrior

CPU = torch.device("cpu")


def weights(folder: Path) -> Weights:
    return Weights(name="test", title="test", folder=folder, revision="test", licence="none")


def test_canvas_and_latents_follow_the_networks(small_stable_diffusion: StableDiffusionPrior) -> None:
    prior = small_stable_diffusion
    assert (prior.canvas_px, prior.canvas_multiple_px) == (64, 16)
    latents = prior.encode(torch.rand(2, 3, 64, 48), torch.zeros(2, *prior.latent_shape(64, 48)))
    assert latents.shape == (2, 4, 8, 6) == (2, *prior.latent_shape(64, 48))


def test_latents_are_the_scaled_posterior_sample(stable_diffusion_folder: Path, small_stable_diffusion: StableDiffusionPrior) -> None:
    canvas_srgb, noise = torch.rand(1, 3, 64, 64), torch.randn(1, 4, 8, 8)
    autoencoder = AutoencoderKL.from_pretrained(stable_diffusion_folder, subfolder="vae")
    with torch.no_grad():
        posterior = autoencoder.encode(canvas_srgb * 2 - 1).latent_dist
        ours = small_stable_diffusion.encode(canvas_srgb, noise)
    torch.testing.assert_close(ours, 0.18215 * (posterior.mean + posterior.std * noise))


def test_encode_passes_gradients_to_the_canvas(small_stable_diffusion: StableDiffusionPrior) -> None:
    canvas_srgb = torch.rand(1, 3, 64, 64, requires_grad=True)
    small_stable_diffusion.encode(canvas_srgb, torch.randn(1, 4, 8, 8)).square().sum().backward()
    assert canvas_srgb.grad is not None and canvas_srgb.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in small_stable_diffusion.autoencoder.parameters())


@pytest.mark.parametrize("folder_name", ["stable_diffusion_folder", "v_prediction_folder"])
def test_predicted_noise_is_the_network_under_both_texts(folder_name: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(folder_name)
    prior = StableDiffusionPrior(weights(folder), CPU, torch.float32)
    pipeline = StableDiffusionPipeline.from_pretrained(folder)
    latents, timestep = torch.randn(1, 4, 8, 8), torch.tensor([431])
    conditioning = prior.condition(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64), "a cat", "noise")
    text, uncond = prior.predict_noise(latents, timestep, conditioning, guided=True)
    assert uncond is not None
    alone, nothing = prior.predict_noise(latents, timestep, conditioning, guided=False)
    assert nothing is None
    torch.testing.assert_close(alone, text, atol=1e-5, rtol=1e-5)
    for ours, words in ((text, "a cat"), (uncond, "noise")):
        with torch.no_grad():
            embeddings, _ = pipeline.encode_prompt(words, "cpu", 1, False)
            prediction = pipeline.unet(latents, timestep, embeddings).sample
        alphas_cumprod_t = pipeline.scheduler.alphas_cumprod[timestep]
        if prior.prediction_type == "v_prediction":
            prediction = alphas_cumprod_t.sqrt() * prediction + (1 - alphas_cumprod_t).sqrt() * latents
        torch.testing.assert_close(ours, prediction, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(text, uncond)


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction", "sample"])
def test_every_prediction_gives_back_the_noise(prediction_type: str) -> None:
    clean, noise = torch.randn(3, 4, 8, 8, dtype=torch.float64), torch.randn(3, 4, 8, 8, dtype=torch.float64)
    alphas_cumprod_t = torch.tensor([0.9, 0.5, 0.01], dtype=torch.float64)
    a, b = (value[:, None, None, None].sqrt() for value in (alphas_cumprod_t, 1 - alphas_cumprod_t))
    prediction = {"epsilon": noise, "v_prediction": a * noise - b * clean, "sample": clean}[prediction_type]
    torch.testing.assert_close(noise_from_prediction(prediction, a * clean + b * noise, alphas_cumprod_t, prediction_type), noise)


def test_tiny_autoencoder_is_used_when_given(stable_diffusion_folder: Path, tiny_autoencoder_folder: Path) -> None:
    prior = StableDiffusionPrior(weights(stable_diffusion_folder), CPU, torch.float32, weights(tiny_autoencoder_folder))
    canvas_srgb = torch.rand(1, 3, 64, 64)
    one, other = (prior.encode(canvas_srgb, torch.randn(1, 4, 8, 8)) for _ in range(2))
    assert torch.equal(one, other), "a tiny autoencoder has no posterior to sample"
    assert one.shape == (1, *prior.latent_shape(64, 64))


def test_half_precision_files_are_found(stable_diffusion_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    shutil.copytree(stable_diffusion_folder, folder)
    shutil.rmtree(folder / "unet")
    UNet2DConditionModel.from_pretrained(stable_diffusion_folder, subfolder="unet").save_pretrained(folder / "unet", variant="fp16")
    full = StableDiffusionPrior(weights(stable_diffusion_folder), CPU, torch.float32)
    half = StableDiffusionPrior(weights(folder), CPU, torch.float32)
    assert torch.equal(full.unet.conv_in.weight, half.unet.conv_in.weight)


def _edited(folder: Path, target: Path, part: str, **changes: object) -> Weights:
    shutil.copytree(folder, target)
    path = target / part
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return weights(target)


@pytest.mark.parametrize(
    ("part", "changes", "says"),
    [
        ("scheduler/scheduler_config.json", {"prediction_type": "sample"}, "predicts 'sample'"),
        ("unet/config.json", {"in_channels": 9}, "lack or misshape"),
        ("vae/config.json", {"latent_channels": 8}, "lack or misshape"),
    ],
)
def test_other_shapes_are_refused(stable_diffusion_folder: Path, tmp_path: Path, part: str, changes: dict[str, object], says: str) -> None:
    with pytest.raises(WeightsInvalidError, match=says):
        StableDiffusionPrior(_edited(stable_diffusion_folder, tmp_path / "other", part, **changes), CPU, torch.float32)


@pytest.mark.parametrize("part", ["unet", "vae", "scheduler"])
def test_missing_part_is_refused(stable_diffusion_folder: Path, tmp_path: Path, part: str) -> None:
    folder = tmp_path / "lacking"
    shutil.copytree(stable_diffusion_folder, folder)
    shutil.rmtree(folder / part)
    with pytest.raises(WeightsInvalidError, match=part):
        StableDiffusionPrior(weights(folder), CPU, torch.float32)


def test_missing_text_encoder_is_refused_when_needed(stable_diffusion_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lacking"
    shutil.copytree(stable_diffusion_folder, folder)
    shutil.rmtree(folder / "text_encoder")
    prior = StableDiffusionPrior(weights(folder), CPU, torch.float32)
    with pytest.raises(WeightsInvalidError, match="text_encoder"):
        prior.condition(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64), "a", "")


def test_small_gradients_survive_float16() -> None:
    """A gradient below float16's smallest number reaches the input when scaled on its way."""
    source = torch.ones(4, requires_grad=True)
    inside = cast_into_prior(source, torch.float16)
    assert inside.dtype == torch.float16
    (cast_out_of_prior(inside * 2) * 1.5e-8).sum().backward()
    torch.testing.assert_close(source.grad, torch.full((4,), 3e-8), rtol=0.02, atol=0)


@pytest.mark.parametrize("fold_px", [2, 4])
def test_embedded_prior_folds_the_canvas_without_loss(fold_px: int) -> None:
    canvas_srgb = torch.rand(2, 3, 64, 48)
    latents = latents_from_canvas(canvas_srgb, fold_px)
    prior = EmbeddedPrior(new_prior_network(fold_px=fold_px, channels=(16, 32), fusion=16), CPU)
    assert latents.shape == (2, 3 * fold_px**2, 64 // fold_px, 48 // fold_px) == (2, *prior.latent_shape(64, 48))
    torch.testing.assert_close(torch.nn.functional.pixel_shuffle(latents, fold_px) / 2 + 0.5, canvas_srgb)


def test_embedded_prior_is_blind_without_the_picture(small_pixel_prior: EmbeddedPrior) -> None:
    noisy, timestep = torch.randn(2, 12, 32, 24), torch.tensor([700, 900])
    first, second = (small_pixel_prior.condition(torch.rand(1, 3, 64, 48), torch.ones(1, 3, 64, 48), "", "") for _ in range(2))
    seeing_first, blind_first = small_pixel_prior.predict_noise(noisy, timestep, first, guided=True)
    seeing_second, blind_second = small_pixel_prior.predict_noise(noisy, timestep, second, guided=True)
    assert blind_first is not None and blind_second is not None
    assert torch.equal(blind_first, blind_second)
    assert not torch.allclose(seeing_first, seeing_second)
    alone, nothing = small_pixel_prior.predict_noise(noisy, timestep, first, guided=False)
    assert nothing is None and torch.equal(alone, seeing_first)


def test_embedded_network_answers_with_the_picture_under_the_light_fitted(small_pixel_prior: EmbeddedPrior) -> None:
    """However strong the noise, the answer is the method's own relight of the picture, on the normals seen."""
    network, picture_srgb = small_pixel_prior.network, torch.rand(1, 3, 32, 48)
    noisy, timestep = torch.randn(2, 12, 16, 24), torch.tensor([300, 950])
    seen = small_pixel_prior.condition(picture_srgb, torch.rand(1, 3, 32, 48), "", "")
    for normals, size in ((seen.normals, (32, 48)), (seen.fit_normals, (4, 6)), (seen.fit_estimated, (4, 6))):
        torch.testing.assert_close(normals.norm(dim=1), torch.ones(1, *size))
    torch.testing.assert_close(seen.fit_normals, see_normals_in_views(network, picture_srgb)[..., ::4, ::4])
    light = network.read_light(noisy, timestep, seen)
    clean = torch.nn.functional.pixel_shuffle(network(noisy, timestep, seen), 2) / 2 + 0.5
    torch.testing.assert_close(clean, display_from_linear(composite(picture_srgb, seen.normals, light)))


def test_normals_seen_in_several_views_turn_with_the_mirror(small_pixel_prior: EmbeddedPrior) -> None:
    """One view of the network knows nothing of the mirror; the mean of the views does."""
    network, picture_srgb = small_pixel_prior.network, torch.rand(1, 3, 32, 48)
    there, mirrored = (see_normals_in_views(network, seen) for seen in (picture_srgb, picture_srgb.flip(-1)))
    assert there.shape == (1, 3, 16, 24)
    torch.testing.assert_close(there.norm(dim=1), torch.ones(1, 16, 24))
    turned = mirrored.flip(-1) * torch.tensor([-1, 1, 1]).view(1, 3, 1, 1)
    torch.testing.assert_close(turned, there, atol=1e-5, rtol=1e-4)
    one_view = network.see_normals(picture_srgb)
    assert not torch.allclose(one_view, there, atol=1e-2)
    flipped_view = network.see_normals(picture_srgb.flip(-1)).flip(-1) * torch.tensor([-1, 1, 1]).view(1, 3, 1, 1)
    assert not torch.allclose(flipped_view, one_view, atol=1e-2)


def test_the_prior_keeps_the_estimates_slope_at_a_step_and_beside() -> None:
    facing, steep, seen = (torch.tensor(normal) for normal in ((0.0, 0.0, 1.0), (0.995, 0.0, 0.1), (0.0, 0.6, 0.8)))
    estimated = facing.view(1, 3, 1, 1).repeat(1, 1, 5, 9)
    estimated[..., 4] = steep[:, None]
    estimated[:, :, 0] = 0
    kept = with_steps_of(estimated, seen.view(1, 3, 1, 1).expand_as(estimated))
    assert (kept[:, :, 0] == seen.view(3, 1)).all(), "no surface is there"
    kept, estimated = kept[:, :, 1:], estimated[:, :, 1:]
    assert torch.equal(kept[..., 3:6], estimated[..., 3:6])
    assert (kept[..., [0, 1, 2, 6, 7, 8]] == seen.view(1, 3, 1, 1)).all()


def test_cosine_schedule_falls_from_one_to_zero() -> None:
    alphas_cumprod = cosine_alphas_cumprod()
    assert alphas_cumprod.shape == (1000,)
    assert (alphas_cumprod.diff() < 0).all()
    assert alphas_cumprod[0] > 0.999 and alphas_cumprod[-1] < 1e-4
