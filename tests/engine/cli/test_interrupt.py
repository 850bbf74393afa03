"""Ctrl-C, sent to this very process."""

from __future__ import annotations

import signal

import pytest

from engine.cli.interrupt import StopOnInterrupt


def test_first_asks_second_aborts(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with StopOnInterrupt() as stop:
        assert not stop.requested()
        signal.raise_signal(signal.SIGINT)
        assert stop.requested()
        assert "Stopping after this step" in capfd.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_handler_is_given_back_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="inside"), StopOnInterrupt():
        raise ValueError("inside")
    assert signal.getsignal(signal.SIGINT) is before
