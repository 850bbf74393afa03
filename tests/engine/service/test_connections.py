"""Who gets in, and what becomes of messages that make no sense."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from engine.api.channel import Channel, connect
from engine.api.client import EngineClient
from engine.api.connecting import checked, open_channel
from engine.api.errors import (
    EngineUnavailableError,
    EngineVersionError,
    FrameRefusedError,
    PictureError,
    RedepthError,
    RequestError,
    SettingsError,
    UnauthorisedError,
    UnknownJobError,
)
from engine.api.folders import RuntimeFile, find_folders, read_runtime_file
from engine.api.messages import MAX_FRAME_BYTES, PROTOCOL_VERSION
from tests.engine.service.toys import ROOT, ToyEngine, settings, wait_until

FRAMES = 10_000
SETTINGS = settings().to_json()
NONSENSE: list[tuple[dict[str, Any], type[RedepthError]]] = [
    ({}, RequestError),
    ({"ask": "dance"}, RequestError),
    ({"ask": 3}, RequestError),
    ({"ask": "submit"}, RequestError),
    ({"ask": "submit", "picture": "x\0y", "settings": SETTINGS}, PictureError),
    ({"ask": "submit", "picture": "/etc/hostname", "settings": {"steps": 3}}, SettingsError),
    ({"ask": "submit", "picture": "/etc/hostname", "settings": SETTINGS | {"device": ["cpu"]}}, SettingsError),
    ({"ask": "follow", "job": "../../etc", "after": 0, "wait_s": 0}, UnknownJobError),
    ({"ask": "follow", "job": "x", "after": "0", "wait_s": 0}, UnknownJobError),
    ({"ask": "remove", "job": ""}, UnknownJobError),
]


@pytest.fixture
def runtime(client: EngineClient) -> RuntimeFile:
    runtime = read_runtime_file(find_folders().runtime_file)
    assert runtime is not None
    return runtime


@pytest.fixture
def undisturbed(client: EngineClient, picture: Path) -> Iterator[None]:
    """Another client's job goes on through whatever the test does."""
    job = client.submit(picture, settings(steps=8))
    yield
    assert job.result(60).provenance["complete"]
    assert client.status().running is None


def raw(runtime: RuntimeFile) -> socket.socket:
    end = socket.socket(socket.AF_UNIX)
    end.settimeout(10)
    end.connect(runtime.address)
    return end


def greeted() -> tuple[Channel, Connection]:
    """Return a channel that the engine has let in, and the connection under it for sending what is no message."""
    channel = open_channel(find_folders(), {"role": "client"}, 5)
    return channel, channel._connection


def refusal(channel: Channel) -> RedepthError:
    """Return the reason that the engine gives before it closes."""
    with pytest.raises(RedepthError) as caught:
        checked(channel.receive(10))
    with pytest.raises(EngineUnavailableError):
        channel.receive(10)
    channel.close()
    return caught.value


def test_a_wrong_key_is_refused(runtime: RuntimeFile, undisturbed: None) -> None:
    channel = connect(runtime.address, 5)
    with pytest.raises(UnauthorisedError, match="key was refused"):
        channel.authenticate(b"\0" * 32, first=False)
    channel.close()


def test_whoever_does_not_authenticate_gets_nothing_but_the_challenge(runtime: RuntimeFile, undisturbed: None) -> None:
    for first_bytes in (b"", b"\0", b"GET / HTTP/1.1\r\n\r\n", struct.pack("!i", 300) + b"x" * 300, struct.pack("!i", -7), b"\xff" * 64):
        with raw(runtime) as end:
            end.sendall(first_bytes)
            end.shutdown(socket.SHUT_WR)
            heard = b""
            with suppress(ConnectionResetError):  # closed before it read all of ours
                while piece := end.recv(4096):
                    heard += piece
        assert b"protocol" not in heard
        assert len(heard) < 200


def test_a_first_frame_of_another_version_or_role_is_refused_in_words(runtime: RuntimeFile, undisturbed: None) -> None:
    hellos: list[dict[str, Any]] = [{"protocol": PROTOCOL_VERSION + 1, "role": "client"}, {"protocol": "1", "role": "client"}, {}]
    for hello in hellos:
        error = refusal(_said_hello(runtime, hello))
        assert type(error) is EngineVersionError
        assert f"protocol {PROTOCOL_VERSION}" in error.sentence
        assert "Update" in error.hint
    assert type(refusal(_said_hello(runtime, {"protocol": PROTOCOL_VERSION, "role": "emperor"}))) is RequestError


def _said_hello(runtime: RuntimeFile, hello: dict[str, Any]) -> Channel:
    channel = connect(runtime.address, 5)
    channel.authenticate(bytes.fromhex(runtime.key), first=False)
    channel.send(hello)
    return channel


def test_a_worker_that_nobody_awaits_is_sent_away(runtime: RuntimeFile, undisturbed: None) -> None:
    channel = open_channel(find_folders(), {"role": "worker", "number": 77}, 5)
    assert isinstance(refusal(channel), RequestError)


def test_a_frame_that_is_no_json_object_ends_its_connection_with_the_reason(runtime: RuntimeFile, undisturbed: None) -> None:
    for frame in (b"", b"{", b"[]", b"3", b'{"ask": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"ask": ' + b"9" * 5000 + b"}", b"\x80\x04N."):
        channel, connection = greeted()
        connection.send_bytes(frame)
        error = refusal(channel)
        assert isinstance(error, FrameRefusedError)
        assert "JSON" in error.sentence


def test_a_frame_that_is_too_large_or_stops_in_the_middle_ends_its_connection_with_the_reason(runtime: RuntimeFile, undisturbed: None) -> None:
    for header in (struct.pack("!i", MAX_FRAME_BYTES + 1), struct.pack("!iQ", -1, 1 << 40), struct.pack("!i", 100) + b"cut off"):
        channel, connection = greeted()
        os.write(connection.fileno(), header)
        with socket.socket(fileno=os.dup(connection.fileno())) as end:
            end.shutdown(socket.SHUT_WR)
        assert isinstance(refusal(channel), FrameRefusedError)


def test_a_question_that_makes_no_sense_is_answered_and_the_connection_goes_on(client: EngineClient) -> None:
    channel, _ = greeted()
    for question, expected in NONSENSE:
        channel.send(question)
        with pytest.raises(expected) as caught:
            checked(channel.receive(10))
        assert caught.value.code != "fault", question
    channel.send({"ask": "status"})
    assert checked(channel.receive(10))["status"]["pid"] == client.status().pid
    channel.close()


def test_ten_thousand_random_frames_disturb_nobody(toy: ToyEngine, client: EngineClient, runtime: RuntimeFile, undisturbed: None) -> None:
    chance = random.Random(4)
    asks = ["submit", "follow", "cancel", "remove", "jobs", "status", "release", "dance", "", None, 7]
    values: list[Any] = [None, True, -1, 0, 1.5, 1e300, "", "x" * 1000, [], {}, [[[]]], {"a": {"b": 1}}, "..", "\ud800", 2**70]
    channel, connection = greeted()
    for number in range(FRAMES):
        if chance.random() < 0.03:
            frame = chance.randbytes(chance.randrange(200))
        else:
            names = chance.sample(["job", "after", "wait_s", "picture", "settings", "protocol", "role"], chance.randrange(5))
            question = {"ask": chance.choice(asks), **{name: chance.choice(values) for name in names}}
            if question["ask"] == "follow" and "wait_s" in question:
                question["wait_s"] = chance.choice([0, -1, "soon"])
            frame = json.dumps(question).encode()
        connection.send_bytes(frame)
        try:
            answer = channel.receive(20)
        except EngineUnavailableError:
            pytest.fail(f"no reason was given for frame {number}: {frame!r}")
        assert answer.get("error", {}).get("code") != "fault", frame
        if answer.get("error", {}).get("code") == "engine.frame_refused":
            channel.close()
            channel, connection = greeted()
    channel.close()
    assert "fault" not in (toy.home / "toy.log").read_text()
    assert client.status().pid == runtime.pid
    wait_until(lambda: client.status().clients <= 2)


@pytest.mark.parametrize("python", ["python3.12", "python3.13", "python3.14"])
def test_a_client_of_another_python_gets_in(runtime: RuntimeFile, python: str) -> None:
    code = (
        "from engine.api.connecting import open_channel; from engine.api.folders import find_folders\n"
        "channel = open_channel(find_folders(), {'role': 'client'}, 5); channel.send({'ask': 'status'}); print(channel.receive(5)['status']['pid'])"
    )
    command = [shutil.which(python) or python, "-W", "error", "-c", code]
    try:
        subprocess.run([command[0], "-V"], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"{python} is not on this machine")
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30).stdout.strip() == str(runtime.pid)
