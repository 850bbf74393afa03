"""What the viewer knows, without Qt: comparisons, how they are looked at, what was measured on them, where they came from."""
