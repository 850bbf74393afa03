"""From the runtime file to a channel that the engine has greeted."""

from __future__ import annotations

from typing import Any

from .channel import Channel, connect
from .errors import EngineError, EngineUnavailableError, EngineVersionError, error_from_json
from .folders import Folders, RuntimeFile, read_runtime_file
from .messages import PROTOCOL_VERSION


def open_channel(folders: Folders, greeting: dict[str, Any], timeout_s: float) -> Channel:
    """Return an authenticated channel to the engine that the runtime file names, greeted with ``greeting``.

    Raises:
        EngineUnavailableError: none answers there.
        EngineVersionError, UnauthorisedError, EngineTimeoutError: it does not want to, or hangs.
    """
    runtime = read_runtime_file(folders.runtime_file)
    if runtime is None:
        raise _none_runs()
    try:
        return _greeted_channel(runtime, greeting, timeout_s)
    except EngineUnavailableError as gone:
        if read_runtime_file(folders.runtime_file) is None:  # It was ending, and its socket took one more connection.
            raise _none_runs() from gone
        raise


def _none_runs() -> EngineUnavailableError:
    return EngineUnavailableError("No engine is running.", hint="Start one with `python -m engine serve`.")


def _greeted_channel(runtime: RuntimeFile, greeting: dict[str, Any], timeout_s: float) -> Channel:
    channel = connect(runtime.address, timeout_s)
    try:
        channel.authenticate(bytes.fromhex(runtime.key), first=False)
        channel.send({"protocol": PROTOCOL_VERSION, **greeting})
        answer = checked(channel.receive(timeout_s))
        if answer.get("protocol") != PROTOCOL_VERSION:
            raise version_error(engine_version=answer.get("engine"), engine_protocol=answer.get("protocol"), client_protocol=PROTOCOL_VERSION)
    except EngineError:
        channel.close()
        raise
    return channel


def version_error(*, engine_version: object, engine_protocol: object, client_protocol: object) -> EngineVersionError:
    """Return the refusal to talk across versions of the protocol."""
    return EngineVersionError(
        f"The engine that is running (version {engine_version}) speaks protocol {engine_protocol}, this program speaks {client_protocol}.",
        hint="Update the older of the two, end the running engine with its own `python -m engine serve --stop`, and connect again.",
    )


def checked(answer: dict[str, Any]) -> dict[str, Any]:
    """Return ``answer``.

    Raises:
        RedepthError: the one that the answer holds.
    """
    if "error" in answer:
        raise error_from_json(answer["error"])
    return answer
