"""What the pinned wheels expect a Linux system to have, and Debian's names for it."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping

from .steps import SetupError, call, say

APT_GET = ("apt-get", "-o", "DPkg::Lock::Timeout=300")

# Library -> Debian package, by who needs it.
ENGINE = {"libstdc++.so.6": "libstdc++6", "libgcc_s.so.1": "libgcc-s1", "libz.so.1": "zlib1g"}
VIEWER = {  # without a display: Qt's offscreen platform, and OpenGL through EGL
    "libglib-2.0.so.0": "libglib2.0-0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfreetype.so.6": "libfreetype6",
}
WINDOW = {  # what Qt's X11 and Wayland platforms need beside that; its own message blames libxcb-cursor for any of the X11 ones
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
BLENDER = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXext.so.6": "libxext6",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libgomp.so.1": "libgomp1",
}


class MissingPackagesError(SetupError):
    """Something is missing that only the user may install."""


def missing_packages(
    libraries: Mapping[str, str], load: Callable[[str], object] = ctypes.CDLL, find: Callable[[str], object] = importlib.util.find_spec
) -> list[str]:
    """Return the Debian packages that provide what this Linux lacks; other systems' wheels bring all they need."""
    if not sys.platform.startswith("linux"):
        return []
    missing = []
    if find("venv") is None or find("ensurepip") is None:
        missing.append(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")
    for library, package in libraries.items():
        try:
            load(library)
        except OSError:
            missing.append(package)
    return missing


def provide(*needs: Mapping[str, str]) -> None:
    """Install what is missing of all ``needs``, in one go.

    Raises:
        MissingPackagesError: something is missing and we may not install it.
    """
    libraries = {library: package for need in needs for library, package in need.items()}
    if missing := missing_packages(libraries):
        install_system_packages(missing)


def install_system_packages(packages: list[str]) -> None:
    """Install ``packages`` where we may; otherwise say how.

    Raises:
        MissingPackagesError: we may not.
    """
    install = [*APT_GET, "install", "-y", "--no-install-recommends", *packages]
    if shutil.which("apt-get") is None:
        raise MissingPackagesError(
            f"These system packages are missing (Debian's names): {' '.join(packages)}\nInstall them with your system's own tool."
        )
    if os.geteuid() != 0:
        raise MissingPackagesError(
            f"System packages are missing. Install them with:\n    sudo {shlex.join(install)}\nThen run the same command again."
        )
    say(f"Installing system packages: {' '.join(packages)}")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    call([*APT_GET, "update"])
    call(install)
