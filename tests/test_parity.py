"""The reference values themselves are not ours to ship: here the checker is checked, and run where a file is at hand."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture
def reference_file(project_root: Path) -> Path:
    path = Path(os.environ.get("REDEPTH_REFERENCE", project_root.parent / "shared" / "golden" / "reference.npz"))
    if not path.is_file():
        pytest.skip("no reference values here: set REDEPTH_REFERENCE to a file of them")
    return path


@pytest.fixture(scope="session")
def checker(project_root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("parity", project_root / "tests" / "parity.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["parity"] = module  # Its dataclasses look themselves up there.
    spec.loader.exec_module(module)
    return module


def parity(project_root: Path, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, project_root / "tests" / "parity.py", path], capture_output=True, text=True, timeout=120, check=False)


def test_all_reference_values_hold(project_root: Path, reference_file: Path) -> None:
    run = parity(project_root, reference_file)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "27 of 27 keys within tolerance" in run.stdout


@pytest.mark.parametrize(
    "key", ["depth", "normals", "relight1_srgb", "smoothness_grad_raw", "sds_sds_grad", "aligned_depth", "metric_silog", "letterbox64"]
)
def test_a_changed_value_is_found(checker: ModuleType, reference_file: Path, tmp_path: Path, key: str) -> None:
    with np.load(reference_file) as arrays:
        changed = {name: arrays[name] for name in arrays}
    changed[key] = changed[key] + 1e-3
    np.savez(tmp_path / "changed.npz", **changed)
    assert key in {check.key for check in checker.check_file(tmp_path / "changed.npz") if not check.holds}


def test_a_key_that_nothing_checks_fails(checker: ModuleType, reference_file: Path, tmp_path: Path) -> None:
    with np.load(reference_file) as arrays:
        np.savez(tmp_path / "more.npz", **{name: arrays[name] for name in arrays}, novelty=np.zeros(3))
    assert [check.key for check in checker.check_file(tmp_path / "more.npz") if not check.holds] == ["novelty (unchecked)"]


def test_a_file_without_values_is_said(project_root: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "empty.npz", nothing=np.zeros(1))
    for name, says in (("empty.npz", "not a file of reference values"), ("none.npz", "does not exist")):
        run = parity(project_root, tmp_path / name)
        assert run.returncode == 2
        assert says in run.stderr
        assert "Traceback" not in run.stderr
