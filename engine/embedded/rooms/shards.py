"""Rendered rooms on disk: shards of 512 pictures with their depth, and drawing batches from them. B scenes, N pictures, H W pixels."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...api.errors import InputError
from ...export.files import write_set
from ..world.scene import Scenes

Array = np.ndarray
SHARD_PICTURES = 512
FACTS = "rooms.json"


def shard_files(folder: Path, index: int) -> tuple[Path, Path]:
    """Return where shard ``index`` keeps its pictures, uint8 (N, H, W, 3), and its depth, float16 (N, H, W) in metres."""
    return folder / f"{index:05d}.image.npy", folder / f"{index:05d}.depth.npy"


def is_written(folder: Path, index: int) -> bool:
    """Return whether shard ``index`` is there; its depth is renamed last, so it is whole."""
    return shard_files(folder, index)[1].is_file()


def write_shard(folder: Path, index: int, image: Array, depth: Array) -> None:
    """Write one shard whole or not at all.

    Raises:
        OutputError: the folder cannot be written to.
    """
    image_file, depth_file = shard_files(folder, index)
    write_set({image_file: _npy(image), depth_file: _npy(depth.astype(np.float16))})


def _npy(array: Array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def write_facts(folder: Path, facts: dict[str, object]) -> None:
    """Note in ``folder`` what its shards are made from; where that is noted already it must agree.

    Raises:
        InputError: the folder holds shards made from something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FACTS
    if not file.is_file():
        write_set({file: json.dumps(facts, indent=2, sort_keys=True).encode()})
    elif json.loads(file.read_text(encoding="utf-8")) != facts:
        raise InputError(f"{folder} holds rooms that were made with another pack, seed or size.", hint="Name another folder, or the same settings.")


class RoomShards:
    """The shards in a folder: on the CPU read only where a batch asks for them, on another device kept there whole.

    Raises:
        InputError: the folder has no whole shard.
    """

    def __init__(self, folder: Path, device: str | torch.device = "cpu") -> None:
        self._folder, self._device = folder, device
        self._shards: dict[int, tuple[Tensor, Tensor]] = {}
        self.take_in_new()
        if not self._shards:
            raise InputError(f"{folder} holds no rooms.", hint="Render some with `python -m engine.embedded.rooms.render`.")

    def take_in_new(self) -> None:
        """Find shards that were written since the last look; they count after those that are known."""
        for index in sorted(int(file.name.split(".")[0]) for file in self._folder.glob("*.depth.npy")):
            if index not in self._shards and is_written(self._folder, index):
                self._shards[index] = self._open(index)
        self._first = np.cumsum([0, *(len(image) for image, _ in self._shards.values())])

    def _open(self, index: int) -> tuple[Tensor, Tensor]:
        # Copy on write: torch wants arrays that could be written to.
        image, depth = (torch.from_numpy(np.load(file, mmap_mode="c")).to(self._device) for file in shard_files(self._folder, index))
        return image, depth

    def __len__(self) -> int:
        return int(self._first[-1])

    def take(self, indices: list[int]) -> Scenes:
        """Return the pictures at ``indices``: image_srgb (B, 3, H, W) in [0, 1] and depth (B, 1, H, W) in metres along the view axis."""
        shards, images, depths = list(self._shards.values()), [], []
        for index in indices:
            shard = int(np.searchsorted(self._first, index, side="right")) - 1
            image, depth = shards[shard]
            images.append(image[index - self._first[shard]])
            depths.append(depth[index - self._first[shard]])
        return Scenes(torch.stack(images).permute(0, 3, 1, 2).float() / 255, torch.stack(depths).float()[:, None])

    def draw(self, generator: torch.Generator, batch: int) -> Scenes:
        """Return ``batch`` pictures drawn at random; the same generator state gives the same ones."""
        return self.take(torch.randint(len(self), (batch,), generator=generator, device=generator.device).tolist())
