"""What torch's operators (ATen) mean for an MLP: each function takes the arguments of the operator's schema.

An operator that is neither here nor read by a float operator of an installed package (see
`FloatOperator.exported_program_readers`) is refused. Names are those of torch's documentation; arguments that only say
where or how numbers lie in memory are taken and ignored.
"""

from . import arithmetic, arrangement, columns, encodings, functions, layers, positions
from .registry import ALIASING, ENCODINGS, HINTS, IGNORED, is_known, readers_of

__all__ = [
    "ALIASING",
    "ENCODINGS",
    "HINTS",
    "IGNORED",
    "arithmetic",
    "arrangement",
    "columns",
    "encodings",
    "functions",
    "is_known",
    "layers",
    "positions",
    "readers_of",
]
