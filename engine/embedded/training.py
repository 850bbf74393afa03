"""What both trainings share: seeded scenes used a few times each, learning rate, averaged weights, checkpoints and progress.

Step k depends on the seed, k and the weights alone, so on CPUs a run that stops and resumes gives the same bytes as one that does not.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import logging
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ..api.errors import InputError
from ..export.files import prepare_folder, write_set, write_whole
from ..models.devices import choose_compute
from .commands import exit_status
from .imagenet import freeze_early, start_from_imagenet
from .rooms.shards import RoomShards
from .seeds import seeded
from .world.families import FAMILIES
from .world.scene import Scenes, draw_scenes

log = logging.getLogger(__name__)

RECORD = "training.json"
_WARMUP_STEPS = 100
_DECAY_SHARE = 0.3
_REPORT_EVERY_S = 20
_DRAWS_A_GROUP = 4
_LOOK_EVERY = 100


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How a network is trained.

    Attributes:
        steps: of the optimiser; the last 30 % decay the learning rate to 0.
        batch: scenes a step, of one size.
        made_at_once: scenes of the families that are made together, a multiple of 4 and no fewer than a step takes.
        kept: how many such groups are kept; a step takes its scenes from one of them.
        uses: how often a scene serves on average, augmented anew each time.
        ema: decay of the averaged weights, which are what is exported.
        families: scenes are drawn from these in turn.
        sizes_px: (height, width) of a step's pictures, chosen at random.
        rooms_share: share of each batch that is furnished rooms, read from the folders given to the training.
        pretrained_rate: learning rate of the pretrained backbone, in parts of the others'.
        whole_backbone: all of the backbone learns, not only what `engine.embedded.imagenet.freeze_early` leaves to.
        precision: ``bfloat16`` runs the network under autocast, weights and loss stay float32; ``float32`` does not.
    """

    steps: int
    seed: int
    learning_rate: float
    batch: int
    families: tuple[str, ...]
    sizes_px: tuple[tuple[int, int], ...]
    made_at_once: int = 64
    kept: int = 6
    uses: int = 4
    weight_decay: float = 0.01
    ema: float = 0.998
    rooms_share: float = 0.0
    pretrained_rate: float = 0.2
    whole_backbone: bool = False
    precision: str = "float32"


class SceneSource:
    """The scenes of each step, on the device: rooms, drawn from shards that are kept there, and scenes of the families, made there.

    What a step gets depends on the settings, its number and the rooms alone. Rooms that are rendered while a training runs are taken in too, so the
    same seed gives the same steps only from folders that stay as they are.

    Args:
        device: where scenes are made and wanted.

    Raises:
        InputError: a folder of ``rooms`` holds none, a step takes more scenes than are made at once, or those are no multiple of 4.
    """

    def __init__(self, settings: TrainSettings, device: str, rooms: Sequence[Path] = ()) -> None:
        self._settings, self._device = settings, device
        self._rooms = [RoomShards(folder, device) for folder in rooms]
        self._rooms_a_step = round(settings.rooms_share * settings.batch) if rooms else 0
        self._made_a_step = settings.batch - self._rooms_a_step
        self._made: dict[int, Scenes] = {}
        if settings.made_at_once % _DRAWS_A_GROUP:
            raise InputError(f"{settings.made_at_once} is no multiple of {_DRAWS_A_GROUP}.", hint="Ask --made-at-once for one.")
        if self._made_a_step > settings.made_at_once:
            raise InputError(
                f"A step takes {self._made_a_step} made scenes, but only {settings.made_at_once} are made at once.",
                hint="Ask for more with --made-at-once, or for a smaller --batch.",
            )

    def at(self, step: int) -> Scenes:
        """Return the scenes of ``step``, the rooms first."""
        generator = seeded("cpu", self._settings.seed, "scenes of", step)
        newest = self._settings.kept - 1 + step // self._steps_a_group()
        group = newest - int(torch.randint(self._settings.kept, (1,), generator=generator))
        parts = []
        if self._rooms_a_step:
            if step % _LOOK_EVERY == 0:
                for shards in self._rooms:
                    shards.take_in_new()
            parts.append(self._draw_rooms(generator, self._size(group)))
        if self._made_a_step:
            self._make_up_to(newest)
            of_group = self._made[group]
            rows = torch.randperm(len(of_group.depth), generator=generator)[: self._made_a_step].to(self._device)
            parts.append(Scenes(of_group.image_srgb[rows], of_group.depth[rows]))
        return Scenes.joined(parts)

    def _steps_a_group(self) -> int:
        """Return how many steps it takes until each scene of a group has served as often as it shall."""
        return max(1, round(self._settings.uses * self._settings.made_at_once / max(1, self._made_a_step)))

    def _make_up_to(self, newest: int) -> None:
        """Keep the groups that are in use while ``newest`` is the newest one."""
        wanted = range(newest - self._settings.kept + 1, newest + 1)
        self._made = {group: self._made[group] if group in self._made else self._make(group) for group in wanted}

    def _size(self, group: int) -> tuple[int, int]:
        sizes = self._settings.sizes_px
        return sizes[int(torch.randint(len(sizes), (1,), generator=seeded("cpu", self._settings.seed, "size", group)))]

    def _make(self, group: int) -> Scenes:
        settings, size, generator = self._settings, self._size(group), seeded(self._device, self._settings.seed, "scenes", group)
        names = [settings.families[(group + draw) % len(settings.families)] for draw in range(_DRAWS_A_GROUP)]
        return Scenes.joined([draw_scenes(generator, FAMILIES[name], settings.made_at_once // _DRAWS_A_GROUP, size) for name in names])

    def _draw_rooms(self, generator: torch.Generator, size: tuple[int, int]) -> Scenes:
        """Return rooms cut to the aspect of ``size`` (height, width), which the depth takes on unmixed."""
        shards = self._rooms[int(torch.randint(len(self._rooms), (1,), generator=generator))]
        drawn = shards.draw(generator, self._rooms_a_step)
        image, depth = (crop_to_aspect(field, size) for field in (drawn.image_srgb, drawn.depth))
        return Scenes(interpolate(image, size, mode="bilinear", antialias=True, align_corners=False), interpolate(depth, size, mode="nearest-exact"))


def crop_to_aspect(field: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the middle of ``field`` (B, C, H, W) with the aspect of ``size`` (height, width), as large as fits."""
    height, width = field.shape[-2:]
    rows, columns = min(height, round(width * size[0] / size[1])), min(width, round(height * size[1] / size[0]))
    top, left = (height - rows) // 2, (width - columns) // 2
    return field[..., top : top + rows, left : left + columns]


def begin(network: Any, settings: TrainSettings, folder: Path | None) -> None:
    """Give a new ``network`` what it begins with, exported weights or else ImageNet's, and freeze what is not to learn.

    Raises:
        InputError: ``folder`` holds no exported weights, or the package that carries ImageNet's is not installed.
    """
    if folder is None:
        start_from_imagenet(network.backbone)
    else:
        _take_exported(network, folder)
    if not settings.whole_backbone:
        freeze_early(network.backbone)
    network.to(memory_format=torch.channels_last)  # A third faster on CPUs, with bfloat16.


def _take_exported(network: nn.Module, folder: Path) -> None:
    """Give ``network`` the weights that a training exported to ``folder``, as far as it has tensors of their names and shapes.

    Raises:
        InputError: there are none.
    """
    own = network.state_dict()
    taken = {name: value for name, value in load_file(exported_weights_file(folder)).items() if name in own and own[name].shape == value.shape}
    log.info("%d of %d tensors begin as in %s", len(taken), len(own), folder)
    network.load_state_dict(taken, strict=False)


def exported_weights_file(folder: Path) -> Path:
    """Return the file of weights that a training exported to ``folder``.

    Raises:
        InputError: there is none.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise InputError(f"{folder} holds no exported weights.", hint="Name a folder that a training's --export wrote.")
    return files[0]


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
        """Write a checkpoint, whole or not at all.

        Raises:
            OutputError: it cannot be written.
        """
        state = {
            "step": self.step,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        stream = io.BytesIO()
        torch.save(state, stream)
        write_whole(file, stream.getbuffer())

    def resume(self, file: Path) -> None:
        """Go on from a checkpoint that `save` wrote.

        Raises:
            InputError: there is none.
        """
        if not file.is_file():
            raise InputError(f"There is no checkpoint {file} to go on from.", hint="Leave --resume out, or name another --checkpoint.")
        state = torch.load(file, map_location=self.device, weights_only=True)
        self.step = state["step"]
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])

    def run(self, checkpoint: Path, *, stop: int | None = None, minutes: float | None = None, checkpoint_every: int = 200) -> None:
        """Train, with a checkpoint and a monitor figure every ``checkpoint_every`` steps and at the end.

        Args:
            stop: step to stop at; None = the last.
            minutes: train for so long; the number of steps, and with it the learning rate, follows the share of the time that is over.
        """
        started = reported = time.monotonic()
        reported_step, losses = self.step, []
        while self.step < (last := self._last_step(stop)):
            losses.append(self._advance())
            now = time.monotonic()
            if minutes is not None:
                self.settings = replace(self.settings, steps=self._steps_by_time((now - started) / (60 * minutes)))
                last = self._last_step(stop)
            if now - reported > _REPORT_EVERY_S:
                pace, loss = (self.step - reported_step) / (now - reported), float(torch.stack(losses).mean())
                log.info("step %d/%d loss %.4f, %.2f steps/s, %.0f s left", self.step, last, loss, pace, (last - self.step) / pace)
                reported, reported_step = now, self.step
                losses.clear()
            if self.step % checkpoint_every == 0 or self.step == last:
                self.save(checkpoint)
                log.info("step %d monitor %.4f", self.step, self._monitor(self.averaged))

    def _last_step(self, stop: int | None) -> int:
        return self.settings.steps if stop is None else min(stop, self.settings.steps)

    def _steps_by_time(self, share: float) -> int:
        """Return how many steps there will be if those so far took ``share`` of the time; a slow start must not look like the end."""
        return self.step if share >= 1 else max(self.step + 1, round(self.step / share))

    def _advance(self) -> Tensor:
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * self.settings.learning_rate * learning_rate_factor(self.step, self.settings.steps)
        scenes = self._scenes.at(self.step)
        with self._autocast():
            loss = self._loss_at(self.network, scenes, seeded(self.device, self.settings.seed, "step", self.step))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        decay = min(self.settings.ema, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            means, values = (list(network.state_dict().values()) for network in (self.averaged, self.network))
            get_ema_multi_avg_fn(decay)(means, values, self.step)
        return loss.detach()

    def _autocast(self) -> contextlib.AbstractContextManager[object]:
        if self.settings.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(torch.device(self.device).type, torch.bfloat16)

    def export(self, folder: Path, facts: dict[str, Any], beside: Mapping[str, object] | None = None) -> None:
        """Write the averaged weights as float16 in ``save_pretrained`` form, ``training.json`` with settings and ``facts``, and files ``beside``.

        Args:
            beside: name of a JSON file -> its content.

        Raises:
            OutputError: they cannot be written; see `engine.export.files.write_set`.
        """
        network: Any = copy.deepcopy(self.averaged).half()
        network.to(memory_format=torch.contiguous_format)
        with tempfile.TemporaryDirectory() as staged:
            network.save_pretrained(staged)
            exported = {path.name: path.read_bytes() for path in sorted(Path(staged).iterdir())}
        record = {
            "settings": asdict(self.settings),
            "steps_done": self.step,
            "monitor": round(self._monitor(self.averaged), 4),
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
            "device": self.device,
            "torch": torch.__version__,
            "machine": platform.machine(),
        }
        contents = {RECORD: record | facts, **(beside or {})}
        exported |= {name: (json.dumps(content, indent=2) + "\n").encode() for name, content in contents.items()}
        prepare_folder(folder)
        write_set({folder / name: content for name, content in exported.items()})


def training_parser(description: str, *, steps: int, batch: int, learning_rate: float) -> argparse.ArgumentParser:
    """Return the command line that both trainings share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--minutes", type=float, help="train for about so long: --steps follows the pace")
    parser.add_argument("--stop", type=int, help="stop at this step; the learning rate still follows --steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--made-at-once", type=int, default=TrainSettings.made_at_once, help="scenes made together; a GPU makes many as fast as few")
    parser.add_argument("--uses", type=int, default=TrainSettings.uses, help="how often a made scene serves")
    parser.add_argument("--learning-rate", type=float, default=learning_rate)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="auto: bfloat16 where the device computes it")
    parser.add_argument("--rooms", type=Path, nargs="*", default=[], help="folders that engine.embedded.rooms.render wrote")
    parser.add_argument("--rooms-share", type=float, default=0.5, help="share of furnished rooms where --rooms are given")
    parser.add_argument("--whole-backbone", action="store_true", help="let all of the backbone learn: slow on CPUs")
    parser.add_argument("--begin-with", type=Path, help="folder with exported weights to begin with instead of ImageNet's")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; results repeat to the byte for an equal number")
    parser.add_argument("--checkpoint", type=Path, required=True, help="file to write checkpoints to")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.add_argument("--export", type=Path, help="folder to write the float16 weights to at the end")
    return parser


def train_settings(options: argparse.Namespace, **own: Any) -> TrainSettings:
    """Return the settings that the shared command line asks for, with the training's ``own``, and set up this process as it asks."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark, torch.backends.cudnn.benchmark_limit = True, 4  # Several times as fast, after 20 s of trials for each size.
    return TrainSettings(
        steps=options.steps,
        seed=options.seed,
        learning_rate=options.learning_rate,
        batch=options.batch,
        made_at_once=options.made_at_once,
        uses=options.uses,
        rooms_share=options.rooms_share if options.rooms else 0.0,
        precision=training_precision(options.device, options.precision),
        whole_backbone=options.whole_backbone,
        **own,
    )


def training_precision(device: str, asked: str) -> str:
    """Return ``bfloat16`` or ``float32``: what was ``asked`` for, or under ``auto`` bfloat16 where ``device`` multiplies it natively."""
    if asked != "auto":
        return asked
    native = torch.cuda.is_bf16_supported() if torch.device(device).type == "cuda" else torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if native else "float32"


def run_training(new: Callable[[], Training], options: argparse.Namespace, facts: dict[str, Any], beside: Mapping[str, object] | None = None) -> int:
    """Train what ``new`` returns as the command line asks, and return the exit status; what a user can mend is told in a sentence.

    Args:
        facts, beside: for `Training.export`.
    """

    def work() -> None:
        choose_compute(options.device, "auto")  # Refuses a device that is not there.
        prepare_folder(options.checkpoint.parent)
        if options.export is not None:
            prepare_folder(options.export)
        training = new()
        if options.resume:
            training.resume(options.checkpoint)
            log.info("resumed at step %d", training.step)
        training.run(options.checkpoint, stop=options.stop, minutes=options.minutes)
        if options.export is not None:
            training.export(options.export, facts, beside)

    return exit_status(work)
