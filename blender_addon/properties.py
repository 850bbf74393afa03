"""What the panels show and the .blend file keeps: how to refine, and of each result where its sliders stand and what belongs to it."""

from __future__ import annotations

import math
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, FloatVectorProperty, IntProperty, PointerProperty, StringProperty

from .engine.api.settings import RefineSettings, settings_from_preset
from .mesh import live
from .shape.surface import Shape

FOLDER = "FOLDER"
PRESETS = [
    ("quick", "Quick", "Few steps, one ensemble member: a first look"),
    ("default", "Default", "A sound balance of time and quality"),
    ("paper", "Paper", "The values of the published method: 1000 steps, 10 members; hours without a fast GPU"),
]
DEPTH_MODELS = [
    ("embedded", "Embedded", "Small depth model that ships with Re-Depth (GPL-3.0-or-later)"),
    ("small", "Depth Anything V2 Small", "Apache-2.0; has to be downloaded once"),
    ("base", "Depth Anything V2 Base", "CC-BY-NC-4.0: not for commercial use; has to be downloaded once"),
    ("large", "Depth Anything V2 Large", "CC-BY-NC-4.0: not for commercial use; has to be downloaded once"),
    (FOLDER, "Folder…", "A model in transformers layout"),
]
NON_COMMERCIAL = ("base", "large")
PRIORS = [
    ("embedded", "Embedded", "Small prior that ships with Re-Depth (GPL-3.0-or-later)"),
    ("sd15", "Stable Diffusion 1.5", "CreativeML OpenRAIL-M; has to be downloaded once, wants a GPU"),
    ("sd21", "Stable Diffusion 2.1", "OpenRAIL++-M; has to be downloaded once, wants a GPU"),
    (FOLDER, "Folder…", "A model in diffusers layout"),
]
LIGHT_KINDS = [
    ("AREA", "Area", "Soft light from a square near the scene", "LIGHT_AREA", 0),
    ("SUN", "Sun", "Parallel light from far away", "LIGHT_SUN", 1),
]
FOV_RANGE_RAD = (math.radians(5), math.radians(140))


def _moved(self: Any, context: bpy.types.Context) -> None:
    live.move(self.id_data)


def _recut(self: Any, context: bpy.types.Context) -> None:
    live.recut_soon(self.id_data)


def _rebuilt(self: Any, context: bpy.types.Context) -> None:
    live.rebuild(self.id_data)


def _relit(self: Any, context: bpy.types.Context) -> None:
    live.relight(self.id_data)


def _delit(self: Any, context: bpy.types.Context) -> None:
    live.delight(self.id_data)


class RedepthRefineOptions(bpy.types.PropertyGroup):
    """How the next picture is refined; one a scene."""

    preset: EnumProperty(name="Preset", items=PRESETS, default="default")
    depth_model: EnumProperty(name="Depth", description="Model that predicts depth first", items=DEPTH_MODELS, default="embedded")
    depth_folder: StringProperty(name="Folder", description="Depth model in transformers layout", subtype="DIR_PATH")
    prior: EnumProperty(name="Prior", description="Diffusion model that judges relit pictures", items=PRIORS, default="embedded")
    prior_folder: StringProperty(name="Folder", description="Prior in diffusers layout", subtype="DIR_PATH")
    seed: IntProperty(name="Seed", description="Same picture, settings and seed give the same depth", min=0)
    prompt: StringProperty(name="Prompt", description="What the picture shows, for priors that read text; empty = a caption is written")
    use_camera: BoolProperty(
        name="Use Matched Camera", description="Make the matched camera the scene's, and give the render the picture's size", default=True
    )
    hide_source: BoolProperty(
        name="Hide Source", description="Hide the reference image or image plane that the mesh takes the place of", default=True
    )

    def settings(self) -> RefineSettings:
        """Return them as the engine takes them.

        Raises:
            SettingsError: a folder is chosen and not named.
        """
        models = {
            "depth_model": bpy.path.abspath(self.depth_folder) if self.depth_model == FOLDER else self.depth_model,
            "prior": bpy.path.abspath(self.prior_folder) if self.prior == FOLDER else self.prior,
        }
        return settings_from_preset(self.preset, **models, seed=self.seed, prompt=self.prompt or None)


class RedepthResult(bpy.types.PropertyGroup):
    """A result: on the object that is its mesh. All of it is in the .blend, so the sliders work without the engine."""

    is_result: BoolProperty(options={"HIDDEN"})
    size: FloatProperty(options={"HIDDEN"})
    width_px: IntProperty(options={"HIDDEN"})
    height_px: IntProperty(options={"HIDDEN"})

    picture: PointerProperty(type=bpy.types.Image)
    maps: PointerProperty(type=bpy.types.Image)
    depth: PointerProperty(type=bpy.types.Image)
    normals: PointerProperty(type=bpy.types.Image)
    light: PointerProperty(type=bpy.types.Image)
    lit: PointerProperty(type=bpy.types.Material)
    original: PointerProperty(type=bpy.types.Material)
    camera: PointerProperty(type=bpy.types.Object)
    source: PointerProperty(type=bpy.types.Object)
    back: PointerProperty(type=bpy.types.Object)
    back_lit: PointerProperty(type=bpy.types.Material)
    back_original: PointerProperty(type=bpy.types.Material)
    key: PointerProperty(type=bpy.types.Object)
    fill: PointerProperty(type=bpy.types.Object)
    world: PointerProperty(type=bpy.types.World)
    world_before: PointerProperty(type=bpy.types.World)
    view_before: StringProperty()

    refined_share: FloatProperty(
        name="Refined", description="0 = the depth model's own depth, 1 = refined", default=1, min=0, max=1, subtype="FACTOR", update=_moved
    )
    near_far_ratio: FloatProperty(
        name="Near/Far Ratio", description="Distance of the farthest point over that of the nearest: how deep the scene is",
        default=4, min=1.01, max=1000, soft_max=20, update=_moved,
    )  # fmt: skip
    depth_scale: FloatProperty(
        name="Depth Scale", description="Grows the scene about the camera, so that it still covers the picture; at 1 its middle lies in the picture",
        default=1, min=0.01, max=100, soft_min=0.2, soft_max=5, update=_moved,
    )  # fmt: skip
    fov_rad: FloatProperty(
        name="Field of View", description="Angle of view across the picture's longer side; moves the matched camera too",
        default=math.radians(55), min=FOV_RANGE_RAD[0], max=FOV_RANGE_RAD[1], subtype="ANGLE", unit="ROTATION", update=_moved,
    )  # fmt: skip
    edge_cut: FloatProperty(
        name="Edge Cut", description="Cut the mesh where depth jumps by more than this many pixel widths; 0 = never",
        default=12, min=0, max=10000, soft_max=60, update=_recut,
    )  # fmt: skip
    smoothing: FloatProperty(
        name="Smoothing",
        description="Smooths surfaces; planes stay plane and cut edges sharp",
        default=0.5,
        min=0,
        max=1,
        subtype="FACTOR",
        update=_moved,
    )
    long_side_vertices: IntProperty(
        name="Resolution", description="Vertices along the longer side, at most one a stored pixel", default=768, min=2, max=2048, update=_rebuilt
    )
    delight: FloatProperty(
        name="Delight", description="How much of the light that the picture was taken in is divided out of its colours (a guess)",
        default=0.5, min=0, max=1, subtype="FACTOR", update=_delit,
    )  # fmt: skip
    shows_original: BoolProperty(name="Show Original", description="Show the picture as it is, unlit", default=False, update=_delit)

    key_kind: EnumProperty(name="Key", description="Kind of the key light", items=LIGHT_KINDS, default="AREA", update=_relit)
    key_azimuth: FloatProperty(
        name="Azimuth", description="Where the key light stands: 0 = at the camera, to the right where positive, 180° = behind the scene",
        default=math.radians(-50), min=-math.pi, max=math.pi, subtype="ANGLE", unit="ROTATION", update=_relit,
    )  # fmt: skip
    key_elevation: FloatProperty(
        name="Elevation", description="How high the key light stands above the line of sight",
        default=math.radians(35), min=-math.pi / 2, max=math.pi / 2, subtype="ANGLE", unit="ROTATION", update=_relit,
    )  # fmt: skip
    key_strength: FloatProperty(
        name="Strength",
        description="1 lights a surface that faces the key to the picture's own colours",
        default=1.8,
        min=0,
        soft_max=5,
        update=_relit,
    )
    key_size: FloatProperty(
        name="Size",
        description="Softness of the shadows: the key's size as a share of its distance",
        default=0.15,
        min=0,
        max=2,
        soft_max=1,
        update=_relit,
    )
    key_colour: FloatVectorProperty(
        name="Colour", description="Colour of the key light", default=(1, 1, 1), min=0, max=1, size=3, subtype="COLOR", update=_relit
    )
    fill_strength: FloatProperty(
        name="Fill", description="Strength of the soft light from the camera's side", default=0.25, min=0, soft_max=1, update=_relit
    )
    world_strength: FloatProperty(
        name="World", description="Strength of the even light from everywhere", default=0.1, min=0, soft_max=1, update=_relit
    )

    def shape(self) -> Shape:
        """Return where the sliders of the shape stand."""
        return Shape(
            size=self.size,
            fov_deg=math.degrees(self.fov_rad),
            refined_share=self.refined_share,
            near_far_ratio=self.near_far_ratio,
            depth_scale=self.depth_scale,
            edge_cut=self.edge_cut,
            smoothing=self.smoothing,
            long_side_vertices=self.long_side_vertices,
        )


def result_of(context: bpy.types.Context) -> bpy.types.Object | None:
    """Return the result that the active object is or belongs to (its camera, lights and back layer are its children)."""
    active = context.view_layer.objects.active if context.view_layer else None
    while active is not None and not active.redepth.is_result:
        active = active.parent
    return active


CLASSES = (RedepthRefineOptions, RedepthResult)


def register() -> None:
    """Register the groups and hang them on scenes and objects."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.redepth = PointerProperty(type=RedepthRefineOptions)
    bpy.types.Object.redepth = PointerProperty(type=RedepthResult)


def unregister() -> None:
    """Take all of it back."""
    del bpy.types.Object.redepth
    del bpy.types.Scene.redepth
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
