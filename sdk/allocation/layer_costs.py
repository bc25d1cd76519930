"""What each choice of a layer costs on a part, asked of the target itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..frontends.float_operators.gather import Gather
from ..network import Network
from .distortion import ALL, Choice, Layer
from .untrained_networks import stand_in

__all__ = ["Cost", "LayerCost"]

Floats = npt.NDArray[np.float64]
Cost = Callable[[Network], float]
"""What a network costs, as the target estimates it."""

_ROWS = (4, 16)
"""Neurons of the layers that are estimated; a neuron costs a part of their difference."""
_WEIGHT_BITS = (2, 4)
_INPUT_BITS = (1, 2, 4)
_FAN_IN = (3, 6, 16)
_LEVEL_BITS = (1, 2, 4)
_BEFORE = 12
"""Inputs of the layer whose neurons are estimated with more bits or fewer."""


@dataclass(frozen=True, eq=False)
class LayerCost:
    """What the choices of a layer cost, by estimates of stand-ins of a few neurons at a few choices, and straight lines
    between those.

    Parameters
    ----------
    cost : the target's estimate. given_bits : of the layer's inputs where they are not chosen. full_range : of its
        weights, as of `stand_in`.
    """

    cost: Cost
    layer: Layer
    given_bits: int
    full_range: bool = False

    def of(self, choices: Sequence[Choice]) -> Floats:
        """Of each choice [choices]; what all networks cost alike is not in it."""
        return np.array([self._of(each) for each in choices])

    def _of(self, choice: Choice) -> float:
        bits = choice.input_bits or self.given_bits
        inputs = choice.fan_in or self.layer.inputs
        found = []
        for at_bits in self._input_bits:
            for_weights = [
                np.interp(inputs, self._fan_in, [self._neuron[at_bits, weights, each] for each in self._fan_in])
                for weights in _WEIGHT_BITS
            ]
            found.append(_line(_WEIGHT_BITS, for_weights, choice.weight_bits))
        levels = _line(_LEVEL_BITS, self._levels, choice.input_bits) if choice.input_bits else 0.0
        return self.layer.outputs * _line(self._input_bits, found, bits) + self.layer.taken * levels

    @cached_property
    def _input_bits(self) -> tuple[int, ...]:
        chosen = {each.input_bits for each in self.layer.choices} - {0}
        if not chosen:
            return (self.given_bits,)
        return tuple(each for each in _INPUT_BITS if each <= max(chosen)) or (min(chosen),)

    @cached_property
    def _fan_in(self) -> tuple[int, ...]:
        fewest = min((each.fan_in for each in self.layer.choices if each.fan_in != ALL), default=self.layer.inputs)
        return tuple(sorted({each for each in _FAN_IN if fewest <= each < self.layer.inputs} | {self.layer.inputs}))

    @cached_property
    def _neuron(self) -> dict[tuple[int, int, int], float]:
        """Of one neuron, by bits of inputs, bits of weights, and inputs."""
        found = {}
        for bits in self._input_bits:
            for weights in _WEIGHT_BITS:
                for inputs in self._fan_in:
                    found[bits, weights, inputs] = self._of_one(
                        self.layer.taken, weights, bits, inputs, 1, self.layer.gather
                    )
        return found

    @cached_property
    def _levels(self) -> list[float]:
        """What a neuron before the layer costs more for giving so many bits, and not 1."""
        found = [self._of_one(_BEFORE, 2, 2, _BEFORE // 2, bits) for bits in _LEVEL_BITS]
        return [each - found[0] for each in found]

    def _of_one(
        self, inputs: int, weight_bits: int, input_bits: int, fan_in: int, act_bits: int, gather: Gather | None = None
    ) -> float:
        """One neuron of a layer, at all its positions: the difference of many and few of them."""
        shape = (weight_bits,), (act_bits,), input_bits
        few, many = (
            self.cost(stand_in((inputs, rows), *shape, fan_in=(fan_in,), full_range=self.full_range, gather=gather))
            for rows in _ROWS
        )
        return (many - few) / (_ROWS[1] - _ROWS[0])


def _line(places: Sequence[int], values: Sequence[Any], at: int) -> float:
    """Straight lines between (places, values), the last of them gone on with."""
    if len(places) == 1:
        return float(values[0]) * at / places[0]
    if at <= places[-1]:
        return float(np.interp(at, places, values))
    slope = (values[-1] - values[-2]) / (places[-1] - places[-2])
    return float(values[-1] + slope * (at - places[-1]))
