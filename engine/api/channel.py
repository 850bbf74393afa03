"""One connection of the protocol: JSON objects as frames, each with a limit in size and in time.

See `engine.api.messages` for what is said over it.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, answer_challenge, deliver_challenge
from typing import Any, NoReturn

from .errors import EngineTimeoutError, EngineUnavailableError, FrameRefusedError, UnauthorisedError
from .messages import MAX_FRAME_BYTES

FRAME_S = 10.0
HANDSHAKE_S = 5.0


class Channel:
    """A connection that speaks in JSON objects. Any thread may send; one at a time may receive."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        _limit_blocking(connection, FRAME_S)

    def authenticate(self, key: bytes, *, first: bool) -> None:
        """Prove to each other that both know ``key``; the side that listens goes first.

        Raises:
            UnauthorisedError: the other side does not know it, or says nothing.
        """
        steps = (deliver_challenge, answer_challenge) if first else (answer_challenge, deliver_challenge)
        try:
            for step in steps:
                if step is answer_challenge and not self._connection.poll(HANDSHAKE_S):
                    raise EngineTimeoutError("The other side does not answer.", hint="If it does not recover, end it and try again.")
                step(self._connection, key)
        except (AuthenticationError, AssertionError, ValueError) as exc:
            raise UnauthorisedError("The key was refused.", hint="Restart the program; if that does not help, restart the engine.") from exc
        except (EOFError, OSError) as exc:
            raise EngineUnavailableError("The other side went away during the handshake.", hint="Try again.") from exc

    def send(self, message: dict[str, Any]) -> None:
        """Send ``message``.

        Raises:
            FrameRefusedError: it is too large, or holds what JSON cannot say.
            EngineUnavailableError: the other side has gone, or takes nothing.
        """
        try:
            frame = json.dumps(message, allow_nan=False, separators=(",", ":")).encode()
        except (TypeError, ValueError) as exc:
            raise FrameRefusedError("The message holds a value that JSON cannot say.") from exc
        if len(frame) > MAX_FRAME_BYTES:
            raise FrameRefusedError(f"The message has {len(frame)} bytes, more than {MAX_FRAME_BYTES}.")
        try:
            with self._sending:
                self._connection.send_bytes(frame)
        except (OSError, ValueError) as exc:
            raise _gone() from exc

    def receive(self, timeout_s: float | None) -> dict[str, Any]:
        """Return the next message; None waits for ever, for the side that has nothing else to do.

        Raises:
            EngineTimeoutError: none began within ``timeout_s``.
            EngineUnavailableError: the other side has gone.
            FrameRefusedError: it is no JSON object, too large, or stopped in the middle; nothing more can be received.
        """
        try:
            if not self._connection.poll(timeout_s):
                raise EngineTimeoutError(f"No answer within {timeout_s:g} s.", hint="If it does not recover, end the engine and try again.")
            frame = self._connection.recv_bytes(MAX_FRAME_BYTES)
        except (EOFError, ValueError) as exc:
            raise _gone() from exc
        except BlockingIOError as exc:
            raise FrameRefusedError("The message stopped in the middle.") from exc
        except OSError as exc:
            if exc.errno is None:  # so says `multiprocessing` of a length that makes no sense
                raise FrameRefusedError(f"The message is larger than {MAX_FRAME_BYTES} bytes, or stopped in the middle.") from exc
            raise _gone() from exc
        return _parse(frame)

    def close(self) -> None:
        """End the connection, also under a thread that waits on it; closing twice is no error."""
        try:
            with _socket_of(self._connection) as end:
                end.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError):
            pass  # not a socket, or closed before
        self._connection.close()


def connect(address: str, timeout_s: float) -> Channel:
    """Return a channel to whoever listens at ``address``; both still have to authenticate.

    Raises:
        EngineUnavailableError: nobody does.
        EngineTimeoutError: somebody does, and takes no more connections.
    """
    try:
        if os.name == "nt":
            return Channel(Client(address, family="AF_PIPE"))
        with socket.socket(socket.AF_UNIX) as end:
            end.settimeout(timeout_s)
            end.connect(address)
            end.setblocking(True)
            return Channel(Connection(end.detach()))
    except (TimeoutError, BlockingIOError) as exc:
        raise EngineTimeoutError("The engine takes no more connections.", hint="End it and try again.") from exc
    except OSError as exc:
        raise EngineUnavailableError("No engine answers.", hint="Start one with `python -m engine serve`.") from exc


def _parse(frame: bytes) -> dict[str, Any]:
    try:
        message = json.loads(frame, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise FrameRefusedError("The message is not JSON.") from exc
    if not isinstance(message, dict):
        raise FrameRefusedError("The message is not a JSON object.")
    return message


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _gone() -> EngineUnavailableError:
    return EngineUnavailableError("The engine has gone.", hint="Connect again: unfinished jobs go on after their last finished batch of members.")


def _socket_of(connection: Connection) -> socket.socket:
    """Return another handle of the socket under ``connection``; closing it leaves the connection open."""
    return socket.socket(fileno=os.dup(connection.fileno()))


def _limit_blocking(connection: Connection, seconds: float) -> None:
    """Let no single read or write of a frame block for longer; on Windows there is no such limit."""
    if os.name == "nt":
        return
    with _socket_of(connection) as end:
        limit = struct.pack("ll", int(seconds), 0)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
