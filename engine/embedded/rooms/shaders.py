"""GLSL of the passes: shadow map, depth with normals, ambient occlusion, light.

An instance is three rows of its 3 × 4 matrix into the world, ``tint`` (rgb factor, strength of recolouring) and ``wear``
(tile or -1, tile size in metres or repeats, seed, gloss; a negative gloss means that it shines by itself).
"""

from __future__ import annotations

_PLACE = """
in vec3 in_position; in vec3 in_normal; in vec2 in_uv; in float in_skin;
in vec4 in_row0; in vec4 in_row1; in vec4 in_row2; in vec4 in_tint; in vec4 in_wear;
vec3 place(vec3 p) { vec4 q = vec4(p, 1.0); return vec3(dot(in_row0, q), dot(in_row1, q), dot(in_row2, q)); }
"""

SHADOW_VERTEX = f"""#version 430
{_PLACE}
uniform mat4 light_clip;
void main() {{ gl_Position = light_clip * vec4(place(in_position), 1.0); }}
"""

SHADOW_FRAGMENT = """#version 430
void main() {}
"""

DEPTH_VERTEX = f"""#version 430
{_PLACE}
uniform mat4 world_view; uniform mat4 view_clip;
out vec3 view_point;
void main() {{ view_point = (world_view * vec4(place(in_position), 1.0)).xyz; gl_Position = view_clip * vec4(view_point, 1.0); }}
"""

DEPTH_FRAGMENT = """#version 430
in vec3 view_point;
out vec4 normal_depth;
void main() {
    vec3 n = normalize(cross(dFdx(view_point), dFdy(view_point)));
    normal_depth = vec4(dot(n, view_point) > 0.0 ? -n : n, -view_point.z);
}
"""

SCREEN_VERTEX = """#version 430
in vec2 in_corner;
void main() { gl_Position = vec4(in_corner, 0.0, 1.0); }
"""

# Ambient occlusion: the share of rays of a hemisphere around the normal that what the camera sees would stop.
OCCLUSION_FRAGMENT = """#version 430
uniform sampler2D normal_depth; uniform vec2 reach; uniform float radius;
out float light;
const int RAYS = 8;
vec3 view_at(vec2 uv, float depth) { return vec3((uv * 2.0 - 1.0) * reach * depth, -depth); }
void main() {
    vec2 size = vec2(textureSize(normal_depth, 0));
    vec4 here = texelFetch(normal_depth, ivec2(gl_FragCoord.xy), 0);
    vec3 p = view_at(gl_FragCoord.xy / size, here.w);
    int cell = int(gl_FragCoord.x) % 4 * 4 + int(gl_FragCoord.y) % 4;
    float blocked = 0.0;
    for (int i = 0; i < RAYS; ++i) {
        float turn = 2.399963 * float(i) + 0.3926991 * float(cell);
        float height = (float(i) + 0.5) / float(RAYS);
        vec3 ray = vec3(sqrt(1.0 - height * height) * vec2(cos(turn), sin(turn)), height);
        ray = normalize(here.xyz * 1.02 + vec3(ray.xy, ray.z * 2.0 - 1.0));
        vec3 q = p + ray * radius * mix(0.1, 1.0, fract(float(i) * 0.618 + float(cell) * 0.0625));
        vec2 uv = (q.xy / -q.z) / reach * 0.5 + 0.5;
        float seen = texture(normal_depth, uv).w;
        float gap = -q.z - seen;
        blocked += gap > 0.01 * radius ? smoothstep(0.0, 1.0, radius / max(abs(here.w - seen), 1e-4)) : 0.0;
    }
    light = 1.0 - blocked / float(RAYS);
}
"""

SMOOTH_FRAGMENT = """#version 430
uniform sampler2D normal_depth; uniform sampler2D occlusion;
out float light;
void main() {
    ivec2 at = ivec2(gl_FragCoord.xy), last = textureSize(occlusion, 0) - 1;
    float depth = texelFetch(normal_depth, at, 0).w, total = 0.0, weight = 0.0;
    for (int y = -2; y < 2; ++y) for (int x = -2; x < 2; ++x) {
        ivec2 near = clamp(at + ivec2(x, y), ivec2(0), last);
        float w = abs(texelFetch(normal_depth, near, 0).w - depth) < 0.05 * depth ? 1.0 : 0.02;
        total += w * texelFetch(occlusion, near, 0).x; weight += w;
    }
    light = total / weight;
}
"""

LIGHT_VERTEX = f"""#version 430
{_PLACE}
uniform mat4 world_view; uniform mat4 view_clip; uniform sampler2D skins;
out vec3 world_point; out vec3 world_normal; out vec3 own_point; out vec3 own_normal; out vec2 uv;
flat out vec4 colour; flat out float layer; flat out vec4 tint; flat out vec4 wear;
void main() {{
    mat3 m = transpose(mat3(in_row0.xyz, in_row1.xyz, in_row2.xyz));
    world_point = place(in_position);
    world_normal = mat3(cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])) * in_normal;
    own_point = in_position * vec3(length(m[0]), length(m[1]), length(m[2]));
    own_normal = in_normal; uv = in_uv; tint = in_tint; wear = in_wear;
    colour = texelFetch(skins, ivec2(int(in_skin), 0), 0);
    layer = texelFetch(skins, ivec2(int(in_skin), 1), 0).x;
    gl_Position = view_clip * world_view * vec4(world_point, 1.0);
}}
"""

LIGHT_FRAGMENT = """#version 430
in vec3 world_point; in vec3 world_normal; in vec3 own_point; in vec3 own_normal; in vec2 uv;
flat in vec4 colour; flat in float layer; flat in vec4 tint; flat in vec4 wear;
uniform sampler2DArray tiles; uniform sampler2D occlusion; uniform sampler2DShadow shadow; uniform vec2 size_px;
uniform vec3 eye; uniform mat4 light_clip; uniform vec4 light_at; uniform vec3 light_colour; uniform float softness;
uniform vec3 window_at; uniform vec3 window_across; uniform vec3 window_up; uniform vec3 window_colour;
uniform vec3 sky; uniform vec3 ground; uniform vec3 lamp_at; uniform vec3 lamp_colour;
out vec4 radiance;

vec3 hash(float seed) { return fract(sin(seed * vec3(12.9898, 78.233, 37.719)) * 43758.5453); }
vec3 linear(vec3 srgb) { return pow(srgb, vec3(2.2)); }

vec2 side_uv(float metres) {
    vec3 a = abs(own_normal), p = own_point / metres;
    return a.y > a.x && a.y > a.z ? p.xz : (a.x > a.z ? p.zy : p.xy);
}

// One fetch for all kinds of skin: software renderers run every branch, and fetches are what costs them most.
vec3 albedo() {
    bool own = layer >= 0.0, dressed = layer < -1.5, bare = !own && !dressed && wear.x < 0.0;
    vec3 at = own ? vec3(uv, layer) : dressed ? vec3(uv * wear.y, wear.x) : vec3(side_uv(wear.y), max(wear.x, 0.0));
    vec3 tile = texture(tiles, at).rgb;
    vec3 other = hash(wear.z + colour.r * 7.1 + colour.g * 13.7 + colour.b * 3.3);
    other = mix(vec3(dot(other, vec3(0.3333))), other, 0.7) * 0.85 + 0.05;
    return linear(bare ? mix(colour.rgb, other, tint.a) : tile) * tint.rgb;
}

vec3 on_map(vec3 p) { vec4 clip = light_clip * vec4(p, 1.0); return clip.xyz / max(clip.w, 1e-4) * 0.5 + 0.5; }

float lit(vec3 n, vec3 to_light) {
    if (light_at.w == 0.0) {
        float down = dot(to_light, cross(window_across, window_up));
        vec3 hit = world_point + to_light * dot(window_at - world_point, cross(window_across, window_up)) / down - window_at;
        vec2 inside = abs(vec2(dot(hit, window_across), dot(hit, window_up)) / vec2(dot(window_across, window_across), dot(window_up, window_up)));
        if (max(inside.x, inside.y) > 1.0) return 0.0;
    }
    vec3 side = normalize(cross(n, abs(n.y) > 0.9 ? vec3(1.0, 0.0, 0.0) : vec3(0.0, 1.0, 0.0)));
    vec3 here = world_point + n * 0.006;
    vec3 at = on_map(here), a = on_map(here + 0.02 * side) - at, b = on_map(here + 0.02 * cross(n, side)) - at;
    if (any(greaterThan(abs(at - 0.5), vec3(0.5)))) return light_at.w == 0.0 ? 1.0 : 0.0;
    // How the surface's own depth changes across the map, so that a wide filter does not shadow what is lit at a slant.
    float area = a.x * b.y - a.y * b.x;
    vec2 slope = abs(area) < 1e-9 ? vec2(0.0) : clamp(vec2(a.z * b.y - b.z * a.y, b.z * a.x - a.z * b.x) / area, -4.0, 4.0);
    float turn = 6.2831853 * fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
    float total = 0.0;
    for (int i = 0; i < 6; ++i) {
        float r = sqrt((float(i) + 0.5) / 6.0) * softness, angle = 2.399963 * float(i) + turn;
        vec2 step = r * vec2(cos(angle), sin(angle));
        total += texture(shadow, vec3(at.xy + step, at.z + dot(slope, step) - 0.0003));
    }
    float edge = light_at.w == 0.0 ? 1.0 : smoothstep(0.5, 0.3, length(at.xy - 0.5));
    return edge * total / 6.0;
}

void main() {
    vec3 view = normalize(eye - world_point), n = normalize(world_normal);
    if (dot(n, view) < 0.0) n = -n;
    vec3 base = albedo();
    if (wear.w < 0.0) { radiance = vec4(base * -wear.w, 1.0); return; }
    float open = texture(occlusion, gl_FragCoord.xy / size_px).x;
    vec3 offset = light_at.xyz - world_point * light_at.w;
    vec3 to_light = normalize(offset);
    float facing = max(dot(n, to_light), 0.0);
    float falloff = light_at.w == 0.0 ? 1.0 : 4.0 / (1.0 + dot(offset, offset));
    vec3 key = facing > 0.0 ? light_colour * falloff * lit(n, to_light) : vec3(0.0);
    vec3 to_window = window_at - world_point, to_lamp = lamp_at - world_point;
    float window_gap = length(to_window), lamp_gap = length(to_lamp);
    vec3 soft = mix(ground, sky, 0.5 + 0.5 * n.y);
    soft += window_colour * max(0.15 + 0.85 * dot(n, to_window / window_gap), 0.0) / (1.0 + window_gap * window_gap);
    soft += lamp_colour * max(0.1 + 0.9 * dot(n, to_lamp / lamp_gap), 0.0) / (1.0 + lamp_gap * lamp_gap);
    float gloss = max(wear.w, 0.0) * (0.3 + 0.7 * colour.a);
    float shine = pow(max(dot(n, normalize(to_light + view)), 0.0), mix(12.0, 90.0, colour.a));
    float rim = pow(1.0 - max(dot(n, view), 0.0), 4.0);
    radiance = vec4(base * (key * facing + soft * open * open) + gloss * (key * shine + 0.25 * soft * open * rim), 1.0);
}
"""
