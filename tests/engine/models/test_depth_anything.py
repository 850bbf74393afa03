from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

from engine.api.errors import WeightsInvalidError
from engine.method.members import base_disparity
from engine.models.depth_anything import IMAGENET_MEAN, IMAGENET_STD, DepthAnything
from tests.engine.conftest import configured, weights_of

PUBLISHED = {
    "small": (384, 12, 6, [3, 6, 9, 12], 64, [48, 96, 192, 384]),
    "base": (768, 12, 12, [3, 6, 9, 12], 128, [96, 192, 384, 768]),
    "large": (1024, 24, 16, [5, 12, 18, 24], 256, [256, 512, 1024, 1024]),
}


@pytest.mark.parametrize("size", [(56, 56), (28, 70), (14, 42)])
def test_split_equals_the_whole_model(depth_folder: Path, small_depth: DepthAnything, size: tuple[int, int]) -> None:
    image_srgb = torch.rand(1, 3, *size)
    whole = DepthAnythingForDepthEstimation.from_pretrained(depth_folder).eval()
    mean, std = (torch.tensor(values)[None, :, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    with torch.no_grad():
        expected = whole((image_srgb - mean) / std).predicted_depth
        encoding = small_depth.encode(image_srgb)
        ours = small_depth.new_decoder()(encoding.tokens, encoding.patch_grid)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-6)  # Another order of the channels in memory, another order of sums.
    assert ours.shape == (1, *size)
    assert ours.std() > 0


def test_a_model_that_sees_views_estimates_their_mean(small_depth: DepthAnything, small_depth_in_views: DepthAnything) -> None:
    """So what it estimates of a mirror image is the mirror image of its estimate; one that looks once knows no such symmetry."""
    image_srgb = torch.rand(1, 3, 28, 42)
    encoding = small_depth_in_views.encode(image_srgb)
    base = base_disparity(small_depth_in_views, encoding)
    assert encoding.views is not None and encoding.views.shape == (4, 28, 42)
    torch.testing.assert_close(base, torch.relu(encoding.views.mean(dim=0, keepdim=True)))
    once = base_disparity(small_depth, small_depth.encode(image_srgb))
    torch.testing.assert_close(encoding.views[:1], once, atol=1e-4, rtol=1e-4)
    mirrored = base_disparity(small_depth_in_views, small_depth_in_views.encode(image_srgb.flip(-1))).flip(-1)
    torch.testing.assert_close(mirrored, base, atol=1e-4, rtol=1e-4)
    mirrored_once = base_disparity(small_depth, small_depth.encode(image_srgb.flip(-1))).flip(-1)
    assert (mirrored_once - once).abs().max() > 1e-2


def test_what_the_configuration_says_of_a_models_maps_is_known(depth_folder: Path, small_depth: DepthAnything, tmp_path: Path) -> None:
    assert not small_depth.needs_cleaning
    assert DepthAnything(configured(depth_folder, tmp_path / "small_depth", needs_cleaning=True), torch.device("cpu")).needs_cleaning


def test_freed_encoder_comes_back_the_same(depth_folder: Path) -> None:
    model, image_srgb = DepthAnything(weights_of(depth_folder), torch.device("cpu")), torch.rand(1, 3, 28, 28)
    before = model.encode(image_srgb).tokens
    model.free_encoder()
    after = model.encode(image_srgb).tokens
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def test_decoders_are_copies(small_depth: DepthAnything) -> None:
    first, second = small_depth.new_decoder(), small_depth.new_decoder()
    with torch.no_grad():
        next(first.parameters()).add_(1)
    assert not torch.equal(next(first.parameters()), next(second.parameters()))


@pytest.mark.parametrize("name", PUBLISHED)
def test_full_size_shapes(name: str) -> None:
    hidden, layers, heads, indices, fusion, neck = PUBLISHED[name]
    backbone = Dinov2Config(
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        image_size=518,
        patch_size=14,
        out_indices=indices,
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone, patch_size=14, neck_hidden_sizes=neck, fusion_hidden_size=fusion, reassemble_hidden_size=hidden, head_hidden_size=32
    )
    with torch.device("meta"):
        network = DepthAnythingForDepthEstimation(config).eval()
        features = network.backbone.forward_with_filtered_kwargs(torch.empty(1, 3, 518, 392)).feature_maps
        disparity = network.head(network.neck(list(features), 37, 28), 37, 28)
    assert [feature.shape for feature in features] == [(1, 1 + 37 * 28, hidden)] * 4
    assert disparity.shape == (1, 518, 392)


def test_null_max_depth_is_read_as_one(depth_folder: Path, small_depth: DepthAnything, tmp_path: Path) -> None:
    model = DepthAnything(configured(depth_folder, tmp_path / "null", max_depth=None), torch.device("cpu"))
    encoding = model.encode(torch.rand(1, 3, 28, 28))
    assert torch.equal(model.new_decoder()(encoding.tokens, (2, 2)), small_depth.new_decoder()(encoding.tokens, (2, 2)))


def test_metric_model_is_refused(depth_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsInvalidError, match="metric"):
        DepthAnything(configured(depth_folder, tmp_path / "metric", depth_estimation_type="metric"), torch.device("cpu"))


def test_misshaped_tensors_are_refused(depth_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsInvalidError, match="lack or misshape"):
        DepthAnything(configured(depth_folder, tmp_path / "wider", fusion_hidden_size=24), torch.device("cpu"))


def test_missing_tensor_is_refused_by_name(depth_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lacking"
    shutil.copytree(depth_folder, folder)
    tensors = load_file(folder / "model.safetensors")
    del tensors["head.conv2.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsInvalidError, match=r"1 tensors, first head\.conv2\.weight"):
        DepthAnything(weights_of(folder), torch.device("cpu"))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["absent", "cut"])
def test_damaged_folder_is_refused(depth_folder: Path, tmp_path: Path, name: str, damage: str) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(depth_folder, folder)
    whole = (folder / name).read_bytes()
    (folder / name).unlink()
    if damage == "cut":
        (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsInvalidError):
        DepthAnything(weights_of(folder), torch.device("cpu"))
