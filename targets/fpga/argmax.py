"""The class that a design gives beside its results: that it is the golden one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed

from .interface import Interface

__all__ = ["check_classes"]


def check_classes(interface: Interface, outputs: npt.NDArray[np.int32], classes: npt.NDArray[Any]) -> None:
    """Hold the classes that hardware gave [samples] against those of its outputs [samples, outputs].

    The outputs themselves are held against the golden simulator by whoever runs the hardware: if both are right,
    the classes are golden. Raises CheckFailed naming the first frame whose class is another.
    """
    expected = interface.classes_of(outputs)
    if len(classes) != len(expected):
        raise CheckFailed("argmax unit", f"gave {len(classes)} classes for {len(expected)} frames")
    wrong = np.flatnonzero(np.asarray(classes).astype(np.int64) != expected)
    if len(wrong):
        first = int(wrong[0])
        raise CheckFailed("argmax unit", f"frame {first}: class {int(classes[first])}, expected {int(expected[first])}")
