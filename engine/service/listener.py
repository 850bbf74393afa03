"""The engine's process: one thread a connection, one for the worker, and a main thread that waits for the end."""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Listener
from typing import Any

from .. import __version__
from ..api.channel import HANDSHAKE_S, Channel
from ..api.connecting import version_error
from ..api.disk import disk_errors_in_words
from ..api.errors import EngineError, FrameRefusedError, RedepthError, RequestError, error_to_json
from ..api.folders import Folders, RuntimeFile, write_private_file
from ..api.messages import PROTOCOL_VERSION
from .addresses import new_address, remove_address, remove_old_address
from .answers import Answers
from .job_list import JobList
from .revisions import ENGINE_ROOT, Revisions
from .single import SingleEngine
from .supervisor import Limits, Supervisor

MOST_CONNECTIONS = 200
_log = logging.getLogger(__name__)

WORKER_COMMAND = (sys.executable, "-X", "faulthandler", "-m", "engine.service.worker")


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """How an engine runs.

    Attributes:
        idle_exit_s: it ends after so long without client and job.
        cache_limit_bytes: what the job folders may hold.
        worker_command: starts a worker; its number is appended.
    """

    idle_exit_s: float = 900.0
    cache_limit_bytes: int = 20 << 30
    worker_command: Sequence[str] = WORKER_COMMAND
    limits: Limits = Limits()  # noqa: RUF009 - frozen


class Service:
    """The engine that holds the lock of its home."""

    def __init__(self, folders: Folders, settings: ServiceSettings) -> None:
        self._folders, self._settings = folders, settings
        self._key = secrets.token_bytes(32)
        self._jobs = JobList(folders.jobs)
        self._supervisor = Supervisor(self._jobs, settings.worker_command, settings.limits)
        self._answers = Answers(self._jobs, self._supervisor, Revisions(folders.home / "revisions.json"), settings.cache_limit_bytes, self.shut_down)
        self._stopping = False

    def shut_down(self) -> None:
        """Let `run` end."""
        with self._jobs.changed:
            self._stopping = True
            self._jobs.changed.notify_all()

    def run(self) -> None:
        """Serve until told to stop or left idle."""
        remove_old_address(self._folders)
        listener = Listener(new_address(self._folders), backlog=64)
        address = str(listener.address)
        self._jobs.load()
        runtime = RuntimeFile(pid=os.getpid(), address=address, key=self._key.hex(), protocol=PROTOCOL_VERSION, version=__version__)
        runtime.write(self._folders.runtime_file)
        threading.Thread(target=self._accept, args=(listener,), name="accept", daemon=True).start()
        self._supervisor.start()
        _log.info("engine %s serves at %s", __version__, address)
        try:
            self._wait_for_the_end()
        finally:
            self._folders.runtime_file.unlink(missing_ok=True)
            self._supervisor.stop()
            with suppress(OSError):  # somebody tidied up before us
                listener.close()
            remove_address(address)
        _log.info("engine ended")

    def _wait_for_the_end(self) -> None:
        idle_since, counted_after = time.monotonic(), -1
        while True:
            with self._jobs.changed:
                if not self._stopping and self._jobs.ends == counted_after:
                    self._jobs.changed.wait(min(1.0, self._settings.idle_exit_s))
                busy = self._answers.clients > 0 or bool(self._jobs.queued()) or bool(self._supervisor.child and self._supervisor.child.job)
                stopping, ends = self._stopping, self._jobs.ends
            now = time.monotonic()
            idle_since = now if busy else idle_since
            if stopping or now - idle_since >= self._settings.idle_exit_s:
                return
            if ends != counted_after:
                counted_after = ends
                self._answers.keep_limit()

    def _accept(self, listener: Listener) -> None:
        while True:
            try:
                connection = listener.accept()
            except OSError as error:  # such as too many open files: others may close theirs
                _log.warning("a connection was not accepted: %s", error)
                time.sleep(0.1)
                continue
            with self._jobs.changed:
                crowded = self._answers.clients >= MOST_CONNECTIONS
                self._answers.clients += not crowded
            if crowded:
                connection.close()
            else:
                threading.Thread(target=self._attend, args=(connection,), name="connection", daemon=True).start()

    def _attend(self, connection: Connection) -> None:
        """Serve one connection from its first byte to its last."""
        used: dict[str, None] = {}
        try:
            self._converse(Channel(connection), used)
        except OSError as error:  # such as too many open files, in the making of the channel
            _log.warning("a connection was given up: %s", error)
            connection.close()
        finally:
            with self._jobs.changed:
                self._answers.clients -= 1
                self._jobs.users.subtract(list(used))
                self._jobs.changed.notify_all()

    def _converse(self, channel: Channel, used: dict[str, None]) -> None:
        adopted = False
        try:
            channel.authenticate(self._key, first=True)
            adopted = self._greet(channel)
            while not adopted:
                self._answer(channel, channel.receive(None), used)
        except FrameRefusedError as error:
            _try_to_send(channel, {"error": error_to_json(error)})
        except EngineError as error:
            _log.debug("a connection ended: %s", error.sentence)
        finally:
            if not adopted:
                channel.close()

    def _greet(self, channel: Channel) -> bool:
        """Return whether it was a worker, whose connection now is the supervisor's.

        Raises:
            EngineError: the connection is over; the other side knows why.
        """
        hello = channel.receive(HANDSHAKE_S)
        welcome = {"protocol": PROTOCOL_VERSION, "engine": __version__, "pid": os.getpid()}
        try:
            if hello.get("protocol") != PROTOCOL_VERSION:
                raise version_error(engine_version=__version__, engine_protocol=PROTOCOL_VERSION, client_protocol=hello.get("protocol"))
            if hello.get("role") == "worker":
                channel.send(welcome)
                self._supervisor.adopt(channel, hello.get("number"))
                return True
            if hello.get("role") != "client":
                raise RequestError(f"The engine knows no role {hello.get('role')!r}.", hint="Connect as client.")
        except EngineError as error:
            _try_to_send(channel, {"error": error_to_json(error)})
            raise
        channel.send(welcome)
        return False

    def _answer(self, channel: Channel, question: dict[str, Any], used: dict[str, None]) -> None:
        try:
            answer = self._answers.answer(question, used)
        except RedepthError as error:
            answer = {"error": error_to_json(error)}
        except Exception as exc:  # the edge of this thread: the client is told, the others are not disturbed
            _log.exception("a question met a fault")
            answer = {
                "error": error_to_json(EngineError(f"The engine has a fault of its own: {type(exc).__name__}.", hint="See its log.", code="fault"))
            }
        channel.send(answer)


def serve(folders: Folders, settings: ServiceSettings) -> bool:
    """Run the engine of this home until it ends; return at once with False where another one runs.

    SIGTERM and SIGINT end it in order: unfinished jobs go on when it is started again.

    Raises:
        OutputError: its folders cannot be made.
    """
    with disk_errors_in_words(folders.home):
        folders.make()
    single = SingleEngine(folders.lock_file)
    if not single.acquire():
        return False
    write_private_file(folders.python_file, json.dumps({"python": sys.executable, "root": str(ENGINE_ROOT)}))
    service = Service(folders, settings)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: threading.Thread(target=service.shut_down).start())  # not here: the lock may be held by this thread
    service.run()
    return True


def _try_to_send(channel: Channel, message: dict[str, Any]) -> None:
    try:
        channel.send(message)
    except EngineError as error:
        _log.debug("a last word was not taken: %s", error.sentence)
