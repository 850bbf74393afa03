"""From a furniture library to a pack: sizes, turns, materials, whom to credit, and what labelled training must never see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.api.errors import InputError
from engine.embedded.rooms.catalogue import LIBRARIES, library_files, read_catalogue
from engine.embedded.rooms.make_pack import HELD_OUT, make_pack
from engine.embedded.rooms.pack import DRESSED, PLAIN, Pack, read_pack
from engine.embedded.rooms.roles import find_roles


def model_named(pack: Pack, name: str) -> int:
    return int(np.flatnonzero(pack.names == name)[0])


def skins_of(pack: Pack, model: int) -> np.ndarray:
    return np.unique(pack.skin[pack.first_vertex[model] : pack.first_vertex[model + 1]])


@pytest.mark.parametrize(("name", "size_m"), [("Table", (0.8, 0.7, 0.6)), ("Turned bench", (0.4, 0.2, 0.8)), ("Wooden box", (0.4, 0.2, 0.2))])
def test_models_have_the_size_of_the_catalogue_and_stand_on_the_floor(pack: Pack, name: str, size_m: tuple[float, float, float]) -> None:
    points = pack.points(model_named(pack, name))
    np.testing.assert_allclose(points.min(axis=0), (-size_m[0] / 2, 0, -size_m[2] / 2), atol=1e-4)
    np.testing.assert_allclose(points.max(axis=0), (size_m[0] / 2, size_m[1], size_m[2] / 2), atol=1e-4)


def test_normals_of_a_box_are_its_axes_even_where_a_face_is_wound_the_wrong_way(pack: Pack) -> None:
    model = model_named(pack, "Flipped mug")
    normals = pack.normals[pack.first_vertex[model] : pack.first_vertex[model + 1]].astype(float) / 127
    np.testing.assert_allclose(np.sort(np.abs(normals), axis=1), np.tile([0, 0, 1], (len(normals), 1)), atol=1e-6)
    assert pack.first_index[model + 1] - pack.first_index[model] == 36


def test_a_texture_takes_the_place_of_the_colour_and_black_is_lifted(pack: Pack) -> None:
    skins = skins_of(pack, model_named(pack, "Wooden box"))
    textured = skins[pack.skin_layer[skins] >= 0]
    assert len(textured) == 1
    assert pack.textures[pack.skin_layer[textured[0]]].reshape(-1, 3).max(axis=0).tolist() == [255, 255, 0]
    assert pack.skin_colour[skins[pack.skin_layer[skins] == PLAIN], :3].min() == pytest.approx(0.06)


def test_glass_is_left_out(pack: Pack) -> None:
    box = model_named(pack, "Wooden box")
    assert (pack.first_index[box + 1] - pack.first_index[box]) // 3 == 10  # one of six sides is glass
    assert "Glass" not in pack.names


def test_what_may_stand_on_a_model_is_its_top(pack: Pack) -> None:
    np.testing.assert_allclose(pack.tops[model_named(pack, "Table")].astype(float), 0.7, atol=1e-3)
    assert (pack.tops[model_named(pack, "Flipped mug")] == -1).all()


def test_the_held_out_collection_is_never_in_the_labelled_pack(libraries: Path, pack: Pack) -> None:
    held_out, _ = make_pack(libraries, held_out=True, seed=0)
    assert set(pack.collections) == {"Scopia", "drawn"}
    assert set(held_out.collections) == {*HELD_OUT, "drawn"}
    assert not np.array_equal(pack.textures[pack.tile_role >= 0], held_out.textures[held_out.tile_role >= 0])


def test_credits_name_creators_and_licence(libraries: Path) -> None:
    _, credits_ = make_pack(libraries, held_out=False, seed=0)
    assert "Scopia: 4 models. Licence: Public domain." in credits_
    assert "Ada (3), Bo (1)" in credits_


def test_a_pack_survives_the_disk(tmp_path: Path, pack: Pack) -> None:
    (tmp_path / "pack.npz").write_bytes(pack.to_bytes())
    again = read_pack(tmp_path / "pack.npz")
    assert all(np.array_equal(getattr(pack, name), getattr(again, name)) for name in vars(pack))


def test_drawn_bodies_wear_a_tile_and_find_their_roles(pack: Pack) -> None:
    roles = find_roles(pack)
    assert {"box", "block", "book", "heap", "curtain", "sweep"} <= set(roles.drawn)
    assert set(pack.skin_layer[skins_of(pack, int(roles.drawn["box"][0]))]) == {DRESSED}
    assert roles.table.tolist() == [model_named(pack, "Table")]
    assert roles.seat.tolist() == [model_named(pack, "Turned bench")]


@pytest.mark.parametrize("content", [b"no zip", None])
def test_a_wrong_or_missing_library_is_refused_in_words(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "Broken.sh3f").write_bytes(content)
    with pytest.raises(InputError, match="library") as caught:
        make_pack(tmp_path, held_out=False, seed=0)
    assert caught.value.hint


def test_a_file_that_is_no_pack_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "pack.npz").write_bytes(b"not one")
    with pytest.raises(InputError, match="no pack"):
        read_pack(tmp_path / "pack.npz")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not LIBRARIES.is_dir(), reason="Debian's sweethome3d-furniture is not installed")
def test_all_models_of_the_real_package_load() -> None:
    entries = [piece for file in library_files(LIBRARIES) for piece in read_catalogue(file)]
    packs = [make_pack(LIBRARIES, held_out=held_out, seed=0)[0] for held_out in (False, True)]
    assert len(entries) == 820
    models = 0
    for pack in packs:
        real = np.flatnonzero(pack.collections != "drawn")
        models += len(real)
        spans = np.array([np.ptp(pack.points(int(model)), axis=0) for model in real])
        reached = spans / pack.size_m[real]
        assert (np.median(reached, axis=0) > 0.999).all() and (reached < 1.0001).all()
        lengths = np.linalg.norm(pack.normals.astype(float) / 127, axis=1)
        assert np.abs(lengths - 1).max() < 0.02
    assert models > 0.93 * len(entries)  # the rest is glass, or foliage too fine to simplify
