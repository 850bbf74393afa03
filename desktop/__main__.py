"""`python -m desktop [FILE …]`: the viewer."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.api.errors import RedepthError

_DESCRIPTION = """\
Open pictures, folders, results and depth maps, refine pictures, and see what refinement changed.

FILE is a picture, a folder of pictures, a folder of results (with result.json), or one or two depth maps (EXR, NPY, 16-bit PNG, PFM)
with or without their picture."""
_EPILOG = """\
examples:
  python -m desktop photo.jpg
  python -m desktop output/still_life
  python -m desktop before.exr after.exr photo.jpg
  python -m desktop --screenshot window.png --size 1600x1000 --theme light output/still_life"""
_VIEWS = ("compare", "relight", "3d")


def parse_size(text: str) -> tuple[int, int]:
    """Return (width, height) of a text like 1600x1000."""
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is no size like 1600x1000") from exc
    if not (400 <= width <= 10_000 and 300 <= height <= 10_000):
        raise argparse.ArgumentTypeError(f"{text!r} is outside 400x300 to 10000x10000")
    return width, height


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m desktop",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--job", metavar="ID", help="open this job of the engine, or follow it while it runs; `python -m engine jobs` lists them")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="with --screenshot: measure against the depth in this file")
    parser.add_argument("--theme", choices=("dark", "light"), help="instead of the one that was used last")
    parser.add_argument("--screenshot", type=Path, metavar="PNG", help="write a picture of the window and end; needs no display")
    parser.add_argument("--size", type=parse_size, default=(1600, 1000), metavar="WxH", help="of the screenshot's window (1600x1000)")
    parser.add_argument("--view", choices=_VIEWS, default="compare", help="what the screenshot shows (compare)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the viewer and return the exit status."""
    options = make_parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    from . import app  # Qt takes half a second to load, and --help needs none of it

    try:
        if options.screenshot is None:
            return app.run(options.files, job_id=options.job, theme=options.theme)
        app.screenshot(
            options.screenshot,
            options.files,
            job_id=options.job,
            truth=options.truth,
            size_px=options.size,
            theme=options.theme or "dark",
            view=_VIEWS.index(options.view),
        )
    except RedepthError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
