from __future__ import annotations

import json

import pytest

from engine.api import errors
from engine.api.errors import RedepthError, error_from_json, error_to_json


def all_errors(root: type[RedepthError] = RedepthError) -> list[type[RedepthError]]:
    """Return the tree under ``root``, without what a client that another test imported has added for itself."""
    return [root] + [found for child in root.__subclasses__() if child.__module__ == errors.__name__ for found in all_errors(child)]


@pytest.mark.parametrize("kind", all_errors())
def test_every_error_survives_the_wire(kind: type[RedepthError]) -> None:
    sent = kind("It failed.", hint="Do this.", code="some.code")
    received = error_from_json(json.loads(json.dumps(error_to_json(sent))))
    assert type(received) is kind
    assert (received.sentence, received.hint, received.code) == ("It failed.", "Do this.", "some.code")
    assert str(received) == "It failed. Do this."


def test_codes_are_distinct_and_documented() -> None:
    codes = [kind.code for kind in all_errors()]
    assert len(set(codes)) == len(codes)
    assert all(kind.__name__ in errors.__doc__ for kind in all_errors())


def test_an_unknown_kind_keeps_its_words() -> None:
    received = error_from_json({"kind": "FutureError", "code": "future", "sentence": "New.", "hint": ""})
    assert type(received) is RedepthError
    assert (str(received), received.code) == ("New.", "future")


def test_exit_statuses_are_failures() -> None:
    assert all(0 < kind.exit_status < 256 for kind in all_errors())
