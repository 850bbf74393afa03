"""Jobs that one client hands to Blender."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from engine.api.errors import OutputError, RequestError
from engine.api.folders import Folders
from engine.api.handoff import INBOX, offer_job, offered_jobs, take_offer

FIRST, SECOND = "0123456789abcdef" * 2, "fedcba9876543210" * 2


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(home=tmp_path / "home", runtime=tmp_path / "home")


def test_nothing_is_offered_before_the_folder_is_there(folders: Folders) -> None:
    assert offered_jobs(folders) == []


def test_an_offer_comes_back_with_its_name_for_the_user_alone(folders: Folders) -> None:
    path = offer_job(folders, FIRST, "Käse & Brot.png")
    (offer,) = offered_jobs(folders)
    assert (offer.job_id, offer.name) == (FIRST, "Käse & Brot.png")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_newest_offer_is_first_and_offering_again_makes_it_the_newest(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1.0, 2.0, 3.0])
    monkeypatch.setattr("engine.api.handoff.time.time", lambda: next(clock))
    for job in (FIRST, SECOND):
        offer_job(folders, job)
    assert [offer.job_id for offer in offered_jobs(folders)] == [SECOND, FIRST]
    offer_job(folders, FIRST)
    assert [offer.job_id for offer in offered_jobs(folders)] == [FIRST, SECOND]


def test_an_offer_is_taken_once(folders: Folders) -> None:
    offer_job(folders, FIRST)
    assert take_offer(folders, FIRST) is True
    assert take_offer(folders, FIRST) is False
    assert offered_jobs(folders) == []


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", '{"job_id": "0123"}', "\x00\xff", json.dumps({"job_id": SECOND, "name": "", "offered_at": 1})]
)
def test_files_that_make_no_sense_or_name_another_job_are_passed_over(folders: Folders, text: str) -> None:
    offer_job(folders, SECOND)
    (folders.home / INBOX / f"{FIRST}.json").write_text(text, encoding="utf-8")
    assert [offer.job_id for offer in offered_jobs(folders)] == [SECOND]


@pytest.mark.parametrize("name", ["", "../../engine", "a/b", "ABC", "job 1"])
def test_a_name_that_is_no_jobs_never_becomes_a_path(folders: Folders, name: str) -> None:
    for act in (offer_job, take_offer):
        with pytest.raises(RequestError, match="not the name of a job"):
            act(folders, name)
    assert not folders.home.exists()


def test_a_folder_that_cannot_be_made_is_said_in_words(folders: Folders) -> None:
    folders.home.write_text("a file stands where the engine's home should be")
    with pytest.raises(OutputError, match="Cannot write"):
        offer_job(folders, FIRST)
