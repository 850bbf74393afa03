"""A finished refinement becomes a collection: the mesh over its picture, its matched camera, its images and materials."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

import bpy
import numpy as np

from ..engine.api.result import RefineResult
from ..engine.geometry.normals import grid_normals
from ..look import images, material
from ..picture.file import linear_from_srgb, shown_srgb
from ..picture.place import Place
from ..shape.light import light_map, shrunk, small_size
from ..shape.maps import STORED_PX, maps_from_result
from ..shape.surface import Surface
from . import live, rig

_LARGEST_ID_INT = 2**31 - 1
_WRITTEN_AT = "redepth_images_written_at"


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How a result begins; all but the first three can be changed afterwards.

    Attributes:
        name: of the mesh and its collection.
        use_camera: make the matched camera the scene's, and give the render the picture's size.
        hide_source: hide the object that showed the picture.
        fov_deg: angle of view across the longer side; None = the place's, else the result's (from EXIF, else 55).
        sliders: further properties of `RedepthResult` by name.
    """

    name: str
    use_camera: bool = True
    hide_source: bool = True
    fov_deg: float | None = None
    sliders: dict[str, Any]


def build_result(
    scene: bpy.types.Scene,
    result: RefineResult,
    place: Place,
    picture: bpy.types.Image | None,
    source: bpy.types.Object | None,
    options: BuildOptions,
) -> bpy.types.Object:
    """Return the new mesh object.

    Args:
        picture: the image that was refined; where there is none any more, or its size is another, one is made of the result.
        source: the object that showed it.
    """
    if picture is None or tuple(picture.size) != result.size_px:
        picture = images.picture_image(options.name, np.asarray(result.image_srgb))
    collection = bpy.data.collections.new(f"Re-Depth {options.name}")
    scene.collection.children.link(collection)
    name = f"{options.name} mesh"
    mesh = bpy.data.objects.new(name, bpy.data.meshes.new(name))
    collection.objects.link(mesh)
    mesh.matrix_world = place.to_world
    with live.paused():
        _fill_group(mesh, result, place, picture, source, options)
    _add_images(mesh, result)
    _add_materials(mesh)
    _note_provenance(mesh, result)
    live.rebuild(mesh)
    live.delight(mesh)
    write_depth_and_normals(mesh)
    _add_camera(mesh, collection)
    if options.use_camera:
        use_camera(scene, mesh)
    if options.hide_source and source is not None and source.type != "CAMERA" and not source.redepth.is_result:
        source.hide_set(True)
        source.hide_render = True
    return mesh


def _fill_group(
    mesh: bpy.types.Object, result: RefineResult, place: Place, picture: bpy.types.Image, source: bpy.types.Object | None, options: BuildOptions
) -> None:
    group = mesh.redepth
    group.is_result, group.size = True, place.size
    group.width_px, group.height_px = result.size_px
    group.picture, group.source = picture, source
    group.fov_rad = math.radians(options.fov_deg or place.fov_deg or result.fov_deg)
    for name, value in options.sliders.items():
        setattr(group, name, value)


def _add_images(mesh: bpy.types.Object, result: RefineResult) -> None:
    group, maps = mesh.redepth, maps_from_result(result)
    height, width = maps.base.shape
    group.maps = images.store_maps(f"{_stem(mesh)} disparity", maps.pixels(), width, height)
    light_width, light_height = small_size(*result.size_px)
    linear = linear_from_srgb(shrunk(shown_srgb(group.picture)[..., :3], light_width, light_height))
    light = light_map(linear, shrunk(maps.refined, light_width, light_height))
    group.light = images.store_maps(f"{_stem(mesh)} light", images.rgba_pixels(light), light_width, light_height)


def _add_materials(mesh: bpy.types.Object) -> None:
    group = mesh.redepth
    group.lit = material.lit_material(_stem(mesh), group.picture, group.light, group.delight)
    group.original = material.original_material(f"{_stem(mesh)} original", group.picture)


def _note_provenance(mesh: bpy.types.Object, result: RefineResult) -> None:
    """Note how the depth was made, as custom properties: all of it as JSON, and the most asked-for facts by name."""
    provenance = result.provenance
    settings, seed = provenance["settings"], provenance["seed"]
    mesh["redepth_provenance"] = json.dumps(provenance, ensure_ascii=False)
    for role in ("depth", "prior"):
        model = provenance["models"][role]
        mesh[f"redepth_{role}_model"] = f"{model['title']}, {model['licence']}"
    mesh["redepth_preset"] = settings["preset"]
    mesh["redepth_seed"] = seed if seed <= _LARGEST_ID_INT else str(seed)
    mesh["redepth_fov_source"] = result.fov_source
    if result.kept is not None:
        mesh["redepth_kept_share"] = float(result.kept.mean())


def write_depth_and_normals(mesh: bpy.types.Object) -> None:
    """Write the depth and normal images as the sliders stand: at the maps' own resolution, float, Non-Color, packed.

    Depth is the distance from the matched camera along its view axis, in the mesh's units. Normals are in the mesh's own frame,
    (n + 1) / 2, as a Normal Map node in object space takes them.
    """
    group = mesh.redepth
    shape = group.shape()
    surface = Surface(live.maps_of(mesh), STORED_PX)
    depth = surface.depth(shape)
    height, width = depth.shape
    group.depth = images.store_maps(f"{_stem(mesh)} depth", images.rgba_pixels(depth * np.float32(shape.unit)), width, height, group.depth)
    normals = grid_normals(surface.vertices(shape, depth).reshape(height, width, 3) - np.array([0, 0, shape.camera_distance], np.float32))
    group.normals = images.store_maps(f"{_stem(mesh)} normals", images.rgba_pixels((normals + 1) / 2), width, height, group.normals)
    mesh[_WRITTEN_AT] = _sliders_text(mesh)


def images_are_stale(mesh: bpy.types.Object) -> bool:
    """Whether a slider moved since the depth and normal images were written."""
    return mesh.get(_WRITTEN_AT) != _sliders_text(mesh)


def _sliders_text(mesh: bpy.types.Object) -> str:
    return json.dumps(asdict(mesh.redepth.shape()))


def _add_camera(mesh: bpy.types.Object, collection: bpy.types.Collection) -> None:
    name = f"{_stem(mesh)} camera"
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    camera.parent = mesh
    collection.objects.link(camera)
    mesh.redepth.camera = camera
    live.place_camera(mesh)


def _stem(mesh: bpy.types.Object) -> str:
    """Return the picture's name, for what belongs to the mesh."""
    return mesh.name.removesuffix(" mesh")


def use_camera(scene: bpy.types.Scene, mesh: bpy.types.Object) -> None:
    """Make the matched camera the scene's, and give the render the picture's size."""
    group = mesh.redepth
    if group.camera is None:
        return
    scene.camera = group.camera
    scale = mesh.matrix_world.to_scale()
    render = scene.render
    render.resolution_x, render.resolution_y = group.width_px, max(4, round(group.height_px * scale.y / scale.x))
    render.pixel_aspect_x = render.pixel_aspect_y = 1


def add_back_layer(mesh: bpy.types.Object, collection: bpy.types.Collection) -> None:
    """Add the layer behind the cut edges, where there is none yet."""
    group = mesh.redepth
    if group.back is None:
        name = f"{_stem(mesh)} back"
        back = bpy.data.objects.new(name, bpy.data.meshes.new(name))
        back.parent = mesh
        collection.objects.link(back)
        group.back = back
        group.back_lit = material.lit_back_material(name, group.delight)
        group.back_original = material.original_back_material(f"{name} original")
    live.write_back_layer(mesh)
    live.delight(mesh)


def add_relight_rig(scene: bpy.types.Scene, mesh: bpy.types.Object) -> None:
    """Add back layer, lights and dim world, and show the result lit."""
    collection = mesh.users_collection[0]
    add_back_layer(mesh, collection)
    rig.add_rig(scene, mesh, collection)
    mesh.redepth.shows_original = False


def remove_relight_rig(scene: bpy.types.Scene, mesh: bpy.types.Object) -> None:
    """Take all of it away again."""
    group = mesh.redepth
    rig.remove_rig(scene, mesh)
    back, materials = group.back, [look for look in (group.back_lit, group.back_original) if look is not None]
    group.back = group.back_lit = group.back_original = None
    if back is not None:
        sheet = back.data
        bpy.data.objects.remove(back)
        bpy.data.meshes.remove(sheet)
    for look in materials:
        if not look.users:
            bpy.data.materials.remove(look)
