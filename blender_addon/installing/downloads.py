"""How far pip has come, read from its lines and from the files that it is writing; it draws no bar for a program."""

from __future__ import annotations

import os
import re
from pathlib import Path

_FETCHING = 0.7  # share of the time that fetching takes, of fetching and unpacking
_UNITS = {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
_DOWNLOADING = re.compile(r"^Downloading (?:\S*/)?(?P<file>[^\s/]+)(?: \((?P<size>[\d.]+) (?P<unit>bytes|kB|MB|GB)\))?")


class Downloads:
    """What one call of pip has fetched and unpacked so far.

    Args:
        temporary: the folder that pip keeps its unfinished files in.
        environment: the virtual environment that it installs into.
        expected: how many packages are likely to be named.
    """

    def __init__(self, temporary: Path, environment: Path, expected: int) -> None:
        self._temporary = temporary
        self._environment = environment
        self._expected = max(expected, 1)
        self._named = 0
        self._to_unpack = self._unpacked_before = 0
        self._file = ""
        self._size = 0.0

    def hear(self, line: str) -> None:
        """Take note of a line of pip's."""
        if line.startswith(("Collecting ", "Requirement already satisfied", "Processing ")):
            self._named += 1
        elif line.startswith("Installing collected packages"):
            self._to_unpack, self._unpacked_before = line.count(",") + 1, self._unpacked()
        elif found := _DOWNLOADING.match(line):
            self._file = found["file"].split("-")[0]
            self._size = float(found["size"] or 0) * _UNITS[found["unit"] or "bytes"]

    def growth(self) -> int:
        """Return a number that grows while pip is alive: the size of the files that it is writing, and how many packages are in place."""
        total = self._unpacked()
        for folder, _, names in os.walk(self._temporary):
            for name in names:
                try:
                    total += os.stat(os.path.join(folder, name)).st_size
                except OSError:
                    continue  # pip removed it meanwhile
        return total

    def state(self) -> tuple[str, float]:
        """Return (what is going on, in a few words; fraction of this call that is done)."""
        if self._to_unpack:
            done = min(max(self._unpacked() - self._unpacked_before, 0), self._to_unpack)
            words = "unpacking" if self._to_unpack == 1 else f"unpacking, {done} of {self._to_unpack}"
            return words, _FETCHING + (1 - _FETCHING) * done / self._to_unpack
        share = _FETCHING * min(self._named / self._expected, 1.0)
        if not self._file:
            return "", share
        if self._size < 10e6:
            return self._file, share
        here = min(self._largest_file(), self._size)
        step = _FETCHING / self._expected
        return f"{self._file}, {here / 1e6:.0f} of {self._size / 1e6:.0f} MB", max(0.0, share - step) + step * here / self._size

    def _unpacked(self) -> int:
        """Return how many packages the environment holds; pip puts a package's own notes into place last."""
        return sum(1 for pattern in ("lib/python3*", "Lib") for _ in self._environment.glob(f"{pattern}/site-packages/*.dist-info"))

    def _largest_file(self) -> float:
        sizes = [0]
        for folder, _, names in os.walk(self._temporary):
            for name in names:
                if name.startswith(self._file):
                    try:
                        sizes.append(os.stat(os.path.join(folder, name)).st_size)
                    except OSError:
                        continue
        return max(sizes)
