"""Inputs as bits in the int8 form: the file takes the bits, one int8 value of 0 or 1 each; whoever runs it makes them.

No operator of the runtimes takes bits of a number apart exactly. So the file begins behind the encoding, and says so in
its description and its metadata; the bundle's network, and all C and hardware made of it, take the features as they
are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.data.dataset import Dataset
from edgeml.errors import InputError, NetworkError
from edgeml.frontends.float_operators.encode import VALUE
from edgeml.frontends.float_operators.encode import Encode as FloatEncode
from edgeml.frontends.mlp import Mlp
from edgeml.network import Encode, InputQuantizer, Node
from edgeml.verification.stated_encoding import encoding_fields, encoding_from_fields

__all__ = ["EncodedInput", "encoded_input", "taken_apart"]

Floats = npt.NDArray[np.float64]

_MOST_VALUES = 2**27
"""Of all samples together, as they are expanded for calibration and training."""
_FIELDS = ("bits", "scale", "offset", "source", "rule", "operand", "inputs")


@dataclass(frozen=True, eq=False)
class EncodedInput:
    """What stands before the file: the quantizer of the features, and the layer that makes bits of their integers."""

    quantizer: InputQuantizer
    layer: Encode

    @property
    def nodes(self) -> tuple[Node, Node]:
        """The first nodes of the network."""
        return Node("input", self.quantizer), Node("encode", self.layer, ("input",))

    def features(self, x: npt.NDArray[Any]) -> Floats:
        """What the file takes, float64 [samples, bits], for features x [samples, features] in the user's units."""
        return self.layer.evaluate(self.quantizer.quantize(x)).astype(np.float64)

    def dataset(self, data: Dataset) -> Dataset:
        """The data as the file takes it; of many samples, some, evenly."""
        step = -(-len(data.x) * self.layer.outputs // _MOST_VALUES)
        y = None if data.y is None else data.y[::step]
        return replace(data, x=self.features(data.x[::step]), y=y, x_test=data.x_test[:0], y_test=None)

    @property
    def said(self) -> str:
        """A sentence for the file and its user."""
        bits, features = self.layer.outputs, self.layer.inputs
        return f"its input is {bits} values of 0 and 1, made of {features} features as layer encode of the network says"

    def as_json(self) -> dict[str, Any]:
        """For the metadata."""
        quantizer = self.quantizer
        integers = {"bits": quantizer.bits, "scale": quantizer.scale.tolist(), "offset": quantizer.offset.tolist()}
        return {**integers, **encoding_fields(self.layer)}


def taken_apart(mlp: Mlp) -> tuple[EncodedInput, Mlp] | None:
    """An encoding right behind the input, scaled and shifted before at most, and the model behind it; None without one.

    InputError where something else takes the input too, or an output of the encoding is not 0 or 1.
    """
    scale, shift, last = np.ones(mlp.input_size), np.zeros(mlp.input_size), "input"
    while len(users := mlp.consumers(last)) == 1 and (found := users[0].operator.scale_and_shift) is not None:
        scale, shift, last = scale * found[0], shift * found[0] + found[1], users[0].name
    encodings = [node for node in users if isinstance(node.operator, FloatEncode)]
    if not encodings:
        return None
    (node,), operator = encodings[:1], encodings[0].operator
    assert isinstance(operator, FloatEncode)
    if len(users) > 1 or np.any(scale <= 0):
        raise InputError(node.where, "is not the only one that takes the input", "Encode all features in one place")
    if np.any(operator.rule == VALUE):
        raise InputError(
            "option encode",
            "leaves features as whole numbers beside bits, and an int8 input has one scale for all",
            "Encode all features, as thermometer:N for example, or use --to quantized",
        )
    layer = operator.integer_layer()
    assert isinstance(layer, Encode)
    quantizer = InputQuantizer(
        mlp.input_size, operator.scale / scale, (operator.offset - shift) / scale, 0, operator.bits, False
    )
    position = mlp.nodes.index(node)
    rest = [
        replace(each, inputs=tuple("input" if name == node.name else name for name in each.inputs))
        for each in mlp.nodes[position + 1 :]
    ]
    inner = Mlp(mlp.name, operator.outputs, tuple(rest), mlp.final, mlp.labels, mlp.task)
    return EncodedInput(quantizer, layer), inner


def encoded_input(stated: Any, size: int) -> EncodedInput | None:
    """What a file's metadata states of its input, None for nothing; InputError where it cannot be, or is not of `size`
    values."""
    if stated is None:
        return None
    where = "metadata, encoded input"
    if not isinstance(stated, Mapping) or set(stated) != set(_FIELDS):
        raise InputError(where, f"must have the fields {', '.join(_FIELDS)}")
    try:
        layer = encoding_from_fields(stated)
        scale, offset = (np.array(stated[name]) for name in ("scale", "offset"))
        quantizer = InputQuantizer(layer.inputs, scale, offset, 0, stated["bits"], False)
    except (NetworkError, ValueError, TypeError, OverflowError) as error:
        raise InputError(where, f"is not sound ({error})") from error
    if layer.outputs != size:
        raise InputError(where, f"makes {layer.outputs} values; the file takes {size}")
    return EncodedInput(quantizer, layer)
