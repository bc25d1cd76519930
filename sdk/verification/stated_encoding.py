"""What a file that begins behind an encoding of the input says of it: enough to make its bits without edgeml."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import CheckFailed, NetworkError
from ..network import Encode, Network

__all__ = [
    "ENCODING_STATEMENT",
    "encoding_fields",
    "encoding_from_fields",
    "encoding_from_json",
    "stated_encoding",
    "statement",
]

ENCODING_STATEMENT = "edgeml.encoded_input"
"""The key of the statement in a file's metadata."""

_LONGEST = 2**28
_MOST_OUTPUTS = 2**24
_ARRAYS = ("source", "rule", "operand")
_EQUATIONS = (
    "output j of an input x = q[source[j]] of the integers q, by rule[j] with o = operand[j]: "
    "1: (x >> o) & 1; 2: 1 if x >= o else 0; 3: 1 if x == o else 0"
)


def stated_encoding(network: Network) -> Encode | None:
    """The layer right behind the input that files of other formats begin behind; None if there is none, or if not all
    of its outputs are 0 or 1."""
    first = network.layers[0]
    layer = first.layer
    only = sum(network.nodes[0].name in node.inputs for node in network.layers) == 1
    return layer if isinstance(layer, Encode) and layer.binary and only else None


def encoding_fields(layer: Encode) -> dict[str, Any]:
    """The layer as JSON-able fields."""
    return {**{name: getattr(layer, name).tolist() for name in _ARRAYS}, "inputs": layer.inputs}


def encoding_from_fields(fields: Mapping[str, Any]) -> Encode:
    """The layer of such fields; NetworkError if they are not sound."""
    try:
        lists = {name: fields[name] for name in _ARRAYS}
        if any(not isinstance(each, list) or len(each) > _MOST_OUTPUTS for each in lists.values()):
            raise NetworkError("encoded input", f"must have lists as {', '.join(_ARRAYS)}")
        source, rule, operand = (np.array(each) for each in lists.values())
        return Encode(source, rule, operand, fields["inputs"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise NetworkError("encoded input", f"is not sound ({type(error).__name__}: {error})") from error


def statement(layer: Encode) -> str:
    """The statement as text."""
    return json.dumps({"equations": _EQUATIONS, **encoding_fields(layer)}, sort_keys=True)


def encoding_from_json(text: str, where: str) -> Encode | None:
    """The layer that `text` states, None for no text; CheckFailed naming `where` if it is not sound."""
    if not text:
        return None
    try:
        if len(text) > _LONGEST:
            raise ValueError(f"{len(text)} characters")
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("not an object")
        return encoding_from_fields(values)
    except (NetworkError, ValueError, RecursionError) as error:
        raise CheckFailed(where, f"does not say how its bits are made ({error})", "Convert the model again") from error
