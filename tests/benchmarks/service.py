"""Figures of the shared engine, in one run with the embedded models: ``python tests/benchmarks/service.py``.

Connecting, starting, cancelling, a cached result of 12 megapixels, and what a live preview costs a step. Times are medians in seconds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PIL import Image

from engine.api.channel import Channel
from engine.api.client import EngineClient
from engine.api.errors import EngineUnavailableError
from engine.api.messages import Progress
from engine.api.settings import settings_from_preset
from engine.pipeline import PREVIEW_INTERVAL_S
from engine.service.job_folder import JobFolder
from engine.service.worker import Report

WIDTH_PX, HEIGHT_PX = 4000, 3000
LIMITS_S = {"connect": 0.05, "cold start to first answer": 0.5, "cached result, 12 megapixels": 0.1, "preview, share of a step": 0.02}


def seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def first_answer() -> None:
    with EngineClient.connect() as client:
        client.status()


def end_engine() -> None:
    with suppress(EngineUnavailableError):
        with EngineClient.connect(start=False) as client:
            client.shutdown()
        while True:
            EngineClient.connect(start=False).close()
            time.sleep(0.05)


def cold_start() -> float:
    end_engine()
    return seconds(first_answer)


def cancel_to_idle(client: EngineClient, picture: Path, seed: int) -> float:
    """Return the time from asking a job in its steps to stop until the worker is idle with the partial result written."""
    job = client.submit(picture, settings_from_preset("default", steps=10_000, members=1, seed=seed))
    while not any(isinstance(event, Progress) and event.phase == "refine" and event.step > 2 for event in job.poll(1.0)):
        pass
    started = time.perf_counter()
    job.cancel()
    for _ in job.events():
        pass
    while client.status().worker == "busy":
        time.sleep(0.001)
    return time.perf_counter() - started


def step_seconds(client: EngineClient, picture: Path) -> float:
    job = client.submit(picture, settings_from_preset("default", steps=30, members=1))
    last = [event for event in job.events() if isinstance(event, Progress) and event.phase == "refine"][-1]
    return last.elapsed_s / last.step


def preview_seconds(folder: Path) -> float:
    """Return what one preview costs the worker: the file and the message."""
    here, there = multiprocessing.Pipe()
    report = Report(Channel(here), JobFolder(folder))
    disparity = np.random.default_rng(0).random((168, 224), np.float32)
    times = [seconds(lambda: report.on_preview(disparity)) for _ in range(200)]
    there.close()
    return statistics.median(times)


def measure(folder: Path) -> dict[str, float]:
    rng = np.random.default_rng(0)
    large, small = folder / "large.jpg", folder / "small.png"
    Image.fromarray(rng.integers(0, 255, (HEIGHT_PX // 8, WIDTH_PX // 8, 3), np.uint8)).resize((WIDTH_PX, HEIGHT_PX)).save(large, quality=95)
    Image.fromarray(rng.integers(0, 255, (60, 80, 3), np.uint8)).resize((640, 480)).save(small)
    figures = {"cold start to first answer": statistics.median(cold_start() for _ in range(5))}
    figures["connect"] = statistics.median(seconds(lambda: EngineClient.connect(start=False).close()) for _ in range(50))
    with EngineClient.connect() as client:
        once = settings_from_preset("quick", steps=2)
        client.submit(large, once).result(600)
        figures["cached result, 12 megapixels"] = statistics.median(seconds(lambda: client.submit(large, once).result(0)) for _ in range(9))
        figures["cancel to worker idle"] = statistics.median(cancel_to_idle(client, small, seed) for seed in range(3))
        figures["step"] = step_seconds(client, small)
    figures["preview"] = preview_seconds(folder)
    figures["preview, share of a step"] = figures["preview"] / max(figures["step"], PREVIEW_INTERVAL_S)
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        os.environ["REDEPTH_HOME"] = str(Path(name) / "home")
        try:
            figures = measure(Path(name))
        finally:
            end_engine()
    for figure, value in figures.items():
        limit = LIMITS_S.get(figure)
        verdict = "" if limit is None else f"  limit {limit:g}: {'kept' if value <= limit else 'NOT KEPT'}"
        print(f"{figure:<32}{value:10.4f}{verdict}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"cores": os.cpu_count(), "load": os.getloadavg()[0], "figures": figures}, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
