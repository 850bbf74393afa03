"""The product's worker, given less memory once its models are loaded than a large picture needs."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping
from pathlib import Path

from engine.api.settings import RefineSettings
from engine.pipeline import LoadedModels
from engine.service.worker import Report, work_for_engine
from engine.service.worker_refine import TorchRefiner

MORE_BYTES = 200 << 20  # Enough for the small models' steps; the three maps of a 24-megapixel picture need 288 MB.


class ConfinedRefiner(TorchRefiner):
    def _loaded(self, settings: RefineSettings, revisions: Mapping[str, str], report: Report) -> LoadedModels:
        models = super()._loaded(settings, revisions, report)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + MORE_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        return models


if __name__ == "__main__":
    work_for_engine(int(sys.argv[1]), ConfinedRefiner)
