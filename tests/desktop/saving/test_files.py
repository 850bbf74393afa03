from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import OpenEXR
import OpenImageIO
import pytest
import trimesh
from PIL import Image

from desktop.rendering.shapes import mesh_from_comparison
from desktop.saving.files import save_comparison_picture, save_depth, save_mesh, save_normals, suggested_name
from desktop.saving.sidecars import sidecar_path
from desktop.state.comparison import Comparison
from desktop.state.depth_maps import read_disparity
from engine.api.errors import CancelledError, OutputError
from engine.api.settings import MeshSettings, settings_from_preset
from engine.export.depth_files import read_depth_file

ROOT = Path(__file__).parents[3]
VALIDATOR = ROOT / ".cache" / "gltf-validator"
SETTINGS = MeshSettings(near_far_ratio=3.0, fov_deg=70.0, edge_cut=4.0, long_side_vertices=30)


@pytest.fixture
def comparison() -> Comparison:
    across, down = np.meshgrid(np.linspace(-1, 1, 48, dtype=np.float32), np.linspace(-1, 1, 36, dtype=np.float32))
    ball = np.sqrt(np.clip(0.36 - across**2 - down**2, 0, None))
    return Comparison(
        name="mein Foto.jpg",
        image_srgb=np.stack([across * 100 + 120, down * 100 + 120, ball * 300], axis=-1).astype(np.uint8),
        disparity_base=(2 + 0.5 * across).astype(np.float32),
        disparity_refined=(2 + 0.5 * across + np.where(ball > 0, 3 + ball, 0)).astype(np.float32),
        label_base="Model A",
        label_refined="Refined",
        fov_deg=50.0,
        fov_source="exif",
        provenance={
            "models": {"depth": {"title": "Model A"}, "prior": {"title": "Prior B"}},
            "settings": settings_from_preset("quick", seed=5).to_json(),
            "complete": True,
        },
        notes=("A note.",),
    )


def facts_of(path: Path) -> dict:
    return json.loads(sidecar_path(path).read_text(encoding="utf-8"))


def triangles(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    return np.asarray(vertices)[np.asarray(faces)]


@pytest.mark.parametrize("which", ["base", "refined"])
@pytest.mark.parametrize("suffix", [".glb", ".obj", ".ply", ".stl", ".GLB"])
def test_the_mesh_that_is_shown_is_the_mesh_in_the_file(suffix: str, which: str, comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / f"mein Foto{suffix}"
    files = save_mesh(comparison, which, SETTINGS, path)
    assert sorted(files) == sorted(tmp_path.iterdir())
    assert files[-1] == path
    (read,) = trimesh.load_scene(path, process=False, maintain_order=True).geometry.values()
    shown = mesh_from_comparison(comparison, which, SETTINGS)
    np.testing.assert_allclose(triangles(read.vertices, read.faces), triangles(shown.vertices, shown.faces), atol=1e-6)
    facts = facts_of(path)
    assert (facts["kind"], facts["sides"], facts["camera"]["fov_deg"]) == ("mesh", {which: comparison.label(which)}, 70.0)
    assert facts["mesh"]["faces"] == len(read.faces)
    assert (facts["mesh"]["near_far_ratio"], facts["mesh"]["edge_cut"]) == (3.0, 4.0)


def test_glb_passes_the_khronos_validator(comparison: Comparison, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (VALIDATOR / "node_modules" / "gltf-validator").is_dir():
        pytest.skip(f"needs node and the npm package gltf-validator in {VALIDATOR}")
    path = save_mesh(comparison, "refined", SETTINGS, tmp_path / "mesh.glb")[-1]
    script = ROOT / "tests" / "engine" / "export" / "validate_glb.mjs"
    run = subprocess.run([node, script, VALIDATOR, path], capture_output=True, text=True, timeout=60, check=True)
    report = json.loads(run.stdout)
    assert [message for message in report["issues"]["messages"] if message["severity"] < 2] == []


def test_a_photo_beside_the_mesh_is_never_written_over(comparison: Comparison, tmp_path: Path) -> None:
    for name in ("photo.png", "photo.jpg", "photo.json"):
        (tmp_path / name).write_bytes(b"mine")
    for suffix in (".obj", ".glb", ".ply", ".stl"):
        save_mesh(comparison, "base", SETTINGS, tmp_path / f"photo{suffix}")
    save_depth(comparison, "base", SETTINGS, tmp_path / "photo.exr")
    assert {name: (tmp_path / name).read_bytes() for name in ("photo.png", "photo.jpg", "photo.json")} == {
        "photo.png": b"mine",
        "photo.jpg": b"mine",
        "photo.json": b"mine",
    }


def test_both_meshes_lie_in_one_space(comparison: Comparison, tmp_path: Path) -> None:
    depths = {}
    for which in ("base", "refined"):
        path = save_mesh(comparison, which, MeshSettings(near_far_ratio=3.0, edge_cut=0.0), tmp_path / f"{which}.ply")[-1]
        depths[which] = -trimesh.load_mesh(path, process=False).vertices[:, 2]
    assert depths["refined"].min() == pytest.approx(1.0)
    assert depths["base"].min() > 2  # nothing in the base is as near as the ball
    scale, shift = (facts_of(tmp_path / "base.ply")["depth"][name] for name in ("scale", "shift"))
    np.testing.assert_allclose(np.sort(1 / (scale * comparison.disparity_base.ravel() + shift)), np.sort(depths["base"]), rtol=1e-5)


@pytest.mark.parametrize("kind", ["depth", "disparity"])
def test_depth_reads_back_in_other_programs(kind: str, comparison: Comparison, tmp_path: Path) -> None:
    expected = comparison.depth("refined", SETTINGS) if kind == "depth" else comparison.disparity_refined
    exr, npy, png = (save_depth(comparison, "refined", SETTINGS, tmp_path / f"d{suffix}", kind=kind)[-1] for suffix in (".exr", ".npy", ".png"))
    image = OpenImageIO.ImageBuf(str(exr))
    np.testing.assert_array_equal(image.get_pixels(OpenImageIO.FLOAT)[..., 0], expected)
    assert image.spec().get_string_attribute("redepth:kind") == kind
    np.testing.assert_array_equal(np.load(npy), expected)
    with Image.open(png) as opened:
        levels = np.asarray(opened).astype(np.float64)
        assert opened.mode == "I;16"
    line = facts_of(png)["png"]
    assert np.abs(line["scale"] * levels + line["shift"] - expected).max() <= 0.51 * line["scale"] + 1e-6
    for path in (exr, npy, png):
        assert facts_of(path)["kind"] == kind


def test_the_viewer_opens_what_it_saved_by_its_convention(comparison: Comparison, tmp_path: Path) -> None:
    for suffix in (".exr", ".npy", ".png"):
        path = save_depth(comparison, "refined", SETTINGS, tmp_path / f"d{suffix}")[-1]
        read = read_disparity(path)
        assert read.notes == ()
        np.testing.assert_allclose(read.disparity, 1 / comparison.depth("refined", SETTINGS), rtol=1e-4)
    assert read_depth_file(tmp_path / "d.exr").fields == {"near_far_ratio": 3.0, "fov_deg": 70.0, "fov_source": "option"}


def test_normals_read_back_in_other_programs(comparison: Comparison, tmp_path: Path) -> None:
    expected = comparison.normals("base", SETTINGS)
    png, exr, npy = (save_normals(comparison, "base", SETTINGS, tmp_path / f"n{suffix}")[-1] for suffix in (".png", ".exr", ".npy"))
    with Image.open(png) as opened:
        assert np.abs(np.asarray(opened) / 127.5 - 1 - expected).max() <= 1 / 254
    image = OpenImageIO.ImageBuf(str(exr))
    assert set(image.spec().channelnames) == {"N.X", "N.Y", "N.Z"}
    order = [image.spec().channelnames.index(name) for name in ("N.X", "N.Y", "N.Z")]
    np.testing.assert_array_equal(image.get_pixels(OpenImageIO.FLOAT)[..., order], expected)
    np.testing.assert_array_equal(np.load(npy), expected)
    assert facts_of(npy)["convention"]["normals"].startswith("unit vectors")


def test_the_comparison_picture_names_both_and_says_what_it_is(comparison: Comparison, tmp_path: Path) -> None:
    path = save_comparison_picture(comparison, SETTINGS, tmp_path / "sheet.png")[-1]
    with Image.open(path) as sheet:
        sheet.load()
        assert min(sheet.size) > 300
    facts = facts_of(path)
    assert facts["sides"] == {"base": "Model A", "refined": "Refined"}
    assert (facts["notes"], facts["provenance"]) == (["A note."], comparison.provenance)


def test_files_that_say_nothing_of_themselves_can_be_saved_too(comparison: Comparison, tmp_path: Path) -> None:
    plain = Comparison(
        name="a.npy and b.npy",
        image_srgb=comparison.image_srgb,
        disparity_base=comparison.disparity_base,
        disparity_refined=comparison.disparity_base,
        label_base="a.npy (disparity?)",
        label_refined="a.npy (disparity?)",
    )
    save_comparison_picture(plain, SETTINGS, tmp_path / "sheet.png")
    save_comparison_picture(comparison, SETTINGS, tmp_path / "pair.png")
    with Image.open(tmp_path / "sheet.png") as sheet, Image.open(tmp_path / "pair.png") as pair:
        assert sheet.width * sheet.height < 0.7 * pair.width * pair.height  # three panels, not six
    save_mesh(plain, "base", SETTINGS, tmp_path / "mesh.glb")
    assert facts_of(tmp_path / "mesh.glb")["camera"]["fov_source"] == "option"


Save = Callable[[Comparison, Path, Callable[[float, str], object]], object]
SAVES: dict[str, Save] = {
    ".glb": lambda comparison, path, told: save_mesh(comparison, "base", SETTINGS, path, told),
    ".exr": lambda comparison, path, told: save_depth(comparison, "base", SETTINGS, path, told),
    ".npy": lambda comparison, path, told: save_normals(comparison, "base", SETTINGS, path, told),
    ".png": lambda comparison, path, told: save_comparison_picture(comparison, SETTINGS, path, told),
}


@pytest.mark.parametrize("suffix", SAVES)
def test_progress_rises_to_one_in_words(suffix: str, comparison: Comparison, tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []
    SAVES[suffix](comparison, tmp_path / f"x{suffix}", lambda share, doing: told.append((share, doing)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert all(doing for _, doing in told)


@pytest.mark.parametrize("suffix", SAVES)
def test_stopping_before_it_is_written_leaves_the_old_file(suffix: str, comparison: Comparison, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"old")

    def stop_late(share: float, doing: str) -> None:
        if share > 0.8:
            raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        SAVES[suffix](comparison, path, stop_late)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {path.name: b"old"}


@pytest.mark.parametrize("suffix", SAVES)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    suffix: str, comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"old")

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="disk is full") as caught:
        SAVES[suffix](comparison, path, lambda share, doing: None)
    assert caught.value.hint
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {path.name: b"old"}


@pytest.mark.parametrize("suffix", SAVES)
def test_a_folder_that_is_not_there_is_told(suffix: str, comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="folder does not exist"):
        SAVES[suffix](comparison, tmp_path / "missing" / f"x{suffix}", lambda share, doing: None)


@pytest.mark.parametrize("save", SAVES.values(), ids=SAVES)
def test_unknown_formats_are_refused_before_any_work(save: Save, comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="names no format") as caught:
        save(comparison, tmp_path / "x.bmp", lambda share, doing: pytest.fail("work began"))
    assert "." in caught.value.hint
    assert os.listdir(tmp_path) == []


def test_a_mesh_that_is_cut_away_is_refused(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cut away"):
        save_mesh(comparison, "base", MeshSettings(edge_cut=1e-9), tmp_path / "x.glb")
    assert os.listdir(tmp_path) == []


def test_names_are_suggested_that_any_system_takes(comparison: Comparison) -> None:
    assert suggested_name(comparison, "refined", "mesh") == "mein Foto_refined_mesh"
    assert suggested_name(comparison, None, "comparison") == "mein Foto_comparison"
    awkward = Comparison(
        name='a/b:c?"<>|',
        image_srgb=comparison.image_srgb,
        disparity_base=comparison.disparity_base,
        disparity_refined=comparison.disparity_base,
        label_base="",
        label_refined="",
    )
    assert not set('/\\:?"<>|') & set(suggested_name(awkward, "base", "depth"))


def test_exr_headers_hold_no_more_than_openexr_reads(comparison: Comparison, tmp_path: Path) -> None:
    path = save_normals(comparison, "base", SETTINGS, tmp_path / "n.exr")[-1]
    header = OpenEXR.File(str(path)).header()
    assert (header["redepth:kind"], header["redepth:fov_source"]) == ("normals", "option")
    assert header["redepth:fov_deg"] == pytest.approx(70.0)
