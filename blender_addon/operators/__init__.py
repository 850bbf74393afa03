"""Operators: thin, over the functions of the other modules. What they refuse they refuse with a sentence."""
