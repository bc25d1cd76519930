"""What ONNX operators mean for an MLP: each function takes the call as `Applied` and gives its first output.

An operator that is not here is refused, and so is an attribute that its function does not ask for.
"""

from . import arithmetic, arrangement, layers
from .applied import HINTS, OPERATORS, Applied

__all__ = ["HINTS", "OPERATORS", "Applied", "arithmetic", "arrangement", "layers"]
