"""What pip's last words mean, and what the user can do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..engine.api.errors import EngineError

# The first pattern that any line matches wins: an unreachable index also makes pip say that it found no such package.
_MEANINGS = (
    (
        r"No space left on device|not enough space|Errno 28|WinError 112|disk quota",
        "disk_full",
        "The disk is full.",
        "Free some space, or let REDEPTH_HOME name a folder on another disk, then start it again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSL: ",
        "certificate",
        "The package index's certificate was not accepted.",
        "Check the clock and, behind a company's proxy, name its certificates: pip config set global.cert FILE.",
    ),
    (
        r"NewConnectionError|NameResolution|Failed to establish|Temporary failure in name|ConnectTimeout|ReadTimeout|ProxyError|getaddrinfo|"
        r"Connection (refused|reset|aborted)|Network is unreachable|Max retries exceeded|RemoteDisconnected|IncompleteRead",
        "network",
        "The package index could not be reached.",
        "Check the network and start it again; what was downloaded is kept. Where only an index of your own can be reached, choose what pip is set "
        "up to use.",
    ),
    (
        r"do not match the hash|THESE PACKAGES DO NOT MATCH",
        "damaged",
        "A package arrived damaged.",
        "Start it again; if it stays so, empty pip's cache: python -m pip cache purge.",
    ),
    (
        r"Permission denied|WinError 5\b|WinError 32\b",
        "permission",
        "A file could not be written.",
        "End other programs that use the engine, then start it again.",
    ),
    (
        r"No matching distribution|Could not find a version|is not a supported wheel",
        "no_package",
        "A package has no version for this Python or this system.",
        "Choose Python 3.11 in the preferences, or another build of torch. The report names the package.",
    ),
)


def explained(error: EngineError, lines: Iterable[str]) -> EngineError:
    """Return ``error`` in words for the user where ``lines``, what pip said, has a meaning that we know; else itself."""
    said = list(lines)
    for pattern, code, sentence, hint in _MEANINGS:
        if any(re.search(pattern, line, re.IGNORECASE) for line in said):
            return EngineError(sentence, hint=hint, code=f"engine.install.{code}")
    return error
