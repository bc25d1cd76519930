"""What a search tries first: designs given by hand, and where the front is expected before anything is trained."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..allocation.untrained_models import stand_in_of
from ..allocation.within_budget import ACT_BITS, Allocator
from ..frontends.mlp import Mlp
from ..judging.scores import answers_of
from ..network import Network
from .candidate import Candidate, parse_baseline
from .objectives import budgets, quality
from .settings import Settings
from .space import Space
from .trial import FLOAT_SLACK, Problem, estimates

__all__ = ["Start", "start_of", "uniform"]

_FIRST_SHAPES = (((64, 32), 2), ((32, 16), 2), ((16,), 3), ((32,), 4))
"""Where a search of the family begins, with bits, on FPGAs at `_FIRST_HARDWARE`."""
_FIRST_HARDWARE = "folded-256"
_FIRST_BUDGETS = 6
"""Under so many limits of the first cost, what is best for a given model is tried first."""
_BITS = 2
"""Bits of the network by which ways to arrange it are compared."""


@dataclass(frozen=True, eq=False)
class Start:
    """Where a search begins.

    Parameters
    ----------
    settings, space, problem : of the search.
    allocator : what chooses bits and inputs of a given model's layers under limits of the first cost, on the first
        part; None for the family, and where no target estimates that cost.
    hardware : where the part is an FPGA, how first candidates are arranged: a name such as `folded-256`.
    input_bits : of first candidates.
    """

    settings: Settings
    space: Space
    problem: Problem
    allocator: Allocator | None
    hardware: str
    input_bits: int

    @cached_property
    def candidates(self) -> list[Candidate]:
        """Designs given by hand, then the best allocations under several limits, or a few shapes; each once."""
        found = []
        for text in self.settings.baselines:
            found += [replace(each, baseline=True) for each in self.space.uniform(*parse_baseline(text))]
        if self.space.layer_sizes is None:
            return [*found, *self._shapes()]
        found += self._allocated(self.allocator) if self.allocator is not None else uniform(self.space)
        return list({json.dumps(each.as_json()): each for each in found}.values())

    def _shapes(self) -> list[Candidate]:
        space, found = self.space, []
        for hidden, bits in _FIRST_SHAPES:
            near = min(space.bits, key=lambda each: (abs(each - bits), each))
            fitting = tuple(min(space.widths, key=lambda each: (abs(each - width), each)) for width in hidden)
            found += space.uniform(fitting[: space.depth], near, self.hardware)
        return found

    def _allocated(self, allocator: Allocator) -> list[Candidate]:
        found = []
        for choices in allocator.spread(_FIRST_BUDGETS):
            weights, acts = [each.weight_bits for each in choices], [each.input_bits for each in choices[1:]]
            limits = [each.fan_in for each in choices]
            found += [
                each if each.form == "tflite" else replace(each, input_bits=self.input_bits)
                for each in self.space.allocated((), weights, acts, self.hardware, limits)
            ]
        return found


def uniform(space: Space) -> list[Candidate]:
    """Every width of bits for all layers of a given model."""
    return [each for bits in space.bits for each in space.uniform((), bits, _FIRST_HARDWARE)]


def start_of(settings: Settings, space: Space, problem: Problem) -> Start:
    """Measures a given model's layers, and asks the first part what they cost there."""
    if problem.mlp is None:
        return Start(settings, space, problem, None, _FIRST_HARDWARE, space.input_bits[-1])
    bits = _input_bits(problem, problem.mlp, space)
    name = problem.objectives[1]
    try:
        hardware = _cheapest(space, problem, bits)
        first = space.uniform((), space.bits[0], hardware)[0]

        def cost(network: Network) -> float:
            return estimates(problem, network, first, measured=False)[name]

        allocator = Allocator.of(
            *(problem.mlp, problem.data, cost),
            weight_bits=[each for each in space.bits if each > 1] or list(space.bits),
            act_bits=[each for each in ACT_BITS if each in space.bits] or list(space.bits),
            input_bits=bits,
            seed=settings.seed,
            full_range=problem.full_range,
        )
    except KeyError:  # only what is built and run tells this cost
        return Start(settings, space, problem, None, _FIRST_HARDWARE, bits)
    return Start(settings, space, problem, allocator, hardware, bits)


def _input_bits(problem: Problem, mlp: Mlp, space: Space) -> int:
    """The fewest with which the float model answers as well as ever, each feature on as many levels of its range."""
    x, y = problem.data.x_test, problem.data.y_test
    assert y is not None
    name = problem.objectives[0]
    enough = quality(answers_of(mlp, x), y)[name] - FLOAT_SLACK
    low, high = problem.data.x.min(axis=0), problem.data.x.max(axis=0)
    for bits in space.input_bits:
        step = np.maximum(high - low, 1e-12) / (2**bits - 1)
        rounded = (np.rint((np.clip(x, low, high) - low) / step) * step + low).astype(x.dtype)
        if quality(answers_of(mlp, rounded), y)[name] >= enough:
            return bits
    return space.input_bits[-1]


def _cheapest(space: Space, problem: Problem, input_bits: int) -> str:
    """The way to arrange the model on the first part that costs least of the first cost, of those that break no
    constraint if there are such; one between all where other costs count too. KeyError where that is not estimated."""
    assert problem.mlp is not None
    layers = len(problem.mlp.linears)
    network = stand_in_of(
        problem.mlp, (_BITS,) * layers, (_BITS,) * (layers - 1), input_bits, full_range=problem.full_range
    )
    profile = next(iter(problem.profiles.values()))
    if profile.kind != "fpga" or len(problem.objectives) > 2:
        return _FIRST_HARDWARE
    found = []
    for name in space.hardware(()):
        candidate = space.uniform((), space.bits[0], name)[0]
        known = estimates(problem, network, candidate, measured=False)
        broken = max((each.violation(known, budgets(profile)) for each in problem.constraints), default=0.0)
        found.append((max(broken, 0.0), known[problem.objectives[1]], name))
    return min(found)[2]
