"""One picture through the whole engine: models loaded, base depth, refinement, quality gate, upsampling.

This is where pictures, models and method meet; each part knows nothing of the others. Shapes: H W picture pixels, h w model pixels.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from . import __version__
from .api.errors import OutOfMemoryError
from .api.messages import Event, Notice, Phase, Progress
from .api.result import FovSource, RefineResult
from .api.settings import EMBEDDED, RefineSettings
from .gate.finding import Finding
from .gate.judge import Judged, judge
from .gate.score import DRAWS
from .gate.thresholds import Thresholds
from .geometry.camera import DEFAULT_FOV_DEG
from .images.clean import clean_disparity
from .images.picture import Picture
from .images.resample import resize_linear
from .images.upsample import upsample_disparity
from .method.ensemble import Ensemble, combine
from .method.protocols import DepthModel, DiffusionPrior
from .method.refine import Problem, RefinedMembers, StepReport, prepare, refine_members
from .models.catalogue import Weights, find_weights
from .models.depth_anything import DepthAnything
from .models.devices import Compute, choose_compute, is_out_of_memory
from .models.embedded_prior import EmbeddedPrior
from .models.gate_thresholds import gate_thresholds

OnEvent = Callable[[Event], None]
ShouldStop = Callable[[], bool]
OnPreview = Callable[[NDArray[np.float32]], None]

PREVIEW_INTERVAL_S = 0.3


class MemberStore(Protocol):
    """Where finished batches of members outlive a crash."""

    def load(self, members: range) -> RefinedMembers | None:
        """Return the batch as it was saved, or None."""

    def save(self, members: range, batch: RefinedMembers) -> None:
        """Keep a batch that made all its steps."""


@dataclass(frozen=True, kw_only=True)
class LoadedModels:
    """Models in memory, ready for any number of pictures; ``thresholds`` of the quality gate are the prior's own where it has some."""

    compute: Compute
    depth: DepthModel
    prior: DiffusionPrior
    weights: dict[str, Weights]
    thresholds: Thresholds
    load_s: float


def load_models(settings: RefineSettings, *, on_event: OnEvent = lambda event: None) -> LoadedModels:
    """Return the models that ``settings`` name, on the device that they ask for.

    Raises:
        ModelError, DeviceError, SettingsError: see `engine.models`.
    """
    started = time.perf_counter()
    on_event(Progress(phase="load", step=0, steps=2))
    compute = choose_compute(settings.device, settings.precision)
    weights = {"depth": find_weights(settings.depth_model, "depth"), "prior": find_weights(settings.prior, "prior")}
    if settings.autoencoder == "tiny" and settings.prior != EMBEDDED:
        weights["autoencoder"] = find_weights("taesd", "autoencoder")
    with _memory_errors_named(settings):
        depth = DepthAnything(weights["depth"], compute.device)
        on_event(Progress(phase="load", step=1, steps=2, elapsed_s=time.perf_counter() - started))
        prior = _load_prior(settings, weights, compute)
    load_s = time.perf_counter() - started
    on_event(Progress(phase="load", step=2, steps=2, elapsed_s=load_s, eta_s=0.0))
    return LoadedModels(compute=compute, depth=depth, prior=prior, weights=weights, thresholds=gate_thresholds(weights["prior"]), load_s=load_s)


def refine_picture(
    picture: Picture,
    models: LoadedModels,
    settings: RefineSettings,
    *,
    fov_deg: float | None = None,
    on_event: OnEvent = lambda event: None,
    should_stop: ShouldStop = lambda: False,
    on_preview: OnPreview | None = None,
    member_store: MemberStore | None = None,
) -> RefineResult:
    """Return the picture's base and refined disparity at its own resolution.

    Args:
        fov_deg: angle of view across the longer side; None = from EXIF, else the default.
        should_stop: asked between steps; once true, the result is what was reached (``provenance["complete"]`` is False).
        on_preview: given the running members' mean disparity (h, w) a few times a second.
        member_store: asked for each batch before it runs and given it afterwards, so that a second try goes on where the first one died.

    Raises:
        OutOfMemoryError: with the next setting to try.
        NumericalError: a loss is no longer finite.
    """
    run = _Run(picture, models, settings, on_event, should_stop, on_preview, member_store)
    with _memory_errors_named(settings):
        return run.result(fov_deg)


class _Run:
    """One refinement on its way: times, notices and progress of its phases."""

    def __init__(
        self,
        picture: Picture,
        models: LoadedModels,
        settings: RefineSettings,
        on_event: OnEvent,
        should_stop: ShouldStop,
        on_preview: OnPreview | None,
        member_store: MemberStore | None,
    ) -> None:
        self.picture, self.models, self.settings = picture, models, settings
        self.on_event, self.should_stop = on_event, should_stop
        self.on_preview, self.member_store = on_preview, member_store
        self.previewed_at = 0.0
        self.seconds: dict[str, float] = {"load": models.load_s}
        self.notices: list[Notice] = list(picture.notices)

    def result(self, fov_deg: float | None) -> RefineResult:
        with self._phase("base"):
            prompt, prompt_source = self._prompt()
            problem, base = self._base(prompt)
        with self._phase("refine"):
            batches = self._refine(problem)
            members = torch.cat([batch.disparity for batch in batches]) if batches else base[None]
            ensemble = combine(members, base) if batches else None
        if ensemble is not None and not ensemble.related:
            self._notice("refine.unrelated", "The refined disparity no longer rises with the base: refinement failed on this picture.")
        refined = None if ensemble is None else ensemble.disparity
        kept: Tensor | None = None
        finding: Finding | None = None
        if ensemble is not None and self.settings.gate and self._is_complete(batches):
            with self._phase("gate"):
                judged = self._judge(problem, base, members, ensemble)
            if judged is not None:
                refined, kept, finding = judged.disparity, judged.kept, judged.finding
        with self._phase("upsample"):
            guide = self.picture.image_srgb
            disparity_base = self._full_size(base, problem)
            if ensemble is None or refined is None:
                disparity_refined, uncertainty = disparity_base.copy(), np.zeros_like(disparity_base)
            else:
                disparity_refined = self._full_size(refined, problem)
                uncertainty = resize_linear(_array(ensemble.spread), guide.shape[:2])  # No depth: it has no edges to find.
        resolved_fov_deg, fov_source = resolve_fov(self.picture, fov_deg)
        return RefineResult(
            image_srgb=_srgb8(guide),
            disparity_base=disparity_base,
            disparity_refined=disparity_refined,
            uncertainty=uncertainty,
            kept=None if kept is None else resize_linear(_array(kept), guide.shape[:2]),
            fov_deg=resolved_fov_deg,
            fov_source=fov_source,
            provenance=self._provenance(prompt, prompt_source, problem, batches, finding),
        )

    def _base(self, prompt: str) -> tuple[Problem, Tensor]:
        depth, settings = self.models.depth, self.settings
        image_srgb = model_input(self.picture.image_srgb, settings.input_px or depth.input_px, depth.patch_px).to(self.models.compute.device)
        problem = prepare(depth, self.models.prior, image_srgb, prompt=prompt, negative_prompt=settings.negative_prompt, settings=settings.method)
        depth.free_encoder()
        return problem, problem.base[0]

    def _full_size(self, disparity: Tensor, problem: Problem) -> NDArray[np.float32]:
        """Return (h, w) at the picture's own resolution, cleaned first where the depth model's maps need it: base and refined alike."""
        values = _array(disparity)
        if self.models.depth.needs_cleaning:
            values = clean_disparity(values, _array(problem.image_srgb[0].permute(1, 2, 0)))
        return upsample_disparity(values, self.picture.image_srgb)

    def _refine(self, problem: Problem) -> list[RefinedMembers]:
        method, batches = self.settings.method, []
        for members in member_batches(method.members, method.members_per_batch):
            batch = self._batch(problem, members)
            if batch.steps_done:
                batches.append(batch)
            if batch.steps_done < method.steps:
                break
        return batches

    def _batch(self, problem: Problem, members: range) -> RefinedMembers:
        kept = self.member_store.load(members) if self.member_store else None
        if kept is not None:
            return kept
        method, report = self.settings.method, self._step_reporter(members[0])
        batch = refine_members(problem, self.models.depth, self.models.prior, method, members, on_step=report, should_stop=self.should_stop)
        if self.member_store and batch.steps_done == method.steps:
            self.member_store.save(members, batch)
        return batch

    def _judge(self, problem: Problem, base: Tensor, members: Tensor, ensemble: Ensemble) -> Judged | None:
        started = time.perf_counter()

        def report(draws_done: int) -> None:
            elapsed_s = time.perf_counter() - started
            eta_s = elapsed_s / draws_done * (DRAWS - draws_done)
            self.on_event(Progress(phase="gate", step=draws_done, steps=DRAWS, elapsed_s=elapsed_s, eta_s=eta_s))

        self.on_event(Progress(phase="gate", step=0, steps=DRAWS))  # Else the last word stays that of the phase before, which has no time left.
        models, method = self.models, self.settings.method
        return judge(problem, models.prior, method, base, members, ensemble, models.thresholds, on_draw=report, should_stop=self.should_stop)

    def _preview(self, step: StepReport) -> None:
        now = time.perf_counter()
        if self.on_preview and now - self.previewed_at >= PREVIEW_INTERVAL_S:
            self.previewed_at = now
            self.on_preview(_array(step.disparity.mean(dim=0)))

    def _step_reporter(self, first_member: int) -> Callable[[StepReport], None]:
        method, started = self.settings.method, time.perf_counter()
        batches = member_batches(method.members, method.members_per_batch)
        batches_to_come = sum(1 for members in batches if members[0] > first_member)

        def report(step: StepReport) -> None:
            self._preview(step)
            elapsed_s = time.perf_counter() - started
            steps_to_come = method.steps - step.step + batches_to_come * method.steps
            self.on_event(
                Progress(
                    phase="refine",
                    member=first_member + 1,
                    members=method.members,
                    step=step.step,
                    steps=method.steps,
                    losses={"guidance": step.guidance_loss, "smoothness": step.smoothness_loss},
                    elapsed_s=elapsed_s,
                    eta_s=elapsed_s / step.step * steps_to_come,
                )
            )

        return report

    def _prompt(self) -> tuple[str, str]:
        """Return the prompt and where it came from: user, caption, none, or unused by a prior that reads no text."""
        if not self.models.prior.reads_text:
            return "", "unused"
        if self.settings.prompt is not None:
            return self.settings.prompt, "user"
        from .models.caption import CAPTIONER, caption_or_none  # Costs a second that only this path needs.

        written = caption_or_none(_srgb8(self.picture.image_srgb))
        if written is None:
            self._notice("prompt.none", f"No prompt was given and the captioner {CAPTIONER} is not on this machine: the prompt is empty.")
            return "", "none"
        return written, "caption"

    def _notice(self, code: str, text: str) -> None:
        notice = Notice(code=code, text=text)
        self.notices.append(notice)
        self.on_event(notice)

    @contextmanager
    def _phase(self, phase: Phase) -> Iterator[None]:
        started = time.perf_counter()
        if phase not in ("refine", "gate"):  # Their steps report for themselves.
            self.on_event(Progress(phase=phase, step=0, steps=1))
        yield
        self.seconds[phase] = time.perf_counter() - started
        if phase not in ("refine", "gate"):
            self.on_event(Progress(phase=phase, step=1, steps=1, elapsed_s=self.seconds[phase], eta_s=0.0))

    def _is_complete(self, batches: list[RefinedMembers]) -> bool:
        return _steps_done(batches) == self.settings.method.steps * self.settings.method.members

    def _provenance(
        self, prompt: str, prompt_source: str, problem: Problem, batches: list[RefinedMembers], finding: Finding | None
    ) -> dict[str, Any]:
        method, compute = self.settings.method, self.models.compute
        height_px, width_px = problem.image_srgb.shape[-2:]
        return {
            "picture": {"name": self.picture.source_name, "sha256": self.picture.sha256},
            "models": {
                role: {"name": weights.name, "title": weights.title, "revision": weights.revision, "licence": weights.licence}
                for role, weights in self.models.weights.items()
            },
            "prompt": prompt,
            "prompt_source": prompt_source,
            "settings": self.settings.to_json(),
            "seed": method.seed,
            "device": compute.device.type,
            "device_name": compute.label,
            "prior_precision": compute.prior_precision,
            "model_size_px": [width_px, height_px],
            "maps_cleaned": self.models.depth.needs_cleaning,
            "complete": self._is_complete(batches),
            "steps_done": _steps_done(batches),
            "steps_asked": method.steps * method.members,
            "gate": None if finding is None else finding.to_json(),
            "seconds": {phase: round(seconds, 3) for phase, seconds in self.seconds.items()},
            "notices": [{"code": notice.code, "text": notice.text} for notice in self.notices],
            "versions": _versions(),
        }


def model_input(image_srgb: NDArray[np.float32], long_side_px: int, multiple_px: int) -> Tensor:
    """Return the picture (1, 3, h, w) at the depth model's size: aspect kept, long side at most ``long_side_px``, both sides multiples.

    Args:
        image_srgb: (H, W, 3) in [0, 1].
    """
    height, width = image_srgb.shape[:2]
    scale = long_side_px / max(height, width)
    limit = long_side_px // multiple_px
    rows, columns = (min(limit, max(1, round(side * scale / multiple_px))) for side in (height, width))
    tensor = torch.from_numpy(image_srgb).permute(2, 0, 1)[None]
    resized = functional.interpolate(tensor, size=(rows * multiple_px, columns * multiple_px), mode="bicubic", antialias=True, align_corners=False)
    return resized.clamp(0, 1).contiguous()


def member_batches(members: int, members_per_batch: int) -> list[range]:
    """Return the member numbers of each batch; ``members_per_batch`` 0 means one batch of all."""
    size = members_per_batch or members
    return [range(first, min(first + size, members)) for first in range(0, members, size)]


def resolve_fov(picture: Picture, fov_deg: float | None) -> tuple[float, FovSource]:
    """Return the angle of view across the longer side, and where it came from."""
    if fov_deg is not None:
        return fov_deg, "option"
    if picture.fov_deg is not None:
        return picture.fov_deg, "exif"
    return DEFAULT_FOV_DEG, "default"


def _load_prior(settings: RefineSettings, weights: dict[str, Weights], compute: Compute) -> DiffusionPrior:
    if settings.prior == EMBEDDED:
        return EmbeddedPrior.load(weights["prior"], compute.device)
    from .models.stable_diffusion import StableDiffusionPrior  # Costs seconds that the embedded pair does without.

    return StableDiffusionPrior(weights["prior"], compute.device, compute.prior_dtype, weights.get("autoencoder"))


@contextmanager
def _memory_errors_named(settings: RefineSettings) -> Iterator[None]:
    """Turn torch's out-of-memory errors into ours, with the next setting to try."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemoryError("The device's memory is too small for these settings.", hint=_smaller_settings(settings)) from error


def _smaller_settings(settings: RefineSettings) -> str:
    if settings.method.members_per_batch != 1 and settings.method.members > 1:
        return "Try --members-per-batch 1."
    if settings.prior != EMBEDDED and settings.method.lights_per_step > 1:
        return "Try --lights-per-step 1."
    if settings.prior != EMBEDDED and settings.autoencoder == "kl":
        return "Try --autoencoder tiny."
    if settings.depth_model in ("large", "base"):
        return "Try --depth-model small."
    return "Try --device cpu, or close other programs that use the device."


def _steps_done(batches: list[RefinedMembers]) -> int:
    return sum(batch.steps_done * len(batch.disparity) for batch in batches)


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.float().cpu().numpy()


def _srgb8(image_srgb: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(image_srgb * 255).astype(np.uint8)


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("torch", "transformers", "diffusers", "numpy")}
    return {"redepth": __version__, "python": platform.python_version(), **packages}
