"""Train the embedded depth model on labelled scenes.

python -m engine.embedded.train_depth --checkpoint FILE [--steps N] [--seed S] [--device cpu] [--resume] [--export DIR]

B scenes, H W pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..models.architectures import new_depth_network
from ..models.depth_anything import IMAGENET_MEAN, IMAGENET_STD
from .training import Training, TrainSettings, run_training, seeded, train_settings, training_parser
from .world.families import LABELLED
from .world.scene import Scenes, disparity_target, draw_scenes
from .world.textures import uniform

SIZES_PX = ((96, 128), (96, 128), (112, 128), (112, 128), (80, 128), (128, 128), (128, 96))
_MONITOR_SCENES = 32
_RAW_WEIGHT = 0.2
_LEAST_SPREAD = 0.5
_EDGE_WEIGHT = 0.5


def predict_disparity(network: nn.Module, image_srgb: Tensor) -> Tensor:
    """Return raw disparity (B, 1, H, W) of ``image_srgb`` (B, 3, H, W) in [0, 1]."""
    mean, std = (torch.tensor(values, device=image_srgb.device).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return network(pixel_values=(image_srgb - mean) / std).predicted_depth[:, None]


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


def augment(scenes: Scenes, generator: torch.Generator) -> Scenes:
    """Return ``scenes`` cropped to 75-100 %, mirrored or not, with other colours, at their own size."""
    height, width = scenes.depth.shape[-2:]
    share, top, left, mirrored = uniform(generator, 4).tolist()
    rows, columns = (round(side * (0.75 + 0.25 * share)) for side in (height, width))
    y, x = round(top * (height - rows)), round(left * (width - columns))
    image, depth = (field[..., y : y + rows, x : x + columns] for field in (scenes.image_srgb, scenes.depth))
    image, depth = interpolate(image, (height, width), mode="bilinear"), interpolate(depth, (height, width))
    if mirrored < 0.5:
        image, depth = image.flip(-1), depth.flip(-1)
    batch = len(depth)
    gains, gamma = uniform(generator, batch, 3, 1, 1, low=0.85, high=1.15), uniform(generator, batch, 1, 1, 1, low=0.7, high=1.4)
    image = (image * gains).clamp(0, 1) ** gamma
    grey = image.mean(1, keepdim=True)
    saturation = uniform(generator, batch, 1, 1, 1, high=2.5)
    return Scenes((grey + saturation * (image - grey)).clamp(0, 1), depth)


def depth_loss(network: nn.Module, scenes: Scenes, generator: torch.Generator) -> Tensor:
    """Return the training loss of one step."""
    seen = augment(scenes, generator)
    return disparity_loss(predict_disparity(network, seen.image_srgb), disparity_target(seen.depth))


def depth_monitor(device: str, size_px: tuple[int, int]) -> Callable[[nn.Module], float]:
    """Return the mean loss over fixed fresh labelled scenes, as a function of the network."""
    drawn = draw_scenes(seeded(device, "depth monitor"), LABELLED, _MONITOR_SCENES, size_px)

    @torch.no_grad()
    def monitor(network: nn.Module) -> float:
        parts = zip(drawn.image_srgb.split(8), drawn.depth.split(8), strict=True)
        losses = [disparity_loss(predict_disparity(network, image), disparity_target(depth)) for image, depth in parts]
        return float(torch.stack(losses).mean())

    return monitor


def new_training(settings: TrainSettings, device: str, **architecture: int) -> Training:
    """Return a depth training at step 0; equal settings give equal weights."""
    torch.manual_seed(settings.seed)
    return Training(new_depth_network(**architecture), settings, device, depth_loss, depth_monitor(device, settings.sizes_px[0]))


def main() -> None:
    """Train as the command line asks."""
    options = training_parser(__doc__.split("\n")[0], steps=3500, batch=16, learning_rate=4e-4).parse_args()
    settings = train_settings(
        options,
        families=(LABELLED.name,),
        sizes_px=SIZES_PX,
        uses=3,
        apart=6,
    )
    run_training(new_training(settings, options.device), options, {"trained_on": "procedural scenes of the family 'labelled', drawn on the fly"})


if __name__ == "__main__":
    main()
