"""Make the pack of models and textures that rooms are furnished from.

python -m engine.embedded.rooms.make_pack --out PACK.npz [--held-out] [--libraries FOLDER] [--seed S]

Needs the furniture libraries of Debian's ``sweethome3d-furniture`` package, which stay out of the project. The collection in `HELD_OUT` never goes
into the labelled pack; ``--held-out`` packs it alone. Beside the pack, PACK.credits.txt names the creators of its models.
"""

from __future__ import annotations

import argparse
import io
import logging
import re
import sys
from collections import defaultdict
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import numpy as np
from PIL import Image, UnidentifiedImageError

from ...api.errors import InputError
from ...export.files import write_set
from ..commands import exit_status
from .catalogue import LIBRARIES, Piece, library_files, read_catalogue
from .mesh import Mesh, build_mesh
from .obj import read_mtl, read_obj
from .pack import Pack, Packer, texture_key
from .shapes import drawn_shapes
from .tiles import ROLES, draw_tile

log = logging.getLogger(__name__)

HELD_OUT = ("KatorLegaz",)
DRAWN = "drawn"
MAX_TRIANGLES = 1000
TOO_FINE = 8000
LEAST_EXTENT = 0.6
TILES_A_ROLE = 40


def read_model(library: ZipFile, piece: Piece, max_triangles: int) -> Mesh:
    """Return the mesh of one entry of an open library; where its material file is missing it is grey.

    Raises:
        InputError: the model is missing or cannot be understood.
    """
    files = set(library.namelist())
    if piece.model not in files:
        raise InputError(f"The library {piece.collection} lacks the model {piece.model}.", hint="Fetch the library again.")
    content = library.read(piece.model)
    folder = PurePosixPath(piece.model).parent
    named = re.search(rb"^mtllib[ \t]+(.+?)\s*$", content, re.MULTILINE)
    materials = str(folder / named[1].decode("latin-1")) if named else ""
    skins = read_mtl(library.read(materials).decode("latin-1"), folder, files) if materials in files else {}
    return build_mesh(read_obj(content, skins, piece.model), piece, max_triangles)


def add_library(packer: Packer, file: Path) -> list[Piece]:
    """Add all models of one library; return their entries. What cannot be shown well is left out: see `why_left_out`."""
    pieces, kept = read_catalogue(file), []
    with ZipFile(file) as library:
        for piece in pieces:
            mesh = read_model(library, piece, MAX_TRIANGLES)
            if (reason := why_left_out(piece, mesh)) is not None:
                log.warning("%s is left out: %s.", piece.model, reason)
                continue
            layers = {}
            for path in {skin.texture: None for skin in mesh.skins if skin.texture}:
                layers[path] = packer.add_texture(texture_key(piece.collection, path), _picture(library, path))
            packer.add_model(piece, mesh, layers)
            kept.append(piece)
    return kept


def why_left_out(piece: Piece, mesh: Mesh) -> str | None:
    """Return why ``mesh`` should not be used, or None if it should: most of it is glass, or foliage too fine to simplify."""
    if len(mesh.triangles) > TOO_FINE:
        return f"its {len(mesh.triangles)} triangles cannot be made fewer"
    if not len(mesh.triangles):
        return "it is glass all over"
    kept = float((np.ptp(mesh.positions, axis=0) / np.array(piece.size_m)).min())
    return f"glass and parts too small leave {kept:.0%} of its extent" if kept < LEAST_EXTENT else None


def _picture(library: ZipFile, path: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(library.read(path))).convert("RGB")
    except (UnidentifiedImageError, OSError) as exc:
        raise InputError(f"The texture {path} cannot be read: {exc}.", hint="Fetch the library again.") from exc


def add_drawn(packer: Packer, seed: int) -> None:
    """Add the drawn bodies and tiles, drawn from ``seed``."""
    random = np.random.default_rng(seed)
    for name, mesh in drawn_shapes(random):
        low, high = mesh.positions.min(axis=0), mesh.positions.max(axis=0)
        width, height, depth = (float(side) for side in high - low)
        piece = Piece(
            collection=DRAWN,
            name=name,
            category=DRAWN,
            creator="",
            licence="",
            size_m=(width, height, depth),
            elevation_m=0.0,
            holds_things=name in ("box", "book", "cylinder"),
            opening=False,
            rotation=None,
            model="",
        )
        packer.add_model(piece, mesh, {})
    for index, role in enumerate(ROLES):
        for count in range(TILES_A_ROLE):
            packer.add_texture(f"{DRAWN}/{role}{count}", Image.fromarray(draw_tile(random, role)), index)


def make_pack(libraries: Path, *, held_out: bool, seed: int) -> tuple[Pack, str]:
    """Return the pack of the labelled or the held-out collections in the folder ``libraries``, and the credits as text.

    Raises:
        InputError: no library is there, or one is damaged.
    """
    files = [file for file in library_files(libraries) if (file.stem in HELD_OUT) == held_out]
    if not files:
        raise InputError(f"{libraries} holds no {'held-out' if held_out else 'labelled'} collection.", hint="Install all of the package's libraries.")
    packer = Packer()
    pieces = [piece for file in files for piece in add_library(packer, file)]
    add_drawn(packer, seed + 1000 * held_out)
    return packer.pack(), credits_text(pieces)


def credits_text(pieces: list[Piece]) -> str:
    """Return whom to credit: for each collection its licence, and its creators with the number of their models."""
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for piece in pieces:
        counts[piece.collection, piece.licence][piece.creator] += 1
    blocks = []
    for (collection, licence), creators in sorted(counts.items()):
        names = ", ".join(f"{name} ({count})" for name, count in sorted(creators.items(), key=lambda item: (-item[1], item[0])))
        blocks.append(f"{collection}: {sum(creators.values())} models. Licence: {licence}.\nCreators (models): {names}.\n")
    return "\n".join(blocks)


def main() -> int:
    """Make the pack that the command line asks for."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--held-out", action="store_true", help="pack only the collection that labelled training never sees")
    parser.add_argument("--libraries", type=Path, default=LIBRARIES, help="folder of .sh3f files (default: where Debian puts them)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    def work() -> None:
        pack, credits_ = make_pack(options.libraries, held_out=options.held_out, seed=options.seed)
        write_set({options.out.with_suffix(".credits.txt"): credits_.encode(), options.out: pack.to_bytes()})
        log.info("%s: %d models, %d triangles, %d textures", options.out, len(pack), len(pack.indices) // 3, len(pack.textures))

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
