"""`build.py`: what its commands take and say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import build

BUILD = Path(build.__file__)


@pytest.mark.parametrize(
    ("arguments", "picture", "output", "options"),
    [
        ([], build.SAMPLE, build.ROOT / "output" / "still_life", []),
        (["photo.jpg"], Path("photo.jpg"), build.ROOT / "output" / "photo", []),
        (["a/photo.jpg", "--output", "there"], Path("a/photo.jpg"), Path("there"), []),
        (["--output=there", "--preset", "quick"], build.SAMPLE, Path("there"), ["--preset", "quick"]),
        (["photo.jpg", "--seed", "7", "--output", "there", "--steps", "3"], Path("photo.jpg"), Path("there"), ["--seed", "7", "--steps", "3"]),
        (["--no-viewer", "photo.jpg"], Path("photo.jpg"), build.ROOT / "output" / "photo", []),
        (["--output", "there", "photo.jpg", "--steps", "3"], Path("photo.jpg"), Path("there"), ["--steps", "3"]),
        (["photo.jpg", "--output"], Path("photo.jpg"), build.ROOT / "output" / "photo", ["--output"]),
    ],
)
def test_run_takes_a_picture_an_output_folder_and_the_engines_options(arguments: list[str], picture: Path, output: Path, options: list[str]) -> None:
    assert build.split_run_arguments(arguments)[:3] == (Path.cwd() / picture, Path.cwd() / output, options)


@pytest.mark.parametrize(
    ("environment", "platform", "display"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_the_viewer_needs_a_display(environment: dict[str, str], platform: str, display: bool) -> None:
    assert build.has_display(environment, platform) is display


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Commands of the environment's Python, which are noted and not run; nothing is set up."""
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(build, "set_up", lambda *needs: None)
    monkeypatch.setattr(build, "engine_call", lambda *arguments, cwd=None: calls.append(arguments) or 0)
    return calls


def test_run_opens_its_results_in_the_viewer_where_there_is_a_display(calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "has_display", lambda: True)
    assert build.main(["run", "photo.jpg", "--output", "/there", "--preset", "quick"]) == 0
    refine = ("-m", "engine", "refine", str(Path.cwd() / "photo.jpg"), "--output", str(Path("/there").absolute()), "--preset", "quick")
    assert calls == [refine, ("-m", "desktop", str(Path("/there").absolute()))]
    calls.clear()
    assert build.main(["run", "photo.jpg", "--output", "/there", "--no-viewer", "--preset", "quick"]) == 0
    assert calls == [refine]
    calls.clear()
    monkeypatch.setattr(build, "has_display", lambda: False)
    assert build.main(["run", "photo.jpg", "--output", "/there", "--preset", "quick"]) == 0
    assert calls == [refine]


def test_run_that_failed_opens_nothing_and_keeps_its_status(calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "has_display", lambda: True)
    monkeypatch.setattr(build, "engine_call", lambda *arguments, cwd=None: calls.append(arguments) or 2)
    assert build.main(["run", "photo.jpg"]) == 2
    assert len(calls) == 1


def test_run_without_the_libraries_of_a_window_says_how_to_do_without(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(*needs: object) -> None:
        raise build.system_packages.MissingPackagesError("libxcb-cursor0 is missing.")

    monkeypatch.setattr(build, "set_up", refuse)
    monkeypatch.setattr(build, "has_display", lambda: True)
    assert build.main(["run"]) == 1
    assert "--no-viewer" in capsys.readouterr().err
    assert build.main(["run", "--no-viewer"]) == 1
    assert "--no-viewer" not in capsys.readouterr().err


def test_viewer_hands_its_arguments_on(calls: list[tuple[str, ...]]) -> None:
    assert build.main(["viewer", "a.jpg", "--theme", "dark"]) == 0
    assert calls == [("-m", "desktop", "a.jpg", "--theme", "dark")]


def test_addon_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert build.main(["addon", "--outptu", "x.zip"]) == 1
    assert "--outptu" in capsys.readouterr().err


def started(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(BUILD), *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_help_and_unknown_commands_from_any_folder(tmp_path: Path) -> None:
    usage = started(cwd=tmp_path)
    assert usage.returncode == 0
    assert all(f"build.py {name}" in usage.stdout for name in build.COMMANDS)
    assert started("run", "--help", cwd=tmp_path).stdout == usage.stdout
    unknown = started("rum", cwd=tmp_path)
    assert unknown.returncode == 2
    assert unknown.stderr == "There is no command 'rum'. There are: run, viewer, addon, test, check, bench, lock.\n"


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
