"""What a module of a logic network can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError

__all__ = ["Comparisons", "Functions", "Part", "Sums", "array", "refused"]


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Feature f becomes [x_f > thresholds[f, t]] for each t: float64 [features, T], or [1, T] for all features."""

    thresholds: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Functions:
    """Boolean functions: sources int64 [functions, k] of `inputs`, tables bool [functions, 2^k], source 0 lowest."""

    sources: npt.NDArray[np.int64]
    tables: npt.NDArray[np.bool_]
    inputs: int


@dataclass(frozen=True, eq=False)
class Sums:
    """Output o is (Σ of its group + shift) / tau; `order` says which function stands where before groups are made."""

    outputs: int
    tau: float
    shift: int = 0
    order: npt.NDArray[np.int64] | None = None
    padded: bool = False


Part = Comparisons | Functions | Sums


def array(values: Any) -> npt.NDArray[Any]:
    """A tensor as an array."""
    return np.asarray(values.detach().cpu().numpy())


def refused(where: str, problem: str, remedy: str = "") -> InputError:
    """The error for a module that a network of bits, functions and sums cannot have."""
    return InputError(where, problem, remedy or "edgeml reads logic networks of bits, Boolean functions and group sums")
