"""What a stage's constants mean to its C, whatever they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["THRESHOLDS", "WEIGHTS", "Arrays", "Ints", "Meaning", "Part", "signed", "unsigned"]

Ints = npt.NDArray[np.int64]
Arrays = Mapping[str, Ints]
"""The elements of constant arrays by their names, flat, as their C types read them."""

WEIGHTS, THRESHOLDS = "weights", "thresholds"


@dataclass(frozen=True, eq=False)
class Part:
    """Elements of an array.

    Parameters
    ----------
    array : its name.
    where : `weights` (weights and biases), `thresholds` (thresholds, and the lines that stand for them), or "" for
        elements in which a flip is not followed.
    elements : bool, flat; None for all.
    reason : why a flip is not followed.
    """

    array: str
    where: str
    elements: npt.NDArray[np.bool_] | None = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Meaning:
    """The integers of a stage as a function of its constants.

    Parameters
    ----------
    evaluate : of the constants and the stored integers [samples, padded] of the stage's one input: the stored
        integers [samples, at least the output's size] that the C writes, for every content of the constants, and also
        for inputs beyond what the layer before gives. Elements behind the output's size are its padding; where they are
        left out, the C writes zeros.
    parts : what the constants are.
    decoded : of the constants, arrays by what one calls their elements (`weight` [channels, inputs], `bias` [channels],
        `threshold` [channels, levels] …), to name what a flip changes.
    """

    evaluate: Callable[[Arrays, Ints], Ints]
    parts: tuple[Part, ...] = ()
    decoded: Callable[[Arrays], Mapping[str, Ints]] = field(default=lambda arrays: {})


def signed(values: Ints, bits: int = 32) -> Ints:
    """The lowest bits of integers, read in two's complement."""
    half = np.int64(1) << (bits - 1)
    return ((values & ((half << 1) - 1)) ^ half) - half


def unsigned(values: Ints, bits: int = 32) -> Ints:
    """The lowest bits of integers, read as they are."""
    return values & ((np.int64(1) << bits) - 1)
