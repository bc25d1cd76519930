"""How good answers are: what a network is asked for, its scores, and its distance from the float model."""
