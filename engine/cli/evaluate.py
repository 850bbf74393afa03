"""`python -m engine evaluate MANIFEST.json`: refine every picture and measure base and refined depth against the truth."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.errors import CancelledError
from ..api.messages import Event, Notice
from .installed import InstalledEngine
from .interrupt import StopOnInterrupt
from .options import add_fov_option, add_settings_options, mesh_settings, refine_settings
from .reporters import Reporter, choose_reporter, print_json_line

if TYPE_CHECKING:
    from ..api.result import RefineResult
    from ..evaluation.manifest import ManifestEntry
    from ..evaluation.report import MeasuredImage

_DESCRIPTION = """\
Refine every picture of a manifest and compare base and refined depth with measured depth, by two protocols side by side:
paper (scale and shift by least squares in disparity, then again in depth, as released) and standard (in disparity alone, no
depth beyond the farthest true one). A prediction whose size differs from the truth's is resampled to the truth's grid; the
truth and its holes are never resampled."""
_EPILOG = """\
The manifest is a JSON array of objects: id, image, ground_truth (.npz with array gt, 0 = not measured) and kind (disparity
or depth_m); paths are relative to it.

Ctrl-C once stops within a step and reports the pictures that are finished (exit status 130); twice aborts."""
_OF_THE_RUN = ("models", "device", "device_name", "prior_precision", "versions")
_OF_THE_PICTURE = ("prompt", "prompt_source", "gate", "seconds", "notices")


def add_parser(verbs: Any) -> None:
    """Add the verb to the parser's ``verbs``."""
    parser = verbs.add_parser(
        "evaluate",
        usage="python -m engine evaluate MANIFEST.json [--json FILE] [options]",
        help="measure base and refined depth against ground truth",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("manifest", type=Path, metavar="MANIFEST.json", help="pictures and their measured depth")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole report there")
    parser.add_argument("--json-events", action="store_true", help="print one JSON object a line on stdout instead of a table")
    add_settings_options(parser)
    add_fov_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, engine: InstalledEngine) -> int:
    """Evaluate ``arguments.manifest``.

    Raises:
        RedepthError: as the parts of the engine raise it; `CancelledError` where no picture was finished.
    """
    from ..evaluation.report import encode_report, report_to_json, summarise
    from ..export.files import prepare_folder, write_whole

    settings, fov_deg = refine_settings(arguments), mesh_settings(arguments).fov_deg
    with choose_reporter(json_events=arguments.json_events) as reporter:
        entries = _checked_entries(arguments.manifest, engine)
        if arguments.json:
            prepare_folder(arguments.json.parent)
        models = engine.load_models(settings, on_event=reporter.event)
        with StopOnInterrupt() as stop:
            on_event = _notices_once(reporter.event)
            refine = partial(engine.refine_picture, models=models, settings=settings, fov_deg=fov_deg, on_event=on_event, should_stop=stop.requested)
            images, made_by = _measure_all(entries, engine, refine, reporter)
    if not images:
        raise CancelledError("Stopped before the first picture was finished; there is nothing to report.")
    summary, complete = summarise(images), len(images) == len(entries)
    report = report_to_json(images, summary, settings=settings.to_json(), made_by=made_by, complete=complete)
    if arguments.json:
        write_whole(arguments.json, encode_report(report))
    if arguments.json_events:
        print_json_line({"event": "result", "report": report})
    else:
        _print_tables(images, summary, made_by, len(entries), arguments.json)
    return 0 if complete else CancelledError.exit_status


def _checked_entries(manifest: Path, engine: InstalledEngine) -> tuple[ManifestEntry, ...]:
    """Return the manifest's entries after a look at every picture: a fault shall not wait until hours of work are done."""
    from ..evaluation.manifest import read_manifest

    entries = read_manifest(manifest)
    for entry in entries:
        entry.check_framing(engine.load_picture(entry.image_path).size_px)
    return entries


def _measure_all(
    entries: Sequence[ManifestEntry], engine: InstalledEngine, refine: Callable[..., RefineResult], reporter: Reporter
) -> tuple[list[MeasuredImage], dict[str, Any]]:
    """Return the finished pictures and what made them; a picture that a stop cut short is left out."""
    images: list[MeasuredImage] = []
    made_by: dict[str, Any] = {}
    for number, entry in enumerate(entries, start=1):
        reporter.picture(number, len(entries), entry.name)
        result = refine(engine.load_picture(entry.image_path))
        if not result.provenance["complete"]:
            break
        images.append(_measure(entry, result))
        made_by = made_by or {name: result.provenance[name] for name in _OF_THE_RUN}
    return images, made_by


def _notices_once(on_event: Callable[[Event], None]) -> Callable[[Event], None]:
    """Return ``on_event`` without the notices that an earlier picture gave already; the report keeps all."""
    given: set[str] = set()

    def pass_on(event: Event) -> None:
        if isinstance(event, Notice):
            if event.code in given:
                return
            given.add(event.code)
        on_event(event)

    return pass_on


def _measure(entry: ManifestEntry, result: RefineResult) -> MeasuredImage:
    from ..evaluation.measure import measure
    from ..evaluation.report import MeasuredImage

    truth = entry.load_truth()
    return MeasuredImage(
        name=entry.name,
        kind=entry.kind,
        picture_size_px=result.size_px,
        truth_size_px=truth.size_px,
        valid_pixels=int(truth.valid.sum()),
        fov_deg=result.fov_deg,
        fov_source=result.fov_source,
        refinement={name: result.provenance[name] for name in _OF_THE_PICTURE},
        base=measure(result.disparity_base, truth, fov_deg=result.fov_deg),
        refined=measure(result.disparity_refined, truth, fov_deg=result.fov_deg),
    )


def _print_tables(images: Sequence[MeasuredImage], summary: Any, made_by: dict[str, Any], asked: int, json_path: Path | None) -> None:
    from .tables import image_table, print_summary, print_table

    print_table(image_table(images))
    print_summary(summary)
    made = ", ".join(f"{role} {model['title']} ({model['licence']})" for role, model in made_by["models"].items())
    print(f"Made by {made} on {made_by['device_name']}.")
    if len(images) < asked:
        print(f"Stopped after {len(images)} of {asked} pictures.")
    if json_path:
        print(f"The whole report is in {json_path}.")
