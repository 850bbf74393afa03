"""What is put behind cut edges."""

from __future__ import annotations

import importlib

import numpy as np

from tests.blender_addon.shape.scenes import NAME, box_before_wall, maps_of, ramp, shape, surfaces

backs = importlib.import_module(f"{NAME}.shape.back_layer")

RED, BLUE = (1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)


def layer_of_box() -> tuple[object, object, object]:
    surface = surfaces.Surface(maps_of(box_before_wall()), 96)
    fill = np.where((surface.depth(shape()) < 2)[..., None], RED, BLUE).astype(np.float32)
    return backs.back_layer(surface, shape(), fill), surface, shape()


def test_a_surface_without_cuts_needs_none() -> None:
    surface = surfaces.Surface(maps_of(ramp()), 96)
    assert backs.back_layer(surface, shape(), np.zeros((72, 96, 4), np.float32)) is None


def test_it_continues_the_wall_behind_the_box_in_the_walls_colour() -> None:
    layer, surface, wanted = layer_of_box()
    wall = surface.vertices(wanted, surface.depth(wanted))[0, 2]
    box = surface.vertices(wanted, surface.depth(wanted))[:, 2].max()
    assert np.abs(layer.vertices[:, 2] - wall).max() < 0.02 * (box - wall)
    assert np.allclose(layer.fill, BLUE, atol=1e-5)
    assert layer.vertices[:, 2].max() < wall


def test_it_covers_every_cut_and_nothing_far_from_one() -> None:
    layer, _, _ = layer_of_box()
    columns, rows = layer.uv[:, 0] * 96, (1 - layer.uv[:, 1]) * 72
    under_edge = (np.abs(columns - 33) < 1) & (rows > 26) & (rows < 46)
    assert under_edge.sum() >= 15
    assert columns.min() > 32 - 3 - backs.RIM and columns.max() < 64 + 3 + backs.RIM
    assert rows.min() > 24 - 3 - backs.RIM and rows.max() < 48 + 3 + backs.RIM


def test_its_faces_look_at_the_camera_and_use_every_vertex() -> None:
    layer, _, wanted = layer_of_box()
    corners = layer.vertices[layer.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    towards = np.array([0, 0, wanted.camera_distance]) - corners.mean(axis=1)
    assert ((normals * towards).sum(axis=1) > 0).all()
    assert np.array_equal(np.unique(layer.faces), np.arange(len(layer.vertices)))
