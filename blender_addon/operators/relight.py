"""The relight rig, and the switch back to the picture as it is."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty

from ..mesh.build import add_relight_rig, remove_relight_rig
from ..properties import result_of
from .build import OnResult, look_through_camera

STANDARD = "Standard"


class REDEPTH_OT_add_relight_rig(OnResult):
    """Light the mesh anew: key light, fill, dim world, and a back layer so that cut edges show no holes"""

    bl_idname = "redepth.add_relight_rig"
    bl_label = "Relight"
    bl_options = {"REGISTER", "UNDO"}

    use_standard_view: BoolProperty(
        name="Standard View", description="Show colours as the picture has them, without Blender's filmic look", default=True
    )
    look_through: BoolProperty(name="Rendered View", description="Look through the matched camera at the rendered scene", default=True)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add what is missing of the rig."""
        result = result_of(context)
        add_relight_rig(context.scene, result)
        view = context.scene.view_settings
        if self.use_standard_view and view.view_transform != STANDARD:
            result.redepth.view_before = view.view_transform
            view.view_transform = STANDARD
        if self.look_through and context.space_data is not None and context.space_data.type == "VIEW_3D":
            if context.scene.camera == result.redepth.camera:
                look_through_camera(context)
            context.space_data.shading.type = "RENDERED"
        return {"FINISHED"}


class REDEPTH_OT_remove_relight_rig(OnResult):
    """Take the lights, the dim world and the back layer away, and give the scene its world and view back"""

    bl_idname = "redepth.remove_relight_rig"
    bl_label = "Remove Rig"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        result = result_of(context)
        if result is not None and not has_rig(result):
            cls.poll_message_set("There is no rig on this mesh")
            return False
        return super().poll(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove it."""
        result = result_of(context)
        context.view_layer.objects.active = result
        remove_relight_rig(context.scene, result)
        if result.redepth.view_before:
            context.scene.view_settings.view_transform = result.redepth.view_before
            result.redepth.view_before = ""
        return {"FINISHED"}


class REDEPTH_OT_show_original(OnResult):
    """Switch between the picture as it is and the mesh under its lights"""

    bl_idname = "redepth.show_original"
    bl_label = "Show Original"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Switch."""
        group = result_of(context).redepth
        group.shows_original = not group.shows_original
        transform = context.scene.view_settings.view_transform
        if group.shows_original and transform != STANDARD:
            self.report({"INFO"}, f"The view transform {transform} alters colours; Standard shows the picture's own")
        return {"FINISHED"}


def has_rig(result: bpy.types.Object) -> bool:
    """Whether anything of the rig is there."""
    group = result.redepth
    return any(part is not None for part in (group.key, group.fill, group.back))


CLASSES = (REDEPTH_OT_add_relight_rig, REDEPTH_OT_remove_relight_rig, REDEPTH_OT_show_original)
