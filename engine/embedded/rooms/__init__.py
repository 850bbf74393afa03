"""Rooms furnished with real 3D models, rendered with exact depth: pictures for training that look more like photographs than `world` does."""
