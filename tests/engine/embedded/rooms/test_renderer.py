"""The renderer against closed forms: planes at known depth, normals that agree with depth, faces wound any way, shadows where they belong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from engine.embedded.rooms.pack import Pack
from engine.embedded.rooms.plan import Camera, Lights, Plan, turn_y
from engine.embedded.rooms.renderer import Renderer, view_matrix
from engine.embedded.rooms.roles import find_roles

HEIGHT, WIDTH = 48, 64
EYE = np.array([0.0, 0.5, 3.0])
AHEAD = Camera(eye=EYE, target=np.array([0.0, 0.5, 0.0]), fov=1.0)


def lights(**changes: object) -> Lights:
    """A lamp above the left of the scene, and a little light from all around."""
    common = {
        "sun": False,
        "at": np.array([-1.5, 2.5, 0.5]),
        "aim": np.zeros(3),
        "reach": 1.5,
        "colour": np.ones(3) * 3,
        "softness": 0.002,
        "window_at": np.array([0, 50.0, 0]),
        "window_across": np.array([1.0, 0, 0]),
        "window_up": np.array([0, 1.0, 0]),
        "window_colour": np.zeros(3),
        "lamp_at": np.array([0, 9.0, 0]),
        "lamp_colour": np.zeros(3),
        "sky": np.ones(3) * 0.1,
        "ground": np.ones(3) * 0.1,
    }
    return Lights(**(common | changes))


def rays(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Return (H, W, 3) directions through pixel centres with depth 1 along the axis, in the camera's frame."""
    reach = np.tan(AHEAD.fov / 2) / width
    x, y = np.meshgrid((2 * np.arange(width) + 1 - width) * reach, (height - 1 - 2 * np.arange(height)) * reach)
    return np.stack([x, y, -np.ones_like(x)], axis=-1)


@pytest.fixture(scope="module")
def renderer(egl: None, pack: Pack) -> Iterator[Renderer]:
    made = Renderer(pack, HEIGHT, WIDTH)
    yield made
    made.close()


def at_point(picture: np.ndarray, camera: Camera, point: tuple[float, float, float]) -> float:
    """Return what ``picture`` (H, W) shows of a world point."""
    x, y, z, _ = view_matrix(camera) @ np.array([*point, 1.0])
    height, width = picture.shape
    reach = np.tan(camera.fov / 2)
    return float(picture[int(height / 2 + y / z / reach * width / 2), int(width / 2 - x / z / reach * width / 2)])


def block(pack: Pack) -> int:
    return int(find_roles(pack).drawn["block"][0])


@pytest.mark.parametrize("angle", [0.0, 0.5])
def test_a_turned_wall_has_the_depth_of_its_plane(renderer: Renderer, pack: Pack, angle: float) -> None:
    """Points p of the wall satisfy n · p = 0 in the world, so the ray's depth is -n · eye / n · ray."""
    plan = Plan()
    turn = turn_y(angle)
    plan.put(block(pack), turn @ np.diag([20.0, 20.0, 0.2]), turn @ np.array([0, 0, -0.1]) + np.array([0, -10.0, 0]))
    renderer.set_scene(plan.things(), lights())
    view = renderer.look(AHEAD)
    normal = turn @ np.array([0.0, 0, 1.0])
    np.testing.assert_allclose(view.depth, -(normal @ EYE) / (rays() @ normal), rtol=2e-5)
    np.testing.assert_allclose(view.normals, np.broadcast_to(normal, view.normals.shape), atol=2e-3)


@pytest.mark.parametrize("quarter_turns", range(4))
def test_a_model_of_known_size_stands_where_it_was_put_even_with_a_flipped_face(renderer: Renderer, pack: Pack, quarter_turns: int) -> None:
    mug = int(np.flatnonzero(pack.names == "Flipped mug")[0])
    for tip in (np.eye(3), np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])):
        plan = Plan()
        linear = turn_y(quarter_turns * np.pi / 2) @ tip
        plan.put(mug, linear, np.array([0, 0.5, 0]) - linear @ np.array([0, 0.1, 0]))
        renderer.set_scene(plan.things(), lights())
        view = renderer.look(AHEAD)
        assert view.depth[HEIGHT // 2, WIDTH // 2] == pytest.approx(2.9, rel=1e-5)
        assert view.normals[HEIGHT // 2, WIDTH // 2] == pytest.approx((0, 0, 1), abs=2e-3)


def test_the_light_of_a_flipped_face_is_that_of_its_neighbourly_self(renderer: Renderer, pack: Pack) -> None:
    """Seen and lit from above, the mug's top, wound the wrong way, is as bright as a box's."""
    above = Camera(eye=np.array([0.0, 3.0, 0.5]), target=np.array([0.0, 0.0, 0.0]), fov=0.4)
    brightness = []
    for name in ("Flipped mug", "Table"):
        plan = Plan()
        model = int(np.flatnonzero(pack.names == name)[0])
        plan.put(model, np.diag(np.array([2.0, 0.4, 2.0]) / pack.size_m[model]), np.zeros(3))
        renderer.set_scene(plan.things(), lights(softness=0.0))
        renderer.look(above)
        brightness.append(renderer.shade().mean())
    assert brightness[0] == pytest.approx(brightness[1], rel=1e-3)


def test_a_thing_throws_its_shadow_away_from_the_lamp(renderer: Renderer, pack: Pack) -> None:
    """The lamp is up on the left, so the floor to the right of a block is darker than the floor to its left."""
    plan = Plan()
    plan.put(block(pack), np.diag([8.0, 0.1, 8.0]), np.array([0, -0.1, 0]), casts=False)
    empty_floor = plan.things()
    plan.put(block(pack), np.diag([0.4, 0.8, 0.4]), np.zeros(3))
    camera = Camera(eye=np.array([0.0, 4.0, 3.0]), target=np.zeros(3), fov=0.9)
    light = []
    for things in (empty_floor, plan.things()):
        renderer.set_scene(things, lights())
        renderer.look(camera)
        light.append(renderer.shade().mean(axis=2))
    share = light[1] / light[0]
    assert at_point(share, camera, (0.5, 0.0, -0.1)) < 0.2
    assert at_point(share, camera, (-0.5, 0.0, -0.1)) > 0.9
    assert at_point(share, camera, (1.2, 0.0, -0.3)) > 0.9  # the shadow of its top, 0.8 m up, ends at x = 1


def test_a_sun_shines_only_through_the_window(renderer: Renderer, pack: Pack) -> None:
    plan = Plan()
    plan.put(block(pack), np.diag([8.0, 0.1, 8.0]), np.array([0, -0.1, 0]), casts=False)
    sun = lights(
        sun=True,
        at=np.array([-1.0, 1.0, 0.0]),
        reach=5.0,
        window_at=np.array([-2.0, 2.0, 0.0]),
        window_across=np.array([0.0, 0.0, -0.5]),
        window_up=np.array([0.0, 0.5, 0.0]),
    )
    renderer.set_scene(plan.things(), sun)
    renderer.look(Camera(eye=np.array([0.0, 6.0, 0.01]), target=np.zeros(3), fov=0.8))
    light = renderer.shade().mean(axis=2)
    height, width = light.shape
    lit = light > 2 * np.median(light)
    assert lit[height // 2, width // 2]
    assert 0.02 < lit.mean() < 0.1  # one square metre of what the camera sees: 5.07 x 3.8 m, so 0.052


def test_normals_agree_with_depth_across_a_heap_of_cloth(egl: None, pack: Pack) -> None:
    """Most pixels lie, with their neighbours, on one facet: there the two must agree to what float32 can tell."""
    renderer = Renderer(pack, 240, 320)
    plan = Plan()
    plan.put(int(find_roles(pack).drawn["heap"][0]), np.eye(3) * 2, np.zeros(3))
    plan.put(block(pack), np.diag([20.0, 0.1, 20.0]), np.array([0, -0.1, 0]))
    renderer.set_scene(plan.things(), lights())
    view = renderer.look(Camera(eye=np.array([0.0, 1.5, 1.5]), target=np.zeros(3), fov=AHEAD.fov))
    renderer.close()
    points = rays(240, 320) * view.depth[..., None]
    across, down = points[1:-1, 2:] - points[1:-1, :-2], points[2:, 1:-1] - points[:-2, 1:-1]
    normals = np.cross(down, across)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip((normals * view.normals[1:-1, 1:-1]).sum(-1), -1, 1)))
    assert np.median(angle) < 0.2
    assert np.percentile(angle, 90) < 15
