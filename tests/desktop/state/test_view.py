from __future__ import annotations

import pytest

from desktop.state.view import LARGEST_SCALE, View, fit_scale, fitted, one_to_one

PICTURE, PANE = (400.0, 300.0), (200.0, 200.0)


def test_a_fitted_picture_fills_the_pane_one_way_and_lies_in_its_middle() -> None:
    view = fitted(PICTURE, PANE)
    assert view.scale == fit_scale(PICTURE, PANE) == 0.5
    assert view.to_pane((0, 0), PANE) == (0, 25)
    assert view.to_pane(PICTURE, PANE) == (200, 175)


def test_pane_and_picture_coordinates_are_each_others_inverse() -> None:
    view = View(centre=(123.4, 56.7), scale=3.21, fits=False)
    assert view.to_picture(view.to_pane((10.5, 20.25), PANE), PANE) == pytest.approx((10.5, 20.25))


@pytest.mark.parametrize("factor", [0.5, 1.3, 7.0, 1e6, 1e-6])
def test_zooming_keeps_the_point_under_the_pointer_or_the_picture_in_reach(factor: float) -> None:
    view, at = fitted(PICTURE, PANE), (120.0, 90.0)
    zoomed = view.zoomed(factor, at, PANE, PICTURE)
    assert 0.25 * view.scale <= zoomed.scale <= LARGEST_SCALE
    assert not zoomed.fits
    if 0.0 < zoomed.centre[0] < PICTURE[0] and 0.0 < zoomed.centre[1] < PICTURE[1]:
        assert zoomed.to_picture(at, PANE) == pytest.approx(view.to_picture(at, PANE))


def test_the_centre_stays_on_the_picture_however_far_it_is_moved() -> None:
    assert fitted(PICTURE, PANE).moved((1e6, -1e6), PICTURE).centre == (0, 300)
    assert fitted(PICTURE, PANE).moved((-10, 0), PICTURE).centre == (220, 150)


def test_one_to_one_counts_the_screens_own_pixels() -> None:
    assert one_to_one(fitted(PICTURE, PANE), PICTURE, 2.0).scale == 0.5
