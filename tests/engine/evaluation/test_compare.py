"""Comparison: the counts are exact, and the interval is that of theory."""

from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.compare import bootstrap_mean, compare


def test_counts_and_means() -> None:
    base, refined = np.array([1.0, 2.0, 4.0, 5.0]), np.array([0.5, 2.0, 3.0, 6.0])
    compared = compare(base, refined, higher_is_better=False)
    assert (compared.images, compared.mean_base, compared.mean_refined) == (4, 3.0, 2.875)
    assert compared.win_rate == 0.5  # the tie is no win
    assert compared.difference.mean == -0.125
    assert compared.relative_change is not None
    assert compared.relative_change.mean == pytest.approx((-0.5 + 0.0 - 0.25 + 0.2) / 4)
    assert compare(base, refined, higher_is_better=True).win_rate == 0.25


def test_a_base_of_zero_has_no_relative_change() -> None:
    assert compare(np.array([0.0, 1.0]), np.array([1.0, 1.0]), higher_is_better=True).relative_change is None


def test_one_picture_has_no_interval() -> None:
    change = bootstrap_mean(np.array([0.3]))
    assert (change.mean, change.low, change.high) == (0.3, None, None)


def test_interval_of_many_pictures_is_the_normal_one() -> None:
    values = np.random.default_rng(7).normal(2.0, 3.0, 400)
    change = bootstrap_mean(values)
    half_width = 1.96 * values.std() / 20
    assert change.low == pytest.approx(values.mean() - half_width, abs=0.05 * half_width)
    assert change.high == pytest.approx(values.mean() + half_width, abs=0.05 * half_width)


def test_pairing_makes_a_constant_gain_certain() -> None:
    base = np.random.default_rng(8).uniform(0.1, 3.0, 30)
    compared = compare(base, 0.9 * base, higher_is_better=False)
    assert compared.relative_change is not None
    assert (compared.relative_change.low, compared.relative_change.high) == (pytest.approx(-0.1), pytest.approx(-0.1))


def test_seed_decides_the_interval() -> None:
    values = np.random.default_rng(9).random(12)
    assert bootstrap_mean(values, seed=3) == bootstrap_mean(values, seed=3)
    assert bootstrap_mean(values, seed=3) != bootstrap_mean(values, seed=4)
