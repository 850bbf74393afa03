"""The engine from inside Blender: test it, let it release the device, install it, show a result in the desktop viewer."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import bpy

from .. import engine_state
from ..engine.api.errors import EngineUnavailableError, RedepthError
from ..engine.api.folders import find_folders
from ..engine.api.launch import find_installation
from ..engine_link import engine_python
from ..properties import result_of
from .refusing import refuse


class REDEPTH_OT_test_engine(bpy.types.Operator):
    """Start the engine if none runs, and ask what it is and which models are here"""

    bl_idname = "redepth.test_engine"
    bl_label = "Test"
    bl_options = {"INTERNAL"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask; the answer appears in the preferences."""
        return _asked(self, engine_state.ask_facts)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask, and wait for the answer."""
        return _answered(self, engine_state.ask_facts)


class REDEPTH_OT_release_gpu(bpy.types.Operator):
    """Let the engine drop its models and free the device's memory: at once, or after the job that it is at"""

    bl_idname = "redepth.release_gpu"
    bl_label = "Release GPU"
    bl_options = {"INTERNAL"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask; what the engine is then appears in the preferences."""
        return _asked(self, engine_state.ask_release)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask, and wait for the answer."""
        return _answered(self, engine_state.ask_release)


class REDEPTH_OT_install_engine(bpy.types.Operator):
    """Make the engine's own Python environment outside Blender's folders; downloads up to 3 GB"""

    bl_idname = "redepth.install_engine"
    bl_label = "Install Engine…"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not bpy.app.online_access:
            cls.poll_message_set("Allow Online Access in Preferences > System > Network first")
            return False
        if engine_state.installing():
            cls.poll_message_set("An installation is running")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Say what is going to happen, and begin on OK."""
        return context.window_manager.invoke_confirm(
            self,
            event,
            title="Install the engine?",
            message=f"Downloads torch and other packages (1 to 3 GB) into {find_folders().home}",
            confirm_text="Install",
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin; the preferences show how far it is."""
        return _asked(self, engine_state.begin_installation)


class REDEPTH_OT_cancel_installation(bpy.types.Operator):
    """Stop the installation; what was downloaded is kept, and it can be started again"""

    bl_idname = "redepth.cancel_installation"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Stop it."""
        engine_state.cancel_installation()
        return {"FINISHED"}


class REDEPTH_OT_copy_report(bpy.types.Operator):
    """Copy what the installation did and said, for a question or a report"""

    bl_idname = "redepth.copy_report"
    bl_label = "Copy Report"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy it."""
        context.window_manager.clipboard = engine_state.installation_report()
        self.report({"INFO"}, "The report is in the clipboard")
        return {"FINISHED"}


class REDEPTH_OT_open_in_viewer(bpy.types.Operator):
    """Show this result in Re-Depth's desktop viewer: before and after side by side, measures, exports"""

    bl_idname = "redepth.open_in_viewer"
    bl_label = "Open in Viewer"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        result = result_of(context)
        if result is None or "redepth_job" not in result:
            cls.poll_message_set("Select a mesh that Re-Depth built")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the viewer, on its own: it outlives Blender."""
        job_id = result_of(context)["redepth_job"]
        if not (find_folders().jobs / job_id).is_dir():
            error = EngineUnavailableError("The engine no longer keeps this job.", hint="Refine the picture again.")
            return refuse(self, error)
        try:
            start_viewer(job_id)
        except RedepthError as error:
            return refuse(self, error)
        return {"FINISHED"}


def viewer_command(python: Path, job_id: str) -> list[str]:
    """Return the command that shows a job in the viewer."""
    return [str(python), "-m", "desktop", "--job", job_id]


def start_viewer(job_id: str) -> subprocess.Popen[bytes]:
    """Start the desktop viewer on its own.

    Raises:
        EngineUnavailableError: the engine's Python is not known, or cannot be started.
    """
    installation = find_installation(find_folders(), engine_python())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    apart: dict[str, Any] = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"start_new_session": True}
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.Popen(viewer_command(installation.python, job_id), cwd=installation.root, env=environment, **quiet, **apart)
    except OSError as exc:
        hint = "Check the engine's Python in the add-on's preferences."
        raise EngineUnavailableError(f"{installation.python} cannot start the viewer: {exc.strerror}.", hint=hint) from exc


def _asked(operator: bpy.types.Operator, ask: Any) -> set[str]:
    try:
        ask()
    except RedepthError as error:
        return refuse(operator, error)
    return {"FINISHED"}


def _answered(operator: bpy.types.Operator, ask: Any) -> set[str]:
    if _asked(operator, ask) == {"CANCELLED"}:
        return {"CANCELLED"}
    error = engine_state.wait_for_answer()
    if error is not None:
        return refuse(operator, error)
    return {"FINISHED"}


CLASSES = (
    REDEPTH_OT_test_engine,
    REDEPTH_OT_release_gpu,
    REDEPTH_OT_install_engine,
    REDEPTH_OT_cancel_installation,
    REDEPTH_OT_copy_report,
    REDEPTH_OT_open_in_viewer,
)
