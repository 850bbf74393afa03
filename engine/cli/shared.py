"""`refine` as a client of the shared engine, with the progress and the Ctrl-C of a run in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..api.client import EngineClient
from ..api.messages import Event, Notice, Progress
from ..api.result import RefineResult
from ..api.settings import RefineSettings

_LOOK_S = 0.1


def refine_in_shared_engine(
    client: EngineClient, picture: Path, settings: RefineSettings, on_event: Callable[[Event], None], should_stop: Callable[[], bool]
) -> RefineResult:
    """Return the engine's result; once ``should_stop``, what was reached. It may have been made of the same bytes under another name.

    Raises:
        CancelledError: stopped before there was anything.
        RedepthError: as the engine met it, or went away.
    """
    job = client.submit(picture, settings)
    if job.info.state == "finished":
        on_event(Notice(code="engine.kept", text="The shared engine made this very result before and kept it."))
    elif job.info.state == "queued" and client.status().running not in (None, job.info.id):
        on_event(Notice(code="engine.waiting", text="The shared engine is at another job; this one waits for its turn."))
    cancelled = False
    while not job.info.ended:
        for event in job.poll(_LOOK_S):
            if not isinstance(event, Progress) or event.phase != "write":  # the engine's own files; ours are still to be written
                on_event(event)
        if should_stop() and not cancelled:
            job.cancel()
            cancelled = True
    result = job.result(timeout_s=0)
    return replace(result, provenance=result.provenance | {"picture": {**result.provenance["picture"], "name": picture.name}})
