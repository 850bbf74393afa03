from __future__ import annotations

import pytest
import torch

from engine.api.errors import DeviceError, SettingsError
from engine.models.devices import choose_compute, is_out_of_memory


def test_cpu_computes_in_float32_and_says_so() -> None:
    compute = choose_compute("cpu", "auto")
    assert (compute.device.type, compute.prior_precision) == ("cpu", "float32")
    assert "CPU" in compute.label


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_on_the_cpu_is_refused(precision: str) -> None:
    with pytest.raises(SettingsError, match="slower"):
        choose_compute("cpu", precision)


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_an_absent_device_is_said(name: str) -> None:
    present = torch.cuda.is_available() if name == "cuda" else torch.backends.mps.is_available()
    if present:
        pytest.skip(f"this machine has {name}")
    with pytest.raises(DeviceError, match=name):
        choose_compute(name, "auto")


def test_auto_takes_the_best_there_is() -> None:
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert choose_compute("auto", "auto").device.type == best


@pytest.mark.gpu
def test_gpu_prior_defaults_to_half_precision() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    assert choose_compute("cuda", "auto").prior_precision in ("bfloat16", "float16")
    assert choose_compute("cuda", "float16").prior_dtype == torch.float16


def test_memory_errors_are_told_from_others() -> None:
    memory = [
        MemoryError(),
        torch.OutOfMemoryError("full"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("could not create a primitive"),
    ]
    others = [RuntimeError("shape mismatch"), ValueError("can't allocate memory"), OSError()]
    assert [is_out_of_memory(error) for error in memory + others] == [True] * 4 + [False] * 3
