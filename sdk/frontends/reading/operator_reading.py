"""Which of the meanings of an operator holds: that of layers, or that of functions of single features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .builder import MlpBuilder
from .feature_functions import FeatureFunctions, NotOfTheInput
from .input_functions import settled
from .value import NotAnMlp, TooLarge, first_that_reads

__all__ = ["read_operator"]


def read_operator(
    ordinary: Sequence[Any],
    encoding: Any,
    call: Callable[[Any, dict[Any, Any]], Any],
    builder: MlpBuilder,
    given: Mapping[Any, Any],
) -> Any:
    """What an operator gives.

    Functions of features are asked for their own meaning of it first, and become the signal of a layer where there is
    none. Signals keep the ordinary meaning; where that refuses, and the signal is the model's input, it is taken as
    functions of its features.

    Parameters
    ----------
    ordinary : the readers for signals and constants.
    encoding : the reader for functions of features, or None.
    call : applies a reader to what it takes.
    given : what the operator takes, by name or position.
    """
    refusal: NotAnMlp | None = None
    functions = any(_holds_functions(value) for value in given.values())
    if functions and encoding is not None:
        try:
            return call(encoding, dict(given))
        except TooLarge:
            raise
        except NotAnMlp as error:
            refusal = error
    if ordinary:
        try:
            plain = {key: settled(builder, value) for key, value in given.items()} if functions else dict(given)
            return first_that_reads(ordinary, lambda reader: call(reader, plain))
        except TooLarge:
            raise
        except NotAnMlp as error:
            refusal = refusal if refusal is not None and not isinstance(refusal, NotOfTheInput) else error
    if not functions and encoding is not None:
        try:
            return call(encoding, dict(given))
        except TooLarge:
            raise
        except NotOfTheInput as error:
            refusal = refusal or error
        except NotAnMlp as error:
            refusal = error
    raise refusal or NotAnMlp("this operator is not supported")


def _holds_functions(value: Any) -> bool:
    if isinstance(value, list):
        return any(_holds_functions(entry) for entry in value)
    return isinstance(value, FeatureFunctions)
