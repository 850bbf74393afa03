"""The shaders that draw a textured mesh: the light of `light`, without its shadows; back sides darker, so that nobody mistakes them."""

from __future__ import annotations

from .light import CLAY_ALBEDO
from .srgb import GLSL_FROM_LINEAR

VERTEX_SHADER = """#version 330
uniform mat4 clip_from_frame;
in vec3 position, normal;
in vec2 uv;
out vec3 at, facing;
out vec2 texel;
void main() {
    gl_Position = clip_from_frame * vec4(position, 1.0);
    at = position;
    facing = normal;
    texel = vec2(uv.x, 1.0 - uv.y);  // the picture's rows are stored from the top
}
"""

# `shading` is an index of `meshes.SHADINGS`. Colours of the change are lit so little that they can still be told from each other.
FRAGMENT_SHADER = (
    """#version 330
uniform sampler2D picture;
uniform vec3 eye, light_dir;
uniform float ambient, diffuse, specular, shininess;
uniform int shading;
in vec3 at, facing;
in vec2 texel;
out vec4 colour;
"""
    + GLSL_FROM_LINEAR
    + """
void main() {
    vec3 view_dir = normalize(eye - at);
    vec3 normal = normalize(facing);
    // Faces are wound to face the photo's camera; which side is seen follows from the triangle itself, not from its smooth normal.
    vec3 plane = cross(dFdx(at), dFdy(at));
    bool back = dot(plane, normal) * dot(plane, view_dir) < 0.0;
    if (back) normal = -normal;
    if (shading == 3) {
        colour = vec4((normal * 0.5 + 0.5) * (back ? BACK : 1.0), 1.0);
        return;
    }
    vec3 albedo = shading == 2 ? vec3(CLAY_ALBEDO) : texture(picture, texel).rgb;
    vec3 lit = albedo;
    if (shading == 4) {
        lit = albedo * (0.65 + 0.35 * max(dot(normal, light_dir), 0.0));
    } else if (shading != 1) {
        vec3 half_dir = normalize(light_dir + view_dir);
        lit = albedo * (ambient + diffuse * max(dot(normal, light_dir), 0.0)) + specular * pow(max(dot(normal, half_dir), 0.0), shininess);
    }
    colour = vec4(srgb_from_linear(clamp(lit * (back ? BACK : 1.0), 0.0, 1.0)), 1.0);
}
""".replace("CLAY_ALBEDO", str(CLAY_ALBEDO)).replace("BACK", "0.35")
)

WIRE_FRAGMENT_SHADER = """#version 330
uniform vec4 wire_colour;
out vec4 colour;
void main() { colour = wire_colour; }
"""
