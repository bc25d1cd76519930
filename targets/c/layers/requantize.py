"""C of the int8 form's rescaling: the kernel of the layer's rounding rule."""

from __future__ import annotations

import numpy as np

from edgeml.network.layers.requantize import Requantize

from ..arrays import ConstantArray
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode

__all__ = ["EMITTER", "RequantizeEmitter"]

_MOST = 2**30
"""Accumulators below it may be doubled."""


class RequantizeEmitter(LayerEmitter):
    """Names the rounding rule in the step's comment and calls its kernel."""

    kind = "requantize"

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[-1].layer
        assert isinstance(layer, Requantize)
        (x,) = job.inputs
        output = job.output
        offset = layer.zero_point - output.low
        # The range of the output is exact: nothing lies below what 0 stands for, or above its largest integer.
        span = int(output.stored_high.max())
        statements: list[str] = []
        accumulator = "x"
        if x.ctype != "int32_t":
            statements += [
                "int32_t *const values = (int32_t *)(void *)scratch;",
                f"for (size_t i = 0; i < {x.size}u; i++) {{",
                f"    values[i] = (int32_t)x[i] + ({x.low});",
                "}",
            ]
            accumulator = "values"
        whole = bool(np.all((layer.multiplier == 2**30) & (layer.shift == 1)))
        to_the_right = _shifts_to_the_right(job, layer) and not whole
        constants = () if whole else _factors(job.prefix, layer, to_the_right)
        statements += _statements(job, layer, accumulator, offset, span, constants, "_right" if to_the_right else "")
        factors = "factor 1" if whole else "factors per channel" if layer.per_channel else "one factor"
        return LayerCode(
            statements=tuple(statements),
            comment=f"requantize, rounding rule {layer.rounding}, {factors}, outputs {layer.low} ... {layer.high}",
            includes=("requantize.h",) if whole else (f"requantize_{layer.rounding}.h",),
            constants=constants,
            scratch_bytes=4 * x.size if x.ctype != "int32_t" else 0,
        )


def _shifts_to_the_right(job: LayerJob, layer: Requantize) -> bool:
    """Whether the short form of double rounding may be used, and is wanted: without vectors."""
    (x,) = job.inputs
    if layer.rounding != "double_rounding" or job.dialect.vectors or job.output.ctype != "uint8_t":
        return False
    shifts = bool(np.all((layer.shift >= -31) & (layer.shift <= -1)))
    low, high = int(x.stored_low.min()) + x.low, int(x.stored_high.max()) + x.low
    return shifts and low > -_MOST and high < _MOST


def _factors(prefix: str, layer: Requantize, to_the_right: bool) -> tuple[ConstantArray, ...]:
    """The arrays of factors, in the order in which the kernels take them."""
    which = "per channel" if layer.per_channel else "for all channels"
    # With `shift` always 2^30, and not read: one word stands for all.
    multiplier = layer.multiplier[:1] if layer.rounding == "shift" else layer.multiplier
    arrays = [ConstantArray(f"{prefix}_multiplier", "int32_t", multiplier, f"multiplier {which}")]
    if layer.rounding == "float64_away":
        assert layer.fraction is not None
        comment = f"22 further bits of the multiplier, {which}"
        arrays.append(ConstantArray(f"{prefix}_fraction", "int32_t", layer.fraction, comment))
    if to_the_right:
        comment = f"factor = multiplier * 2^(-right - 32), {which}"
        return (*arrays, ConstantArray(f"{prefix}_right", "uint8_t", -layer.shift - 1, comment))
    comment = f"factor = multiplier * 2^(shift - 31), {which}"
    return (*arrays, ConstantArray(f"{prefix}_shift", "int8_t", layer.shift, comment))


def _statements(
    job: LayerJob,
    layer: Requantize,
    accumulator: str,
    offset: int,
    span: int,
    factors: tuple[ConstantArray, ...],
    variant: str,
) -> tuple[str, ...]:
    """The call of the rule's kernel; a loop where there is nothing to round, or the output is wider than 8 bits."""
    output, names = job.output, [array.name for array in factors]
    step = 1 if layer.per_channel else 0
    if output.ctype == "uint8_t" and factors:
        arguments = f"{accumulator}, {', '.join(names)}, {step}, {output.size}, {offset}, {span}, y"
        return (f"edgeml_requantize_{layer.rounding}{variant}({arguments});",)
    value = f"{accumulator}[i]"
    if factors:
        indexed = [f"{array.name}[{'i' if step and array.values.size > 1 else 0}]" for array in factors]
        value = f"edgeml_rescale_{layer.rounding}({value}, {', '.join(indexed)})"
    low = 0 if output.ctype == "uint8_t" else layer.low
    high = span if output.ctype == "uint8_t" else layer.high
    clipped = f"edgeml_clip({value}, {offset - low}, {high - low})"
    return (
        f"for (size_t i = 0; i < {output.size}u; i++) {{",
        f"    y[i] = ({output.ctype})({clipped} + ({low}));",
        "}",
    )


EMITTER = RequantizeEmitter()
