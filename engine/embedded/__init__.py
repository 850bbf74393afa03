"""The embedded default: a procedural world, the training of a small depth model and a small prior in it, and their weights."""
