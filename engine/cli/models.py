"""`python -m engine models`: what is available where; `models get NAME` downloads one."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .installed import InstalledEngine
from .reporters import choose_reporter, print_json_line

if TYPE_CHECKING:
    from ..models.catalogue import ModelInfo

_JSON_HELP = "print one JSON object a line on stdout instead of words"


def add_parser(verbs: Any) -> None:
    """Add the verb to the parser's ``verbs``."""
    parser = verbs.add_parser(
        "models",
        help="list the known models, or download one",
        description="List the known models: role, licence, size, and whether their weights are on this machine. Nothing is downloaded.",
        allow_abbrev=False,
    )
    parser.add_argument("--json-events", action="store_true", help=_JSON_HELP)
    parser.set_defaults(run=run_list)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    get = actions.add_parser(
        "get", help="download one model", description="Download one model into the hub's cache on this machine.", allow_abbrev=False
    )
    get.add_argument("name", metavar="NAME", help="a name from the list, or a hub name (owner/model)")
    get.add_argument("--json-events", action="store_true", default=argparse.SUPPRESS, help=_JSON_HELP)
    get.set_defaults(run=run_get)


def run_list(arguments: argparse.Namespace, engine: InstalledEngine) -> int:
    """Print every known model."""
    models = engine.list_models()
    if arguments.json_events:
        for model in models:
            print_json_line({"event": "model", **asdict(model)})
    else:
        from .tables import model_table, print_table

        print_table(model_table(models))
        print("Download one with: python -m engine models get NAME")
    return 0


def run_get(arguments: argparse.Namespace, engine: InstalledEngine) -> int:
    """Download ``arguments.name`` after saying its licence and size.

    Raises:
        UnknownModelError: the name cannot be fetched.
        DownloadError: no network, or the hub refused.
    """
    name = arguments.name
    print(_announcement(name, engine.list_models()), file=sys.stderr)
    with choose_reporter(json_events=arguments.json_events) as reporter:
        folder = engine.fetch_model(name, lambda done, total: reporter.download(name, done, total))
    if arguments.json_events:
        print_json_line({"event": "result", "name": name, "folder": str(folder)})
    else:
        print(f"{name} is in {folder}")
    return 0


def _announcement(name: str, models: list[ModelInfo]) -> str:
    known = next((model for model in models if model.hub_name and name in (model.name, model.hub_name)), None)
    if known is None:
        return f"{name}: licence and size are not known here; see its page on the hub."
    return f"{known.name} ({known.hub_name}): {known.note} Licence {known.licence}, about {known.size_mb} MB."
