"""A short soak; a long one is ``python tests/soak.py --kills 1000``."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.engine.service.toys import ROOT


@pytest.mark.slow
def test_random_kills_lose_no_job() -> None:
    command = [sys.executable, str(ROOT / "tests" / "soak.py"), "--kills", "8", "--seed", "3"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.startswith("8 kills"), run.stdout
    assert "0 lost" in run.stdout
