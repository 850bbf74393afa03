"""Results as files: depth, meshes, comparison pictures and the sidecar that explains them. No torch; the viewer uses it too."""
