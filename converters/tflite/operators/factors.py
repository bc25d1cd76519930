"""From the scales of a file to the factor that a kernel multiplies accumulators with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.network.rounding import float32_parts, float64_parts, quantize_multiplier

from .operator import Arithmetic
from .tensor_info import TensorInfo

__all__ = ["factors"]


def factors(
    scale: npt.NDArray[np.float32], source: TensorInfo, target: TensorInfo, arithmetic: Arithmetic
) -> dict[str, npt.NDArray[Any]]:
    """`multiplier`, `shift` and `fraction` [outputs] or [1], int32, of a layer whose weights have the scales `scale`
    [outputs] or [1], in the runtimes' order of operations.

    float64(si)·float64(sw)/float64(so), with one scale maybe float32(si·sw); `fp32_rne`: si·sw/so in float32.
    `float64_away` multiplies with that float64 number itself, the integer rules with its first 31 bits.
    """
    si, so = np.float32(source.scale), np.float32(target.scale)
    if arithmetic.rounding == "fp32_rne":
        multiplier, shift = float32_parts(si * scale / so)
        return {"multiplier": multiplier, "shift": shift}
    if scale.size == 1 and arithmetic.float32_product:
        product = (si * scale).astype(np.float64)
    else:
        product = np.float64(si) * scale.astype(np.float64)
    if arithmetic.rounding == "float64_away":
        multiplier, shift, fraction = float64_parts(product / np.float64(so))
        return {"multiplier": multiplier, "shift": shift, "fraction": fraction}
    multiplier, shift = quantize_multiplier(product / np.float64(so))
    return {"multiplier": multiplier, "shift": shift}
