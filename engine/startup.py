"""What a process that computes sets before it imports torch."""

from __future__ import annotations

import gc
import os

_OBJECTS_A_COLLECTION = 50_000


def before_torch() -> None:
    """Let torch's threads share the processor, and let imports go on without a search for garbage every few hundred objects.

    Torch's threads shall spin only briefly while they wait for each other: with the default, a step can take many times as long when other programs
    want the processor. Importing torch, transformers and diffusers makes a million objects and no garbage.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    gc.set_threshold(_OBJECTS_A_COLLECTION)
