"""Keeping the job folders below a size: those used least recently go first, those in use never."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from ..api.errors import RequestError, UnknownJobError
from .job_folder import JobFolder
from .job_list import JobList

_log = logging.getLogger(__name__)


def enforce_limit(jobs: JobList, limit_bytes: int) -> int:
    """Remove ended, unused jobs until the folders hold at most ``limit_bytes``; return what they hold then."""
    sizes = {info.id: folder_bytes(Path(info.folder)) for info in jobs.infos()}
    total = sum(sizes.values())
    for job_id in sorted(sizes, key=lambda job_id: JobFolder(jobs.folder / job_id).used_at()):
        if total <= limit_bytes:
            break
        try:
            jobs.remove(job_id)
        except (RequestError, UnknownJobError):
            continue  # in use, or gone meanwhile
        _log.info("removed job %s to stay below %d bytes", job_id, limit_bytes)
        total -= sizes[job_id]
    return total


def folder_bytes(folder: Path) -> int:
    """Return the sum of the sizes of all files under ``folder``; what vanishes meanwhile counts nothing."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(path, name)).st_size
            except FileNotFoundError:
                continue
    return total
