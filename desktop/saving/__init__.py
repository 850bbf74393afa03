"""What is shown as files, written by `engine.export`: meshes, depth, normals and the comparison, each with a sidecar. No Qt."""
