"""All chance of one optimisation step, drawn on the CPU from one generator a member.

A member's draws depend on the seed and its number alone: neither the batch it runs in nor the device changes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ..api.settings import MethodSettings
from .relight import Light

SHININESS_LOG2_RANGE = (2, 7)  # Inclusive: exponents 4 to 128, as released.


@dataclass(frozen=True, kw_only=True)
class StepDraw:
    """What one step needs of chance, for B lights.

    Attributes:
        light: B lights.
        timestep: (B,) int64.
        noise, posterior_noise: (B, c, h, w) standard normal; added to the latents, and used by the autoencoder's posterior.
    """

    light: Light
    timestep: Tensor
    noise: Tensor
    posterior_noise: Tensor


def member_generator(seed: int, member: int) -> Generator:
    """Return the CPU generator of one member, seeded with a hash of (seed, member)."""
    digest = hashlib.blake2b(f"{seed}/{member}".encode(), digest_size=8).digest()
    return Generator().manual_seed(int.from_bytes(digest, "little") >> 1)


def draw_light(generator: Generator) -> Light:
    """Return one light (B = 1): x, y ~ U(-1, 1), e = 2^k with k ~ U{2..7}, weights ~ U(0, 1)², L1-normalised."""
    low, high = SHININESS_LOG2_RANGE
    xy = torch.rand(1, 2, generator=generator) * 2 - 1
    exponent = torch.randint(low, high + 1, (1,), generator=generator)
    weights = torch.rand(1, 2, generator=generator)
    return Light(xy=xy, shininess=2.0**exponent, diffuse_specular=weights / weights.sum(dim=1, keepdim=True))


def draw_step(generators: Sequence[Generator], latent_shape: tuple[int, int, int], settings: MethodSettings, device: torch.device) -> StepDraw:
    """Return the next step's draws of all members, on ``device``.

    Args:
        generators: one a light; a member with several lights names its own several times.
        latent_shape: (c, h, w) of one member's latents.
    """
    lights, timesteps, noises, posterior_noises = [], [], [], []
    for generator in generators:
        lights.append(draw_light(generator))
        timesteps.append(torch.randint(settings.timestep_min, settings.timestep_max + 1, (1,), generator=generator))
        noises.append(torch.randn(1, *latent_shape, generator=generator))
        posterior_noises.append(torch.randn(1, *latent_shape, generator=generator))

    def stack(parts: list[Tensor]) -> Tensor:
        return torch.cat(parts).to(device)

    return StepDraw(
        light=Light(
            xy=stack([light.xy for light in lights]),
            shininess=stack([light.shininess for light in lights]),
            diffuse_specular=stack([light.diffuse_specular for light in lights]),
        ),
        timestep=stack(timesteps),
        noise=stack(noises),
        posterior_noise=stack(posterior_noises),
    )
