"""How an engine comes, is found, and goes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.api.client import EngineClient
from engine.api.errors import EngineTimeoutError, EngineUnavailableError
from engine.api.folders import RuntimeFile, find_folders, read_runtime_file
from engine.api.messages import PROTOCOL_VERSION
from tests.engine.service.toys import ROOT, ToyEngine, is_alive, settings, wait_until


@pytest.fixture
def real_home(home: Path) -> Iterator[Path]:
    """A home whose engine is started by clients themselves; it is ended after the test."""
    yield home
    try:
        with EngineClient.connect(start=False) as client:
            pid = client.status().pid
            client.shutdown()
    except EngineUnavailableError:
        return
    wait_until(lambda: not is_alive(pid))


def test_the_first_client_starts_the_engine_and_the_second_finds_it(real_home: Path) -> None:
    with EngineClient.connect() as first, EngineClient.connect(start=False) as second:
        assert first.status().pid == second.status().pid != os.getpid()


def test_clients_that_start_at_once_get_one_engine(real_home: Path) -> None:
    pids: list[int] = []

    def start() -> None:
        with EngineClient.connect(timeout_s=30) as client:
            pids.append(client.status().pid)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 4
    assert len(set(pids)) == 1


def test_the_engine_outlives_its_starter_and_hears_none_of_its_python_variables(real_home: Path) -> None:
    code = "from engine.api.client import EngineClient; print(EngineClient.connect().status().pid)"
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    pid = int(subprocess.run([sys.executable, "-c", code], env=environment, cwd="/", capture_output=True, check=True, timeout=60).stdout)
    assert is_alive(pid)
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    assert not [variable for variable in variables if variable.startswith(b"PYTHON")]
    assert f"REDEPTH_HOME={real_home}".encode() in variables


def test_without_leave_to_start_one_the_client_says_that_none_runs(home: Path) -> None:
    with pytest.raises(EngineUnavailableError, match="No engine is running"):
        EngineClient.connect(start=False)
    assert {path.name for path in home.iterdir()} == {"jobs", "revisions.json"}


def test_an_engine_that_was_ending_when_it_was_found_does_not_run(home: Path, tmp_path: Path) -> None:
    folders, address = find_folders(), str(tmp_path / "engine.sock")
    with socket.socket(socket.AF_UNIX) as ending:
        ending.bind(address)
        ending.listen()
        RuntimeFile(pid=os.getpid(), address=address, key="00", protocol=PROTOCOL_VERSION, version="1").write(folders.runtime_file)

        def end() -> None:
            connection, _ = ending.accept()
            folders.runtime_file.unlink()
            connection.close()

        engine = threading.Thread(target=end)
        engine.start()
        with pytest.raises(EngineUnavailableError, match="No engine is running"):
            EngineClient.connect(start=False)
        engine.join()


def test_a_python_that_cannot_run_the_engine_is_named(home: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match="cannot be started"):
        EngineClient.connect(python=tmp_path / "python")
    unfit = tmp_path / "unfit"
    unfit.write_text("#!/bin/sh\necho no module named engine >&2\nexit 1\n")
    unfit.chmod(0o755)
    with pytest.raises(EngineUnavailableError) as caught:
        EngineClient.connect(python=unfit)
    assert "no module named engine" in caught.value.hint


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}', None])
def test_a_stale_runtime_file_is_cleaned_up(real_home: Path, content: str | None) -> None:
    runtime = find_folders().runtime_file
    dead = real_home / "engine-dead.sock"
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(os.path.relpath(dead))
    if content is None:
        RuntimeFile(pid=os.getpid(), address=str(dead), key="00" * 32, protocol=PROTOCOL_VERSION, version="0").write(runtime)
    else:
        runtime.write_text(content)
    with EngineClient.connect() as client:
        found = read_runtime_file(runtime)
        assert found is not None and found.pid == client.status().pid
    assert not dead.exists()


def test_a_home_that_cannot_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("REDEPTH_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(EngineUnavailableError, match="Not a directory"):
        EngineClient.connect()
    served = subprocess.run([sys.executable, "-m", "engine", "serve"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (served.returncode, "Not a directory" in served.stderr) == (3, True)


def test_an_engine_that_was_killed_is_replaced(real_home: Path) -> None:
    with EngineClient.connect() as client:
        pid = client.status().pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid))
        with pytest.raises(EngineUnavailableError, match="gone"):
            client.status()
    with EngineClient.connect() as client:
        assert client.status().pid != pid


def test_a_hung_engine_is_a_timeout(toy: ToyEngine, client: EngineClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.api.channel.HANDSHAKE_S", 0.3)
    os.kill(toy.processes[-1].pid, signal.SIGSTOP)
    with pytest.raises(EngineTimeoutError):
        EngineClient.connect(start=False, timeout_s=0.3)
    os.kill(toy.processes[-1].pid, signal.SIGCONT)
    assert client.status().worker == "none"


def test_a_second_listener_gives_way(toy: ToyEngine, client: EngineClient) -> None:
    second = subprocess.run([sys.executable, "-m", "engine", "serve"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    assert "running already" in second.stderr
    assert client.status().pid == toy.processes[-1].pid


def test_an_idle_engine_ends_and_leaves_no_trace_of_having_run(toy: ToyEngine, home: Path, picture: Path) -> None:
    with toy.start(idle_exit_s=0.5) as client:
        job = client.submit(picture, settings(steps=60))
        worker = wait_until(lambda: client.status().worker_pid)
        time.sleep(0.6)
        assert client.status().worker == "busy"
    assert toy.processes[-1].wait(timeout=20) == 0
    assert not is_alive(worker)
    assert json.loads((Path(job.info.folder) / "state.json").read_text())["state"] == "finished"
    assert not find_folders().runtime_file.exists()
    assert not list(home.glob("*.sock"))


def test_an_idle_worker_is_let_go(toy: ToyEngine, picture: Path) -> None:
    with toy.start(limits={"idle_s": 0.3}) as client:
        client.submit(picture, settings()).result(20)
        wait_until(lambda: client.status().worker == "none")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_engine_in_order_and_its_job_goes_on_later(
    toy: ToyEngine, client: EngineClient, picture: Path, number: signal.Signals
) -> None:
    job = client.submit(picture, settings(steps=50))
    worker = wait_until(lambda: client.status().worker_pid)
    toy.processes[-1].send_signal(number)
    assert toy.processes[-1].wait(timeout=10) == 0
    assert not is_alive(worker)
    with toy.start() as second:
        assert second.attach(job.info.id).result(20).provenance["complete"]


def test_a_home_with_a_long_path_has_its_socket_elsewhere(
    toy: ToyEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, revisions_file: Path
) -> None:
    deep = tmp_path / ("long" * 20) / ("path" * 20)
    monkeypatch.setenv("REDEPTH_HOME", str(deep))
    find_folders().make()
    toy.home = deep
    with toy.start() as client:
        runtime = read_runtime_file(find_folders().runtime_file)
        assert runtime is not None
        folder = Path(runtime.address).parent
        assert folder.stat().st_mode & 0o777 == 0o700
        client.shutdown()
    assert toy.processes[-1].wait(timeout=10) == 0
    assert not folder.exists()


def test_the_listener_loads_neither_torch_nor_numpy(home: Path) -> None:
    code = "import sys, engine.cli.main, engine.cli.serve, engine.service.listener; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    assert not {"torch", "numpy", "PIL", "transformers", "huggingface_hub"} & set(loaded)


def test_a_client_without_the_engine_beside_it_finds_the_python_that_last_ran_one(real_home: Path, tmp_path: Path) -> None:
    alone = tmp_path / "addon"
    shutil.copytree(ROOT / "engine" / "api", alone / "vendored" / "api", ignore=shutil.ignore_patterns("__pycache__"))
    code = "import sys; sys.path.insert(0, sys.argv[1]); from vendored.api.client import EngineClient; print(EngineClient.connect().status().pid)"
    command = [sys.executable, "-I", "-c", code, str(alone)]
    unknown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "The engine's Python is not known here" in unknown.stderr
    with EngineClient.connect() as client:
        client.shutdown()
    wait_until(lambda: not find_folders().runtime_file.exists())
    known = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert is_alive(int(known.stdout))
