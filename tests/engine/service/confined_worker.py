"""The product's worker, given less memory once its libraries are loaded than a large picture needs."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from engine.service.worker import Refiner, work_for_engine

MORE_BYTES = 500 << 20


def confined_refiner() -> Refiner:
    from engine.service.worker_refine import TorchRefiner

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MORE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return TorchRefiner()


if __name__ == "__main__":
    work_for_engine(int(sys.argv[1]), confined_refiner)
