"""Models of published shapes with random weights, saved as folders, so that benchmarks run the real loading code without a download."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config


def save_depth_anything_small(folder: Path) -> Path:
    """Save Depth Anything V2 Small's shape (25 M parameters, 0.1 GB)."""
    backbone = Dinov2Config(
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=6,
        image_size=518,
        patch_size=14,
        out_indices=[3, 6, 9, 12],
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=384,
        neck_hidden_sizes=[48, 96, 192, 384],
        fusion_hidden_size=64,
        head_hidden_size=32,
        max_depth=1,
    )
    network = DepthAnythingForDepthEstimation(config)
    with torch.no_grad():
        network.head.conv3.bias.fill_(1.0)  # Keeps the ReLU open, so that every step does a trained model's work.
    network.save_pretrained(folder)
    return folder


def save_stable_diffusion_15(folder: Path) -> Path:
    """Save Stable Diffusion 1.5's shape (1.07 G parameters, 2.1 GB in half precision)."""
    words = ["<|startoftext|>", "<|endoftext|>", "a</w>"]
    vocabulary = folder / "words"
    vocabulary.mkdir(parents=True)
    (vocabulary / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (vocabulary / "merges.txt").write_text("#version: 0.2\n")
    text_config = CLIPTextConfig(
        vocab_size=len(words), hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, bos_token_id=0, eos_token_id=1
    )
    StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            latent_channels=4,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        ),
        text_encoder=CLIPTextModel(text_config),
        tokenizer=CLIPTokenizer.from_pretrained(vocabulary, model_max_length=77),
        unet=UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8),
        scheduler=DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).to(torch.float16).save_pretrained(folder, variant="fp16")
    return folder
