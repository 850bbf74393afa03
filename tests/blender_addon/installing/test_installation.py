"""`installing.Installation`, with real environments and real pip, from folders of small wheels."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import engine
from building.wheel import build_wheel
from tests.blender_addon.installing.toys import TORCH, alive, copying_python, engine_wheel, hanging_python, torch_wheel, until
from tests.blender_addon.staged import NAME

installing: ModuleType = importlib.import_module(f"{NAME}.installing")
on_unix = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are programs for sh")


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    torch_wheel(folder)
    return folder


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing in it but pip."""
    folder = tmp_path_factory.mktemp("template")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    return folder


@pytest.fixture
def plan(tmp_path: Path, packages: Path, template: Path) -> Any:
    carried = tmp_path / "carried"
    carried.mkdir()
    engine_wheel(carried)
    (carried / "constraints.txt").write_text(f"# versions\ntorch=={TORCH}\n")
    python = Path(sys.executable) if sys.platform == "win32" else copying_python(tmp_path / "copying-python", template)
    return installing.plan_from_carried(carried, python=python, packages=packages)


def ended(installation: Any, timeout_s: float = 60.0) -> Any:
    until(lambda: not installation.poll().running, timeout_s)
    return installation.poll()


def installed(plan: Any) -> Any:
    installation = installing.Installation(plan)
    installation.start()
    return ended(installation)


def test_environment_is_made_checked_and_marked_then_only_checked_and_made_anew_where_it_no_longer_works(plan: Any, apart: Path) -> None:
    installation = installing.Installation(replaced(plan, python=Path(sys.executable)))
    assert installation.poll().outcome == "waiting"
    installation.start()
    states = [installation.poll()]
    while states[-1].running:
        states.append(installation.poll())
        time.sleep(0.005)
    final = states[-1]
    assert final.outcome == "done", installation.report()
    assert list(dict.fromkeys(state.phase for state in states)) == ["choose", "environment", "torch", "packages", "check"]
    fractions = [state.fraction for state in states]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    python = installing.python_in(apart / "environment")
    assert final.environment == installing.Environment(
        python=python, version=engine.__version__, python_version=sys.version.split()[0], torch_version=f"{TORCH}+toy", device="a toy"
    )
    assert final.environment.fits
    assert installing.read_stamp(apart / "environment").version == engine.__version__
    assert not (apart / "environment" / "redepth-temporary").exists()
    assert f"torch {TORCH}+toy" in installation.report()

    again = installing.Installation(plan)
    again.start()
    assert ended(again).environment == final.environment
    assert "pip install" not in again.report()

    (torch,) = python.parents[1].rglob("site-packages/torch/__init__.py")
    torch.write_text("raise ImportError('half of it is gone')")
    repair = installing.Installation(plan)
    repair.start()
    assert ended(repair).environment == final.environment
    assert "half of it is gone" in repair.report()


def test_engine_that_does_not_start_is_no_installation(plan: Any, apart: Path) -> None:
    engine_wheel(plan.wheel.parent, code="raise OSError('libsomething.so: cannot open shared object file')")
    state = installed(plan)
    assert (state.outcome, state.error.code) == ("failed", "engine.install.broken")
    assert "libsomething.so" in state.error.sentence
    assert installing.read_stamp(apart / "environment") is None


def test_missing_package_is_named_in_the_report(plan: Any, packages: Path, apart: Path) -> None:
    (wheel,) = packages.iterdir()
    wheel.rename(packages.parent / wheel.name)
    installation = installing.Installation(plan)
    installation.start()
    state = ended(installation)
    assert (state.outcome, state.phase, state.error.code) == ("failed", "torch", "engine.install.no_package")
    report = installation.report()
    assert f"torch=={TORCH}" in report
    assert state.error.hint in report
    assert installing.read_stamp(apart / "environment") is None


def test_unreachable_index_is_said_in_words(plan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    builds = importlib.import_module(f"{NAME}.installing.torch_builds")
    monkeypatch.setattr(builds, "PYTORCH_INDEX", "http://127.0.0.1:9/whl")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 10**12}))
    state = installed(replaced(plan, packages=None, torch="cpu"))
    assert (state.outcome, state.phase, state.error.code) == ("failed", "torch", "engine.install.network")


def replaced(plan: Any, **changes: Any) -> Any:
    return installing.Plan(**{**{name: getattr(plan, name) for name in plan.__dataclass_fields__}, **changes})


@on_unix
def test_cancel_ends_the_child_and_its_own_children_and_the_next_try_succeeds(plan: Any, tmp_path: Path, apart: Path) -> None:
    notes = tmp_path / "pids"
    installation = installing.Installation(replaced(plan, python=hanging_python(tmp_path / "python", notes)))
    installation.start()
    until(lambda: notes.exists() and len(notes.read_text().split()) == 2)
    pids = [int(pid) for pid in notes.read_text().split()]
    assert all(alive(pid) for pid in pids)
    installation.cancel()
    state = ended(installation, 10)
    assert (state.outcome, state.phase, state.error.code) == ("cancelled", "environment", "cancelled")
    until(lambda: not any(alive(pid) for pid in pids), 5)
    assert installing.read_stamp(apart / "environment") is None
    assert installed(plan).outcome == "done"


@on_unix
def test_step_without_a_sign_of_life_is_ended(plan: Any, tmp_path: Path) -> None:
    notes = tmp_path / "pids"
    state = installed(replaced(plan, python=hanging_python(tmp_path / "python", notes), stall_s=0.5))
    assert (state.outcome, state.error.code) == ("failed", "engine.install.stalled")
    until(lambda: not any(alive(int(pid)) for pid in notes.read_text().split()), 5)


@on_unix
def test_one_installation_at_a_time(plan: Any, tmp_path: Path) -> None:
    notes = tmp_path / "pids"
    first = installing.Installation(replaced(plan, python=hanging_python(tmp_path / "python", notes)))
    first.start()
    until(notes.exists)
    second = installed(plan)
    assert (second.outcome, second.error.code) == ("failed", "engine.install.busy")
    first.cancel()
    assert ended(first, 10).outcome == "cancelled"


def test_folder_that_holds_something_else_is_left_alone(plan: Any, apart: Path) -> None:
    keepsake = apart / "environment" / "thesis.txt"
    keepsake.parent.mkdir(parents=True)
    keepsake.write_text("years of work")
    state = installed(plan)
    assert (state.outcome, state.error.code) == ("failed", "engine.install.folder")
    assert keepsake.read_text() == "years of work"


def test_environment_of_an_older_add_on_is_cleared_before_another_is_made(tmp_path: Path) -> None:
    room = importlib.import_module(f"{NAME}.installing.room")
    folder = tmp_path / "environment"
    (folder / "lib").mkdir(parents=True)
    (folder / "redepth-installation.json").write_text("{}")
    room.clear(folder)
    (mark,) = folder.iterdir()
    room.clear(folder)  # as after an interruption at this point
    assert list(folder.iterdir()) == [mark]


def test_full_disk_is_told_before_anything_is_fetched(plan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 10**9}))
    state = installed(plan)
    assert (state.outcome, state.phase, state.error.code) == ("failed", "choose", "engine.install.disk_full")
    assert "1.0 GB free" in state.error.sentence


def test_add_on_without_an_engine_says_how_to_get_one(tmp_path: Path) -> None:
    errors = importlib.import_module(f"{NAME}.engine.api.errors")
    with pytest.raises(errors.EngineError, match=r"build\.py addon"):
        installing.plan_from_carried(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(os.environ.get("REDEPTH_INSTALL") != "1", reason="installs gigabytes over the network: set REDEPTH_INSTALL=1")
def test_true_engine_is_installed_from_the_index_and_refines(tmp_path: Path, apart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("REDEPTH_HOME", str(apart))
    carried = tmp_path / "carried"
    build_wheel(carried)
    (carried / "constraints.txt").write_bytes((Path(engine.__file__).parents[1] / "requirements" / "constraints.txt").read_bytes())
    installation = installing.Installation(installing.plan_from_carried(carried, torch="pip"))
    installation.start()
    state = ended(installation, 1500)
    assert state.outcome == "done", installation.report()

    clients = importlib.import_module(f"{NAME}.engine.api.client")
    settings = importlib.import_module(f"{NAME}.engine.api.settings")
    picture = Path(engine.__file__).parents[1] / "samples" / "still_life.jpg"
    with clients.EngineClient.connect(python=state.environment.python) as client:
        result = client.submit(picture, settings.settings_from_preset("quick")).result(timeout_s=300)
        assert result.disparity_refined.shape == result.disparity_base.shape
        client.shutdown()
