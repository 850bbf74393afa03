"""Refining: begin a job, follow it with the window alive, cancel it, take up one that is known already."""

from __future__ import annotations

import time
from typing import Any

import bpy
from bpy.props import IntProperty, StringProperty

from .. import jobs
from ..engine.api.errors import RedepthError
from ..engine.api.folders import find_folders
from ..engine.api.handoff import take_offer
from ..picture.source import find_source, reason_against
from .refusing import refuse


class REDEPTH_OT_refine_depth(bpy.types.Operator):
    """Refine the depth of the active reference image, image plane, background image or open image, and build a mesh of it"""

    bl_idname = "redepth.refine_depth"
    bl_label = "Refine Depth"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = reason_against(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Begin, and wait for Esc while the timer of `jobs` does the rest."""
        if (task := _begin(self, context)) is None:
            return {"CANCELLED"}
        if bpy.app.background:
            return _wait_and_build(self, task)
        self._number = task.number
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Cancel on Esc; everything else passes through."""
        task = jobs.controller.find(self._number)
        if task is None or task.snapshot.ended:
            return {"FINISHED", "PASS_THROUGH"}
        if event.type == "ESC" and event.value == "PRESS" and not task.cancelling:
            jobs.controller.cancel(task)
            return {"RUNNING_MODAL"}
        return {"PASS_THROUGH"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Begin, wait for the end and build: for scripts and Blender without windows."""
        task = _begin(self, context)
        return {"CANCELLED"} if task is None else _wait_and_build(self, task)


class REDEPTH_OT_cancel(bpy.types.Operator):
    """Stop this job within a step; Esc does the same"""

    bl_idname = "redepth.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    number: IntProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask the job to stop."""
        task = jobs.controller.find(self.number)
        if task is None or task.snapshot.ended:
            return {"CANCELLED"}
        jobs.controller.cancel(task)
        return {"FINISHED"}


class REDEPTH_OT_build_ended(bpy.types.Operator):
    """Build the mesh of this finished job"""

    bl_idname = "redepth.build_ended"
    bl_label = "Build Mesh"
    bl_options = {"INTERNAL"}

    number: IntProperty(options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.mode != "OBJECT":
            cls.poll_message_set("Go to Object Mode first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Build it."""
        task = jobs.controller.find(self.number)
        if task is None or not jobs.can_build(task):
            self.report({"ERROR"}, "This job has nothing to build.")
            return {"CANCELLED"}
        return jobs.build(task)


class REDEPTH_OT_dismiss(bpy.types.Operator):
    """Take this line off the list"""

    bl_idname = "redepth.dismiss"
    bl_label = "Dismiss"
    bl_options = {"INTERNAL"}

    number: IntProperty(options={"HIDDEN"})
    job: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Forget the ended task, the job found again or the offer."""
        try:
            if self.job:
                jobs.journal().strike(self.job)
                take_offer(find_folders(), self.job)
            elif (task := jobs.controller.find(self.number)) is not None:
                jobs.finish(task)
        except RedepthError as error:
            return refuse(self, error)
        return {"FINISHED"}


class REDEPTH_OT_take_up(bpy.types.Operator):
    """Follow this job of the engine and build its mesh when it is finished"""

    bl_idname = "redepth.take_up"
    bl_label = "Build"
    bl_options = {"REGISTER", "INTERNAL"}

    job: StringProperty(options={"HIDDEN"})
    name: StringProperty(options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Begin to follow it; the timer of `jobs` does the rest."""
        return {"CANCELLED"} if self._begin() is None else {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Wait for its end and build."""
        task = self._begin()
        return {"CANCELLED"} if task is None else _wait_and_build(self, task)

    def _begin(self) -> Any:
        try:
            noted = next((entry for entry in jobs.found_again() if entry.job_id == self.job), None)
            task = jobs.follow(self.job, noted.name if noted else self.name or self.job[:8], noted.wish if noted else {})
            take_offer(find_folders(), self.job)
        except RedepthError as error:
            refuse(self, error)
            return None
        return task


def _begin(operator: bpy.types.Operator, context: bpy.types.Context) -> Any:
    """Return the new task, or None after saying why there is none."""
    try:
        return jobs.begin(context, find_source(context))
    except RedepthError as error:
        refuse(operator, error)
    return None


def _wait_and_build(operator: bpy.types.Operator, task: Any) -> set[str]:
    """Wait until ``task`` has ended, and build it."""
    while not task.snapshot.ended:
        jobs.look()
        time.sleep(jobs.LOOK_S / 3)
    jobs.look()
    snapshot = task.snapshot
    if snapshot.state != "finished":
        jobs.finish(task)
        return refuse(operator, snapshot.error)
    for notice in snapshot.notices:
        operator.report({"INFO"}, notice)
    return jobs.build(task)


CLASSES = (REDEPTH_OT_refine_depth, REDEPTH_OT_cancel, REDEPTH_OT_build_ended, REDEPTH_OT_dismiss, REDEPTH_OT_take_up)
