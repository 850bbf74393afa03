"""Loading with every foreign error mapped, and nothing filled in at random."""

from __future__ import annotations

from typing import Any

from diffusers import ModelMixin
from diffusers.utils import logging as diffusers_logging
from safetensors import SafetensorError
from transformers import PretrainedConfig, PreTrainedModel
from transformers.utils import logging as transformers_logging

from ..api.errors import WeightsInvalidError
from .catalogue import Weights
from .devices import is_out_of_memory

for library_logging in (transformers_logging, diffusers_logging):
    library_logging.set_verbosity_error()
    library_logging.disable_progress_bar()


def load_pretrained(kind: type[Any], weights: Weights, **options: Any) -> Any:
    """Return ``kind.from_pretrained`` of the weights' folder, without the network and complete to the last tensor.

    Raises:
        WeightsInvalidError: a file is missing or damaged, or holds other tensors than ``kind`` needs.
    """
    place = f"{weights.name}/{options['subfolder']}" if "subfolder" in options else weights.name
    hint = f"Fetch the model again, or check the folder {weights.folder}."
    try:
        if issubclass(kind, ModelMixin):
            options["low_cpu_mem_usage"] = False  # The other way needs accelerate.
        if issubclass(kind, (PreTrainedModel, ModelMixin)):
            model, report = kind.from_pretrained(
                weights.folder, local_files_only=True, output_loading_info=True, ignore_mismatched_sizes=True, **options
            )
            faults = [fault for part in ("missing_keys", "mismatched_keys", "error_msgs") for fault in report.get(part, ())]
            faults = sorted(fault if isinstance(fault, str) else str(fault[0]) for fault in faults)
            if faults:
                raise WeightsInvalidError(f"The weights of {place} lack or misshape {len(faults)} tensors, first {faults[0]}.", hint=hint)
            return model
        return kind.from_pretrained(weights.folder, local_files_only=True, **options)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        if is_out_of_memory(error):
            raise
        what = "configuration" if issubclass(kind, PretrainedConfig) else "weights"
        raise WeightsInvalidError(f"The {what} of {place} cannot be loaded as {kind.__name__}: {_first_line(error)}", hint=hint) from error


def _first_line(error: Exception) -> str:
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line if line.endswith(".") else f"{line}."
