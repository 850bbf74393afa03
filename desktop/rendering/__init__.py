"""Pictures of depth, drawn off screen with OpenGL and without Qt: the picture relit, and its meshes from any side.

Colours are computed in linear light and leave as sRGB, by the standard's own curve.
"""
