"""Engines of their own for tests: real processes, each with a home of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.api.client import EngineClient
from engine.api.folders import find_folders
from engine.service.revisions import Revisions
from tests.engine.service.toys import ToyEngine, settings


@pytest.fixture(scope="session")
def revisions_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one look at the embedded weights gives, so that not every new home looks."""
    path = tmp_path_factory.mktemp("revisions") / "revisions.json"
    Revisions(path).of(settings())
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, revisions_file: Path) -> Path:
    """A home for one test; whatever engine is still there in the end is killed."""
    folder = tmp_path / "home"
    monkeypatch.setenv("REDEPTH_HOME", str(folder))
    find_folders().make()
    shutil.copy(revisions_file, folder)
    return folder


@pytest.fixture
def toy(home: Path) -> Iterator[ToyEngine]:
    engine = ToyEngine(home)
    yield engine
    engine.end()


@pytest.fixture
def client(toy: ToyEngine) -> Iterator[EngineClient]:
    with toy.start() as client:
        yield client


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of 96 x 64 pixels."""
    path = tmp_path_factory.mktemp("pictures") / "Käse & Brot.png"
    rows, columns = np.mgrid[0:64, 0:96]
    Image.fromarray(np.stack([rows * 3, columns * 2, rows + columns], axis=-1).astype(np.uint8)).save(path)
    return path
