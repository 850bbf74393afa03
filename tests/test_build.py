"""`build.py`: what it does on a fresh machine, on the next run, and after an accident. No package is really installed here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import build

BUILD = Path(build.__file__)


class Recorder:
    """Stands for the calls to venv and pip: notes each command, makes the environment's Python, and fails where told."""

    def __init__(self, venv: Path, fail_at: str = "nothing") -> None:
        self.venv, self.fail_at, self.steps = venv, fail_at, []

    def __call__(self, command: list[str]) -> None:
        step = "venv" if "venv" in command else Path(command[command.index("-r") + 1]).name
        self.steps.append(step)
        assert step == "venv" or str(build.CONSTRAINTS) in command
        if step == self.fail_at:
            raise build.SetupError("the network is gone")
        if step == "venv":
            python = build.python_of(self.venv)
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(build, "CONSTRAINTS", tmp_path / "constraints.txt")
    build.CONSTRAINTS.write_text("numpy==1\n")
    return tmp_path / ".venv"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "torch.txt", tmp_path / "engine.txt"]
    for file in files:
        file.write_text(f"{file.stem}==1\n")
    return files


def prepared(venv: Path, files: list[Path], fail_at: str = "nothing") -> list[str]:
    recorder = Recorder(venv, fail_at)
    build.prepare_venv(venv, files, recorder)
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
    with pytest.raises(build.SetupError):
        prepared(venv, files, fail_at)
    assert prepared(venv, files) == ["venv", "torch.txt", "engine.txt"]


def test_interrupted_update_begins_again_from_nothing(venv: Path, files: list[Path]) -> None:
    prepared(venv, files)
    files[0].write_text("torch==2\n")
    with pytest.raises(build.SetupError):
        prepared(venv, files, "engine.txt")
    assert prepared(venv, files) == ["venv", "torch.txt", "engine.txt"]


def test_environment_whose_python_is_gone_is_made_again(venv: Path, files: list[Path]) -> None:
    prepared(venv, files)
    build.python_of(venv).unlink()
    assert prepared(venv, files) == ["venv", "torch.txt", "engine.txt"]


CONCURRENT = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import build
here = Path(sys.argv[2])
build.CACHE, build.CONSTRAINTS = here / "cache", here / "constraints.txt"
def call(command):
    with (here / "steps").open("a") as steps:
        steps.write(command[2] + "\\n")
    time.sleep(0.3)
    python = build.python_of(here / ".venv")
    python.parent.mkdir(parents=True, exist_ok=True)
    python.touch()
build.prepare_venv(here / ".venv", [here / "torch.txt"], call)
"""


def test_two_runs_at_once_install_once(venv: Path, files: list[Path]) -> None:
    here = venv.parent
    runs = [subprocess.Popen([sys.executable, "-c", CONCURRENT, str(BUILD.parent), str(here)], stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [run.wait(timeout=60) for run in runs] == [0, 0, 0]
    assert (here / "steps").read_text().split() == ["venv", "pip"]


def no_library(name: str) -> None:
    raise OSError(f"{name}: cannot open shared object file")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems' wheels bring all they need")
def test_missing_libraries_become_debian_packages() -> None:
    assert build.missing_packages(load=no_library) == list(build.SYSTEM_LIBRARIES.values())
    assert build.missing_packages(load=lambda name: None) == []
    version = f"python3.{sys.version_info[1]}-venv"
    assert build.missing_packages(load=lambda name: None, find=lambda name: None) == [version]


def test_root_on_debian_installs_missing_packages_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(build.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(build.os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(build, "call", commands.append)
    monkeypatch.setenv("DEBIAN_FRONTEND", "dialog")
    build.install_system_packages(["zlib1g"])
    assert [" ".join(command) for command in commands] == [
        "apt-get -o DPkg::Lock::Timeout=300 update",
        "apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends zlib1g",
    ]
    assert os.environ["DEBIAN_FRONTEND"] == "noninteractive"


def test_others_are_given_the_line_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(build.os, "geteuid", lambda: 1000, raising=False)
    line = "sudo apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends libstdc++6 zlib1g"
    with pytest.raises(build.SetupError, match=line.replace("+", r"\+")):
        build.install_system_packages(["libstdc++6", "zlib1g"])
    monkeypatch.setattr(build.shutil, "which", lambda name: None)
    with pytest.raises(build.SetupError, match="zlib1g"):
        build.install_system_packages(["zlib1g"])


@pytest.mark.parametrize(
    ("arguments", "picture", "output", "options"),
    [
        ([], build.SAMPLE, build.ROOT / "output" / "still_life", []),
        (["photo.jpg"], Path("photo.jpg"), build.ROOT / "output" / "photo", []),
        (["a/photo.jpg", "--output", "there"], Path("a/photo.jpg"), Path("there"), []),
        (["--output=there", "--preset", "quick"], build.SAMPLE, Path("there"), ["--preset", "quick"]),
        (["photo.jpg", "--seed", "7", "--output", "there", "--steps", "3"], Path("photo.jpg"), Path("there"), ["--seed", "7", "--steps", "3"]),
        (["photo.jpg", "--output"], Path("photo.jpg"), build.ROOT / "output" / "photo", ["--output"]),
    ],
)
def test_run_takes_a_picture_an_output_folder_and_the_engines_options(arguments: list[str], picture: Path, output: Path, options: list[str]) -> None:
    assert build.split_run_arguments(arguments) == (Path.cwd() / picture, Path.cwd() / output, options)


def test_constraints_hold_for_every_machine() -> None:
    frozen = "numpy==2.4.6\ntorch==2.13.0+cpu\nnvidia-cublas-cu12==12.8\ntriton==3.5\nlocal @ file:///somewhere\n"
    assert build.constraints_from_freeze(frozen).splitlines()[1:] == ["numpy==2.4.6", "torch==2.13.0"]


def test_requirements_are_pinned_and_name_no_machine() -> None:
    constrained = {line.split("==")[0].lower().replace("_", "-") for line in build.CONSTRAINTS.read_text().splitlines() if "==" in line}
    for file in build.REQUIREMENT_FILES:
        wanted = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
        assert wanted
        for line in wanted:
            name, version = line.split("==")
            assert version[0].isdigit()
            assert name.lower().replace("_", "-") in constrained
    assert build.REQUIREMENT_FILES[0].read_text().split() == ["torch==2.13.0"]


def started(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(BUILD), *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_help_and_unknown_commands_from_any_folder(tmp_path: Path) -> None:
    usage = started(cwd=tmp_path)
    assert usage.returncode == 0
    assert all(f"build.py {name}" in usage.stdout for name in build.COMMANDS)
    assert started("run", "--help", cwd=tmp_path).stdout == usage.stdout
    unknown = started("rum", cwd=tmp_path)
    assert unknown.returncode == 2
    assert unknown.stderr == "There is no command 'rum'. There are: run, test, check, bench, lock.\n"


def test_set_up_leaves_stdout_alone_and_a_failed_step_says_what_to_do_next(capfd: pytest.CaptureFixture[str]) -> None:
    build.call([sys.executable, "-c", "print('progress')"])
    with pytest.raises(build.SetupError, match=r"(?s)ended with status 3.*run the same command again"):
        build.call([sys.executable, "-c", "raise SystemExit(3)"])
    assert capfd.readouterr() == ("", "progress\n")


def test_engine_call_keeps_the_users_folder_and_the_exit_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "python_of", lambda venv: Path(sys.executable))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "engine.py").write_text("raise SystemExit('the wrong engine')")
    code = "import engine, pathlib; pathlib.Path('made').touch(); raise SystemExit(7 if engine.__version__ else 1)"
    assert build.engine_call("-c", code) == 7
    assert (tmp_path / "made").exists()
