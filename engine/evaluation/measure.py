"""The errors of one disparity map against one truth, by both protocols."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry.camera import Camera
from .manifest import GroundTruth
from .metrics import depth_metrics, normal_error_deg
from .protocols import PROTOCOLS
from .resample import resample_map

ImageErrors = dict[str, dict[str, float]]


def measure(disparity: NDArray[np.floating], truth: GroundTruth, *, fov_deg: float) -> ImageErrors:
    """Return protocol -> metric -> value; ``normal_deg`` is left out where the truth is too scattered for normals.

    Args:
        disparity: (H, W), larger = nearer, finite; brought to the truth's grid where its size differs (see `resample`).
        fov_deg: angle of view across the longer side, for the normals.
    """
    width, height = truth.size_px
    resampled = resample_map(disparity, truth.size_px)
    camera = Camera(width, height, fov_deg)
    errors = {}
    for protocol, align in PROTOCOLS.items():
        depth = align(resampled, truth.depth, truth.valid)
        errors[protocol] = depth_metrics(depth, truth.depth, truth.valid)
        normal_deg = normal_error_deg(depth, truth.depth, truth.valid, camera)
        if normal_deg is not None:
            errors[protocol]["normal_deg"] = normal_deg
    return errors
