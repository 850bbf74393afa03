from __future__ import annotations

import torch

from engine.api.settings import MethodSettings
from engine.method.draws import draw_light, draw_step, member_generator

SETTINGS = MethodSettings(timestep_min=20, timestep_max=22)
CPU = torch.device("cpu")


def test_a_member_draws_the_same_in_any_batch() -> None:
    together = [member_generator(5, member) for member in range(3)]
    alone = member_generator(5, 1)
    for _ in range(4):
        batch, single = draw_step(together, (4, 2, 3), SETTINGS, CPU), draw_step([alone], (4, 2, 3), SETTINGS, CPU)
        assert torch.equal(batch.noise[1:2], single.noise)
        assert torch.equal(batch.posterior_noise[1:2], single.posterior_noise)
        assert torch.equal(batch.light.xy[1:2], single.light.xy)
        assert torch.equal(batch.timestep[1:2], single.timestep)


def test_the_lights_of_a_member_lie_beside_each_other_in_the_order_drawn() -> None:
    together, alone = [member_generator(5, member) for member in range(2)], [member_generator(5, member) for member in range(2)]
    batch = draw_step([generator for generator in together for _ in range(2)], (4, 2, 3), SETTINGS, CPU)
    singles = [draw_step([generator], (4, 2, 3), SETTINGS, CPU) for generator in alone for _ in range(2)]
    for name in ("noise", "posterior_noise", "timestep"):
        assert torch.equal(getattr(batch, name), torch.cat([getattr(single, name) for single in singles]))
    assert torch.equal(batch.light.xy, torch.cat([single.light.xy for single in singles]))


def test_seeds_and_members_differ() -> None:
    first = {member_generator(seed, member).initial_seed() for seed in range(20) for member in range(20)}
    assert len(first) == 400


def test_ranges_of_the_draws() -> None:
    generator = member_generator(0, 0)
    steps = [draw_step([generator], (1, 1, 1), SETTINGS, CPU) for _ in range(600)]
    assert {int(step.timestep) for step in steps} == {20, 21, 22}
    assert {float(step.light.shininess) for step in steps} == {4, 8, 16, 32, 64, 128}
    xy = torch.cat([step.light.xy for step in steps])
    assert xy.min() < -0.95 and xy.max() > 0.95 and xy.abs().max() <= 1
    assert xy.mean(0).abs().max() < 0.1


def test_weights_sum_to_one() -> None:
    generator = member_generator(1, 0)
    weights = torch.cat([draw_light(generator).diffuse_specular for _ in range(100)])
    torch.testing.assert_close(weights.sum(1), torch.ones(100))
    assert weights.min() >= 0
