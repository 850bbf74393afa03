"""Draws rooms: a camera's linear light, its exact depth and its normals. Needs EGL; a software renderer will do.

N instances, H W pixels. World: metres, x right, y up; the camera looks along its own -z.
"""

from __future__ import annotations

from ctypes.util import find_library
from dataclasses import dataclass
from typing import Any

import moderngl
import numpy as np

from ...api.errors import DeviceError
from . import shaders
from .pack import Pack
from .plan import Camera, Lights, Things

Array = np.ndarray
_SHADOW_PX = 1024
_FINER = 4 / 3
_EGL: dict[str, Any] = {"backend": "egl"}  # moderngl passes it on, but its annotation asks for a dictionary
_NEAR_M, _FAR_M = 0.05, 40.0
_INSTANCE = "4f 4f 4f 4f 4f/i"
_INSTANCE_NAMES = ("in_row0", "in_row1", "in_row2", "in_tint", "in_wear")


@dataclass(frozen=True)
class View:
    """What a camera sees: depth (H, W) in metres along its axis, and geometric unit normals (H, W, 3) in its frame, turned to it."""

    depth: Array
    normals: Array


def view_matrix(camera: Camera) -> Array:
    """Return (4, 4) from world to the camera's frame."""
    back = camera.eye - camera.target
    back = back / np.linalg.norm(back)
    right = np.cross([0.0, 1.0, 0.0], back)
    right = right / np.linalg.norm(right)
    up = np.cross(back, right)
    cos, sin = np.cos(camera.roll), np.sin(camera.roll)
    rotation = np.stack([cos * right + sin * up, cos * up - sin * right, back])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, -rotation @ camera.eye
    return matrix


def clip_matrix(reach_x: float, reach_y: float, near: float, far: float) -> Array:
    """Return (4, 4) of a perspective that reaches ``reach_x``, ``reach_y`` to each side at depth 1."""
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[1, 1] = 1 / reach_x, 1 / reach_y
    matrix[2, 2], matrix[2, 3], matrix[3, 2] = -(far + near) / (far - near), -2 * far * near / (far - near), -1
    return matrix


class Renderer:
    """Holds a pack on the graphics device and draws pictures of one size from it.

    Raises:
        DeviceError: there is no EGL to draw with.
    """

    def __init__(self, pack: Pack, height: int, width: int) -> None:
        self.pack, self.height, self.width = pack, height, width
        if find_library("EGL") is None:
            raise DeviceError("Rooms cannot be drawn: there is no EGL here.", hint="Install Mesa's: `apt-get install libegl1 libgl1-mesa-dri`.")
        self.context = moderngl.create_context(standalone=True, require=430, **_EGL)
        self.context.enable(moderngl.DEPTH_TEST)
        self._upload()
        self._programs()
        self._targets()

    def _upload(self) -> None:
        pack, context = self.pack, self.context
        model = np.repeat(np.arange(len(pack)), np.diff(pack.first_vertex))
        share = pack.positions.astype(np.float32) / 65535 - np.array([0.5, 0, 0.5], np.float32)
        vertices = np.concatenate(
            [share * pack.size_m[model], pack.normals.astype(np.float32) / 127, pack.uvs.astype(np.float32), pack.skin[:, None].astype(np.float32)],
            axis=1,
        )
        self._vertices = context.buffer(vertices.astype(np.float32).tobytes())
        self._indices = context.buffer(pack.indices.astype(np.uint32).tobytes())
        self._instances = context.buffer(reserve=80 * 4096, dynamic=True)
        self._commands = context.buffer(reserve=20 * 4096, dynamic=True)
        layers = np.zeros((1, len(pack.skin_layer), 4), np.float32)
        layers[0, :, 0] = pack.skin_layer
        table = np.concatenate([pack.skin_colour[None], layers]).astype(np.float32)
        self._skins = context.texture((len(pack.skin_layer), 2), 4, table.tobytes(), dtype="f4")
        self._skins.filter = (moderngl.NEAREST, moderngl.NEAREST)
        side = pack.textures.shape[1]
        self._tiles = context.texture_array((side, side, len(pack.textures)), 3, pack.textures.tobytes())
        self._tiles.build_mipmaps()
        self._tiles.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)

    def _programs(self) -> None:
        context = self.context
        self._shadow_program = context.program(shaders.SHADOW_VERTEX, shaders.SHADOW_FRAGMENT)
        self._depth_program = context.program(shaders.DEPTH_VERTEX, shaders.DEPTH_FRAGMENT)
        self._light_program = context.program(shaders.LIGHT_VERTEX, shaders.LIGHT_FRAGMENT)
        self._occlusion_program = context.program(shaders.SCREEN_VERTEX, shaders.OCCLUSION_FRAGMENT)
        self._smooth_program = context.program(shaders.SCREEN_VERTEX, shaders.SMOOTH_FRAGMENT)
        self._shadow_pass, self._depth_pass, self._light_pass = (
            self._geometry_array(program) for program in (self._shadow_program, self._depth_program, self._light_program)
        )
        corners = context.buffer(np.array([-1, -1, 3, -1, -1, 3], np.float32).tobytes())
        self._occlusion_pass, self._smooth_pass = (
            context.vertex_array(program, [(corners, "2f", "in_corner")]) for program in (self._occlusion_program, self._smooth_program)
        )

    def _geometry_array(self, program: moderngl.Program) -> moderngl.VertexArray:
        """Return the vertex array for ``program``, which may not use all that vertices carry."""
        parts = []
        for buffer, layout, names in (
            (self._vertices, ("3f", "3f", "2f", "1f"), ("in_position", "in_normal", "in_uv", "in_skin")),
            (self._instances, ("4f",) * 5, _INSTANCE_NAMES),
        ):
            used = [name in program for name in names]
            formats = [each if keep else f"{4 * int(each[0])}x" for each, keep in zip(layout, used, strict=True)]
            rate = "/i" if buffer is self._instances else ""
            parts.append((buffer, " ".join(formats) + rate, *(name for name, keep in zip(names, used, strict=True) if keep)))
        return self.context.vertex_array(program, parts, index_buffer=self._indices, index_element_size=4)

    def _targets(self) -> None:
        context, size = self.context, (self.width, self.height)
        self._shadow_map = context.depth_texture((_SHADOW_PX, _SHADOW_PX))
        self._shadow_map.compare_func = "<="
        self._shadow_map.repeat_x = self._shadow_map.repeat_y = False
        self._shadow_target = context.framebuffer(depth_attachment=self._shadow_map)
        self._normal_depth = context.texture(size, 4, dtype="f4")
        self._normal_depth.repeat_x = self._normal_depth.repeat_y = False
        self._normal_depth.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self._depth_target = context.framebuffer([self._normal_depth], context.depth_renderbuffer(size))
        self._occlusion, self._smoothed = (context.texture(size, 1, dtype="f2") for _ in range(2))
        self._smoothed.repeat_x = self._smoothed.repeat_y = False
        self._occlusion_target, self._smooth_target = (context.framebuffer([texture]) for texture in (self._occlusion, self._smoothed))
        self._finer = (round(_FINER * self.width), round(_FINER * self.height))
        self._light_target = context.framebuffer([context.renderbuffer(self._finer, 4, dtype="f2")], context.depth_renderbuffer(self._finer))

    def set_scene(self, things: Things, lights: Lights) -> None:
        """Take ``things`` and ``lights`` for what is drawn from now on, and draw the shadow map."""
        self.things, self.lights = things, lights
        self._instances.orphan(max(80 * len(things), 80))
        self._instances.write(things.to_buffer())
        corner = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (0.0, 1.0) for z in (-0.5, 0.5)])
        corners = corner[None] * self.pack.size_m[things.model][:, None]
        world = np.einsum("nij,nkj->nki", things.matrix[:, :, :3], corners) + things.matrix[:, None, :, 3]
        self._centres = world.mean(axis=1)
        self._radii = np.linalg.norm(world - self._centres[:, None], axis=2).max(axis=1)
        self._light_clip = lights.clip_matrix()
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.0)
        _uniform(self._shadow_program, "light_clip").write(_columns(self._light_clip))
        self._draw(self._shadow_pass, np.flatnonzero(things.casts))

    def _draw(self, array: moderngl.VertexArray, chosen: Array) -> None:
        pack, model = self.pack, self.things.model[chosen]
        commands = np.stack(
            [
                pack.first_index[model + 1] - pack.first_index[model],
                np.ones(len(chosen), np.int64),
                pack.first_index[model],
                pack.first_vertex[model],
                chosen,
            ],
            axis=1,
        )
        self._commands.orphan(max(20 * len(chosen), 20))
        self._commands.write(commands.astype(np.uint32).tobytes())
        array.render_indirect(self._commands, moderngl.TRIANGLES, count=len(chosen))

    def _aim(self, camera: Camera) -> None:
        """Note the camera's matrices and which instances it can see, nearest first."""
        self._reach = np.tan(camera.fov / 2) * np.array([1.0, self.height / self.width])
        self._world_view = view_matrix(camera)
        self._view_clip = clip_matrix(self._reach[0], self._reach[1], _NEAR_M, _FAR_M)
        self._eye = camera.eye
        seen = self._centres @ self._world_view[:3, :3].T + self._world_view[:3, 3]
        visible = -seen[:, 2] > -self._radii
        for axis in range(2):
            slope = self._reach[axis]
            outside = (np.abs(seen[:, axis]) + slope * seen[:, 2]) / np.hypot(1, slope)
            visible &= outside < self._radii
        order = np.argsort(-seen[:, 2], kind="stable")
        self._visible = order[visible[order]]

    def look(self, camera: Camera) -> View:
        """Return depth and normals from ``camera``, at pixel centres."""
        self._aim(camera)
        self._depth_target.use()
        self._depth_target.clear(0, 0, 0, _FAR_M, depth=1.0)
        _uniform(self._depth_program, "world_view").write(_columns(self._world_view))
        _uniform(self._depth_program, "view_clip").write(_columns(self._view_clip))
        self._draw(self._depth_pass, self._visible)
        stored = np.frombuffer(self._normal_depth.read(), np.float32).reshape(self.height, self.width, 4)[::-1]
        return View(stored[..., 3].copy(), stored[..., :3].copy())

    def shade(self) -> Array:
        """Return the linear light (4/3 H, 4/3 W, 3) that reaches the camera of the last `look`, to be made smaller without jagged edges."""
        self.context.disable(moderngl.DEPTH_TEST)
        self._normal_depth.use(0)
        self._occlusion_target.use()
        _uniform(self._occlusion_program, "reach").value = tuple(self._reach)
        _uniform(self._occlusion_program, "radius").value = 0.3
        self._occlusion_pass.render()
        self._smooth_target.use()
        self._occlusion.use(1)
        _uniform(self._smooth_program, "occlusion").value = 1
        self._smooth_pass.render()
        self.context.enable(moderngl.DEPTH_TEST)
        self._set_light_uniforms()
        self._light_target.use()
        self._light_target.clear(0, 0, 0, 0, depth=1.0)
        self._draw(self._light_pass, self._visible)
        width, height = self._finer
        return np.frombuffer(self._light_target.read(components=3, dtype="f2"), np.float16).reshape(height, width, 3)[::-1].astype(np.float32)

    def _set_light_uniforms(self) -> None:
        program, lights = self._light_program, self.lights
        self._tiles.use(0)
        self._smoothed.use(1)
        self._shadow_map.use(2)
        self._skins.use(3)
        for unit, name in enumerate(("tiles", "occlusion", "shadow", "skins")):
            _uniform(program, name).value = unit
        _uniform(program, "size_px").value = self._finer
        _uniform(program, "eye").value = tuple(self._eye)
        _uniform(program, "world_view").write(_columns(self._world_view))
        _uniform(program, "view_clip").write(_columns(self._view_clip))
        _uniform(program, "light_clip").write(_columns(self._light_clip))
        for name, value in lights.uniforms().items():
            _uniform(program, name).value = value

    def close(self) -> None:
        """Give the graphics device back."""
        self.context.release()


def _uniform(program: moderngl.Program, name: str) -> moderngl.Uniform:
    member = program[name]
    assert isinstance(member, moderngl.Uniform)
    return member


def _columns(matrix: Array) -> bytes:
    return np.ascontiguousarray(matrix.T, dtype=np.float32).tobytes()
