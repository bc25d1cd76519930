"""What Keras's layers mean for an MLP: each function takes a call as `Applied` and gives what the layer gives.

A layer that is not here is refused by its class, and so is a setting that its function does not ask for.
"""

from . import activations, arrangement, convolutions, dense, functions, merging, pools, scalings
from .applied import Applied, Function, apply

__all__ = [
    "Applied",
    "Function",
    "activations",
    "apply",
    "arrangement",
    "convolutions",
    "dense",
    "functions",
    "merging",
    "pools",
    "scalings",
]
