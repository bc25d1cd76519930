"""Stored inputs of a stage for which its code is likeliest to be wrong, and whether it is for one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgeml.proof.statement import Affine, FunctionOfSum, statement_of
from edgeml.proof.words.claims import Claim
from edgeml.proof.words.values import Space

from .emitter import layer_emitter

if TYPE_CHECKING:
    from .arena import Stage

__all__ = ["HardInputs", "Stored"]

_DRAWN, _MOST = 24, 400

Stored = tuple[npt.NDArray[np.int64], ...]
"""Of each tensor that a stage takes, integers as they lie in memory, [channels]."""


@dataclass(frozen=True)
class HardInputs:
    """Of one stage that a proof did not get through.

    Parameters
    ----------
    open : claims that are not proved. space : of the proof's variables. variables : tensor and channel of each.
    """

    stage: Stage
    open: Sequence[Claim]
    space: Space
    variables: Mapping[int, tuple[str, int]]

    def wrong(self, given: Callable[[Stored], npt.NDArray[np.int64]], where: str) -> str:
        """Inputs for which what `given` makes of them, values [channels], is not the layers', in words that say `where`
        it ran; empty if none was found."""
        for tried, stored in enumerate(self.candidates()):
            if tried == _MOST:
                break
            expected, found = self.expected(self.stage, stored), given(stored)
            if (differs := np.flatnonzero(found != expected)).size:
                channel = int(differs[0])
                values = " and ".join(
                    ", ".join(map(str, item[:24])) + (" …" if len(item) > 24 else "") for item in stored
                )
                return (
                    f"for stored inputs {values} {self.stage.name}[{channel}] must be {expected[channel]}, and is "
                    f"{found[channel]} in the {where}"
                )
        return ""

    @staticmethod
    def expected(stage: Stage, stored: Stored) -> npt.NDArray[np.int64]:
        """What a stage's layers make of stored inputs, values [channels]."""
        values: list[npt.NDArray[np.int32]] = [
            (item + tensor.low).astype(np.int32)[None] for item, tensor in zip(stored, stage.job.inputs, strict=True)
        ]
        for node in stage.job.nodes:
            values = [node.layer.evaluate(*values)]
        return np.asarray(values[0][0], np.int64)

    def candidates(self) -> Iterator[Stored]:
        """Where the proof gave up, corners of channels that are open, then the stage's own extremes, then drawn."""
        job = self.stage.job
        low = tuple(tensor.stored_low for tensor in job.inputs)
        high = tuple(tensor.stored_high for tensor in job.inputs)
        for claim in self.open[:16]:
            if isinstance(claim.corner, tuple):
                _, terms, target = claim.corner
                yield self._placed(self._reaching(terms, target), low)
            elif claim.corner:
                yield self._placed(claim.corner, low)
                yield self._placed(claim.corner, high)
        for channel in sorted({claim.channel for claim in self.open})[:64]:
            yield from self._corners(channel, low, high)
        if len(job.inputs) == 1:
            for row in layer_emitter(job.nodes[0]).extremes(job):
                yield (row - job.inputs[0].low,)
        generator = np.random.default_rng(0)
        for _ in range(_DRAWN):
            yield tuple(generator.integers(a, b, endpoint=True) for a, b in zip(low, high, strict=True))

    def _corners(self, channel: int, low: Stored, high: Stored) -> Iterator[Stored]:
        """Where the sum of a channel is largest and smallest."""
        first = self.stage.job.nodes[0]
        statement = None if first.layer.kind == "encode" else statement_of(first, channel)
        statement = statement.sum if isinstance(statement, FunctionOfSum) else statement
        if not isinstance(statement, Affine):
            return
        for largest in (True, False):
            rows = tuple(item.copy() for item in low)
            for (tensor, place), weight in statement.weights.items():
                rows[tensor][place] = (high if (weight > 0) == largest else low)[tensor][place]
            yield rows

    def _placed(self, values: Mapping[int, int], rest: Stored) -> Stored:
        """Stored inputs with these values of variables, the rest as given."""
        rows = tuple(item.copy() for item in rest)
        names = [tensor.name for tensor in self.stage.job.inputs]
        for variable, value in values.items():
            tensor, channel = self.variables.get(variable, ("", 0))
            if tensor in names:
                rows[names.index(tensor)][channel] = value
        return rows

    def _reaching(self, terms: Mapping[int, int], target: int) -> dict[int, int]:
        """Values of variables whose weighted sum is, or comes near, a number: the largest weights first."""
        low, high = self.space.low, self.space.high
        values = {v: (low if c > 0 else high)[v] for v, c in terms.items()}
        left = target - sum(c * values[v] for v, c in terms.items())
        for v, c in sorted(terms.items(), key=lambda item: -abs(item[1])):
            step = min(left // abs(c), high[v] - low[v])
            values[v] += step if c > 0 else -step
            left -= step * abs(c)
        return values
