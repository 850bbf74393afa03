"""Draws grid meshes on the graphics card, from any side.

Shapes: V vertices, F faces, h w the picture that comes back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import moderngl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.geometry.mesh import GridMesh

from .light import Light
from .mesh_shaders import FRAGMENT_SHADER, VERTEX_SHADER, WIRE_FRAGMENT_SHADER
from .orbit import OrbitCamera, Pivot
from .unlocked import UnlockedDrawing

Shading = Literal["lit", "picture", "clay", "normals", "change"]
SHADINGS: tuple[Shading, ...] = get_args(Shading)

_LARGEST_TEXTURE_PX = 4096
_ROWS_PER_BLOCK = 256
_SRGB8 = 0x8C41  # the card turns texels into linear light before it mixes neighbours
_WIRE_COLOUR = (0.05, 0.6, 0.9, 0.6)


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a mesh is drawn.

    Attributes:
        shading: ``lit`` the picture under the light, ``picture`` as it was taken, ``clay`` grey under the light, ``normals`` as colours,
            ``change`` how much nearer or farther refinement moved each point, as colours.
        wire: whether the edges of the faces are drawn too.
        light: its direction is in the photo's frame; ``original``, ``clay`` and ``shadows`` do not apply.
        background_srgb: (r, g, b) levels of what no face covers.
    """

    shading: Shading = "lit"
    wire: bool = False
    light: Light = field(default_factory=Light)
    background_srgb: tuple[int, int, int] = (24, 26, 30)


class LoadedMesh:
    """A mesh on the graphics card."""

    def __init__(
        self, context: moderngl.Context, program: moderngl.Program, wire_program: moderngl.Program, drawing: UnlockedDrawing, mesh: GridMesh
    ) -> None:
        self.face_count = len(mesh.faces)
        self._drawing = drawing
        arrays = (mesh.vertices, mesh.normals, mesh.uv)
        self._buffers = [context.buffer(np.ascontiguousarray(values, np.float32).data.cast("B")) for values in arrays]
        self._arrays: list[moderngl.VertexArray] = []
        if not self.face_count:
            return
        faces = context.buffer(np.ascontiguousarray(mesh.faces, np.int32).data.cast("B"))
        self._buffers.append(faces)
        attributes = list(zip(self._buffers, ("3f", "3f", "2f"), ("position", "normal", "uv"), strict=False))
        self._arrays.append(context.vertex_array(program, attributes, faces, index_element_size=4))
        self._arrays.append(context.vertex_array(wire_program, attributes[:1], faces, index_element_size=4))

    def draw(self, *, wire: bool) -> None:
        """Draw its faces, or their edges, with the program's values as they are."""
        if self.face_count:
            self._drawing.triangles(self._arrays[int(wire)], 3 * self.face_count)

    def release(self) -> None:
        """Give back its memory on the graphics card."""
        parts: list[moderngl.VertexArray | moderngl.Buffer] = [*self._arrays, *self._buffers]
        for part in parts:
            part.release()


class MeshRenderer:
    """Draws loaded meshes that share one picture."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._program = context.program(vertex_shader=VERTEX_SHADER, fragment_shader=FRAGMENT_SHADER)
        self._wire_program = context.program(vertex_shader=VERTEX_SHADER, fragment_shader=WIRE_FRAGMENT_SHADER)
        self._wire_program["wire_colour"] = _WIRE_COLOUR
        self._picture: moderngl.Texture | None = None
        self._change: moderngl.Texture | None = None
        self._frames: list[moderngl.Framebuffer] = []
        self._drawing = UnlockedDrawing()

    def load_picture(self, image_srgb: NDArray[np.uint8]) -> None:
        """Take ``image_srgb`` (H, W, 3) as the texture of all meshes, and forget the colours of the change."""
        self._free_textures()
        self._picture = self._texture(image_srgb)

    def load_change(self, colours: NDArray[np.uint8]) -> None:
        """Take ``colours`` (H, W, 3) for the shading ``change``."""
        if self._change is not None:
            self._change.release()
        self._change = self._texture(colours)

    def _texture(self, image_srgb: NDArray[np.uint8]) -> moderngl.Texture:
        picture = Image.fromarray(np.ascontiguousarray(image_srgb))
        limit = min(_LARGEST_TEXTURE_PX, int(self._context.info["GL_MAX_TEXTURE_SIZE"]))
        picture.thumbnail((limit, limit), Image.Resampling.BOX)
        texture = self._context.texture(picture.size, 3, alignment=1, internal_format=_SRGB8)
        for top in range(0, picture.height, _ROWS_PER_BLOCK):  # in blocks, between which other threads run
            rows = picture.crop((0, top, picture.width, min(top + _ROWS_PER_BLOCK, picture.height)))
            texture.write(rows.tobytes(), (0, top, *rows.size), alignment=1)
        self._drawing.mipmaps(texture)
        texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
        texture.repeat_x = texture.repeat_y = False
        return texture

    def load_mesh(self, mesh: GridMesh) -> LoadedMesh:
        """Return ``mesh`` as it lies on the graphics card; the caller releases it."""
        return LoadedMesh(self._context, self._program, self._wire_program, self._drawing, mesh)

    def draw(self, mesh: LoadedMesh, camera: OrbitCamera, pivot: Pivot, look: Look, size_px: tuple[int, int], *, smooth: bool) -> NDArray[np.uint8]:
        """Return the mesh as a picture (h, w, 4) uint8 sRGB, alpha 255, rows from the top.

        Args:
            size_px: width and height of the picture.
            smooth: whether edges are drawn with four samples a pixel, which takes longer.

        Raises:
            ValueError: no picture was loaded, or no colours of the change where they are to be shown.
        """
        texture = self._change if look.shading == "change" else self._picture
        if texture is None:
            raise ValueError("no picture to draw the mesh with")
        frame = self._frame(size_px, smooth)
        frame.use()
        red, green, blue = look.background_srgb
        frame.clear(red / 255, green / 255, blue / 255, 1.0)
        self._context.enable_only(moderngl.DEPTH_TEST)
        self._set(camera, pivot, look, size_px)
        texture.use(0)
        if look.wire:
            self._context.polygon_offset = (1.0, 1.0)
        mesh.draw(wire=False)
        if look.wire:
            self._draw_wire(mesh)
        return self._read(frame)

    def _set(self, camera: OrbitCamera, pivot: Pivot, look: Look, size_px: tuple[int, int]) -> None:
        columns = tuple(camera.clip_from_frame(pivot, size_px).T.ravel().tolist())
        self._program["clip_from_frame"] = columns
        self._wire_program["clip_from_frame"] = columns
        self._program["eye"] = tuple(camera.eye(pivot))
        self._program["shading"] = SHADINGS.index(look.shading)
        for name in ("light_dir", "ambient", "diffuse", "specular", "shininess"):
            self._program[name] = getattr(look.light, name)

    def _draw_wire(self, mesh: LoadedMesh) -> None:
        self._context.polygon_offset = (0.0, 0.0)
        self._context.enable(moderngl.BLEND)
        alpha_as_it_is = moderngl.ZERO, moderngl.ONE
        self._context.blend_func = (moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA, *alpha_as_it_is)  # type: ignore[assignment]
        self._context.wireframe = True
        mesh.draw(wire=True)
        self._context.wireframe = False
        self._context.disable(moderngl.BLEND)

    def _frame(self, size_px: tuple[int, int], smooth: bool) -> moderngl.Framebuffer:
        """Return a frame of that size, the last one where it fits; a smooth one is resolved into a plain second."""
        samples = min(4, self._context.max_samples) if smooth else 0
        if not self._frames or self._frames[0].size != size_px or self._frames[0].samples != samples:
            self._free_frames()
            self._frames = [self._context.simple_framebuffer(size_px, samples=samples)]
            if samples:
                self._frames.append(self._context.simple_framebuffer(size_px))
        return self._frames[0]

    def _read(self, frame: moderngl.Framebuffer) -> NDArray[np.uint8]:
        if self._frames[-1] is not frame:
            self._context.copy_framebuffer(self._frames[-1], frame)
            self._drawing.finish()
        width, height = frame.size
        picture = np.empty((height, width, 4), np.uint8)
        self._frames[-1].read_into(picture, components=4)
        return picture

    def _free_textures(self) -> None:
        for texture in (self._picture, self._change):
            if texture is not None:
                texture.release()
        self._picture = self._change = None

    def _free_frames(self) -> None:
        for frame in self._frames:
            for attachment in (*frame.color_attachments, frame.depth_attachment):
                attachment.release()
            frame.release()
        self._frames = []

    def release(self) -> None:
        """Give back all that it holds on the graphics card, meshes aside."""
        self._free_frames()
        self._free_textures()
        self._program.release()
        self._wire_program.release()
