"""Seconds in Blender for a mesh of a million vertices: building it, and every slider's move.

    python tests/benchmarks/blender_mesh.py [--versions 4.2 5.0] [--rounds 5]

Each figure is the best of the rounds, by the clock and by what this process computed (all threads; less than the clock where other programs
take the cores, whose load is printed too). "faces follow" is what happens once when a slider has rested: the cut is made anew.
Needs the environments that `build.py test` makes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIZE_PX = (1155, 866)


def measure_in_blender(rounds: int) -> None:
    """Run inside Blender's Python, on the staged add-on; prints one JSON line."""
    import bpy
    import numpy as np

    import redepth_measured.registration as registration  # isort: skip
    from redepth_measured.engine.api.result import RefineResult
    from redepth_measured.mesh import build, live
    from redepth_measured.picture.place import upright_place

    registration.preferences.RedepthPreferences.bl_idname = "redepth_measured"
    registration.register()
    width, height = SIZE_PX
    columns, rows = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    ball = np.sqrt(np.maximum(0, 0.3 - columns**2 - rows**2))
    refined = (1 + 0.4 * rows + 2 * ball + 0.02 * np.sin(60 * columns)).astype(np.float32)
    model = {"title": "none", "licence": "none"}
    result = RefineResult(
        image_srgb=np.full((height, width, 3), 128, np.uint8),
        disparity_base=(refined - 0.01 * np.sin(60 * columns)).astype(np.float32),
        disparity_refined=refined,
        uncertainty=np.zeros_like(refined),
        fov_deg=55.0,
        fov_source="default",
        provenance={"models": {"depth": model, "prior": model}, "settings": {"preset": "quick"}, "seed": 0},
    )
    options = build.BuildOptions(name="million", sliders={"long_side_vertices": 2048})
    place = upright_place(bpy.context.scene.cursor.location, SIZE_PX)
    seconds: dict[str, tuple[float, float]] = {}

    def best(name: str, act) -> object:
        begun = time.perf_counter(), time.process_time()
        made = act()
        taken = time.perf_counter() - begun[0], time.process_time() - begun[1]
        seconds[name] = min(seconds.get(name, taken), taken)
        return made

    mesh = None
    for _ in range(rounds):
        if mesh is not None:
            bpy.data.objects.remove(mesh)
        mesh = best("build all", lambda: build.build_result(bpy.context.scene, result, place, None, None, options))
        best("build the mesh alone", lambda mesh=mesh: live.rebuild(mesh))
    live.recut_soon = lambda result: None  # as in a window, where the faces follow later
    moves = {"refined_share": 0.5, "near_far_ratio": 5.0, "depth_scale": 1.2, "fov_rad": 0.8, "smoothing": 1.0, "delight": 0.7}
    for name, value in moves.items():
        for number in range(rounds):
            best(name, lambda value=value, name=name, number=number: setattr(mesh.redepth, name, value * (1 - 0.01 * number)))
        mesh.redepth.smoothing = 0
    mesh.redepth.edge_cut = 3.0
    for number in range(rounds):
        mesh.redepth.edge_cut = 3.0 + number
        best("faces follow", lambda: live.recut(mesh))
    print(json.dumps({"vertices": len(mesh.data.vertices), "faces": len(mesh.data.polygons), "seconds": seconds}), flush=True)
    os._exit(0)


def main() -> None:
    """Measure in each Blender, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", nargs="+", default=["4.2", "5.0"])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from building.addon import stage_addon
    from building.environments import python_of
    from building.outside_tools import blender_venv

    with tempfile.TemporaryDirectory() as temporary:
        stage_addon(Path(temporary) / "redepth_measured", wheel=False)
        for version in arguments.versions:
            command = [str(python_of(blender_venv(version))), "-P", str(Path(__file__)), "--inside", str(arguments.rounds)]
            run = subprocess.run(command, env=os.environ | {"PYTHONPATH": temporary}, capture_output=True, text=True, check=False)
            lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
            if not lines:
                sys.exit(run.stdout + run.stderr)
            found = json.loads(lines[-1])
            print(f"Blender {version}: {found['vertices']:,} vertices, {found['faces']:,} triangles; load {os.getloadavg()[0]:.1f}")
            for name, seconds in found["seconds"].items():
                print(f"  {name:24s} {seconds[0] * 1000:8.1f} ms, of which computing {seconds[1] * 1000:8.1f} ms")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        measure_in_blender(int(sys.argv[2]))
    main()
