"""A bit of a value, a comparison with it, or the value itself."""

from __future__ import annotations

import numpy as np

from ...network.layers.encode import Encode
from ..statement import Function

__all__ = ["statement"]


def statement(layer: Encode, channel: int) -> Function:
    """The rule of the channel, of the one input that it looks at."""
    alone = Encode(np.zeros(1, np.int32), layer.rule[[channel]], layer.operand[[channel]], 1)
    source = (0, int(layer.source[channel]))
    return Function((source,), lambda x: alone.evaluate(x[0][:, None])[:, 0].astype("int64"))
