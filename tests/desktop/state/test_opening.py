from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.state.comparison import Comparison
from desktop.state.depth_maps import pair_of_maps, read_disparity, read_truth
from desktop.state.opening import OpenedFolder, OpenedPicture, kind_of, open_paths
from desktop.state.pictures import load_for_screen
from engine.api.errors import InputError, PictureError
from engine.export.depth_files import DepthFile, encode_exr, encode_png16

RNG = np.random.default_rng(3)


def depth_map(height: int = 12, width: int = 16) -> np.ndarray:
    return RNG.uniform(1, 4, (height, width)).astype(np.float32)


def write_exr(path: Path, values: np.ndarray, kind: str = "depth") -> Path:
    path.write_bytes(encode_exr(DepthFile(values=values, kind=kind, fields={"fov_deg": 33.0})))  # type: ignore[arg-type]
    return path


def save_npy(path: Path, values: np.ndarray) -> Path:
    np.save(path, values)
    return path


def save_picture(path: Path, width: int = 16, height: int = 12) -> Path:
    Image.fromarray(RNG.integers(0, 255, (height, width, 3), np.uint8)).save(path)
    return path


# --- conventions ------------------------------------------------------------------------------------------------------------------------------


def test_depth_becomes_disparity_by_what_the_file_says(tmp_path: Path) -> None:
    depth = depth_map()
    read = read_disparity(write_exr(tmp_path / "a.exr", depth))
    np.testing.assert_allclose(read.disparity, 1 / depth, rtol=1e-6)
    assert (read.label, read.notes, read.fov_deg) == ("a.exr (depth)", (), 33.0)


def test_disparity_stays_as_it_is_in_every_format(tmp_path: Path) -> None:
    values = depth_map()
    (tmp_path / "a.png").write_bytes(encode_png16(DepthFile(values=values, kind="disparity")))
    pfm = b"Pf\n16 12\n-1.0\n" + values[::-1].astype("<f4").tobytes()
    (tmp_path / "b.pfm").write_bytes(pfm)
    np.testing.assert_allclose(read_disparity(tmp_path / "a.png").disparity, values, atol=1e-4)
    np.testing.assert_array_equal(read_disparity(tmp_path / "b.pfm").disparity, values)


def test_a_file_that_says_nothing_is_assumed_in_words_and_can_be_told_otherwise(tmp_path: Path) -> None:
    path = save_npy(tmp_path / "a.npy", depth_map())
    read = read_disparity(path)
    assert read.label == "a.npy (disparity?)"
    assert "does not say" in read.notes[0]
    told = read_disparity(path, "depth")
    np.testing.assert_allclose(told.disparity, 1 / read.disparity, rtol=1e-6)
    assert (told.label, told.notes) == ("a.npy (depth)", ())


def test_sidecars_say_what_a_bare_array_holds(tmp_path: Path) -> None:
    path = save_npy(tmp_path / "a.npy", depth_map())
    path.with_name("a.npy.json").write_text(json.dumps({"kind": "depth"}), encoding="utf-8")
    assert read_disparity(path).label == "a.npy (depth)"
    (tmp_path / "result.json").write_text(json.dumps({"format": "redepth.result"}), encoding="utf-8")
    assert read_disparity(save_npy(tmp_path / "disparity_base.npy", depth_map())).label == "disparity_base.npy (disparity)"


def test_holes_are_shown_farthest_and_counted(tmp_path: Path) -> None:
    depth = depth_map()
    depth[0, :4] = (np.nan, np.inf, 0, -1)
    read = read_disparity(write_exr(tmp_path / "a.exr", depth))
    assert np.isfinite(read.disparity).all()
    assert (read.disparity[0, :4] == read.disparity.min()).all()
    assert not read.valid[0, :4].any() and read.valid.sum() == depth.size - 4
    assert "2.1 %" in read.notes[0]


# --- pairs ------------------------------------------------------------------------------------------------------------------------------------


def test_the_right_map_is_brought_to_the_left_ones_scale(tmp_path: Path) -> None:
    left = depth_map()
    pair = pair_of_maps(save_npy(tmp_path / "a.npy", left), save_npy(tmp_path / "b.npy", 10 * left - 3))
    np.testing.assert_allclose(pair.disparity_refined, left, atol=1e-5)
    assert any("aligned" in note for note in pair.notes)
    assert not pair.has_picture
    raw = pair_of_maps(tmp_path / "a.npy", tmp_path / "b.npy", aligned=False)
    np.testing.assert_array_equal(raw.disparity_refined, 10 * left - 3)


def test_equal_maps_are_left_alone(tmp_path: Path) -> None:
    left = depth_map()
    pair = pair_of_maps(save_npy(tmp_path / "a.npy", left), save_npy(tmp_path / "b.npy", left))
    np.testing.assert_array_equal(pair.disparity_refined, left)
    assert not any("aligned" in note for note in pair.notes)


def test_maps_that_run_against_each_other_are_said(tmp_path: Path) -> None:
    left = depth_map()
    pair = pair_of_maps(save_npy(tmp_path / "a.npy", left), save_npy(tmp_path / "b.npy", -left))
    assert any("depth and not disparity" in note for note in pair.notes)


def test_another_size_of_the_same_frame_is_resampled_and_another_frame_refused(tmp_path: Path) -> None:
    ramp = np.repeat(np.linspace(1, 2, 32, dtype=np.float32)[None], 24, axis=0)
    pair = pair_of_maps(save_npy(tmp_path / "a.npy", depth_map()), save_npy(tmp_path / "b.npy", ramp))
    assert pair.size_px == (16, 12)
    assert any("resampled" in note for note in pair.notes)
    with pytest.raises(InputError, match="same frame"):
        pair_of_maps(tmp_path / "a.npy", save_npy(tmp_path / "c.npy", depth_map(16, 12)))


# --- truth ------------------------------------------------------------------------------------------------------------------------------------


def test_truth_is_read_from_every_format_with_its_holes(tmp_path: Path, comparison: Comparison) -> None:
    depth = np.full((16, 24), 3.0, np.float32)
    depth[0, 0] = 0
    np.savez(tmp_path / "t.npz", gt=depth)
    for path in (tmp_path / "t.npz", write_exr(tmp_path / "t.exr", depth)):
        truth = read_truth(path, comparison)
        assert truth.valid.sum() == depth.size - 1
        assert (truth.depth[truth.valid] == 3).all()
    (tmp_path / "manifest.json").write_text(json.dumps([{"ground_truth": "t.npz", "kind": "disparity"}]), encoding="utf-8")
    truth = read_truth(tmp_path / "t.npz", comparison)
    np.testing.assert_allclose(truth.depth[truth.valid], 1.0)


def test_truth_of_another_frame_or_without_a_pixel_is_refused(tmp_path: Path, comparison: Comparison) -> None:
    for values, words in ((np.ones((16, 40)), "same frame"), (np.zeros((16, 24)), "no measured pixel")):
        np.savez(tmp_path / "t.npz", gt=values)
        with pytest.raises(InputError, match=words):
            read_truth(tmp_path / "t.npz", comparison)
    np.savez(tmp_path / "t.npz", other=np.ones((16, 24)))
    with pytest.raises(InputError, match="no array 'gt'"):
        read_truth(tmp_path / "t.npz", comparison)


# --- what a path is ---------------------------------------------------------------------------------------------------------------------------


def test_kinds(tmp_path: Path) -> None:
    assert kind_of(save_picture(tmp_path / "a.png")) == "picture"
    assert kind_of(save_npy(tmp_path / "a.npy", depth_map())) == "depth"
    (tmp_path / "d.png").write_bytes(encode_png16(DepthFile(values=depth_map(), kind="depth")))
    assert kind_of(tmp_path / "d.png") == "depth"
    assert kind_of(tmp_path) == "folder"
    np.savez(tmp_path / "t.npz", gt=depth_map())
    assert kind_of(tmp_path / "t.npz") == "truth"
    (tmp_path / "result.json").write_text("{}", encoding="utf-8")
    assert kind_of(tmp_path) == "result"


def test_what_opens_together(tmp_path: Path) -> None:
    picture = save_picture(tmp_path / "a.png")
    first, second = (save_npy(tmp_path / f"{name}.npy", depth_map()) for name in "bc")
    assert isinstance(open_paths([picture]), OpenedPicture)
    folder = open_paths([tmp_path])
    assert isinstance(folder, OpenedFolder) and folder.pictures == (picture,)
    single = open_paths([first, picture])
    assert isinstance(single, Comparison) and single.is_single and single.has_picture
    pair = open_paths([first, picture, second])
    assert isinstance(pair, Comparison) and not pair.is_single
    np.testing.assert_array_equal(pair.image_srgb, load_for_screen(picture))
    with pytest.raises(InputError, match="do not go together"):
        open_paths([first, second, save_npy(tmp_path / "d.npy", depth_map())])


# --- pictures ---------------------------------------------------------------------------------------------------------------------------------


def test_pictures_are_upright_opaque_and_eight_bit(tmp_path: Path) -> None:
    turned = Image.fromarray(RNG.integers(0, 255, (10, 20, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    assert load_for_screen(tmp_path / "turned.png").shape == (20, 10, 3)
    Image.fromarray(np.array([[0, 65535]] * 4, np.uint16)).save(tmp_path / "deep.png")
    assert load_for_screen(tmp_path / "deep.png")[0, :, 0].tolist() == [0, 255]
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (load_for_screen(tmp_path / "clear.png") == 255).all()
    Image.new("CMYK", (4, 4), (0, 0, 0, 255)).save(tmp_path / "ink.jpg")
    assert load_for_screen(tmp_path / "ink.jpg").max() < 60


def test_thumbnails_keep_the_shape(tmp_path: Path) -> None:
    assert load_for_screen(save_picture(tmp_path / "a.jpg", 400, 200), 100).shape == (50, 100, 3)


def test_what_is_no_picture_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("words", encoding="utf-8")
    for path in (tmp_path / "a.jpg", tmp_path / "gone.jpg"):
        with pytest.raises(PictureError):
            load_for_screen(path)
