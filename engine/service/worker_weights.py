"""`python -m engine.service.worker_weights '{"depth": NAME, ...}'`: print where weights are and their revisions, as one line of JSON.

A process of its own because the listener shall not load the hub's library; see `engine.service.revisions`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from huggingface_hub.constants import HF_HUB_CACHE

from ..api.errors import RedepthError, WeightsMissingError, error_to_json
from ..models.catalogue import Role, find_weights

ABSENT = "absent"


def look_up(wanted: dict[Role, str]) -> dict[str, dict[str, Any]]:
    """Return for each role the revision, and the folders whose change may change it (True: with all files in them).

    Raises:
        ModelError: a model is unknown, or its weights are not here; the captioner may be absent.
    """
    return {role: _one(name, role) for role, name in wanted.items()}


def _one(name: str, role: Role) -> dict[str, Any]:
    try:
        weights = find_weights(name, role)
    except WeightsMissingError:
        if role != "caption":
            raise
        return {"revision": ABSENT, "watch": {str(HF_HUB_CACHE): False}}
    watch = {str(weights.folder): True}
    if weights.folder.parent.name == "snapshots":
        watch[str(weights.folder.parent.parent / "refs")] = True  # says which snapshot the name means
    return {"revision": weights.revision, "watch": watch}


if __name__ == "__main__":
    try:
        answer: dict[str, Any] = look_up(json.loads(sys.argv[1]))
    except RedepthError as error:
        answer = {"error": error_to_json(error)}
    sys.stdout.write(json.dumps(answer) + "\n")
