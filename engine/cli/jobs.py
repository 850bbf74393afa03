"""`python -m engine jobs`: what the shared engine keeps; `jobs show ID` and `jobs remove ID` for one of them."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..api.errors import RequestError, UnknownJobError
from ..api.messages import JobInfo
from .installed import InstalledEngine
from .reporters import print_json_line

if TYPE_CHECKING:
    from ..api.client import EngineClient

_JSON_HELP = "print one JSON object a line on stdout instead of words"
_ID_HELP = "the beginning of a job's identifier, long enough to mean one"


def add_parser(verbs: Any) -> None:
    """Add the verb to the parser's ``verbs``."""
    parser = verbs.add_parser(
        "jobs",
        help="list, show or remove what the shared engine keeps",
        description="List the jobs whose folders are kept: running, waiting and ended ones. The oldest go by themselves when space is short.",
        allow_abbrev=False,
    )
    parser.add_argument("--json-events", action="store_true", help=_JSON_HELP)
    parser.set_defaults(run=run_list)
    actions = parser.add_subparsers(title="actions", metavar="")
    show = actions.add_parser("show", help="tell all about one job", description="Tell all about one job.", allow_abbrev=False)
    remove = actions.add_parser(
        "remove", help="remove jobs and their folders", description="Remove ended jobs and their folders.", allow_abbrev=False
    )
    show.add_argument("id", metavar="ID", help=_ID_HELP)
    show.set_defaults(run=run_show)
    remove.add_argument("id", metavar="ID", nargs="*", help=_ID_HELP)
    remove.add_argument("--all", action="store_true", help="every job that has ended and that no program uses")
    remove.set_defaults(run=run_remove)


def run_list(arguments: argparse.Namespace, engine: InstalledEngine) -> int:
    """Print every job."""
    with engine.connect() as client:
        jobs = client.jobs()
    if arguments.json_events:
        for job in jobs:
            print_json_line({"event": "job", **asdict(job)})
    elif jobs:
        from .tables import job_table, print_table

        print_table(job_table(jobs))
    else:
        print("No job is kept.")
    return 0


def run_show(arguments: argparse.Namespace, engine: InstalledEngine) -> int:
    """Print one job.

    Raises:
        UnknownJobError, RequestError: no job or several begin so.
    """
    with engine.connect() as client:
        job = _find(client, arguments.id)
    facts = {
        "job": job.id,
        "picture": job.name,
        "state": job.state,
        "submitted": datetime.fromtimestamp(job.submitted_at).strftime("%Y-%m-%d %H:%M:%S"),
        "result": "yes" if job.has_result else "no",
        "folder": job.folder,
    }
    if job.error:
        facts["error"] = f"{job.error['sentence']} {job.error['hint']}"
    print("\n".join(f"{name:<12}{value}" for name, value in facts.items()))
    return 0


def run_remove(arguments: argparse.Namespace, engine: InstalledEngine) -> int:
    """Remove jobs.

    Raises:
        UnknownJobError, RequestError: no job or several begin so, or it has not ended, or a program uses it.
    """
    with engine.connect() as client:
        chosen = [_find(client, beginning).id for beginning in arguments.id]
        for job_id in chosen:
            client.remove(job_id)
        removed = len(chosen)
        if arguments.all:
            removed += sum(_remove_if_unused(client, job) for job in client.jobs() if job.ended)
    print(f"Removed {removed} {'job' if removed == 1 else 'jobs'}.")
    return 0


def _find(client: EngineClient, beginning: str) -> JobInfo:
    found = [job for job in client.jobs() if job.id.startswith(beginning)]
    if not found:
        raise UnknownJobError(f"No job begins with {beginning}.", hint="List them with `python -m engine jobs`.")
    if len(found) > 1:
        raise RequestError(f"{len(found)} jobs begin with {beginning}.", hint="Give more of the identifier.")
    return found[0]


def _remove_if_unused(client: EngineClient, job: JobInfo) -> bool:
    try:
        client.remove(job.id)
    except RequestError:
        return False
    return True
