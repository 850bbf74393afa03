"""What a Sweet Home 3D furniture library (.sh3f) says about its models: true sizes, categories, creators.

The Debian package ``sweethome3d-furniture`` holds five such libraries. They are zip files with a properties file and OBJ models.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from ...api.errors import InputError

LIBRARIES = Path("/usr/share/sweethome3d/furniture")
_PROPERTIES = "PluginFurnitureCatalog.properties"
_ENTRY = re.compile(r"(\w+)#(\d+)\s*=\s*(.*)")
_METRES = 0.01


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One entry of a catalogue.

    Attributes:
        collection: name of the library's file, such as ``Scopia``.
        size_m: width (x), height (y) and depth (z) in metres; its front is +z.
        elevation_m: how high above the floor it is meant to hang; 0 stands on the floor.
        holds_things: whether the catalogue allows things on top of it.
        rotation: row-major 3 × 3 to turn the model's own axes with, or None.
        model: path of the OBJ file inside the zip.
    """

    collection: str
    name: str
    category: str
    creator: str
    licence: str
    size_m: tuple[float, float, float]
    elevation_m: float
    holds_things: bool
    opening: bool
    rotation: tuple[float, ...] | None
    model: str


def library_files(folder: Path) -> list[Path]:
    """Return the .sh3f files in ``folder``, by name.

    Raises:
        InputError: there is none.
    """
    files = sorted(folder.glob("*.sh3f"))
    if not files:
        raise InputError(
            f"There is no furniture library (.sh3f) in {folder}.",
            hint="Install it with `apt-get install sweethome3d-furniture`, or name another folder with --libraries.",
        )
    return files


def read_catalogue(file: Path) -> list[Piece]:
    """Return the entries of one .sh3f library, in the catalogue's order.

    Raises:
        InputError: the file is no library, or an entry is incomplete.
    """
    try:
        with ZipFile(file) as library:
            text = library.read(_PROPERTIES).decode("latin-1")
    except (BadZipFile, KeyError) as exc:
        raise InputError(f"{file} is no furniture library: it is not a zip file with a {_PROPERTIES}.", hint="Fetch it again.") from exc
    licence = re.search(r"^license\s*=\s*(.*)$", text, re.MULTILINE)
    entries: dict[int, dict[str, str]] = defaultdict(dict)
    for line in text.splitlines():
        if entry := _ENTRY.match(line.strip()):
            entries[int(entry[2])][entry[1]] = entry[3].strip()
    try:
        return [_piece(file.stem, licence[1].strip() if licence else "", fields) for _, fields in sorted(entries.items())]
    except (KeyError, ValueError) as exc:
        raise InputError(f"{file} has an entry that is incomplete: {exc}.", hint="Fetch it again.") from exc


def _piece(collection: str, licence: str, fields: dict[str, str]) -> Piece:
    width, height, depth = (float(fields[key]) * _METRES for key in ("width", "height", "depth"))
    rotation = tuple(float(value) for value in fields["modelRotation"].split()) if "modelRotation" in fields else None
    return Piece(
        collection=collection,
        name=fields["name"],
        category=fields["category"],
        creator=fields["creator"],
        licence=licence,
        size_m=(width, height, depth),
        elevation_m=float(fields.get("elevation", 0)) * _METRES,
        holds_things=not fields.get("dropOnTopElevation", "0").startswith("-"),
        opening=fields["doorOrWindow"] == "true",
        rotation=rotation,
        model=fields["model"].lstrip("/"),
    )
