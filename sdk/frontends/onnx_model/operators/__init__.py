"""What ONNX operators mean for an MLP: each function takes the call as `Applied` and gives its first output.

An operator that is neither here nor read by a float operator of an installed package (see
`FloatOperator.onnx_readers`) is refused, and so is an attribute that its function does not ask for.
"""

from . import arithmetic, arrangement, layers
from .applied import HINTS, Applied, readers_of

__all__ = ["HINTS", "Applied", "arithmetic", "arrangement", "layers", "readers_of"]
