"""Proof that thresholds and the float64 reference agree for every value an accumulator can take.

The reference does in numpy float64 what Brevitas does in torch float64, operation by operation: z = acc·S + b, the
affines as x·a + b and the clamps of the chain, x / scale, round half to even, clip. IEEE 754 defines all of these to
the last bit, so numpy and torch give the same numbers.

Two arguments, both complete:

* Ranges of up to 2^22 values a channel and 2^25 a layer are enumerated: every accumulator value is pushed through.
* Wider ranges use that the reference is monotone. z = acc·S + b is exact (checked: no partial sum needs more than 53
  bits), hence increasing in acc. Each further operation is correctly rounded, and rounding to nearest is monotone:
  u ≤ v implies fl(u ∘ c) ≤ fl(v ∘ c) for adding c, multiplying by c ≥ 0 and dividing by c > 0, and the reverse for
  c < 0; rint and clip are monotone. A composition of monotone functions is monotone, and its direction is known.
  The levels therefore change only at the accumulators T[k] − 1 → T[k]; where the reference and the thresholds agree
  at acc_min, acc_max and on both sides of every threshold, they agree everywhere in between.

Functions such as tanh are computed within a few units of the last place, and what they give may fall by as much where
the function rises. Of wide ranges behind them (`_between_slack`) each level is therefore reached for good at an
accumulator whose values stay above the tie with every function's value lowered by 2^−44 of itself, surely not yet
reached at one where they stay below it raised by as much, and all accumulators between these two are pushed through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.frontends.float_operators.arrays import REPRODUCIBLE
from edgeml.frontends.float_operators.operator import FloatOperator, Role

from .chains import are_lines, directions
from .model import Quantizer

__all__ = ["Reference", "prove", "reaching", "require_exact_sums"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_ENUMERATED_PER_CHANNEL = 2**22
_ENUMERATED_PER_LAYER = 2**25
_ENUMERATED_FUNCTIONS = 2**23
"""Accumulators of a layer behind functions, whose values take longer."""
_EXACT_BITS = 53
_SLACK = 2.0**-44
"""Far more than the error of any function of `elementary`, or of a few of them together."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The float64 computation between accumulators and levels.

    Parameters
    ----------
    scale, bias : float64 [channels]: z = sign · acc · scale + bias.
    sign : int [channels]: −1 where the integer network holds the negated row.
    chain : operators on each value by itself, whose parameter arrays are [channels].
    quantizer : what gives the levels.
    """

    scale: Floats
    bias: Floats
    sign: Integers
    chain: Sequence[FloatOperator]
    quantizer: Quantizer

    def levels(self, acc: Integers, channel: int, slack: int = 0) -> Integers:
        """Levels of accumulators acc [n] of one channel.

        slack : 1 or −1 moves the value of each function, so that levels rise or fall by what its rounding may do.
        """
        x = (acc * self.sign[channel]).astype(np.float64) * self.scale[channel] + self.bias[channel]
        pushes = self._pushes(channel) if slack else []
        for position, operator in enumerate(self.chain):
            parameters = {name: array[channel] for name, array in operator.parameters.items()}
            x = operator.compute(REPRODUCIBLE, parameters, x)
            if slack and operator.role is Role.FUNCTION:
                x = x + np.abs(x) * (slack * pushes[position] * _SLACK)
        levels = np.rint(x / self.quantizer.scale)
        return np.asarray(np.clip(levels, self.quantizer.low, self.quantizer.high), np.int64)

    def _pushes(self, channel: int) -> list[float]:
        """Of each operator, 1 where levels rise with what it gives, −1 where they fall."""
        found = [float(each[channel]) for each in directions(self.chain, len(self.scale))]
        return [float(np.prod(found[position + 1 :])) for position in range(len(found))]


def require_exact_sums(name: str, magnitude: Floats, scale: Floats, bias: Floats) -> None:
    """CheckFailed where a float64 sum of this layer might round.

    Parameters
    ----------
    name : the layer.
    magnitude : float64 [channels], Σ |w| · max |x|: no partial sum of products is larger.
    scale, bias : float64 [channels].
    """
    for channel in range(len(scale)):
        unit = min(_unit(float(scale[channel])), _unit(float(bias[channel])))
        bound = float(magnitude[channel]) * scale[channel] + abs(bias[channel])
        if bound * 2.0 ** -max(unit, -1000) >= 2.0**_EXACT_BITS:
            raise CheckFailed(
                f"layer {name}, channel {channel}",
                f"its float64 sums may round: up to {bound:g} in units of 2^{unit}",
                "This is a defect of edgeml: please report it with the model",
            )


def _unit(value: float) -> int:
    """The exponent of the last significant bit of `value`; a large number for zero."""
    if value == 0.0:
        return 10_000
    numerator, denominator = value.as_integer_ratio()
    if denominator > 1:
        return 1 - denominator.bit_length()
    return (numerator & -numerator).bit_length() - 1


def prove(
    name: str, thresholds: Integers, base: int, reference: Reference, acc_low: Integers, acc_high: Integers
) -> int:
    """Hold thresholds [channels, levels] against the reference; returns how many accumulator values were evaluated.

    CheckFailed names layer, channel and accumulator of the first difference.
    """
    evaluated = 0
    counts = acc_high - acc_low + 1
    lines = are_lines(reference.chain)
    most = _ENUMERATED_PER_LAYER if lines else _ENUMERATED_FUNCTIONS
    enumerate_all = int(counts.sum()) <= most and int(counts.max()) <= _ENUMERATED_PER_CHANNEL
    for channel, row in enumerate(thresholds):
        low, high = int(acc_low[channel]), int(acc_high[channel])
        if enumerate_all:
            acc = np.arange(low, high + 1)
            edges = np.concatenate([[low], row, [high + 1]])
            expected = base + np.repeat(np.arange(len(row) + 1), np.diff(edges))
        else:
            acc = np.unique(np.clip(np.concatenate([[low, high], row - 1, row]), low, high))
            if not lines:
                acc = _between_slack(name, row, base, reference, channel, low, high)
            expected = base + np.searchsorted(row, acc, side="right")
        found = reference.levels(acc, channel)
        evaluated += len(acc)
        if not np.array_equal(found, expected):
            at = int(np.argmax(found != expected))
            raise CheckFailed(
                f"layer {name}, channel {channel}",
                f"accumulator {acc[at]} gives level {expected[at]} by thresholds, {found[at]} by the float64 reference",
                "This is a defect of edgeml: please report it with the model",
            )
    return evaluated


def _between_slack(
    name: str, row: Integers, base: int, reference: Reference, channel: int, low: int, high: int
) -> Integers:
    """All accumulators [n] whose level rounding might change; CheckFailed where there are too many to be tried."""
    wanted = base + 1 + np.arange(len(row))
    surely = reaching(lambda acc: reference.levels(acc, channel, -1) >= wanted, len(row), low, high)
    maybe = reaching(lambda acc: reference.levels(acc, channel, 1) >= wanted, len(row), low, high)
    if int((surely - maybe).sum()) > _ENUMERATED_PER_CHANNEL:
        raise CheckFailed(f"layer {name}, channel {channel}", "its levels cannot be told apart in float64")
    pieces = [np.arange(first - 1, last + 1) for first, last in zip(maybe.tolist(), surely.tolist(), strict=True)]
    return np.unique(np.clip(np.concatenate([[low, high], row - 1, row, *pieces]), low, high))


def reaching(reached: Callable[[Integers], npt.NDArray[np.bool_]], count: int, low: int, high: int) -> Integers:
    """Accumulators [count] of low … high + 1 that reach each level, and whose predecessors do not, by bisection."""
    below, at = np.full(count, low - 1), np.full(count, high + 1)
    while np.any(at - below > 1):
        middle = (below + at) // 2
        found = reached(middle)
        inside = at - below > 1
        at, below = np.where(inside & found, middle, at), np.where(inside & ~found, middle, below)
    return at
