"""Scenes of exactly known disparity: two slanted planes, one in front of the other, and pictures of them."""

from __future__ import annotations

import numpy as np


def coordinates(shape):
    """Return y and x of pixel centres in [0, 1]."""
    y, x = (np.arange(count) + 0.5 for count in shape)
    return np.broadcast_to((y / shape[0])[:, None], shape), np.broadcast_to(x / shape[1], shape)


def texture(shape, seed=0, strength=0.08):
    return np.random.default_rng(seed).normal(0.0, strength, (*shape, 3))


def painted(inside, seed=0, strength=0.08):
    """Return a textured picture whose two sides differ in colour, as a photograph's would."""
    colours = np.where(inside[:, :, None], (0.75, 0.45, 0.3), (0.3, 0.5, 0.6))
    return np.clip(colours + texture(inside.shape, seed, strength), 0.0, 1.0).astype(np.float32)


def on_planes(inside):
    """Return the exact disparity where the nearer plane is seen ``inside``."""
    y, x = coordinates(inside.shape)
    plane = 0.2 + 0.15 * x + 0.1 * y
    return np.where(inside, plane + 0.5, plane).astype(np.float32)


def outline(name, shape):
    """Return where the nearer plane is seen."""
    y, x = coordinates(shape)
    return {"slanted step": x + 0.35 * y > 0.62, "disc": (x - 0.5) ** 2 + (0.75 * (y - 0.5)) ** 2 < 0.07, "corner": (x > 0.4) & (y > 0.45)}[name]


def rmse(values, truth, where=np.s_[:]):
    return float(np.sqrt(np.mean((values - truth)[where] ** 2)))
