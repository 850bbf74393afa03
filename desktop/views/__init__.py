"""Qt views of `desktop.state`: widgets that show and ask, and keep no facts of their own."""
