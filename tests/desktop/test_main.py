"""The command line of the viewer, as its own process without a display."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop.__main__ import make_parser, parse_size
from desktop.views.theme import THEMES

pytestmark = pytest.mark.gui

RUN_S = 150


def run(project_root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    command = [sys.executable, "-m", "desktop", *arguments]
    return subprocess.run(command, cwd=project_root, env=environment, capture_output=True, text=True, timeout=RUN_S, check=False)


@pytest.mark.parametrize(("theme", "size"), [("dark", (1300, 840)), ("light", (1500, 940))])
def test_a_screenshot_shows_the_result_at_the_size_and_in_the_theme_asked_for(
    project_root: Path, result_folder: Path, tmp_path: Path, theme: str, size: tuple[int, int]
) -> None:
    picture = tmp_path / "window.png"
    done = run(project_root, "--screenshot", str(picture), "--size", f"{size[0]}x{size[1]}", "--theme", theme, str(result_folder))
    assert (done.returncode, done.stderr) == (0, "")
    with Image.open(picture) as shown:
        assert shown.size == size
        pixels = np.asarray(shown.convert("RGB"))
    window = tuple(int(THEMES[theme].window[at : at + 2], 16) for at in (1, 3, 5))  # type: ignore[index]
    assert tuple(pixels[-3, size[0] // 2]) == window
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 2000
    text_rows = pixels[:24, :300].astype(int).max(axis=2)
    assert np.ptp(text_rows) > 100, "no text is drawn: are there fonts?"


def test_a_file_that_cannot_be_opened_ends_with_a_sentence(project_root: Path, home: Path, tmp_path: Path) -> None:
    done = run(project_root, "--screenshot", str(tmp_path / "window.png"), str(tmp_path / "gone.jpg"))
    assert done.returncode == 2
    assert done.stderr == f"There is no file {tmp_path / 'gone.jpg'}. Check the spelling and the folder.\n"
    assert not (tmp_path / "window.png").exists()


def test_an_unknown_job_is_said(project_root: Path, home: Path, result_folder: Path, tmp_path: Path) -> None:
    done = run(project_root, "--screenshot", str(tmp_path / "window.png"), "--job", "abcdef")
    assert done.returncode == 7
    assert "abcdef" in done.stderr


def test_help_needs_no_qt(project_root: Path) -> None:
    code = "import sys; from desktop.__main__ import main; sys.modules['PySide6'] = None\ntry: main(['--help'])\nexcept SystemExit: pass"
    done = subprocess.run([sys.executable, "-c", code], cwd=project_root, capture_output=True, text=True, timeout=60, check=True)
    assert "--screenshot" in done.stdout


@pytest.mark.parametrize("text", ["1600", "10x10", "axb", "99999x99999"])
def test_a_size_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make_parser().parse_args(["--size", text])
    assert "size" in capsys.readouterr().err
    assert parse_size("1600x1000") == (1600, 1000)
