"""Which Python and which torch an installation takes, and how it says why not."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.blender_addon.installing.toys import script
from tests.blender_addon.staged import NAME, STAGED

children = importlib.import_module(f"{NAME}.installing.children")
errors = importlib.import_module(f"{NAME}.engine.api.errors")
examining = importlib.import_module(f"{NAME}.installing.examining")
faults = importlib.import_module(f"{NAME}.installing.faults")
pythons = importlib.import_module(f"{NAME}.installing.pythons")
builds = importlib.import_module(f"{NAME}.installing.torch_builds")
on_unix = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are programs for sh")


def claims_to_be(path: Path, version: tuple[int, int, int], *, bits: int = 64, venv: bool = True) -> Path:
    facts = {"version": version, "bits": bits, "base": str(path), "venv": venv}
    return script(path, f"echo '{json.dumps(facts)}'")


def test_this_python_describes_itself() -> None:
    python = pythons.probe(Path(sys.executable))
    assert python.version == sys.version_info[:3]
    assert python.base == Path(sys.base_prefix)
    assert not python.obstacle
    assert str(sys.executable) in python.label


@on_unix
def test_the_version_it_is_tested_with_comes_first_and_unfit_ones_never(tmp_path: Path) -> None:
    old = claims_to_be(tmp_path / "old", (3, 10, 9))
    newer = claims_to_be(tmp_path / "newer", (3, 13, 1))
    tested = claims_to_be(tmp_path / "tested", (3, 11, 2))
    assert pythons.choose_python(None, lambda: [old, newer, tested]).path == tested
    assert pythons.choose_python(None, lambda: [old, newer]).path == newer
    assert pythons.choose_python(newer).path == newer


@on_unix
@pytest.mark.parametrize(
    ("version", "bits", "venv", "words"),
    [
        ((3, 10, 9), 64, True, "3.11 to 3.14"),
        ((3, 15, 0), 64, True, "3.11 to 3.14"),
        ((3, 12, 0), 32, True, "64 bits"),
        ((3, 13, 5), 64, False, "python3.13-venv"),
    ],
)
def test_unfit_python_says_why(tmp_path: Path, version: tuple[int, int, int], bits: int, venv: bool, words: str) -> None:
    python = claims_to_be(tmp_path / "python", version, bits=bits, venv=venv)
    for wish, candidates in ((python, None), (None, lambda: [python])):
        with pytest.raises(errors.EngineError) as caught:
            pythons.choose_python(wish, candidates)
        assert caught.value.code == "engine.install.python"
        assert words in caught.value.hint


@on_unix
def test_what_is_no_python_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path, script(tmp_path / "liar", "echo 3.11"), script(tmp_path / "failing", "exit 9009")):
        assert pythons.probe(path) is None
        with pytest.raises(errors.EngineError, match="does not answer as a Python does"):
            pythons.choose_python(path)
    with pytest.raises(errors.EngineError, match=r"Install Python 3\.11"):
        pythons.choose_python(None, lambda: [tmp_path / "nothing"])


def test_a_python_is_found_on_this_machine() -> None:
    assert pythons.choose_python(None).version >= (3, 11)


@pytest.mark.parametrize(
    ("driver", "capability", "name"),
    [(580, 8.6, "cu130"), (591, 0.0, "cu130"), (580, 6.1, "cu126"), (579, 8.9, "cu126"), (525, 5.2, "cu126"), (524, 8.6, "cpu"), (580, 3.5, "cpu")],
)
@pytest.mark.parametrize("system", ["linux", "win32"])
def test_torch_follows_the_driver_and_the_generation_of_the_gpu(system: str, driver: int, capability: float, name: str) -> None:
    gpu = builds.Gpu(name="A GPU", driver=driver, capability=capability)
    build = builds.choose_torch("auto", system=system, ask_gpu=lambda: gpu)
    assert (build.name, build.index) == (name, f"https://download.pytorch.org/whl/{name}")
    assert "A GPU" in build.why


def test_torch_without_an_nvidia_gpu() -> None:
    assert builds.choose_torch("auto", system="linux", ask_gpu=lambda: None).name == "cpu"
    apple = builds.choose_torch("auto", system="darwin", machine="arm64")
    assert (apple.name, apple.index) == ("apple", None)
    with pytest.raises(errors.EngineError, match="Intel"):
        builds.choose_torch("auto", system="darwin", machine="x86_64")


def test_torch_as_chosen() -> None:
    assert builds.choose_torch("pip").index is None
    for name in ("cpu", "cu126", "cu130"):
        assert builds.choose_torch(name).index.endswith(f"/{name}")
    with pytest.raises(errors.EngineError, match="cu999"):
        builds.choose_torch("cu999")


@on_unix
@pytest.mark.parametrize(
    ("program", "gpu"),
    [
        ("echo 'NVIDIA GeForce RTX 4090, 580.65.06, 8.9'; echo 'NVIDIA T4, 580.65.06, 7.5'", ("NVIDIA GeForce RTX 4090", 580, 8.9)),
        ("echo 'Tesla K80, 470.57.02, [N/A]'", ("Tesla K80", 470, 0.0)),
        ("echo 'No devices were found'", None),
        ("echo 'NVIDIA-SMI has failed' >&2; exit 9", None),
        ("true", None),
    ],
)
def test_gpu_is_what_the_drivers_own_tool_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, gpu: tuple[str, int, float] | None
) -> None:
    script(tmp_path / "nvidia-smi", program)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = builds.ask_nvidia()
    assert (found and (found.name, found.driver, found.capability)) == gpu


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk_full"),
        ("WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(...)': Temporary failure in name resolution", "network"),
        ("Could not fetch URL https://pypi.org/simple/torch/: There was a problem confirming the ssl certificate: SSLError(...)", "certificate"),
        ("ERROR: No matching distribution found for torch==2.13.0", "no_package"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "damaged"),
        ("ERROR: Could not install packages due to an OSError: [WinError 32] The process cannot access the file", "permission"),
    ],
)
def test_what_pip_said_becomes_a_sentence(line: str, code: str) -> None:
    plain = errors.EngineError("A step ended with status 1.")
    explained = faults.explained(plain, ["Collecting torch", line, "ERROR: No matching distribution found for torch"])
    assert explained.code == f"engine.install.{code}"
    assert explained.hint
    assert faults.explained(plain, ["Collecting torch", "Segmentation fault"]) is plain


def test_child_of_blender_inherits_the_users_settings_and_none_of_blenders_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_USER", "__PYVENV_LAUNCHER__"):
        monkeypatch.setenv(name, "misleading")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index")
    environment = children.clean_environment(tmp_path)
    assert "misleading" not in environment.values()
    assert (environment["HTTPS_PROXY"], environment["PIP_INDEX_URL"], environment["TMPDIR"]) == ("http://proxy", "https://index", str(tmp_path))


def run_code(code: str, lines: list[str]) -> None:
    children.run_child(
        [sys.executable, "-c", code],
        environment=children.clean_environment(),
        cwd=Path.cwd(),
        on_line=lines.append,
        should_stop=lambda: False,
        growth=lambda: 0,
        stall_s=30,
    )


def test_lines_of_a_child_arrive_whatever_they_hold() -> None:
    lines: list[str] = []
    run_code(r"import sys; sys.stdout.buffer.write(b'one\n\n\xff\xfe\x00rubbish\r\n'); print('half a line', end='')", lines)
    assert lines == ["one", "\ufffd\ufffd\x00rubbish", "half a line"]
    with pytest.raises(errors.EngineError, match="status 3"):
        run_code("print('last words'); raise SystemExit(3)", lines)
    assert lines[-1] == "last words"


@on_unix
def test_child_that_leaves_its_output_open_in_another_process_does_not_hold_us_up() -> None:
    lines: list[str] = []
    run_code("import os, subprocess; child = subprocess.Popen(['sleep', '20']); print(child.pid)", lines)
    os.kill(int(lines[0]), 9)


def test_program_that_is_not_there() -> None:
    with pytest.raises(errors.EngineError, match="cannot be started"):
        children.run_child(
            ["/no/such/program"], environment={}, cwd=Path.cwd(), on_line=print, should_stop=lambda: False, growth=lambda: 0, stall_s=1
        )


def test_this_checkouts_environment_is_examined_as_it_is(tmp_path: Path) -> None:
    found = examining.examine(Path(sys.executable))
    assert found.fits
    assert found.python_version == sys.version.split()[0]
    assert found.torch_version.startswith("2.")


@on_unix
def test_examined_python_without_the_engine_or_without_an_end(tmp_path: Path) -> None:
    bare = script(tmp_path / "bare", "echo \"ModuleNotFoundError: No module named 'engine'\"; exit 1")
    with pytest.raises(errors.EngineError, match="No module named 'engine'") as caught:
        examining.examine(bare)
    assert caught.value.code == "engine.install.broken"
    with pytest.raises(errors.EngineError, match=r"did not answer within 0\.3 s"):
        examining.examine(script(tmp_path / "slow", "sleep 600"), timeout_s=0.3)
    with pytest.raises(errors.EngineError, match="rubbish"):
        examining.examine(script(tmp_path / "liar", "echo rubbish"))
    with pytest.raises(errors.EngineError, match="There is no Python"):
        examining.examine(tmp_path / "nothing")


def test_installing_loads_neither_bpy_nor_torch() -> None:
    code = f"""
import sys, types
package = types.ModuleType({NAME!r})
package.__path__ = [{str(STAGED)!r}]
sys.modules[{NAME!r}] = package
import {NAME}.installing
print(*sorted({{name.split('.')[0] for name in sys.modules}} & {{'bpy', 'torch', 'engine', 'PIL', 'transformers', {NAME!r}}}))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.split() == [NAME]
