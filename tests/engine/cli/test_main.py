"""The frame: help without torch, and every error as words and a status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.api import errors
from engine.cli.installed import InstalledEngine
from engine.cli.main import main

ROOT = Path(__file__).resolve().parents[3]


class FailingEngine(InstalledEngine):
    """Raises what it is told to."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def list_models(self) -> list:
        raise self.error


@pytest.mark.parametrize("verb", ["", "refine", "evaluate", "models", "models get", "jobs", "jobs show", "jobs remove", "serve"])
def test_help_reads_and_ends_well(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*verb.split(), "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"usage: python -m engine {verb}".strip() in shown
    assert "==SUPPRESS==" not in shown


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from engine.cli.main import main\ntry: main(['refine', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'diffusers', 'numpy', 'rich', 'PIL'} & set(sys.modules); print(heavy, file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stderr.strip() == "set()"


def test_listing_models_does_not_import_torch() -> None:
    code = "import sys; from engine.cli.main import main; main(['models']); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60, check=True)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "The following arguments are required: VERB."),
        (["bake"], "invalid choice: 'bake'"),
        (["refine"], "required: PICTURE, --output"),
        (["refine", "a.png", "--output", "b", "--steps", "few"], "--steps: invalid int value: 'few'"),
        (["refine", "a.png", "--output", "b", "--preset", "best"], "--preset: invalid choice: 'best'"),
        (["refine", "a.png", "--output", "b", "--step", "3"], "Unrecognized arguments: --step 3"),
        (["refine", "a.png", "--output", "b", "--steps", "0"], "steps is 0, outside 1 to 100000."),
        (["refine", "a.png", "--output", "b", "--fov", "200"], "fov_deg is 200.0, outside 1 to 170."),
        (["models", "take"], "invalid choice: 'take'"),
    ],
)
def test_wrong_requests(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    shown, told = capsys.readouterr()
    assert said in told
    assert told.startswith("Error: ")
    assert len(told.splitlines()) == 2
    assert shown == ""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.PictureError("It is torn.", hint="Mend it."), 2),
        (errors.OutputError("No room.", hint="Make some."), 3),
        (errors.DownloadError("No network.", hint="Plug it in."), 4),
        (errors.OutOfMemoryError("Too large.", hint="Be modest."), 5),
        (errors.NumericalError("Not a number.", hint="Use numbers."), 6),
        (errors.CancelledError("Stopped.", hint="Go on."), 130),
    ],
)
def test_foreseen_errors_are_two_lines_and_a_status(error: errors.RedepthError, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"], engine=FailingEngine(error)) == status
    assert capsys.readouterr() == ("", f"Error: {error.sentence}\n{error.hint}\n")


def test_errors_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    error = errors.DownloadError("No network.", hint="Plug it in.")
    assert main(["models", "--json-events"], engine=FailingEngine(error)) == 4
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"event": "error", "kind": "DownloadError", "code": "model.download", "sentence": "No network.", "hint": "Plug it in."}


def test_faults_leave_a_log_and_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"], engine=FailingEngine(ZeroDivisionError("by nought"))) == 70
    told = capsys.readouterr().err
    assert "ZeroDivisionError: by nought" in told
    assert "Traceback" not in told
    log = Path(next(word for word in told.replace(";", " ").split() if word.endswith(".log")))
    assert "raise self.error" in log.read_text(encoding="utf-8")
    log.unlink()


def test_interrupt_outside_the_work_aborts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"], engine=FailingEngine(KeyboardInterrupt())) == 130
    assert "Aborted" in capsys.readouterr().err


def test_reader_of_stdout_that_leaves_is_no_fault() -> None:
    code = (
        "import sys; from engine.cli.main import main; from engine.cli.installed import InstalledEngine; import pathlib\n"
        "class Endless(InstalledEngine):\n"
        "    def list_models(self): return []\n"
        "    def fetch_model(self, name, on_progress):\n"
        "        while True: on_progress(1, 2)\n"
        "sys.exit(main(['models', 'get', 'x/y', '--json-events'], engine=Endless()))"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        told = running.stderr.read()
        assert running.wait(timeout=30) == 1
    assert "Traceback" not in told
    assert "BrokenPipe" not in told
