from __future__ import annotations

import numpy as np

from engine.export.obj import mtl_text, obj_text
from engine.geometry.mesh import GridMesh

TRIANGLE = GridMesh(
    vertices=np.array([[0, 0, -1], [1.5, 0, -1], [0, 0.25, -1e-7]], np.float32),
    faces=np.array([[0, 1, 2]], np.int32),
    uv=np.array([[0, 0], [1, 0], [0, 1]], np.float32),
    normals=np.array([[0, 0, 1]] * 3, np.float32),
)


def test_a_triangle_is_written_as_the_format_says() -> None:
    lines = obj_text(TRIANGLE, "t.mtl", "t").decode().splitlines()
    assert lines[1] == "mtllib t.mtl"
    assert lines[2:5] == ["v 0.00000000 0.00000000 -1.00000000", "v 1.50000000 0.00000000 -1.00000000", "v 0.00000000 0.25000000 -0.00000010"]
    assert lines[5:8] == ["vt 0.00000000 0.00000000", "vt 1.00000000 0.00000000", "vt 0.00000000 1.00000000"]
    assert lines[8:11] == ["vn 0.0000000 0.0000000 1.0000000"] * 3
    assert lines[11:] == ["usemtl t", "f 1/1/1 2/2/2 3/3/3"]


def test_blocks_of_lines_join_without_a_seam() -> None:
    count = 5000
    vertices = np.random.default_rng(0).random((count, 3), np.float32)
    faces = np.arange(count - 2)[:, None] + np.arange(3)
    mesh = GridMesh(vertices, faces.astype(np.int32), vertices[:, :2], vertices)
    lines = obj_text(mesh, "m.mtl", "m").decode().splitlines()
    np.testing.assert_allclose([[float(word) for word in line.split()[1:]] for line in lines if line.startswith("v ")], vertices, atol=1e-8)
    assert [line for line in lines if line.startswith("f ")][-1] == "f 4998/4998/4998 4999/4999/4999 5000/5000/5000"
    assert len(lines) == 2 + 3 * count + 1 + count - 2


def test_the_material_is_matt_and_white_so_that_the_texture_shows_as_it_is() -> None:
    lines = mtl_text("m", "m_texture.png").decode().splitlines()
    assert "newmtl m" in lines
    assert "Kd 1.00000000 1.00000000 1.00000000" in lines
    assert "Ks 0.00000000 0.00000000 0.00000000" in lines
    assert lines[-1] == "map_Kd m_texture.png"
