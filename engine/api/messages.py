"""What programs say to each other: the progress of a refinement, and the protocol of the shared engine.

**Progress.** A refinement passes through `PHASES` in order. Every event is a frozen dataclass; `event_to_json` writes one line of JSON for programs.

**Protocol, version 1.** The engine listens on a Unix socket (Windows: a named pipe) whose address and key stand in the runtime file
(`engine.api.folders`), which only its user can read. A connection is `multiprocessing.connection`'s: first its mutual HMAC handshake with
that key, then frames of `send_bytes`, each one JSON object in UTF-8 of at most `MAX_FRAME_BYTES`, without NaN. Nothing is ever unpickled;
arrays are ``.npy`` files in the job's folder.

The first frame says who is there, and the engine answers with ``engine``, its version, and ``pid``:

    {"protocol": 1, "role": "client"}                       → {"protocol": 1, "engine": "0.1.0", "pid": 4711}

After that a client asks and the engine answers, strictly in turn; a client that wants to wait and to ask opens two connections.

    {"ask": "submit", "picture": PATH, "settings": {...}}   → {"job": JobInfo}      joins or answers from the folder where the job exists
    {"ask": "follow", "job": ID, "after": N, "wait_s": S}   → {"job": JobInfo, "events": [...], "after": M}
                                                              events numbered above N, as soon as there is one, the job ends, or S passed
    {"ask": "cancel" | "remove", "job": ID}                 → {"job": JobInfo}
    {"ask": "jobs"}                                         → {"jobs": [JobInfo, ...]}          the newest 500, newest last
    {"ask": "status"}                                       → {"status": EngineStatus}
    {"ask": "release" | "shutdown"}                         → {}                    release: the worker ends after the job that it is at

What goes wrong is answered by {"error": ...} of `engine.api.errors.error_to_json`. After an error in a request the connection goes on; after
a frame that is no JSON object, is too large or stops in the middle, and after a first frame of another protocol version or unknown role,
the engine says why and closes.

The worker, the process that holds the models, speaks over the same transport as role ``worker`` with the ``number`` that it was started with.
The engine sends {"run": ID, "revisions": {role: revision}} and {"cancel": ID}. The worker sends {"tell": KIND, ...}: ``beat`` twice a second from a
thread of its own, with ``device``, ``models`` and ``free_memory_mb``; ``event`` with ``event``; ``preview`` after each new ``preview.npy``;
``done`` with ``complete`` once the result is in the folder; ``failed`` with ``error``, with ``traceback`` for its log, and with ``leaving`` where
the process is not fit for another job. All but ``beat`` name their ``job``. Whichever side sees the other go away ends the connection.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from .errors import FrameRefusedError

PROTOCOL_VERSION = 1
MAX_FRAME_BYTES = 1 << 20

Phase = Literal["load", "base", "refine", "gate", "upsample", "write"]
PHASES: tuple[Phase, ...] = ("load", "base", "refine", "gate", "upsample", "write")

JobState = Literal["queued", "running", "finished", "failed", "cancelled"]
ENDED: tuple[JobState, ...] = ("finished", "failed", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a phase has come.

    Attributes:
        member, members: the first member of the running batch, counted from 1, and how many there are; 0 outside ``refine``.
        step, steps: steps done and to do in this phase.
        losses: current mean losses by name, ``guidance`` and ``smoothness``; empty outside ``refine``.
        elapsed_s, eta_s: seconds since the phase began, and still to come (None while unknown).
    """

    phase: Phase
    step: int
    steps: int
    member: int = 0
    members: int = 0
    losses: dict[str, float] = field(default_factory=dict)
    elapsed_s: float = 0.0
    eta_s: float | None = None

    @property
    def told_eta_s(self) -> float | None:
        """``eta_s`` as far as people are told it: None below half a second too, for "0 s left" beside work that goes on is no help."""
        return None if self.eta_s is None or self.eta_s < 0.5 else self.eta_s


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something the user should know, though nothing failed; ``code`` is stable, ``text`` one sentence."""

    code: str
    text: str


Event = Progress | Notice


@dataclass(frozen=True, kw_only=True)
class JobInfo:
    """A job as the engine sees it at one moment.

    Attributes:
        id: hash of the picture's bytes, the settings, the models' revisions and the engine's version.
        name: the picture's file name.
        folder: where the job lives; `engine.api.result_folder` reads its result.
        submitted_at: seconds since 1970.
        ahead: jobs that run before this one; 0 unless queued.
        progress: the latest progress, as `event_to_json` gives it, or None.
        previews: how often ``preview.npy`` in the folder was written.
        has_result: the folder holds a result; of a cancelled job it is what was reached.
        error: why it failed, as `engine.api.errors.error_to_json` gives it, or None.
    """

    id: str
    name: str
    state: JobState
    folder: str
    submitted_at: float
    ahead: int = 0
    progress: dict[str, Any] | None = None
    previews: int = 0
    has_result: bool = False
    error: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it unless it is submitted again."""
        return self.state in ENDED


@dataclass(frozen=True, kw_only=True)
class EngineStatus:
    """The engine at one moment.

    Attributes:
        worker: ``none``, ``idle`` or ``busy``.
        device, free_memory_mb, models: what the worker computes on, what is free there and which models it holds; None and empty while unknown.
        running, queued: identifiers of jobs.
        clients: open connections.
        jobs_bytes: size of all job folders when it was last counted.
    """

    version: str
    pid: int
    worker: Literal["none", "idle", "busy"]
    worker_pid: int | None
    device: str | None
    free_memory_mb: int | None
    models: dict[str, str]
    running: str | None
    queued: list[str]
    clients: int
    jobs_bytes: int


def event_to_json(event: Event) -> dict[str, Any]:
    """Return ``event`` as a JSON object with its kind under ``event``."""
    return {"event": type(event).__name__.lower(), **asdict(event)}


def event_from_json(value: Any) -> Event:
    """Return the event that `event_to_json` described.

    Raises:
        FrameRefusedError: it is none.
    """
    kinds: dict[str, type[Progress] | type[Notice]] = {"progress": Progress, "notice": Notice}
    try:
        fields = dict(value)
        event = kinds[fields.pop("event")](**fields)
    except (TypeError, ValueError, KeyError) as exc:
        raise FrameRefusedError("An event could not be understood.") from exc
    if isinstance(event, Progress) and event.phase not in PHASES:
        raise FrameRefusedError(f"No phase is called {event.phase!r}.")
    return event


def job_from_json(value: Any) -> JobInfo:
    """Return the `JobInfo` whose fields are ``value``.

    Raises:
        FrameRefusedError: it is none.
    """
    try:
        job = JobInfo(**value)
    except TypeError as exc:
        raise FrameRefusedError("The engine described a job in fields that this program does not know.") from exc
    if job.state not in get_args(JobState):
        raise FrameRefusedError(f"No state of a job is called {job.state!r}.")
    return job
