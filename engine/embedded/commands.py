"""What the commands of this folder share: a fault that the user can mend is told in a sentence."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..api.errors import RedepthError

log = logging.getLogger(__name__)


def exit_status(work: Callable[[], None]) -> int:
    """Return the exit status of a command that does ``work``, once a `RedepthError` of it is logged."""
    try:
        work()
    except RedepthError as error:
        log.error("%s", error)
        return error.exit_status
    return 0
