"""A job handed from one client to Blender: the viewer offers it, the add-on's panel lists it and takes it.

An offer is one small file a job in the folder ``blender-inbox`` under the engine's home, so neither program has to run while the other
writes. It names the job and nothing else; the job itself is asked of the engine (`EngineClient.attach`). Standard library only.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from .disk import disk_errors_in_words
from .errors import RequestError
from .folders import Folders, make_private_folder, write_private_file

INBOX = "blender-inbox"
_SUFFIX = ".json"
_ID_LETTERS = frozenset("0123456789abcdef")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A job that waits to be taken.

    Attributes:
        job_id: the engine's name for it.
        name: what to show for it, usually the picture's file name; may be empty.
        offered_at: seconds since 1970.
    """

    job_id: str
    name: str
    offered_at: float


def offer_job(folders: Folders, job_id: str, name: str = "") -> Path:
    """Offer a job to Blender and return the file that says so; offered again, it becomes the newest.

    Raises:
        RequestError: ``job_id`` is not the name of a job.
        OutputError: the disk is full or refuses.
    """
    path = _path(folders, job_id)
    with disk_errors_in_words(path):
        make_private_folder(path.parent)
        write_private_file(path, json.dumps(asdict(Offer(job_id=job_id, name=name, offered_at=time.time()))))
    return path


def offered_jobs(folders: Folders) -> list[Offer]:
    """Return what is offered, newest first; files that make no sense are passed over."""
    offers = [_read(path) for path in (folders.home / INBOX).glob(f"*{_SUFFIX}")]
    return sorted((offer for offer in offers if offer is not None), key=lambda offer: (-offer.offered_at, offer.job_id))


def take_offer(folders: Folders, job_id: str) -> bool:
    """Take an offer away, and return whether it was still there: of two programs that take it, one gets True.

    Raises:
        RequestError: ``job_id`` is not the name of a job.
        OutputError: the disk refuses.
    """
    path = _path(folders, job_id)
    with disk_errors_in_words(path):
        try:
            path.unlink()
        except FileNotFoundError:
            return False
    return True


def _path(folders: Folders, job_id: str) -> Path:
    if not job_id or not _ID_LETTERS.issuperset(job_id):
        raise RequestError(f"{job_id!r} is not the name of a job.", hint="`python -m engine jobs` lists the names.")
    return folders.home / INBOX / f"{job_id}{_SUFFIX}"


def _read(path: Path) -> Offer | None:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        offer = Offer(job_id=str(fields["job_id"]), name=str(fields["name"]), offered_at=float(fields["offered_at"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return offer if path.stem == offer.job_id else None
