"""What a process of the engine sets before it imports torch."""

from __future__ import annotations

import gc
import os

import pytest

from engine.startup import before_torch


@pytest.fixture(autouse=True)
def own_collector():
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_threads_wait_briefly_and_garbage_is_sought_seldom(monkeypatch):
    monkeypatch.delenv("GOMP_SPINCOUNT")
    usual = gc.get_threshold()[0]
    before_torch()
    assert os.environ["GOMP_SPINCOUNT"] == "2000"
    assert gc.isenabled()
    assert gc.get_threshold()[0] >= 10 * usual


def test_what_the_user_set_stands(monkeypatch):
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    before_torch()
    assert os.environ["GOMP_SPINCOUNT"] == "7"
