#!/usr/bin/env python3
"""The one door for whoever holds a checkout of Re-Depth. Standard library only; works from any folder.

    python3 build.py run [PICTURE] [--output DIR] [--no-viewer] [OPTION ...]
                                                refine a picture, and open the result in the viewer where there is a display;
                                                other options as `python -m engine refine --help` lists them
    python3 build.py viewer [FILE ...]          open the viewer; options as `python -m desktop --help` lists them
    python3 build.py addon [--output ZIP]       build and validate the Blender extension
    python3 build.py test [ARGUMENT ...]        run the tests; arguments go to pytest
    python3 build.py check                      lint, formatting and types
    python3 build.py bench                      seconds per step, members as one batch against one by one
    python3 build.py lock                       resolve requirements/*.txt anew into requirements/constraints.txt

Without PICTURE, `run` refines samples/still_life.jpg; without --output, the results go to output/NAME OF THE PICTURE, the extension to dist/.

Each command first sets up what it needs: Debian's missing system libraries (as root; otherwise it names them and stops), the virtual
environment .venv, and the pinned packages; `test` and `addon` also two Blenders as Python modules, in .venv-bpy-4.2 and .venv-bpy-5.0.
When all of that is there already, this takes a fraction of a second.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from building import addon as addons
from building import outside_tools, system_packages
from building.environments import REQUIREMENT_FILES, VENV, add_training_packages, prepare_venv, python_of, write_constraints
from building.steps import CACHE, ROOT, SetupError, call, say

SAMPLE = ROOT / "samples" / "still_life.jpg"


# --- commands ---------------------------------------------------------------------------------------------------------------------------------


def run(arguments: list[str]) -> int:
    """Refine a picture with the engine's own command line, then show the result."""
    picture, output, options, viewer = split_run_arguments(arguments)
    try:
        set_up(*(window_needs() if viewer else ()))
    except system_packages.MissingPackagesError as error:
        raise SetupError(f"{error}\nMost of them are for the viewer; --no-viewer does without." if viewer else str(error)) from error
    status = engine_call("-m", "engine", "refine", str(picture), "--output", str(output), *options)
    return engine_call("-m", "desktop", str(output)) if viewer and status == 0 else status


def viewer(arguments: list[str]) -> int:
    """Open the viewer."""
    set_up(*window_needs())
    return engine_call("-m", "desktop", *arguments)


def addon(arguments: list[str]) -> int:
    """Build and validate the Blender extension."""
    output = option_value(arguments, "--output")
    if arguments:
        raise SetupError(f"`addon` knows no {arguments[0]!r}. There is: --output ZIP.")
    set_up()
    if not outside_tools.set_up_blenders(*outside_tools.BLENDERS):
        raise SetupError("The extension is built by Blender's own program. Run the same command with Python 3.11.")
    archive = Path.cwd() / (output or ROOT / "dist" / addons.archive_name())
    addons.build_addon(archive)
    say(f"Wrote {archive} ({archive.stat().st_size / 1e6:.1f} MB)")
    return 0


def test(arguments: list[str]) -> int:
    """Run the tests, from the project's folder."""
    set_up(system_packages.VIEWER, system_packages.BLENDER)
    add_training_packages(VENV, call)
    outside_tools.set_up_blenders(*outside_tools.BLENDERS)
    outside_tools.set_up_gltf_validator()
    return engine_call("-m", "pytest", *arguments, cwd=ROOT)


def check(arguments: list[str]) -> int:
    """Lint, formatting and types; each is run, whatever the others say. The add-on's types are checked as it is installed, with the engine inside."""
    set_up()
    staged = CACHE / "check" / "redepth_staged"
    shutil.rmtree(staged, ignore_errors=True)
    addons.stage_addon(staged, wheel=False)
    (staged / "__init__.py").write_text("", encoding="utf-8")  # the add-on's own leads to all that needs bpy
    typed = (
        "mypy",
        "--no-warn-unused-configs",
        "--config-file",
        str(ROOT / "pyproject.toml"),
        *(str(staged / name) for name in addons.WITHOUT_BLENDER),
    )
    tools = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",))
    return max(*(engine_call("-m", *tool, cwd=ROOT) for tool in tools), engine_call("-m", *typed, cwd=staged.parent))


def bench(arguments: list[str]) -> int:
    """Run the benchmarks."""
    set_up()
    return engine_call(str(ROOT / "tests" / "benchmarks" / "batching.py"), *arguments, cwd=ROOT)


def lock(arguments: list[str]) -> int:
    """Write down every version that the requirements lead to today."""
    write_constraints()
    return 0


COMMANDS = {"run": run, "viewer": viewer, "addon": addon, "test": test, "check": check, "bench": bench, "lock": lock}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    if arguments[0] not in COMMANDS:
        print(f"There is no command {arguments[0]!r}. There are: {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    if arguments[0] in ("run", "addon") and arguments[1:2] in (["-h"], ["--help"]):
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


# --- parts ------------------------------------------------------------------------------------------------------------------------------------


def split_run_arguments(arguments: list[str]) -> tuple[Path, Path, list[str], bool]:
    """Return (picture, output folder, the engine's own options, whether to open the viewer); paths are absolute.

    The picture comes before the engine's options or not at all: after one of those, a bare word may be its value.
    """
    options = list(arguments)
    output = option_value(options, "--output")
    viewer = has_display()
    if "--no-viewer" in options:
        options.remove("--no-viewer")
        viewer = False
    picture = Path(options.pop(0)) if options and not options[0].startswith("-") else SAMPLE
    return Path.cwd() / picture, Path.cwd() / (output or ROOT / "output" / picture.stem), options, viewer


def option_value(options: list[str], name: str) -> str | None:
    """Take ``name`` and its value out of ``options``; None, and nothing taken, where there is no such pair."""
    for index, option in enumerate(options):
        if option == name and index + 1 < len(options):
            value = options[index + 1]
            del options[index : index + 2]
            return value
        if option.startswith(f"{name}="):
            return options.pop(index)[len(name) + 1 :]
    return None


def has_display(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Return whether a window can be opened here."""
    return platform in ("win32", "darwin") or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def window_needs() -> tuple[Mapping[str, str], ...]:
    """Return the system libraries of the viewer; without a display it can still write screenshots."""
    return (system_packages.VIEWER, system_packages.WINDOW) if has_display() else (system_packages.VIEWER,)


def set_up(*needs: Mapping[str, str]) -> None:
    """Make sure that the system libraries and the environment are there; ``needs`` are those beside the engine's."""
    system_packages.provide(system_packages.ENGINE, *needs)
    prepare_venv(VENV, REQUIREMENT_FILES, call)


def engine_call(*arguments: str, cwd: Path | None = None) -> int:
    """Run the environment's Python and return its exit status. The user's folder stays current, so that relative paths mean what they say."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONPATH"] = str(ROOT)
    child = subprocess.Popen([str(python_of(VENV)), "-P", *arguments], cwd=cwd, env=environment)
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C reaches the child too: it stops in its own way, and its status is ours.
            return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
