"""Train the embedded prior: a denoiser of relit pictures that sees the input picture.

python -m engine.embedded.train_prior --checkpoint FILE [--steps N] [--seed S] [--device cpu] [--resume] [--export DIR] [--part both]

What the prior can know of a picture is the normals that its encoder sees, and that takes longest to learn: train ``--part encoder`` first, then what
answers without the picture, ``--part denoiser``. ``both`` does all at once, at twice the time a step. The light is not learned but fitted.

A sample is a picture and the picture relit by the method's own renderer on the surface of its exact depth. What is noised is not that relight but the
one of a surface as refinement meets it: between what the embedded depth model estimates and the true one. B scenes, H W pixels, h w canvas pixels.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, normalize

from ..method.canvas import fit
from ..method.draws import SHININESS_LOG2_RANGE
from ..method.guidance import add_noise
from ..method.relight import Light, composite, display_from_linear, normals_from_depth, pseudo_depth
from ..models.architectures import new_prior_network
from ..models.catalogue import find_weights
from ..models.depth_anything import load_network
from ..models.embedded_prior import CANVAS_MULTIPLE_PX, CANVAS_PX, latents_from_canvas
from ..models.relight_denoiser import RelightDenoiser, cosine_alphas_cumprod
from .augment import augment
from .imagenet import BEGINS_WITH
from .seeds import seeded
from .train_depth import predict_disparity
from .training import Training, TrainSettings, begin, run_training, train_settings, training_parser
from .world.families import LABELLED, UNSEEN
from .world.scene import DEPTH_SCALE, MIN_DISPARITY, Scenes, disparity_target, draw_scenes
from .world.textures import uniform

SIZES_PX = ((144, 192), (144, 192), (176, 176), (192, 144))
FOLD_PX = 4
TIMESTEPS = (150, 940)
NEAREST_MET = 0.6
PRIOR_FACTS = {
    "schedule": "cosine (squaredcos_cap_v2), 1000 timesteps",
    "prediction": "sample",
    "pixel_unshuffle": FOLD_PX,
    "canvas_px": CANVAS_PX,
    "canvas_multiple_px": CANVAS_MULTIPLE_PX,
    "value_range": [-1, 1],
    "timesteps": list(TIMESTEPS),
}
PARTS = ("both", "encoder", "denoiser")
_TINY = 1e-6
_MONITOR_SCENES = 24


def draw_lights(generator: torch.Generator, batch: int) -> Light:
    """Return B random lights with the distribution of `engine.method.draws.draw_light`, on the generator's device."""
    low, high = SHININESS_LOG2_RANGE
    exponent = torch.randint(low, high + 1, (batch,), generator=generator, device=generator.device)
    weights = uniform(generator, batch, 2)
    return Light(
        xy=uniform(generator, batch, 2, low=-1, high=1), shininess=2.0**exponent, diffuse_specular=weights / weights.sum(dim=1, keepdim=True)
    )


@dataclass(frozen=True)
class Samples:
    """What a training step learns from.

    Attributes:
        picture, clean, met: (B, 3, H, W) canvases in [0, 1]: the picture, its relight on the true surface, and its relight under the same light on a
            surface as refinement meets it, between what a depth model estimates and the true one.
        normals: (B, 3, H/2, W/2), unit length, of the true surface.
    """

    picture: Tensor
    clean: Tensor
    met: Tensor
    normals: Tensor


def surface_normals(disparity: Tensor) -> Tensor:
    """Return the normals (B, 3, H, W) that the method gives raw disparity (B, H, W)."""
    depth = pseudo_depth(disparity, torch.zeros(len(disparity), device=disparity.device), depth_scale=DEPTH_SCALE, min_disparity=MIN_DISPARITY)
    return normals_from_depth(depth)


def make_samples(scenes: Scenes, light: Light, estimated: Tensor, share: Tensor) -> Samples:
    """Return samples of ``scenes``.

    Args:
        estimated: (B, H, W) raw disparity, a depth model's of the pictures.
        share: (B, 1, 1) in [0, 1]; 0 meets the estimated surface, 1 the true one.
    """
    true = disparity_target(scenes.depth)[:, 0]
    normals, met_normals = surface_normals(true), surface_normals(torch.lerp(estimated, true, share))
    clean, met = (_canvas(display_from_linear(composite(scenes.image_srgb, which, light))) for which in (normals, met_normals))
    return Samples(_canvas(scenes.image_srgb), clean, met, _seen_size(normals))


def _canvas(field: Tensor) -> Tensor:
    return fit(field, CANVAS_PX, CANVAS_MULTIPLE_PX)


def _seen_size(normals: Tensor) -> Tensor:
    """Return ``normals`` (B, 3, H, W) at the size of what the encoder gives out, half the canvas, and of unit length."""
    return normalize(avg_pool2d(_canvas(normals), 2), dim=1)


@torch.no_grad()
def estimate_disparity(depth_network: nn.Module, image_srgb: Tensor) -> Tensor:
    """Return the raw disparity (B, H, W) that a depth model gives ``image_srgb`` (B, 3, H, W)."""
    return predict_disparity(depth_network, image_srgb)[:, 0]


def noised_latents(samples: Samples, timestep: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return the folded clean canvas, the folded canvas met, and that one with fresh noise of ``timestep`` (B,), each (B, c, h, w)."""
    clean, met = (latents_from_canvas(canvas, FOLD_PX) for canvas in (samples.clean, samples.met))
    noise = torch.randn(clean.shape, generator=generator, device=clean.device)
    return clean, met, add_noise(met, noise, cosine_alphas_cumprod().to(clean.device)[timestep])


class PriorLoss:
    """The training loss of a part of the network.

    Args:
        part: ``encoder`` learns the normals of the true surface, ``denoiser`` the clean relight without the picture, ``both`` both.
        depth_network: whose estimates are the surfaces met.
    """

    def __init__(self, part: str, depth_network: nn.Module) -> None:
        self._part, self._depth_network = part, depth_network

    def __call__(self, network: RelightDenoiser, scenes: Scenes, generator: torch.Generator) -> Tensor:
        """Return the loss of one step."""
        seen = augment(scenes, generator)
        if self._part == "encoder":
            return _normals_loss(network.see_normals(_canvas(seen.image_srgb)), _seen_size(surface_normals(disparity_target(seen.depth)[:, 0])))
        samples = self._samples(seen, generator)
        loss = _unseen_loss(network, samples, generator)
        return loss + _normals_loss(network.see_normals(samples.picture), samples.normals) if self._part == "both" else loss

    def _samples(self, scenes: Scenes, generator: torch.Generator) -> Samples:
        batch = len(scenes.depth)
        estimated = estimate_disparity(self._depth_network, scenes.image_srgb)
        return make_samples(scenes, draw_lights(generator, batch), estimated, uniform(generator, batch, 1, 1, high=NEAREST_MET))


def _normals_loss(seen: Tensor, true: Tensor) -> Tensor:
    """Return the mean distance of unit vectors: where the encoder doubts, it leads to one likely normal rather than a mean of all."""
    return ((seen - true).square().sum(dim=1) + _TINY).sqrt().mean()


def _unseen_loss(network: RelightDenoiser, samples: Samples, generator: torch.Generator) -> Tensor:
    """Return the squared error of the relight guessed without the picture."""
    timestep = torch.randint(*TIMESTEPS, (len(samples.picture),), generator=generator, device=samples.picture.device)
    clean, _, noisy = noised_latents(samples, timestep, generator)
    return (network(noisy, timestep, None).float() - clean).square().mean()


def prior_monitor(device: str, depth_network: nn.Module) -> Callable[[RelightDenoiser], float]:
    """Return, as a function of the network, how much nearer the normals that it sees are to the true ones than those of what a depth model estimates.

    The figure is the mean angle between seen and true normals over that between estimated and true ones, on fixed fresh unseen scenes: below 1 the
    prior knows more than the depth model. The squared error of the relight is no such figure: the mean of all likely relights has the least, and
    refinement led by it only flattens.
    """
    drawn = draw_scenes(seeded("cpu", "prior monitor"), UNSEEN, _MONITOR_SCENES, SIZES_PX[0]).to(device)
    estimated = estimate_disparity(depth_network, drawn.image_srgb)
    true, met = (_seen_size(surface_normals(disparity)) for disparity in (disparity_target(drawn.depth)[:, 0], estimated))
    picture, met_angle = _canvas(drawn.image_srgb), _mean_angle(met, true)

    @torch.no_grad()
    def monitor(network: RelightDenoiser) -> float:
        return _mean_angle(network.see_normals(picture), true) / met_angle

    return monitor


def _mean_angle(first: Tensor, second: Tensor) -> float:
    return float((first * second).sum(dim=1).clamp(-1, 1).arccos().mean())


def new_training(
    settings: TrainSettings,
    device: str,
    rooms: Sequence[Path] = (),
    begin_with: Path | None = None,
    *,
    part: str = "both",
    depth_network: nn.Module,
    **architecture: Any,
) -> Training:
    """Return a prior training at step 0, of a part of the network as `PriorLoss` names them; equal settings give equal weights."""
    torch.manual_seed(settings.seed)
    network = new_prior_network(fold_px=FOLD_PX, **architecture)
    nn.init.zeros_(network.unet.conv_out.weight)
    begin(network, settings, begin_with)
    depth_network = depth_network.to(device).eval().requires_grad_(False)
    return Training(network, settings, device, PriorLoss(part, depth_network), prior_monitor(device, depth_network), rooms)


def main() -> int:
    """Train as the command line asks."""
    parser = training_parser(__doc__.split("\n")[0], steps=5000, batch=16, learning_rate=5e-4)
    parser.add_argument("--part", choices=PARTS, default="both", help="what learns in this run")
    options = parser.parse_args()
    settings = train_settings(options, families=(UNSEEN.name, LABELLED.name, UNSEEN.name), sizes_px=SIZES_PX, ema=0.999)

    def new() -> Training:
        depth_network = load_network(find_weights("embedded", "depth"))
        return new_training(settings, options.device, options.rooms, options.begin_with, part=options.part, depth_network=depth_network)

    trained_on = "procedural scenes of both families, drawn on the fly, and furnished rooms if any"
    return run_training(new, options, {"begins_with": BEGINS_WITH, "trained_on": trained_on}, {"prior.json": PRIOR_FACTS})


if __name__ == "__main__":
    sys.exit(main())
