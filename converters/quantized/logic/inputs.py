"""Features as bits: what stands before the first layer of Boolean functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.input_encoding import THERMOMETER, FeatureEncoding, input_columns
from edgeml.network import Encode, InputQuantizer

__all__ = ["LEVELS", "LogicInputs", "logic_inputs"]

LEVELS = 3
"""Of each feature for which no encoding is asked for."""


@dataclass(frozen=True, eq=False)
class LogicInputs:
    """The quantizer of the features, and the bits made of its integers."""

    quantizer: InputQuantizer
    encode: Encode

    def only(self, bits: npt.NDArray[np.intp]) -> LogicInputs:
        """With these bits alone, in this order."""
        encode = self.encode
        kept = Encode(encode.source[bits], encode.rule[bits], encode.operand[bits], encode.inputs)
        return replace(self, encode=kept)


def logic_inputs(x: npt.NDArray[Any], encodings: tuple[FeatureEncoding, ...], bits: int) -> LogicInputs:
    """The bits of features whose samples are x [samples, features]: by `encodings`, and for features not named there
    by thermometers of `LEVELS` levels at quantiles. A bit that is the same in all samples is left out.

    Raises
    ------
    InputError : a feature is named that there is not, or twice; or no bit differs between samples.
    """
    features = x.shape[1]
    columns = input_columns(np.asarray(x, np.float64), _of_all(encodings, features), bits)
    source, rule = columns.source.astype(np.int32), columns.rule.astype(np.int32)
    encode = Encode(source, rule, np.ceil(columns.operand).astype(np.int32), features)
    scale, offset = (_shortened(values) for values in (columns.scale, columns.offset))
    inputs = LogicInputs(InputQuantizer(features, scale, offset, 0, bits, False), encode)
    seen = encode.evaluate(inputs.quantizer.quantize(x))
    differing = np.flatnonzero(seen.min(axis=0) != seen.max(axis=0))
    if not differing.size:
        raise InputError("data, x", "holds the same sample again and again", "Give samples that differ")
    return inputs.only(differing)


def _of_all(encodings: tuple[FeatureEncoding, ...], features: int) -> tuple[FeatureEncoding, ...]:
    """`encodings`, and a thermometer for all features that they do not name."""
    if any(not encoding.features for encoding in encodings):
        return encodings
    named = {feature for each in encodings for first, last in each.features for feature in range(first, last + 1)}
    rest = tuple((feature, feature) for feature in range(features) if feature not in named)
    return (*encodings, FeatureEncoding(rest, THERMOMETER, LEVELS)) if rest else encodings


def _shortened(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """One value where all are the same."""
    return values[:1].copy() if np.all(values == values[0]) else values
