"""Which picture is meant here, or a sentence that says why none is.

In the Image Editor: its image. In the 3D View: the active reference image (Empty), the texture of the active image plane, the background
image of the active or the scene's camera, or the picture of an active Re-Depth mesh, to refine it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy

from ..engine.api.errors import InputError
from .place import Place, place_of_background, place_of_empty, place_of_plane, place_of_result, upright_place

NO_PICTURE = "Select a reference image, an image plane or a camera with a background image, or drop a picture here"
SMALLEST_SIDE_PX = 16


@dataclass(frozen=True, kw_only=True)
class Source:
    """The picture that is meant, valid until the next change to the file.

    Attributes:
        shows: the object that shows it, or None.
        background: the camera's background entry, or None.
    """

    image: bpy.types.Image
    shows: bpy.types.Object | None = None
    background: Any = None

    def place(self, context: bpy.types.Context) -> Place:
        """Return where it lies.

        Raises:
            InputError: the object shows it in a way that a camera cannot match.
        """
        size_px = tuple(self.image.size)
        if self.shows is None:
            return upright_place(context.scene.cursor.location, size_px)
        if self.background is not None:
            return place_of_background(context.scene, self.shows, self.background, size_px)
        if self.shows.redepth.is_result:
            return place_of_result(self.shows)
        return place_of_empty(self.shows, size_px) if self.shows.type == "EMPTY" else place_of_plane(self.shows, size_px)


def find_source(context: bpy.types.Context) -> Source:
    """Return the picture that a press of the button would refine.

    Raises:
        InputError: there is none, or it cannot be used; the sentence fits under a grey button.
    """
    space = context.space_data
    if space is not None and space.type == "IMAGE_EDITOR":
        if space.image is None:
            raise InputError("Open a picture in this editor")
        source = Source(image=space.image)
    else:
        source = _in_scene(context)
    _require_usable(source.image)
    return source


def reason_against(context: bpy.types.Context) -> str:
    """Return why `find_source` would refuse, or an empty text."""
    try:
        find_source(context)
    except InputError as error:
        return error.sentence
    return ""


def _in_scene(context: bpy.types.Context) -> Source:
    active = context.view_layer.objects.active if context.view_layer else None
    if active is not None:
        if active.type == "EMPTY" and active.empty_display_type == "IMAGE":
            if active.data is None:
                raise InputError(f"{active.name} has no image")
            return Source(image=active.data, shows=active)
        if active.type == "MESH" and (image := _texture_of(active)) is not None:
            return Source(image=image, shows=active)
        if active.type == "CAMERA" and (background := _background_of(active)) is not None:
            return Source(image=background.image, shows=active, background=background)
    camera = context.scene.camera if context.scene else None
    if camera is not None and (background := _background_of(camera)) is not None:
        return Source(image=background.image, shows=camera, background=background)
    raise InputError(NO_PICTURE)


def _texture_of(plane: bpy.types.Object) -> bpy.types.Image | None:
    """Return the image of the active material: of its active image node, else of its first."""
    material = plane.active_material
    if material is None or material.node_tree is None:
        return None
    nodes = material.node_tree.nodes
    textures = [node for node in nodes if node.type == "TEX_IMAGE" and node.image is not None]
    return nodes.active.image if nodes.active in textures else next((node.image for node in textures), None)


def _background_of(camera: bpy.types.Object) -> Any:
    """Return the first background entry of a camera that shows an image, or None."""
    if camera.type != "CAMERA" or not camera.data.show_background_images:
        return None
    entries = camera.data.background_images
    return next((entry for entry in entries if entry.show_background_image and entry.source == "IMAGE" and entry.image is not None), None)


def _require_usable(image: bpy.types.Image) -> None:
    """Raise what speaks against an image.

    Raises:
        InputError: it is no single picture, has no pixels here, or is too small.
    """
    if image.source in ("MOVIE", "SEQUENCE"):
        raise InputError(f"{image.name} is a film; use one frame of it")
    if image.source == "TILED":
        raise InputError(f"{image.name} is made of tiles; use a single picture")
    if image.type in ("RENDER_RESULT", "COMPOSITING"):
        raise InputError("Save the render as a picture and open that")
    width, height = image.size
    if not width or not height:
        raise InputError(f"{image.name} cannot be read: is its file missing?")
    if min(width, height) < SMALLEST_SIDE_PX:
        raise InputError(f"{image.name} is {width} x {height} px; each side needs at least {SMALLEST_SIDE_PX}")
