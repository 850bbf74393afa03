"""The calls that take long, made so that other threads run on.

moderngl keeps the interpreter's lock while it draws. Without a graphics card a frame takes a good part of a second, the first one also
compiles the shaders, and so long the window would stand still. ctypes lets go of the lock; so moderngl binds all that a drawing needs,
and the drawing itself and the wait for its end go through here. These functions are of OpenGL 1.1, which every system's library exports;
`glGenerateMipmap` is younger, and where the library does not export it (Windows) moderngl calls it.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes.util import find_library
from functools import cache
from typing import Any

import moderngl

from engine.api.errors import DeviceError

_TRIANGLES, _TRIANGLE_STRIP, _UNSIGNED_INT, _TEXTURE_2D = 0x0004, 0x0005, 0x1405, 0x0DE1


@cache  # looking for it starts another program
def _open_library() -> Any:
    if sys.platform == "win32":
        return ctypes.WinDLL("opengl32")
    name = find_library("OpenGL" if sys.platform == "darwin" else "GL")
    if name is None:
        raise DeviceError("The OpenGL library is missing.", hint="Install it; on Debian: apt-get install libgl1.", code="device.opengl")
    return ctypes.CDLL(name)


class UnlockedDrawing:
    """Draws vertex arrays of the context that is current on this thread, and waits for the end, without the interpreter's lock.

    Raises:
        DeviceError: the system's OpenGL library is missing.
    """

    def __init__(self) -> None:
        library = _open_library()
        self._draw_elements, self._draw_arrays, self._finish = library.glDrawElements, library.glDrawArrays, library.glFinish
        self._draw_elements.argtypes = (ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p)
        self._draw_arrays.argtypes = (ctypes.c_uint, ctypes.c_int, ctypes.c_int)
        self._finish.argtypes = ()
        for function in (self._draw_elements, self._draw_arrays, self._finish):
            function.restype = None
        self._generate_mipmap = getattr(library, "glGenerateMipmap", None)

    def triangles(self, array: moderngl.VertexArray, index_count: int) -> None:
        """Draw ``index_count`` 32-bit indices of ``array`` as triangles."""
        array.render(moderngl.TRIANGLES, vertices=0)  # draws nothing, but binds the program and the array
        self._draw_elements(_TRIANGLES, index_count, _UNSIGNED_INT, None)
        self._finish()

    def strip(self, array: moderngl.VertexArray, vertex_count: int) -> None:
        """Draw ``vertex_count`` vertices of ``array``, which has no indices, as a strip of triangles."""
        array.render(moderngl.TRIANGLE_STRIP, vertices=0)
        self._draw_arrays(_TRIANGLE_STRIP, 0, vertex_count)
        self._finish()

    def mipmaps(self, texture: moderngl.Texture) -> None:
        """Fill the smaller levels of ``texture`` from its largest."""
        if self._generate_mipmap is None:
            texture.build_mipmaps()
            return
        texture.use(0)
        self._generate_mipmap(_TEXTURE_2D)
        self._finish()

    def finish(self) -> None:
        """Wait until all that was asked for is drawn."""
        self._finish()
