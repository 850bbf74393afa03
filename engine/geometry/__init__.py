"""From disparity to depth, points, normals and meshes. Standard library and numpy only, relative imports only."""
