"""Something that listens where an engine should, greets like one, and then misbehaves."""

from __future__ import annotations

import os
import socket
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from engine.api.channel import Channel
from engine.api.errors import EngineError
from engine.api.folders import RuntimeFile, find_folders
from engine.api.messages import PROTOCOL_VERSION

KEY = b"false"


class FalseEngine:
    """Listens in a thread until `end`.

    Args:
        manner: ``hang`` answers nothing after the greeting, ``die`` goes away when asked, ``rubbish`` answers what is no JSON,
            ``mute`` does not even greet.
    """

    def __init__(self, home: Path, manner: str) -> None:
        self.manner = manner
        self.connections = 0
        self._listener = socket.socket(socket.AF_UNIX)
        address = str(home / "false.sock")
        self._listener.bind(address)
        self._listener.listen()
        self._open: list[Channel] = []
        RuntimeFile(pid=os.getpid(), address=address, key=KEY.hex(), protocol=PROTOCOL_VERSION, version="0").write(find_folders().runtime_file)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        for channel in self._open:
            channel.close()

    def _accept(self) -> None:
        while True:
            try:
                end, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection = Connection(end.detach())
            channel = Channel(connection)
            self._open.append(channel)
            try:
                self._misbehave(channel, connection)
            except EngineError:
                continue

    def _misbehave(self, channel: Channel, connection: Connection) -> None:
        if self.manner == "mute":
            return
        channel.authenticate(KEY, first=True)
        channel.receive(5)
        channel.send({"protocol": PROTOCOL_VERSION, "engine": "0", "pid": os.getpid()})
        channel.receive(5)
        if self.manner == "rubbish":
            connection.send_bytes(b"\xff{no json")
        elif self.manner == "die":
            channel.close()
