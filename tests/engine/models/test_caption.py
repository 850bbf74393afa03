from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipImageProcessorPil, BlipTextConfig, BlipVisionConfig

from engine.models.caption import MAX_NEW_TOKENS, caption, caption_or_none
from engine.models.catalogue import Weights

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "a", "cup", "on", "table"]
PICTURE = np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def blip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BLIP, saved as its authors' is."""
    folder, words = tmp_path_factory.mktemp("blip"), tmp_path_factory.mktemp("blip_words") / "vocab.txt"
    words.write_text("\n".join(WORDS))
    BertTokenizer.from_pretrained(words.parent, bos_token="[DEC]").save_pretrained(folder)
    BlipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    text = BlipTextConfig(
        vocab_size=10,
        hidden_size=16,
        encoder_hidden_size=16,
        intermediate_size=16,
        projection_dim=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=40,
        bos_token_id=5,
        eos_token_id=3,
        sep_token_id=3,
        pad_token_id=0,
    )
    vision = BlipVisionConfig(
        hidden_size=16, intermediate_size=16, projection_dim=16, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=16
    )
    torch.manual_seed(0)
    network = BlipForConditionalGeneration(BlipConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=16))
    with torch.no_grad():
        network.text_decoder.cls.predictions.bias[WORDS.index("cup")] = 100.0  # A model that sees a cup in everything.
    network.save_pretrained(folder)
    return folder


def test_the_caption_is_what_the_model_writes_without_special_tokens(blip_folder: Path) -> None:
    words = caption(PICTURE, Weights(name="blip", title="blip", folder=blip_folder, revision="test", licence="none")).split()
    assert len(words) == MAX_NEW_TOKENS
    assert set(words) == {"cup"}


def test_no_captioner_means_no_caption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert caption_or_none(PICTURE) is None
