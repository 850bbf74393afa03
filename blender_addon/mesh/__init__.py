"""Results as objects of the scene: building them, moving their vertices while a slider moves, lighting them."""
