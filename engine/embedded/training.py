"""What both trainings share: seeded scenes used a few times each, learning rate, averaged weights, checkpoints and progress.

Step k depends on the seed, k and the weights alone, so a run that stops and resumes gives the same bytes as one that does not.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import logging
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from .rooms.shards import RoomShards
from .seeds import seeded
from .world.families import FAMILIES
from .world.scene import Scenes, draw_scenes
from .world.textures import uniform

log = logging.getLogger(__name__)

_WARMUP_STEPS = 100
_DECAY_SHARE = 0.3
_REPORT_EVERY_S = 20
_DRAW_SCENES = 4


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How a network is trained.

    Attributes:
        steps: of the optimiser; the last 30 % decay the learning rate to 0.
        batch: scenes a step, a multiple of 4.
        uses: how many steps each drawn scene serves, apart in time and augmented anew.
        apart: steps between two uses, divided by ``uses``.
        ema: decay of the averaged weights, which are what is exported.
        families: scenes are drawn from these in turn.
        sizes_px: (height, width) of a step's pictures, chosen at random.
        rooms_share: share of the groups that are furnished rooms, read from the folders given to the training.
        pretrained_rate: learning rate of the pretrained backbone, in parts of the others'.
        precision: ``bfloat16`` runs the network under autocast, weights and loss stay float32; ``float32`` does not.
    """

    steps: int
    seed: int
    learning_rate: float
    batch: int
    families: tuple[str, ...]
    sizes_px: tuple[tuple[int, int], ...]
    uses: int = 3
    apart: int = 8
    weight_decay: float = 0.01
    ema: float = 0.998
    rooms_share: float = 0.0
    pretrained_rate: float = 0.2
    precision: str = "float32"


class SceneSource:
    """The scenes of each step: drawn once, kept while they are needed again."""

    def __init__(self, settings: TrainSettings, device: str, rooms: Sequence[Path] = ()) -> None:
        self._settings, self._device = settings, device
        self._rooms = [RoomShards(folder) for folder in rooms]
        self._drawn = lru_cache(maxsize=settings.uses * settings.apart)(self._draw)

    def at(self, step: int) -> Scenes:
        """Return the scenes of ``step``: group ``step // uses``, or one drawn ``apart`` groups before for each further use."""
        newest, use = divmod(step, self._settings.uses)
        return self._drawn(max(0, newest - use * self._settings.apart))

    def _draw(self, group: int) -> Scenes:
        generator = seeded(self._device, self._settings.seed, "scenes", group)
        size = self._settings.sizes_px[int(torch.randint(len(self._settings.sizes_px), (1,), generator=generator, device=self._device))]
        if float(uniform(generator, 1)) < self._settings.rooms_share:
            return self._draw_rooms(group, size)
        draws = self._settings.batch // _DRAW_SCENES
        names = [self._settings.families[(group + draw) % len(self._settings.families)] for draw in range(draws)]
        scenes = [draw_scenes(generator, FAMILIES[name], _DRAW_SCENES, size) for name in names]
        return Scenes(torch.cat([scene.image_srgb for scene in scenes]), torch.cat([scene.depth for scene in scenes]))

    def _draw_rooms(self, group: int, size: tuple[int, int]) -> Scenes:
        """Return rooms cut to the aspect of ``size`` (height, width), which the depth takes on unmixed."""
        generator = seeded("cpu", self._settings.seed, "rooms", group)
        shards = self._rooms[int(torch.randint(len(self._rooms), (1,), generator=generator))]
        drawn = shards.draw(generator, self._settings.batch)
        image, depth = (crop_to_aspect(field.to(self._device), size) for field in (drawn.image_srgb, drawn.depth))
        return Scenes(interpolate(image, size, mode="bilinear", antialias=True, align_corners=False), interpolate(depth, size, mode="nearest-exact"))


def crop_to_aspect(field: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the middle of ``field`` (B, C, H, W) with the aspect of ``size`` (height, width), as large as fits."""
    height, width = field.shape[-2:]
    rows, columns = min(height, round(width * size[0] / size[1])), min(width, round(height * size[1] / size[0]))
    top, left = (height - rows) // 2, (width - columns) // 2
    return field[..., top : top + rows, left : left + columns]


def learning_rate_factor(step: int, steps: int) -> float:
    """Return the factor of the learning rate at ``step``: linear warm-up, constant, linear decay to 0 over the last 30 %."""
    warm = min(1.0, (step + 1) / _WARMUP_STEPS)
    return warm * min(1.0, (steps - step) / max(1.0, _DECAY_SHARE * steps))


class Training:
    """A network on its way: weights, averaged weights, optimiser and step.

    Args:
        loss_at: the training loss of (network, scenes, generator).
        monitor: a validation figure of a network, lower is better.
    """

    def __init__(
        self,
        network: nn.Module,
        settings: TrainSettings,
        device: str,
        loss_at: Callable[[Any, Scenes, torch.Generator], Tensor],
        monitor: Callable[[Any], float],
        rooms: Sequence[Path] = (),
    ) -> None:
        self.settings, self.device, self.step = settings, device, 0
        self.network = network.to(device).train()
        self.averaged = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimiser = torch.optim.AdamW(self._parameter_groups(), lr=settings.learning_rate, weight_decay=settings.weight_decay, betas=(0.9, 0.98))
        self._loss_at, self._monitor = loss_at, monitor
        self._scenes = SceneSource(settings, device, rooms)

    def _parameter_groups(self) -> list[dict[str, Any]]:
        """Return the trained parameters in two groups, each with its ``rate`` in parts of the learning rate."""
        trained = [(name.startswith("backbone."), parameter) for name, parameter in self.network.named_parameters() if parameter.requires_grad]
        rates = ((False, 1.0), (True, self.settings.pretrained_rate))
        return [{"params": [parameter for pretrained, parameter in trained if pretrained == which], "rate": rate} for which, rate in rates]

    def save(self, file: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        state = {
            "step": self.step,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        partial = file.with_name(file.name + ".partial")
        torch.save(state, partial)
        os.replace(partial, file)

    def resume(self, file: Path) -> None:
        """Go on from a checkpoint that `save` wrote."""
        state = torch.load(file, map_location=self.device, weights_only=True)
        self.step = state["step"]
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])

    def run(self, checkpoint: Path, *, stop: int | None = None, checkpoint_every: int = 200) -> None:
        """Train to step ``stop`` (None = the last), with a checkpoint and a monitor figure every ``checkpoint_every`` steps and at the end."""
        last = self.settings.steps if stop is None else stop
        started, reported, first, losses = time.monotonic(), time.monotonic(), self.step, []
        while self.step < last:
            losses.append(self._advance())
            if time.monotonic() - reported > _REPORT_EVERY_S:
                reported = time.monotonic()
                pace = (self.step - first) / (reported - started)
                log.info(
                    "step %d/%d loss %.4f, %.2f steps/s, %.0f s left", self.step, last, sum(losses) / len(losses), pace, (last - self.step) / pace
                )
                losses.clear()
            if self.step % checkpoint_every == 0 or self.step == last:
                self.save(checkpoint)
                log.info("step %d monitor %.4f", self.step, self._monitor(self.averaged))

    def _advance(self) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * self.settings.learning_rate * learning_rate_factor(self.step, self.settings.steps)
        with self._autocast():
            loss = self._loss_at(self.network, self._scenes.at(self.step), seeded(self.device, self.settings.seed, "step", self.step))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(self.settings.ema, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for mean, value in zip(self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True):
                mean.lerp_(value, 1 - decay) if mean.is_floating_point() else mean.copy_(value)
        return float(loss.detach())

    def _autocast(self) -> contextlib.AbstractContextManager[object]:
        if self.settings.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(torch.device(self.device).type, torch.bfloat16)

    def export(self, folder: Path, facts: dict[str, Any]) -> None:
        """Write the averaged weights as float16 in ``save_pretrained`` form, and ``training.json`` with settings and ``facts``."""
        network: Any = copy.deepcopy(self.averaged).half()
        network.to(memory_format=torch.contiguous_format)
        network.save_pretrained(folder)
        record = {
            "settings": asdict(self.settings),
            "steps_done": self.step,
            "monitor": round(self._monitor(self.averaged), 4),
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
            "device": self.device,
            "torch": torch.__version__,
            "machine": platform.machine(),
        }
        (folder / "training.json").write_text(json.dumps(record | facts, indent=2) + "\n", encoding="utf-8")


def training_parser(description: str, *, steps: int, batch: int, learning_rate: float) -> argparse.ArgumentParser:
    """Return the command line that both trainings share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--stop", type=int, help="stop at this step; the learning rate still follows --steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--learning-rate", type=float, default=learning_rate)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="auto: bfloat16 where the device computes it")
    parser.add_argument("--rooms", type=Path, nargs="*", default=[], help="folders that engine.embedded.rooms.render wrote")
    parser.add_argument("--rooms-share", type=float, default=0.5, help="share of furnished rooms where --rooms are given")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; results repeat to the byte for an equal number")
    parser.add_argument("--checkpoint", type=Path, required=True, help="file to write checkpoints to")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.add_argument("--export", type=Path, help="folder to write the float16 weights to at the end")
    return parser


def train_settings(options: argparse.Namespace, **own: Any) -> TrainSettings:
    """Return the settings that the shared command line asks for, with the training's ``own``, and set up this process as it asks."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    return TrainSettings(
        steps=options.steps,
        seed=options.seed,
        learning_rate=options.learning_rate,
        batch=options.batch,
        rooms_share=options.rooms_share if options.rooms else 0.0,
        precision=training_precision(options.device, options.precision),
        **own,
    )


def training_precision(device: str, asked: str) -> str:
    """Return ``bfloat16`` or ``float32``: what was ``asked`` for, or under ``auto`` bfloat16 where ``device`` multiplies it natively."""
    if asked != "auto":
        return asked
    native = torch.cuda.is_bf16_supported() if torch.device(device).type == "cuda" else torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if native else "float32"


def run_training(training: Training, options: argparse.Namespace, facts: dict[str, Any]) -> None:
    """Resume, run and export as the command line asks."""
    if options.resume:
        training.resume(options.checkpoint)
        log.info("resumed at step %d", training.step)
    training.run(options.checkpoint, stop=options.stop)
    if options.export is not None:
        training.export(options.export, facts)
