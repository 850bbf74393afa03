"""Upsampling of disparity side by side: error near steps and in smooth areas as a share of bilinear's, and seconds.

    python tests/benchmarks/upsampling.py [--photos FOLDER] [--megapixels 1 6 24]

Without --photos the scenes are made here and their disparity is exact; with it, each ground truth of the folder's ``manifest.json`` is
reduced to a third and raised again.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engine.images.resample import area_means  # noqa: E402
from engine.images.upsample import upsample_disparity  # noqa: E402
from tests.engine.images.disparity_scenes import painted, rmse  # noqa: E402
from tests.engine.images.test_upsample import FULL, MAP, RATIO, SCENES, bicubic, bilinear, guided_filter, near_steps, photos, scene  # noqa: E402

METHODS = {
    "bilinear": lambda disparity, image: bilinear(disparity, image.shape[:2]),
    "bicubic": lambda disparity, image: bicubic(disparity, image.shape[:2]),
    "guided filter": guided_filter,
    "ours": upsample_disparity,
}


def print_row(name, image_srgb, full, disparity, ratio, valid):
    """Print each method's RMSE near steps and elsewhere over bilinear's, and its seconds."""
    near, far = near_steps(full, ratio) & valid, ~near_steps(full, 2 * ratio) & valid
    print(f"{name:24s}", end="")
    for label, method in METHODS.items():
        begun = time.perf_counter()
        values = method(disparity, image_srgb)
        seconds = time.perf_counter() - begun
        if label == "bilinear":
            base = rmse(values, full, near), rmse(values, full, far)
        shares = rmse(values, full, near) / base[0], rmse(values, full, far) / max(base[1], 1e-12)
        print(f" | {label} {shares[0]:.2f} {shares[1]:.2f} {seconds:5.2f} s", end="")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--megapixels", type=float, nargs="*", default=[1, 6, 24])
    options = parser.parse_args()
    print("RMSE as a share of bilinear's: near steps, in smooth areas; seconds")
    if options.photos:
        for name, image_srgb, full, valid in photos(options.photos):
            small = area_means(full[:, :, None], full.shape[0] // 3, full.shape[1] // 3)[:, :, 0]
            print_row(name, image_srgb, full, small, 3, valid)
    else:
        for name in SCENES:
            inside, full = scene(name)
            print_row(name, painted(inside), full, area_means(full[:, :, None], *MAP)[:, :, 0], RATIO, np.ones(FULL, bool))
    inside, full = scene("disc")
    disparity = bilinear(area_means(full[:, :, None], *MAP)[:, :, 0], (392, 518))
    for megapixels in options.megapixels:
        size = round((megapixels * 1e6 * 1.5) ** 0.5), round((megapixels * 1e6 / 1.5) ** 0.5)
        image_srgb = np.asarray(Image.fromarray((painted(inside) * 255).astype(np.uint8)).resize(size), np.float32) / np.float32(255)
        begun = time.perf_counter(), time.process_time()
        upsample_disparity(disparity, image_srgb)
        wall, processor = time.perf_counter() - begun[0], time.process_time() - begun[1]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{megapixels:g} megapixels from 518 x 392: {wall:.1f} s, {processor:.1f} processor seconds, peak of the program {peak:.2f} GB")


if __name__ == "__main__":
    main()
