#!/usr/bin/env python3
"""The one door for whoever holds a checkout of Re-Depth. Standard library only; works from any folder.

    python3 build.py run [PICTURE] [--output DIR] [OPTION ...]   refine a picture; other options as `python -m engine refine --help` lists them
    python3 build.py test [ARGUMENT ...]                         run the tests; arguments go to pytest
    python3 build.py check                                       lint, formatting and types
    python3 build.py bench                                       seconds per step, members as one batch against one by one
    python3 build.py lock                                        resolve requirements/*.txt anew into requirements/constraints.txt

Without PICTURE, `run` refines samples/still_life.jpg; without --output, the results go to output/NAME OF THE PICTURE.

Each command first sets up what it needs: Debian's missing system libraries (as root; otherwise it names them and stops), the virtual
environment .venv, and the pinned packages. When all of that is there already, this takes a fraction of a second.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST_PYTHON = (3, 11)
VENV = ROOT / ".venv"
CACHE = ROOT / ".cache"
REQUIREMENTS = ROOT / "requirements"
CONSTRAINTS = REQUIREMENTS / "constraints.txt"
# Installed in this order. Torch goes first and alone, so that no other package chooses its version or build.
REQUIREMENT_FILES = (REQUIREMENTS / "torch.txt", REQUIREMENTS / "engine.txt", REQUIREMENTS / "desktop.txt", REQUIREMENTS / "test.txt")
SAMPLE = ROOT / "samples" / "still_life.jpg"

# What the pinned wheels expect the system to have: library -> Debian package.
SYSTEM_LIBRARIES = {"libstdc++.so.6": "libstdc++6", "libgcc_s.so.1": "libgcc-s1", "libz.so.1": "zlib1g"}
APT_GET = ("apt-get", "-o", "DPkg::Lock::Timeout=300")
GLTF_VALIDATOR = "gltf-validator@2.0.0-dev.3.10"


class SetupError(Exception):
    """The set-up cannot go on; the text says why and what to do next."""


# --- commands ---------------------------------------------------------------------------------------------------------------------------------


def run(arguments: list[str]) -> int:
    """Refine a picture with the engine's own command line."""
    picture, output, options = split_run_arguments(arguments)
    set_up()
    return engine_call("-m", "engine", "refine", str(picture), "--output", str(output), *options)


def test(arguments: list[str]) -> int:
    """Run the tests, from the project's folder."""
    set_up()
    set_up_gltf_validator()
    return engine_call("-m", "pytest", *arguments, cwd=ROOT)


def check(arguments: list[str]) -> int:
    """Lint, formatting and types; each is run, whatever the others say."""
    set_up()
    tools = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",))
    return max(engine_call("-m", *tool, cwd=ROOT) for tool in tools)


def bench(arguments: list[str]) -> int:
    """Run the benchmarks."""
    set_up()
    return engine_call(str(ROOT / "tests" / "benchmarks" / "batching.py"), *arguments, cwd=ROOT)


def lock(arguments: list[str]) -> int:
    """Resolve the requirements without constraints, in an environment of their own, and write down every version."""
    venv = CACHE / "venv-lock"
    create_venv(venv, call)
    for file in REQUIREMENT_FILES:
        call([str(python_of(venv)), "-m", "pip", "install", "-r", str(file)])
    frozen = subprocess.run([str(python_of(venv)), "-m", "pip", "freeze", "--all", "--exclude", "pip"], check=True, capture_output=True, text=True)
    CONSTRAINTS.write_text(constraints_from_freeze(frozen.stdout), encoding="utf-8")
    shutil.rmtree(venv)
    say(f"Wrote {CONSTRAINTS}")
    return 0


COMMANDS = {"run": run, "test": test, "check": check, "bench": bench, "lock": lock}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    if arguments[0] not in COMMANDS:
        print(f"There is no command {arguments[0]!r}. There are: {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    if arguments[0] == "run" and arguments[1:2] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to go on.", file=sys.stderr)
        return 130


def split_run_arguments(arguments: list[str]) -> tuple[Path, Path, list[str]]:
    """Return (picture, output folder, the engine's own options); paths are absolute.

    The picture comes first or not at all: after an option, a bare word may be that option's value.
    """
    options = list(arguments)
    picture = Path(options.pop(0)) if options and not options[0].startswith("-") else SAMPLE
    output: Path | None = None
    for index, option in enumerate(options):
        if option == "--output" and index + 1 < len(options):
            output, options[index : index + 2] = Path(options[index + 1]), []
            break
        if option.startswith("--output="):
            output, options[index : index + 1] = Path(option[len("--output=") :]), []
            break
    return Path.cwd() / picture, Path.cwd() / (output or ROOT / "output" / picture.stem), options


# --- set-up -----------------------------------------------------------------------------------------------------------------------------------


def say(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)


def call(command: list[str]) -> None:
    """Run ``command`` in sight of the user; set-up speaks on stderr, for stdout belongs to what is set up."""
    result = subprocess.run(command, check=False, stdout=sys.stderr)
    if result.returncode != 0:
        raise SetupError(
            f"This step ended with status {result.returncode}:\n    {shlex.join(command)}\n"
            "Its own words are above. Check the network and the free disk space, then run the same command again: it goes on from here."
        )


def engine_call(*arguments: str, cwd: Path | None = None) -> int:
    """Run the environment's Python and return its exit status. The user's folder stays current, so that relative paths mean what they say."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONPATH"] = str(ROOT)
    child = subprocess.Popen([str(python_of(VENV)), "-P", *arguments], cwd=cwd, env=environment)
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C reaches the child too: it stops in its own way, and its status is ours.
            return child.wait()


def set_up() -> None:
    """Make sure that the system libraries and the environment are there."""
    if missing := missing_packages():
        install_system_packages(missing)
    prepare_venv(VENV, REQUIREMENT_FILES, call)


def missing_packages(load: Callable[[str], object] = ctypes.CDLL, find: Callable[[str], object] = importlib.util.find_spec) -> list[str]:
    """Return the Debian packages that provide what this Linux lacks; other systems' wheels bring all they need."""
    if not sys.platform.startswith("linux"):
        return []
    missing = []
    if find("venv") is None or find("ensurepip") is None:
        missing.append(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")
    for library, package in SYSTEM_LIBRARIES.items():
        try:
            load(library)
        except OSError:
            missing.append(package)
    return missing


def install_system_packages(packages: list[str]) -> None:
    """Install ``packages`` where we may; otherwise say how."""
    install = [*APT_GET, "install", "-y", "--no-install-recommends", *packages]
    if shutil.which("apt-get") is None:
        raise SetupError(f"These system packages are missing (Debian's names): {' '.join(packages)}\nInstall them with your system's own tool.")
    if os.geteuid() != 0:
        raise SetupError(f"System packages are missing. Install them with:\n    sudo {shlex.join(install)}\nThen run the same command again.")
    say(f"Installing system packages: {' '.join(packages)}")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    call([*APT_GET, "update"])
    call(install)


def python_of(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp_for(files: Sequence[Path]) -> str:
    """Return what identifies the contents of ``files``."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def prepare_venv(venv: Path, files: Sequence[Path], call: Callable[[list[str]], None]) -> None:
    """Bring ``venv`` to the state that the requirement ``files`` describe.

    The stamp is removed before anything changes and written when all is done. So a stamp that fits means that nothing is to do, another stamp
    means a sound environment of other versions, and none means an interrupted installation, which is begun again from nothing.
    """
    stamp, wanted = venv / "redepth-stamp", stamp_for([*files, CONSTRAINTS])
    if found_stamp(venv, stamp) == wanted:
        return
    with one_at_a_time(CACHE / f"{venv.name.lstrip('.')}.lock"):
        found = found_stamp(venv, stamp)
        if found == wanted:
            return
        if found is None:
            create_venv(venv, call)
        stamp.unlink(missing_ok=True)
        for file in files:
            say(f"Installing {file.stem} packages ({file.relative_to(file.parents[1])})")
            call([str(python_of(venv)), "-m", "pip", "install", "--disable-pip-version-check", "-r", str(file), "-c", str(CONSTRAINTS)])
        stamp.write_text(wanted, encoding="ascii")
        say("Set up.")


def found_stamp(venv: Path, stamp: Path) -> str | None:
    """Return the stamp of a whole environment, or None."""
    return stamp.read_text(encoding="ascii") if python_of(venv).exists() and stamp.exists() else None


def create_venv(venv: Path, call: Callable[[list[str]], None]) -> None:
    say(f"Creating the virtual environment {venv} (a few minutes and about 1.5 GB, once)")
    call([sys.executable, "-m", "venv", "--clear", str(venv)])


def constraints_from_freeze(frozen: str) -> str:
    """Return the lines of `pip freeze` as constraints for every machine: no local builds (+cpu), and nothing that only one build of torch needs."""
    lines = (line.split("+")[0].strip() for line in frozen.splitlines())
    kept = [line for line in lines if "==" in line and not line.lower().startswith(("nvidia-", "cuda-", "triton"))]
    return "# Every package that requirements/*.txt lead to. Made by `python3 build.py lock`.\n" + "\n".join(kept) + "\n"


def set_up_gltf_validator() -> None:
    """Fetch the Khronos validator where Node is; without it, its tests say that they are skipped, and why."""
    folder = CACHE / "gltf-validator"
    stamp = folder / "redepth-stamp"
    npm = shutil.which("npm")
    if npm is None or (stamp.exists() and stamp.read_text(encoding="ascii") == GLTF_VALIDATOR):
        return
    with one_at_a_time(CACHE / "gltf-validator.lock"):
        say("Installing the Khronos glTF validator, for the tests")
        folder.mkdir(parents=True, exist_ok=True)
        try:
            call([npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--save-exact", GLTF_VALIDATOR])
        except SetupError as error:
            say(f"Going on without the validator.\n{error}")
            return
        stamp.write_text(GLTF_VALIDATOR, encoding="ascii")


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold the lock file at ``path``; a second build.py waits here until the first is done. The system frees it when its holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("Another build.py is setting up; waiting for it.")
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"Re-Depth needs Python {'.'.join(map(str, OLDEST_PYTHON))} or later; this is {sys.version.split()[0]}. Try: python3.11 build.py")
    sys.exit(main(sys.argv[1:]))
