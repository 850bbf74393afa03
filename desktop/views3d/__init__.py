"""Qt panes of what `desktop.rendering` draws: both depths relit under one light, and both meshes in 3D."""
