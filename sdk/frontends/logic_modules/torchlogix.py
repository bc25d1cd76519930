"""Modules of the package torchlogix 0.2, as they answer in evaluation."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ...network.layers.logic import MOST_LOGIC_INPUTS
from .parts import Comparisons, Functions, Part, Sums, array, refused

__all__ = ["holds", "part"]

PACKAGE = "torchlogix"
_FUNCTIONS, _SUMS, _NOTHING = "LogicDense", "GroupSum", "DummyBinarization"
_COMPARISONS = ("FixedBinarization", "SoftBinarization", "LearnableBinarization")


def holds(module: Any) -> bool:
    """Whether one of its modules is of the package."""
    return PACKAGE in sys.modules and any(_is_own(each) for each in module.modules())


def part(module: Any, where: str) -> Part | None:
    """What a module is; None if it passes its input on. InputError for what edgeml does not read."""
    name = type(module).__name__
    if not _is_own(module) or name not in (_FUNCTIONS, _SUMS, _NOTHING, *_COMPARISONS):
        raise refused(where, f"is a {name}, which is not read")
    if name == _NOTHING:
        return None
    if name == _SUMS:
        shift = float(module.beta)
        if shift != round(shift):
            raise refused(where, f"adds beta = {shift:g} to whole numbers", "Use a whole number; it decides nothing")
        return Sums(int(module.k), float(module.tau), int(shift))
    if name in _COMPARISONS:
        if module.feature_dim != -2:
            raise refused(where, f"puts its bits along dimension {module.feature_dim}", "Use feature_dim=-2")
        return Comparisons(np.atleast_2d(array(module.get_thresholds()).astype(np.float64)))
    return _functions(module, where)


def _is_own(module: Any) -> bool:
    return type(module).__module__.partition(".")[0] == PACKAGE


def _functions(module: Any, where: str) -> Functions:
    """Wires as the layer resolves them; tables are its own answers to all combinations of its inputs."""
    import torch

    fan_in, functions = int(module.lut_rank), int(module.out_dim)
    if not 1 <= fan_in <= MOST_LOGIC_INPUTS:
        raise refused(where, f"has functions of {fan_in} inputs; edgeml takes up to {MOST_LOGIC_INPUTS}")
    wires = module.connections
    chosen = wires.resolve_connections() if hasattr(wires, "resolve_connections") else wires.indices
    combinations = torch.arange(1 << fan_in)[:, None] >> torch.arange(fan_in) & 1
    inputs = combinations.to(module.weight)[:, :, None].expand(-1, -1, functions)
    with torch.no_grad():
        answers = array(module.parametrization.forward(inputs, module.weight, False, contraction="n,bn->bn")).T
    if not np.all((answers == 0) | (answers == 1)):
        raise refused(where, "answers other than 0 and 1", "Train it to the end: its tables hold NaN or infinity")
    return Functions(array(chosen).T.astype(np.int64), answers == 1, int(module.in_dim))
