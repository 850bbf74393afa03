"""Upsampling against scenes of exactly known disparity. Sizes: map 48 x 64, picture larger by RATIO unless said otherwise."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from engine.images.resample import area_means, cubic_matrix, linear_matrix
from engine.images.upsample import upsample_disparity
from tests.engine.images.disparity_scenes import coordinates, on_planes, outline, painted, rmse, texture

RATIO = 6
MAP = (48, 64)
FULL = (MAP[0] * RATIO, MAP[1] * RATIO)


def bilinear(disparity, shape):
    return linear_matrix(shape[0], disparity.shape[0]) @ disparity @ linear_matrix(shape[1], disparity.shape[1]).T


def bicubic(disparity, shape):
    return cubic_matrix(shape[0], disparity.shape[0]) @ disparity @ cubic_matrix(shape[1], disparity.shape[1]).T


def guided_filter(disparity, image_srgb, radius=RATIO, smoothing=1e-3):
    """Guided filter of He, Sun and Tang (2010) on grey, over the bilinear result: the usual rival."""
    grey, start = image_srgb.mean(axis=2).astype(np.float64), bilinear(disparity, image_srgb.shape[:2]).astype(np.float64)

    def box(values):
        padded = np.pad(values, radius, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * radius + 1, axis=0).mean(axis=-1)
        return np.lib.stride_tricks.sliding_window_view(windows, 2 * radius + 1, axis=1).mean(axis=-1)

    gain = (box(grey * start) - box(grey) * box(start)) / (box(grey**2) - box(grey) ** 2 + smoothing)
    return box(gain) * grey + box(box(start) - gain * box(grey))


def near_steps(full, distance):
    """Return where a step of the true disparity lies within ``distance`` pixels."""
    near = np.zeros(full.shape, bool)
    near[:, 1:] |= np.abs(np.diff(full, axis=1)) > 0.1
    near[1:] |= np.abs(np.diff(full, axis=0)) > 0.1
    size = 2 * distance + 1
    return np.lib.stride_tricks.sliding_window_view(np.pad(near, distance), (size, size)).any(axis=(2, 3))


def scene(name):
    """Return inside mask and exact disparity of one scene at full size."""
    y, x = coordinates(FULL)
    inside = np.abs(x + 0.1 * y - 0.5) < 1.0 / MAP[1] if name == "thin pole" else outline(name, FULL)  # a pole two map samples wide
    return inside, on_planes(inside)


SCENES = ("slanted step", "disc", "thin pole")


def photos(folder):
    """Yield name, picture, ground-truth disparity in [0, 1] with its gaps filled along rows, and where it was valid."""
    for entry in json.loads((folder / "manifest.json").read_text()):
        if entry["kind"] != "disparity":
            continue
        truth = np.load(folder / entry["ground_truth"])["gt"].astype(np.float32)
        valid, full = truth > 0, truth.copy()
        for row, known in zip(full, valid, strict=True):
            if known.any():
                row[~known] = np.interp(np.flatnonzero(~known), np.flatnonzero(known), row[known])
        image = Image.open(folder / entry["image"]).convert("RGB")
        yield entry["id"], np.asarray(image, np.float32) / 255.0, full / full.max(), valid


@pytest.mark.parametrize("name", SCENES)
def test_steps_are_sharper_than_every_usual_interpolation(name):
    inside, full = scene(name)
    image_srgb, disparity = painted(inside), area_means(full[:, :, None], *MAP)[:, :, 0]
    ours, near = upsample_disparity(disparity, image_srgb), near_steps(full, RATIO)
    rivals = (bilinear(disparity, FULL), bicubic(disparity, FULL), guided_filter(disparity, image_srgb))
    assert rmse(ours, full, near) < 0.75 * min(rmse(rival, full, near) for rival in rivals)


@pytest.mark.parametrize("name", SCENES)
def test_smooth_areas_are_no_worse_than_bilinear(name):
    inside, full = scene(name)
    disparity = area_means(full[:, :, None], *MAP)[:, :, 0]
    far = ~near_steps(full, 2 * RATIO)
    ours = upsample_disparity(disparity, painted(inside))
    assert rmse(ours, full, far) <= rmse(bilinear(disparity, FULL), full, far) + 1e-6


def test_measured_depth_of_photographs_comes_back_sharper(photos_folder):
    for name, image_srgb, full, valid in photos(photos_folder):
        disparity = area_means(full[:, :, None], full.shape[0] // 3, full.shape[1] // 3)[:, :, 0]
        ours, plain = upsample_disparity(disparity, image_srgb), bilinear(disparity, full.shape)
        near = near_steps(full, 3)
        assert rmse(ours, full, near & valid) < 0.9 * rmse(plain, full, near & valid), name
        assert rmse(ours, full, ~near & valid) < rmse(plain, full, ~near & valid), name


def test_the_step_lies_where_the_picture_has_it():
    inside, full = scene("slanted step")
    disparity = area_means(full[:, :, None], *MAP)[:, :, 0]
    y, x = coordinates(FULL)
    ours = upsample_disparity(disparity, painted(inside)) - (0.2 + 0.15 * x + 0.1 * y)
    inner = np.s_[2 * RATIO : -2 * RATIO]
    found, true = (ours > 0.25)[inner].sum(axis=1), inside[inner].sum(axis=1)
    assert np.abs(found - true).mean() < 1.0
    assert np.abs(found - true).max() <= 3


@pytest.mark.parametrize("name", SCENES)
def test_no_value_leaves_the_range_of_the_map_around_it(name):
    inside, full = scene(name)
    disparity = area_means(full[:, :, None], *MAP)[:, :, 0]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(disparity, 2, mode="edge"), (5, 5))
    low, high = (np.kron(extreme(axis=(2, 3)), np.ones((RATIO, RATIO))) for extreme in (windows.min, windows.max))
    ours = upsample_disparity(disparity, painted(inside))
    assert (ours >= low).all() and (ours <= high).all()


@pytest.mark.parametrize("full", [FULL, (101, 333), (49, 65), (30, 40), (20, 300), (300, 20), MAP])
def test_a_ramp_stays_a_ramp_under_any_texture_and_at_any_size(full):
    y, x = coordinates(MAP)
    half_y, half_x = (0.5 / count for count in MAP)
    full_y, full_x = coordinates(full)
    ours = upsample_disparity((3.0 * x - 2.0 * y).astype(np.float32), np.clip(0.5 + texture(full, strength=0.4), 0, 1).astype(np.float32))
    expected = 3.0 * full_x.clip(half_x, 1 - half_x) - 2.0 * full_y.clip(half_y, 1 - half_y)
    reduced = np.s_[1:-1, 1:-1]  # a reduced border cell averages the flat half sample at the border too
    assert np.abs(ours - expected)[reduced].max() < 2e-6


def test_no_texture_enters_a_curved_surface():
    y, x = coordinates(MAP)
    disparity = (np.sin(3.0 * x) + y**2).astype(np.float32)
    plain = upsample_disparity(disparity, np.full((*FULL, 3), 0.5, np.float32))
    checks = np.indices(FULL).sum(axis=0) % 14 < 7
    np.testing.assert_array_equal(upsample_disparity(disparity, np.repeat(checks[:, :, None], 3, axis=2).astype(np.float32)), plain)
    full_y, full_x = coordinates(FULL)
    assert np.abs(plain - np.sin(3.0 * full_x) - full_y**2)[RATIO:-RATIO, RATIO:-RATIO].max() < 2e-4


def test_same_size_gives_the_map_itself():
    disparity = np.random.default_rng(1).random(MAP, dtype=np.float32)
    np.testing.assert_array_equal(upsample_disparity(disparity, np.zeros((*MAP, 3), np.float32)), disparity)


def test_a_smaller_picture_gets_means():
    disparity = np.kron([[1.0, 2.0], [3.0, 5.0]], np.ones((20, 20))).astype(np.float32)
    ours = upsample_disparity(disparity, np.zeros((4, 4, 3), np.float32))
    assert ours.mean() == pytest.approx(2.75, abs=1e-6)
    assert ours[0, 0] == pytest.approx(1.0) and ours[3, 3] == pytest.approx(5.0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_the_smallest_maps_work(shape):
    disparity = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    ours = upsample_disparity(disparity, np.full((32, 45, 3), 0.5, np.float32))
    assert ours.shape == (32, 45) and ours.min() >= disparity.min() and ours.max() <= disparity.max()


def test_scale_and_shift_pass_through():
    inside, full = scene("disc")
    image_srgb, disparity = painted(inside), area_means(full[:, :, None], *MAP)[:, :, 0]
    ours, scaled = upsample_disparity(disparity, image_srgb), upsample_disparity(8.0 * disparity + 2.0, image_srgb)
    np.testing.assert_allclose(scaled, 8.0 * ours + 2.0, atol=2e-4)


def test_a_mirrored_picture_gives_a_mirrored_result():
    inside, full = scene("slanted step")
    image_srgb, disparity = painted(inside), area_means(full[:, :, None], *MAP)[:, :, 0]
    ours = upsample_disparity(disparity, image_srgb)
    mirrored = upsample_disparity(disparity[:, ::-1], image_srgb[:, ::-1])[:, ::-1]
    assert np.quantile(np.abs(ours - mirrored), 0.999) < 1e-4  # a pixel midway between two samples may choose either window


def test_black_against_white_and_faint_values_pass():
    _, x = coordinates(FULL)
    disparity = np.broadcast_to(np.where(np.arange(MAP[1]) < 31, 0.0, 1e-33).astype(np.float32), MAP)
    ours = upsample_disparity(disparity, np.repeat((x > 31 / 64)[:, :, None], 3, axis=2).astype(np.float32))
    np.testing.assert_array_equal(ours > 0.5e-33, x > 31 / 64)


def test_the_same_bytes_every_time():
    inside, full = scene("disc")
    image_srgb, disparity = painted(inside), area_means(full[:, :, None], *MAP)[:, :, 0]
    assert upsample_disparity(disparity, image_srgb).tobytes() == upsample_disparity(disparity, image_srgb).tobytes()


@pytest.mark.parametrize(("disparity", "image"), [((4,), (8, 8, 3)), ((4, 4), (8, 8)), ((4, 4), (8, 8, 4)), ((0, 4), (8, 8, 3))])
def test_wrong_shapes_are_refused(disparity, image):
    with pytest.raises(ValueError, match="shapes"):
        upsample_disparity(np.zeros(disparity, np.float32), np.zeros(image, np.float32))


def test_a_map_with_nan_is_refused():
    with pytest.raises(ValueError, match="finite"):
        upsample_disparity(np.full((4, 4), np.nan, np.float32), np.zeros((8, 8, 3), np.float32))


def test_area_means_keep_the_mean_at_an_uneven_ratio():
    image = np.random.default_rng(2).random((37, 53, 3), dtype=np.float32)
    np.testing.assert_allclose(area_means(image, 8, 9).mean(axis=(0, 1)), image.mean(axis=(0, 1)), rtol=1e-5)
