"""`python -m engine refine PICTURE --output DIR`: one picture in, a folder of results out."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.errors import CancelledError
from ..api.messages import Progress
from ..export.files import prepare_folder
from .installed import InstalledEngine
from .interrupt import StopOnInterrupt
from .options import add_mesh_options, add_settings_options, mesh_settings, refine_settings
from .reporters import choose_reporter, clock, print_json_line

if TYPE_CHECKING:
    from ..api.result import RefineResult

_DESCRIPTION = """\
Refine the depth of one picture and write the results to a folder: comparison.png (look at this first), disparity and
uncertainty as .npy, depth as .exr and .png, normals.png, mesh.glb, and result.json, which says how all of it was made."""
_EPILOG = """\
examples:
  python -m engine refine photo.jpg --output results
  python -m engine refine photo.jpg --output results --preset quick --seed 7
  python -m engine refine photo.jpg --output results --depth-model small --prior sd15 --prompt "a cup on a table"

Ctrl-C once stops within a step and writes what was reached (exit status 130); twice aborts."""

_PROMPT_SOURCES = {
    "user": "yours",
    "caption": "by the captioner",
    "none": "empty: neither given nor captioned",
    "unused": "none: this prior reads no text",
}
_GATE_VERDICTS = {
    "kept": "the refinement was kept ({share:.0f} %)",
    "partly": "{share:.0f} % of the refinement was kept, the base for the rest",
    "base": "the base was kept",
}


def add_parser(verbs: Any) -> None:
    """Add the verb to the parser's ``verbs``."""
    parser = verbs.add_parser(
        "refine",
        usage="python -m engine refine PICTURE --output DIR [options]",
        help="refine the depth of one picture",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="JPEG, PNG, WebP or TIFF")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the results; made where it is missing")
    parser.add_argument("--json-events", action="store_true", help="print one JSON object a line on stdout instead of words")
    parser.add_argument("--local", action="store_true", help="refine in this process, not in the engine that Blender and the viewer share")
    add_settings_options(parser)
    add_mesh_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, engine: InstalledEngine) -> int:
    """Refine ``arguments.picture`` and write its folder.

    Raises:
        RedepthError: as the parts of the engine raise it.
    """
    settings, mesh = refine_settings(arguments), mesh_settings(arguments)
    with choose_reporter(json_events=arguments.json_events) as reporter, _prepared(arguments.output), StopOnInterrupt() as stop:
        result = engine.refine(
            arguments.picture,
            settings,
            local=arguments.local,
            fov_deg=mesh.fov_deg,
            on_event=reporter.event,
            should_stop=stop.requested,
        )
        reporter.event(Progress(phase="write", step=0, steps=1))
        paths = engine.write_result_folder(result, arguments.output, mesh)
        reporter.event(Progress(phase="write", step=1, steps=1))
    if arguments.json_events:
        print_json_line(_result_to_json(result, arguments.output, paths))
    else:
        print(_summary(result, arguments.picture.name, paths))
    return 0 if result.provenance["complete"] else CancelledError.exit_status


@contextmanager
def _prepared(folder: Path) -> Iterator[None]:
    """Prove at once that ``folder`` can be written to; a folder made for this run and left empty goes again."""
    existed = os.path.exists(folder)
    prepare_folder(folder)
    try:
        yield
    finally:
        if not existed:
            with suppress(OSError):  # it holds results
                folder.rmdir()


def _result_to_json(result: RefineResult, folder: Path, paths: Sequence[Path]) -> dict[str, Any]:
    return {
        "event": "result",
        "complete": result.provenance["complete"],
        "folder": str(folder.resolve()),
        "files": [path.name for path in paths],
        "fov_deg": result.fov_deg,
        "fov_source": result.fov_source,
        "provenance": result.provenance,
    }


def _summary(result: RefineResult, name: str, paths: Sequence[Path]) -> str:
    """Return what a person wants to know at the end: what was made, by what, where it lies."""
    facts = result.provenance
    width, height = result.size_px
    steps = f"all {facts['steps_asked']}" if facts["complete"] else f"{facts['steps_done']} of {facts['steps_asked']}"
    prompt = f'"{facts["prompt"]}", ' if facts["prompt"] else ""
    lines = [f"Refined {name}, {width} x {height} px, in {clock(sum(facts['seconds'].values()))}."]
    lines += [f"  {role:<14}{model['title']} ({model['licence']})" for role, model in facts["models"].items()]
    lines += [
        f"  {'prompt':<14}{prompt}{_PROMPT_SOURCES[facts['prompt_source']]}",
        f"  {'device':<14}{facts['device_name']}",
        f"  {'steps':<14}{steps}",
        *_gate_lines(facts),
        f"  {'field of view':<14}{result.fov_deg:.4g} degrees ({result.fov_source})",
        f"  {'files':<14}{paths[0].parent}: {', '.join(path.name for path in paths)}",
    ]
    if not facts["complete"]:
        lines.append("Stopped before the end: the files hold what was reached.")
    return "\n".join(lines)


def _gate_lines(facts: dict[str, Any]) -> list[str]:
    """Return what the quality gate made of the refinement, its reasons below it."""
    gate = facts["gate"]
    if gate is None:
        return [f"  {'quality gate':<14}{'not asked: stopped before it' if facts['settings']['gate'] else 'off'}"]
    said = _GATE_VERDICTS[gate["verdict"]].format(share=100 * gate["share_kept"])
    return [f"  {'quality gate':<14}{said}", *[f"  {'':<14}{reason}" for reason in gate["reasons"]]]
