"""What light does to a result, rendered by Cycles into linear floats: the picture's own size, few samples, no view transform."""

from __future__ import annotations

import math
from pathlib import Path

import bpy
import numpy as np
from harness import Setting
from scenes import SIZE_PX, build


def lit_still_life() -> bpy.types.Object:
    mesh = build(None, near_far_ratio=1.95)  # as it is in truth
    assert bpy.ops.redepth.add_relight_rig() == {"FINISHED"}
    group = mesh.redepth
    group.delight, group.fill_strength, group.world_strength = 1.0, 0.0, 0.0
    group.key_kind, group.key_strength, group.key_elevation = "SUN", 1.0, math.radians(15)
    return mesh


def rendered(setting: Setting, name: str) -> np.ndarray:
    """Return the render (H, W), linear grey, rows from the top."""
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.device = "CYCLES", "CPU"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces, scene.cycles.seed = 4, False, 0, 1
    scene.render.image_settings.file_format, scene.render.image_settings.color_depth = "OPEN_EXR", "32"
    path = setting.folder / f"{name}.exr"
    scene.render.filepath = str(path)
    with np.errstate(all="ignore"):
        bpy.ops.render.render(write_still=True)
    return loaded(path)


def loaded(path: Path) -> np.ndarray:
    image = bpy.data.images.load(str(path))
    pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(image.size[1], image.size[0], 4)[::-1, :, :3].mean(axis=-1)


def normals_of(mesh: bpy.types.Object) -> np.ndarray:
    bpy.ops.redepth.update_maps()
    pixels = np.empty(SIZE_PX[0] * SIZE_PX[1] * 4, np.float32)
    mesh.redepth.normals.pixels.foreach_get(pixels)
    return pixels.reshape(SIZE_PX[1], SIZE_PX[0], 4)[::-1, :, :3] * 2 - 1


def check_the_shadow_side_swaps_with_the_light(setting: Setting) -> None:
    mesh = lit_still_life()
    normals = normals_of(mesh)
    renders = {}
    for side in (-60, 60):
        mesh.redepth.key_azimuth = math.radians(side)
        renders[side] = rendered(setting, f"side{side}")
    assert renders[60].shape == SIZE_PX[::-1]
    for side, away in ((-60, 60), (60, -60)):
        faces_it = normals[..., 0] * math.copysign(1, side) > 0.5
        assert faces_it.mean() > 0.02
        assert renders[side][faces_it].mean() > 3 * renders[away][faces_it].mean()


def check_brightness_follows_the_strength(setting: Setting) -> None:
    mesh = lit_still_life()
    means = []
    for strength in (0.5, 1.0, 2.0):
        mesh.redepth.key_strength = strength
        means.append(float(rendered(setting, f"strength{strength}").mean()))
    assert means[0] > 0.01
    assert abs(means[1] / means[0] - 2) < 0.05 and abs(means[2] / means[1] - 2) < 0.05


def check_both_kinds_of_key_are_about_as_bright(setting: Setting) -> None:
    mesh = lit_still_life()
    mesh.redepth.key_azimuth = mesh.redepth.key_elevation = 0.0
    sun = float(rendered(setting, "sun").mean())
    mesh.redepth.key_kind = "AREA"
    area = float(rendered(setting, "area").mean())
    assert 0.4 < area / sun < 2.0, (area, sun)


def check_a_white_surface_that_faces_the_key_renders_white(setting: Setting) -> None:
    mesh = lit_still_life()
    group = mesh.redepth
    group.key_azimuth = group.key_elevation = group.delight = 0.0
    group.near_far_ratio = 1.01  # nearly flat, facing the camera and the key
    lit = rendered(setting, "flat")
    group.shows_original = True
    original = rendered(setting, "original")
    inner = (slice(10, -10), slice(10, -10))
    assert abs(np.median(lit[inner] / np.maximum(original[inner], 1e-3)) - 1) < 0.15


def check_the_original_is_the_picture_whatever_the_light(setting: Setting) -> None:
    mesh = lit_still_life()
    mesh.redepth.shows_original = True
    shown = rendered(setting, "shown")
    picture = setting.module("picture.file")
    linear = picture.linear_from_srgb(picture.shown_srgb(mesh.redepth.picture)[..., :3]).mean(axis=-1)
    assert np.abs(shown - linear)[4:-4, 4:-4].mean() < 0.02


def check_the_relief_changes_where_refinement_changed_the_depth(setting: Setting) -> None:
    mesh = lit_still_life()
    mesh.redepth.key_azimuth = math.radians(60)
    renders, normals = [], []
    for share in (0.0, 1.0):
        mesh.redepth.refined_share = share
        normals.append(normals_of(mesh))
        renders.append(rendered(setting, f"share{share}"))
    turned = np.linalg.norm(normals[0] - normals[1], axis=-1)
    change = np.abs(renders[0] - renders[1])
    most, least = turned >= np.quantile(turned, 0.8), turned <= np.quantile(turned, 0.2)
    assert change[most].mean() > 2 * change[least].mean()
    assert change[most].mean() > 0.02


def check_the_back_layer_closes_the_holes(setting: Setting) -> None:
    mesh = lit_still_life()
    scene, group = bpy.context.scene, mesh.redepth
    scene.render.film_transparent = True
    group.camera.location.x += 0.04 * group.size  # a step aside, where cuts would show
    holes = {}
    for hidden in (True, False):
        group.back.hide_render = hidden
        rendered(setting, f"holes{hidden}")
        image = bpy.data.images.load(str(setting.folder / f"holes{hidden}.exr"))
        pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
        image.pixels.foreach_get(pixels)
        holes[hidden] = float((pixels.reshape(SIZE_PX[1], SIZE_PX[0], 4)[8:-8, 16:-16, 3] < 0.5).mean())
    scene.render.film_transparent = False
    assert holes[True] > 0.005
    assert holes[False] < 0.25 * holes[True]
