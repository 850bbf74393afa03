"""Real engines with the toy worker, each with a home of its own."""

from __future__ import annotations

from tests.engine.service.conftest import home, picture, revisions_file, toy

__all__ = ["home", "picture", "revisions_file", "toy"]
