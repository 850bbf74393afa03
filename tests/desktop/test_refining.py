"""A picture through the whole viewer: opened, refined by a real engine, compared, left while it runs."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from desktop.app import Viewer
from desktop.state.comparison import Comparison
from desktop.state.opening import OpenedPicture
from engine.api.client import EngineClient
from engine.api.folders import find_folders
from engine.api.handoff import offered_jobs
from engine.api.settings import RefineSettings, settings_from_preset

pytestmark = pytest.mark.gui

REFINE_MS = 150_000


def some_steps(steps: int, seed: int) -> RefineSettings:
    return settings_from_preset("default", steps=steps, members=2, seed=seed, gate=False)


def test_a_picture_is_opened_refined_compared_saved_and_read_back(
    viewer: Viewer, picture: Path, tmp_path: Path, open_in: Callable[..., None], qtbot: QtBot
) -> None:
    open_in(viewer, picture)
    session, window = viewer.session, viewer.window
    assert isinstance(session.shown, OpenedPicture)
    previews, losses = [], []
    viewer.link.previewed.connect(lambda job, preview: previews.append(preview))
    viewer.link.progressed.connect(lambda job, event: losses.append(event))
    viewer.refining.refine(some_steps(steps=24, seed=11))
    qtbot.waitUntil(lambda: isinstance(session.shown, Comparison), timeout=REFINE_MS)
    qtbot.waitUntil(lambda: viewer.refining.is_settled, timeout=REFINE_MS)
    comparison = session.shown
    assert isinstance(comparison, Comparison)
    assert comparison.size_px == (240, 180)
    assert (comparison.disparity_base != comparison.disparity_refined).any()
    assert comparison.label_base == "Embedded depth model"
    assert viewer.refining.job is not None and viewer.refining.job.state == "finished"
    assert previews and previews[0].ndim == 2
    assert any(getattr(event, "losses", None) for event in losses)
    shown = [pane.image.name for pane in window.compare.panes if pane.image is not None]
    assert shown == ["Picture", "Change", "Embedded depth model", comparison.label_refined]
    assert window.message.text == ""
    assert window.refine.start.isEnabled()
    assert not window.refine.stop.isEnabled()
    with EngineClient.connect(start=False) as client:
        kept = client.attach(comparison.job_id).result(timeout_s=10)
    np.testing.assert_array_equal(comparison.disparity_refined, kept.disparity_refined)
    with qtbot.waitSignal(viewer.exporter.saved, timeout=REFINE_MS):
        viewer.exporter.save("disparity", "refined", tmp_path / "refined.exr")
    open_in(viewer, tmp_path / "refined.exr", picture)
    read_back = session.shown
    assert isinstance(read_back, Comparison)
    np.testing.assert_array_equal(read_back.disparity_base, comparison.disparity_refined)
    assert read_back.label_base == "refined.exr (disparity)"


def test_a_job_can_be_cancelled_and_says_so(viewer: Viewer, picture: Path, open_in: Callable[..., None], qtbot: QtBot) -> None:
    open_in(viewer, picture)
    session, window = viewer.session, viewer.window
    viewer.refining.refine(some_steps(steps=5000, seed=12))
    qtbot.waitUntil(window.refine.stop.isEnabled, timeout=REFINE_MS)
    qtbot.waitUntil(lambda: "step" in window.refine.news.text(), timeout=REFINE_MS)
    assert not window.refine.start.isEnabled()
    window.refine.stop.click()
    qtbot.waitUntil(lambda: viewer.refining.job is not None and viewer.refining.job.state == "cancelled", timeout=REFINE_MS)
    qtbot.waitUntil(lambda: viewer.refining.is_settled, timeout=REFINE_MS)
    assert window.refine.start.isEnabled()
    comparison = session.shown
    assert isinstance(comparison, Comparison)
    assert comparison.label_refined == "Refined, stopped early"


def test_a_job_of_another_client_appears_and_can_be_followed(viewer: Viewer, home: Path, other_picture: Path, qtbot: QtBot) -> None:
    with EngineClient.connect() as client:
        job = client.submit(other_picture, some_steps(steps=30, seed=13))
        qtbot.waitUntil(lambda: any(info.id == job.info.id for info in viewer.refining.jobs), timeout=REFINE_MS)
        viewer.link.open_job(job.info.id)
        qtbot.waitUntil(lambda: isinstance(viewer.session.shown, Comparison), timeout=REFINE_MS)
        assert viewer.session.shown is not None and viewer.session.shown.name == other_picture.name
        assert job.result(timeout_s=60).provenance["complete"]


def test_closing_with_a_running_job_leaves_the_engine_alive_and_the_job_finishing(
    viewer: Viewer, picture: Path, open_in: Callable[..., None], qtbot: QtBot
) -> None:
    open_in(viewer, picture)
    viewer.refining.refine(some_steps(steps=40, seed=14))
    qtbot.waitUntil(lambda: viewer.refining.job is not None and viewer.refining.job.state == "running", timeout=REFINE_MS)
    job = viewer.refining.job
    assert job is not None
    viewer.window.close()
    with EngineClient.connect(start=False) as client:
        assert not client.attach(job.id).info.ended
        assert client.attach(job.id).result(timeout_s=150).provenance["complete"]


@pytest.mark.skipif(sys.platform == "win32", reason="it kills the engine with a POSIX signal")
def test_a_lost_engine_is_said_and_the_job_goes_on(viewer: Viewer, picture: Path, open_in: Callable[..., None], qtbot: QtBot) -> None:
    open_in(viewer, picture)
    states: list[str] = []
    viewer.link.status_changed.connect(lambda status: states.append(status.state))
    viewer.refining.refine(some_steps(steps=30, seed=15))
    qtbot.waitUntil(lambda: "step" in viewer.window.refine.news.text(), timeout=REFINE_MS)
    with EngineClient.connect(start=False) as client:
        pid = client.status().pid
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: "lost" in states, timeout=REFINE_MS)
    assert "the job goes on where it was" in viewer.window.message.text
    qtbot.waitUntil(lambda: states[-1] == "connected", timeout=REFINE_MS)
    assert viewer.window.message.text == "The engine is back; the job goes on."
    qtbot.waitUntil(lambda: isinstance(viewer.session.shown, Comparison), timeout=REFINE_MS)
    with EngineClient.connect(start=False) as client:
        assert client.status().pid != pid
    assert viewer.session.shown is not None and viewer.session.shown.name == picture.name


def test_what_the_engine_refuses_is_said(viewer: Viewer, picture: Path, open_in: Callable[..., None], qtbot: QtBot) -> None:
    open_in(viewer, picture)
    viewer.refining.refine(settings_from_preset("quick", depth_model="small"))
    qtbot.waitUntil(lambda: viewer.window.message.error is not None, timeout=REFINE_MS)
    error = viewer.window.message.error
    assert error is not None
    assert error.code == "model.weights_missing"
    assert "embedded" in viewer.window.message.text
    assert viewer.window.refine.start.isEnabled()


def test_a_job_is_sent_to_blender(viewer: Viewer, picture: Path, open_in: Callable[..., None], qtbot: QtBot) -> None:
    open_in(viewer, picture)
    viewer.refining.refine(some_steps(steps=4, seed=16))
    qtbot.waitUntil(lambda: isinstance(viewer.session.shown, Comparison), timeout=REFINE_MS)
    viewer.exporter.send_to_blender()
    assert isinstance(viewer.session.shown, Comparison)
    assert [offer.job_id for offer in offered_jobs(find_folders())] == [viewer.session.shown.job_id]


def test_a_whole_folder_waits_in_one_queue_and_each_picture_keeps_its_result(
    viewer: Viewer, picture: Path, other_picture: Path, open_in: Callable[..., None], qtbot: QtBot
) -> None:
    open_in(viewer, picture.parent)
    viewer.window.refine.preset.setCurrentIndex(viewer.window.refine.preset.findData("quick"))
    viewer.window.refine.seed.setValue(17)
    viewer.refining.refine_folder()
    qtbot.waitUntil(lambda: isinstance(viewer.session.shown, Comparison), timeout=REFINE_MS)
    assert viewer.session.picture == other_picture
    qtbot.waitUntil(lambda: not viewer.refining._waiting, timeout=REFINE_MS)
    viewer.window.strip.setCurrentRow(1)
    qtbot.waitUntil(lambda: isinstance(viewer.session.shown, Comparison) and viewer.session.picture == picture, timeout=REFINE_MS)
    assert viewer.session.shown is not None and viewer.session.shown.name == picture.name


def test_without_a_picture_there_is_nothing_to_refine(viewer: Viewer, settle: Callable[[Viewer], None]) -> None:
    settle(viewer)
    assert viewer.window.centre.currentWidget() is viewer.window.first_screen
    assert not viewer.window.refine.start.isEnabled()
    assert viewer.window.refine.start.toolTip() == "Open a picture first."
