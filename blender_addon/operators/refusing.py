"""How an operator refuses: with the error's sentence, which Blender shows and scripts get as an exception."""

from __future__ import annotations

import bpy

from ..engine.api.errors import RedepthError


def refuse(operator: bpy.types.Operator, error: RedepthError) -> set[str]:
    """Report ``error`` and return what the operator then returns."""
    operator.report({"ERROR"}, str(error))
    return {"CANCELLED"}
