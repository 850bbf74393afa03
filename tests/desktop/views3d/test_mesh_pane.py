from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication, QCheckBox, QPushButton
from pytestqt.qtbot import QtBot

from desktop.rendering.light import Light
from desktop.rendering.meshes import Look
from desktop.rendering.orbit import OrbitCamera
from desktop.state.comparison import Comparison
from desktop.views.theme import apply_theme, current_theme
from desktop.views3d.mesh_pane import MeshPane
from desktop.views3d.picture_canvas import TITLE_PX, PictureCanvas
from engine.api.settings import MeshSettings

from .conftest import pixels

pytestmark = pytest.mark.gui

Settled = Callable[[MeshPane], None]
PLAIN = Look(shading="picture")


@pytest.fixture
def pane(qtbot: QtBot, comparison: Comparison, settled: Settled) -> Iterator[MeshPane]:
    pane = MeshPane()
    qtbot.addWidget(pane)
    pane.resize(900, 420)
    pane.set_mesh_settings(MeshSettings(edge_cut=0.0, near_far_ratio=2.0))
    pane.set_look(PLAIN)
    pane.show_comparison(comparison)
    pane.set_camera(OrbitCamera())
    pane.show()
    settled(pane)
    yield pane
    pane.shut_down()


def pictures(pane: MeshPane) -> dict[str, np.ndarray]:
    return {side: pixels(canvas.image) for side, canvas in pane.panes.canvases.items()}


def drag(qtbot: QtBot, canvas: PictureCanvas, by: QPoint, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    start = QPoint(150, 150)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, modifier, start)
    qtbot.mouseMove(canvas, start + by)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, modifier, start + by)


def test_the_photo_view_shows_the_photo_on_both(pane: MeshPane, comparison: Comparison) -> None:
    base = pictures(pane)["base"]
    height, width = base.shape[:2]
    assert (width, height) == pane.panes.canvases["base"].room_px
    scale = min(width / 160, height / 120)
    rows = height / 2 + (np.arange(30, 90) + 0.5 - 60) * scale
    columns = width / 2 + (np.arange(30, 130) + 0.5 - 80) * scale
    sampled = base[rows.astype(int)][:, columns.astype(int)]
    assert np.abs(sampled - comparison.image_srgb[30:90, 30:130]).max() <= 6


def test_turning_either_canvas_turns_both(qtbot: QtBot, pane: MeshPane, settled: Settled) -> None:
    told: list[OrbitCamera] = []
    pane.camera_changed.connect(told.append)
    for side in ("base", "refined"):
        before, camera = pictures(pane), pane.camera
        drag(qtbot, pane.panes.canvases[side], QPoint(60, 20))
        settled(pane)
        assert pane.camera == told[-1]
        assert pane.camera.yaw_deg < camera.yaw_deg - 10
        assert pane.camera.pitch_deg > camera.pitch_deg + 3
        after = pictures(pane)
        assert all((before[each] != after[each]).any(axis=-1).mean() > 0.1 for each in ("base", "refined"))


def test_dragging_to_the_right_brings_the_left_side_to_the_front(qtbot: QtBot, pane: MeshPane, settled: Settled) -> None:
    blue = [np.argwhere(pictures(pane)["refined"][..., 2] > 180)[:, 1].mean()]  # the ball, nearer than the pivot
    drag(qtbot, pane.panes.canvases["refined"], QPoint(40, 0))
    settled(pane)
    blue.append(np.argwhere(pictures(pane)["refined"][..., 2] > 180)[:, 1].mean())
    assert blue[1] > blue[0] + 5


def test_moving_follows_the_pointer(qtbot: QtBot, pane: MeshPane, settled: Settled) -> None:
    before = pictures(pane)["base"]
    drag(qtbot, pane.panes.canvases["base"], QPoint(30, -12), Qt.KeyboardModifier.ShiftModifier)
    settled(pane)
    assert pane.camera.pan != (0.0, 0.0, 0.0)
    after = pictures(pane)["base"]
    middle = np.s_[100:250, 150:300]
    shifted = np.roll(before, (-12, 30), axis=(0, 1))
    assert np.abs(after[middle] - shifted[middle]).mean() < 0.4 * np.abs(after[middle] - before[middle]).mean()


def test_the_wheel_zooms_and_a_double_click_goes_back_to_the_photo(qtbot: QtBot, pane: MeshPane, settled: Settled) -> None:
    canvas = pane.panes.canvases["base"]
    at = QPointF(100, 100)
    none = Qt.MouseButton.NoButton
    wheel = QWheelEvent(
        at, canvas.mapToGlobal(at), QPoint(), QPoint(0, 240), none, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(canvas, wheel)
    assert pane.camera.distance == pytest.approx(1 / 1.15**2)
    qtbot.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    assert pane.camera.is_photo_view
    settled(pane)


def test_the_keyboard_alone_moves_the_camera(qtbot: QtBot, pane: MeshPane, settled: Settled) -> None:
    canvas = pane.panes.canvases["base"]
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    assert (pane.camera.yaw_deg, pane.camera.pitch_deg) == pytest.approx((-5, 5))
    qtbot.keyClick(canvas, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert pane.camera.pan != (0.0, 0.0, 0.0)
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert pane.camera.distance < 1
    qtbot.keyClick(canvas, Qt.Key.Key_3)
    assert pane.camera.pitch_deg == 50.0
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    assert pane.camera.is_photo_view
    settled(pane)


def test_buttons_change_the_look_and_the_view(qtbot: QtBot, pane: MeshPane, settled: Settled) -> None:
    buttons = {button.text(): button for button in pane.findChildren(QPushButton)}
    seen = [pictures(pane)["base"]]
    for title in ("Lit", "Clay", "Normals", "Change"):
        buttons[title].click()
        settled(pane)
        seen.append(pictures(pane)["base"])
    for number, picture in enumerate(seen):
        assert all(np.abs(picture - other).mean() > 1 for other in seen[:number])
    (wires,) = pane.findChildren(QCheckBox)
    wires.click()
    settled(pane)
    assert (pane.look.shading, pane.look.wire) == ("change", True)
    buttons["Left"].click()
    assert pane.camera.yaw_deg < 0
    buttons["Photo"].click()
    assert pane.camera.is_photo_view
    settled(pane)


def test_the_light_of_the_relit_preview_reaches_the_meshes(pane: MeshPane, settled: Settled) -> None:
    pane.set_look(Look(shading="clay"))
    settled(pane)
    before = pictures(pane)["base"]
    pane.set_light(Light(x=2.0, y=-1.0, height=0.3))
    settled(pane)
    assert np.abs(pictures(pane)["base"] - before).mean() > 5


def test_settings_rebuild_the_meshes_and_keep_the_camera(pane: MeshPane, settled: Settled) -> None:
    pane.set_camera(OrbitCamera(yaw_deg=30.0))
    settled(pane)
    before = pictures(pane)
    for settings in (MeshSettings(edge_cut=3.0, near_far_ratio=2.0), MeshSettings(edge_cut=0.0, near_far_ratio=5.0), MeshSettings(fov_deg=90.0)):
        pane.set_mesh_settings(settings)
        settled(pane)
        after = pictures(pane)
        assert np.abs(after["refined"] - before["refined"]).mean() > 1
        before = after
    assert pane.camera == OrbitCamera(yaw_deg=30.0)


def test_another_comparison_is_seen_a_little_from_the_side(
    pane: MeshPane, comparison_of: Callable[..., Comparison], comparison: Comparison, settled: Settled
) -> None:
    pane.set_camera(OrbitCamera(yaw_deg=130.0))
    pane.show_comparison(comparison_of(90, 120, name="tall"))
    settled(pane)
    assert 0 < abs(pane.camera.yaw_deg) < 45
    pane.set_look(Look(shading="change"))
    pane.show_comparison(replace(comparison, disparity_refined=comparison.disparity_base))
    settled(pane)
    assert pane.look.shading == "lit"
    assert [button.isEnabled() for button in pane.findChildren(QPushButton) if button.text() == "Change"] == [False]
    assert [side for side, canvas in pane.panes.canvases.items() if canvas.isVisible()] == ["base"]


def test_the_size_of_each_mesh_is_told_and_an_empty_one_too(pane: MeshPane, settled: Settled) -> None:
    assert "37,842 faces" in pane.panes.canvases["base"].accessibleName()
    pane.set_mesh_settings(MeshSettings(edge_cut=1e-6, near_far_ratio=2.0))
    settled(pane)
    assert "cut away" in pane.panes.canvases["base"].accessibleName()


def test_another_theme_is_drawn_on_its_own_ground(qapp: QApplication, pane: MeshPane, settled: Settled) -> None:
    pane.set_camera(OrbitCamera(distance=4.0))
    settled(pane)
    grounds = []
    for name in ("light", "dark"):
        apply_theme(qapp, name)
        settled(pane)
        grounds.append(tuple(pictures(pane)["base"][2, 2].tolist()))
        assert grounds[-1] == QColor(current_theme().mat).getRgb()[:3]
    assert grounds[0] != grounds[1]


def test_names_stand_above_the_meshes(pane: MeshPane, comparison: Comparison) -> None:
    for side, canvas in pane.panes.canvases.items():
        assert comparison.label(side) in canvas.accessibleName()
        assert np.ptp(pixels(canvas.grab().toImage())[4 : TITLE_PX - 4, 10:120]) > 80
