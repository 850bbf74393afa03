"""`building.environments`: what it does on a fresh machine, on the next run, and after an accident. No package is really installed here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from building import environments, outside_tools
from building.steps import ROOT, SetupError


class Recorder:
    """Stands for the calls to venv and pip: notes each command, makes the environment's Python, and fails where told."""

    def __init__(self, venv: Path, fail_at: str = "nothing") -> None:
        self.venv, self.fail_at, self.steps = venv, fail_at, []

    def __call__(self, command: list[str]) -> None:
        step = "venv" if "venv" in command else Path(command[command.index("-r") + 1]).name
        self.steps.append(step)
        assert step == "venv" or str(self.venv.parent / "constraints.txt") in command
        if step == self.fail_at:
            raise SetupError("the network is gone")
        if step == "venv":
            python = environments.python_of(self.venv)
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(environments, "CACHE", tmp_path / "cache")
    (tmp_path / "constraints.txt").write_text("numpy==1\n")
    return tmp_path / ".venv"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "torch.txt", tmp_path / "engine.txt"]
    for file in files:
        file.write_text(f"{file.stem}==1\n")
    return files


def prepared(venv: Path, files: list[Path], fail_at: str = "nothing") -> list[str]:
    recorder = Recorder(venv, fail_at)
    environments.prepare_venv(venv, files, recorder, constraints=venv.parent / "constraints.txt")
    return recorder.steps


def test_first_run_installs_torch_alone_and_first_and_second_run_does_nothing(venv: Path, files: list[Path]) -> None:
    assert prepared(venv, files) == ["venv", "torch.txt", "engine.txt"]
    assert prepared(venv, files) == []


@pytest.mark.parametrize("changed", ["engine.txt", "constraints.txt"])
def test_changed_pins_are_installed_into_the_environment_that_is_there(venv: Path, files: list[Path], changed: str) -> None:
    prepared(venv, files)
    (venv.parent / changed).write_text("other==2\n")
    assert prepared(venv, files) == ["torch.txt", "engine.txt"]
    assert prepared(venv, files) == []


@pytest.mark.parametrize("fail_at", ["torch.txt", "engine.txt"])
def test_interrupted_installation_begins_again_from_nothing(venv: Path, files: list[Path], fail_at: str) -> None:
    with pytest.raises(SetupError):
        prepared(venv, files, fail_at)
    assert prepared(venv, files) == ["venv", "torch.txt", "engine.txt"]


def test_interrupted_update_begins_again_from_nothing(venv: Path, files: list[Path]) -> None:
    prepared(venv, files)
    files[0].write_text("torch==2\n")
    with pytest.raises(SetupError):
        prepared(venv, files, "engine.txt")
    assert prepared(venv, files) == ["venv", "torch.txt", "engine.txt"]


def test_environment_whose_python_is_gone_is_made_again(venv: Path, files: list[Path]) -> None:
    prepared(venv, files)
    environments.python_of(venv).unlink()
    assert prepared(venv, files) == ["venv", "torch.txt", "engine.txt"]


CONCURRENT = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from building import environments
here = Path(sys.argv[2])
environments.CACHE = here / "cache"
def call(command):
    with (here / "steps").open("a") as steps:
        steps.write(command[2] + "\\n")
    time.sleep(0.3)
    python = environments.python_of(here / ".venv")
    python.parent.mkdir(parents=True, exist_ok=True)
    python.touch()
environments.prepare_venv(here / ".venv", [here / "torch.txt"], call, constraints=here / "constraints.txt")
"""


def test_two_runs_at_once_install_once(venv: Path, files: list[Path]) -> None:
    here = venv.parent
    runs = [subprocess.Popen([sys.executable, "-c", CONCURRENT, str(ROOT), str(here)], stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [run.wait(timeout=60) for run in runs] == [0, 0, 0]
    assert (here / "steps").read_text().split() == ["venv", "pip"]


def test_constraints_hold_for_every_machine() -> None:
    frozen = "numpy==2.4.6\ntorch==2.13.0+cpu\nnvidia-cublas-cu12==12.8\ntriton==3.5\nlocal @ file:///somewhere\n"
    assert environments.constraints_from_freeze(frozen).splitlines()[1:] == ["numpy==2.4.6", "torch==2.13.0"]


def test_requirements_are_pinned_and_name_no_machine() -> None:
    constrained = {line.split("==")[0].lower().replace("_", "-") for line in environments.CONSTRAINTS.read_text().splitlines() if "==" in line}
    for file in (*environments.REQUIREMENT_FILES, environments.TRAINING_FILE):
        wanted = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
        assert wanted
        for line in wanted:
            name, version = line.split("==")
            assert version[0].isdigit()
            assert name.lower().replace("_", "-") in constrained
    assert environments.REQUIREMENT_FILES[0].read_text().split() == ["torch==2.13.0"]


def test_training_packages_are_added_once_and_may_fail(venv: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "CONSTRAINTS", venv.parent / "constraints.txt")
    prepared(venv, files)
    without, failing, again = Recorder(venv), Recorder(venv, fail_at="train.txt"), Recorder(venv)
    monkeypatch.setattr(environments.shutil, "which", lambda name: None)
    environments.add_training_packages(venv, without)
    monkeypatch.setattr(environments.shutil, "which", lambda name: f"/usr/bin/{name}")
    for recorder in (failing, again, again):
        environments.add_training_packages(venv, recorder)
    assert (without.steps, failing.steps, again.steps) == ([], ["train.txt"], ["train.txt"])
    assert prepared(venv, files) == []


@pytest.mark.parametrize("version", outside_tools.BLENDERS)
def test_every_package_beside_blender_is_pinned(version: str) -> None:
    """As far as the environment is there: what pip put into it is what the file says, and nothing more."""
    wanted = [line for line in (environments.REQUIREMENTS / f"bpy-{version}.txt").read_text().splitlines() if not line.startswith("#")]
    assert f"bpy=={version}." in wanted[0]
    python = environments.python_of(outside_tools.blender_venv(version))
    if not python.exists():
        pytest.skip(f"no Blender {version} here: `build.py test` sets it up where Python is 3.11")
    frozen = subprocess.run([str(python), "-m", "pip", "freeze"], capture_output=True, text=True, check=True, timeout=60).stdout
    assert {line.lower() for line in wanted} == {line.lower() for line in frozen.splitlines()}
