"""A procedural world with exact depth: scenes as batches of tensors, repeatable from a seed, on CPU and GPU alike."""
