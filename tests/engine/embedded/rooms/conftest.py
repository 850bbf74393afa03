"""A tiny furniture library made in the test, in the format of the real one, and what is packed from it."""

from __future__ import annotations

import io
from ctypes.util import find_library
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("meshoptimizer", reason="rooms need requirements/train.txt, which takes a C++ compiler; `build.py test` tries to install it")

from engine.embedded.rooms.make_pack import make_pack
from engine.embedded.rooms.pack import Pack

CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
FACES = ((1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4))


def cuboid(size: tuple[float, float, float], *, flip: int | None = None, materials: tuple[str, ...] = ("paint",) * 6) -> str:
    """Return the OBJ text of a cuboid of ``size``, off its origin; side ``flip`` is wound the wrong way round."""
    lines = ["mtllib model.mtl", *(f"v {x + 3} {y - 2} {z + 5}" for x, y, z in CORNERS * np.array(size))]
    lines += ["vt 0 0", "vt 1 0", "vt 1 1", "vt 0 1"]
    for side, (face, material) in enumerate(zip(FACES, materials, strict=True)):
        corners = list(enumerate(face, start=1))
        lines.append(f"usemtl {material}")
        lines.append("f " + " ".join(f"{vertex}/{uv}" for uv, vertex in (reversed(corners) if side == flip else corners)))
    return "\n".join(lines)


MATERIALS = """newmtl paint
Kd 0.2 0.4 0.6
Ks 0.5 0.5 0.5
d 1.0
newmtl black
Kd 0 0 0
newmtl glass
Kd 1 1 1
d 0.2
newmtl wood
Kd 0 0 0
map_Kd grain.png
"""


def entry(number: int, name: str, category: str, size_cm: tuple[float, float, float], **more: str) -> str:
    """Return one catalogue entry; ``size_cm`` is width, height, depth."""
    fields = {
        "name": name,
        "category": category,
        "model": f"/models/{number}/model.obj",
        "width": size_cm[0],
        "height": size_cm[1],
        "depth": size_cm[2],
        "doorOrWindow": "false",
        "creator": "Ada",
    }
    return "\n".join(f"{key}#{number}={value}" for key, value in (fields | more).items())


def write_library(file: Path, models: dict[int, str], entries: list[str]) -> None:
    """Write a .sh3f file with the OBJ texts ``models``."""
    grain = io.BytesIO()
    Image.fromarray(np.tile(np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8), (2, 1, 1))).save(grain, "PNG")
    with ZipFile(file, "w") as library:
        library.writestr("PluginFurnitureCatalog.properties", "license=Public domain\n" + "\n".join(entries))
        for number, text in models.items():
            library.writestr(f"models/{number}/model.obj", text)
            library.writestr(f"models/{number}/model.mtl", MATERIALS)
            library.writestr(f"models/{number}/grain.png", grain.getvalue())


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one labelled and one held-out collection."""
    folder = tmp_path_factory.mktemp("libraries")
    write_library(
        folder / "Scopia.sh3f",
        {
            1: cuboid((37, 37, 37)),
            2: cuboid((4, 1, 2)),
            3: cuboid((1, 1, 1), flip=3),
            4: cuboid((2, 1, 1), materials=("wood", "black", "paint", "paint", "glass", "paint")),
            5: cuboid((1, 1, 1), materials=("glass",) * 6),
        },
        [
            entry(1, "Table", "Living room", (80, 70, 60), dropOnTopElevation="70"),
            entry(2, "Turned bench", "Living room", (40, 20, 80), modelRotation="0 0 1 0 1 0 -1 0 0"),
            entry(3, "Flipped mug", "Kitchen", (20, 20, 20), dropOnTopElevation="-1"),
            entry(4, "Wooden box", "Office", (40, 20, 20), creator="Bo"),
            entry(5, "Glass", "Kitchen", (8, 12, 8)),
        ],
    )
    write_library(folder / "KatorLegaz.sh3f", {1: cuboid((1, 2, 1))}, [entry(1, "Secret stool", "Kitchen", (40, 80, 40))])
    return folder


@pytest.fixture(scope="session")
def pack(libraries: Path) -> Pack:
    return make_pack(libraries, held_out=False, seed=0)[0]


@pytest.fixture(scope="session")
def egl() -> None:
    """Skip where nothing can be drawn."""
    if find_library("EGL") is None:
        pytest.skip("there is no EGL here: install libegl1 and libgl1-mesa-dri")
