"""Every ``check_...`` of the files ``in_*.py``, in each Blender, as a test of its own; what a check leaves behind is read back here."""

from __future__ import annotations

import ast

import numpy as np
import pytest
import trimesh

from tests.blender_addon.bpy.conftest import HERE, VERSIONS, Blenders


def all_checks() -> list[tuple[str, str]]:
    """Return (file, check), read from the files, which only Blender's Python can import."""
    found = []
    for file in sorted(HERE.glob("in_*.py")):
        functions = [node.name for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
        found += [(file.stem, name) for name in functions if name.startswith("check_")]
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("checks", "check"), all_checks())
def test_check(blenders: Blenders, checks: str, check: str, version: str) -> None:
    outcomes = blenders.outcomes(version, checks)
    if check not in outcomes:
        pytest.fail(outcomes.get("", "the check was never reached"), pytrace=False)
    if outcomes[check]:
        pytest.fail(outcomes[check], pytrace=False)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_glb_that_blender_exports_reads_back_as_the_mesh(blenders: Blenders, version: str) -> None:
    blenders.outcomes(version, "in_results")
    folder = blenders.folder(version, "in_results")
    scene = trimesh.load(folder / "export.glb")
    (mesh,) = scene.geometry.values()
    expected = np.load(folder / "export.npz")
    assert len(mesh.faces) == len(expected["faces"])
    centres = scene.to_geometry().triangles.mean(axis=1)
    wanted = expected["vertices"][expected["faces"]].mean(axis=1)  # glTF's frame is the mesh's own: x right, y up, z toward the viewer
    assert np.abs(centres - wanted).max() < 1e-4
    material = mesh.visual.material
    assert material.baseColorTexture.size == (256, 192)
    assert material.metallicFactor == 0
    assert np.ptp(mesh.visual.uv, axis=0) == pytest.approx([1, 1], abs=0.02)
