"""Rays against bodies: closed forms, and agreement of depth and normals."""

from __future__ import annotations

import math

import pytest
import torch

from engine.embedded.world.bodies import BODIES, MISS, Placement, leave_box

FORWARD = torch.tensor([[[0.0, 0.0, -1.0]]])
ORIGIN = torch.zeros(1, 1, 3)


def place(centre: list[float], scale: list[float], rotation: torch.Tensor | None = None) -> Placement:
    return Placement(torch.tensor([centre]), torch.eye(3)[None] if rotation is None else rotation, torch.tensor([scale]))


def test_ellipsoid_depth_is_the_quadratic_root() -> None:
    """A sphere of radius 1 at distance 3, met off its axis: t solves |t d - c| = 1."""
    direction = torch.tensor([[[0.2, 0.1, -1.0]]])
    t, normals = place([0.0, 0.0, -3.0], [1.0, 1.0, 1.0]).intersect("ellipsoid", ORIGIN, direction)
    a, b, c = 0.04 + 0.01 + 1.0, -3.0, 8.0
    expected = (-b - math.sqrt(b * b - a * c)) / a
    assert t.item() == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(normals[0, 0], expected * direction[0, 0] + torch.tensor([0.0, 0.0, 3.0]), atol=1e-5, rtol=0)


def test_turned_box_depth_is_that_of_its_slanted_plane() -> None:
    """A box turned 45° about y shows an edge: t = distance - √2."""
    half = math.sqrt(0.5)
    turn = torch.tensor([[[half, 0.0, half], [0.0, 1.0, 0.0], [-half, 0.0, half]]])
    t, _ = place([0.0, 0.0, -4.0], [1.0, 1.0, 1.0], turn).intersect("box", ORIGIN, FORWARD + 1e-6)
    assert t.item() == pytest.approx(4 - math.sqrt(2), abs=1e-4)


def test_cylinder_shows_side_and_cap() -> None:
    side, side_normal = place([0.0, 0.0, -3.0], [0.5, 1.0, 0.5]).intersect("cylinder", ORIGIN, FORWARD)
    cap, cap_normal = place([0.0, -3.0, 0.0], [0.5, 1.0, 0.5]).intersect("cylinder", ORIGIN, torch.tensor([[[0.0, -1.0, 0.0]]]))
    assert side.item() == pytest.approx(2.5, abs=1e-5)
    assert cap.item() == pytest.approx(2.0, abs=1e-5)
    torch.testing.assert_close(side_normal[0, 0], torch.tensor([0.0, 0.0, 1.0]))
    torch.testing.assert_close(cap_normal[0, 0], torch.tensor([0.0, 1.0, 0.0]))


def test_torus_depth_along_its_axis_plane() -> None:
    """Major radius 0.72, minor 0.28, seen from the side at distance 4: t = 4 - 1."""
    t, _ = place([0.0, 0.0, -4.0], [1.0, 1.0, 1.0]).intersect("torus", ORIGIN, FORWARD)
    assert t.item() == pytest.approx(3.0, abs=5e-3)


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_normals_agree_with_depth(kind: str) -> None:
    """Points of three neighbouring rays span the plane that the normal is upright on, on most of the body."""
    generator = torch.Generator().manual_seed(3)
    angles = torch.rand(3, generator=generator)
    turn = torch.linalg.matrix_exp(torch.tensor([[[0, -angles[0], angles[1]], [angles[0], 0, -angles[2]], [-angles[1], angles[2], 0]]]))
    placement = place([0.0, 0.0, -5.0], [1.2, 0.8, 1.0], turn)
    line = torch.linspace(-0.25, 0.25, 41)
    y, x = torch.meshgrid(line, line, indexing="ij")
    step = 2e-3
    points = []
    for dx, dy in ((0.0, 0.0), (step, 0.0), (0.0, step)):
        directions = torch.stack([x + dx, y + dy, -torch.ones_like(x)], dim=-1).reshape(1, -1, 3)
        t, normals = placement.intersect(kind, ORIGIN, directions)
        points.append((t[..., None] * directions, normals, t))
    seen = (points[0][2] < MISS) & (points[1][2] < MISS) & (points[2][2] < MISS)
    measured = torch.linalg.cross(points[1][0] - points[0][0], points[2][0] - points[0][0])
    measured = torch.nn.functional.normalize(measured, dim=-1)
    agreement = (measured * points[0][1]).sum(-1)[seen]
    assert seen.sum() > 50
    assert agreement.median() > 0.995
    assert (agreement > 0.9).float().mean() > 0.85


def test_a_body_behind_or_beside_the_ray_is_missed() -> None:
    for kind in BODIES:
        behind, _ = place([0.0, 0.0, 5.0], [1.0, 1.0, 1.0]).intersect(kind, ORIGIN, FORWARD)
        beside, _ = place([9.0, 0.0, -5.0], [1.0, 1.0, 1.0]).intersect(kind, ORIGIN, FORWARD)
        assert behind.item() == MISS and beside.item() == MISS, kind


def test_leaving_a_room_gives_its_walls_and_inward_normals() -> None:
    t, normals = leave_box(place([0.0, 1.0, 0.0], [2.0, 2.0, 3.0]), ORIGIN, torch.tensor([[[0.1, 0.0, -1.0], [0.0, -1.0, -1.0]]]))
    torch.testing.assert_close(t, torch.tensor([[3.0, 1.0]]))
    torch.testing.assert_close(normals, torch.tensor([[[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]]))
