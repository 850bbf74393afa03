"""The verb models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.cli.main import main


def test_list(engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"], engine=engine) == 0
    shown = capsys.readouterr().out
    small = next(line for line in shown.splitlines() if line.strip().startswith("small"))
    for part in ("depth", "Small one.", "Apache-2.0", "99 MB", "not here"):
        assert part in small
    assert "/weights/depth" in shown


def test_list_for_programs(engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json-events"], engine=engine) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["event"], line["name"], line["location"]) for line in lines] == [("model", "embedded", "/weights/depth"), ("model", "small", None)]


@pytest.mark.parametrize("name", ["small", "owner/small-hf"])
def test_get_says_licence_and_size_before_it_fetches(name: str, engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    told_before_fetching = []
    fetch = engine.fetch_model
    engine.fetch_model = lambda *arguments: (told_before_fetching.append(capsys.readouterr().err), fetch(*arguments))[1]
    assert main(["models", "get", name], engine=engine) == 0
    assert told_before_fetching == ["small (owner/small-hf): Small one. Licence Apache-2.0, about 99 MB.\n"]
    assert capsys.readouterr().out == f"{name} is in /weights/{name}\n"


@pytest.mark.parametrize("argv", [["models", "get", "small", "--json-events"], ["models", "--json-events", "get", "small"]])
def test_get_for_programs(argv: list[str], engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv, engine=engine) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("bytes_done") for line in lines] == [50, 100, None]
    assert lines[-1] == {"event": "result", "name": "small", "folder": "/weights/small"}


def test_get_of_a_model_unknown_here(engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "get", "someone/else"], engine=engine) == 0
    assert "licence and size are not known here" in capsys.readouterr().err
