"""One picture of many scenes, to look at: each scene's photograph above its disparity.

python -m engine.embedded.contact_sheet FILE.png [--family labelled] [--scenes 24] [--seed 0]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from .world.families import FAMILIES
from .world.scene import disparity_target, draw_scenes

_COLUMNS = 6


def tile_sheet(pictures: Tensor, columns: int) -> Image.Image:
    """Return one RGB picture of ``pictures`` (N, 3, H, W) in [0, 1], row by row; N is a multiple of ``columns``."""
    count, channels, height, width = pictures.shape
    grid = pictures.view(count // columns, columns, channels, height, width).permute(0, 3, 1, 4, 2)
    return Image.fromarray((grid.reshape(-1, columns * width, channels) * 255).round().byte().numpy())


def grey_disparity(disparity: Tensor) -> Tensor:
    """Return (B, 3, H, W) in [0, 1]: ``disparity`` (B, 1, H, W) stretched to each picture's own range."""
    low, high = disparity.amin((2, 3), keepdim=True), disparity.amax((2, 3), keepdim=True)
    return ((disparity - low) / (high - low).clamp_min(1e-6)).expand(-1, 3, -1, -1)


def main() -> None:
    """Draw the sheet that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--family", choices=sorted(FAMILIES), default="labelled")
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = []
    for row in range(-(-options.scenes // _COLUMNS)):
        generator = torch.Generator().manual_seed(options.seed * 1000 + row)
        scenes = draw_scenes(generator, FAMILIES[options.family], _COLUMNS, (154, 196))
        rows.append(torch.cat([scenes.image_srgb, grey_disparity(disparity_target(scenes.depth))]))
    tile_sheet(torch.cat(rows), _COLUMNS).save(options.file)


if __name__ == "__main__":
    main()
