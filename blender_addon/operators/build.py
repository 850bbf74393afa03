"""Building a mesh of a finished job, and what changes it later as a step of its own."""

from __future__ import annotations

import json
import math
from typing import Any

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, StringProperty
from mathutils import Vector

from .. import jobs
from ..engine.api.errors import EngineError, RedepthError
from ..engine.api.result_folder import read_result
from ..mesh import live
from ..mesh.build import BuildOptions, build_result, use_camera, write_depth_and_normals
from ..picture.place import Place, upright_place
from ..properties import FOV_RANGE_RAD, result_of
from .refusing import refuse

SLIDERS = ("refined_share", "near_far_ratio", "depth_scale", "edge_cut", "smoothing", "long_side_vertices", "delight")


class REDEPTH_OT_build_mesh(bpy.types.Operator):
    """Build the mesh, its matched camera, images and material from a finished job"""

    bl_idname = "redepth.build_mesh"
    bl_label = "Build Re-Depth Mesh"
    bl_options = {"REGISTER", "UNDO"}

    job: StringProperty(options={"HIDDEN"})
    name: StringProperty(options={"HIDDEN"})
    wish: StringProperty(options={"HIDDEN"}, default="{}")

    refined_share: FloatProperty(
        name="Refined", description="0 = the depth model's own depth, 1 = refined", default=1, min=0, max=1, subtype="FACTOR"
    )
    near_far_ratio: FloatProperty(name="Near/Far Ratio", description="How deep the scene is", default=4, min=1.01, max=1000, soft_max=20)
    depth_scale: FloatProperty(name="Depth Scale", description="Grows the scene about the camera", default=1, min=0.01, max=100, soft_max=5)
    fov_rad: FloatProperty(
        name="Field of View", description="0 = from the picture's EXIF or its camera, else 55°", default=0, min=0, max=FOV_RANGE_RAD[1],
        subtype="ANGLE", unit="ROTATION",
    )  # fmt: skip
    edge_cut: FloatProperty(name="Edge Cut", description="In pixel widths; 0 = never", default=12, min=0, max=10000, soft_max=60)
    smoothing: FloatProperty(
        name="Smoothing", description="Smooths surfaces; planes stay plane and cut edges sharp", default=0.5, min=0, max=1, subtype="FACTOR"
    )
    long_side_vertices: IntProperty(name="Resolution", description="Vertices along the longer side", default=768, min=2, max=2048)
    delight: FloatProperty(name="Delight", description="Share of the picture's own light to divide out", default=0.5, min=0, max=1, subtype="FACTOR")
    use_camera: BoolProperty(name="Use Matched Camera", description="Make it the scene's, and give the render the picture's size", default=True)
    hide_source: BoolProperty(name="Hide Source", description="Hide the reference image that the mesh takes the place of", default=True)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.mode != "OBJECT":
            cls.poll_message_set("Go to Object Mode first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Build it."""
        try:
            result = read_result(jobs.job_folder(self.job) / "result")
            mesh = self._build(context, result)
        except RedepthError as error:
            return refuse(self, error)
        for selected in context.selected_objects:
            selected.select_set(False)
        mesh.select_set(True)
        context.view_layer.objects.active = mesh
        if self.use_camera and mesh.redepth.camera == context.scene.camera:
            look_through_camera(context)
        kinds = {"exif": "from EXIF", "option": "as asked for", "default": "assumed"}
        self.report({"INFO"}, f"Built {mesh.name}: {len(mesh.data.vertices):,} vertices, angle of view {kinds[result.fov_source]}")
        return {"FINISHED"}

    def _build(self, context: bpy.types.Context, result: Any) -> bpy.types.Object:
        wish = json.loads(self.wish)
        scene = bpy.data.scenes.get(wish.get("scene", ""), context.scene)
        place = Place(**wish["place"]) if "place" in wish else upright_place(Vector(scene.cursor.location), result.size_px)
        options = BuildOptions(
            name=self.name or result.provenance["picture"]["name"],
            use_camera=self.use_camera,
            hide_source=self.hide_source,
            fov_deg=self._fov_deg(),
            sliders={name: getattr(self, name) for name in SLIDERS},
        )
        picture, source = bpy.data.images.get(wish.get("image", "")), bpy.data.objects.get(wish.get("source", ""))
        mesh = build_result(scene, result, place, picture, source, options)
        mesh["redepth_job"] = self.job
        return mesh

    def _fov_deg(self) -> float | None:
        return math.degrees(max(self.fov_rad, FOV_RANGE_RAD[0])) if self.fov_rad else None


class OnResult(bpy.types.Operator):
    """What works on the active result; not registered itself."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if result_of(context) is None:
            cls.poll_message_set("Select a Re-Depth mesh, its camera or one of its lights")
            return False
        if context.mode != "OBJECT":
            cls.poll_message_set("Go to Object Mode first")
            return False
        return True


class REDEPTH_OT_rebuild(OnResult):
    """Make the mesh anew from its stored depth; what was edited by hand on the mesh is lost"""

    bl_idname = "redepth.rebuild"
    bl_label = "Rebuild Mesh"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it anew."""
        live.rebuild(result_of(context))
        return {"FINISHED"}


class REDEPTH_OT_update_maps(OnResult):
    """Write the depth and normal images anew, as the sliders stand now; saving the file does the same"""

    bl_idname = "redepth.update_maps"
    bl_label = "Update Depth and Normal Images"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write them."""
        write_depth_and_normals(result_of(context))
        return {"FINISHED"}


class REDEPTH_OT_use_camera(OnResult):
    """Make the matched camera the scene's, give the render the picture's size, and look through it"""

    bl_idname = "redepth.use_camera"
    bl_label = "View Through Matched Camera"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Look through it."""
        result = result_of(context)
        if result.redepth.camera is None:
            return refuse(self, EngineError("The matched camera was deleted.", hint="Undo that, or build the mesh again."))
        use_camera(context.scene, result)
        look_through_camera(context)
        return {"FINISHED"}


def look_through_camera(context: bpy.types.Context) -> None:
    """Show the scene's camera in the 3D View that is used, if one is."""
    if context.space_data is not None and context.space_data.type == "VIEW_3D":
        context.space_data.region_3d.view_perspective = "CAMERA"


CLASSES = (REDEPTH_OT_build_mesh, REDEPTH_OT_rebuild, REDEPTH_OT_update_maps, REDEPTH_OT_use_camera)
