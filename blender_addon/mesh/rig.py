"""The relight rig: a key light that the panel aims, a soft fill from the other side, and a dim world.

Lights are children of the mesh, so they go where it goes. Angles are those of the picture's frame: azimuth to the right, elevation up,
both 0 at the camera. Strengths are in units of the picture: at 1 a white surface that faces the key renders white.
"""

from __future__ import annotations

import math

import bpy
from mathutils import Vector

_FILL_SIZE = 1.2
_WORLD_GREY = (1.0, 1.0, 1.0, 1.0)


def add_rig(scene: bpy.types.Scene, result: bpy.types.Object, collection: bpy.types.Collection) -> None:
    """Add the lights and the world to ``scene``; what the result has of them already is used again."""
    group, name = result.redepth, result.name.removesuffix(" mesh")
    if group.key is None:
        group.key = _new_light(f"{name} key", group.key_kind, result, collection)
    if group.fill is None:
        group.fill = _new_light(f"{name} fill", "AREA", result, collection)
    if group.world is None:
        group.world = _new_world(f"{name} world")
    if scene.world != group.world:
        group.world_before = scene.world
        scene.world = group.world
    place_lights(result)


def remove_rig(scene: bpy.types.Scene, result: bpy.types.Object) -> None:
    """Take the lights and the world away, and give the scene its own world back."""
    group = result.redepth
    for light in (group.key, group.fill):
        if light is not None:
            lamp = light.data
            bpy.data.objects.remove(light)
            if not lamp.users:
                bpy.data.lights.remove(lamp)
    world = group.world
    if world is not None and scene.world == world:
        scene.world = group.world_before
    group.key = group.fill = group.world = group.world_before = None
    if world is not None and not world.users:
        bpy.data.worlds.remove(world)


def direction(azimuth: float, elevation: float) -> Vector:
    """Return the unit vector toward a light, in the picture's frame; angles in radians."""
    return Vector((math.sin(azimuth) * math.cos(elevation), math.sin(elevation), math.cos(azimuth) * math.cos(elevation)))


def place_lights(result: bpy.types.Object) -> None:
    """Aim and set what there is of the rig."""
    group = result.redepth
    if group.key is not None:
        if group.key.data.type != group.key_kind:
            group.key.data.type = group.key_kind
        group.key.data.color = group.key_colour
        _aim(result, group.key, direction(group.key_azimuth, group.key_elevation), group.key_strength, group.key_size)
    if group.fill is not None:
        side = -math.copysign(math.radians(25), group.key_azimuth)
        _aim(result, group.fill, direction(side, math.radians(15)), group.fill_strength, _FILL_SIZE)
    if group.world is not None:
        background = _background_node(group.world)
        background.inputs["Color"].default_value = _WORLD_GREY
        background.inputs["Strength"].default_value = group.world_strength


def _aim(result: bpy.types.Object, light: bpy.types.Object, toward_light: Vector, strength: float, size: float) -> None:
    """Put a light at the scene's distance in a direction, facing the scene's middle, so bright that ``strength`` arrives there.

    A white surface there sends on E / pi, so an irradiance E of pi * strength renders as ``strength``. A sun's energy is E; an area
    light of power P that faces the surface gives E = P / (pi r**2).
    """
    shape = result.redepth.shape()
    distance = shape.camera_distance * shape.depth_scale
    middle = Vector((0, 0, shape.camera_distance - distance))
    light.location = middle + distance * toward_light
    light.rotation_euler = toward_light.to_track_quat("Z", "Y").to_euler()
    lamp = light.data
    if lamp.type == "SUN":
        lamp.energy = math.pi * strength
        lamp.angle = 2 * math.atan(size / 2)
    else:
        scale = sum(result.matrix_world.to_scale()) / 3
        lamp.size = max(1e-4, size * distance)  # the mesh's own scale is added by being its child
        lamp.energy = math.pi * strength * math.pi * (distance * scale) ** 2


def _new_light(name: str, kind: str, result: bpy.types.Object, collection: bpy.types.Collection) -> bpy.types.Object:
    light = bpy.data.objects.new(name, bpy.data.lights.new(name, kind))
    light.parent = result
    collection.objects.link(light)
    return light


def _new_world(name: str) -> bpy.types.World:
    world = bpy.data.worlds.new(name)
    if world.node_tree is None:  # from 5.0 on a new world has its nodes already, and asking for them is deprecated
        world.use_nodes = True
    return world


def _background_node(world: bpy.types.World) -> bpy.types.ShaderNode:
    return next(node for node in world.node_tree.nodes if node.type == "BACKGROUND")
