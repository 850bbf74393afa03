"""`Installation`: makes the engine's environment in a thread of its own, step by step, and can be asked at any time how far it is.

    installation = Installation(plan_from_carried(folder))
    installation.start()
    while (state := installation.poll()).running: ...

Each step is a child process (`installing.children`). The environment counts as whole once its stamp is written, last of all. What an interrupted
installation left is made anew; pip keeps what it has downloaded, so that going on costs no second download.
"""

from __future__ import annotations

import platform
import shlex
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..engine import __version__
from ..engine.api.errors import CancelledError, EngineError, RedepthError
from .children import clean_environment, run_child
from .downloads import Downloads
from .examining import Environment, examine
from .faults import explained
from .one_at_a_time import alone
from .plan import Plan, Stamp, digest, python_in, read_stamp, torch_version
from .pythons import Python, choose_python
from .room import clear, require_space, stop_engine_of
from .torch_builds import TorchBuild, choose_torch

_KEPT_LINES = 400
_REPORTED_LINES = 60
# Phase -> (where it begins, where it ends) in the whole.
_SHARES = {"choose": (0.0, 0.02), "environment": (0.02, 0.06), "torch": (0.06, 0.55), "packages": (0.55, 0.92), "check": (0.92, 1.0)}


@dataclass(frozen=True, kw_only=True)
class InstallState:
    """How far an installation is.

    Attributes:
        phase: ``choose`` (Python and torch build), ``environment``, ``torch``, ``packages``, ``check``.
        sentence: what is going on, for the user.
        line: the last that the child wrote.
        fraction: of the whole, in [0, 1].
        environment: what was made; only where ``outcome`` is ``done``.
        error: why nothing was; only where ``outcome`` is ``failed`` or ``cancelled``.
    """

    outcome: Literal["waiting", "running", "done", "failed", "cancelled"] = "waiting"
    phase: str = "choose"
    sentence: str = ""
    line: str = ""
    fraction: float = 0.0
    environment: Environment | None = None
    error: RedepthError | None = None

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return self.outcome == "running"


class Installation:
    """One attempt to carry out a plan. Its methods return at once and may be called from any thread."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._state = InstallState()
        self._stop = threading.Event()
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._facts: list[str] = []
        self._began_at = 0.0

    def start(self) -> None:
        """Begin; needs the network unless the plan names a folder of packages."""
        if self._state.outcome != "waiting":
            raise RuntimeError("an installation is started once")
        self._began_at = time.monotonic()
        self._tell(outcome="running", sentence="Looking for a Python.")
        threading.Thread(target=self._run, name="redepth installation", daemon=True).start()

    def poll(self) -> InstallState:
        """Return how far it is."""
        with self._lock:
            return self._state

    def cancel(self) -> None:
        """Let it end soon, with all that it started; ``poll`` tells when it has."""
        self._stop.set()

    def report(self) -> str:
        """Return what happened as text, to be copied into a question or a report."""
        state = self.poll()
        ending = [f"{state.error.code}: {state.error}"] if state.error else [state.environment.label] if state.environment else [state.sentence]
        head = [
            f"Re-Depth {__version__}: installation of the engine, {state.outcome} in phase {state.phase}",
            f"system: {platform.platform()}, {platform.machine()}",
            f"folder: {self._plan.folder}",
        ]
        with self._lock:
            return "\n".join([*head, *self._facts, *ending, "", "Last lines:", *list(self._lines)[-_REPORTED_LINES:]]) + "\n"

    def _run(self) -> None:
        try:
            with alone(self._plan.folder.with_name(f"{self._plan.folder.name}.lock")):
                environment = self._install()
            self._tell(outcome="done", fraction=1.0, sentence=f"Installed: {environment.label}.", environment=environment)
        except CancelledError as error:
            self._tell(outcome="cancelled", sentence=error.sentence, error=error)
        except RedepthError as error:
            self._tell(outcome="failed", sentence=error.sentence, error=error)
        except OSError as exc:
            sentence = f"{self._plan.folder} cannot be written: {exc.strerror or exc}."
            refusal = EngineError(sentence, hint="Check the disk and the folder's permissions.", code="engine.install.folder")
            self._tell(outcome="failed", sentence=sentence, error=refusal)
        finally:
            if self.poll().running:  # whatever else was raised goes on to the thread's own hook; nobody shall wait for ever
                fault = EngineError("The installation ended by a fault of its own.", hint="Please report it.", code="fault")
                self._tell(outcome="failed", sentence=fault.sentence, error=fault)

    def _install(self) -> Environment:
        plan = self._plan
        python = choose_python(plan.python)
        self._note(python.label)
        build = choose_torch("pip" if plan.packages else plan.torch)
        self._note(f"torch: {build.name} from {plan.packages or build.index or 'the index that pip is set up to use'}. {build.why}")
        wanted = Stamp(
            version=__version__,
            wheel=digest(plan.wheel),
            constraints=digest(plan.constraints),
            torch=f"{torch_version(plan.constraints)} {build.name}",
            python=".".join(map(str, python.version)),
        )
        if read_stamp(plan.folder) == wanted:
            try:
                return self._check()
            except EngineError as error:
                self._note(f"The environment that is here does not work, so it is made anew. {error.sentence}")
        stop_engine_of(plan.folder)
        clear(plan.folder)
        require_space(plan.folder, build.space_bytes)
        self._make(python, build)
        environment = self._check()
        shutil.rmtree(self._temporary, ignore_errors=True)
        wanted.write(plan.folder)
        return environment

    def _make(self, python: Python, build: TorchBuild) -> None:
        plan = self._plan
        self._temporary.mkdir()
        self._step("environment", "Making the environment", [str(python.path), "-m", "venv", str(plan.folder)], 1)
        source = ["--no-index", "--find-links", str(plan.packages)] if plan.packages else []
        pip = [
            str(python_in(plan.folder)),
            "-m",
            "pip",
            "install",
            "--disable-pip-version-check",
            "--no-input",
            "--progress-bar=off",
            "--only-binary=:all:",
            *source,
        ]
        # Torch alone first, so that no other package chooses its build; what it needs comes with the rest, from the ordinary index.
        index = ["--index-url", build.index] if build.index and not plan.packages else []
        self._step("torch", "Getting torch", [*pip, "--no-deps", *index, f"torch=={torch_version(plan.constraints)}"], 1)
        expected = plan.constraints.read_text(encoding="utf-8").count("==")
        self._step("packages", "Getting the engine and its packages", [*pip, "-c", str(plan.constraints), str(plan.wheel)], expected)

    def _step(self, phase: str, sentence: str, command: list[str], expected: int) -> None:
        """Run a child process as the phase; ``expected`` packages are likely to be named by it."""
        downloads = Downloads(self._temporary, self._plan.folder, expected)
        self._begin(phase, f"{sentence}.")
        self._hear(f"$ {shlex.join(command)}")
        said: deque[str] = deque(maxlen=_KEPT_LINES)
        begin, end = _SHARES[phase]

        def show() -> int:
            words, fraction = downloads.state()
            self._tell(sentence=f"{sentence}: {words}." if words else f"{sentence}.", fraction=begin + (end - begin) * fraction)
            return downloads.growth()

        def hear(line: str) -> None:
            downloads.hear(line)
            said.append(line)
            self._hear(line)

        try:
            self._child(command, hear, show)
        except EngineError as error:
            raise explained(error, said) from error

    def _child(self, command: list[str], on_line: Callable[[str], None], growth: Callable[[], int]) -> None:
        run_child(
            command,
            environment=clean_environment(self._temporary),
            cwd=self._plan.folder,
            on_line=on_line,
            should_stop=self._stop.is_set,
            growth=growth,
            stall_s=self._plan.stall_s,
        )

    def _check(self) -> Environment:
        self._begin("check", "Checking that the engine starts: the first time takes a while.")
        environment = examine(python_in(self._plan.folder), should_stop=self._stop.is_set, on_line=self._hear)
        self._note(f"Python {environment.python_version}, {environment.label}")
        return environment

    @property
    def _temporary(self) -> Path:
        return self._plan.folder / "redepth-temporary"

    def _begin(self, phase: str, sentence: str) -> None:
        if self._stop.is_set():
            raise CancelledError("The installation was stopped.", hint="Start it again to go on; what was downloaded is kept.")
        self._note(f"{time.monotonic() - self._began_at:.0f} s: {phase}")
        self._tell(phase=phase, sentence=sentence, fraction=_SHARES[phase][0])

    def _hear(self, line: str) -> None:
        with self._lock:
            self._lines.append(line)
        self._tell(line=line)

    def _note(self, fact: str) -> None:
        with self._lock:
            self._facts.append(fact)

    def _tell(self, **changes: object) -> None:
        with self._lock:
            self._state = replace(self._state, **changes)  # type: ignore[arg-type]
