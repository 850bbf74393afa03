"""What has to happen when files are opened and saved and steps undone."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import jobs
from .mesh import live
from .mesh.build import images_are_stale, write_depth_and_normals
from .preview import drop_preview


@persistent
def _before_load(*arguments: Any) -> None:
    jobs.new_session()
    drop_preview()
    live.forget()


@persistent
def _after_undo(*arguments: Any) -> None:
    live.forget()


@persistent
def _before_save(*arguments: Any) -> None:
    """Bring the depth and normal images up to date, where a slider moved since they were written."""
    for result in bpy.data.objects:
        if result.redepth.is_result and images_are_stale(result) and live.is_adjustable(result):
            write_depth_and_normals(result)


HANDLERS = (
    (bpy.app.handlers.load_pre, _before_load),
    (bpy.app.handlers.undo_post, _after_undo),
    (bpy.app.handlers.redo_post, _after_undo),
    (bpy.app.handlers.save_pre, _before_save),
)


def register() -> None:
    """Add the handlers."""
    for handlers, handler in HANDLERS:
        handlers.append(handler)


def unregister() -> None:
    """Take them away."""
    for handlers, handler in HANDLERS:
        if handler in handlers:
            handlers.remove(handler)
