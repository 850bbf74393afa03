"""Runs inside a Blender with windows: an artist's first minute. Drops a picture, clicks "Refine Depth", waits for the mesh, clicks "Relight".

Started as ``blender --factory-startup --enable-event-simulate --python gui_driver.py``; REDEPTH_GUI_FOLDER holds the zip and takes what is
told (``told.json``) and asked for (``NAME.wanted``: whoever watches the display puts ``NAME.png`` there and removes it).
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

FOLDER = Path(os.environ["REDEPTH_GUI_FOLDER"])
SAMPLE = Path(os.environ["REDEPTH_SAMPLES"]) / "still_life.jpg"
PRESET = os.environ.get("REDEPTH_GUI_PRESET", "quick")
# Where the buttons are, from the sidebar's upper left corner, in pixels at Blender's ordinary size.
REFINE_BUTTON, RELIGHT_BUTTON = (143, 130), (143, 228)
LIMIT_S = 240.0
REST_S = 1.0

told: dict[str, Any] = {"steps": []}


def tell(step: str, **facts: Any) -> None:
    told["steps"].append(step)
    told.update(facts)
    (FOLDER / "told.json").write_text(json.dumps(told))


def view() -> bpy.types.Area:
    return next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "VIEW_3D")


def region(kind: str) -> bpy.types.Region:
    return next(region for region in view().regions if region.type == kind)


def click(offset: tuple[int, int]) -> Iterator[float]:
    sidebar, window = region("UI"), bpy.context.window_manager.windows[0]
    x, y = sidebar.x + offset[0], sidebar.y + sidebar.height - offset[1]
    for kind, value, shift in (("MOUSEMOVE", "NOTHING", 3), ("MOUSEMOVE", "NOTHING", 0), ("LEFTMOUSE", "PRESS", 0), ("LEFTMOUSE", "RELEASE", 0)):
        window.event_simulate(type=kind, value=value, x=x - shift, y=y)
        yield 0.3


def screenshot(name: str) -> Iterator[float]:
    wanted = FOLDER / f"{name}.wanted"
    wanted.touch()
    deadline = time.monotonic() + 20
    while wanted.exists() and time.monotonic() < deadline:
        yield 0.1


def steps() -> Iterator[float]:
    bpy.ops.extensions.package_install_files(filepath=str(FOLDER / "redepth.zip"), repo="user_default", enable_on_install=True, overwrite=True)
    jobs = importlib.import_module("bl_ext.user_default.redepth.jobs")
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    bpy.context.scene.redepth.preset = PRESET
    view().spaces[0].show_region_ui = True
    yield REST_S
    tell("installed")

    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=view(), region=region("WINDOW")):
        bpy.ops.redepth.drop_pictures("INVOKE_DEFAULT", directory=str(SAMPLE.parent), files=[{"name": SAMPLE.name}])  # as a drop does
        bpy.ops.view3d.view_axis(type="FRONT")
        bpy.ops.view3d.view_selected()
    region("UI").active_panel_category = "Re-Depth"
    region("UI").tag_redraw()
    yield 2 * REST_S
    tell("dropped", active=bpy.context.view_layer.objects.active.name)
    yield from screenshot("dropped")

    yield from click(REFINE_BUTTON)
    deadline = time.monotonic() + LIMIT_S
    while not jobs.controller.tasks and time.monotonic() < deadline:
        yield 0.05
    tell("clicked")
    seen, longest, last, shot = set(), 0.0, time.monotonic(), False
    while jobs.controller.running and time.monotonic() < deadline:
        task = jobs.controller.running[0]
        seen.add(task.sentence.split(",")[0].split(" step")[0])
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
        if task.follower.preview is not None and task.snapshot.fraction > 0.3 and not shot:
            yield REST_S  # the panel grows in steps
            yield from screenshot("running")
            shot, last = True, time.monotonic()
        yield 0.05
    tell("refined", sentences=sorted(seen), longest_pause_s=longest)
    while not any(thing.redepth.is_result for thing in bpy.data.objects) and time.monotonic() < deadline:
        yield 0.1
    yield 4 * REST_S
    mesh = bpy.context.view_layer.objects.active
    tell("built", mesh=mesh.name, vertices=len(mesh.data.vertices), perspective=view().spaces[0].region_3d.view_perspective)
    yield from screenshot("built")

    yield from click(RELIGHT_BUTTON)
    while mesh.redepth.key is None and time.monotonic() < deadline:
        yield 0.1
    yield float(os.environ.get("REDEPTH_GUI_LOOK_S", "15"))
    yield from screenshot("relit")
    tell("relit", key=mesh.redepth.key is not None, shading=view().spaces[0].shading.type)
    bpy.ops.ed.undo()
    yield REST_S
    name = told["mesh"]
    tell("undone", rig_left=any(thing.type == "LIGHT" and thing.parent is not None for thing in bpy.data.objects), mesh_left=name in bpy.data.objects)


def run(driver: Iterator[float]) -> float:
    """Go one step; ends Blender after the last, or with what went wrong."""
    try:
        return next(driver)
    except StopIteration:
        tell("end")
    except BaseException:
        tell("fault", fault=traceback.format_exc())
    sys.stdout.flush()
    os._exit(0)


bpy.context.preferences.view.show_splash = False
driver = steps()
bpy.app.timers.register(lambda: run(driver), first_interval=2 * REST_S)
