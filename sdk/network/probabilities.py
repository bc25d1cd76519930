"""Probabilities of classes in integers: softmax by a table of one exponential, as C computes it without floating point.

With o the output integers of a sample, d_i = max o − o_i and one scale s for all outputs, softmax is
exp(−s · d_i) / Σ exp(−s · d_j), and in integers

    k_i = min(round_half_up(d_i / 2^shift), 255)
    E_i = table[k_i],   table[k] = round_half_even(2^15 · exp(−s · 2^shift · k))
    p_i = ⌊E_i · ⌊(2^32 − 1) / Σ E_j⌋ / 2^17⌋

p is in units of 2^−15, at most 2^15 − 1, and sums to at most 2^15. `shift` is the least with table[255] = 0: beyond the
table nothing is lost. The largest E is 2^15, so that the division is one of 32 bits for up to 2^16 outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import numpy as np
import numpy.typing as npt

from .network import Network, Output
from .task import CLASSES

__all__ = ["ONE", "Probabilities", "probabilities_of"]

ONE = 2**15
"""What stands for a probability of 1, and is never reached."""
_ENTRIES = 256
_MOST_OUTPUTS = 2**16
_MOST_SHIFT = 31
_DIGITS = 60
_RECIPROCAL = 2**32 - 1
_SHARE_SHIFT = 17


@dataclass(frozen=True, eq=False)
class Probabilities:
    """Output integers to probabilities.

    Parameters
    ----------
    shift : bits by which differences are rounded before the table, 0 … 31.
    table : uint16 [256], 2^15 first, falling to 0.
    """

    shift: int
    table: npt.NDArray[np.uint16]

    def evaluate(self, outputs: npt.NDArray[np.int32]) -> npt.NDArray[np.uint16]:
        """Probabilities uint16 [samples, outputs] in units of 2^−15 for output integers of the same shape."""
        wide = outputs.astype(np.int64)
        below = wide.max(axis=1, keepdims=True) - wide
        half = (1 << self.shift) >> 1
        shares = self.table[np.minimum((below + half) >> self.shift, _ENTRIES - 1)].astype(np.int64)
        reciprocal = _RECIPROCAL // shares.sum(axis=1, keepdims=True)
        units: npt.NDArray[np.int64] = (shares * reciprocal) >> _SHARE_SHIFT
        return units.astype(np.uint16)


def probabilities_of(network: Network) -> Probabilities | None:
    """How the outputs of `network` become probabilities; None where they do not: its outputs are no classes, have
    scales of their own, or are more than 2^16."""
    output: Output = network.output
    scales = output.scale
    if network.task != CLASSES or network.output_size > _MOST_OUTPUTS or not bool(np.all(scales == scales[0])):
        return None
    scale = Decimal(float(scales[0]))
    with localcontext() as context:
        context.prec = _DIGITS
        shift = next((bits for bits in range(_MOST_SHIFT) if not _entry(scale, bits, _ENTRIES - 1)), _MOST_SHIFT)
        entries = [_entry(scale, shift, index) for index in range(_ENTRIES)]
    return Probabilities(shift, np.array(entries, np.uint16))


def _entry(scale: Decimal, shift: int, index: int) -> int:
    """An entry of the table: 60 digits decide where its half lies, alike on every machine."""
    exact = ONE * (-scale * (index << shift)).exp()
    return int(exact.to_integral_value(ROUND_HALF_EVEN))
