"""Other threads run on while a frame is drawn; measured in shares of the frame's own time, whatever else the machine does."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from desktop.rendering import unlocked
from desktop.rendering.context import open_context
from desktop.rendering.light import Light
from desktop.rendering.meshes import Look, MeshRenderer
from desktop.rendering.orbit import OrbitCamera
from desktop.rendering.relight import Relighter
from desktop.rendering.shapes import mesh_from_comparison, pivot_of
from desktop.rendering.surface import surface_from_comparison
from desktop.rendering.unlocked import UnlockedDrawing
from desktop.state.comparison import Comparison
from engine.api.errors import DeviceError
from engine.api.settings import MeshSettings


def standstill(work: Callable[[Callable[[Callable[[], object]], None]], None]) -> float:
    """Run ``work`` in a thread and return the longest time that this thread stood still in each call that it timed, as a share of the call.

    Args:
        work: gets a function that makes a call and times it.
    """
    calls: list[tuple[float, float]] = []

    def timed(call: Callable[[], object]) -> None:
        begun = time.perf_counter()
        call()
        calls.append((begun, time.perf_counter()))

    thread = threading.Thread(target=work, args=(timed,))
    ticks = [time.perf_counter()]
    thread.start()
    while thread.is_alive():
        time.sleep(0.001)
        ticks.append(time.perf_counter())
    shares = [max(min(later, end) - max(earlier, begin) for earlier, later in pairwise(ticks)) / (end - begin) for begin, end in calls]
    return statistics.median(shares)


def test_meshes_are_drawn_beside_the_window(comparison_of: Callable[..., Comparison]) -> None:
    comparison, settings = comparison_of(900, 700), MeshSettings(long_side_vertices=8192, edge_cut=0.0)

    def work(timed: Callable[[Callable[[], object]], None]) -> None:
        context = open_context()
        renderer = MeshRenderer(context)
        renderer.load_picture(comparison.image_srgb)
        mesh = renderer.load_mesh(mesh_from_comparison(comparison, "refined", settings))
        pivot = pivot_of(comparison, settings)
        for yaw in (0.0, 10.0, 20.0):
            timed(lambda yaw=yaw: renderer.draw(mesh, OrbitCamera(yaw_deg=yaw), pivot, Look(), (900, 700), smooth=False))
        mesh.release()
        renderer.release()
        context.release()

    assert standstill(work) < 0.5


def test_pictures_are_relit_beside_the_window(comparison_of: Callable[..., Comparison]) -> None:
    comparison = comparison_of(1200, 900)

    def work(timed: Callable[[Callable[[], object]], None]) -> None:
        context = open_context()
        relighter = Relighter(context)
        relighter.load(surface_from_comparison(comparison, "refined", MeshSettings(), (1150, 860)))
        for number in range(10):
            timed(lambda number=number: relighter.relight(Light(x=number / 10, shadows=True)))
        relighter.release()
        context.release()

    assert standstill(work) < 0.5


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unlocked, "find_library", lambda name: None)
    unlocked._open_library.cache_clear()
    with pytest.raises(DeviceError, match="library is missing") as caught:
        UnlockedDrawing()
    assert "libgl1" in caught.value.hint
