"""Small real models, made with the libraries' own classes, saved as a user's folder would be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

from engine.models.architectures import new_prior_network
from engine.models.catalogue import Weights
from engine.models.depth_anything import DepthAnything
from engine.models.embedded_prior import EmbeddedPrior
from engine.models.stable_diffusion import StableDiffusionPrior

CPU = torch.device("cpu")


def depth_config(**changes: object) -> DepthAnythingConfig:
    backbone = Dinov2Config(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        out_indices=[1, 2, 3, 4],
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    fields = {
        "backbone_config": backbone,
        "patch_size": 14,
        "neck_hidden_sizes": [8, 16, 32, 32],
        "fusion_hidden_size": 16,
        "head_hidden_size": 8,
        "max_depth": 1,
    }
    return DepthAnythingConfig(reassemble_hidden_size=32, **(fields | changes))


@pytest.fixture(scope="session")
def depth_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    network = DepthAnythingForDepthEstimation(depth_config())
    for module in network.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.reset_parameters()  # The library's own start is so small that the output would be a constant.
    with torch.no_grad():
        network.head.conv3.weight.mul_(8)
        network.head.conv3.bias.fill_(1.0)  # Keeps the ReLU open.
    folder = tmp_path_factory.mktemp("small_depth")
    network.save_pretrained(folder)
    return folder


def _tokenizer(folder: Path) -> CLIPTokenizer:
    letters = [chr(code) for code in range(97, 123)]
    words = letters + [f"{letter}</w>" for letter in letters] + ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer.from_pretrained(folder, model_max_length=16)


def save_stable_diffusion(folder: Path, prediction_type: str) -> Path:
    """Save a pipeline of Stable Diffusion's shape, thousands of times smaller."""
    torch.manual_seed(2)
    text_config = CLIPTextConfig(
        vocab_size=54,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=16,
        bos_token_id=52,
        eos_token_id=53,
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=8,
        norm_num_groups=8,
    )
    autoencoder = AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=8,
    )
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=prediction_type, clip_sample=False, steps_offset=1
    )
    StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=CLIPTextModel(text_config),
        tokenizer=_tokenizer(folder.with_name(f"{folder.name}_words")),
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def stable_diffusion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("small_sd"), "epsilon")


@pytest.fixture(scope="session")
def v_prediction_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_stable_diffusion(tmp_path_factory.mktemp("small_sd_v"), "v_prediction")


@pytest.fixture(scope="session")
def tiny_autoencoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("small_taesd")
    AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
    ).save_pretrained(folder)
    return folder


def weights_of(folder: Path) -> Weights:
    return Weights(name=folder.name, title=folder.name, folder=folder, revision="test", licence="none")


def configured(folder: Path, target: Path, **changes: object) -> Weights:
    """Return the weights of ``folder``, copied to ``target``, under a configuration with ``changes``."""
    shutil.copytree(folder, target)
    config = json.loads((target / "config.json").read_text())
    (target / "config.json").write_text(json.dumps(config | changes))
    return weights_of(target)


@pytest.fixture(scope="session")
def small_depth(depth_folder: Path) -> DepthAnything:
    return DepthAnything(weights_of(depth_folder), CPU)


@pytest.fixture(scope="session")
def small_depth_in_views(depth_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> DepthAnything:
    """`small_depth`, but it sees each picture at two sizes, each mirrored too."""
    return DepthAnything(configured(depth_folder, tmp_path_factory.mktemp("in_views") / "small_depth", view_scales=[1.0, 1.5]), CPU)


@pytest.fixture(scope="session")
def small_stable_diffusion(stable_diffusion_folder: Path) -> StableDiffusionPrior:
    return StableDiffusionPrior(weights_of(stable_diffusion_folder), CPU, torch.float32)


@pytest.fixture(scope="session")
def small_pixel_prior() -> EmbeddedPrior:
    torch.manual_seed(4)
    network = new_prior_network(fold_px=2, channels=(16, 32), fusion=16)
    return EmbeddedPrior(network, CPU)
