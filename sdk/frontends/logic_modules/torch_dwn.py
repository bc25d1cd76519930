"""Modules of the package torch-dwn 1.0. Its kernels run on CUDA alone: they are read by what they are written to do,

address = Σ_j [x[mapping[o, j]] > 0] << j,   y[o] = [luts[o, address] > 0]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ...network.layers.logic import MOST_LOGIC_INPUTS
from .parts import Functions, Part, Sums, array, refused

__all__ = ["holds", "part"]

PACKAGE = "torch_dwn"
_FUNCTIONS, _SUMS = "LUTLayer", "GroupSum"


def holds(module: Any) -> bool:
    """Whether one of its modules is of the package."""
    return PACKAGE in sys.modules and any(_is_own(each) for each in module.modules())


def part(module: Any, where: str) -> Part | None:
    """What a module is. InputError for what edgeml does not read."""
    name = type(module).__name__
    if not _is_own(module) or name not in (_FUNCTIONS, _SUMS):
        raise refused(where, f"is a {name}, which is not read")
    if name == _SUMS:
        order = None if module.randperm is None else array(module.randperm).astype(np.int64)
        return Sums(int(module.k), float(module.tau), order=order, padded=True)
    if not module.ste:
        raise refused(where, "answers real numbers (ste=False)", "Train it with ste=True")
    fan_in, functions = int(module.n), int(module.output_size)
    if fan_in > MOST_LOGIC_INPUTS:
        raise refused(where, f"has functions of {fan_in} inputs; edgeml takes up to {MOST_LOGIC_INPUTS}")
    mapping = module.mapping
    chosen = array(mapping.weights.argmax(dim=0)) if hasattr(mapping, "weights") else array(mapping)
    tables = array(module.luts)
    if not np.all(np.isfinite(tables)):
        raise refused(where, "holds NaN or infinity in its tables", "Train it again")
    return Functions(chosen.reshape(functions, fan_in).astype(np.int64), tables > 0, int(module.input_size))


def _is_own(module: Any) -> bool:
    return type(module).__module__.partition(".")[0] == PACKAGE
