"""Render furnished rooms to shards of pictures with exact depth.

python -m engine.embedded.rooms.render --pack PACK.npz --out DIR --rooms N [--seed S] [--size 224x168] [--workers K]

Each room gives four pictures; N is rounded up to whole shards of 128 rooms. A run that was stopped goes on where it was. Asking for more rooms later
adds shards to those that are there. Needs EGL; Mesa's software renderer will do (`apt-get install libegl1 libgl1-mesa-dri`).
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import multiprocessing
import os
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from threading import Thread

import numpy as np
import torch

from ..commands import exit_status
from .pack import read_pack
from .shards import SHARD_PICTURES, is_written, write_facts, write_shard
from .studio import VIEWS_A_ROOM, Studio

log = logging.getLogger(__name__)
ROOMS_A_SHARD = SHARD_PICTURES // VIEWS_A_ROOM
_studio: Studio


def _open_studio(pack: Path, height: int, width: int) -> None:
    """Make this worker's studio: one thread each, for the workers share the machine. It leaves when the process that started it does."""
    global _studio
    Thread(target=_leave_with_parent, daemon=True).start()
    os.environ["LP_NUM_THREADS"] = "0"
    torch.set_num_threads(1)
    _studio = Studio(read_pack(pack), height, width)


def _leave_with_parent() -> None:
    """End this worker when its parent has ended, even by a kill: it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _render_shard(folder: Path, seed: int, index: int) -> int:
    """Render shard ``index`` in a worker and write it, unless another run did so meanwhile; return its number."""
    images: list[np.ndarray] = []
    depths: list[np.ndarray] = []
    if is_written(folder, index):
        return index
    for room in range(ROOMS_A_SHARD):
        pictures = _studio.pictures(seed, index, room)
        images.append(pictures.image)
        depths.append(pictures.depth.astype(np.float16))
    write_shard(folder, index, np.concatenate(images), np.concatenate(depths))
    return index


def render_shards(pack: Path, folder: Path, *, shards: int, seed: int, size: tuple[int, int], workers: int) -> None:
    """Render those of the first ``shards`` shards that ``folder`` lacks, as pictures of ``size`` (height, width), in ``workers`` processes.

    Several runs may fill one folder: each takes the shards in an order of its own, and what is in a shard depends on its number alone.

    Raises:
        InputError: the folder holds rooms made from something else, or the pack cannot be read.
        DeviceError: there is no EGL.
        OutputError: a shard cannot be written.
    """
    digest = hashlib.sha256(pack.read_bytes()).hexdigest() if pack.is_file() else ""
    read_pack(pack)
    write_facts(folder, {"pack_sha256": digest, "seed": seed, "height_px": size[0], "width_px": size[1]})
    missing = [index for index in range(shards) if not is_written(folder, index)]
    random.shuffle(missing)
    started = time.monotonic()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_open_studio, initargs=(pack, *size)) as pool:
        tasks = [pool.submit(_render_shard, folder, seed, index) for index in missing]
        for done, task in enumerate(as_completed(tasks), start=1):
            rate = done * SHARD_PICTURES / (time.monotonic() - started)
            there = sum(is_written(folder, index) for index in range(shards))
            log.info("shard %d is written; %d of %d are there; %.1f pictures a second", task.result(), there, shards, rate)


def _size(text: str) -> tuple[int, int]:
    width, height = (int(side) for side in text.split("x"))
    return height, width


def main() -> int:
    """Render what the command line asks for."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rooms", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=_size, default=(168, 224), help="width x height in pixels (default 224x168)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    shards = -(-options.rooms // ROOMS_A_SHARD)
    return exit_status(lambda: render_shards(options.pack, options.out, shards=shards, seed=options.seed, size=options.size, workers=options.workers))


if __name__ == "__main__":
    sys.exit(main())
