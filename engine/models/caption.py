"""A caption of the picture for the prior's prompt, by BLIP, where its weights are on this machine.

Differs: the paper captions with BLIP-2, whose smallest published weights are 15 GB.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BertTokenizer, BlipForConditionalGeneration, BlipImageProcessorPil

from ..api.errors import WeightsMissingError
from .catalogue import Weights, find_weights
from .loading import load_pretrained

CAPTIONER = "blip"
MAX_NEW_TOKENS = 30


def caption_or_none(image_srgb: NDArray[np.uint8]) -> str | None:
    """Return one sentence about ``image_srgb`` (H, W, 3), or None where the captioner's weights are not here."""
    try:
        weights = find_weights(CAPTIONER, "caption")
    except WeightsMissingError:
        return None
    return caption(image_srgb, weights)


@torch.no_grad()
def caption(image_srgb: NDArray[np.uint8], weights: Weights) -> str:
    """Return the caption that the BLIP model in ``weights`` writes; it runs on the CPU and is freed at once.

    Raises:
        WeightsInvalidError: the weights are damaged or incomplete.
    """
    images = load_pretrained(BlipImageProcessorPil, weights)
    tokenizer = load_pretrained(BertTokenizer, weights)
    network = load_pretrained(BlipForConditionalGeneration, weights, dtype=torch.float32).eval()
    tokens = network.generate(**images(image_srgb, return_tensors="pt"), max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
    return tokenizer.decode(tokens[0], skip_special_tokens=True).strip()
