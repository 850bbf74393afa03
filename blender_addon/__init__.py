"""Re-Depth for Blender: a picture becomes a mesh that real light falls on. A client of the shared engine; it computes no depth itself."""

from __future__ import annotations


def register() -> None:
    """Register everything, in the order that it needs each other."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Take everything back, in the opposite order."""
    from . import registration

    registration.unregister()
