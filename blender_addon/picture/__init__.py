"""The picture that is refined: which one is meant, where it lies in the scene, and a file of it for the engine."""
