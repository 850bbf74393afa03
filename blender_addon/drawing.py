"""Sentences in panels, which Blender itself does not wrap."""

from __future__ import annotations

import bpy

_LETTER_PX = 6.5
_MARGIN_PX = 70


def draw_sentence(layout: bpy.types.UILayout, sentence: str, icon: str, context: bpy.types.Context) -> None:
    """Draw a sentence over as many lines as the region's width asks for."""
    width = context.region.width / (context.preferences.system.ui_scale or 1.0) if context.region is not None else 250
    longest = max(20, int((width - _MARGIN_PX) / _LETTER_PX))
    column = layout.column(align=True)
    column.scale_y = 0.85
    line = ""
    for word in sentence.split():
        if line and len(line) + 1 + len(word) > longest:
            column.label(text=line, icon=icon)
            line, icon = word, "BLANK1" if icon != "NONE" else "NONE"
        else:
            line = f"{line} {word}".strip()
    column.label(text=line, icon=icon)
