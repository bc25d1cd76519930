"""The array libraries that an operator computes with: numpy and torch, whose functions have the same names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import elementary

__all__ = ["NUMPY", "REPRODUCIBLE", "ArrayLibrary", "torch_arrays"]


@dataclass(frozen=True)
class ArrayLibrary:
    """One of the libraries.

    Parameters
    ----------
    functions : numpy or torch itself, for functions that both have under one name and with the same arguments: clip,
        tanh, exp, where, concatenate, maximum and others.
    sigmoid : 1 / (1 + exp(−x)), which numpy does not have.
    erf : 2/√π · ∫₀ˣ exp(−t²) dt, which numpy does not have either.
    """

    functions: Any
    sigmoid: Callable[[Any], Any]
    erf: Callable[[Any], Any]


def _sigmoid(x: Any) -> Any:
    """0 where exp(−x) passes float64."""
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-x)))


NUMPY = ArrayLibrary(np, _sigmoid, elementary.erf)
REPRODUCIBLE = ArrayLibrary(elementary, elementary.sigmoid, elementary.erf)
"""numpy arrays, and functions that every processor rounds alike: what thresholds and tables are made with."""


def torch_arrays() -> ArrayLibrary:
    """Torch, which is imported here."""
    import torch

    return ArrayLibrary(torch, torch.sigmoid, torch.erf)
