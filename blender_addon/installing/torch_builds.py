"""Which build of torch fits this machine, and from where pip gets it."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from ..engine.api.errors import EngineError
from .children import no_window

PYTORCH_INDEX = "https://download.pytorch.org/whl"
_ASK_S = 20.0
# The driver that each CUDA release needs, and the oldest GPU generation that torch's builds for it hold code for.
_CUDA_13_DRIVER = 580
_CUDA_13_CAPABILITY = 7.5
_CUDA_12_DRIVER = 525
_CUDA_12_CAPABILITY = 5.0


@dataclass(frozen=True, kw_only=True)
class TorchBuild:
    """A build of torch.

    Attributes:
        name: as the preferences and the report write it.
        index: the package index that has it; None = the one that pip is set up to use, else PyPI.
        why: one sentence for the user.
        space_bytes: free disk space that the whole environment takes with it, downloads included.
    """

    name: str
    index: str | None
    why: str
    space_bytes: int


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """An NVIDIA GPU as its driver describes it.

    Attributes:
        driver: its first number, such as 580.
        capability: of the GPU's generation, such as 8.6; 0 where the driver does not tell.
    """

    name: str
    driver: int
    capability: float


CHOICES = {
    "auto": "What fits this machine",
    "cpu": "CPU",
    "cu130": "NVIDIA, CUDA 13 (driver 580 or later)",
    "cu126": "NVIDIA, CUDA 12 (older drivers and GPUs)",
    "pip": "Whatever pip is set up to use (PyPI, or an index of your own)",
}


def choose_torch(wish: str, *, system: str = sys.platform, machine: str | None = None, ask_gpu: Callable[[], Gpu | None] | None = None) -> TorchBuild:
    """Return the build of torch for ``wish``, one of `CHOICES`.

    Raises:
        EngineError: there is no such choice, or no torch for this machine.
    """
    if wish not in CHOICES:
        raise EngineError(f"There is no torch build {wish!r}.", hint=f"Choose one of: {', '.join(CHOICES)}.", code="engine.install.torch")
    if wish == "pip":
        return TorchBuild(name="pip", index=None, why="As chosen: torch comes from where pip is set up to look.", space_bytes=_gigabytes(8))
    if wish != "auto":
        return _pytorch(wish, "As chosen.")
    if system == "darwin":
        if (machine or platform.machine()) != "arm64":
            hint = "Run the engine on another machine, and open its results here."
            raise EngineError("Torch is no longer made for Macs with Intel processors.", hint=hint, code="engine.install.torch")
        return TorchBuild(name="apple", index=None, why="PyPI's build for Apple's processors and GPUs.", space_bytes=_gigabytes(3))
    gpu = (ask_gpu or ask_nvidia)()
    if gpu is None:
        return _pytorch("cpu", "No NVIDIA driver answers here, so the build for the CPU.")
    if gpu.driver >= _CUDA_13_DRIVER and (not gpu.capability or gpu.capability >= _CUDA_13_CAPABILITY):
        return _pytorch("cu130", f"{gpu.name} with driver {gpu.driver} runs CUDA 13.")
    if gpu.driver >= _CUDA_12_DRIVER and (not gpu.capability or gpu.capability >= _CUDA_12_CAPABILITY):
        return _pytorch("cu126", f"{gpu.name} with driver {gpu.driver} runs CUDA 12.")
    if gpu.driver < _CUDA_12_DRIVER:
        why = f"The driver {gpu.driver} of {gpu.name} is older than {_CUDA_12_DRIVER}, so the build for the CPU; a newer one lets the GPU help."
        return _pytorch("cpu", why)
    return _pytorch("cpu", f"{gpu.name} is older than what today's torch runs on, so the build for the CPU.")


def ask_nvidia() -> Gpu | None:
    """Return the first NVIDIA GPU that the driver's own tool names, or None where it names none."""
    try:
        answer = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,driver_version,compute_cap", "--format=csv,noheader"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_S,
            check=True,
            **no_window(),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return gpu_from_line(answer.stdout.strip().splitlines()[0]) if answer.stdout.strip() else None


def gpu_from_line(line: str) -> Gpu | None:
    """Return the GPU that a line ``name, driver, capability`` describes, or None where it makes no sense."""
    name, _, rest = line.partition(",")
    driver, _, capability = rest.partition(",")
    try:
        return Gpu(name=name.strip(), driver=int(driver.strip().split(".")[0]), capability=_number(capability))
    except ValueError:
        return None


def _number(text: str) -> float:
    try:
        return float(text.strip())
    except ValueError:
        return 0.0  # drivers before 470 do not tell


def _pytorch(name: str, why: str) -> TorchBuild:
    return TorchBuild(name=name, index=f"{PYTORCH_INDEX}/{name}", why=why, space_bytes=_gigabytes(3 if name == "cpu" else 12))


def _gigabytes(count: float) -> int:
    return int(count * 1e9)
