"""The jobs of this Blender: begun here, watched by one timer, built when they end.

The controller knows no bpy, and nothing of bpy is kept while a job runs: a task remembers names and numbers, and what they mean is looked
up when it ends. Loading another file, undo and disabling the add-on are therefore safe. A job that ends after its file was closed is not
built into the next one; the panel offers it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import bpy

from .engine.api.folders import find_folders
from .engine_link import connector, journal, own_folder
from .picture.file import picture_file
from .picture.source import Source
from .preview import drop_preview, show_preview
from .running.controller import Controller, Task
from .running.journal import Entry

LOOK_S = 0.15

controller = Controller()
_session = 0


def begin(context: bpy.types.Context, source: Source) -> Task:
    """Submit the picture of ``source`` with the scene's options; returns before the engine has it.

    Raises:
        RedepthError: the picture cannot be used, or the engine's Python is not there.
    """
    options = context.scene.redepth
    place, settings, connect = source.place(context), options.settings(), connector()
    picture = picture_file(source.image, own_folder("pictures"))
    wish = {
        "session": _session,
        "scene": context.scene.name,
        "image": source.image.name,
        "source": source.shows.name if source.shows else "",
        "place": place.to_json(),
        "use_camera": options.use_camera,
        "hide_source": options.hide_source,
    }
    name = Path(source.image.name).stem
    task = controller.submit(picture.path, settings, connect, name=name, wish=wish, write_picture=picture.write)
    watch()
    return task


def follow(job_id: str, name: str, wish: dict[str, Any]) -> Task:
    """Take up a job that the engine knows: found again after a crash, or another client's.

    Raises:
        EngineUnavailableError: the engine's Python is not there.
    """
    same_file = wish.get("blend", "") == bpy.data.filepath
    if not same_file:
        wish = {key: value for key, value in wish.items() if key not in ("scene", "image", "source")}
    task = controller.follow(job_id, connector(), name=name, wish=wish | {"session": _session})
    watch()
    return task


def watch() -> None:
    """Let the timer run until every task has ended; Blender without windows has no timers, there the operator loops itself."""
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=LOOK_S, persistent=True)


def look() -> list[Task]:
    """Take note of what happened to the tasks, and return those that have just ended."""
    ended = controller.poll()
    for task in controller.tasks:
        _note(task)
    for task in ended:
        _put_away(task)
    return ended


def can_build(task: Task) -> bool:
    """Whether a task has something to build that nobody has built yet."""
    return task.snapshot.ended and task.snapshot.has_result and not task.done_with


def belongs_here(task: Task) -> bool:
    """Whether a task was begun in the file that is open now."""
    return task.wish.get("session") == _session


def build(task: Task) -> set[str]:
    """Build what a task has, as an operator call that can be undone and repeated.

    Raises:
        RuntimeError: the operator refused, in words.
    """
    kept = {key: task.wish[key] for key in ("use_camera", "hide_source") if key in task.wish}
    outcome = bpy.ops.redepth.build_mesh("EXEC_DEFAULT", True, job=task.snapshot.job_id, name=task.name, wish=json.dumps(task.wish), **kept)
    if "FINISHED" in outcome:
        finish(task)
    return outcome


def finish(task: Task) -> None:
    """Note that an ended task needs no more attention."""
    task.done_with = True
    if task.snapshot.job_id:
        journal().strike(task.snapshot.job_id)
    controller.forget(task)


def found_again() -> list[Entry]:
    """Return the jobs that an earlier Blender waited for and that nobody follows now."""
    followed = {task.snapshot.job_id for task in controller.tasks}
    return [entry for entry in journal().entries() if entry.job_id not in followed]


def job_folder(job_id: str) -> Path:
    """Return where a job lives."""
    return find_folders().jobs / job_id


def _tick() -> float | None:
    """Look, show, build: the one timer. Returns when to look again, None once nothing runs."""
    for task in look():
        if task.snapshot.state == "finished" and belongs_here(task):
            _build_in_window(task)
    for task in controller.running:
        show_preview(task)
    if not controller.running:
        drop_preview()
    redraw()
    return LOOK_S if controller.running else None


def _build_in_window(task: Task) -> None:
    """Build in the first window that shows a 3D View, unless somebody is editing: then the panel offers it."""
    window = next(iter(bpy.context.window_manager.windows), None)
    if window is None or (bpy.context.view_layer.objects.active is not None and bpy.context.view_layer.objects.active.mode != "OBJECT"):
        return
    area = next((area for area in window.screen.areas if area.type == "VIEW_3D"), window.screen.areas[0])
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        try:
            build(task)
        except RuntimeError as error:
            task.wish["refused"] = str(error).removeprefix("Error: ").strip()


def redraw() -> None:
    """Let the panels draw themselves anew."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "IMAGE_EDITOR", "PREFERENCES"):
                area.tag_redraw()


def _note(task: Task) -> None:
    """Note a job as soon as it has a name, so that a crash does not lose it."""
    job_id = task.snapshot.job_id
    if job_id and "noted" not in task.wish and not task.done_with:
        task.wish["noted"] = True
        blend = bpy.data.filepath
        journal().note(Entry(job_id=job_id, name=task.name, blend=blend, wish=task.wish | {"blend": blend}))


def _put_away(task: Task) -> None:
    """Remove the file that was written for the engine, which has its own copy; and what failed is no longer waited for."""
    if task.picture is not None and task.picture.is_relative_to(own_folder("pictures")):
        shutil.rmtree(task.picture.parent, ignore_errors=True)
    if task.snapshot.job_id and task.snapshot.state != "finished":
        journal().strike(task.snapshot.job_id)


def new_session() -> None:
    """Note that another file is open: what ends from now on is not built by itself unless it began there."""
    global _session
    _session += 1


def close() -> None:
    """Let all threads go; jobs go on in the engine, and are found again."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    controller.close()
    drop_preview()
