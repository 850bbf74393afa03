"""Which device computes, and in which precision the prior runs there."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..api.errors import DeviceError, SettingsError
from ..api.settings import DeviceName, Precision

# On the CPU torch's memory errors are plain RuntimeErrors: its own allocator's, and oneDNN's.
_CPU_MEMORY_WORDS = ("allocate memory", "could not create a primitive")
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class Compute:
    """A device, the prior's precision on it, and the device's name for people.

    The depth model, the relighting and the losses are float32 everywhere.
    """

    device: torch.device
    prior_dtype: torch.dtype
    label: str

    @property
    def prior_precision(self) -> str:
        """The prior's precision as the settings write it."""
        return str(self.prior_dtype).removeprefix("torch.")


def choose_compute(device: DeviceName, precision: Precision) -> Compute:
    """Return the device and precision asked for; ``auto`` takes CUDA, then Apple's GPU, then the CPU.

    Raises:
        DeviceError: the named device is not on this machine.
        SettingsError: a half precision on the CPU, where it is 25 to 100 times slower than float32.
    """
    name = _best_device() if device == "auto" else device
    _require_present(name)
    if name == "cpu":
        if precision not in ("auto", "float32"):
            raise SettingsError(f"{precision} on the CPU is many times slower than float32.", hint="Leave out --precision, or choose float32.")
        threads = torch.get_num_threads()
        return Compute(device=torch.device("cpu"), prior_dtype=torch.float32, label=f"CPU, {threads} {'thread' if threads == 1 else 'threads'}")
    if name == "mps":
        dtype = torch.float32 if precision == "auto" else _DTYPES[precision]
        return Compute(device=torch.device("mps"), prior_dtype=dtype, label="Apple GPU")
    automatic = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    dtype = automatic if precision == "auto" else _DTYPES[precision]
    return Compute(device=torch.device("cuda"), prior_dtype=dtype, label=torch.cuda.get_device_name())


def is_out_of_memory(error: Exception) -> bool:
    """Return whether ``error``, of Python, torch or oneDNN, says that memory ran out."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _CPU_MEMORY_WORDS)


def _best_device() -> DeviceName:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _require_present(name: DeviceName) -> None:
    absent = (name == "cuda" and not torch.cuda.is_available()) or (name == "mps" and not torch.backends.mps.is_available())
    if absent:
        raise DeviceError(
            f"This machine has no {name} device that torch can use.", hint="Leave out --device to take the best there is.", code="device.absent"
        )
