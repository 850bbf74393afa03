"""Seeded random sources for scenes and training."""

from __future__ import annotations

import hashlib

import torch


def seeded(device: str, *parts: object) -> torch.Generator:
    """Return a generator on ``device`` seeded with a hash of ``parts``."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest, "little") >> 1)
