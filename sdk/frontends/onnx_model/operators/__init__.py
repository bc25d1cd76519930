"""What ONNX operators mean for an MLP: each function takes the call as `Applied` and gives its first output.

An operator that is neither here nor read by a float operator of an installed package (see
`FloatOperator.onnx_readers`) is refused, and so is an attribute that its function does not ask for.
"""

from . import arithmetic, arrangement, encodings, functions, layers, positions
from .applied import ENCODINGS, HINTS, Applied, is_known, kind_of, readers_of

__all__ = [
    "ENCODINGS",
    "HINTS",
    "Applied",
    "arithmetic",
    "arrangement",
    "encodings",
    "functions",
    "is_known",
    "kind_of",
    "layers",
    "positions",
    "readers_of",
]
