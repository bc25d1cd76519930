"""What torch's operators (ATen) mean for an MLP: each function takes the arguments of the operator's schema.

An operator that is neither here nor read by a float operator of an installed package (see
`FloatOperator.exported_program_readers`) is refused. Names are those of torch's documentation; arguments that only say
where or how numbers lie in memory are taken and ignored.
"""

from . import arithmetic, arrangement, layers
from .registry import ALIASING, HINTS, IGNORED, readers_of

__all__ = ["ALIASING", "HINTS", "IGNORED", "arithmetic", "arrangement", "layers", "readers_of"]
