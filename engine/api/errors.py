"""Every error that a user of Re-Depth can meet.

    RedepthError
    ├── InputError             the request itself is wrong; asking again unchanged fails again
    │   ├── PictureError           the picture cannot be read or used
    │   ├── SettingsError          a setting is outside its range or contradicts another
    │   └── ManifestError          an evaluation manifest is incomplete or wrong
    ├── OutputError            a result cannot be written where it was asked for
    ├── ModelError
    │   ├── UnknownModelError      no such model name or folder
    │   ├── WeightsMissingError    the model is known, its weights are not on this machine
    │   ├── WeightsInvalidError    weights are here but damaged or of another shape
    │   └── DownloadError          the hub could not be reached or refused
    ├── DeviceError            the compute device is absent or failed
    │   └── OutOfMemoryError       the device's memory is too small for these settings
    ├── NumericalError         the refinement left the finite numbers
    ├── EngineError            the shared engine could not do its part
    │   ├── EngineUnavailableError none runs and none could be started, or it went away
    │   ├── EngineVersionError     client and engine speak different versions of the protocol
    │   ├── UnauthorisedError      the key is wrong
    │   ├── EngineTimeoutError     no answer in time
    │   ├── FrameRefusedError      a message was malformed, incomplete or too large
    │   ├── RequestError           a well-formed message asks for what cannot be
    │   │   └── UnknownJobError        no job of that name
    │   ├── DamagedFolderError     a job's folder is incomplete, or its files are not those that were written
    │   └── WorkerDiedError        the process that held the models ended or hung in the middle of a job
    └── CancelledError         stopped on request; names what was kept

Each error carries a stable ``code`` (for programs), a sentence (for people) and a ``hint``: what to do next.
`error_to_json` and `error_from_json` carry one between processes unchanged.
"""

from __future__ import annotations

from typing import Any


class RedepthError(Exception):
    """Base of all errors that Re-Depth raises on purpose.

    Args:
        sentence: what went wrong, one sentence for the user.
        hint: what to do next, one sentence; may be empty where there is nothing to advise.
        code: overrides the class's code with a finer one, such as ``picture.truncated``.
    """

    code = "redepth"
    exit_status = 1

    def __init__(self, sentence: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}" if self.hint else self.sentence


class InputError(RedepthError):
    """The request itself is wrong."""

    code = "input"
    exit_status = 2


class PictureError(InputError):
    """The picture cannot be read or used."""

    code = "picture"


class SettingsError(InputError):
    """A setting is outside its range or contradicts another."""

    code = "settings"


class ManifestError(InputError):
    """An evaluation manifest is incomplete or wrong."""

    code = "manifest"


class OutputError(RedepthError):
    """A result cannot be written where it was asked for."""

    code = "output"
    exit_status = 3


class ModelError(RedepthError):
    """A model cannot be found, loaded or fetched."""

    code = "model"
    exit_status = 4


class UnknownModelError(ModelError):
    """No such model name or folder."""

    code = "model.unknown"


class WeightsMissingError(ModelError):
    """The model is known, but its weights are not on this machine."""

    code = "model.weights_missing"


class WeightsInvalidError(ModelError):
    """Weights are here but damaged or of another shape."""

    code = "model.weights_invalid"


class DownloadError(ModelError):
    """The hub could not be reached or refused."""

    code = "model.download"


class DeviceError(RedepthError):
    """The compute device is absent or failed."""

    code = "device"
    exit_status = 5


class OutOfMemoryError(DeviceError):
    """The device's memory is too small for these settings."""

    code = "device.out_of_memory"


class NumericalError(RedepthError):
    """The refinement left the finite numbers."""

    code = "numerical"
    exit_status = 6


class EngineError(RedepthError):
    """The shared engine could not do its part."""

    code = "engine"
    exit_status = 7


class EngineUnavailableError(EngineError):
    """No engine runs and none could be started, or it went away."""

    code = "engine.unavailable"


class EngineVersionError(EngineError):
    """Client and engine speak different versions of the protocol."""

    code = "engine.version"


class UnauthorisedError(EngineError):
    """The key is wrong."""

    code = "engine.unauthorised"


class EngineTimeoutError(EngineError):
    """No answer in time."""

    code = "engine.timeout"


class FrameRefusedError(EngineError):
    """A message was malformed, incomplete or too large."""

    code = "engine.frame_refused"


class RequestError(EngineError):
    """A well-formed message asks for what cannot be."""

    code = "engine.request"


class UnknownJobError(RequestError):
    """No job of that name."""

    code = "engine.unknown_job"


class DamagedFolderError(EngineError):
    """A job's folder is incomplete, or its files are not those that were written."""

    code = "engine.damaged_folder"


class WorkerDiedError(EngineError):
    """The process that held the models ended or hung in the middle of a job."""

    code = "engine.worker_died"


class CancelledError(RedepthError):
    """Stopped on request."""

    code = "cancelled"
    exit_status = 130


def _classes(root: type[RedepthError]) -> dict[str, type[RedepthError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found |= _classes(child)
    return found


def error_to_json(error: RedepthError) -> dict[str, Any]:
    """Return ``error`` as a JSON object that `error_from_json` turns back into the same class."""
    return {"kind": type(error).__name__, "code": error.code, "sentence": error.sentence, "hint": error.hint}


def error_from_json(fields: dict[str, Any]) -> RedepthError:
    """Return the error that `error_to_json` described; an unknown kind becomes a `RedepthError` with its code."""
    kind = _classes(RedepthError).get(str(fields.get("kind")), RedepthError)
    return kind(str(fields.get("sentence", "")), hint=str(fields.get("hint", "")), code=str(fields.get("code", kind.code)))
