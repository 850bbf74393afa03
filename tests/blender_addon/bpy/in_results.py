"""Results in Blender: built, adjusted, undone, saved and opened again, exported."""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from harness import Setting
from mathutils import Matrix, Vector
from scenes import JOB, SAMPLE, SIZE_PX, build, camera, centres_px, faces, link, picture, plane, reference, seen_px, turned, uv, vertices

SLIDERS = {
    "refined_share": 0.3,
    "near_far_ratio": 9.0,
    "depth_scale": 0.5,
    "smoothing": 0.9,
    "edge_cut": 3.0,
    "long_side_vertices": 60,
}


def job_result(setting: Setting) -> Any:
    return setting.module("engine.api.result_folder").read_result(Path(os.environ["REDEPTH_HOME"]) / "jobs" / JOB / "result")


def as_bytes(mesh: bpy.types.Object) -> tuple[bytes, bytes, bytes]:
    return vertices(mesh).tobytes(), faces(mesh).tobytes(), uv(mesh).tobytes()


def check_the_operator_gives_what_the_function_gives(setting: Setting) -> None:
    builder, places = setting.module("mesh.build"), setting.module("picture.place")
    place = places.place_of_empty(reference(picture()), SIZE_PX)
    by_operator = build(bpy.data.images["picture"], place, near_far_ratio=6.0, edge_cut=5.0)
    options = builder.BuildOptions(name="picture", sliders={"near_far_ratio": 6.0, "edge_cut": 5.0})
    by_function = builder.build_result(bpy.context.scene, job_result(setting), place, bpy.data.images["picture"], None, options)
    assert as_bytes(by_operator) == as_bytes(by_function)
    assert len(by_operator.data.vertices) == SIZE_PX[0] * SIZE_PX[1]
    assert by_operator.matrix_world == by_function.matrix_world


def check_every_vertex_is_rendered_at_its_pixel(setting: Setting) -> None:
    places = setting.module("picture.place")
    cases = {
        "as it is": Matrix(),
        "turned and moved": turned(),
        "scaled evenly": turned() @ Matrix.Scale(3, 4),
    }
    for name, matrix in cases.items():
        mesh = build(picture(), places.place_of_empty(reference(picture(), matrix, offset=(-0.2, 0.3)), SIZE_PX))
        used = ~np.isnan(uv(mesh)[:, 0])
        error = np.abs(seen_px(mesh, mesh.redepth.camera) - centres_px(uv(mesh)))[used].max()
        assert error < 0.02, (name, error)
        centres = centres_px(uv(mesh))[used] % 1
        assert np.abs(centres - 0.5).max() < 0.01


def check_a_stretched_picture_is_matched_too(setting: Setting) -> None:
    places = setting.module("picture.place")
    mesh = build(picture(), places.place_of_plane(plane(picture(), 3, 3, turned()), SIZE_PX))
    scene = bpy.context.scene
    size_px = (scene.render.resolution_x, scene.render.resolution_y)
    assert size_px == (256, 256)
    seen = seen_px(mesh, mesh.redepth.camera, size_px) * (SIZE_PX[0] / size_px[0], SIZE_PX[1] / size_px[1])
    used = ~np.isnan(uv(mesh)[:, 0])
    assert np.abs(seen - centres_px(uv(mesh)))[used].max() < 0.05


def check_the_mesh_lies_over_the_reference(setting: Setting) -> None:
    empty = reference(picture(), turned())
    mesh = build(picture(), setting.module("picture.place").place_of_empty(empty, SIZE_PX))
    eye = mesh.redepth.camera.matrix_world.translation
    height = 5.0 * SIZE_PX[1] / SIZE_PX[0]
    known, own = uv(mesh), vertices(mesh)
    for index in np.flatnonzero(~np.isnan(known[:, 0]))[::5000]:
        on_picture = empty.matrix_world @ Vector((5 * (known[index, 0] - 0.5), height * (known[index, 1] - 0.5), 0))
        ray, seen = (on_picture - eye).normalized(), (mesh.matrix_world @ Vector(own[index]) - eye).normalized()
        assert (ray - seen).length < 1e-4


def check_a_background_is_matched_by_the_same_camera(setting: Setting) -> None:
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = SIZE_PX
    eye = camera(turned(), picture("behind"))
    place = setting.module("picture.place").place_of_background(scene, eye, eye.data.background_images[0], SIZE_PX)
    mesh = build(bpy.data.images["behind"], place)
    assert np.allclose(mesh.redepth.camera.matrix_world, eye.matrix_world, atol=1e-5)
    assert math.isclose(mesh.redepth.camera.data.angle, eye.data.angle, rel_tol=1e-5)
    assert mesh.redepth.camera.data.angle != math.radians(38.2)


def check_faces_look_at_the_camera(setting: Setting) -> None:
    mesh = build(picture())
    corners = vertices(mesh)[faces(mesh)]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    towards = np.array(mesh.redepth.camera.location) - corners.mean(axis=1)
    assert ((normals * towards).sum(axis=1) > 0).all()
    assert not mesh.data.validate()


def check_what_a_result_holds(setting: Setting) -> None:
    image = picture()
    mesh = build(image)
    group = mesh.redepth
    assert mesh.users_collection[0].name.startswith("Re-Depth picture")
    assert (mesh["redepth_seed"], mesh["redepth_preset"], mesh["redepth_job"]) == (7, "quick", JOB)
    assert json.loads(mesh["redepth_provenance"])["models"]["depth"]["title"] == "Exact depth"
    assert math.isclose(group.fov_rad, math.radians(38.2), rel_tol=1e-5)
    for stored in (group.maps, group.depth, group.normals, group.light):
        assert stored.is_float and stored.packed_file and stored.colorspace_settings.name == "Non-Color", stored.name
    surface = next(node for node in group.lit.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    assert surface.inputs["Metallic"].default_value == 0
    assert group.lit.node_tree.nodes["Picture"].image == image
    assert mesh.data.materials[0] == group.lit
    assert bpy.context.scene.camera == group.camera
    assert (bpy.context.scene.render.resolution_x, bpy.context.scene.render.resolution_y) == SIZE_PX


def pixels(image: bpy.types.Image) -> np.ndarray:
    """Return (H, W, 4), rows from the top."""
    flat = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(flat)
    return flat.reshape(image.size[1], image.size[0], 4)[::-1]


def check_the_depth_and_normal_images_are_those_of_the_mesh(setting: Setting) -> None:
    mesh = build(picture(), edge_cut=0.0)
    away = mesh.redepth.camera.location.z - vertices(mesh)[:, 2]
    assert np.abs(pixels(mesh.redepth.depth)[..., 0].ravel() - away).max() < 1e-4
    normals = pixels(mesh.redepth.normals)[..., :3] * 2 - 1
    assert np.abs(np.linalg.norm(normals, axis=-1) - 1).max() < 1e-4
    own = np.empty(3 * len(mesh.data.vertices), np.float32)
    mesh.data.vertices.foreach_get("normal", own)
    agreement = (normals.reshape(-1, 3) * own.reshape(-1, 3)).sum(axis=1)
    assert np.median(agreement) > 0.999


def check_no_exif_picture_is_replaced_where_its_size_is_another(setting: Setting) -> None:
    mesh = build(picture("other", (64, 48)))
    assert tuple(mesh.redepth.picture.size) == SIZE_PX
    assert mesh.redepth.picture.packed_file is not None
    sample = bpy.data.images.load(str(SAMPLE))
    step = pixels(sample)[::4, ::4, :3]
    assert np.abs(pixels(mesh.redepth.picture)[..., :3] - step).mean() < 2 / 255


def check_each_slider_gives_what_building_with_it_gives(setting: Setting) -> None:
    for name, value in SLIDERS.items():
        moved, built = build(picture()), build(picture(), **{name: value})
        before = as_bytes(moved)
        setattr(moved.redepth, name, value)
        assert as_bytes(moved) == as_bytes(built), name
        assert as_bytes(moved) != before, name


def check_the_field_of_view_moves_the_camera_and_keeps_the_pixels(setting: Setting) -> None:
    mesh = build(picture(), setting.module("picture.place").place_of_empty(reference(picture(), turned()), SIZE_PX))
    before = mesh.redepth.camera.location.z
    mesh.redepth.fov_rad = math.radians(80)
    bpy.context.view_layer.update()
    assert mesh.redepth.camera.location.z < before / 2
    used = ~np.isnan(uv(mesh)[:, 0])
    assert np.abs(seen_px(mesh, mesh.redepth.camera) - centres_px(uv(mesh)))[used].max() < 0.02


def check_delight_goes_from_the_picture_to_evenly_lit(setting: Setting) -> None:
    mesh = build(picture())
    node = mesh.redepth.lit.node_tree.nodes["Delight"]
    for strength in (0.0, 1.0):
        mesh.redepth.delight = strength
        assert node.inputs[1].default_value == -strength
    light = pixels(mesh.redepth.light)[..., 0]
    assert 0 < light.min() < 1 < light.max()
    assert abs(np.log(light).mean()) < 1e-4


def check_the_original_is_shown_and_lit_again(setting: Setting) -> None:
    mesh = build(picture())
    bpy.ops.redepth.add_relight_rig()
    group = mesh.redepth
    assert bpy.ops.redepth.show_original() == {"FINISHED"}
    assert (mesh.data.materials[0], group.back.data.materials[0]) == (group.original, group.back_original)
    mesh.redepth.edge_cut = 4.0
    assert mesh.data.materials[0] == group.original
    bpy.ops.redepth.show_original()
    assert (mesh.data.materials[0], group.back.data.materials[0]) == (group.lit, group.back_lit)


def check_the_rig_lights_from_where_its_angles_say_and_goes_again(setting: Setting) -> None:
    scene = bpy.context.scene
    world = bpy.data.worlds.new("own")
    scene.world = world
    mesh = build(picture(), setting.module("picture.place").place_of_empty(reference(picture(), turned()), SIZE_PX))
    objects = set(bpy.data.objects)
    assert bpy.ops.redepth.add_relight_rig() == {"FINISHED"}
    assert len(set(bpy.data.objects) - objects) == 3
    group = mesh.redepth
    for kind in ("AREA", "SUN"):
        group.key_kind, group.key_azimuth, group.key_elevation = kind, math.radians(90), math.radians(30)
        bpy.context.view_layer.update()
        shines = group.key.matrix_world.to_quaternion() @ Vector((0, 0, -1))
        right, up = (mesh.matrix_world.to_quaternion() @ Vector(axis) for axis in ((1, 0, 0), (0, 1, 0)))
        assert (shines + right * math.cos(math.radians(30)) + up * 0.5).length < 1e-4
        assert group.key.data.type == kind
    assert scene.view_settings.view_transform == "Standard" and scene.world == group.world
    assert len(group.back.data.polygons) > 100
    bpy.ops.redepth.add_relight_rig()
    assert len(set(bpy.data.objects) - objects) == 3
    assert bpy.ops.redepth.remove_relight_rig() == {"FINISHED"}
    assert set(bpy.data.objects) == objects
    assert (scene.view_settings.view_transform, scene.world) == ("AgX", world)
    assert not bpy.ops.redepth.remove_relight_rig.poll()


def check_an_edited_mesh_is_left_alone_until_it_is_built_anew(setting: Setting) -> None:
    mesh = build(picture(), edge_cut=0.0)
    count = len(mesh.data.vertices)
    mesh.data.clear_geometry()
    mesh.data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    mesh.redepth.near_far_ratio = 8.0
    assert len(mesh.data.vertices) == 3
    assert bpy.ops.redepth.rebuild() == {"FINISHED"}
    assert len(mesh.data.vertices) == count


def check_undo_and_redo(setting: Setting) -> None:
    bpy.ops.ed.undo_push(message="before")
    name = build(picture("kept")).name
    bpy.ops.ed.undo_push(message="built")
    bpy.data.objects[name].redepth.near_far_ratio = 8.0
    moved = vertices(bpy.data.objects[name])
    bpy.ops.ed.undo_push(message="moved")
    bpy.ops.ed.undo()
    built = vertices(bpy.data.objects[name])
    assert bpy.data.objects[name].redepth.near_far_ratio == 4.0 and not np.array_equal(built, moved)
    bpy.ops.ed.undo()
    assert name not in bpy.data.objects
    bpy.ops.ed.redo()
    assert np.array_equal(vertices(bpy.data.objects[name]), built)
    bpy.ops.ed.redo()
    assert np.array_equal(vertices(bpy.data.objects[name]), moved)
    bpy.data.objects[name].redepth.near_far_ratio = 4.0
    assert np.array_equal(vertices(bpy.data.objects[name]), built)


def check_saved_and_opened_again_it_is_still_adjustable_without_the_engine(setting: Setting) -> None:
    mesh, other = build(picture()), build(picture(), near_far_ratio=9.0, refined_share=0.2)
    bpy.ops.redepth.add_relight_rig()
    wanted, name = as_bytes(other), mesh.name
    blend = str(setting.folder / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    home = Path(os.environ["REDEPTH_HOME"])
    shutil.move(home / "jobs", home / "jobs-away")
    try:
        bpy.ops.wm.read_homefile(use_empty=True)
        bpy.ops.wm.open_mainfile(filepath=blend)
        mesh = bpy.data.objects[name]
        mesh.redepth.near_far_ratio, mesh.redepth.refined_share = 9.0, 0.2
        assert as_bytes(mesh) == wanted
    finally:
        shutil.move(home / "jobs-away", home / "jobs")


def check_saving_brings_the_images_up_to_date(setting: Setting) -> None:
    mesh = build(picture(), edge_cut=0.0)
    mesh.redepth.near_far_ratio = 12.0
    away = mesh.redepth.camera.location.z - vertices(mesh)[:, 2]
    assert np.abs(pixels(mesh.redepth.depth)[..., 0].ravel() - away).max() > 0.1
    bpy.ops.wm.save_as_mainfile(filepath=str(setting.folder / "fresh.blend"))
    assert np.abs(pixels(mesh.redepth.depth)[..., 0].ravel() - away).max() < 1e-4


def check_the_source_is_hidden_only_where_asked(setting: Setting) -> None:
    for hide in (True, False):
        empty = reference(picture())
        wish = json.dumps({"source": empty.name})
        bpy.ops.redepth.build_mesh(job=JOB, name="picture", wish=wish, hide_source=hide)
        assert (empty.hide_get(), empty.hide_render) == (hide, hide)


def check_the_viewer_gets_the_job_and_a_lost_one_is_refused_in_words(setting: Setting) -> None:
    engine = setting.module("operators.engine")
    assert engine.viewer_command(Path("/e/python"), JOB) == ["/e/python", "-m", "desktop", "--job", JOB]
    assert not bpy.ops.redepth.open_in_viewer.poll()
    mesh = build(picture())
    assert bpy.ops.redepth.open_in_viewer.poll()
    mesh["redepth_job"] = "0" * 32
    try:
        bpy.ops.redepth.open_in_viewer()
    except RuntimeError as error:
        assert "no longer keeps this job" in str(error)
    else:
        raise AssertionError("it showed something")


def check_the_share_that_the_gate_kept_is_noted_where_one_ran(setting: Setting) -> None:
    from dataclasses import replace

    builder, places = setting.module("mesh.build"), setting.module("picture.place")
    result, place = job_result(setting), places.upright_place(Vector(), SIZE_PX)
    options = builder.BuildOptions(name="picture", sliders={})
    assert "redepth_kept_share" not in builder.build_result(bpy.context.scene, result, place, None, None, options)
    kept = np.full(SIZE_PX[::-1], 0.25, np.float32)
    mesh = builder.build_result(bpy.context.scene, replace(result, kept=kept), place, None, None, options)
    assert mesh["redepth_kept_share"] == 0.25
    assert pixels(mesh.redepth.maps)[..., 3].max() == 0.25


def check_a_lost_job_is_refused_in_words(setting: Setting) -> None:
    try:
        bpy.ops.redepth.build_mesh(job="0" * 32)
    except RuntimeError as error:
        assert "Submit the picture again" in str(error)
    else:
        raise AssertionError("it built something")


def check_a_result_can_be_refined_again(setting: Setting) -> None:
    source = setting.module("picture.source")
    mesh = build(picture(), setting.module("picture.place").place_of_empty(reference(picture(), turned()), SIZE_PX))
    mesh.location.x += 3
    bpy.context.view_layer.update()
    found = source.find_source(bpy.context)
    assert found.image == mesh.redepth.picture
    assert np.allclose(found.place(bpy.context).to_world, mesh.matrix_world, atol=1e-6)
    link(mesh.redepth.camera) if mesh.redepth.camera.name not in bpy.context.scene.collection.objects else None
    assert setting.module("properties").result_of(bpy.context) == mesh


def check_export_as_glb(setting: Setting) -> None:
    mesh = build(picture(), edge_cut=6.0)
    for thing in bpy.context.selected_objects:
        thing.select_set(False)
    mesh.select_set(True)
    mesh.matrix_world = Matrix.Rotation(math.radians(90), 4, "X")  # upright in Blender, so that its frame is glTF's
    np.savez(setting.folder / "export.npz", vertices=vertices(mesh), faces=faces(mesh))
    with np.errstate(all="ignore"):  # the exporter's own arithmetic
        bpy.ops.export_scene.gltf(filepath=str(setting.folder / "export.glb"), use_selection=True)
    assert (setting.folder / "export.glb").stat().st_size > 100_000
