"""Materials of the mesh and of its back layer: lit, and as the picture is.

Lit:       base colour = picture * light ** -delight, into a Principled surface without metal. `light` is `shape.light.light_map`.
Original:  the picture as emission, so that with the Standard view the render shows its very colours, whatever light there is.
Switching to the original changes which of the two the mesh wears; the lit one stays as the user left it.
"""

from __future__ import annotations

import bpy

DELIGHT_NODE = "Delight"
PICTURE_NODE = "Picture"
FILL_ATTRIBUTE = "fill"
LIGHT_ATTRIBUTE = "fill_light"
_ROUGHNESS = 0.85
_SPECULAR = 0.2


def lit_material(name: str, picture: bpy.types.Image, light: bpy.types.Image, delight: float) -> bpy.types.Material:
    """Return the material of the mesh under new light."""
    material, nodes, links = _empty_material(name)
    colour = _picture_node(nodes, picture)
    light_texture = nodes.new("ShaderNodeTexImage")
    light_texture.image, light_texture.extension, light_texture.location = light, "EXTEND", (-1100, -320)
    light_texture.label = "Light that the picture was taken in"
    _shade(nodes, links, colour.outputs["Color"], light_texture.outputs["Color"], delight)
    nodes.active = colour
    return material


def original_material(name: str, picture: bpy.types.Image) -> bpy.types.Material:
    """Return the material that shows the picture as it is."""
    material, nodes, links = _empty_material(name)
    _emit(nodes, links, _picture_node(nodes, picture).outputs["Color"])
    return material


def lit_back_material(name: str, delight: float) -> bpy.types.Material:
    """Return the back layer's material under new light; its colours and light are attributes of its vertices."""
    material, nodes, links = _empty_material(name)
    colour, light = _attribute(nodes, FILL_ATTRIBUTE, 0), _attribute(nodes, LIGHT_ATTRIBUTE, -220)
    _shade(nodes, links, colour.outputs["Color"], light.outputs["Color"], delight)
    return material


def original_back_material(name: str) -> bpy.types.Material:
    """Return the back layer's material that shows its colours as they are."""
    material, nodes, links = _empty_material(name)
    _emit(nodes, links, _attribute(nodes, FILL_ATTRIBUTE, 0).outputs["Color"])
    return material


def set_delight(material: bpy.types.Material, strength: float) -> None:
    """Set how much of the picture's own light is divided out, 0 to 1; a material without that node is left alone."""
    node = material.node_tree.nodes.get(DELIGHT_NODE) if material.node_tree else None
    if node is not None:
        node.inputs[1].default_value = -strength


def _empty_material(name: str) -> tuple[bpy.types.Material, bpy.types.Nodes, bpy.types.NodeLinks]:
    material = bpy.data.materials.new(name)
    if material.node_tree is None:  # from 5.0 on a new material has its nodes already, and asking for them is deprecated
        material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    return material, nodes, links


def _picture_node(nodes: bpy.types.Nodes, picture: bpy.types.Image) -> bpy.types.ShaderNode:
    node = nodes.new("ShaderNodeTexImage")
    node.name = node.label = PICTURE_NODE
    node.image, node.extension, node.location = picture, "EXTEND", (-1100, 0)
    return node


def _attribute(nodes: bpy.types.Nodes, name: str, y: float) -> bpy.types.ShaderNode:
    node = nodes.new("ShaderNodeAttribute")
    node.attribute_name, node.location = name, (-1100, y)
    return node


def _shade(nodes: bpy.types.Nodes, links: bpy.types.NodeLinks, colour: bpy.types.NodeSocket, light: bpy.types.NodeSocket, delight: float) -> None:
    power = nodes.new("ShaderNodeMath")
    power.name = power.label = DELIGHT_NODE
    power.operation, power.location = "POWER", (-760, -320)
    power.inputs[1].default_value = -delight
    links.new(light, power.inputs[0])
    multiply = nodes.new("ShaderNodeVectorMath")
    multiply.operation, multiply.location = "MULTIPLY", (-520, 0)
    links.new(colour, multiply.inputs[0])
    links.new(power.outputs[0], multiply.inputs[1])
    surface = nodes.new("ShaderNodeBsdfPrincipled")
    surface.location = (-260, 0)
    surface.inputs["Metallic"].default_value = 0.0
    surface.inputs["Roughness"].default_value = _ROUGHNESS
    surface.inputs["Specular IOR Level"].default_value = _SPECULAR
    links.new(multiply.outputs[0], surface.inputs["Base Color"])
    _put_out(nodes, links, surface.outputs[0])


def _emit(nodes: bpy.types.Nodes, links: bpy.types.NodeLinks, colour: bpy.types.NodeSocket) -> None:
    emission = nodes.new("ShaderNodeEmission")
    emission.location = (-260, 0)
    links.new(colour, emission.inputs["Color"])
    _put_out(nodes, links, emission.outputs[0])


def _put_out(nodes: bpy.types.Nodes, links: bpy.types.NodeLinks, shader: bpy.types.NodeSocket) -> None:
    end = nodes.new("ShaderNodeOutputMaterial")
    end.location = (60, 0)
    links.new(shader, end.inputs["Surface"])
