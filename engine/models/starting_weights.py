"""Starting weights of layers that learn from nothing."""

from __future__ import annotations

from torch import nn


def reset_convolutions(module: nn.Module) -> None:
    """Draw the convolutions in ``module`` anew, keeping the variance of what passes.

    The library's own starting weights are meant to be overwritten by pretrained ones: they are so small that a decoder's output is a constant.
    """
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d)):
            part.reset_parameters()
            nn.init.kaiming_normal_(part.weight, nonlinearity="linear")
