"""`installing.downloads`: how far pip has come, from real lines of pip and the files that it leaves on its way."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.blender_addon.staged import NAME

downloads = importlib.import_module(f"{NAME}.installing.downloads")


def test_a_large_download_is_told_in_megabytes(tmp_path: Path) -> None:
    pip = downloads.Downloads(tmp_path / "temporary", tmp_path / "environment", 1)
    assert pip.state() == ("", 0.0)
    pip.hear("Collecting torch==2.13.0")
    pip.hear("  Downloading https://download.pytorch.org/whl/cpu/torch-2.13.0%2Bcpu-cp311-cp311-linux_x86_64.whl (200.0 MB)".strip())
    before = pip.growth()
    part = tmp_path / "temporary" / "pip-unpack-x" / "torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl"
    part.parent.mkdir(parents=True)
    with part.open("wb") as file:
        file.truncate(50_000_000)
    words, fraction = pip.state()
    assert words == "torch, 50 of 200 MB"
    assert fraction == pytest.approx(0.25 * 0.7)
    assert pip.growth() == before + 50_000_000
    part.unlink()
    pip.hear("Downloading markupsafe-3.0.4-cp311-cp311-manylinux2014_x86_64.whl (22 kB)")
    assert pip.state()[0] == "markupsafe"


@pytest.mark.parametrize("site", ["lib/python3.11/site-packages", "Lib/site-packages"])
def test_unpacking_is_counted_in_packages(tmp_path: Path, site: str) -> None:
    (tmp_path / site / "pip-23.2.1.dist-info").mkdir(parents=True)
    pip = downloads.Downloads(tmp_path / "temporary", tmp_path, 4)
    for name in ("a", "b", "c", "d"):
        pip.hear(f"Collecting {name}==1")
    assert pip.state() == ("", pytest.approx(0.7))
    pip.hear("Installing collected packages: a, b, c, d")
    assert pip.state() == ("unpacking, 0 of 4", pytest.approx(0.7))
    before = pip.growth()
    for count, name in enumerate(("a", "b", "c", "d"), start=1):
        (tmp_path / site / f"{name}-1.dist-info").mkdir()
        assert pip.state() == (f"unpacking, {count} of 4", pytest.approx(0.7 + 0.3 * count / 4))
        assert pip.growth() == before + count
