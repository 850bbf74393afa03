"""The fit of a light to a noisy relight: it finds the light that the relight was made with, on the surface it was made of."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize, pad

from engine.embedded.train_prior import draw_lights
from engine.method.relight import Light, composite, display_from_linear
from engine.models.light_fit import fit_light

LIGHTS = 48


def smooth_normals(generator: torch.Generator, steepness: float) -> Tensor:
    """Return unit normals (48, 3, 24, 32) of bumpy surfaces."""
    slopes = torch.randn(LIGHTS, 2, 5, 6, generator=generator) * steepness
    return normalize(pad(interpolate(slopes, (24, 32), mode="bicubic"), (0, 0, 0, 0, 0, 1), value=1.0), dim=1)


def relit(picture_srgb: Tensor, normals: Tensor, light: Light, noise: float, generator: torch.Generator) -> Tensor:
    clean = display_from_linear(composite(picture_srgb, normals, light))
    return clean + noise * torch.randn(clean.shape, generator=generator)


def angle_deg(first: Light, second: Light) -> Tensor:
    """Return the angles (B,) between the directions of two lights."""
    one, other = (normalize(pad(light.xy, (0, 1), value=1.0), dim=1) for light in (first, second))
    return (one * other).sum(dim=1).clamp(-1, 1).arccos().rad2deg()


def test_the_light_is_found_on_the_estimated_surface_and_on_the_way_to_the_true_one() -> None:
    generator = torch.Generator().manual_seed(1)
    estimated, true = smooth_normals(generator, 0.4), smooth_normals(generator, 0.8)
    picture_srgb, light = torch.rand(LIGHTS, 3, 24, 32, generator=generator), draw_lights(generator, LIGHTS)
    for way in (0.0, 0.5):
        met = normalize(torch.lerp(estimated, true, way), dim=1)
        noise = torch.full((LIGHTS,), 0.3)
        found = fit_light(noise, relit(picture_srgb, met, light, 0.3, generator), picture_srgb, estimated, true)
        assert angle_deg(found, light).mean() < 8  # The mean of all lights is 35 degrees off.
        assert (found.diffuse_specular - light.diffuse_specular)[:, 0].abs().mean() < 0.08


def test_a_wrong_surface_misleads_the_fit() -> None:
    """What the estimate is there for: on the true normals alone, a relight of a flatter surface is taken for one under another light."""
    generator = torch.Generator().manual_seed(2)
    estimated, true = smooth_normals(generator, 0.2), smooth_normals(generator, 1.0)
    picture_srgb, light = torch.rand(LIGHTS, 3, 24, 32, generator=generator), draw_lights(generator, LIGHTS)
    noisy, noise = relit(picture_srgb, estimated, light, 0.1, generator), torch.full((LIGHTS,), 0.1)
    knowing, misled = (angle_deg(fit_light(noise, noisy, picture_srgb, surface, true), light).mean() for surface in (estimated, true))
    assert knowing < misled / 2


def test_lights_lie_in_the_range_of_those_drawn_and_depend_on_their_own_relight() -> None:
    generator = torch.Generator().manual_seed(3)
    fields = [torch.randn(LIGHTS, 3, 24, 32, generator=generator) * 50, torch.rand(LIGHTS, 3, 24, 32, generator=generator)]
    fields += [smooth_normals(generator, 1.0), smooth_normals(generator, 1.0)]
    noise = torch.rand(LIGHTS, generator=generator) * 20 + 0.01
    light = fit_light(noise, *fields)
    assert light.xy.abs().max() <= 1 and light.shininess.min() >= 4 and light.shininess.max() <= 128
    assert (light.diffuse_specular >= 0).all()
    torch.testing.assert_close(light.diffuse_specular.sum(dim=1), torch.ones(LIGHTS))
    alone = fit_light(noise[7:8], *(field[7:8] for field in fields))
    torch.testing.assert_close(alone.xy, light.xy[7:8], atol=1e-3, rtol=1e-3)


def test_where_noise_drowns_all_the_expected_light_is_the_answer() -> None:
    generator = torch.Generator().manual_seed(4)
    picture_srgb, normals = torch.rand(LIGHTS, 3, 24, 32, generator=generator), smooth_normals(generator, 1.0)
    noise = torch.full((LIGHTS,), 5000.0)
    light = fit_light(noise, 5000 * torch.randn(picture_srgb.shape, generator=generator), picture_srgb, normals, normals)
    assert light.xy.abs().max() < 0.1
    assert (light.diffuse_specular - 0.5).abs().max() < 0.1
