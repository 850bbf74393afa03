"""The real worker with the embedded models: what it makes is what the pipeline makes in one piece."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.api.client import EngineClient
from engine.api.errors import OutOfMemoryError, PictureError, WeightsInvalidError, WorkerDiedError
from engine.api.messages import Progress
from engine.images.load import load_picture
from engine.pipeline import load_models, refine_picture
from engine.service.listener import WORKER_COMMAND
from tests.engine.service.toys import HERE, ToyEngine, settings, wait_until

pytestmark = pytest.mark.slow
MAPS = ("image_srgb", "disparity_base", "disparity_refined", "uncertainty", "kept")


@pytest.fixture
def client(toy: ToyEngine) -> Iterator[EngineClient]:
    with toy.start(worker_command=WORKER_COMMAND) as client:
        yield client


def test_a_worker_killed_between_members_loses_none_of_them_and_the_end_is_that_of_one_undisturbed_run(client: EngineClient, picture: Path) -> None:
    asked = settings(steps=6, device="cpu")
    job = client.submit(picture, asked)
    wait_until(lambda: any(getattr(event, "member", 0) == 2 for event in job.poll(0.05)), 90)
    os.kill(client.status().worker_pid or 0, signal.SIGKILL)
    with pytest.raises(WorkerDiedError):
        job.result(30)
    job = client.submit(picture, asked)
    events = list(job.events())
    assert 1 not in {event.member for event in events if isinstance(event, Progress)}
    assert job.info.previews > 0
    result = job.result(0)

    expected = refine_picture(load_picture(picture), load_models(asked), asked)
    for name in MAPS:
        assert getattr(result, name).tobytes() == getattr(expected, name).tobytes(), name
    assert result.provenance["picture"] == expected.provenance["picture"]
    assert result.provenance["models"] == expected.provenance["models"]
    assert result.provenance["gate"] == expected.provenance["gate"] is not None
    assert result.provenance["complete"]

    status = client.status()
    assert status.device == expected.provenance["device_name"]
    assert status.models == {"depth": "embedded", "prior": "embedded"}
    warm = client.submit(picture, settings(steps=1, members=1, device="cpu"))
    assert all(event.phase != "load" or event.step == 0 for event in warm.events() if isinstance(event, Progress))

    broken = picture.with_name("broken.png")
    broken.write_bytes(picture.read_bytes()[:100])
    with pytest.raises(PictureError, match=r"broken\.png is cut short"):
        client.submit(broken, asked).result(30)


def test_memory_that_runs_out_in_the_real_worker_names_the_next_setting(toy: ToyEngine, tmp_path: Path) -> None:
    from PIL import Image

    large = tmp_path / "large.png"
    Image.fromarray(np.zeros((4000, 6000, 3), np.uint8)).save(large)
    with toy.start(worker_command=[sys.executable, str(HERE / "confined_worker.py")]) as client:
        with pytest.raises(OutOfMemoryError) as caught:
            client.submit(large, settings(steps=1, device="cpu")).result(90)
        assert "--members-per-batch 1" in caught.value.hint or "--device" in caught.value.hint
        wait_until(lambda: client.status().worker == "none")


def test_damaged_weights_are_told_by_the_worker_and_new_ones_are_another_job(
    client: EngineClient, picture: Path, depth_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "models" / "mine"
    weights.mkdir(parents=True)
    for file in depth_folder.iterdir():
        (weights / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    asked = settings(steps=1, members=1, depth_model="models/mine", device="cpu")
    first = client.submit(picture, asked)
    first.result(90)
    (weights / "model.safetensors").write_bytes(b"no weights")
    second = client.submit(picture, asked)
    assert second.info.id != first.info.id
    with pytest.raises(WeightsInvalidError):
        second.result(90)
