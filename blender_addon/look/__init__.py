"""What makes the mesh look like the picture, and new light fall on it: images, materials, lights."""
