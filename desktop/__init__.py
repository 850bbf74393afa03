"""The desktop viewer: what refinement changed, in the picture, in numbers and in 3D; a client of the shared engine."""
