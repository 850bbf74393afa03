"""What each model of a pack can be used for in a room. M models."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from .pack import Pack

Array = np.ndarray
SURFACES = ("table", "seat", "bed", "cabinet")
_TABLE = re.compile(r"\b(table|desk|island|workbench|trestles|trunck|nightstand)\b", re.IGNORECASE)
_SEAT = re.compile(r"\b(chair|armchair|sofa|couch|stool|bench|seat|puff|futon)\b", re.IGNORECASE)
_BED = re.compile(r"\b(bed|futon|crib|mattress)\b", re.IGNORECASE)
_FURNISHED = ("Bedroom", "Living room", "Kitchen", "Office", "Bathroom", "Miscellaneous", "Lights")
_LARGEST_INDOORS_M = 2.4
_LEAST_M = 0.035


@dataclass(frozen=True)
class Roles:
    """Model indices by use.

    ``table``, ``seat``, ``bed`` and ``cabinet`` stand on the floor and carry things; ``floor`` stands there, whatever it is; ``hung`` has a height
    of its own on a wall; ``ceiling`` hangs from above; ``small`` fits on a table; ``toy`` is anything solid, to be scaled down to that size;
    ``opening`` is a door or window; ``drawn`` finds the drawn bodies by name.
    """

    table: Array
    seat: Array
    bed: Array
    cabinet: Array
    floor: Array
    hung: Array
    ceiling: Array
    small: Array
    toy: Array
    opening: Array
    drawn: dict[str, Array]


def _role(name: str, category: str, size: Array, elevation: float, opening: bool) -> str:
    width, height, depth = size
    if opening or category == "Doors and windows":
        return "opening"
    if elevation + height > 2.1 and elevation > 0.9:
        return "ceiling" if category == "Lights" or "fan" in name.lower() else "hung"
    if elevation > 0.25:
        return "hung"
    if height < 0.06 and max(width, depth) > 0.5:
        return ""
    if max(size) < 0.55:
        return "small" if max(size) > 0.06 and min(size) > 0.004 else ""
    if max(size) > _LARGEST_INDOORS_M or category in ("Vehicles", "Staircases"):
        return ""
    if _BED.search(name):
        return "bed"
    if _SEAT.search(name):
        return "seat"
    if _TABLE.search(name) and 0.3 < height < 1.1:
        return "table"
    if category in _FURNISHED and height > 0.4 and min(width, depth) > 0.2:
        return "cabinet"
    return "floor"


def find_roles(pack: Pack) -> Roles:
    """Return the uses of the models of ``pack``."""
    drawn_models = pack.categories == "drawn"
    roles = np.array(
        [
            "" if drawn else _role(str(name), str(category), size, float(elevation), bool(opening))
            for name, category, size, elevation, opening, drawn in zip(
                pack.names, pack.categories, pack.size_m, pack.elevation_m, pack.opening, drawn_models, strict=True
            )
        ]
    )
    solid = (pack.size_m.min(axis=1) > _LEAST_M) & (pack.size_m.max(axis=1) < 6 * pack.size_m.min(axis=1))
    named = ("table", "seat", "bed", "cabinet", "floor", "hung", "ceiling", "small", "opening")
    return Roles(
        **{name: np.flatnonzero(roles == name) for name in named},
        toy=np.flatnonzero(solid & ~drawn_models & (roles != "opening") & (roles != "ceiling")),
        drawn={str(name): np.flatnonzero(drawn_models & (pack.names == name)) for name in np.unique(pack.names[drawn_models])},
    )
