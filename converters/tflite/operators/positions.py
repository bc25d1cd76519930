"""Which inputs each position of a window takes: asked of the reading of float files, whose operators say the same."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.float_operators.operator import FloatOperator
from edgeml.frontends.reading.builder import MlpBuilder
from edgeml.frontends.reading.value import NotAnMlp, Signal

from ..float_files import layers
from ..float_files.applied import OPERATORS, Applied
from .operator import Found

__all__ = ["gathering"]

_REGISTERED = layers

Kind = TypeVar("Kind", bound=FloatOperator)


def gathering(found: Found, kind: type[Kind], *constants: npt.NDArray[Any]) -> Kind:
    """The float operator of that kind that the file's operator is on real numbers, with `constants` behind its input.

    InputError if it takes no tensor of that shape, or moves values further than channels last.
    """
    shape = found.tensors.shape(found.indices[0])
    try:
        builder = MlpBuilder([1, *shape[1:]])
        x = builder.tanh(builder.input)  # any operator: sums of a model's own input are not read
        value = OPERATORS[found.kind](Applied(builder, found.kind, [x, *constants], found.options))
    except NotAnMlp as error:
        raise InputError(found.where, error.problem, error.remedy) from error
    assert isinstance(value, Signal)
    name = value.node
    while name != x.node and not isinstance(builder.node(name).operator, kind):
        (name,) = builder.node(name).inputs
    operator = builder.node(name).operator
    in_order = np.array_equal(value.places.ravel(), np.arange(value.size))
    if not isinstance(operator, kind) or not in_order or value.size != found.target.size:
        raise InputError(found.where, f"gives {value.text}, and its tensor has {found.target.size} values")
    return operator
