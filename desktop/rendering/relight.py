"""Relights surfaces on the graphics card, by the formula in `light`; one pixel of the surface is one pixel of the picture.

Rows are stored from the top throughout: row 0 of a texture, of the frame and of what comes back is the picture's top row.

Shapes: h w preview.
"""

from __future__ import annotations

import moderngl
import numpy as np
from numpy.typing import NDArray

from .light import CLAY_ALBEDO, Light
from .srgb import GLSL_FROM_LINEAR
from .surface import Surface
from .unlocked import UnlockedDrawing

_CORNERS = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32)
_SHADOW_STEPS = 64
_LAMP_WIDTH = 0.06  # in its distance

_VERTEX_SHADER = """#version 330
in vec2 corner;
void main() { gl_Position = vec4(corner, 0.0, 1.0); }
"""

_FRAGMENT_SHADER = (
    """#version 330
uniform sampler2D albedo_map, normal_map, depth_map;
uniform vec2 size_px;
uniform float focal_px;
uniform int stride;
uniform vec3 light_dir;
uniform float ambient, diffuse, specular, shininess, original, clay;
uniform int shadow_steps;
uniform float shadow_reach, shadow_thickness;
out vec4 colour;
"""
    + GLSL_FROM_LINEAR
    + """
// The ray through a pixel (across, down), reaching depth 1.
vec3 ray(vec2 pixel) { return vec3((pixel.x - 0.5 * size_px.x) / focal_px, (0.5 * size_px.y - pixel.y) / focal_px, -1.0); }

// How much of the light reaches the point: a walk toward it in steps that grow, during which the surface hides as much of a lamp of some
// width as it rises above the way. What is deeper behind the surface than its thickness passes behind it.
float visible(vec3 point, vec3 normal) {
    float here = -point.z;
    vec3 start = point + normal * (here * 1.5 / focal_px);
    float open = 1.0;
    for (int number = 1; number <= shadow_steps; number++) {
        float share = float(number) / float(shadow_steps);
        float walked = shadow_reach * share * sqrt(share);
        vec3 at = start + light_dir * walked;
        if (-at.z <= 1e-3) break;
        vec2 pixel = vec2(0.5 * size_px.x - at.x / at.z * focal_px, 0.5 * size_px.y + at.y / at.z * focal_px);
        if (any(lessThan(pixel, vec2(0.0))) || any(greaterThanEqual(pixel, size_px))) break;
        float behind = -at.z - texture(depth_map, pixel / size_px).r - here / focal_px;
        float hidden = clamp(behind / (LAMP * walked + here / focal_px), 0.0, 1.0);
        open = min(open, 1.0 - hidden * (1.0 - smoothstep(0.6 * shadow_thickness, shadow_thickness, behind)));
        if (open <= 0.0) break;
    }
    return open;
}

void main() {
    ivec2 at = ivec2(gl_FragCoord.xy) * stride;
    vec3 normal = texelFetch(normal_map, at, 0).xyz;
    vec3 albedo = mix(texelFetch(albedo_map, at, 0).rgb, vec3(CLAY_ALBEDO), clay);
    vec3 towards = ray(vec2(at) + 0.5);
    vec3 half_dir = normalize(light_dir - normalize(towards));
    float shining = 1.0;
    if (shadow_steps > 0 && dot(normal, light_dir) > 0.0) shining = visible(towards * texelFetch(depth_map, at, 0).r, normal);
    vec3 lit = albedo * (ambient + shining * diffuse * max(dot(normal, light_dir), 0.0));
    lit += shining * specular * pow(max(dot(normal, half_dir), 0.0), shininess);
    colour = vec4(srgb_from_linear(clamp(mix(lit, albedo, original), 0.0, 1.0)), 1.0);
}
""".replace("CLAY_ALBEDO", str(CLAY_ALBEDO)).replace("LAMP", str(_LAMP_WIDTH))
)


class Relighter:
    """Holds one surface on the graphics card and relights it as often as asked."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._program = context.program(vertex_shader=_VERTEX_SHADER, fragment_shader=_FRAGMENT_SHADER)
        for unit, name in enumerate(("albedo_map", "normal_map", "depth_map")):
            self._program[name] = unit
        self._quad = context.vertex_array(self._program, [(context.buffer(_CORNERS.tobytes()), "2f", "corner")])
        self._drawing = UnlockedDrawing()
        self._textures: list[moderngl.Texture] = []
        self._frame: moderngl.Framebuffer | None = None

    def load(self, surface: Surface) -> None:
        """Take ``surface`` in place of the one before."""
        self._free()
        width, height = surface.depth.shape[::-1]
        for values in (surface.albedo, surface.normals, surface.depth[..., None]):
            texture = self._context.texture((width, height), values.shape[2], np.ascontiguousarray(values).tobytes(), dtype="f4")
            texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
            texture.repeat_x = texture.repeat_y = False
            self._textures.append(texture)
        self._textures[-1].filter = (moderngl.LINEAR, moderngl.LINEAR)  # else each pixel of a slope would shade the next
        self._frame = self._context.framebuffer([self._context.texture((width, height), 4)])
        self._program["size_px"] = (width, height)
        self._program["focal_px"] = surface.camera.focal_px
        near, far = float(surface.depth.min()), float(surface.depth.max())
        self._program["shadow_reach"] = max(far - near, 0.25 * near)
        self._program["shadow_thickness"] = max(0.25 * (far - near), 0.05 * near)

    def relight(self, light: Light, stride: int = 1) -> NDArray[np.uint8]:
        """Return the surface under ``light``, (h, w, 4) uint8 sRGB, alpha 255.

        Args:
            stride: draw every so many pixels alone, each way; the picture is that much smaller, its last row and column rounded up.

        Raises:
            ValueError: no surface was loaded.
        """
        if self._frame is None:
            raise ValueError("no surface to relight")
        for name in ("light_dir", "ambient", "diffuse", "specular", "shininess", "original", "clay"):
            self._program[name] = getattr(light, name)
        self._program["shadow_steps"] = _SHADOW_STEPS if light.shadows else 0
        self._program["stride"] = stride
        width, height = (-(-size // stride) for size in self._frame.size)
        self._frame.use()
        self._frame.viewport = (0, 0, width, height)
        for unit, texture in enumerate(self._textures):
            texture.use(unit)
        self._drawing.strip(self._quad, len(_CORNERS))
        picture = np.empty((height, width, 4), np.uint8)
        self._frame.read_into(picture, viewport=(0, 0, width, height), components=4)
        return picture

    def _free(self) -> None:
        for texture in (*self._textures, *(self._frame.color_attachments if self._frame else ())):
            texture.release()
        if self._frame is not None:
            self._frame.release()
        self._textures, self._frame = [], None

    def release(self) -> None:
        """Give back all that it holds on the graphics card."""
        self._free()
        self._quad.release()
        self._program.release()
