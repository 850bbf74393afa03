"""The add-on in Blender: registering, and which picture is meant where."""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import addon_utils
import bpy
import numpy as np
from harness import MODULE, Setting
from mathutils import Matrix, Vector
from scenes import SAMPLE, SIZE_PX, camera, link, picture, plane, reference, turned


def names() -> tuple[bool, ...]:
    """Whether what the add-on registers is there."""
    return (
        hasattr(bpy.types, "REDEPTH_OT_refine_depth"),
        hasattr(bpy.types, "REDEPTH_PT_refine"),
        hasattr(bpy.types, "REDEPTH_FH_picture"),
        hasattr(bpy.types.Object, "redepth"),
        hasattr(bpy.types.Scene, "redepth"),
        any("redepth" in handler.__module__ for handlers in (bpy.app.handlers.load_pre, bpy.app.handlers.save_pre) for handler in handlers),
        any("redepth" in draw.__module__ for draw in bpy.types.VIEW3D_MT_object_convert.draw._draw_funcs),
    )


def check_it_registers_and_unregisters_and_registers_again(setting: Setting) -> None:
    for _ in range(2):
        assert all(names()), names()
        addon_utils.disable(MODULE, default_set=True)
        assert not any(names()), names()
        addon_utils.enable(MODULE, default_set=True)
    assert all(names()), names()


def check_it_imports_no_torch_and_touches_no_path(setting: Setting) -> None:
    assert not {"torch", "PIL", "transformers", "diffusers"} & set(sys.modules)
    assert not [path for path in sys.path if "redepth" in path and "extensions" in path]


def check_its_entries_are_in_the_menus(setting: Setting) -> None:
    for menu in ("VIEW3D_MT_object_convert", "IMAGE_MT_image", "VIEW3D_MT_image_add"):
        assert any("redepth" in draw.__module__ for draw in getattr(bpy.types, menu).draw._draw_funcs), menu


def check_a_grey_button_says_why(setting: Setting) -> None:
    source = setting.module("picture.source")
    assert source.reason_against(bpy.context) == source.NO_PICTURE
    assert not bpy.ops.redepth.refine_depth.poll()
    try:
        bpy.ops.redepth.refine_depth()
    except RuntimeError as error:
        assert source.NO_PICTURE in str(error)
    else:
        raise AssertionError("it ran without a picture")


def check_reasons_against_pictures(setting: Setting) -> None:
    source = setting.module("picture.source")
    reference(picture("small", (15, 40)))
    assert source.reason_against(bpy.context) == "small is 15 x 40 px; each side needs at least 16"
    film = picture("film")
    film.source = "MOVIE"
    reference(film)
    assert source.reason_against(bpy.context) == "film is a film; use one frame of it"
    gone = bpy.data.images.new("gone", 64, 64)
    gone.source, gone.filepath = "FILE", "/nowhere/gone.png"
    gone.reload()
    reference(gone)
    assert source.reason_against(bpy.context) == "gone cannot be read: is its file missing?"
    bare = bpy.data.objects.new("bare", None)
    bare.empty_display_type = "IMAGE"
    link(bare)
    assert source.reason_against(bpy.context) == "bare has no image"


def check_each_kind_of_object_gives_its_picture(setting: Setting) -> None:
    find = setting.module("picture.source").find_source
    image = picture()
    empty = reference(image)
    assert (find(bpy.context).image, find(bpy.context).shows) == (image, empty)
    shown = plane(picture("on plane"), 2, 1.5, turned())
    assert (find(bpy.context).image.name, find(bpy.context).shows) == ("on plane", shown)
    eye = camera(turned(), picture("behind"))
    assert (find(bpy.context).image.name, find(bpy.context).shows) == ("behind", eye)
    link(bpy.data.objects.new("something else", None))
    assert find(bpy.context).image.name == "behind"


def check_the_image_editor_gives_its_image(setting: Setting) -> None:
    source = setting.module("picture.source")
    space = SimpleNamespace(type="IMAGE_EDITOR", image=picture("open"))
    context = SimpleNamespace(space_data=space, view_layer=bpy.context.view_layer, scene=bpy.context.scene)
    assert source.find_source(context).image.name == "open"
    place = source.find_source(context).place(context)
    assert np.allclose(place.to_world @ Vector((0, 1, 0)) - place.to_world @ Vector(), (0, 0, 1), atol=1e-6)
    space.image = None
    assert source.reason_against(context) == "Open a picture in this editor"


def rectangle(place: Any, size_px: tuple[int, int] = SIZE_PX) -> np.ndarray:
    """Return the world positions of the picture's corners: lower left, lower right, upper right."""
    half = [place.size / 2 * side / max(size_px) for side in size_px]
    return np.array([place.to_world @ Vector((x * half[0], y * half[1], 0)) for x, y in ((-1, -1), (1, -1), (1, 1))])


def check_a_reference_lies_where_blender_draws_it(setting: Setting) -> None:
    places = setting.module("picture.place")
    for scale in (Vector((1, 1, 1)), Vector((2, 2, 2)), Vector((2, 1, 3))):
        matrix = turned() @ Matrix.Diagonal(scale).to_4x4()
        empty = reference(picture(), matrix, size=4.0, offset=(-0.25, 0.125))
        width, height = 4.0, 4.0 * SIZE_PX[1] / SIZE_PX[0]
        drawn = [matrix @ Vector((width * (x - 0.25), height * (y + 0.125), 0)) for x, y in ((0, 0), (1, 0), (1, 1))]
        assert np.allclose(rectangle(places.place_of_empty(empty, SIZE_PX)), drawn, atol=1e-5), scale


def check_a_plane_shows_the_picture_where_its_uv_put_it(setting: Setting) -> None:
    places = setting.module("picture.place")
    for width, height in ((2.0, 1.5), (2.0, 2.0)):
        thing = plane(picture(), width, height, turned())
        corners = [thing.matrix_world @ Vector(corner) for corner in ((-width / 2, 0, 0), (width / 2, 0, 0), (width / 2, 0, height))]
        assert np.allclose(rectangle(places.place_of_plane(thing, SIZE_PX)), corners, atol=1e-5)


def check_bent_planes_and_shifted_cameras_are_refused_in_words(setting: Setting) -> None:
    errors, places = setting.module("engine.api.errors"), setting.module("picture.place")
    bent = plane(picture(), 2, 2, turned())
    bent.data.vertices[0].co.y += 0.5
    eye = camera(turned(), picture("behind"))
    eye.data.shift_x = 0.1
    for refused in (
        lambda: places.place_of_plane(bent, SIZE_PX),
        lambda: places.place_of_background(bpy.context.scene, eye, eye.data.background_images[0], SIZE_PX),
    ):
        try:
            refused()
        except errors.InputError as error:
            assert error.sentence and error.hint
        else:
            raise AssertionError("it was taken")


def check_a_background_lies_in_its_cameras_frame(setting: Setting) -> None:
    places, scene = setting.module("picture.place"), bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = 400, 200
    eye = camera(turned(), picture())
    background = eye.data.background_images[0]
    for method, expected in (("STRETCH", (1, 1)), ("FIT", (SIZE_PX[0] / SIZE_PX[1] / 2, 1)), ("CROP", (1, 2 * SIZE_PX[1] / SIZE_PX[0]))):
        background.frame_method = method
        place = places.place_of_background(scene, eye, background, SIZE_PX)
        projection = eye.calc_matrix_camera(bpy.context.evaluated_depsgraph_get(), x=400, y=200)
        corner = projection @ eye.matrix_world.inverted() @ Vector((*rectangle(place)[2], 1))
        assert np.allclose((corner.x / corner.w, corner.y / corner.w), expected, atol=1e-4), method
        assert place.fov_deg is not None
    scene.render.resolution_x, scene.render.resolution_y = 1920, 1080


def written(setting: Setting, image: bpy.types.Image) -> Path:
    """Return the image's file, written where it has to be."""
    file = setting.module("picture.file").picture_file(image, setting.folder)
    file.write()
    return file.path


def png_size_and_depth(content: bytes) -> tuple[int, int, int]:
    return struct.unpack(">IIB", content[16:25])


def check_an_unchanged_file_goes_to_the_engine_itself(setting: Setting) -> None:
    image = bpy.data.images.load(str(SAMPLE))
    assert written(setting, image) == SAMPLE


def check_a_packed_file_goes_with_all_its_bytes(setting: Setting) -> None:
    image = bpy.data.images.load(str(SAMPLE))
    image.pack()
    image.filepath = "/nowhere.jpg"
    path = written(setting, image)
    assert path.read_bytes() == SAMPLE.read_bytes()
    assert path.name == "still_life.jpg"


def decoded(path: Any) -> np.ndarray:
    """Return a PNG's sRGB values as Blender reads them, (H, W, 4), rows from the bottom."""
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(image.size[1], image.size[0], 4)


def check_generated_and_painted_pictures_are_written_from_their_pixels(setting: Setting) -> None:
    image = picture("odd / name.jpg")
    path = written(setting, image)
    assert png_size_and_depth(path.read_bytes()) == (*SIZE_PX, 16)
    assert np.abs(decoded(path)[0, :, 0] - np.linspace(0, 1, SIZE_PX[0])).max() < 0.5 / 255 + 1e-4
    loaded = bpy.data.images.load(str(SAMPLE))
    pixels = np.empty(loaded.size[0] * loaded.size[1] * 4, np.float32)
    loaded.pixels.foreach_get(pixels)
    pixels[:] = 1
    loaded.pixels.foreach_set(pixels)
    loaded.update()
    painted = written(setting, loaded)
    assert painted != SAMPLE
    assert decoded(painted)[..., :3].min() == 1


def check_float_pictures_are_written_as_the_standard_view_shows_them(setting: Setting) -> None:
    image = picture("float", float_buffer=True)
    shown = decoded(written(setting, image))
    linear = np.linspace(0, 1, SIZE_PX[0])
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)
    assert np.abs(shown[0, :, 0] - srgb).max() < 1e-3


def check_a_file_that_asks_to_be_turned_is_written_as_blender_shows_it(setting: Setting) -> None:
    original = SAMPLE.read_bytes()
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    turned_file = setting.folder / "turned.jpg"
    turned_file.write_bytes(original[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + original[2:])
    image = bpy.data.images.load(str(turned_file))
    path = written(setting, image)
    assert png_size_and_depth(path.read_bytes()) == (*image.size, 16)


def check_dropped_pictures_stand_upright_side_by_side(setting: Setting) -> None:
    files = [{"name": SAMPLE.name}, {"name": "missing.png"}]
    try:
        bpy.ops.redepth.drop_pictures(directory=str(SAMPLE.parent), files=files)
    except RuntimeError as error:
        assert "missing.png" in str(error)
    active = bpy.context.view_layer.objects.active
    assert (active.type, active.empty_display_type, active.data.name) == ("EMPTY", "IMAGE", SAMPLE.name)
    bpy.context.view_layer.update()
    place = setting.module("picture.place").place_of_empty(active, tuple(active.data.size))
    low_left, low_right, high_right = rectangle(place, tuple(active.data.size))
    assert np.allclose(low_left[2], 0, atol=1e-5) and np.allclose(low_right - low_left, (5, 0, 0), atol=1e-5)
    assert high_right[2] > 0
    assert bpy.ops.redepth.refine_depth.poll()
