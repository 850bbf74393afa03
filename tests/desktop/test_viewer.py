"""The window as a user has it: opening, comparing, saving, keys, and what it says when something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.app import Viewer
from desktop.state.comparison import Comparison
from desktop.state.opening import OpenedPicture
from desktop.views.dialogs import metadata_text
from desktop.views.theme import THEMES
from engine.api.settings import MeshSettings
from engine.export.depth_files import read_depth_file
from tests.desktop.test_responsiveness import turn_wheel

pytestmark = pytest.mark.gui

Open = Callable[..., None]
SAVE_MS = 60_000


def comparison_of(viewer: Viewer) -> Comparison:
    shown = viewer.session.shown
    assert isinstance(shown, Comparison)
    return shown


def names_shown(viewer: Viewer) -> list[str]:
    return [pane.image.name for pane in viewer.window.compare.panes if pane.image is not None and not pane.isHidden()]


# --- opening ----------------------------------------------------------------------------------------------------------------------------------


def test_a_result_folder_shows_where_and_how_much_changed(viewer: Viewer, result_folder: Path, open_in: Open) -> None:
    open_in(viewer, result_folder)
    comparison = comparison_of(viewer)
    np.testing.assert_array_equal(comparison.disparity_refined, np.load(result_folder / "disparity_refined.npy"))
    assert names_shown(viewer) == ["Picture", "Change", "Embedded depth model", "Refined"]
    assert viewer.window.message.text == ""
    assert viewer.session.keeping.recent()[0] == result_folder


def test_a_folder_of_pictures_becomes_a_strip(viewer: Viewer, picture: Path, other_picture: Path, open_in: Open, qtbot: QtBot) -> None:
    open_in(viewer, picture.parent)
    strip = viewer.window.strip
    assert [strip.item(row).text() for row in range(strip.count())] == [other_picture.name, picture.name]
    assert viewer.session.picture == other_picture
    strip.setCurrentRow(1)
    qtbot.waitUntil(lambda: viewer.session.picture == picture and viewer.refining.is_settled)
    assert not strip.is_waiting


def test_two_depth_files_with_their_picture_are_compared(viewer: Viewer, result_folder: Path, picture: Path, open_in: Open) -> None:
    open_in(viewer, result_folder / "disparity_base.npy", result_folder / "depth_refined.exr", picture)
    comparison = comparison_of(viewer)
    assert (comparison.label_base, comparison.label_refined) == ("disparity_base.npy (disparity)", "depth_refined.exr (depth)")
    result = np.load(result_folder / "disparity_refined.npy")
    assert np.corrcoef(comparison.disparity_refined.ravel(), result.ravel())[0, 1] > 0.999


def test_dropped_files_are_opened(viewer: Viewer, picture: Path, settle: Callable[[Viewer], None]) -> None:
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(picture))])
    action, button, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    viewer.window.dropEvent(QDropEvent(QPointF(5, 5), action, dropped, button, none))
    settle(viewer)
    assert viewer.session.picture == picture


def test_a_picture_in_the_clipboard_is_opened(viewer: Viewer, home: Path, settle: Callable[[Viewer], None]) -> None:
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkCyan)
    QGuiApplication.clipboard().setImage(image)
    viewer.actions.paste()
    settle(viewer)
    shown = viewer.session.shown
    assert isinstance(shown, OpenedPicture)
    assert shown.image_srgb.shape == (48, 64, 3)
    assert (shown.image_srgb == (0, 128, 128)).all()
    assert shown.path.parent == home / "pasted"


def test_truth_is_measured_against(viewer: Viewer, result_folder: Path, project_root: Path, open_in: Open, settle: Callable[[Viewer], None]) -> None:
    open_in(viewer, result_folder)
    assert viewer.window.plots.table.rowCount() == 0
    viewer.session.measure_against(project_root / "samples" / "still_life_depth.npz")
    settle(viewer)
    table = viewer.window.plots.table
    measures = {table.item(row, 1).text() for row in range(table.rowCount()) if table.item(row, 0).text() == "standard"}
    assert {"AbsRel", "RMSE", "δ1", "normals °"} <= measures
    assert max(table.rowHeight(row) for row in range(table.rowCount())) < 2 * table.fontMetrics().height(), "a row takes two lines"
    assert {table.item(row, 5).toolTip() for row in range(table.rowCount())} <= {"Embedded depth model", "Refined", "–"}
    viewer.actions.next_map()
    viewer.actions.next_map()
    viewer.actions.next_map()
    settle(viewer)
    assert viewer.session.look.map_layer == "error"
    assert names_shown(viewer)[2:] == ["Embedded depth model, error", "Refined, error"]


# --- comparing --------------------------------------------------------------------------------------------------------------------------------


def test_linked_views_stay_equal_after_zooming_and_moving_either(viewer: Viewer, result_folder: Path, open_in: Open) -> None:
    open_in(viewer, result_folder)
    panes = [pane for pane in viewer.window.compare.panes if not pane.isHidden()]
    fitted = viewer.window.compare.view
    for turn in range(40):
        turn_wheel(panes[turn % 4], QPointF(60 + 3 * turn, 70 + turn), 1 if turn % 5 < 3 else -1)
    turn_wheel(panes[1], QPointF(100, 90), 6)
    for pane in panes:
        press_and_drag(pane, QPoint(120, 90), QPoint(143, 102))
    views = {(pane.view, pane.area_size) for pane in panes}
    assert len(views) == 1
    assert viewer.window.compare.view.scale > 2 * fitted.scale
    viewer.window.compare.fit()
    assert viewer.window.compare.view == fitted


def press_and_drag(pane: QWidget, start: QPoint, end: QPoint) -> None:
    QTest.mousePress(pane, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    for share in (0.3, 0.6, 1.0):
        QTest.mouseMove(pane, start + (end - start) * share)
    QTest.mouseRelease(pane, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)


def test_the_point_under_the_wheel_stays_where_it_is(viewer: Viewer, result_folder: Path, open_in: Open) -> None:
    open_in(viewer, result_folder)
    pane = viewer.window.compare.panes[3]
    at = QPointF(180, 120)
    before = pane._to_picture(at)
    turn_wheel(pane, at, 5)
    assert pane._to_picture(at) == pytest.approx(before, abs=1e-6)


def test_shift_shows_the_other_depth_in_the_same_place(viewer: Viewer, result_folder: Path, open_in: Open, settle: Callable[[Viewer], None]) -> None:
    open_in(viewer, result_folder)
    viewer.actions.set_layout("single")
    settle(viewer)
    assert names_shown(viewer) == ["Refined"]
    viewer.window.activateWindow()
    pane = viewer.window.compare.panes[0]
    pane.setFocus()
    QTest.keyPress(pane, Qt.Key.Key_Shift)
    assert names_shown(viewer) == ["Embedded depth model"]
    QTest.keyRelease(pane, Qt.Key.Key_Shift)
    assert names_shown(viewer) == ["Refined"]
    viewer.window.refine.prompt.setEnabled(True)
    viewer.window.refine.prompt.setFocus()
    QTest.keyPress(viewer.window.refine.prompt, Qt.Key.Key_Shift)
    assert names_shown(viewer) == ["Refined"], "Shift writes capitals while text is typed"
    QTest.keyRelease(viewer.window.refine.prompt, Qt.Key.Key_Shift)


def test_every_layout_and_layer_is_painted_with_its_name(
    viewer: Viewer, result_folder: Path, open_in: Open, settle: Callable[[Viewer], None]
) -> None:
    open_in(viewer, result_folder)
    counts = {}
    for layout in ("overview", "side_by_side", "wipe", "single"):
        viewer.actions.set_layout(layout)  # type: ignore[arg-type]
        settle(viewer)
        counts[layout] = len(names_shown(viewer))
    assert counts == {"overview": 4, "side_by_side": 2, "wipe": 1, "single": 1}
    viewer.actions.set_layout("overview")
    seen = set()
    for _ in range(4):
        viewer.actions.next_extra()
        settle(viewer)
        seen.add(names_shown(viewer)[1])
    assert {"Change", "Change beyond doubt", "Uncertainty"} <= seen
    drawn = viewer.window.compare.panes[1].grab().toImage()
    colours = {drawn.pixelColor(x, y).rgb() for x in range(0, drawn.width(), 7) for y in range(0, drawn.height(), 7)}
    assert len(colours) > 20


def test_the_wipes_edge_follows_the_mouse_and_the_keys(viewer: Viewer, result_folder: Path, open_in: Open, settle: Callable[[Viewer], None]) -> None:
    open_in(viewer, result_folder)
    viewer.actions.set_layout("wipe")
    settle(viewer)
    pane = viewer.window.compare.panes[0]
    shown = pane.grab().toImage()
    for share, image in ((0.25, pane.image), (0.75, pane.other)):
        assert image is not None
        at = QPointF(pane.area.left() + share * pane.area.width(), pane.area.top() + 0.3 * pane.area.height())
        column, row = (int(value) for value in pane._to_picture(at))
        blue, green, red, _ = (int(level) for level in image.pixels[0][row, column])
        drawn = shown.pixelColor(at.toPoint())
        assert (drawn.red(), drawn.green(), drawn.blue()) == pytest.approx((red, green, blue), abs=12)
    middle = QPoint(round(pane.area.center().x()), round(pane.area.center().y()))
    press_and_drag(pane, middle, middle - QPoint(100, 0))
    assert viewer.session.look.wipe_share == pytest.approx(0.5 - 100 / pane.area.width(), abs=0.01)
    pane.setFocus()
    QApplication.sendEvent(pane, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Period, Qt.KeyboardModifier.NoModifier, "."))
    assert viewer.session.look.wipe_share == pytest.approx(0.55 - 100 / pane.area.width(), abs=0.01)


def test_probe_and_profile_say_what_the_maps_hold(viewer: Viewer, result_folder: Path, open_in: Open) -> None:
    open_in(viewer, result_folder)
    comparison = comparison_of(viewer)
    viewer.window.compare.set_pin((100.5, 60.5))
    cells = [cell.text() for cell in viewer.window.probe._cells["disparity"]]
    assert cells[0] == f"{comparison.disparity_base[60, 100]:.4g}"
    assert cells[1] == f"{comparison.disparity_refined[60, 100]:.4g}"
    assert cells[2] == f"{100 * comparison.change[60, 100]:+.2f} %"
    viewer.window.compare.set_line(((10, 20), (200, 150)))
    assert viewer.window.plots.tabText(viewer.window.plots.currentIndex()) == "Profile"


def test_sliders_change_depth_and_can_be_undone(viewer: Viewer, result_folder: Path, open_in: Open) -> None:
    open_in(viewer, result_folder)
    sliders, undo = viewer.window.sliders, viewer.window.undo
    for ratio in (5.0, 6.0, 7.0):
        sliders._fields["near_far_ratio"].setValue(ratio)
    sliders._fields["edge_cut"].setValue(3.0)
    assert viewer.session.look.mesh.near_far_ratio == 7.0
    viewer.window.compare.set_pin((100.5, 60.5))
    depth = comparison_of(viewer).depth("base", viewer.session.look.mesh)[60, 100]
    assert viewer.window.probe._cells["depth"][0].text() == f"{depth:.4g}"
    assert undo.count() == 2
    undo.undo()
    undo.undo()
    assert viewer.session.look.mesh == MeshSettings()
    undo.redo()
    assert viewer.session.look.mesh.near_far_ratio == 7.0


# --- saving -----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".glb", ".obj", ".ply", ".stl"])
def test_a_mesh_is_saved_with_the_sliders_values(
    viewer: Viewer, result_folder: Path, tmp_path: Path, open_in: Open, qtbot: QtBot, suffix: str
) -> None:
    open_in(viewer, result_folder)
    viewer.window.sliders._fields["near_far_ratio"].setValue(8.0)
    viewer.window.sliders._fields["edge_cut"].setValue(0.0)
    path = tmp_path / f"mesh{suffix}"
    with qtbot.waitSignal(viewer.exporter.saved, timeout=SAVE_MS):
        viewer.exporter.save("mesh", "refined", path)
    mesh = trimesh.load(path, force="mesh", process=False)
    depth = -mesh.vertices[:, 2]
    expected = comparison_of(viewer).depth("refined", viewer.session.look.mesh)
    assert depth.min() == pytest.approx(expected.min(), rel=1e-4)
    assert depth.max() == pytest.approx(expected.max(), rel=1e-4)
    assert viewer.window.message.text.startswith(f"Saved {path}")


def test_depth_comes_back_as_it_was_shown(viewer: Viewer, result_folder: Path, tmp_path: Path, open_in: Open, qtbot: QtBot) -> None:
    open_in(viewer, result_folder)
    for suffix, tolerance in ((".exr", 0), (".npy", 0), (".png", 1e-4)):
        path = tmp_path / f"depth{suffix}"
        with qtbot.waitSignal(viewer.exporter.saved, timeout=SAVE_MS):
            viewer.exporter.save("depth", "refined", path)
        expected = comparison_of(viewer).depth("refined", viewer.session.look.mesh)
        np.testing.assert_allclose(read_depth_file(path).values, expected, atol=tolerance * float(np.ptp(expected)))
    shown = comparison_of(viewer)
    open_in(viewer, tmp_path / "depth.npy")
    assert comparison_of(viewer).label_base == "depth.npy (depth)"
    correlation = np.corrcoef(comparison_of(viewer).disparity_base.ravel(), shown.disparity_refined.ravel())[0, 1]
    assert correlation > 0.9999


def test_the_comparison_is_saved_as_a_picture(viewer: Viewer, result_folder: Path, tmp_path: Path, open_in: Open, qtbot: QtBot) -> None:
    open_in(viewer, result_folder)
    with qtbot.waitSignal(viewer.exporter.saved, timeout=SAVE_MS):
        viewer.exporter.save("comparison", "refined", tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert min(sheet.size) > 400


def test_what_cannot_be_saved_is_said(viewer: Viewer, result_folder: Path, tmp_path: Path, open_in: Open, qtbot: QtBot) -> None:
    open_in(viewer, result_folder)
    viewer.exporter.save("mesh", "base", tmp_path / "no such folder" / "mesh.glb")
    qtbot.waitUntil(lambda: viewer.window.message.text != "", timeout=SAVE_MS)
    assert "Cannot write" in viewer.window.message.text
    assert "Create the folder first." in viewer.window.message.text
    assert list(tmp_path.glob("no such folder/*")) == []
    viewer.window.message.copy.click()
    report = QGuiApplication.clipboard().text()
    assert "output.no_folder" in report
    assert "PySide6" in report


def test_only_a_job_can_be_sent_to_blender(viewer: Viewer, result_folder: Path, open_in: Open) -> None:
    open_in(viewer, result_folder)
    viewer.exporter.send_to_blender()
    assert viewer.window.message.text.startswith("Only a job of the engine can be sent to Blender.")


# --- habits -----------------------------------------------------------------------------------------------------------------------------------


def test_settings_are_kept_for_the_next_time(make_viewer: Callable[[], Viewer], result_folder: Path, open_in: Open) -> None:
    first = make_viewer()
    open_in(first, result_folder)
    first.actions.set_layout("wipe")
    first.window.top_bar.colour_map.setCurrentIndex(first.window.top_bar.colour_map.findData("Viridis"))
    first.window.top_bar.colour_map.activated.emit(0)
    first.actions.set_theme("light")
    first.window.close()
    second = make_viewer()
    assert (second.session.look.layout, second.session.look.colour_map) == ("wipe", "Viridis")
    assert second.keeping.theme() == "light"
    assert second.keeping.recent() == [result_folder]


def test_both_themes_keep_text_readable(viewer: Viewer) -> None:
    for theme in THEMES.values():
        for text in (theme.text, theme.muted, theme.good, theme.doubtful, theme.error, theme.base, theme.refined):
            assert contrast(text, theme.panel) >= 4.5
        assert contrast(theme.on_accent, theme.accent) >= 4.5


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours as WCAG defines it, 1 to 21."""
    lights = sorted(
        sum(weight * linear(int(colour[at : at + 2], 16) / 255) for weight, at in ((0.2126, 1), (0.7152, 3), (0.0722, 5)))
        for colour in (first, second)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def linear(level: float) -> float:
    return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4


def test_no_two_actions_share_a_key_and_all_have_names(viewer: Viewer) -> None:
    keys = [action.shortcut().toString() for action in viewer.actions.all if not action.shortcut().isEmpty()]
    assert sorted(keys) == sorted(set(keys))
    assert {"F", "I", "?", "Ctrl+0", "Ctrl+O", "Ctrl+Z", "Ctrl+S"} <= set(keys)
    assert all(action.text() for action in viewer.actions.all)


def test_everything_that_takes_input_can_be_reached_by_tab(viewer: Viewer, result_folder: Path, open_in: Open) -> None:
    open_in(viewer, result_folder)
    window, seen = viewer.window, []
    at = window.refine.depth_model
    for _ in range(400):
        at = at.nextInFocusChain()
        if at.focusPolicy() & Qt.FocusPolicy.TabFocus and at.isVisibleTo(window):
            seen.append(at)
    wanted = [
        window.compare.panes[0],
        window.refine.preset,
        window.top_bar.map_layer,
        window.top_bar.layouts["wipe"],
        window.sliders._sliders["edge_cut"],
    ]
    assert all(widget in seen for widget in wanted)


def test_metadata_say_how_the_result_was_made(viewer: Viewer, result_folder: Path, open_in: Open) -> None:
    open_in(viewer, result_folder)
    facts = json.loads(metadata_text(comparison_of(viewer)))
    assert facts["provenance"]["models"]["depth"]["licence"] == "GPL-3.0-or-later"
    assert facts["provenance"]["settings"]["method"]["members"] == 2


def test_depth_files_can_be_read_by_another_convention(
    viewer: Viewer, result_folder: Path, tmp_path: Path, open_in: Open, settle: Callable[[Viewer], None]
) -> None:
    disparity = np.load(result_folder / "disparity_base.npy")
    np.save(tmp_path / "left.npy", disparity)
    np.save(tmp_path / "right.npy", 1 / disparity)
    open_in(viewer, tmp_path / "left.npy", tmp_path / "right.npy")
    assert comparison_of(viewer).label_refined == "right.npy (disparity?)"
    viewer.actions._as_depth["right"].trigger()
    settle(viewer)
    comparison = comparison_of(viewer)
    assert comparison.label_refined == "right.npy (depth)"
    np.testing.assert_allclose(comparison.disparity_refined, disparity, rtol=1e-5)
    assert viewer.actions._as_depth["right"].isChecked()
    viewer.actions._as_depth["left"].trigger()
    settle(viewer)
    assert comparison_of(viewer).label_base == "left.npy (depth)"


def test_the_strongest_change_is_marked_and_probed(viewer: Viewer, result_folder: Path, open_in: Open) -> None:
    open_in(viewer, result_folder)
    comparison, pin = comparison_of(viewer), viewer.window.compare.pin
    assert pin is not None
    assert abs(comparison.change[int(pin[1]), int(pin[0])]) > 0.7 * np.quantile(np.abs(comparison.change), 0.99)
    assert viewer.window.probe._cells["disparity"][0].text() != "–"


def test_a_profile_can_be_drawn_with_keys_alone(viewer: Viewer, result_folder: Path, open_in: Open) -> None:
    open_in(viewer, result_folder)
    compare = viewer.window.compare
    pane = compare.panes[2]
    pane.setFocus()
    pane.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier))
    start = compare.pin
    assert compare.line_by_keys()
    for _ in range(5):
        pane.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier))
    assert not compare.line_by_keys()
    assert start is not None
    assert compare.line == (start, (start[0] + 5, start[1]))
