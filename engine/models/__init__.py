"""Depth models and priors behind the two protocols of `engine.method.protocols`; the only importers of transformers and diffusers."""
