"""Train the embedded prior: a denoiser of relit pictures that sees the input picture.

python -m engine.embedded.train_prior --checkpoint FILE [--steps N] [--seed S] [--device cpu] [--resume] [--export DIR] [--part both]

What the prior can know of a picture is what its encoder sees, and that is learned fastest from normals alone: train ``--part encoder`` to some
``--stop``, then go on (``--resume``) with both, and at last with ``--part unet``, which takes what the encoder sees as it is.

A sample is a picture and the picture relit by the method's own renderer on the surface of its exact depth. B scenes, H W pixels, h w canvas pixels.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ..method.canvas import fit
from ..method.draws import SHININESS_LOG2_RANGE
from ..method.guidance import add_noise
from ..method.relight import Light, composite, display_from_linear, normals_from_points, points_from_depth, pseudo_depth
from ..models.architectures import new_prior_network
from ..models.embedded_prior import CANVAS_MULTIPLE_PX, CANVAS_PX, cosine_alphas_cumprod, latents_from_canvas
from ..models.relight_denoiser import RelightDenoiser
from .augment import augment
from .imagenet import BEGINS_WITH, start_from_imagenet
from .seeds import seeded
from .training import Training, TrainSettings, run_training, train_settings, training_parser
from .world.families import LABELLED, UNSEEN
from .world.scene import DEPTH_SCALE, MIN_DISPARITY, Scenes, disparity_target, draw_scenes
from .world.textures import uniform

SIZES_PX = ((144, 192), (144, 192), (144, 192), (176, 176), (192, 144))
FOLD_PX = 4
PICTURE_DROP = 0.12
TIMESTEPS = (650, 960)
_NORMALS_WEIGHT = 0.3
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


def relit_canvases(scenes: Scenes, light: Light) -> tuple[Tensor, Tensor, Tensor]:
    """Return picture and true relight as the prior's canvases (B, 3, H, W) in [0, 1], and the mean normals (B, 3, H/2, W/2) of the true surface."""
    disparity = disparity_target(scenes.depth)[:, 0]
    depth = pseudo_depth(disparity, torch.zeros(len(disparity), device=disparity.device), depth_scale=DEPTH_SCALE, min_disparity=MIN_DISPARITY)
    normals = normals_from_points(points_from_depth(depth))
    relit = display_from_linear(composite(scenes.image_srgb, normals, light))
    picture, relit, normals = (fit(field, CANVAS_PX, CANVAS_MULTIPLE_PX) for field in (scenes.image_srgb, relit, normals))
    return picture, relit, avg_pool2d(normals, 2)


def v_target(clean: Tensor, noise: Tensor, alphas_cumprod_t: Tensor) -> Tensor:
    """Return v = √ᾱ ε - √(1-ᾱ) x (arXiv 2202.00512, appendix D)."""
    alphas_cumprod_t = alphas_cumprod_t[:, None, None, None]
    return alphas_cumprod_t.sqrt() * noise - (1 - alphas_cumprod_t).sqrt() * clean


def prior_loss(network: RelightDenoiser, scenes: Scenes, generator: torch.Generator) -> Tensor:
    """Return the training loss of one step: squared error of v, and absolute error of the normals that the encoder sees."""
    picture, relit, normals = relit_canvases(augment(scenes, generator), draw_lights(generator, len(scenes.depth)))
    conditioning, seen_normals = network.look(picture)
    return _denoising_loss(network, relit, conditioning, generator) + _normals_loss(seen_normals, normals)


def encoder_loss(network: RelightDenoiser, scenes: Scenes, generator: torch.Generator) -> Tensor:
    """Return the part of `prior_loss` that teaches the encoder alone."""
    picture, _, normals = relit_canvases(augment(scenes, generator), draw_lights(generator, len(scenes.depth)))
    return _normals_loss(network.look(picture)[1], normals)


def unet_loss(network: RelightDenoiser, scenes: Scenes, generator: torch.Generator) -> Tensor:
    """Return the part of `prior_loss` that teaches the U-Net, of an encoder that stays as it is."""
    picture, relit, _ = relit_canvases(augment(scenes, generator), draw_lights(generator, len(scenes.depth)))
    with torch.no_grad():
        conditioning, _ = network.look(picture)
    return _denoising_loss(network, relit, conditioning, generator)


LOSSES = {"both": prior_loss, "encoder": encoder_loss, "unet": unet_loss}


def _denoising_loss(network: RelightDenoiser, relit: Tensor, conditioning: Tensor, generator: torch.Generator) -> Tensor:
    clean, batch, device = latents_from_canvas(relit, FOLD_PX), len(relit), relit.device
    timestep = torch.randint(*TIMESTEPS, (batch,), generator=generator, device=device)
    noise = torch.randn(clean.shape, generator=generator, device=device)
    alphas_cumprod_t = cosine_alphas_cumprod().to(device)[timestep]
    kept = (uniform(generator, batch, 1, 1, 1) >= PICTURE_DROP).float()
    predicted = network(add_noise(clean, noise, alphas_cumprod_t), timestep, conditioning * kept).float()
    return (predicted - v_target(clean, noise, alphas_cumprod_t)).square().mean()


def _normals_loss(seen_normals: Tensor, normals: Tensor) -> Tensor:
    return _NORMALS_WEIGHT * (seen_normals - normals).abs().mean()


def prior_monitor(device: str) -> Callable[[RelightDenoiser], float]:
    """Return, as a function of the network, how much of a relight it knows from picture and noise.

    The figure is the squared error of the predicted clean relight at t = 800, over that of a flat surface's relight, on fixed fresh unseen scenes:
    1 means no more than a flat guess.
    """
    generator, scenes = seeded(device, "prior monitor"), _MONITOR_SCENES
    drawn = draw_scenes(generator, UNSEEN, scenes, SIZES_PX[0])
    light = draw_lights(generator, scenes)
    picture, relit, _ = relit_canvases(drawn, light)
    _, flat, _ = relit_canvases(Scenes(drawn.image_srgb, torch.ones_like(drawn.depth)), light)
    clean, flat = latents_from_canvas(relit, FOLD_PX), latents_from_canvas(flat, FOLD_PX)
    noise = torch.randn(clean.shape, generator=generator, device=device)
    timestep = torch.full((scenes,), _MONITOR_TIMESTEP, device=device)
    alpha = cosine_alphas_cumprod().to(device)[_MONITOR_TIMESTEP]
    noisy = add_noise(clean, noise, alpha.expand(scenes))

    @torch.no_grad()
    def monitor(network: RelightDenoiser) -> float:
        v_pred = network(noisy, timestep, network.look(picture)[0])
        guess = alpha.sqrt() * noisy - (1 - alpha).sqrt() * v_pred
        return float((guess - clean).square().mean() / (flat - clean).square().mean())

    return monitor


def new_training(settings: TrainSettings, device: str, rooms: Sequence[Path] = (), *, part: str = "both", **architecture: Any) -> Training:
    """Return a prior training at step 0, of a `LOSSES` part of the network; equal settings give equal weights."""
    torch.manual_seed(settings.seed)
    network = new_prior_network(fold_px=FOLD_PX, **architecture)
    start_from_imagenet(network.backbone)
    nn.init.zeros_(network.unet.conv_out.weight)
    network.to(memory_format=torch.channels_last)  # A third faster on CPUs, with bfloat16.
    return Training(network, settings, device, LOSSES[part], prior_monitor(device), rooms)


def main() -> None:
    """Train as the command line asks."""
    parser = training_parser(__doc__.split("\n")[0], steps=5000, batch=16, learning_rate=5e-4)
    parser.add_argument("--part", choices=tuple(LOSSES), default="both", help="what learns in this run")
    options = parser.parse_args()
    settings = train_settings(
        options,
        families=(UNSEEN.name, LABELLED.name, UNSEEN.name),
        sizes_px=SIZES_PX,
        uses=8,
        apart=6,
        ema=0.999,
    )
    facts: dict[str, Any] = {
        "begins_with": BEGINS_WITH,
        "trained_on": "procedural scenes of both families, drawn on the fly, and furnished rooms if any",
    }
    run_training(new_training(settings, options.device, options.rooms, part=options.part), options, facts)
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
