"""Rendering to shards: repeatable, whole or not at all, resumed where it was stopped; and drawing from them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch

from engine.api.errors import InputError, OutputError
from engine.embedded.rooms import render
from engine.embedded.rooms.pack import Pack
from engine.embedded.rooms.shards import RoomShards, is_written, shard_files, write_facts, write_shard
from engine.embedded.rooms.studio import Studio, is_taken, nearness_downward, roll_off

T = TypeVar("T")


@pytest.fixture(scope="module")
def studio(egl: None, pack: Pack) -> Studio:
    return Studio(pack, 24, 32)


def test_same_seeds_give_the_same_bytes_and_others_do_not(studio: Studio, pack: Pack) -> None:
    first, again, other = studio.pictures(1, 2), Studio(pack, 24, 32).pictures(1, 2), studio.pictures(1, 3)
    assert first.image.tobytes() == again.image.tobytes() and first.depth.tobytes() == again.depth.tobytes()
    assert first.image.tobytes() != other.image.tobytes()


def test_pictures_are_varied_with_positive_depth_and_few_clipped_whites(studio: Studio) -> None:
    rooms = [studio.pictures(7, room) for room in range(8)]
    image, depth = (np.concatenate([getattr(room, name) for room in rooms]) for name in ("image", "depth"))
    assert image.shape == (32, 24, 32, 3) and image.dtype == np.uint8 and depth.shape == (32, 24, 32)
    assert depth.min() > 0.05 and depth.max() < 12
    assert (np.percentile(depth, 95, axis=(1, 2)) > 1.2 * np.percentile(depth, 5, axis=(1, 2))).all()
    assert (image.std(axis=(1, 2)).max(axis=1) > 4).all()
    assert (image.min(axis=3) == 255).mean() < 0.05


def test_views_where_near_things_are_low_are_taken_and_others_seldom() -> None:
    random, downward = np.random.default_rng(0), 1 / np.linspace(0.2, 1, 24)[:, None].repeat(32, axis=1)
    assert nearness_downward(downward) == pytest.approx(1)
    assert nearness_downward(downward[::-1]) == pytest.approx(-1)
    assert abs(nearness_downward(np.linspace(1, 2, 32)[None].repeat(24, axis=0))) < 1e-6
    assert all(is_taken(random, downward) for _ in range(100))
    assert 0.05 < np.mean([is_taken(random, downward[::-1]) for _ in range(1000)]) < 0.25


def test_what_is_far_brighter_is_compressed_and_the_rest_keeps_its_ratios() -> None:
    light = np.ones((10, 10, 3), np.float32)
    light[0, 0], light[1] = 1000.0, 0.5
    rolled = roll_off(light)
    assert rolled[0, 0, 0] <= 1.0
    assert rolled[1, 0, 0] / rolled[1, 1, 0] == pytest.approx(1.0)
    assert 0 < rolled[1, 0, 0] < rolled[2, 0, 0] < rolled[0, 0, 0]


def shard(value: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full((3, 4, 5, 3), value, np.uint8), np.full((3, 4, 5), 1.5 * value, np.float32)


def test_a_shard_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    write_shard(tmp_path, 0, *shard(1))
    shard_files(tmp_path, 1)[1].mkdir()  # so that the last of the two files cannot be renamed
    with pytest.raises(OutputError):
        write_shard(tmp_path, 1, *shard(2))
    assert is_written(tmp_path, 0) and not is_written(tmp_path, 1)
    assert not list(tmp_path.glob("*.part"))
    assert len(RoomShards(tmp_path)) == 3


def test_batches_come_as_scenes_and_follow_the_generator(tmp_path: Path) -> None:
    for index in range(3):
        write_shard(tmp_path, index, *shard(index + 1))
    shards = RoomShards(tmp_path)
    first, again, other = (shards.draw(torch.Generator().manual_seed(seed), 40) for seed in (0, 0, 1))
    assert first.image_srgb.shape == (40, 3, 4, 5) and first.depth.shape == (40, 1, 4, 5)
    torch.testing.assert_close(first.depth[:, 0], 1.5 * 255 * first.image_srgb[:, 0], rtol=1e-3, atol=0)
    assert set(first.depth[:, 0, 0, 0].tolist()) == {1.5, 3.0, 4.5}
    assert torch.equal(first.depth, again.depth) and not torch.equal(first.depth, other.depth)


def test_a_folder_without_rooms_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no rooms"):
        RoomShards(tmp_path)


def test_a_folder_keeps_to_one_pack_seed_and_size(tmp_path: Path) -> None:
    write_facts(tmp_path / "rooms", {"seed": 1})
    write_facts(tmp_path / "rooms", {"seed": 1})
    with pytest.raises(InputError, match="another pack"):
        write_facts(tmp_path / "rooms", {"seed": 2})


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_later_run_adds_the_shards_that_are_missing_and_leaves_the_others(egl: None, tmp_path: Path, pack: Pack) -> None:
    (tmp_path / "pack.npz").write_bytes(pack.to_bytes())
    rooms = tmp_path / "rooms"
    logs = []
    kept = []
    for count in (1, render.ROOMS_A_SHARD + 1):
        command = [sys.executable, "-m", "engine.embedded.rooms.render", "--pack", str(tmp_path / "pack.npz"), "--out", str(rooms)]
        command += ["--rooms", str(count), "--size", "12x8", "--workers", "1"]
        logs.append(subprocess.run(command, check=True, timeout=380, capture_output=True, text=True).stderr)
        kept.append(shard_files(rooms, 0)[1].stat().st_mtime_ns)
    assert "shard 0 is written; 1 of 1" in logs[0]
    assert "shard 1 is written; 2 of 2" in logs[1] and "shard 0 is" not in logs[1]
    assert kept[0] == kept[1]
    assert len(RoomShards(rooms)) == 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads the processes' children from /proc")
def test_workers_leave_when_their_parent_is_killed(egl: None, tmp_path: Path, pack: Pack) -> None:
    (tmp_path / "pack.npz").write_bytes(pack.to_bytes())
    command = [sys.executable, "-m", "engine.embedded.rooms.render", "--pack", str(tmp_path / "pack.npz"), "--out", str(tmp_path / "rooms")]
    parent = subprocess.Popen([*command, "--rooms", "99999", "--size", "64x48", "--workers", "2"], stderr=subprocess.DEVNULL)
    children = wait_for(lambda: workers_of(parent.pid) if len(workers_of(parent.pid)) == 2 else [])
    time.sleep(8)  # long enough for both to have started on a room
    parent.kill()
    parent.wait(10)
    assert wait_for(lambda: not any(is_running(child) for child in children))


def workers_of(pid: int) -> list[int]:
    """Return the processes that ``pid`` started to render, not its resource tracker."""
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_for(condition: Callable[[], T], seconds: float = 60) -> T:
    """Return what ``condition`` returns once that is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return found
