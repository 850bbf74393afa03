"""Train the embedded depth model on labelled scenes.

python -m engine.embedded.train_depth --checkpoint FILE [--steps N] [--seed S] [--device cpu] [--resume] [--export DIR]

B scenes, H W pixels.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ..models.architectures import new_depth_network
from ..models.depth_anything import IMAGENET_MEAN, IMAGENET_STD
from .augment import augment, restyle
from .imagenet import BEGINS_WITH
from .seeds import seeded
from .training import Training, TrainSettings, begin, run_training, train_settings, training_parser
from .world.families import LABELLED
from .world.scene import Scenes, disparity_target, draw_scenes

SIZES_PX = ((168, 224), (168, 224), (152, 200), (184, 184), (224, 168))
_MONITOR_SCENES = 32
_RAW_WEIGHT = 0.2
_LEAST_SPREAD = 0.5
_EDGE_WEIGHT = 0.5


def predict_disparity(network: nn.Module, image_srgb: Tensor) -> Tensor:
    """Return raw disparity (B, 1, H, W) of ``image_srgb`` (B, 3, H, W) in [0, 1]."""
    mean, std = (torch.tensor(values, device=image_srgb.device).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return network(pixel_values=(image_srgb - mean) / std).predicted_depth[:, None].float()


def disparity_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the loss of raw disparity (B, 1, H, W): shift-invariant L1 and its slopes at four scales, in units of the target's spread, and raw L1.

    A loss without the raw part lets the range collapse, and z = 7 / (d + 0.1) needs it.
    """
    middle = target.flatten(1).median(1).values.view(-1, 1, 1, 1)
    spread = (target - middle).abs().mean((1, 2, 3), keepdim=True).clamp_min(_LEAST_SPREAD)
    error = (predicted - predicted.flatten(1).median(1).values.view(-1, 1, 1, 1) - target + middle) / spread
    loss = error.abs().mean() + _RAW_WEIGHT * (predicted - target).abs().mean()
    for stride in (1, 2, 4, 8):
        coarse = error[..., ::stride, ::stride]
        loss = loss + _EDGE_WEIGHT / 4 * (coarse.diff(dim=-1).abs().mean() + coarse.diff(dim=-2).abs().mean())
    return loss


def depth_loss(network: nn.Module, scenes: Scenes, generator: torch.Generator) -> Tensor:
    """Return the training loss of one step."""
    seen = augment(scenes, generator)
    return disparity_loss(predict_disparity(network, restyle(seen.image_srgb, generator)), disparity_target(seen.depth))


def depth_monitor(device: str, size_px: tuple[int, int]) -> Callable[[nn.Module], float]:
    """Return the mean loss over fixed fresh labelled scenes, as a function of the network."""
    drawn = draw_scenes(seeded("cpu", "depth monitor"), LABELLED, _MONITOR_SCENES, size_px).to(device)

    @torch.no_grad()
    def monitor(network: nn.Module) -> float:
        parts = zip(drawn.image_srgb.split(8), drawn.depth.split(8), strict=True)
        losses = [disparity_loss(predict_disparity(network, image), disparity_target(depth)) for image, depth in parts]
        return float(torch.stack(losses).mean())

    return monitor


def new_training(settings: TrainSettings, device: str, rooms: Sequence[Path] = (), begin_with: Path | None = None, **architecture: int) -> Training:
    """Return a depth training at step 0; equal settings give equal weights."""
    torch.manual_seed(settings.seed)
    network = new_depth_network(**architecture)
    begin(network, settings, begin_with)
    return Training(network, settings, device, depth_loss, depth_monitor(device, settings.sizes_px[0]), rooms)


def main() -> int:
    """Train as the command line asks."""
    options = training_parser(__doc__.split("\n")[0], steps=5000, batch=16, learning_rate=5e-4).parse_args()
    settings = train_settings(options, families=(LABELLED.name,), sizes_px=SIZES_PX)
    facts = {"begins_with": BEGINS_WITH, "trained_on": "procedural scenes of the family 'labelled', drawn on the fly, and furnished rooms if any"}
    return run_training(lambda: new_training(settings, options.device, options.rooms, options.begin_with), options, facts)


if __name__ == "__main__":
    sys.exit(main())
