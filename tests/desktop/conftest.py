"""The viewer without a display: real widgets on Qt's offscreen platform, a real engine in a home of its own, real files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # before anything makes the application

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.app import Viewer, make_application
from desktop.state.comparison import Comparison
from desktop.views.keeping import Keeping
from engine.api.client import EngineClient
from engine.api.errors import EngineUnavailableError

SETTLE_MS = 60_000


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of one engine for all tests here, which is ended after them."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDEPTH_HOME", str(folder))
        yield folder
        with suppress(EngineUnavailableError), EngineClient.connect(start=False) as client:
            client.shutdown()


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    return make_application()


@pytest.fixture
def make_viewer(home: Path, qapp: QApplication, tmp_path: Path) -> Iterator[Callable[[], Viewer]]:
    """Make viewers that keep their settings in one file of this test; those still open in the end are closed."""
    made: list[Viewer] = []

    def make() -> Viewer:
        viewer = Viewer(qapp, Keeping(tmp_path / "viewer.ini"), theme="dark", finds_models=False)
        viewer.window.resize(1300, 860)
        viewer.window.show()
        made.append(viewer)
        return viewer

    yield make
    for viewer in made:
        viewer.window.close()
        viewer.window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # or every new style would be given to all old windows too


@pytest.fixture
def viewer(make_viewer: Callable[[], Viewer]) -> Viewer:
    return make_viewer()


@pytest.fixture
def settle(qtbot: QtBot) -> Callable[[Viewer], None]:
    """Wait until everything that was asked of a viewer is on its screen."""

    def wait(viewer: Viewer) -> None:
        rests = 0

        def rested() -> bool:
            nonlocal rests
            rests = rests + 1 if viewer.refining.is_settled else 0
            return rests > 2

        qtbot.waitUntil(rested, timeout=SETTLE_MS)

    return wait


@pytest.fixture
def open_in(settle: Callable[[Viewer], None]) -> Callable[..., None]:
    """Open paths in a viewer and wait until they are shown, or refused in words."""

    def open_paths(viewer: Viewer, *paths: Path) -> None:
        viewer.session.open(paths)
        settle(viewer)

    return open_paths


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Path:
    """The sample, small: 240 x 180 pixels."""
    path = tmp_path_factory.mktemp("pictures") / "still life.jpg"
    with Image.open(project_root / "samples" / "still_life.jpg") as sample:
        sample.resize((240, 180)).save(path, quality=92)
    return path


@pytest.fixture(scope="session")
def other_picture(picture: Path) -> Path:
    """Another picture beside it, as another job would refine."""
    path = picture.with_name("mirrored.png")
    with Image.open(picture) as shown:
        shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    return path


@pytest.fixture(scope="session")
def result_folder(home: Path, picture: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished output folder, as the command line writes it; without the gate, which might keep nothing of so few steps."""
    from engine.api.settings import MeshSettings, settings_from_preset
    from engine.export.folder import write_result_folder

    folder = tmp_path_factory.mktemp("output") / "still life"
    with EngineClient.connect() as client:
        result = client.submit(picture, settings_from_preset("default", steps=4, members=2, gate=False)).result(timeout_s=150)
    write_result_folder(result, folder, MeshSettings(long_side_vertices=64))
    return folder


@pytest.fixture
def comparison() -> Comparison:
    """A ramp against the same ramp with a bump: 48 x 32 pixels."""
    return ramp_and_bump()


def ramp_and_bump(width: int = 48, height: int = 32) -> Comparison:
    """Return a ramp that gets nearer to the right, and the same with a bump of 0.2 at its upper left ninth."""
    base = np.repeat(np.linspace(1, 2, width, dtype=np.float32)[None], height, axis=0)
    refined = base.copy()
    refined[: height // 3, : width // 3] += 0.2
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.arange(width)
    return Comparison(
        name="ramp",
        image_srgb=picture,
        disparity_base=base,
        disparity_refined=refined,
        label_base="Ramp",
        label_refined="Ramp with a bump",
        uncertainty=np.full((height, width), 0.01, np.float32),
        fov_deg=50.0,
    )


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """Copy a file or folder into the test's own folder."""

    def copy(path: Path) -> Path:
        target = tmp_path / path.name
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            shutil.copy(path, target)
        return target

    return copy
