"""All that a client of the engine may import: settings, messages and errors. Standard library and numpy only."""
