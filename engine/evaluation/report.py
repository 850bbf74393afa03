"""The report of an evaluation as plain JSON: every number that the table shows, and what made them.

format, version   "redepth-evaluation", 1
complete          False where the run was stopped before the last picture
settings          the refinement's settings
conditions        how it was measured: resampling, camera of the normals, bootstrap
made_by           models, licences, device, versions
images            a picture each: id, sizes, camera, how it was refined, and protocol -> {base, refined} -> metric -> value
summary           protocol -> metric -> `Comparison`
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .compare import CONFIDENCE_PERCENT, RESAMPLES, Comparison, compare
from .measure import ImageErrors
from .metrics import METRICS
from .protocols import PROTOCOLS

Summary = dict[str, dict[str, Comparison]]
BOOTSTRAP_SEED = 0


@dataclass(frozen=True, kw_only=True)
class MeasuredImage:
    """One picture measured before and after refinement.

    Attributes:
        fov_deg, fov_source: of the camera that the normals were seen by, and where it came from.
        refinement: JSON object with what belongs to this picture alone: prompt, what the quality gate found, seconds, notices.
    """

    name: str
    kind: str
    picture_size_px: tuple[int, int]
    truth_size_px: tuple[int, int]
    valid_pixels: int
    fov_deg: float
    fov_source: str
    refinement: dict[str, Any]
    base: ImageErrors
    refined: ImageErrors


def summarise(images: Sequence[MeasuredImage]) -> Summary:
    """Return protocol -> metric -> comparison over ``images``; a metric that no picture has is left out."""
    return {protocol: _summarise_protocol(images, protocol) for protocol in PROTOCOLS}


def report_to_json(
    images: Sequence[MeasuredImage], summary: Summary, *, settings: dict[str, Any], made_by: dict[str, Any], complete: bool
) -> dict[str, Any]:
    """Return the report as a JSON object in the form that this file's docstring states."""
    return {
        "format": "redepth-evaluation",
        "version": 1,
        "complete": complete,
        "settings": settings,
        "conditions": {
            "resampling": "prediction to the truth's grid, in disparity",
            "normals": "seen by a pinhole camera of each picture's fov_deg across the longer side",
            "bootstrap": {"resamples": RESAMPLES, "confidence_percent": CONFIDENCE_PERCENT, "seed": BOOTSTRAP_SEED},
        },
        "made_by": made_by,
        "images": [_image_to_json(image) for image in images],
        "summary": {protocol: {name: asdict(value) for name, value in metrics.items()} for protocol, metrics in summary.items()},
    }


def encode_report(report: dict[str, Any]) -> bytes:
    """Return ``report`` as UTF-8 JSON that any parser takes: no NaN, no infinity.

    Raises:
        ValueError: a value is not finite.
    """
    return (json.dumps(report, indent=1, allow_nan=False, ensure_ascii=False) + "\n").encode()


def _summarise_protocol(images: Sequence[MeasuredImage], protocol: str) -> dict[str, Comparison]:
    summary = {}
    for name, metric in METRICS.items():
        pairs = [(image.base[protocol][name], image.refined[protocol][name]) for image in images if name in image.base[protocol]]
        if pairs:
            base, refined = np.array(pairs).T
            summary[name] = compare(base, refined, higher_is_better=metric.higher_is_better, seed=BOOTSTRAP_SEED)
    return summary


def _image_to_json(image: MeasuredImage) -> dict[str, Any]:
    return {
        "id": image.name,
        "kind": image.kind,
        "picture_size_px": list(image.picture_size_px),
        "truth_size_px": list(image.truth_size_px),
        "valid_pixels": image.valid_pixels,
        "fov_deg": image.fov_deg,
        "fov_source": image.fov_source,
        "refinement": image.refinement,
        "protocols": {protocol: {"base": image.base[protocol], "refined": image.refined[protocol]} for protocol in PROTOCOLS},
    }
