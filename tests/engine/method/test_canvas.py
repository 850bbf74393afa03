from __future__ import annotations

import pytest
import torch

from engine.method.canvas import fit, letterbox, to_canvas


@pytest.mark.parametrize(("size", "box"), [((20, 40), (16, 0, 32, 64)), ((40, 20), (0, 16, 64, 32)), ((30, 30), (0, 0, 64, 64))])
def test_letterbox_centres_on_zeros(size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    top, left, height, width = box
    canvas = letterbox(torch.ones(2, 3, *size), 64)
    assert canvas.shape == (2, 3, 64, 64)
    expected = torch.zeros(2, 3, 64, 64)
    expected[:, :, top : top + height, left : left + width] = 1
    torch.testing.assert_close(canvas, expected)


def test_letterbox_keeps_a_picture_of_its_own_size() -> None:
    image = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(letterbox(image, 64), image)


def test_letterbox_keeps_one_row_of_a_thin_picture() -> None:
    assert letterbox(torch.ones(1, 3, 2, 1000), 64).sum().item() == pytest.approx(3 * 64)


@pytest.mark.parametrize(("size", "expected"), [((300, 400), (48, 64)), ((400, 300), (64, 48)), ((100, 1000), (16, 64)), ((77, 77), (64, 64))])
def test_fit_rounds_to_the_multiple_without_padding(size: tuple[int, int], expected: tuple[int, int]) -> None:
    canvas = fit(torch.ones(1, 3, *size), 64, 16)
    assert canvas.shape[-2:] == expected
    torch.testing.assert_close(canvas, torch.ones_like(canvas))


def test_fit_averages_what_it_shrinks() -> None:
    stripes = torch.zeros(1, 3, 512, 512)
    stripes[..., ::2] = 1
    inner = fit(stripes, 64, 16)[..., 2:-2]
    torch.testing.assert_close(inner, torch.full_like(inner, 0.5), atol=0.02, rtol=0)


def test_to_canvas_chooses() -> None:
    image = torch.rand(1, 3, 30, 40)
    assert to_canvas(image, "square", 64, 16).shape[-2:] == (64, 64)
    assert to_canvas(image, "fit", 64, 16).shape[-2:] == (48, 64)
