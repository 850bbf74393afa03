"""Train the embedded prior: a denoiser of relit pictures that sees the input picture.

python -m engine.embedded.train_prior --checkpoint FILE [--steps N] [--seed S] [--device cpu] [--resume] [--export DIR]

A sample is a picture and the picture relit by the method's own renderer on the surface of its exact depth. B scenes, H W pixels, h w canvas pixels.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..method.canvas import fit
from ..method.draws import SHININESS_LOG2_RANGE
from ..method.guidance import add_noise
from ..method.relight import Light, pseudo_depth, relight
from ..models.architectures import new_prior_network
from ..models.embedded_prior import CANVAS_MULTIPLE_PX, CANVAS_PX, cosine_alphas_cumprod, latents_from_canvas
from .augment import augment
from .seeds import seeded
from .training import Training, TrainSettings, run_training, train_settings, training_parser
from .world.families import LABELLED, UNSEEN
from .world.scene import DEPTH_SCALE, MIN_DISPARITY, Scenes, disparity_target, draw_scenes
from .world.textures import uniform

SIZES_PX = ((96, 128), (96, 128), (96, 128), (128, 128), (128, 96))
FOLD_PX = 4
PICTURE_DROP = 0.12
TIMESTEPS = (400, 970)
_MONITOR_SCENES = 24
_MONITOR_TIMESTEP = 800


def draw_lights(generator: torch.Generator, batch: int) -> Light:
    """Return B random lights with the distribution of `engine.method.draws.draw_light`, on the generator's device."""
    low, high = SHININESS_LOG2_RANGE
    exponent = torch.randint(low, high + 1, (batch,), generator=generator, device=generator.device)
    weights = uniform(generator, batch, 2)
    return Light(
        xy=uniform(generator, batch, 2, low=-1, high=1), shininess=2.0**exponent, diffuse_specular=weights / weights.sum(dim=1, keepdim=True)
    )


def relit_canvases(scenes: Scenes, light: Light) -> tuple[Tensor, Tensor]:
    """Return picture and true relight as the prior sees them, each (B, c, h/4, w/4) in [-1, 1]."""
    disparity = disparity_target(scenes.depth)[:, 0]
    depth = pseudo_depth(disparity, torch.zeros(len(disparity), device=disparity.device), depth_scale=DEPTH_SCALE, min_disparity=MIN_DISPARITY)
    canvases = (fit(image, CANVAS_PX, CANVAS_MULTIPLE_PX) for image in (scenes.image_srgb, relight(scenes.image_srgb, depth, light)))
    picture, relit = (latents_from_canvas(canvas, FOLD_PX) for canvas in canvases)
    return picture, relit


def predict_v(network: nn.Module, noisy: Tensor, picture: Tensor, timestep: Tensor) -> Tensor:
    """Return the predicted v (B, c, h/4, w/4)."""
    return network(torch.cat([noisy, picture], dim=1), timestep).sample.float()


def v_target(clean: Tensor, noise: Tensor, alphas_cumprod_t: Tensor) -> Tensor:
    """Return v = √ᾱ ε - √(1-ᾱ) x (arXiv 2202.00512, appendix D)."""
    alphas_cumprod_t = alphas_cumprod_t[:, None, None, None]
    return alphas_cumprod_t.sqrt() * noise - (1 - alphas_cumprod_t).sqrt() * clean


def prior_loss(network: nn.Module, scenes: Scenes, generator: torch.Generator) -> Tensor:
    """Return the training loss of one step: mean squared error of v."""
    batch, device = len(scenes.depth), scenes.depth.device
    picture, relit = relit_canvases(augment(scenes, generator), draw_lights(generator, batch))
    timestep = torch.randint(*TIMESTEPS, (batch,), generator=generator, device=device)
    noise = torch.randn(relit.shape, generator=generator, device=device)
    alphas_cumprod_t = cosine_alphas_cumprod().to(device)[timestep]
    kept = (uniform(generator, batch, 1, 1, 1) >= PICTURE_DROP).float()
    predicted = predict_v(network, add_noise(relit, noise, alphas_cumprod_t), picture * kept, timestep)
    return (predicted - v_target(relit, noise, alphas_cumprod_t)).square().mean()


def prior_monitor(device: str) -> Callable[[nn.Module], float]:
    """Return, as a function of the network, how much of a relight it knows from picture and noise.

    The figure is the squared error of the predicted clean relight at t = 800, over that of a flat surface's relight, on fixed fresh unseen scenes:
    1 means no more than a flat guess.
    """
    generator, scenes = seeded(device, "prior monitor"), _MONITOR_SCENES
    drawn = draw_scenes(generator, UNSEEN, scenes, SIZES_PX[0])
    light = draw_lights(generator, scenes)
    picture, relit = relit_canvases(drawn, light)
    _, flat = relit_canvases(Scenes(drawn.image_srgb, torch.ones_like(drawn.depth)), light)
    noise = torch.randn(relit.shape, generator=generator, device=device)
    timestep = torch.full((scenes,), _MONITOR_TIMESTEP, device=device)
    alpha = cosine_alphas_cumprod().to(device)[_MONITOR_TIMESTEP]
    noisy = add_noise(relit, noise, alpha.expand(scenes))

    @torch.no_grad()
    def monitor(network: nn.Module) -> float:
        clean = alpha.sqrt() * noisy - (1 - alpha).sqrt() * predict_v(network, noisy, picture, timestep)
        return float((clean - relit).square().mean() / (flat - relit).square().mean())

    return monitor


def new_training(settings: TrainSettings, device: str, rooms: Sequence[Path] = (), **architecture: Any) -> Training:
    """Return a prior training at step 0; equal settings give equal weights."""
    torch.manual_seed(settings.seed)
    network = new_prior_network(canvas_px=CANVAS_PX, fold_px=FOLD_PX, **architecture)
    nn.init.zeros_(network.conv_out.weight)
    return Training(network, settings, device, prior_loss, prior_monitor(device), rooms)


def main() -> None:
    """Train as the command line asks."""
    options = training_parser(__doc__.split("\n")[0], steps=12000, batch=32, learning_rate=6e-4).parse_args()
    settings = train_settings(
        options,
        families=(LABELLED.name, UNSEEN.name),
        sizes_px=SIZES_PX,
        uses=6,
        apart=10,
        ema=0.999,
    )
    run_training(
        new_training(settings, options.device, options.rooms), options, {"trained_on": "procedural scenes of both families, drawn on the fly"}
    )
    if options.export is not None:
        facts = {
            "schedule": "cosine (squaredcos_cap_v2), 1000 timesteps",
            "prediction": "v",
            "pixel_unshuffle": FOLD_PX,
            "canvas_px": CANVAS_PX,
            "canvas_multiple_px": CANVAS_MULTIPLE_PX,
            "value_range": [-1, 1],
            "picture_drop": PICTURE_DROP,
            "timesteps": list(TIMESTEPS),
        }
        (options.export / "prior.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
