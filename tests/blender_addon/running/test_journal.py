"""The note of jobs that a crash must not lose."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.blender_addon.staged import NAME

journals = importlib.import_module(f"{NAME}.running.journal")


def test_jobs_come_back_in_order_with_what_was_wished(tmp_path: Path) -> None:
    journal = journals.Journal(tmp_path / "jobs.json")
    assert journal.entries() == []
    first = journals.Entry(job_id="a", name="Käse", blend="/x.blend", wish={"place": [1.5]})
    journal.note(first)
    journal.note(journals.Entry(job_id="b", name="b"))
    assert journals.Journal(journal.path).entries() == [first, journals.Entry(job_id="b", name="b")]


def test_noting_again_replaces_and_striking_forgets(tmp_path: Path) -> None:
    journal = journals.Journal(tmp_path / "jobs.json")
    journal.note(journals.Entry(job_id="a", name="old"))
    journal.note(journals.Entry(job_id="a", name="new"))
    assert [entry.name for entry in journal.entries()] == ["new"]
    journal.strike("a")
    journal.strike("a")
    assert journal.entries() == []


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"job_id": "a"}]', '[{"unknown": 1}]'])
def test_a_damaged_file_is_an_empty_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "jobs.json"
    path.write_text(text)
    assert journals.Journal(path).entries() == []


def test_the_oldest_make_room(tmp_path: Path) -> None:
    journal = journals.Journal(tmp_path / "jobs.json")
    for number in range(52):
        journal.note(journals.Entry(job_id=f"{number:x}", name=str(number)))
    assert [entry.name for entry in journal.entries()] == [str(number) for number in range(2, 52)]
