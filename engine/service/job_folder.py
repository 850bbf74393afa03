"""A job on disk: what was asked, how far it came, what came of it.

request.json      `Request`, written once
input/NAME        the engine's copy of the picture
state.json        state, error, number of starts; written by the listener alone
progress.jsonl    events, one a line, at most a megabyte
members/A-B/      refined members A to B (`engine.api.array_folder`), kept so that a second try goes on after them
preview.npy       the running members' mean disparity
result/           `engine.api.result_folder`
worker.log        the last lines that the worker wrote while it was at this job
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..api.disk import FACTS_NAME, PART_SUFFIX, disk_errors_in_words, is_whole, write_synced
from ..api.errors import DamagedFolderError, PictureError, SettingsError
from ..api.folders import write_private_file
from ..api.messages import JobState
from ..api.settings import RefineSettings

_LOG_LIMIT_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked.

    Attributes:
        name: the picture's file name.
        picture_digest: BLAKE2b of its bytes.
        revisions: role of each model → revision of its weights.
    """

    name: str
    picture_digest: str
    settings: RefineSettings
    revisions: Mapping[str, str]
    submitted_at: float

    @property
    def job_id(self) -> str:
        """Hash of everything that the result depends on, and of nothing else."""
        facts = [self.picture_digest, self.settings.to_json(), dict(self.revisions), __version__]
        return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, kw_only=True)
class SavedState:
    """How far a job came.

    Attributes:
        starts: how often a worker began it since it was last submitted.
        error: as `engine.api.errors.error_to_json` gives it.
    """

    state: JobState = "queued"
    starts: int = 0
    error: dict[str, Any] | None = None


class JobFolder:
    """The files of one job; makes nothing by being made."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def job_id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def picture(self) -> Path:
        """The engine's copy of the picture.

        Raises:
            DamagedFolderError: it is missing.
        """
        found = sorted((self.path / "input").glob("*"))
        if len(found) != 1:
            raise DamagedFolderError(f"The job's folder {self.path} lacks its picture.", hint="Submit the picture again.")
        return found[0]

    @property
    def result(self) -> Path:
        """The folder of the result."""
        return self.path / "result"

    @property
    def preview(self) -> Path:
        """The file of the preview."""
        return self.path / "preview.npy"

    def members(self, members: range) -> Path:
        """Return the folder of these finished members."""
        return self.path / "members" / f"{members[0]}-{members[-1]}"

    def read_request(self) -> Request:
        """Return what was asked.

        Raises:
            DamagedFolderError: the file is missing or damaged, or belongs to another folder.
        """
        try:
            fields = json.loads((self.path / "request.json").read_text(encoding="utf-8"))
            request = Request(**(fields | {"settings": RefineSettings.from_json(fields["settings"])}))
        except (OSError, ValueError, TypeError, KeyError, SettingsError) as exc:
            raise DamagedFolderError(f"The job's folder {self.path} is damaged.", hint="Submit the picture again.") from exc
        return request

    def read_state(self) -> SavedState:
        """Return how far it came; as never begun if the file is missing or damaged."""
        try:
            return SavedState(**json.loads((self.path / "state.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return SavedState()

    def write_state(self, state: SavedState) -> None:
        """Replace the state.

        Raises:
            OutputError: the disk is full or refuses.
        """
        with disk_errors_in_words(self.path):
            write_private_file(self.path / "state.json", json.dumps(asdict(state)))

    def append_progress(self, event: dict[str, Any]) -> None:
        """Append ``event`` to the log unless it is long enough; a full disk loses the line and nothing else."""
        path = self.path / "progress.jsonl"
        try:
            with path.open("a", encoding="utf-8") as log:
                if log.tell() < _LOG_LIMIT_BYTES:
                    log.write(json.dumps(event) + "\n")
        except OSError:
            return

    def has_result(self) -> bool:
        """Return whether there is a result whose files are all there."""
        return is_whole(self.result)

    def has_complete_result(self) -> bool:
        """Return whether there is a result, and of all steps."""
        try:
            facts = json.loads((self.result / FACTS_NAME).read_text(encoding="utf-8"))
            return self.has_result() and bool(facts["provenance"]["complete"])
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def touch(self) -> None:
        """Note that it was used now."""
        try:
            os.utime(self.path / "request.json")
        except OSError:
            return  # removed under us, or read-only: its place in the order of removal is no reason to fail

    def used_at(self) -> float:
        """Return when it was last used, in seconds since 1970; 0 if that is not known."""
        try:
            return (self.path / "request.json").stat().st_mtime
        except OSError:
            return 0.0


def picture_digest(path: Path) -> str:
    """Return the digest that `Request` names."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, hashlib.blake2b).hexdigest()


def create_job_folder(jobs: Path, request: Request, picture: Path) -> JobFolder:
    """Return the folder of ``request`` with a copy of ``picture``; a sound one that is there already is kept with all that it holds.

    Raises:
        OutputError: the disk is full or refuses.
        PictureError: the picture changed since ``request`` was made.
    """
    folder = JobFolder(jobs / request.job_id)
    if _is_sound(folder, request):
        return folder
    temporary = jobs / f"{request.job_id}.{secrets.token_hex(4)}{PART_SUFFIX}"
    with disk_errors_in_words(folder.path):
        try:
            temporary.mkdir(mode=0o700)
            (temporary / "input").mkdir()
            copy = temporary / "input" / request.name
            shutil.copyfile(picture, copy)
            if picture_digest(copy) != request.picture_digest:
                raise PictureError(f"{request.name} changed while it was read.", hint="Submit it again once it is written.", code="picture.changed")
            fields = {field.name: getattr(request, field.name) for field in dataclasses.fields(request)}
            fields |= {"settings": request.settings.to_json(), "revisions": dict(request.revisions)}
            write_synced(temporary / "request.json", json.dumps(fields, indent=1).encode())
            shutil.rmtree(folder.path, ignore_errors=True)
            os.replace(temporary, folder.path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _is_sound(folder: JobFolder, request: Request) -> bool:
    try:
        return folder.read_request().job_id == request.job_id and picture_digest(folder.picture) == request.picture_digest
    except (DamagedFolderError, OSError):
        return False
