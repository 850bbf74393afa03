"""The engine's side of the viewer: a thread of its own that asks, follows and reconnects, so that the window never waits."""
