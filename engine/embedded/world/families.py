"""Families of scenes, and which of them the depth model may learn from.

``labelled`` trains the depth model; ``unseen`` differs in bodies, relief, textures, lighting and layout, and the depth model never sees
it with depth. The prior learns from both: it sees pictures and true relights, as a prior for real pictures would.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Family:
    """What scenes of one family are made of.

    Attributes:
        bodies: keys of `engine.embedded.world.bodies.BODIES`.
        albedo, relief: keys of `engine.embedded.world.textures.TILES`.
        relief_share: share of materials that have relief; relief_slope: their largest root-mean-square slope.
        key_azimuth_deg: range the key light comes from, 0 = from behind the camera, positive = from the right.
        second_light: largest strength of a second lamp relative to the first.
        gloss: largest specular weight.
        clutter_share: share of rooms with large things close together before a near wall, seen from hardly above.
    """

    name: str
    bodies: tuple[str, ...]
    albedo: tuple[str, ...]
    relief: tuple[str, ...]
    relief_share: float
    relief_slope: float
    key_azimuth_deg: tuple[float, float]
    second_light: float
    gloss: float
    clutter_share: float


LABELLED = Family(
    name="labelled",
    bodies=("box", "box", "ellipsoid", "cylinder", "cone", "pot", "wedge", "prism"),
    albedo=("plain", "plain", "clouds", "speckle", "stripes", "print", "collage", "wood"),
    relief=("folds", "folds", "clouds", "bricks"),
    relief_share=0.35,
    relief_slope=0.5,
    key_azimuth_deg=(-120.0, 120.0),
    second_light=0.4,
    gloss=0.2,
    clutter_share=0.4,
)
UNSEEN = Family(
    name="unseen",
    bodies=("gem", "pyramid", "torus", "superquadric", "bowl", "peanut", "vase"),
    albedo=("plain", "clouds", "checks", "cells", "ripples", "grooves"),
    relief=("cells", "grooves", "ripples", "studs", "speckle"),
    relief_share=0.7,
    relief_slope=0.7,
    key_azimuth_deg=(-180.0, 180.0),
    second_light=0.8,
    gloss=0.5,
    clutter_share=0.4,
)
FAMILIES: dict[str, Family] = {family.name: family for family in (LABELLED, UNSEEN)}
