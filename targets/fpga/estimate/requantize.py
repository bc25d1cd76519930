"""What requantize units are made of: `edgeml_requantize`, lane by lane, after `edgeml_rescale_fixed` and `_float`."""

from __future__ import annotations

import math

import numpy as np

from ..architectures.folded.requantize import RequantizeOperation
from ..budget import Family
from .memory import add_rom
from .parts import Parts, multiplier_blocks

__all__ = ["add_requantize"]

_FIXED_POINT = 31
_CLIP_BITS = 19
"""Bits that `edgeml_clip` compares at least."""


def _product(parts: Parts, value_bits: int, factor_bits: int, registers: int, family: Family, *, signed: bool) -> None:
    """A value times a factor that is not negative: multiplier blocks and the sums of their parts, or logic."""
    width = value_bits + factor_bits
    if factor_bits < 2:
        parts.flip_flops += registers * width
        return
    # With a sign, the factor gets a zero for one.
    blocks = multiplier_blocks(value_bits, factor_bits + signed, width, family, signed=signed)
    parts.dsps += blocks
    if blocks:
        parts.add("rescale", (blocks - 1) * width * 0.7)
    else:
        parts.add("multiplier", value_bits * factor_bits)
    # Blocks of Xilinx parts have registers of their own behind them.
    if not blocks or family.lut_inputs < 6:
        parts.flip_flops += registers * width


def _clip(parts: Parts, value_bits: int, output_bits: int) -> None:
    wide = max(value_bits + 1, _CLIP_BITS)
    parts.add("rescale", 3.0 * wide + output_bits)
    parts.flip_flops += output_bits


def _fixed(parts: Parts, operation: RequantizeOperation, factor_bits: int, more_bits: int, family: Family) -> None:
    """One lane by the rules that compute in integers; `more_bits` is 0 where all channels shift as far."""
    element = operation.inputs[0]
    value_bits = element.bits + (0 if element.signed else 1)
    high = value_bits
    if operation.layer.rounding != "shift":
        product = value_bits + factor_bits
        high = max(product + 1 - _FIXED_POINT, 2)
        _product(parts, value_bits, factor_bits, 1, family, signed=True)
        parts.add("rescale", product - _FIXED_POINT + 1.0)
        parts.flip_flops += high + 2 * more_bits
    away = operation.layer.rounding == "double_rounding"
    parts.add("rescale", high * more_bits * (2.0 if away else 1.0) + (high / 2 if away else 0) + high + 1)
    parts.flip_flops += high + 1
    _clip(parts, high + 1, operation.output.bits)


def _floating(parts: Parts, operation: RequantizeOperation, factor_bits: int, more_bits: int, family: Family) -> None:
    """One lane by the rules of a floating-point format."""
    bits, kept = operation.inputs[0].bits, operation.factor_bits
    product = bits + factor_bits
    parts.add("float", float(bits))
    for width in [bits, product] if bits > kept else [product]:
        most = max(width - kept, 0)
        parts.add("float", 2.0 * width + 3.5 * most)
        parts.flip_flops += 2 * width + most + 1
    _product(parts, bits, factor_bits, 2, family, signed=False)
    shifted = max(bits + 2 + kept, operation.right) + 2 - operation.right
    parts.add("float", shifted * (2.0 * more_bits + 3.0))
    parts.flip_flops += 4 * (more_bits + 1) + shifted + 1
    _clip(parts, shifted + 1, operation.output.bits)


def add_requantize(parts: Parts, operation: RequantizeOperation, family: Family) -> None:
    """A whole unit. Where a lane has one factor for all its values, that is a constant: a product with few bits."""
    changes = operation.layer.per_channel and operation.beats > 1
    if changes:
        words = np.zeros(operation.beats * operation.pe, np.int64)
        words[: operation.channels] = operation.factor + (operation.more << operation.factor_bits)
        rows = words.reshape(operation.beats, operation.pe)
        add_rom(parts, rows, operation.factor_bits + operation.more_bits, family)
    parts.flip_flops += operation.pe * operation.inputs[0].bits + operation.latency
    parts.add("stream", operation.latency / 2 + 2.0)
    for lane in range(operation.pe):
        factor_bits, more_bits = operation.factor_bits, operation.more_bits
        if not changes:
            factor = int(operation.factor[min(lane, len(operation.factor) - 1)])
            # Zeros at the end of a constant are places: a power of two is no product.
            factor_bits, more_bits = (factor // math.gcd(factor, 2**62)).bit_length() if factor else 0, 0
        rule = _floating if operation.floating else _fixed
        rule(parts, operation, factor_bits, more_bits, family)
