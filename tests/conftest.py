"""What every test starts from: no network unless asked for, fixed seeds, and numpy that raises where it would warn."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest

PROJECT_ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as `engine.startup` sets it; read once, when torch is imported
ASK_HUB = os.environ.get("REDEPTH_HUB") == "1"
if not ASK_HUB:
    os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports huggingface_hub, which reads it once


@pytest.fixture(autouse=True)
def same_start_for_every_test() -> None:
    """Seed the global generators and let no overflow, division by zero, underflow or NaN pass in numpy."""
    random.seed(0)
    np.random.seed(0)
    np.seterr(all="raise")
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def project_root() -> Path:
    return PROJECT_ROOT


@pytest.fixture(scope="session")
def photos_folder() -> Path:
    """A folder of real photographs with measured depth and their manifest.json; they do not ship with the project."""
    folder = Path(os.environ.get("REDEPTH_PHOTOS", PROJECT_ROOT.parent / "shared" / "photos"))
    if not (folder / "manifest.json").is_file():
        pytest.skip("no photographs here: set REDEPTH_PHOTOS to a folder with a manifest.json")
    return folder


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("hub") and not ASK_HUB:
        pytest.skip("asks the hub over the network: set REDEPTH_HUB=1")
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device here")
