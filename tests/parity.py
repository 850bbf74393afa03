"""Check our functions, in float64, against a file of reference values: ``python tests/parity.py FILE.npz``.

The file holds inputs and what the authors' released code makes of them. Each key's largest absolute error is printed beside its
tolerance; the exit status is 0 only if all hold. A file that lacks a needed key, or holds one that nothing checks, fails.

Tolerances: the reference adds 1e-8 to the length of cross products that are about 1e-3 long (normals, relit), solves least squares in float32
(aligned depth, metrics) and computes with its noise schedule in float32 (SDS).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.evaluation.metrics import depth_metrics
from engine.evaluation.protocols import align_paper
from engine.method.canvas import letterbox
from engine.method.guidance import sds_gradient
from engine.method.losses import laplacian_smoothness, sds_loss
from engine.method.relight import Light, composite, display_from_linear, normals_from_depth, pseudo_depth

INPUT_KEYS = re.compile(
    r"raw_head|image|ms|scale|scale_offset|raw|gt_depth|gt_mask|sds_latents|sds_embeddings_text_then_uncond"
    r"|relight\d+_(light_xy|shininess|diffuse_specular)|sds_\w+_(timestep|noise)"
)
METRIC_NAMES = {"a1": "delta1", "a2": "delta2", "a3": "delta3"}
RELEASED_GUIDANCE_SCALE = 51.0  # 50 in the released form text + g(text - uncond).
EXACT, NORMALS, RELIT, FLOAT32_SOLVE, FLOAT32_SCHEDULE = 1e-10, 2e-5, 2e-4, 1e-5, 1e-6

Reference = dict[str, Tensor]


@dataclass(frozen=True)
class Check:
    """One key's largest absolute error against its tolerance."""

    key: str
    error: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether the error is a number within the tolerance."""
        return self.error <= self.tolerance


class ReferencePrior:
    """The reference's denoiser, eps(x, t, c) = 0.7 x + 0.1 mean(c) + t/1000, on Stable Diffusion 1.5's schedule.

    The schedule is made in float32, as diffusers makes it.
    """

    reads_text = True
    canvas_px = 512
    canvas_multiple_px = 64

    def __init__(self) -> None:
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float32) ** 2
        self.alphas_cumprod = torch.cumprod(1 - betas, 0)

    def latent_shape(self, height_px: int, width_px: int) -> tuple[int, int, int]:
        """Return the shape of Stable Diffusion's latents."""
        return 4, height_px // 8, width_px // 8

    def condition(self, canvas_srgb: Tensor, base_normals: Tensor, prompt: str, negative_prompt: str) -> Tensor:
        """Never called: the file holds the embeddings."""
        raise NotImplementedError

    def encode(self, canvas_srgb: Tensor, posterior_noise: Tensor) -> Tensor:
        """Never called: the file holds the latents."""
        raise NotImplementedError

    def predict_noise(self, noisy_latents: Tensor, timestep: Tensor, conditioning: Tensor, *, guided: bool) -> tuple[Tensor, Tensor | None]:
        """Return the closed form for the text's and, if ``guided``, the empty embedding."""
        text, uncond = (0.7 * noisy_latents + 0.1 * embedding.mean() + timestep[:, None, None, None] / 1000 for embedding in conditioning)
        return text, uncond if guided else None


def _error(ours: Tensor | float, theirs: Tensor) -> float:
    difference = (torch.as_tensor(ours, dtype=torch.float64) - theirs).abs().max().item()
    return difference if np.isfinite(difference) else float("inf")


def _flip_xy(normals: Tensor) -> Tensor:
    """Turn normals from the reference's sign convention into ours, or back."""
    return normals * torch.tensor([-1.0, -1.0, 1.0], dtype=normals.dtype)[None, :, None, None]


def check_surface(ref: Reference) -> Iterator[Check]:
    """Check pseudo-depth and normals."""
    depth = pseudo_depth(ref["raw_head"], ref["scale_offset"].reshape(1), depth_scale=float(ref["scale"]), min_disparity=float(ref["ms"]))
    yield Check("depth", _error(depth, ref["depth"]), EXACT)
    normals = normals_from_depth(ref["depth"])
    yield Check("normals", _error(_flip_xy(normals), ref["normals"]), NORMALS)


def check_relight(ref: Reference) -> Iterator[Check]:
    """Check every relit picture, on our normals and with the light turned into our frame."""
    normals = normals_from_depth(ref["depth"])
    for number in sorted({match[1] for match in map(re.compile(r"relight(\d+)_").match, ref) if match}, key=int):
        prefix = f"relight{number}"
        light = Light(
            xy=-ref[f"{prefix}_light_xy"].reshape(1, 2),
            shininess=ref[f"{prefix}_shininess"].reshape(1),
            diffuse_specular=ref[f"{prefix}_diffuse_specular"].reshape(1, 2),
        )
        relit_linear = composite(ref["image"], normals, light)
        yield Check(f"{prefix}_linear", _error(relit_linear, ref[f"{prefix}_linear"]), RELIT)
        yield Check(f"{prefix}_srgb", _error(display_from_linear(relit_linear), ref[f"{prefix}_srgb"]), RELIT)


def check_canvas(ref: Reference) -> Iterator[Check]:
    """Check every letterbox."""
    for key in ref:
        if match := re.fullmatch(r"letterbox(\d+)", key):
            yield Check(key, _error(letterbox(ref["image"], int(match[1])), ref[key]), EXACT)


def check_smoothness(ref: Reference) -> Iterator[Check]:
    """Check the smoothness loss and its gradient."""
    raw = ref["raw"].clone().requires_grad_()
    smoothness = laplacian_smoothness(raw).sum()
    (gradient,) = torch.autograd.grad(smoothness, raw)
    yield Check("smoothness", _error(smoothness.detach(), ref["smoothness"]), EXACT)
    yield Check("smoothness_grad_raw", _error(gradient, ref["smoothness_grad_raw"]), EXACT)


def check_sds(ref: Reference) -> Iterator[Check]:
    """Check SDS gradient and loss for each weighting in the file."""
    latents = ref["sds_latents"]
    for weighting in ("uniform", "sds", "fantasia3d"):
        prefix = f"sds_{weighting}"
        gradient = sds_gradient(
            ReferencePrior(),
            latents,
            ref[f"{prefix}_timestep"].long(),
            ref[f"{prefix}_noise"],
            ref["sds_embeddings_text_then_uncond"],
            guidance_scale=RELEASED_GUIDANCE_SCALE,
            weighting=weighting,
        )
        yield Check(f"{prefix}_grad", _error(gradient, ref[f"{prefix}_grad"]), FLOAT32_SCHEDULE)
        yield Check(f"{prefix}_loss", _error(sds_loss(latents, gradient).mean(), ref[f"{prefix}_loss"]), FLOAT32_SCHEDULE)


def check_evaluation(ref: Reference) -> Iterator[Check]:
    """Check alignment and metrics of the released protocol."""
    disparity, depth_gt, mask = ref["raw"][0].numpy(), ref["gt_depth"].numpy(), ref["gt_mask"].numpy().astype(bool)
    aligned = align_paper(disparity, depth_gt, mask)
    yield Check("aligned_depth", _error(torch.from_numpy(aligned), ref["aligned_depth"]), FLOAT32_SOLVE)
    metrics = depth_metrics(aligned, depth_gt, mask)
    for key in ref:
        if key.startswith("metric_"):
            name = key.removeprefix("metric_")
            yield Check(key, _error(metrics[METRIC_NAMES.get(name, name)], ref[key]), FLOAT32_SOLVE)


def check_file(path: Path) -> list[Check]:
    """Return one check for each output key of the file; a key that nothing checks counts as failed."""
    with np.load(path, allow_pickle=False) as arrays:
        ref = {key: torch.from_numpy(np.asarray(arrays[key], dtype=np.float64)) for key in arrays}
    ref["raw"] = torch.relu(ref["raw_head"])
    parts = (check_surface, check_relight, check_canvas, check_smoothness, check_sds, check_evaluation)
    checks = [check for part in parts for check in part(ref)]
    unchecked = [key for key in ref if not INPUT_KEYS.fullmatch(key) and key not in {check.key for check in checks}]
    return checks + [Check(f"{key} (unchecked)", float("inf"), 0.0) for key in unchecked]


def main(arguments: list[str]) -> int:
    """Print each key's largest error and return 0 if every one is within its tolerance."""
    if len(arguments) != 1:
        print("usage: python tests/parity.py FILE.npz", file=sys.stderr)
        return 2
    path = Path(arguments[0])
    try:
        checks = check_file(path)
    except FileNotFoundError:
        print(f"{path} does not exist.", file=sys.stderr)
        return 2
    except (ValueError, KeyError) as error:
        print(f"{path} is not a file of reference values: {error}.", file=sys.stderr)
        return 2
    width = max(len(check.key) for check in checks)
    for check in checks:
        print(f"{check.key:<{width}}  {check.error:9.2e}  <= {check.tolerance:.0e}  {'ok' if check.holds else 'FAILED'}")
    failed = sum(not check.holds for check in checks)
    print(f"{len(checks) - failed} of {len(checks)} keys within tolerance")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
