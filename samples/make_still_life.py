"""Render `still_life.jpg` and its exact depth with Blender's Cycles.

Everything is made here: shapes by formula, cloth by simulation, materials by noise. Run it in a Python 3.11 environment of its own
(bpy pins an older numpy than the engine):

    python3.11 -m venv DIR && DIR/bin/pip install bpy==4.5.15 pillow==13.0.0
    DIR/bin/python samples/make_still_life.py [--folder samples] [--samples 48] [--scale 1.0]

Units are metres. Blender's frame: x right, y away from the camera, z up; the table top is z = 0.
The depth is measured by casting one ray through every pixel's centre, so it belongs to the mesh that was rendered, without antialiasing.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable
from pathlib import Path

import bpy  # first: it makes bmesh and mathutils importable

# isort: split
import bmesh
import numpy as np
from mathutils import Vector, noise
from PIL import Image
from still_life_materials import eggshell, glaze, lemon_skin, linen, material, pear_skin, plaster, stalk, wall_paint, wood

WIDTH_PX, HEIGHT_PX = 1024, 768
FOCAL_MM = 50
SENSOR_WIDTH_MM = math.hypot(36, 24) * WIDTH_PX / math.hypot(WIDTH_PX, HEIGHT_PX)  # film's diagonal, so FOCAL_MM is its own 35 mm equivalent
CAMERA_AT, CAMERA_TO = Vector((0.03, -1.16, 0.38)), Vector((0.015, 0.0, 0.142))
DEPTH_STEP_M = 2.0**-13  # 0.12 mm: far below a pixel's footprint, and it compresses well
WALL_Y = 0.42
FLUTE_M = 0.0012


def add_mesh(name: str, vertices: Iterable[Iterable[float]], faces: Iterable[Iterable[int]], look: bpy.types.Material) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(v) for v in vertices], [], [tuple(f) for f in faces])
    mesh.materials.append(look)
    mesh.shade_smooth()
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def grid_faces(rows: int, columns: int, wrap: bool = False) -> list[tuple[int, int, int, int]]:
    """Quads over rows x columns vertices, counted row by row; ``wrap`` joins the last column to the first."""
    faces = []
    for row in range(0, (rows - 1) * columns, columns):
        for column in range(columns if wrap else columns - 1):
            following = (column + 1) % columns
            faces.append((row + column, row + following, row + columns + following, row + columns + column))
    return faces


def smooth_profile(points: list[tuple[float, float]], count: int) -> list[tuple[float, float]]:
    """Catmull-Rom curve through (radius, height) points, by arc of the parameter."""
    p = np.array([points[0], *points, points[-1]], dtype=float)
    t = np.linspace(0, len(points) - 1 - 1e-9, count)
    k, f = t.astype(int), (t % 1)[:, None]
    a, b, c, d = p[k], p[k + 1], p[k + 2], p[k + 3]
    curve = 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3)
    curve[:, 0] = np.maximum(curve[:, 0], 0.0)
    return [tuple(row) for row in curve]


def lathe(name: str, points: list[tuple[float, float]], look: bpy.types.Material, *, wobble_m: float = 0.0, flutes: int = 0) -> bpy.types.Object:
    """Turn a profile about z; ``wobble_m`` makes it grown rather than turned, ``flutes`` carves that many upright grooves."""
    rings, around = smooth_profile(points, 160), 192
    vertices = []
    for radius, height in rings:
        for k in range(around):
            angle = 2 * math.pi * k / around
            direction = Vector((math.cos(angle), math.sin(angle), 0))
            grown = radius + (FLUTE_M * math.cos(flutes * angle) * min(1.0, radius / 0.03) if flutes else 0.0)
            place = direction * grown + Vector((0, 0, height))
            vertices.append(place + direction * wobble_m * noise.noise(place * 18 + Vector((7.0 * len(name), 0, 0))) * min(1.0, radius / 0.02))
    return add_mesh(name, vertices, grid_faces(len(rings), around, wrap=True), look)


def tube(name: str, points: list[tuple[float, float, float]], radius_m: float, look: bpy.types.Material) -> bpy.types.Object:
    curve = bpy.data.curves.new(name, "CURVE")
    curve.dimensions, curve.bevel_depth, curve.bevel_resolution, curve.resolution_u, curve.use_fill_caps = "3D", radius_m, 8, 24, True
    spline = curve.splines.new("NURBS")
    spline.points.add(len(points) - 1)
    spline.use_endpoint_u, spline.order_u = True, 4
    for point, place in zip(spline.points, points, strict=True):
        point.co = (*place, 1.0)
    curve.materials.append(look)
    obj = bpy.data.objects.new(name, curve)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def put(obj: bpy.types.Object, x: float, y: float, z: float = 0.0, *, tilt_deg: tuple[float, float, float] = (0, 0, 0)) -> bpy.types.Object:
    obj.location, obj.rotation_euler = (x, y, z), [math.radians(angle) for angle in tilt_deg]
    return obj


def rest_on_table(obj: bpy.types.Object) -> None:
    """Lower or raise ``obj`` until its lowest vertex touches z = 0."""
    bpy.context.view_layer.update()
    obj.location.z -= min((obj.matrix_world @ vertex.co).z for vertex in obj.data.vertices)


def add_room() -> list[bpy.types.Object]:
    """A table top, reaching under the picture's lower edge, and the wall behind it."""
    behind = WALL_Y + 0.1
    table = [(-1.5, -1.0, 0), (1.5, -1.0, 0), (1.5, behind, 0), (-1.5, behind, 0)]
    wall = [(-2, WALL_Y, -0.2), (2, WALL_Y, -0.2), (2, WALL_Y, 2), (-2, WALL_Y, 2)]
    return [
        add_mesh(name, corners, [(0, 1, 2, 3)], material(name, shade))
        for name, corners, shade in (("table", table, wood), ("wall", wall, wall_paint))
    ]


def relief_height_m(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Height of the plaster tablet over (u, v) in [-1, 1] x [-1.25, 1.25]: a frame, a ring and a rosette of two rows of petals."""
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    edge = np.minimum(1 - np.abs(u), 1.25 - np.abs(v))
    height = 0.010 * np.exp(-(((edge - 0.11) / 0.055) ** 2))
    height += 0.008 * np.exp(-(((radius - 0.78) / 0.035) ** 2))
    for petals, turn, reach, swell in ((8, 0.0, 0.66, 0.015), (8, math.pi / 8, 0.46, 0.021)):
        across = np.abs(np.sin((angle - turn) * petals / 2))
        along = np.clip(radius / reach, 0, 1)
        width = np.sin(np.pi * np.clip(along, 0, 1) ** 0.8) ** 0.7
        body = np.sqrt(np.clip(1 - (across / np.maximum(width, 1e-6)) ** 2, 0, 1)) * np.minimum(1, 3 * width)
        crease = 1 - 0.35 * np.exp(-((across / 0.09) ** 2))
        height = np.maximum(height, swell * body * crease * (radius < reach))
    height = np.maximum(height, 0.020 * np.sqrt(np.clip(1 - (radius / 0.15) ** 2, 0, 1)))
    corner = np.hypot(np.abs(u) - 0.68, np.abs(v) - 0.96)
    return np.maximum(height, 0.010 * np.sqrt(np.clip(1 - (corner / 0.11) ** 2, 0, 1)))


def add_tablet(look: bpy.types.Material) -> bpy.types.Object:
    half_width_m, rows, columns = 0.115, 700, 560
    v, u = np.meshgrid(np.linspace(-1.25, 1.25, rows), np.linspace(-1, 1, columns), indexing="ij")
    front = np.stack([u * half_width_m, -0.012 - relief_height_m(u, v), v * half_width_m], axis=-1).reshape(-1, 3)
    obj = add_mesh("tablet", front, grid_faces(rows, columns), look)
    thicken = obj.modifiers.new("back", "SOLIDIFY")
    thicken.thickness, thicken.offset = 0.02, -1.0
    return obj


def add_facets(look: bpy.types.Material, radius_m: float) -> bpy.types.Object:
    """A dodecahedron with narrow bevels: the hull of its twenty corners."""
    golden = (1 + math.sqrt(5)) / 2
    corners = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    for a in (-1, 1):
        for b in (-golden, golden):
            corners += [(0, a / golden, b), (a / golden, b, 0), (b, 0, a / golden)]
    mesh = bmesh.new()
    for corner in corners:
        mesh.verts.new(Vector(corner).normalized() * radius_m)
    bmesh.ops.convex_hull(mesh, input=mesh.verts)
    bmesh.ops.dissolve_limit(mesh, angle_limit=math.radians(5), verts=mesh.verts, edges=mesh.edges)
    obj = add_mesh("facets", [], [], look)
    mesh.to_mesh(obj.data)
    mesh.free()
    obj.data.materials.clear()
    obj.data.materials.append(look)
    bevel = obj.modifiers.new("bevel", "BEVEL")
    bevel.width, bevel.segments = 0.0015, 2
    return obj


# Profiles: (radius, height) from the axis at the bottom, over the outside, to the axis again.
JUG_OUTSIDE = [(0, 0), (0.042, 0), (0.046, 0.004), (0.066, 0.05), (0.073, 0.09), (0.066, 0.135), (0.044, 0.175), (0.036, 0.20), (0.041, 0.228)]
JUG_INSIDE = [(0.050, 0.248), (0.046, 0.249), (0.036, 0.228), (0.031, 0.20), (0.038, 0.175), (0.06, 0.13), (0.066, 0.09), (0.055, 0.04), (0, 0.012)]
BOWL_OUTSIDE = [(0, 0), (0.032, 0), (0.035, 0.008), (0.060, 0.028), (0.080, 0.055), (0.086, 0.072)]
BOWL_INSIDE = [(0.082, 0.073), (0.075, 0.055), (0.055, 0.030), (0.03, 0.014), (0, 0.012)]
PEAR = [
    (0, 0.004),
    (0.012, 0),
    (0.030, 0.010),
    (0.0385, 0.034),
    (0.034, 0.058),
    (0.0215, 0.080),
    (0.0165, 0.096),
    (0.011, 0.105),
    (0.004, 0.106),
    (0, 0.103),
]
LEMON_HALF = [(0, -0.047), (0.005, -0.046), (0.008, -0.040), (0.020, -0.030), (0.0285, -0.012)]
LEMON = [*LEMON_HALF, (0.029, 0.006), (0.022, 0.027), (0.010, 0.038), (0.006, 0.045), (0, 0.047)]
EGG = [(0, -0.028), (0.012, -0.0255), (0.0195, -0.014), (0.0218, 0), (0.0195, 0.014), (0.0135, 0.0255), (0.0065, 0.0305), (0, 0.032)]
HANDLE = [(0.034, 0, 0.215), (0.075, 0, 0.232), (0.112, 0, 0.19), (0.105, 0, 0.13), (0.085, 0, 0.10), (0.062, 0, 0.085)]
STEM = [(0, 0, 0.100), (0.001, 0, 0.108), (0.005, 0.001, 0.114), (0.012, 0.002, 0.119)]


def add_objects() -> list[bpy.types.Object]:
    white, blue, skin, yellow, shell, stem = (
        material(name, shade)
        for name, shade in (("plaster", plaster), ("glaze", glaze), ("pear", pear_skin), ("lemon", lemon_skin), ("egg", eggshell), ("stem", stalk))
    )
    jug = put(lathe("jug", JUG_OUTSIDE + JUG_INSIDE, blue, wobble_m=0.0012), 0.17, 0.09, tilt_deg=(0, 0, 20))
    tube("handle", HANDLE, 0.0075, blue).parent = jug
    tablet = put(add_tablet(white), -0.155, 0.20, tilt_deg=(-11, 0, 12))
    bowl = put(lathe("bowl", BOWL_OUTSIDE + BOWL_INSIDE, white, flutes=24), -0.04, -0.06)
    in_bowl = [
        put(lathe("lemon in the bowl", LEMON, yellow, wobble_m=0.002), -0.065, -0.055, 0.066, tilt_deg=(80, 0, 60)),
        put(lathe("egg in front", EGG, shell), -0.015, -0.085, 0.064, tilt_deg=(75, 10, -20)),
        put(lathe("egg behind", EGG, shell), -0.012, -0.025, 0.066, tilt_deg=(70, 20, 110)),
    ]
    pears = [
        put(lathe("pear, standing", PEAR, skin, wobble_m=0.004), 0.105, -0.13, tilt_deg=(0, 4, 30)),
        put(lathe("pear, lying", PEAR, skin, wobble_m=0.005), -0.25, -0.14, tilt_deg=(78, 0, 65)),
    ]
    for pear in pears:
        tube("stem", STEM, 0.0014, stem).parent = pear
    loose = [
        put(add_facets(white, 0.050), 0.285, -0.10, tilt_deg=(31.7, 0, 25)),
        put(lathe("lemon", LEMON, yellow, wobble_m=0.003), -0.015, -0.235, tilt_deg=(90, 0, -65)),
        put(lathe("egg", EGG, shell), 0.19, -0.225, tilt_deg=(82, 0, 50)),
    ]
    for obj in (tablet, *pears, *loose):
        rest_on_table(obj)
    return [jug, tablet, bowl, *in_bowl, *pears, *loose]


def add_box_around(obj: bpy.types.Object) -> bpy.types.Object:
    """A box in the place of ``obj``: what the falling cloth meets instead of half a million vertices."""
    bpy.context.view_layer.update()
    sides = [(0, 1, 2, 3), (7, 6, 5, 4), (0, 4, 5, 1), (1, 5, 6, 2), (2, 6, 7, 3), (4, 0, 3, 7)]
    box = add_mesh(f"box around {obj.name}", [tuple(corner) for corner in obj.bound_box], sides, obj.data.materials[0])
    box.matrix_world = obj.matrix_world
    return box


def add_drape(room: list[bpy.types.Object], objects: list[bpy.types.Object]) -> bpy.types.Object:
    """Hang a linen cloth, gathered along its upper edge, and let it fall and fold on the table."""
    cloth = add_gathered_cloth(rows=84, columns=96, width_m=1.25, height_m=0.95)
    boxes = [add_box_around(obj) for obj in objects]
    for obstacle in room + boxes:
        collision = obstacle.modifiers.new("collision", "COLLISION")
        collision.settings.thickness_outer, collision.settings.cloth_friction = 0.004, 12
    fall = cloth.modifiers.new("cloth", "CLOTH")
    fall.settings.quality, fall.settings.mass, fall.settings.bending_stiffness, fall.settings.vertex_group_mass = 5, 0.25, 0.15, "pins"
    fall.collision_settings.distance_min, fall.collision_settings.collision_quality = 0.004, 2
    fall.point_cache.frame_end = 110
    for frame in range(1, 111):
        bpy.context.scene.frame_set(frame)
    cloth.data = bpy.data.meshes.new_from_object(cloth.evaluated_get(bpy.context.evaluated_depsgraph_get()))
    cloth.modifiers.clear()
    for obstacle in room:
        obstacle.modifiers.clear()
    for box in boxes:
        bpy.data.objects.remove(box)
    smooth = cloth.modifiers.new("fine", "SUBSURF")
    smooth.levels = smooth.render_levels = 2
    return cloth


def add_gathered_cloth(*, rows: int, columns: int, width_m: float, height_m: float) -> bpy.types.Object:
    """A cloth before its fall: in upright waves on the wall, its lowest part lying forward on the table, its upper edge pinned."""
    top_m, gather = 0.66, 0.62
    v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    waves_m = 0.055 * np.sin(u * 2 * np.pi * 6.5 + 1.3 * np.sin(3 * u)) * (0.5 + 0.5 * v)
    height = top_m - v * height_m
    forward_m = np.clip(0.05 - height, 0, None)
    x, y, z = 0.30 + (u - 0.5) * width_m * gather, WALL_Y - 0.07 - waves_m - forward_m, np.maximum(height, 0.03 + 0.02 * np.cos(u * 31))
    cloth = add_mesh("drape", np.stack([x, y, z], -1).reshape(-1, 3), grid_faces(rows, columns), material("linen", linen))
    corners = np.empty(len(cloth.data.loops), dtype=np.int32)
    cloth.data.loops.foreach_get("vertex_index", corners)
    places = np.stack([u * width_m, v * height_m], -1).reshape(-1, 2)
    cloth.data.uv_layers.new(name="UVMap").data.foreach_set("uv", places[corners].astype(np.float32).ravel())
    cloth.vertex_groups.new(name="pins").add(list(range(columns)), 1.0, "REPLACE")
    return cloth


def add_light_and_camera() -> bpy.types.Object:
    scene = bpy.context.scene
    for name, place, aim, size_m, watts, colour in (
        ("window", (-1.30, -0.42, 0.85), (0, 0.05, 0.1), 0.5, 36, (1.0, 0.93, 0.82)),
        ("sky", (0.9, -1.6, 1.5), (0, 0.1, 0.1), 2.2, 7, (0.80, 0.89, 1.0)),
    ):
        light = bpy.data.lights.new(name, "AREA")
        light.size, light.energy, light.color = size_m, watts, colour
        lamp = bpy.data.objects.new(name, light)
        lamp.location, lamp.rotation_euler = place, (Vector(aim) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
        scene.collection.objects.link(lamp)
    scene.world = bpy.data.worlds.new("room")
    scene.world.use_nodes = True
    background = scene.world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value, background.inputs["Strength"].default_value = (0.75, 0.85, 1.0, 1.0), 0.16
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.sensor_width, camera.data.lens = SENSOR_WIDTH_MM, FOCAL_MM
    camera.location, camera.rotation_euler = CAMERA_AT, (CAMERA_TO - CAMERA_AT).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(camera)
    scene.camera = camera
    return camera


def render(path: Path, samples: int, scale: float) -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.seed, scene.cycles.use_denoising = "CPU", samples, 1, True
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = WIDTH_PX, HEIGHT_PX, round(100 * scale)
    scene.view_settings.view_transform, scene.view_settings.look, scene.view_settings.exposure = "Filmic", "Medium High Contrast", 0.2
    scene.render.image_settings.file_format, scene.render.filepath = "PNG", str(path)
    bpy.ops.render.render(write_still=True)


def cast_depth_m(camera: bpy.types.Object, scale: float) -> np.ndarray:
    """(H, W) float32 metres along the view axis, rows from the top, one ray through each pixel's centre; 0 where nothing is hit."""
    width, height = round(WIDTH_PX * scale), round(HEIGHT_PX * scale)
    graph, scene = bpy.context.evaluated_depsgraph_get(), bpy.context.scene
    rotation, origin = camera.matrix_world.to_3x3(), camera.matrix_world.translation
    half = camera.data.sensor_width / camera.data.lens / 2
    depth_m = np.zeros((height, width), dtype=np.float32)
    for row in range(height):
        y = (height / 2 - row - 0.5) / (width / 2) * half
        for column in range(width):
            ray = Vector(((column + 0.5 - width / 2) / (width / 2) * half, y, -1.0))
            hit, place, *_ = scene.ray_cast(graph, origin, rotation @ ray.normalized())
            if hit:
                depth_m[row, column] = (place - origin).length / ray.length
    return depth_m


def write_sample(folder: Path, rendered: Path, depth_m: np.ndarray) -> None:
    picture = Image.open(rendered).convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = "Still life, rendered with Blender Cycles by samples/make_still_life.py"
    exif.get_ifd(0x8769)[0xA405] = FOCAL_MM
    picture.save(folder / "still_life.jpg", quality=92, subsampling=0, exif=exif)
    np.savez_compressed(folder / "still_life_depth.npz", gt=(np.round(depth_m / DEPTH_STEP_M) * DEPTH_STEP_M).astype(np.float32))
    seen = depth_m[depth_m > 0]
    entry = {
        "id": "still_life",
        "image": "still_life.jpg",
        "ground_truth": "still_life_depth.npz",
        "kind": "depth_m",
        "invalid": 0,
        "size": list(picture.size),
        "valid": round(seen.size / depth_m.size, 3),
        "range": [round(float(seen.min()), 3), round(float(seen.max()), 3)],
        "licence": "Made for Re-Depth by samples/make_still_life.py; same licence as the project",
    }
    (folder / "manifest.json").write_text(json.dumps([entry], indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--samples", type=int, default=48, help="Cycles samples a pixel, before denoising")
    parser.add_argument("--scale", type=float, default=1.0, help="of the picture's size, for a quick look")
    options = parser.parse_args()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    room, objects = add_room(), add_objects()
    add_drape(room, objects)
    camera = add_light_and_camera()
    rendered = Path(bpy.app.tempdir) / "still_life.png"
    render(rendered, options.samples, options.scale)
    write_sample(options.folder, rendered, cast_depth_m(camera, options.scale))


if __name__ == "__main__":
    main()
