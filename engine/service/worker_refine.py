"""Refining a job with torch, its models kept warm between jobs and its finished members kept on the disk."""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..api.array_folder import read_array_folder, write_array_folder
from ..api.errors import DamagedFolderError
from ..api.result import RefineResult
from ..api.settings import RefineSettings
from ..images.load import load_picture
from ..method.refine import RefinedMembers
from ..pipeline import LoadedModels, load_models, refine_picture
from .job_folder import JobFolder

if TYPE_CHECKING:
    from .worker import Report


class TorchRefiner:
    """Holds the models of the last job."""

    def __init__(self) -> None:
        self._models: LoadedModels | None = None
        self._made_for: tuple[Any, ...] = ()

    def refine(self, job: JobFolder, revisions: Mapping[str, str], report: Report) -> RefineResult:
        """Return the job's result; see `engine.pipeline.refine_picture`."""
        settings = job.read_request().settings
        picture = load_picture(job.picture)
        for notice in picture.notices:
            report.on_event(notice)
        models = self._loaded(settings, revisions, report)
        return refine_picture(
            picture,
            models,
            settings,
            on_event=report.on_event,
            should_stop=report.should_stop,
            on_preview=report.on_preview,
            member_store=KeptMembers(job, settings, models.compute.device),
        )

    def facts(self) -> dict[str, Any]:
        """Return what the engine's status tells of the device and the models."""
        models = self._models
        if models is None:
            return {"device": None, "models": {}, "free_memory_mb": None}
        names = {role: weights.name for role, weights in models.weights.items()}
        return {"device": models.compute.label, "models": names, "free_memory_mb": _free_memory_mb(models.compute.device)}

    def _loaded(self, settings: RefineSettings, revisions: Mapping[str, str], report: Report) -> LoadedModels:
        wanted = (settings.depth_model, settings.prior, settings.autoencoder, settings.device, settings.precision, *sorted(revisions.items()))
        if self._models is None or wanted != self._made_for:
            self._models = None
            gc.collect()
            torch.cuda.empty_cache()
            self._models, self._made_for = load_models(settings, on_event=report.on_event), wanted
        return self._models


class KeptMembers:
    """The job's finished members; see `engine.pipeline.MemberStore`."""

    def __init__(self, job: JobFolder, settings: RefineSettings, device: torch.device) -> None:
        self._job, self._steps, self._device = job, settings.method.steps, device

    def load(self, members: range) -> RefinedMembers | None:
        """Return the batch as it was saved, or None where it was not or is damaged."""
        try:
            arrays, _ = read_array_folder(self._job.members(members), check_digests=True)
            disparity, depth = (torch.from_numpy(np.array(arrays[name])).to(self._device) for name in ("disparity", "depth"))
        except (DamagedFolderError, KeyError):
            return None
        return RefinedMembers(disparity=disparity, depth=depth, steps_done=self._steps)

    def save(self, members: range, batch: RefinedMembers) -> None:
        """Keep a batch that made all its steps.

        Raises:
            OutputError: the disk is full or refuses.
        """
        arrays = {"disparity": batch.disparity.cpu().numpy(), "depth": batch.depth.cpu().numpy()}
        write_array_folder(self._job.members(members), arrays, {"steps": batch.steps_done})


def _free_memory_mb(device: torch.device) -> int | None:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] >> 20
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    except (AttributeError, ValueError, OSError):
        return None  # a system that does not tell
