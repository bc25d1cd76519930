"""The answer of a network: the one place where output integers become classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from .golden import argmax
from .network import Network, Output
from .task import BINARY, VALUES, task_of

__all__ = ["decision_rule", "decisions"]


def decisions(what: Network | Output, y: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The class of each sample, int64 [samples], from output integers y [samples, outputs].

    Of a network for classes: the index of the largest output, ties to the lowest index. Of a binary one: 1 if
    y > threshold, else 0. Raises InputError for a network that gives values, and for y of another shape.
    """
    output = what.output if isinstance(what, Network) else what
    y = np.asarray(y)
    if y.ndim != 2 or (isinstance(what, Network) and y.shape[1] != what.output_size):
        raise InputError("outputs", f"must be [samples, outputs], found shape {list(y.shape)}")
    task = task_of(output.task, y.shape[1], len(output.labels))
    if task == VALUES:
        raise InputError("network", "gives values, not classes", "Use its real outputs")
    if task == BINARY:
        if y.shape[1] != 1:
            raise InputError("outputs", f"of a binary network must be [samples, 1], found {list(y.shape)}")
        return (y[:, 0].astype(np.int64) > output.decision_threshold).astype(np.int64)
    return argmax(y)


def decision_rule(network: Network) -> str:
    """A phrase for people: what the network's answer is, and by which rule."""
    if network.task == VALUES:
        many = "s" if network.output_size > 1 else ""
        return f"values: {network.output_size} real number{many}"
    if network.task == BINARY:
        one = network.output.labels[1] if network.output.labels else "1"
        return f"binary: class {one} where the output integer is above {network.output.decision_threshold}"
    return f"classes: the largest of {network.output_size} outputs, the first of equals"
