"""What is known of the engine, and of its installation, for the preferences to show. Questions run in threads; a timer asks for redraws."""

from __future__ import annotations

from pathlib import Path

import bpy

from .engine.api.errors import RedepthError
from .engine_link import connector, engine_python, preferences
from .installing import Installation, InstallState, plan_from_carried
from .jobs import redraw
from .running.questions import EngineFacts, Question, engine_facts, release_device

LOOK_S = 0.25
CARRIED = "carried"

_question: Question | None = None
_facts: EngineFacts | None = None
_error: RedepthError | None = None
_installation: Installation | None = None


def facts() -> EngineFacts | None:
    """Return what the last test found, or None before the first."""
    return _facts


def error() -> RedepthError | None:
    """Return why the last question went unanswered, or None."""
    return _error


def asking() -> bool:
    """Whether a question is open."""
    return _question is not None


def ask_facts() -> None:
    """Ask what the engine is; `facts` or `error` follows.

    Raises:
        EngineUnavailableError: the Python in the preferences is not there.
    """
    connect, python = connector(), engine_python()
    _ask(Question(lambda: engine_facts(connect, python)))


def ask_release() -> None:
    """Ask the engine to release the device; an engine that does not run holds nothing.

    Raises:
        EngineUnavailableError: the Python in the preferences is not there.
    """
    connect, known = connector(start=False), _facts.models if _facts else ()
    _ask(Question(lambda: EngineFacts(status=release_device(connect), models=known)))


def wait_for_answer() -> RedepthError | None:
    """Wait for the open question, and return why it went unanswered, or None."""
    if _question is not None:
        _question.join()
        _take_answer()
    return _error


def begin_installation() -> None:
    """Begin to install the engine that the add-on carries.

    Raises:
        EngineError: this add-on carries none.
    """
    global _installation
    chosen = preferences()
    python = Path(bpy.path.abspath(chosen.base_python)) if chosen.base_python else None
    _installation = Installation(plan_from_carried(Path(__file__).parent / CARRIED, python=python, torch=chosen.torch_build))
    _installation.start()
    _watch()


def installing() -> bool:
    """Whether an installation is running."""
    return _installation is not None and _installation.poll().running


def installation() -> InstallState | None:
    """Return how far the last installation is, or None before the first."""
    return None if _installation is None else _installation.poll()


def installation_report() -> str:
    """Return what the last installation did and said; empty before the first."""
    return "" if _installation is None else _installation.report()


def cancel_installation() -> None:
    """Stop it, if one is running."""
    if _installation is not None:
        _installation.cancel()


def close() -> None:
    """Stop what runs, and let go of the timer."""
    cancel_installation()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def _ask(question: Question) -> None:
    global _question, _error
    _question, _error = question, None
    _watch()


def _watch() -> None:
    if not bpy.app.background and not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=LOOK_S, persistent=True)


def _tick() -> float | None:
    if _question is not None and not _question.is_alive():
        _take_answer()
    redraw()
    return LOOK_S if asking() or installing() else None


def _take_answer() -> None:
    global _question, _facts, _error
    if _question is not None:
        _facts, _error = _question.answer or _facts, _question.error
        _question = None
