from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QCheckBox, QPushButton, QSlider
from pytestqt.qtbot import QtBot

from desktop.rendering.light import Light
from desktop.state.comparison import Comparison
from desktop.views3d.picture_canvas import PictureCanvas
from desktop.views3d.relight_pane import RelightPane
from engine.api.settings import MeshSettings
from engine.geometry.camera import Camera
from engine.geometry.disparity import depth_from_disparity
from engine.geometry.normals import normals_from_depth

from .conftest import pixels

pytestmark = pytest.mark.gui

Settled = Callable[[RelightPane], None]


@pytest.fixture
def pane(qtbot: QtBot, comparison: Comparison, settled: Settled) -> Iterator[RelightPane]:
    pane = RelightPane()
    qtbot.addWidget(pane)
    pane.resize(700, 420)
    pane.show_comparison(comparison)
    pane.show()
    settled(pane)
    yield pane
    pane.shut_down()


def drag(qtbot: QtBot, canvas: PictureCanvas, *stops: QPointF) -> None:
    """Press at the first stop, move over the others and let go at the last."""
    points = [stop.toPoint() for stop in stops]
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=points[0])
    for point in points[1:]:
        qtbot.mouseMove(canvas, point)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=points[-1])


def expected_picture(comparison: Comparison, which: str, light: Light) -> np.ndarray:
    """Return the side relit by the formula, in float64: diffuse and ambient alone."""
    assert light.specular == 0
    depth = depth_from_disparity(comparison.disparity(which), MeshSettings().near_far_ratio, comparison.value_range)
    normals = normals_from_depth(depth.astype(np.float64), Camera(*comparison.size_px, comparison.fov_deg))
    direction = np.array([light.x, light.y, light.height])
    direction /= np.linalg.norm(direction)
    display = comparison.image_srgb / 255
    albedo = np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4)
    lit = np.clip(albedo * (light.ambient + light.diffuse * np.maximum(0, normals @ direction)[..., None]), 0, 1)
    return 255 * np.where(lit <= 0.0031308, 12.92 * lit, 1.055 * np.maximum(lit, 1e-9) ** (1 / 2.4) - 0.055)


def test_dragging_the_light_relights_both_pictures_as_the_formula_says(
    qtbot: QtBot, pane: RelightPane, comparison: Comparison, settled: Settled
) -> None:
    pane.set_light(Light(specular=0.0))
    settled(pane)
    for side, other in (("base", "refined"), ("refined", "base")):
        canvas = pane.panes.canvases[side]
        rect = canvas.picture_rect()
        before = {each: pixels(pane.panes.canvases[each].image) for each in (side, other)}
        target = QPointF(rect.right() - 20, rect.top() + 12) if side == "base" else QPointF(rect.left() + 15, rect.bottom() - 10)
        drag(qtbot, canvas, rect.center(), target)
        settled(pane)
        offset = (QPointF(target.toPoint()) - rect.center()) / (0.5 * min(rect.width(), rect.height()))
        assert (pane.light.x, pane.light.y) == pytest.approx((offset.x(), -offset.y()), abs=0.01)
        for each in (side, other):
            after = pixels(pane.panes.canvases[each].image)
            assert np.abs(after - before[each]).mean() > 3
            assert np.abs(after - expected_picture(comparison, each, pane.light)).max() <= 2


def test_what_is_on_the_screen_is_the_picture_under_its_name(pane: RelightPane, comparison_of: Callable[..., Comparison], settled: Settled) -> None:
    comparison = comparison_of(800, 600)
    pane.show_comparison(comparison)
    settled(pane)
    for side in ("base", "refined"):
        canvas = pane.panes.canvases[side]
        shown, image = pixels(canvas.grab().toImage()), pixels(canvas.image)
        corner = canvas.picture_rect().topLeft().toPoint()
        part = shown[corner.y() : corner.y() + image.shape[0], corner.x() : corner.x() + image.shape[1]]
        assert np.median(np.abs(part - image)) == 0
        assert comparison.label(side) in canvas.accessibleName()
        assert np.ptp(shown[4:22, 10:120]) > 80  # letters


def test_the_light_stays_within_reach(qtbot: QtBot, pane: RelightPane, settled: Settled) -> None:
    canvas = pane.panes.canvases["base"]
    drag(qtbot, canvas, canvas.picture_rect().center(), QPointF(-400, -400), QPointF(-500, 9))
    unit = 0.5 * min(canvas.picture_rect().width(), canvas.picture_rect().height())
    at = canvas.picture_rect().center() + QPointF(pane.light.x, -pane.light.y) * unit
    assert canvas.area.adjusted(-1, -1, 1, 1).contains(at)
    settled(pane)


def test_the_keyboard_alone_moves_and_raises_the_light(qtbot: QtBot, pane: RelightPane) -> None:
    canvas, start = pane.panes.canvases["refined"], pane.light
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyClick(canvas, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
    assert pane.light.x == pytest.approx(start.x + 0.05)
    assert pane.light.y == pytest.approx(start.y + 0.25)
    assert pane.light.height < start.height
    for _ in range(60):
        qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
    assert pane.light.height == 0.05
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    assert (pane.light.x, pane.light.y) == (start.x, start.y)


def test_dials_switches_and_reset_set_the_light(qtbot: QtBot, pane: RelightPane, settled: Settled) -> None:
    told: list[Light] = []
    pane.light_changed.connect(told.append)
    sliders = {slider.accessibleName(): slider for slider in pane.findChildren(QSlider)}
    assert set(sliders) == {"Light height", "Ambient", "Diffuse", "Highlight", "Shininess", "Original"}
    sliders["Ambient"].setValue(500)
    assert pane.light.ambient == pytest.approx(1.0)
    sliders["Shininess"].setValue(0)
    assert pane.light.shininess == pytest.approx(1.0)
    for box in pane.findChildren(QCheckBox):
        box.click()
    assert pane.light.clay and pane.light.shadows
    (reset,) = pane.findChildren(QPushButton)
    reset.click()
    assert pane.light == Light() == told[-1]
    assert sliders["Ambient"].value() == 75
    settled(pane)


def test_all_of_the_original_shows_the_photo(pane: RelightPane, comparison: Comparison, settled: Settled) -> None:
    pane.set_light(replace(pane.light, original=1.0))
    settled(pane)
    np.testing.assert_array_equal(pixels(pane.panes.canvases["refined"].image), comparison.image_srgb)


def test_mesh_settings_shape_the_surface(pane: RelightPane, settled: Settled) -> None:
    before = pixels(pane.panes.canvases["base"].image)
    pane.set_mesh_settings(MeshSettings(near_far_ratio=20.0))
    settled(pane)
    assert np.abs(pixels(pane.panes.canvases["base"].image) - before).mean() > 2


def test_a_single_map_has_one_canvas(qtbot: QtBot, pane: RelightPane, comparison: Comparison, settled: Settled) -> None:
    pane.show_comparison(replace(comparison, disparity_refined=comparison.disparity_base))
    settled(pane)
    assert [side for side, canvas in pane.panes.canvases.items() if canvas.isVisible()] == ["base"]
    pane.show_comparison(comparison)
    settled(pane)
    assert all(canvas.isVisible() for canvas in pane.panes.canvases.values())


def test_holding_space_shows_each_depth_in_the_others_place(qtbot: QtBot, pane: RelightPane, comparison: Comparison, settled: Settled) -> None:
    base, refined = (pane.panes.canvases[side] for side in ("base", "refined"))
    before = [pixels(canvas.image) for canvas in (base, refined)]
    base.setFocus()
    qtbot.keyPress(base, Qt.Key.Key_Space)
    for canvas, other, name in ((base, before[1], "Refined"), (refined, before[0], "Model A")):
        np.testing.assert_array_equal(pixels(canvas.image), other)
        assert name in canvas.accessibleName()
    pane.set_light(Light(x=0.9))
    settled(pane)
    lit = pixels(base.image)
    qtbot.keyRelease(base, Qt.Key.Key_Space)
    np.testing.assert_array_equal(pixels(refined.image), lit)
    assert "Model A" in base.accessibleName()
    qtbot.keyPress(base, Qt.Key.Key_Space)
    refined.setFocus()
    assert "Model A" in base.accessibleName()  # leaving lets go


def test_wide_pictures_lie_above_each_other(pane: RelightPane, comparison_of: Callable[..., Comparison], settled: Settled) -> None:
    widths = []
    for size, is_above in (((160, 120), False), ((600, 100), True), ((100, 200), False)):
        pane.show_comparison(comparison_of(*size))
        settled(pane)
        base, refined = (pane.panes.canvases[side].geometry() for side in ("base", "refined"))
        assert (refined.top() > base.bottom()) is is_above
        assert (refined.left() > base.right()) is not is_above
        widths.append(base.width())
    assert widths[1] > 1.9 * widths[0]


def test_what_is_asked_for_while_hidden_is_drawn_when_shown(
    qtbot: QtBot, pane: RelightPane, comparison_of: Callable[..., Comparison], settled: Settled
) -> None:
    pane.hide()
    pane.show_comparison(comparison_of(60, 90))
    qtbot.wait(50)
    assert pane.panes.canvases["base"].image is None
    pane.show()
    settled(pane)
    assert pixels(pane.panes.canvases["base"].image).shape == (90, 60, 3)


def test_resizing_draws_anew_at_the_new_size(qtbot: QtBot, pane: RelightPane, comparison_of: Callable[..., Comparison], settled: Settled) -> None:
    pane.show_comparison(comparison_of(2000, 1500))
    settled(pane)
    first = pane.panes.canvases["base"].image.width()
    pane.resize(1000, 700)
    settled(pane)
    canvas = pane.panes.canvases["base"]
    assert canvas.image.width() > first
    assert canvas.image.width() == pytest.approx(canvas.picture_rect().width(), abs=1)


def test_many_moves_in_a_row_end_at_the_last(qtbot: QtBot, pane: RelightPane, comparison: Comparison, settled: Settled) -> None:
    pane.set_light(Light(specular=0.0))
    canvas = pane.panes.canvases["base"]
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    for step in range(80):
        qtbot.mouseMove(canvas, QPoint(60 + 2 * step, 60 + step))
    settled(pane)
    shown = pixels(canvas.image)
    assert np.abs(shown - expected_picture(comparison, "base", pane.light)).max() <= 2
