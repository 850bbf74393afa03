"""Dropping a picture into the 3D View: it becomes a reference image, ready to be refined."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, StringProperty

from ..picture.place import upright_place

SUFFIXES = ".jpg;.jpeg;.png;.webp;.tif;.tiff;.bmp;.exr;.hdr"
SIZE = 5.0


class REDEPTH_OT_drop_pictures(bpy.types.Operator):
    """Place pictures as reference images that Re-Depth refines"""

    bl_idname = "redepth.drop_pictures"
    bl_label = "Add Picture for Re-Depth"
    bl_options = {"REGISTER", "UNDO"}

    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"})
    filter_image: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.mode != "OBJECT":
            cls.poll_message_set("Go to Object Mode first")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Place what was dropped; without a drop, ask for files."""
        if self.files:
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Place them side by side, standing at the 3D cursor; the first becomes active."""
        empties = []
        for file in self.files:
            try:
                image = bpy.data.images.load(str(Path(self.directory) / file.name), check_existing=True)
            except RuntimeError as error:
                self.report({"ERROR"}, str(error))
                continue
            if not all(image.size):
                self.report({"ERROR"}, f"{file.name} is not a picture that Blender reads.")
                bpy.data.images.remove(image)
                continue
            empties.append(_reference(context, image, len(empties)))
        if not empties:
            return {"CANCELLED"}
        for selected in context.selected_objects:
            selected.select_set(False)
        for empty in empties:
            empty.select_set(True)
        context.view_layer.objects.active = empties[0]
        return {"FINISHED"}


def _reference(context: bpy.types.Context, image: bpy.types.Image, number: int) -> bpy.types.Object:
    empty = bpy.data.objects.new(Path(image.name).stem, None)
    empty.empty_display_type = "IMAGE"
    empty.data = image
    empty.empty_display_size = SIZE
    empty.empty_image_offset = (-0.5, -0.5)
    at = context.scene.cursor.location.copy()
    at.x += number * SIZE * 1.1
    empty.matrix_world = upright_place(at, tuple(image.size), SIZE).to_world
    context.collection.objects.link(empty)
    return empty


class REDEPTH_FH_picture(bpy.types.FileHandler):
    """Offers the operator for pictures that are dropped into a 3D View"""

    bl_idname = "REDEPTH_FH_picture"
    bl_label = "Re-Depth picture"
    bl_import_operator = "redepth.drop_pictures"
    bl_file_extensions = SUFFIXES

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D" and context.mode == "OBJECT"


CLASSES = (REDEPTH_OT_drop_pictures, REDEPTH_FH_picture)
