from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from desktop.rendering.context import open_context
from desktop.rendering.frames import Frame
from desktop.rendering.light import Light
from desktop.rendering.mesh_painter import MeshPainter, MeshRequest
from desktop.rendering.meshes import Look
from desktop.rendering.orbit import OrbitCamera
from desktop.rendering.relight_painter import RelightPainter, RelightRequest
from desktop.state.comparison import Comparison
from engine.api.errors import DeviceError
from engine.api.settings import MeshSettings


@pytest.fixture
def relight_painter() -> Iterator[RelightPainter]:
    painter = RelightPainter()
    yield painter
    painter.close()


@pytest.fixture
def mesh_painter() -> Iterator[MeshPainter]:
    painter = MeshPainter()
    yield painter
    painter.close()


def frames_of(painter: RelightPainter | MeshPainter, request: object) -> list[Frame]:
    frames = [frame for frame in painter.frames(request) if frame is not None]  # type: ignore[arg-type]
    assert [frame.is_final for frame in frames] == [False] * (len(frames) - 1) + [True]
    return frames


def difference(one: Frame, other: Frame) -> float:
    """Return the mean difference of the right pictures, in levels."""
    return float(np.abs(one.pictures["refined"].astype(int) - other.pictures["refined"]).mean())


def relight_request(comparison: Comparison, **changes: object) -> RelightRequest:
    fields: dict[str, object] = {"settings": MeshSettings(), "light": Light(), "room_px": (96, 96)}
    return RelightRequest(comparison=comparison, **(fields | changes))  # type: ignore[arg-type]


def mesh_request(comparison: Comparison, **changes: object) -> MeshRequest:
    fields: dict[str, object] = {"settings": MeshSettings(), "camera": OrbitCamera(), "look": Look(shading="clay"), "size_px": (96, 72)}
    return MeshRequest(comparison=comparison, **(fields | changes))  # type: ignore[arg-type]


def test_both_sides_are_relit_and_differ(relight_painter: RelightPainter, comparison: Comparison) -> None:
    frame = frames_of(relight_painter, relight_request(comparison))[-1]
    assert frame.pictures.keys() == {"base", "refined"}
    assert np.abs(frame.pictures["base"].astype(int) - frame.pictures["refined"]).mean() > 1


def test_where_drawing_is_slow_some_pixels_come_first(
    relight_painter: RelightPainter, comparison_of: Callable[..., Comparison], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = relight_request(comparison_of(95, 71), light=Light(x=-1.5, shadows=True))
    for seconds, stride in ((0.1, 2), (0.3, 3), (10.0, 4)):
        relight_painter._seconds[True] = seconds
        draft, final = frames_of(relight_painter, request)
        for side in ("base", "refined"):
            np.testing.assert_array_equal(draft.pictures[side], final.pictures[side][::stride, ::stride])
    monkeypatch.setattr("desktop.rendering.relight_painter._QUICK_S", 60.0)
    assert len(frames_of(relight_painter, request)) == 1


def test_settings_and_comparison_change_the_surfaces_and_a_step_dropped_on_the_way_does_no_harm(
    relight_painter: RelightPainter, comparison: Comparison, comparison_of: Callable[..., Comparison]
) -> None:
    other = comparison_of(60, 60)
    requests = [relight_request(comparison, settings=MeshSettings(near_far_ratio=ratio)) for ratio in (2.0, 8.0)] + [relight_request(other)]
    first = [frames_of(relight_painter, request)[-1].pictures["base"] for request in requests]
    next(iter(relight_painter.frames(requests[0])))  # dropped after its first surface
    again = [frames_of(relight_painter, request)[-1].pictures["base"] for request in requests]
    assert (first[0] != first[1]).any()
    assert first[2].shape == (60, 60, 4)
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_single_map_is_drawn_once(relight_painter: RelightPainter, mesh_painter: MeshPainter, comparison: Comparison) -> None:
    single = replace(comparison, disparity_refined=comparison.disparity_base)
    assert frames_of(relight_painter, relight_request(single))[-1].pictures.keys() == {"base"}
    assert frames_of(mesh_painter, mesh_request(single))[-1].pictures.keys() == {"base"}


def test_large_meshes_get_a_draft_first_and_the_settings_own_at_rest(mesh_painter: MeshPainter, comparison_of: Callable[..., Comparison]) -> None:
    large = comparison_of(400, 300)
    frames = frames_of(mesh_painter, mesh_request(large, size_px=(400, 300), look=Look(shading="normals")))
    assert len(frames) >= 2
    colours = large.normals("base", MeshSettings()) * 127.5 + 127.5
    error = np.abs(frames[-1].pictures["base"][2:-2, 2:-2, :3] - colours[2:-2, 2:-2])
    assert np.median(error) < 1
    assert np.quantile(error, 0.9) < 3
    assert frames[0].pictures["refined"].shape == (150, 200, 4)
    assert np.abs(frames[0].pictures["base"][4:-4, 4:-4, :3] - colours[::2, ::2][4:-4, 4:-4]).mean() < 8
    assert frames[-1].pictures["refined"].shape == (300, 400, 4)
    same_again = frames_of(mesh_painter, mesh_request(large, size_px=(400, 300), look=Look(shading="normals")))
    assert difference(same_again[-1], frames[-1]) < 3  # edges may be smooth in one and not in the other


def test_the_change_is_shown_on_the_meshes_in_the_colours_of_its_map(mesh_painter: MeshPainter, comparison: Comparison) -> None:
    moved = comparison.disparity_base + np.where(np.arange(96) < 48, 0.2, -0.2).astype(np.float32)
    shifted = replace(comparison, disparity_refined=moved)
    frame = frames_of(mesh_painter, mesh_request(shifted, look=Look(shading="change")))[-1]
    red, _, blue = np.moveaxis(frame.pictures["base"][4:-4, 4:-4, :3].astype(int), -1, 0)
    assert (red > blue)[:, :40].all()
    assert (blue > red)[:, -40:].all()
    assert "red = nearer" in frame.notes["base"]
    lit = frames_of(mesh_painter, mesh_request(shifted, look=Look(shading="picture")))[-1]
    assert "faces" in lit.notes["base"]
    np.testing.assert_allclose(lit.pictures["base"][8:-8, 8:-8, :3], comparison.image_srgb[8:-8, 8:-8], atol=4)


def test_the_camera_moves_both_meshes(mesh_painter: MeshPainter, comparison: Comparison) -> None:
    front = frames_of(mesh_painter, mesh_request(comparison))[-1].pictures
    aside = frames_of(mesh_painter, mesh_request(comparison, camera=OrbitCamera(yaw_deg=30.0)))[-1].pictures
    for side in ("base", "refined"):
        assert (front[side] != aside[side]).any(axis=-1).mean() > 0.2


def test_a_request_dropped_half_way_leaves_the_next_one_right(mesh_painter: MeshPainter, comparison_of: Callable[..., Comparison]) -> None:
    first, second = comparison_of(400, 300), comparison_of(300, 400)
    expected = frames_of(mesh_painter, mesh_request(second))[-1]
    for steps in (1, 2, 3):
        frames = mesh_painter.frames(mesh_request(first))
        for _ in range(steps):
            next(frames)
        frames.close()
        assert difference(frames_of(mesh_painter, mesh_request(second))[-1], expected) < 3


def test_a_machine_without_opengl_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLCONTEXT_LINUX_LIBEGL", "libnone.so")
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(DeviceError, match=r"OpenGL 3\.3") as caught:
        open_context()
    assert caught.value.code == "device.opengl"
    assert "libegl1" in caught.value.hint
