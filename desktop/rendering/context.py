"""An OpenGL context without a window, and its ways of failing as errors of ours."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import moderngl

from engine.api.errors import DeviceError

OLDEST_OPENGL = 330

log = logging.getLogger(__name__)

_HINTS = {
    "linux": "Install the graphics driver, or for drawing without a graphics card: apt-get install libegl1 libgl1 libgl1-mesa-dri.",
    "darwin": "Restart the viewer; if that does not help, update the system.",
    "win32": "Install the graphics card's current driver.",
}


def open_context() -> moderngl.Context:
    """Return a new context that is current on the calling thread, which alone may use and release it.

    Raises:
        DeviceError: there is no OpenGL 3.3 here.
    """
    backend: dict[str, Any] = {"backend": "egl"} if sys.platform.startswith("linux") else {}
    try:
        context = moderngl.create_context(require=OLDEST_OPENGL, standalone=True, **backend)
    except Exception as exc:  # moderngl raises plain Exception for all that can be wrong with a driver
        hint = _HINTS.get("linux" if sys.platform.startswith("linux") else sys.platform, "Install a driver with OpenGL 3.3.")
        raise DeviceError(f"The 3D views need OpenGL 3.3, and none was found ({exc}).", hint=hint, code="device.opengl") from exc
    log.info("3D views are drawn by %s", context.info["GL_RENDERER"])
    return context


@contextmanager
def graphics_errors() -> Iterator[None]:
    """Turn what the driver refuses into an error of ours.

    Raises:
        DeviceError: the graphics memory is too small, or the driver failed.
    """
    try:
        yield
    except moderngl.Error as exc:
        hint = "Lower the mesh's resolution, or close other programs that use the graphics card."
        raise DeviceError(f"The graphics driver refused to draw: {exc}.", hint=hint, code="device.opengl") from exc
