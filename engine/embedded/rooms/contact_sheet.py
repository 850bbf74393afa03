"""One picture of many rendered rooms, to look at: each picture above its disparity.

python -m engine.embedded.rooms.contact_sheet DIR FILE.png [--pictures 24] [--seed 0]
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import torch

from ..commands import exit_status
from ..contact_sheet import grey_disparity, tile_sheet
from ..world.scene import disparity_target
from .shards import RoomShards

_COLUMNS = 6


def draw_sheet(folder: Path, file: Path, *, pictures: int, seed: int) -> None:
    """Write ``pictures`` of the rooms in ``folder``, or as many as fill the last row, to ``file``.

    Raises:
        InputError: ``folder`` holds no rooms.
    """
    shards, generator = RoomShards(folder), torch.Generator().manual_seed(seed)
    rows = []
    for _ in range(-(-pictures // _COLUMNS)):
        scenes = shards.draw(generator, _COLUMNS)
        rows.append(torch.cat([scenes.image_srgb, grey_disparity(disparity_target(scenes.depth))]))
    tile_sheet(torch.cat(rows), _COLUMNS).save(file)


def main() -> int:
    """Draw the sheet that the command line asks for."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    return exit_status(lambda: draw_sheet(options.folder, options.file, pictures=options.pictures, seed=options.seed))


if __name__ == "__main__":
    sys.exit(main())
