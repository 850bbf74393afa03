"""How fast the viewer draws: the relit preview, its pane while the light is dragged, both meshes, and how long saving takes.

    python tests/benchmarks/viewer.py [--seconds 5] [--triangles 1e6]

Each figure is given by the clock and in processor seconds, for other programs may want the same cores.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from PySide6.QtCore import QElapsedTimer, QEvent, QPointF, Qt  # noqa: E402
from PySide6.QtGui import QMouseEvent  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from desktop.rendering.context import open_context  # noqa: E402
from desktop.rendering.light import Light  # noqa: E402
from desktop.rendering.meshes import Look, MeshRenderer  # noqa: E402
from desktop.rendering.orbit import OrbitCamera  # noqa: E402
from desktop.rendering.relight import Relighter  # noqa: E402
from desktop.rendering.shapes import mesh_from_comparison, pivot_of  # noqa: E402
from desktop.rendering.surface import surface_from_comparison  # noqa: E402
from desktop.saving.files import save_mesh  # noqa: E402
from desktop.state.comparison import Comparison  # noqa: E402
from desktop.views3d.mesh_pane import MeshPane  # noqa: E402
from desktop.views3d.relight_pane import RelightPane  # noqa: E402
from engine.api.settings import MeshSettings  # noqa: E402

MEGAPIXEL = (1154, 866)


def waves(width: int, height: int) -> Comparison:
    """Return two smooth reliefs of different strength under a coloured picture."""
    across, down = np.meshgrid(np.linspace(-3, 3, width, dtype=np.float32), np.linspace(-2, 2, height, dtype=np.float32))
    relief = np.sin(3 * across) * np.cos(2.5 * down)
    picture = np.stack([across * 40 + 128, down * 60 + 128, relief * 90 + 128], axis=-1).astype(np.uint8)
    base, refined = (2 + 0.1 * across + strength * relief for strength in (0.1, 0.3))
    return Comparison(name="waves", image_srgb=picture, disparity_base=base, disparity_refined=refined, label_base="Base", label_refined="Refined")


def timed(name: str, work: Callable[[], object], repeats: int = 20) -> None:
    """Print median and best of ``repeats`` runs, after one that does not count."""
    work()
    clocks, processor = [], time.process_time()
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        clocks.append(time.perf_counter() - begun)
    processor = (time.process_time() - processor) / repeats
    median = float(np.median(clocks))
    clock = f"{1000 * median:8.1f} ms by the clock (best {1000 * min(clocks):.1f}), {1 / median:6.1f} a second"
    print(f"{name:58s} {clock}; {1000 * processor:7.1f} ms of processor time")


def relighting(comparison: Comparison) -> None:
    context = open_context()
    print(f"drawn by {context.info['GL_RENDERER']}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    relighters = [Relighter(context), Relighter(context)]
    for side, relighter in zip(("base", "refined"), relighters, strict=True):
        timed(f"surface of one depth, {comparison.size_px} px", lambda: surface_from_comparison(comparison, side, MeshSettings(), MEGAPIXEL), 3)  # noqa: B023
        relighter.load(surface_from_comparison(comparison, side, MeshSettings(), MEGAPIXEL))
    timed("relighting one depth at 1 megapixel", lambda: relighters[0].relight(Light()))
    timed("relighting both depths at 1 megapixel each", lambda: [relighter.relight(Light()) for relighter in relighters])
    timed("the same with shadows", lambda: [relighter.relight(Light(shadows=True)) for relighter in relighters], 5)
    for relighter in relighters:
        relighter.release()
    context.release()


def dragging(application: QApplication, pane: RelightPane | MeshPane, comparison: Comparison, seconds: float) -> None:
    """Drag in circles over a pane as fast as events are taken, and print how often it showed another picture."""
    pane.show_comparison(comparison)
    pane.resize(2 * MEGAPIXEL[0] + 12, MEGAPIXEL[1] + 140)
    pane.show()
    while not pane.is_settled:
        application.processEvents()
    canvas = pane.panes.canvases["base"]
    shown = []
    pane.panes._thread.drawn.connect(shown.append)
    longest, clock, processor = 0.0, QElapsedTimer(), time.process_time()
    clock.start()
    send(canvas, QEvent.Type.MouseButtonPress, QPointF(400, 300))
    while clock.elapsed() < 1000 * seconds:
        angle = clock.elapsed() / 500
        begun = time.thread_time()
        send(canvas, QEvent.Type.MouseMove, QPointF(550 + 300 * math.cos(angle), 450 + 200 * math.sin(angle)))
        application.processEvents()
        longest = max(longest, time.thread_time() - begun)
        time.sleep(0.004)
    send(canvas, QEvent.Type.MouseButtonRelease, QPointF(400, 300))
    passed, processor = clock.elapsed() / 1000, time.process_time() - processor
    size = canvas.image.size()
    print(
        f"{type(pane).__name__}, dragging, 2 x {size.width()} x {size.height()} px: {len(shown) / passed:.1f} pictures a second shown, "
        f"{1000 * processor / max(1, len(shown)):.1f} ms of processor time each; window's thread busy at most {1000 * longest:.1f} ms"
    )
    pane.shut_down()


def send(canvas: object, kind: QEvent.Type, at: QPointF) -> None:
    held = Qt.MouseButton.LeftButton
    event = QMouseEvent(kind, at, canvas.mapToGlobal(at), held, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(canvas, event)


def meshes(comparison: Comparison, triangles: float) -> None:
    settings = MeshSettings(long_side_vertices=max(2, round(math.sqrt(triangles / 2 * 4 / 3))), edge_cut=0.0)
    timed("building one mesh", lambda: mesh_from_comparison(comparison, "refined", settings), 3)
    mesh = mesh_from_comparison(comparison, "refined", settings)
    context = open_context()
    renderer = MeshRenderer(context)
    renderer.load_picture(comparison.image_srgb)
    loaded = renderer.load_mesh(mesh)
    pivot = pivot_of(comparison, settings)
    camera = OrbitCamera(yaw_deg=20, pitch_deg=10)
    for smooth in (False, True):
        name = f"one mesh of {len(mesh.faces):,} triangles at 800 x 600 px{', smooth edges' if smooth else ''}"
        timed(name, lambda: renderer.draw(loaded, camera, pivot, Look(), (800, 600), smooth=smooth), 3)  # noqa: B023
    loaded.release()
    renderer.release()
    context.release()
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".glb", ".ply", ".stl", ".obj"):
            path = Path(folder) / f"mesh{suffix}"
            begun = time.perf_counter()
            save_mesh(comparison, "refined", settings, path)
            print(f"saving it as {suffix[1:].upper()}: {time.perf_counter() - begun:.1f} s, {path.stat().st_size / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--triangles", type=float, default=1e6)
    options = parser.parse_args()
    application = QApplication([])
    comparison = waves(*MEGAPIXEL)
    relighting(comparison)
    dragging(application, RelightPane(), comparison, options.seconds)
    dragging(application, MeshPane(), comparison, options.seconds)
    meshes(comparison, options.triangles)


if __name__ == "__main__":
    main()
