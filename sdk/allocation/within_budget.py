"""A conversion within a budget: bits and inputs of each layer are chosen by what they disturb and cost, then trained.

1. What each choice of each layer disturbs at the output (`distortion`), and costs on the part (`layer_costs`).
2. The best choice of all layers under the budget (`dynamic_program`). Costs of layers do not quite add up to that of
   the network: an untrained stand-in of the whole is estimated, and the limit corrected until that fits.
3. The conversion, with the choice as its options `layer_bits` and `fan_in`. Where the trained network costs more than
   the budget, the limit is lowered by as much, and it is trained again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import plugins
from ..data.dataset import Dataset
from ..errors import CheckFailed, InputError, MissingTool
from ..frontends.mlp import Mlp
from ..network import Network
from ..network.reduction import reduced
from ..options import Option
from ..profile import Profile
from .budget import Budget
from .distortion import ALL, Choice, Distortion, distortion, paired
from .dynamic_program import best_choices
from .layer_costs import Cost, LayerCost
from .untrained_models import stand_in_of

__all__ = ["Allocator", "Part", "convert_within"]

WEIGHT_BITS = (2, 3, 4, 8)
FAN_IN = (3, 4, 6, 8, 12, 16, 24, 32, ALL)
ACT_BITS = (1, 2, 4)
_MOST_CHOICES = 10
"""Of a layer, those that nothing beats in both distortion and cost; pairs of them are measured."""
_ROUNDS, _TRAININGS = 12, 3
_MARGIN = 0.98
_INPUT_BITS = 8
_SYMMETRIC = {"weight_range": "narrow"}
"""What weights have unless the user says otherwise: the fourth of 2 bits costs more than the stand-ins do."""


@dataclass(frozen=True, eq=False)
class Part:
    """Where the network goes, and what says what it costs there."""

    hardware: plugins.Target
    profile: Profile
    options: Mapping[str, Any]

    def estimate(self, network: Network, budget: Budget) -> float:
        """The cost of a network as the target estimates it; InputError where it estimates no such cost."""
        if not isinstance(self.hardware, plugins.Estimates):
            raise InputError("option budget", f"target {self.profile.name} does not estimate what networks cost")
        found = self.hardware.estimate(reduced(network), self.profile, self.options)
        if budget.name not in found:
            raise InputError(
                f"option budget={budget.text}",
                f"names nothing that target {self.profile.name} estimates",
                f"It estimates: {', '.join(sorted(found))}",
            )
        return float(found[budget.name])

    def cost(self, network: Network, budget: Budget) -> float:
        """What it costs, measured where the target can, else estimated."""
        if isinstance(self.hardware, plugins.Measures):
            try:
                found = self.hardware.measure(reduced(network), self.profile, self.options)
            except MissingTool:
                found = {}
            if budget.name in found:
                return float(found[budget.name])
        return self.estimate(network, budget)


@dataclass(frozen=True, eq=False)
class Allocator:
    """Chooses for a model, again and again with another limit.

    Parameters
    ----------
    found : the layers with the choices that may be the best under some limit. measured : with all choices.
    costs, pairs : as of `best_choices`.
    cost : of a whole network, as the target estimates it. input_bits : of the network's input.
    full_range : of its weights, as of `stand_in`.
    """

    found: Distortion
    measured: Distortion
    costs: list[Any]
    pairs: list[Any]
    cost: Cost
    input_bits: int
    full_range: bool = False

    @classmethod
    def of(
        cls,
        mlp: Mlp,
        data: Dataset,
        cost: Cost,
        *,
        weight_bits: Sequence[int] = WEIGHT_BITS,
        fan_in: Sequence[int] = FAN_IN,
        act_bits: Sequence[int] = ACT_BITS,
        input_bits: int = _INPUT_BITS,
        seed: int = 0,
        full_range: bool = False,
    ) -> Allocator:
        """Measure a model's layers, and ask what they cost."""
        measured = distortion(mlp, data.x, weight_bits, fan_in, act_bits, seed)
        layers, costs = [], []
        for layer in measured.layers:
            each = LayerCost(cost, layer, input_bits, full_range).of(layer.choices)
            kept = _undominated(each, layer.distortion, _MOST_CHOICES)
            layers.append(layer.of(kept))
            costs.append(each[kept])
        found = replace(measured, layers=tuple(layers))
        return cls(found, measured, costs, paired(found), cost, input_bits, full_range)

    def spread(self, count: int) -> list[tuple[Choice, ...]]:
        """The best choices under so many limits, from little more than the cheapest to the finest, each once."""
        ends = [
            self._stand_in_cost(self._choices([int(pick(each)) for each in self.costs]))
            for pick in (np.argmin, np.argmax)
        ]
        low, high = max(ends[0], 1e-9) * 1.1, max(*ends, ends[0] * 1.2)
        return list(dict.fromkeys(self.best(float(limit))[0] for limit in np.geomspace(low, high, count)))

    def best(self, limit: float) -> tuple[tuple[Choice, ...], float]:
        """The choice of each layer with which a stand-in costs at most `limit`, or else the least that was found; and
        what it costs."""
        own = [layer.distortion for layer in self.found.layers]
        cheapest = tuple(int(np.argmin(each)) for each in self.costs)
        least = self._choices(cheapest)
        lowest = self._stand_in_cost(least)
        summed = sum(float(each.min()) for each in self.costs)
        if lowest >= limit:
            return least, lowest
        room, kept, cost = limit - lowest, least, lowest
        for _ in range(_ROUNDS):
            places = best_choices(self.costs, own, self.pairs, summed + room)
            if places is None:
                break
            choices = self._choices(places)
            cost = self._stand_in_cost(choices)
            if cost <= limit:
                return choices, cost
            room *= _MARGIN * max((limit - lowest) / (cost - lowest), 0.5)
        return kept, lowest

    def _choices(self, places: Sequence[int]) -> tuple[Choice, ...]:
        return tuple(layer.choices[place] for layer, place in zip(self.found.layers, places, strict=True))

    def _stand_in_cost(self, choices: Sequence[Choice]) -> float:
        weights = tuple(each.weight_bits for each in choices)
        acts = tuple(each.input_bits for each in choices[1:])
        limits = tuple(each.fan_in for each in choices)
        network = stand_in_of(self.found.mlp, weights, acts, self.input_bits, fan_in=limits, full_range=self.full_range)
        return self.cost(network)

    def options(self, choices: Sequence[Choice]) -> dict[str, Any]:
        """The choices as options of the quantized form."""
        names = [layer.name for layer in self.found.layers]
        acts: list[int | None] = [*(each.input_bits for each in choices[1:]), None]
        bits = {name: (each.weight_bits, act) for name, each, act in zip(names, choices, acts, strict=True)}
        limits = {name: each.fan_in for name, each in zip(names, choices, strict=True) if each.fan_in != ALL}
        return {"layer_bits": bits, **({"fan_in": limits} if limits else {})}


def _undominated(costs: Any, values: Any, most: int) -> list[int]:
    """Positions of what nothing else beats in both, cheapest first; if there are more than `most`, those evenly spread
    among them, both ends included."""
    kept: list[int] = []
    for place in np.lexsort((values, costs)):
        if not kept or values[place] < values[kept[-1]]:
            kept.append(int(place))
    if len(kept) > most:
        kept = [kept[round(place)] for place in np.linspace(0, len(kept) - 1, most)]
    return kept


def convert_within(
    budget: Budget,
    mlp: Mlp,
    data: Dataset | None,
    converter: plugins.Converter,
    declared: Sequence[Option],
    options: Mapping[str, Any],
    part: Part,
    progress: plugins.Progress,
    announce: Callable[[str], None],
) -> plugins.Conversion:
    """Convert `mlp` so that it costs at most the budget on a part, with the least that the model's outputs move.

    Parameters
    ----------
    declared, options : of the form; what the user gave of bits and of inputs is kept, the rest is chosen.

    Raises
    ------
    InputError : the form has no bits of layers to choose, data is missing, or the target has no such cost.
    CheckFailed : nothing within the budget was found; says the least that was.
    """
    stated = {each.name: each.meant(options[each.name]) for each in declared if options.get(each.name) is not None}
    _require(budget, declared, stated, data)
    symmetric = _SYMMETRIC if any(each.name in _SYMMETRIC for each in declared) else {}
    assert data is not None
    announce(f"choosing bits and inputs of layers for {budget.text}")
    mlp = mlp.without_tail()
    allocator = Allocator.of(
        mlp,
        data,
        lambda network: part.estimate(network, budget),
        weight_bits=_given(stated, "weight_bits", WEIGHT_BITS),
        fan_in=FAN_IN,
        act_bits=_given(stated, "act_bits", ACT_BITS),
        input_bits=stated.get("input_bits", _INPUT_BITS),
        seed=stated.get("seed", 0),
        full_range=stated.get("weight_range") == "full",
    )
    limit, least = budget.limit, np.inf
    for _ in range(_TRAININGS):
        choices, expected = allocator.best(limit)
        if expected > limit and least < np.inf:
            break
        if expected > 2 * budget.limit:  # no training brings a network to half of what its shape costs
            least = min(least, expected)
            break
        announce(f"training with {_said(allocator, choices)}")
        own = {**symmetric, **{name: value for name, value in options.items() if name != "bits"}}
        conversion = converter.convert(mlp, data, {**own, **allocator.options(choices)}, progress)
        cost = part.cost(conversion.network, budget)
        if cost <= budget.limit:
            note = f"{budget.text}: {_figure(cost)} with {_said(allocator, choices)}"
            return replace(conversion, notes=(note, *conversion.notes))
        least = min(least, cost)
        limit *= _MARGIN * budget.limit / cost
    problem = f"cannot be met: the least that was reached is {_figure(least)}"
    raise CheckFailed(f"option budget={budget.text}", problem, "Allow more, or train a smaller model")


def _figure(cost: float) -> str:
    """Microseconds and the like are far below 1: as many digits as tell them from a limit."""
    return f"{cost:,.0f}" if cost >= 100 else f"{cost:,.4g}"


def _require(budget: Budget, declared: Sequence[Option], options: Mapping[str, Any], data: Dataset | None) -> None:
    where = f"option budget={budget.text}"
    if not {"layer_bits", "fan_in"} <= {option.name for option in declared}:
        raise InputError(where, "the form has no bits and inputs of layers to choose", "Use --to quantized")
    for name in ("layer_bits", "fan_in", "encode", "neurons"):
        if options.get(name, "linear") != "linear":
            raise InputError(where, f"chooses for all layers, and option {name} is given too", "Leave one of them out")
    if data is None:
        raise InputError("data", "is needed: a budget is kept by training", "Pass samples with --data")


def _given(options: Mapping[str, Any], name: str, otherwise: Sequence[int]) -> Sequence[int]:
    """What the user says of bits, alone or of all; else what may be chosen."""
    for each in (name, "bits"):
        if each in options:
            return (int(options[each]),)
    return otherwise


def _said(allocator: Allocator, choices: Sequence[Choice]) -> str:
    """The choices in words."""
    parts = []
    for layer, choice in zip(allocator.found.layers, choices, strict=True):
        inputs = "all inputs" if choice.fan_in == ALL else f"{choice.fan_in} inputs"
        of_bits = f" of {choice.input_bits} bits" if choice.input_bits else ""
        parts.append(f"{layer.name} {choice.weight_bits} bits, {inputs}{of_bits}")
    return "; ".join(parts)
