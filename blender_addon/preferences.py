"""The add-on's preferences: which Python runs the engine, what the engine is, its models and their licences, installing it."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty, StringProperty

from . import engine_state
from .drawing import draw_sentence
from .engine.api.errors import RedepthError
from .engine_link import engine_python
from .installing import CHOICES, InstallState
from .running.questions import EngineFacts


class RedepthPreferences(bpy.types.AddonPreferences):
    """Preferences of Re-Depth."""

    bl_idname = __package__

    engine_python: StringProperty(
        name="Engine's Python",
        description="Python, or folder of the virtual environment, that holds the engine; empty = the installed one, else the one last used",
        subtype="FILE_PATH",
    )
    base_python: StringProperty(
        name="Install With", description="Python 3.11 or later to make the environment with; empty = the best one found", subtype="FILE_PATH"
    )
    torch_build: EnumProperty(name="Torch", items=[(name, title, title) for name, title in CHOICES.items()], default="auto")

    def draw(self, context: bpy.types.Context) -> None:
        """Draw them."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "engine_python")
        _draw_found(layout, context)
        row = layout.row(align=True)
        row.enabled = not engine_state.asking()
        row.operator("redepth.test_engine", icon="CHECKMARK")
        row.operator("redepth.release_gpu", icon="TRASH")
        if engine_state.asking():
            layout.label(text="Asking the engine…", icon="SORTTIME")
        if (error := engine_state.error()) is not None:
            _draw_error(layout, error, context)
        if (facts := engine_state.facts()) is not None:
            _draw_facts(layout, facts, context)
        _draw_installing(layout, self, context)


def _draw_found(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    try:
        python = engine_python()
    except RedepthError as error:
        _draw_error(layout, error, context)
        return
    layout.label(text=f"Engine: {python}" if python else "Engine: the one last used on this machine, if any", icon="CONSOLE")


def _draw_error(layout: bpy.types.UILayout, error: RedepthError, context: bpy.types.Context) -> None:
    draw_sentence(layout, error.sentence, "ERROR", context)
    if error.hint:
        draw_sentence(layout, error.hint, "BLANK1", context)


def _draw_facts(layout: bpy.types.UILayout, facts: EngineFacts, context: bpy.types.Context) -> None:
    status = facts.status
    memory = f", {status.free_memory_mb:,} MB free" if status.free_memory_mb is not None else ""
    device = status.device or "known once a model is loaded"
    box = layout.box().column(align=True)
    box.label(text=f"Engine {status.version} runs (process {status.pid})", icon="CHECKMARK")
    box.label(text=f"Device: {device}{memory}", icon="BLANK1")
    box.label(text=f"Models in memory: {', '.join(status.models.values()) or 'none'}", icon="BLANK1")
    box.label(text=f"Job folders: {status.jobs_bytes / 1e6:,.0f} MB", icon="BLANK1")
    if facts.models_error is not None:
        _draw_error(box, facts.models_error, context)
    for model in facts.models:
        row = box.row()
        row.label(text=f"{model['name']}: {model['licence']}", icon="CHECKMARK" if model["location"] else "IMPORT")
        row.label(text="here" if model["location"] else f"about {model['size_mb']} MB to download")


def _draw_installing(layout: bpy.types.UILayout, settings: RedepthPreferences, context: bpy.types.Context) -> None:
    state = engine_state.installation()
    header, body = layout.panel("redepth_installing", default_closed=engine_python_is_known())
    header.label(text="Install the engine")
    if body is None:
        return
    body.use_property_split = True
    body.prop(settings, "torch_build")
    body.prop(settings, "base_python")
    body.operator("redepth.install_engine", icon="IMPORT")
    if not bpy.app.online_access:
        body.label(text="Needs online access: Preferences > System > Network", icon="INTERNET_OFFLINE")
    if state is not None:
        _draw_installation(body, state, context)


def _draw_installation(layout: bpy.types.UILayout, state: InstallState, context: bpy.types.Context) -> None:
    if state.running:
        row = layout.row()
        row.progress(factor=state.fraction, type="BAR", text=state.sentence)
        row.operator("redepth.cancel_installation", text="", icon="CANCEL")
        layout.label(text=state.line[:120], icon="BLANK1")
        return
    if state.error is not None:
        _draw_error(layout, state.error, context)
    else:
        layout.label(text=state.sentence, icon="CHECKMARK")
    layout.operator("redepth.copy_report", icon="COPYDOWN")


def engine_python_is_known() -> bool:
    """Whether the preferences or an installation name the engine's Python."""
    try:
        return engine_python() is not None
    except RedepthError:
        return False


CLASSES = (RedepthPreferences,)
