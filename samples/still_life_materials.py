"""The still life's materials: each a few words of procedural texture, no picture files."""

from __future__ import annotations

from collections.abc import Callable

import bpy

Shade = Callable[["Nodes"], None]


class Nodes:
    """A material's node tree, with just enough words to write a material in a few lines."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.bsdf = self.tree.nodes["Principled BSDF"]
        self.place = self.add("ShaderNodeTexCoord").outputs["Object"]

    def add(self, kind: str, **values: object) -> bpy.types.Node:
        """Add a node; each value is an input's value, or the socket to link to it."""
        node = self.tree.nodes.new(kind)
        for name, value in values.items():
            socket = node.inputs[name.replace("_", " ")]
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, socket)
            else:
                socket.default_value = value
        return node

    def noise(self, scale: float, detail: float = 4.0, stretch: tuple[float, float, float] = (1, 1, 1)) -> bpy.types.NodeSocket:
        place = self.add("ShaderNodeMapping", Vector=self.place, Scale=stretch).outputs["Vector"]
        return self.add("ShaderNodeTexNoise", Vector=place, Scale=scale, Detail=detail).outputs["Fac"]

    def ramp(self, factor: bpy.types.NodeSocket, *stops: tuple[float, str]) -> bpy.types.NodeSocket:
        """Colour by factor; each stop is a position and an sRGB colour like ``c8b08a``."""
        node = self.add("ShaderNodeValToRGB", Fac=factor)
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(1.0)
        for element, (position, colour) in zip(elements, stops, strict=True):
            element.position, element.color = position, linear_colour(colour)
        return node.outputs["Color"]

    def paint(self, colour: bpy.types.NodeSocket, roughness: float) -> None:
        self.tree.links.new(colour, self.bsdf.inputs["Base Color"])
        self.bsdf.inputs["Roughness"].default_value = roughness

    def bump(self, height: bpy.types.NodeSocket, distance_m: float) -> None:
        bump = self.add("ShaderNodeBump", Height=height, Strength=1.0, Distance=distance_m)
        self.tree.links.new(bump.outputs["Normal"], self.bsdf.inputs["Normal"])

    def glow_inside(self, weight: float, radius_m: float) -> None:
        self.bsdf.inputs["Subsurface Weight"].default_value = weight
        self.bsdf.inputs["Subsurface Radius"].default_value = (radius_m, radius_m * 0.6, radius_m * 0.3)
        self.bsdf.inputs["Subsurface Scale"].default_value = 1.0


def linear_colour(srgb_hex: str) -> tuple[float, float, float, float]:
    channels = (int(srgb_hex[i : i + 2], 16) / 255 for i in (0, 2, 4))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue, 1.0


def material(name: str, shade: Shade) -> bpy.types.Material:
    nodes = Nodes(name)
    shade(nodes)
    return nodes.material


def plaster(nodes: Nodes) -> None:
    nodes.paint(nodes.ramp(nodes.noise(9), (0.3, "b9b2a4"), (0.7, "d3ccbf")), 0.9)
    nodes.bump(nodes.noise(160, 6), 0.0006)


def wall_paint(nodes: Nodes) -> None:
    nodes.paint(nodes.ramp(nodes.noise(3.2, 8), (0.25, "5d6259"), (0.55, "767a6c"), (0.8, "8f8f7c")), 0.95)
    nodes.bump(nodes.noise(28, 8), 0.006)


def wood(nodes: Nodes) -> None:
    grain = nodes.noise(7, 9, (0.5, 9, 9))
    nodes.paint(nodes.ramp(grain, (0.28, "5a3c28"), (0.5, "87624a"), (0.72, "a9835f")), 0.5)
    nodes.bump(grain, 0.0018)


def linen(nodes: Nodes) -> None:
    uv = nodes.add("ShaderNodeTexCoord").outputs["UV"]
    threads = [nodes.add("ShaderNodeTexWave", Vector=uv, Scale=110.0, Distortion=1.2).outputs["Fac"] for _ in range(2)]
    threads[1].node.bands_direction = "Y"
    weave = nodes.add("ShaderNodeMath")
    for thread, socket in zip(threads, weave.inputs[:2], strict=True):
        nodes.tree.links.new(thread, socket)
    nodes.paint(nodes.ramp(nodes.noise(14, 6), (0.3, "83392e"), (0.7, "a25042")), 0.85)
    nodes.bsdf.inputs["Sheen Weight"].default_value = 0.25
    nodes.bump(weave.outputs[0], 0.0005)


def glaze(nodes: Nodes) -> None:
    height = nodes.add("ShaderNodeSeparateXYZ", Vector=nodes.place).outputs["Z"]
    runs = nodes.add("ShaderNodeMath")
    runs.operation = "MULTIPLY_ADD"
    nodes.tree.links.new(nodes.noise(11, 5, (1, 1, 0.35)), runs.inputs[0])
    runs.inputs[1].default_value = 0.16
    nodes.tree.links.new(height, runs.inputs[2])
    nodes.paint(nodes.ramp(runs.outputs[0], (0.10, "9d6f4c"), (0.115, "42616b"), (0.2, "6f909a"), (0.33, "c9d2cf")), 0.3)
    nodes.bump(nodes.noise(26, 3), 0.0012)


def pear_skin(nodes: Nodes) -> None:
    nodes.paint(nodes.ramp(nodes.noise(13, 7), (0.3, "949557"), (0.52, "b3a962"), (0.72, "bd8d56")), 0.42)
    nodes.bump(nodes.noise(240, 3), 0.0004)
    nodes.glow_inside(0.15, 0.004)


def lemon_skin(nodes: Nodes) -> None:
    pores = nodes.add("ShaderNodeTexVoronoi", Vector=nodes.place, Scale=330.0).outputs["Distance"]
    nodes.paint(nodes.ramp(nodes.noise(20), (0.3, "d3ab49"), (0.7, "e3c369")), 0.38)
    nodes.bump(pores, 0.0007)
    nodes.glow_inside(0.2, 0.005)


def eggshell(nodes: Nodes) -> None:
    nodes.paint(nodes.ramp(nodes.noise(260, 2), (0.25, "a67a5b"), (0.4, "c59a79"), (0.7, "d0aa8c")), 0.5)


def stalk(nodes: Nodes) -> None:
    nodes.paint(nodes.ramp(nodes.noise(90, 4, (1, 1, 0.2)), (0.3, "33241a"), (0.7, "5c4530")), 0.8)
