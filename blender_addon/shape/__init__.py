"""From the engine's maps to vertices, faces, light and fillings: numpy alone, no bpy.

Everything is in the picture's own frame: x right, y up, z toward the viewer, origin in the picture's centre, longer side ``size`` long.
The matched camera stands at (0, 0, `Shape.camera_distance`) and looks along -z.

Shapes: H W picture, h w stored maps, R C grid, V = R * C vertices, F faces.
"""
