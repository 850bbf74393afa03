"""The tab "Re-Depth" in the sidebars of the 3D View and of the Image Editor, and the entries in Blender's menus."""

from __future__ import annotations

import time

import bpy

from . import jobs
from .drawing import draw_sentence
from .engine.api.errors import InputError
from .engine.api.folders import find_folders
from .engine.api.handoff import Offer, offered_jobs
from .mesh import live
from .operators.relight import has_rig
from .picture.source import find_source
from .preview import icon_id
from .properties import FOLDER, NON_COMMERCIAL, result_of
from .running.controller import Task

CATEGORY = "Re-Depth"
_OFFERS_EVERY_S = 2.0

_offers: tuple[float, list[Offer]] = (-_OFFERS_EVERY_S, [])


class _Sidebar:
    """Where a panel of ours lies."""

    bl_region_type = "UI"
    bl_category = CATEGORY


class _Refine(_Sidebar):
    """The picture, how to refine it, the button, and what runs."""

    bl_label = "Refine"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        _draw_picture(layout, context)
        options = context.scene.redepth
        layout.prop(options, "preset")
        button = layout.column()
        button.scale_y = 1.5
        button.operator("redepth.refine_depth", icon="MOD_DISPLACE")
        for task in jobs.controller.tasks:
            _draw_task(layout.box().column(), task)
        _draw_waiting(layout)


class _RefineOptions(_Sidebar):
    """Models, seed, prompt and what happens to the scene."""

    bl_label = "Options"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        options = context.scene.redepth
        layout.prop(options, "depth_model")
        if options.depth_model == FOLDER:
            layout.prop(options, "depth_folder")
        elif options.depth_model in NON_COMMERCIAL:
            layout.label(text="Not for commercial use (CC-BY-NC-4.0)", icon="INFO")
        layout.prop(options, "prior")
        if options.prior == FOLDER:
            layout.prop(options, "prior_folder")
        if options.prior != "embedded":
            layout.prop(options, "prompt")
        layout.prop(options, "seed")
        layout.prop(options, "use_camera")
        layout.prop(options, "hide_source")


class REDEPTH_PT_refine(_Refine, bpy.types.Panel):
    bl_space_type = "VIEW_3D"


class REDEPTH_PT_refine_options(_RefineOptions, bpy.types.Panel):
    bl_space_type = "VIEW_3D"
    bl_parent_id = "REDEPTH_PT_refine"


class REDEPTH_PT_image_refine(_Refine, bpy.types.Panel):
    bl_space_type = "IMAGE_EDITOR"


class REDEPTH_PT_image_refine_options(_RefineOptions, bpy.types.Panel):
    bl_space_type = "IMAGE_EDITOR"
    bl_parent_id = "REDEPTH_PT_image_refine"


class _OfResult(_Sidebar):
    """What shows the active result, where there is one."""

    bl_space_type = "VIEW_3D"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return result_of(context) is not None


class REDEPTH_PT_light(_OfResult, bpy.types.Panel):
    """The relight rig of the active result."""

    bl_label = "Relight"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        result = result_of(context)
        group = result.redepth
        rigged = has_rig(result)
        buttons = layout.column(align=True)
        buttons.scale_y = 1.3
        if not rigged:
            buttons.operator("redepth.add_relight_rig", icon="LIGHT_AREA")
        text, icon = ("Show Lit", "SHADING_RENDERED") if group.shows_original else ("Show Original", "IMAGE_REFERENCE")
        buttons.operator("redepth.show_original", text=text, icon=icon, depress=group.shows_original)
        layout.prop(group, "delight", slider=True)
        if group.key is not None:
            column = layout.column()
            column.row().prop(group, "key_kind", expand=True)
            for name in ("key_azimuth", "key_elevation", "key_strength", "key_size", "key_colour"):
                column.prop(group, name, slider=name in ("key_azimuth", "key_elevation"))
        if group.fill is not None:
            layout.prop(group, "fill_strength")
        if group.world is not None:
            layout.prop(group, "world_strength")
        if rigged:
            layout.operator("redepth.remove_relight_rig", icon="X")


class REDEPTH_PT_shape(_OfResult, bpy.types.Panel):
    """The sliders of the active result's shape."""

    bl_label = "Shape"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        result = result_of(context)
        group = result.redepth
        if result.mode == "EDIT":
            layout.label(text="Leave Edit Mode to use the sliders", icon="INFO")
        elif not live.is_adjustable(result):
            layout.label(text="The mesh was edited: sliders are off", icon="INFO")
            layout.operator("redepth.rebuild")
        sliders = layout.column()
        sliders.enabled = live.is_adjustable(result)
        mix = sliders.row(align=True)
        mix.use_property_split = False
        mix.prop(group, "refined_share", text="DA-V2 to Refined", slider=True)
        if "redepth_kept_share" in result:
            sliders.label(text=f"The quality gate kept {100 * result['redepth_kept_share']:.0f} % of it")
        for name in ("near_far_ratio", "depth_scale", "fov_rad", "edge_cut", "smoothing", "long_side_vertices"):
            sliders.prop(group, name)
        row = layout.row(align=True)
        row.operator("redepth.use_camera", text="Camera", icon="CAMERA_DATA")
        row.operator("redepth.open_in_viewer", text="Viewer", icon="WINDOW")
        layout.operator("redepth.update_maps", icon="IMAGE_DATA")


def _draw_picture(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    try:
        source = find_source(context)
    except InputError as error:
        draw_sentence(layout, error.sentence, "INFO", context)
        return
    width, height = source.image.size
    shown = f" on {source.shows.name}" if source.shows is not None and source.shows.name != source.image.name else ""
    layout.label(text=f"{source.image.name}{shown}", icon="IMAGE_DATA")
    layout.label(text=f"{width} × {height} px", icon="BLANK1")


def _draw_task(box: bpy.types.UILayout, task: Task) -> None:
    snapshot = task.snapshot
    row = box.row()
    row.label(text=task.name, icon={"finished": "CHECKMARK", "failed": "ERROR", "cancelled": "CANCEL"}.get(snapshot.state, "SORTTIME"))
    if snapshot.ended:
        row.operator("redepth.dismiss", text="", icon="X", emboss=False).number = task.number
    else:
        row.operator("redepth.cancel", text="", icon="CANCEL").number = task.number
        box.progress(factor=snapshot.fraction, type="BAR", text=f"{round(100 * snapshot.fraction)} %")
    draw_sentence(box, task.wish.get("refused") or task.sentence, "NONE", bpy.context)
    if snapshot.ended and snapshot.error is not None and snapshot.error.hint:
        draw_sentence(box, snapshot.error.hint, "NONE", bpy.context)
    for notice in snapshot.notices:
        draw_sentence(box, notice, "INFO", bpy.context)
    if jobs.can_build(task):
        box.operator("redepth.build_ended", icon="MESH_GRID").number = task.number
    if not snapshot.ended and task.follower.preview is not None and icon_id():
        box.template_icon(icon_value=icon_id(), scale=8)


def _draw_waiting(layout: bpy.types.UILayout) -> None:
    """Draw what waits to be taken up: jobs of a Blender that ended, and what the viewer offers."""
    entries = [(entry.job_id, entry.name, "Found again") for entry in jobs.found_again()] if not jobs.controller.running else []
    entries += [(offer.job_id, offer.name or offer.job_id[:8], "From the viewer") for offer in _offered()]
    for job_id, name, why in entries:
        row = layout.box().row()
        row.label(text=f"{why}: {name}", icon="RECOVER_LAST")
        take = row.operator("redepth.take_up", text="Build")
        take.job, take.name = job_id, name
        row.operator("redepth.dismiss", text="", icon="X", emboss=False).job = job_id


def _offered() -> list[Offer]:
    """Return what is offered; the folder is looked at every other second, not at every drawing."""
    global _offers
    now = time.monotonic()
    if now - _offers[0] >= _OFFERS_EVERY_S:
        _offers = (now, offered_jobs(find_folders()))
    return _offers[1]


def _draw_convert(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Object > Convert."""
    self.layout.separator()
    self.layout.operator("redepth.refine_depth", text="Picture to Mesh (Re-Depth)", icon="MOD_DISPLACE")


def _draw_image_menu(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Image Editor > Image."""
    self.layout.separator()
    self.layout.operator("redepth.refine_depth", text="Refine Depth (Re-Depth)", icon="MOD_DISPLACE")


def _draw_add_image(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    """Add > Image."""
    self.layout.operator("redepth.drop_pictures", text="Picture for Re-Depth", icon="MOD_DISPLACE")


MENUS = (("VIEW3D_MT_object_convert", _draw_convert), ("IMAGE_MT_image", _draw_image_menu), ("VIEW3D_MT_image_add", _draw_add_image))
CLASSES = (
    REDEPTH_PT_refine,
    REDEPTH_PT_refine_options,
    REDEPTH_PT_image_refine,
    REDEPTH_PT_image_refine_options,
    REDEPTH_PT_light,
    REDEPTH_PT_shape,
)


def register() -> None:
    """Register the panels and add the entries."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    for menu, draw in MENUS:
        getattr(bpy.types, menu).append(draw)


def unregister() -> None:
    """Take them back."""
    for menu, draw in reversed(MENUS):
        getattr(bpy.types, menu).remove(draw)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
