"""What is registered with Blender, in order. Apart from the package itself, so that its modules without bpy can be imported without it."""

from __future__ import annotations

import bpy

from . import engine_state, handlers, jobs, panels, preferences, properties
from .mesh import live
from .operators import build, engine, picture, refine, relight

_CLASSES = (*preferences.CLASSES, *refine.CLASSES, *build.CLASSES, *relight.CLASSES, *picture.CLASSES, *engine.CLASSES)


def register() -> None:
    """Register properties, operators, panels, menus and handlers."""
    properties.register()
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    panels.register()
    handlers.register()


def unregister() -> None:
    """Take all of it back; jobs go on in the engine."""
    jobs.close()
    engine_state.close()
    live.close()
    handlers.unregister()
    panels.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
    properties.unregister()
