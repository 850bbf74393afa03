"""Take the mean of the weights that trainings of one network exported: those of two that began alike often serve better so than either alone.

python -m engine.embedded.mean_weights FOLDER FOLDER [FOLDER...] --export DIR
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from ..api.errors import InputError
from ..export.files import prepare_folder, write_set
from .commands import exit_status
from .training import RECORD, exported_weights_file


def mean_weights(folders: Sequence[Path]) -> dict[str, Tensor]:
    """Return the mean of the weights in ``folders``, tensor by tensor, in the first folder's precision.

    Raises:
        InputError: a folder holds no exported weights, or those of another network than the first's.
    """
    first, *others = (load_file(exported_weights_file(folder)) for folder in folders)
    for folder, other in zip(folders[1:], others, strict=True):
        if {name: tensor.shape for name, tensor in other.items()} != {name: tensor.shape for name, tensor in first.items()}:
            raise InputError(f"The weights in {folder} are of another network than those in {folders[0]}.", hint="Name exports of one network.")
    return {
        name: torch.stack([tensor.double(), *(other[name].double() for other in others)]).mean(dim=0).to(tensor.dtype)
        for name, tensor in first.items()
    }


def export_mean(folders: Sequence[Path], target: Path) -> None:
    """Write the mean of the weights in ``folders`` to ``target``, the records of their trainings, and the first folder's other files.

    Raises:
        InputError: see `mean_weights`; or a folder lacks the record of its training.
        OutputError: ``target`` cannot be written.
    """
    file = exported_weights_file(folders[0])
    contents = {path.name: path.read_bytes() for path in sorted(folders[0].glob("*.json"))}
    contents[RECORD] = (json.dumps({"mean_of": [_record(folder) for folder in folders]}, indent=2) + "\n").encode()
    contents[file.name] = save(mean_weights(folders), metadata={"format": "pt"})
    prepare_folder(target)
    write_set({target / name: content for name, content in contents.items()})


def _record(folder: Path) -> object:
    try:
        return json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} lacks the {RECORD} of its training.", hint="Name a folder that a training's --export wrote.") from error


def main() -> int:
    """Write the mean that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("first", type=Path, metavar="FOLDER", help="what a training's --export wrote")
    parser.add_argument("others", type=Path, nargs="+", metavar="FOLDER", help="what other trainings of the same network exported")
    parser.add_argument("--export", type=Path, required=True, metavar="DIR", help="folder to write the mean to")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    return exit_status(lambda: export_mean([options.first, *options.others], options.export))


if __name__ == "__main__":
    sys.exit(main())
