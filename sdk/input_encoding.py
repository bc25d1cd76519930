"""The option `encode`: features of a trained model as bits, as thermometers, or as tables.

The model stays the function that it is, as far as that can be: a weight w of a feature becomes w · 2^k for its bit k,
w · v for the value v of its table, and w times the distance of neighbouring levels for a thermometer. What the new
weights are worth at few bits is for calibration and training to find; a table alone also calibrates to more than a
line (`calibrate.py`), as each of its entries is rounded by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError
from .frontends.float_operators.encode import BIT, EQUAL, LEVEL, VALUE, Encode
from .frontends.mlp import Affine, Linear, Mlp, MlpNode
from .options import Option, Structured
from .options.kinds import shown

__all__ = [
    "BITS",
    "ENCODE",
    "TABLE",
    "THERMOMETER",
    "FeatureEncoding",
    "InputColumns",
    "encode_input",
    "input_columns",
    "read_encodings",
    "stand_in_encoding",
    "takes_encoding",
]

Floats = npt.NDArray[np.float64]

BITS, THERMOMETER, TABLE = "bits", "thermometer", "table"
_MOST_LEVELS = 255
_MOST_FEATURES = 2**24
_MOST_WEIGHTS = 2**26
_EXAMPLE = "Write for example --encode all=bits, or --encode 0-39=bits,40-43=thermometer:16,44=table"


@dataclass(frozen=True)
class FeatureEncoding:
    """How some features enter the network.

    Parameters
    ----------
    features : (first, last) of each range; () for all.
    kind : `bits`, `thermometer` or `table`.
    levels : of a thermometer, 1 to 255.
    """

    features: tuple[tuple[int, int], ...]
    kind: str
    levels: int = 0


def read_encodings(value: Any) -> tuple[FeatureEncoding, ...]:
    """`all=bits`, `0-39=bits,40+42=thermometer:16` or a mapping of the same words; InputError saying what is wrong."""
    if isinstance(value, Mapping):
        entries = [(str(features), kind) for features, kind in value.items()]
    elif isinstance(value, str) and value.strip():
        parts = [part.strip() for part in value.split(",") if part.strip()]
        entries = [(features, kind) for features, _, kind in (part.partition("=") for part in parts)]
    else:
        raise InputError("option encode", f"must be text or a mapping, found {shown(value)}", _EXAMPLE)
    return tuple(_entry(features.strip(), kind) for features, kind in entries)


def _entry(features: str, kind: Any) -> FeatureEncoding:
    where = f"option encode, {shown(features)}"
    if not isinstance(kind, str):
        raise InputError(where, f"must be bits, thermometer:N or table, found {shown(kind)}", _EXAMPLE)
    name, colon, levels = kind.strip().partition(":")
    if name not in (BITS, THERMOMETER, TABLE) or bool(colon) != (name == THERMOMETER):
        raise InputError(where, f"must be bits, thermometer:N or table, found {shown(kind)}", _EXAMPLE)
    count = 0
    if colon:
        if not (levels.isascii() and levels.isdigit() and len(levels) < 9 and 1 <= int(levels) <= _MOST_LEVELS):
            raise InputError(where, f"a thermometer has 1 to {_MOST_LEVELS} levels, found {shown(levels)}", _EXAMPLE)
        count = int(levels)
    return FeatureEncoding(() if features == "all" else _ranges(features, where), name, count)


def _ranges(features: str, where: str) -> tuple[tuple[int, int], ...]:
    found = []
    for part in features.split("+"):
        first, dash, last = part.partition("-")
        ends = (first, last) if dash else (first, first)
        if not all(end.strip().isascii() and end.strip().isdigit() and len(end.strip()) < 9 for end in ends):
            raise InputError(where, "must be all, or features such as 3, 0-39 or 0-7+12", _EXAMPLE)
        low, high = (int(end) for end in ends)
        if low > high:
            raise InputError(where, f"goes from {low} down to {high}", _EXAMPLE)
        found.append((low, high))
    return tuple(found)


def encode_input(mlp: Mlp, x: Floats, encodings: tuple[FeatureEncoding, ...], bits: int) -> tuple[Mlp, str]:
    """The model with an `encode` behind its input (and, if features need it, an affine before that onto its grid), and
    a note for the user ("" if there is none).

    Parameters
    ----------
    mlp : whose input, perhaps normalised first, is taken by linear layers alone.
    x : float64 [samples, features] in the user's units: the grid of each feature, the levels of thermometers and the
        values that tables hold are taken from them.
    bits : of the integers that features become first.

    Raises
    ------
    InputError : something else takes the input, or a feature is named that there is not, or twice.
    """
    taken, normalised, a, c = _normalisation(mlp)
    first = mlp.consumers(normalised)
    for node in first:
        if isinstance(node.operator, Encode):
            raise InputError(
                "option encode", f"the model encodes its input itself ({node.where})", "Leave the option out"
            )
        if not isinstance(node.operator, Linear):
            raise InputError(
                "option encode",
                f"the model's input is taken by {node.where} ({node.operator.kind}), which is not a linear layer",
                "Encode the inputs of models that begin with a linear layer",
            )
    columns = input_columns(x, encodings, bits)
    scale, offset, source, gain = columns.scale, columns.offset, columns.source, columns.gain
    outputs = max(mlp.linears[node.name].weight.shape[0] for node in first)
    if source.size * outputs > _MOST_WEIGHTS:
        raise InputError(
            "option encode",
            f"makes {source.size} inputs of {mlp.input_size} features, and more than {_MOST_WEIGHTS} weights",
            "Use fewer input_bits, or tables for fewer features",
        )
    encode = Encode(source.astype(np.float64), columns.rule, columns.operand, mlp.input_size, bits)
    names = {node.name for node in mlp.nodes}
    nodes, before = [], "input"
    if np.any(scale != 1) or np.any(offset != 0):
        nodes.append(MlpNode(before := _free("grid", names), Affine(1.0 / scale, -offset / scale), ("input",)))
    nodes.append(MlpNode(name := _free("encode", names), encode, (before,)))
    for node in mlp.nodes:
        if node in first:
            # The input is offset + scale · q; the model takes a · input + c; q ≈ shift + Σ gain · output.
            linear = mlp.linears[node.name]
            weight = linear.weight * (a * scale)
            bias = linear.bias + np.einsum("oi,i->o", linear.weight, a * offset + c)
            bias = bias + np.einsum("oi,i->o", weight, columns.shift)
            node = replace(node, operator=Linear(weight[:, source] * gain, bias), inputs=(name,))
        if node.name not in taken:
            nodes.append(node)
    return replace(mlp, nodes=tuple(nodes)), _note(_by_feature(encodings, mlp.input_size))


@dataclass(frozen=True, eq=False)
class InputColumns:
    """Features as outputs of an `encode`: integers q = round((x − offset) / scale), which then are looked at.

    Parameters
    ----------
    scale, offset : float64 [features], of the grid.
    source : int64 [outputs], the feature that each looks at.
    rule, operand : float64 [outputs], see `float_operators.encode`.
    gain, shift : float64 [outputs] and [features]: q ≈ shift + Σ gain · output.
    """

    scale: Floats
    offset: Floats
    source: npt.NDArray[np.int64]
    rule: Floats
    operand: Floats
    gain: Floats
    shift: Floats


def input_columns(x: Floats, encodings: tuple[FeatureEncoding, ...], bits: int) -> InputColumns:
    """What `encodings` make of features whose samples are x, float64 [samples, features], on a grid of `bits` bits;
    what they leave out stays a whole number. InputError if a feature is named that there is not, or twice."""
    chosen = _by_feature(encodings, x.shape[1])
    scale, offset, q = _grid(x, bits)
    columns = [_columns(encoding, q[:, feature], bits) for feature, encoding in enumerate(chosen)]
    source = np.repeat(np.arange(len(columns)), [len(each.rule) for each in columns])
    rule, operand, gain = (
        np.concatenate([getattr(each, name) for each in columns]) for name in ("rule", "operand", "gain")
    )
    return InputColumns(scale, offset, source, rule, operand, gain, np.array([each.shift for each in columns]))


def _normalisation(mlp: Mlp) -> tuple[set[str], str, Floats, Floats]:
    """The scales and shifts that are the input's only consumers, one after the other: their names, the last of them
    ("input" without any), and what they come to, a · x + c."""
    a, c = np.ones(mlp.input_size), np.zeros(mlp.input_size)
    taken: set[str] = set()
    last = "input"
    while len(users := mlp.consumers(last)) == 1 and (found := users[0].operator.scale_and_shift) is not None:
        a, c = a * found[0], c * found[0] + found[1]
        last = users[0].name
        taken.add(last)
    return taken, last, a, c


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name


ENCODE = Option(
    "encode",
    Structured(
        "FEATURES=HOW,…", "features and bits, thermometer:N or table, such as 0-39=bits,40=table", read_encodings
    ),
    "How features enter: all=bits, all=thermometer:15, all=table, or ranges of features (0-39=bits,40=table).",
    otherwise="as whole numbers",
)
"""The declaration of the option, of all forms that have it."""


def takes_encoding(mlp: Mlp) -> bool:
    """Whether the model's input, perhaps normalised first, is taken by linear layers alone."""
    return all(isinstance(node.operator, Linear) for node in mlp.consumers(_normalisation(mlp)[1]))


def stand_in_encoding(kind: str, features: int, bits: int) -> Encode:
    """The encoding that `all=kind` makes of features that are uniform in 0 … 2^bits − 1."""
    (encoding,) = read_encodings(f"all={kind}")
    columns = _columns(encoding, np.arange(1 << bits), bits)
    count = len(columns.rule)
    rule, operand = np.tile(columns.rule, features), np.tile(columns.operand, features)
    return Encode(np.repeat(np.arange(features), count).astype(np.float64), rule, operand, features, bits)


@dataclass(frozen=True, eq=False)
class _Columns:
    """The outputs that a feature becomes: x ≈ shift + Σ gain · output, in integers of its grid."""

    rule: Floats
    operand: Floats
    gain: Floats
    shift: float = 0.0


def _by_feature(encodings: tuple[FeatureEncoding, ...], features: int) -> list[FeatureEncoding | None]:
    """What is asked for each feature; None for one that is left as it is."""
    chosen: list[FeatureEncoding | None] = [None] * features
    for encoding in encodings:
        for first, last in encoding.features or ((0, features - 1),):
            if last >= features:
                raise InputError("option encode", f"names feature {last}; the model has 0 … {features - 1}", _EXAMPLE)
            for feature in range(first, last + 1):
                if chosen[feature] is not None:
                    raise InputError("option encode", f"names feature {feature} twice", _EXAMPLE)
                chosen[feature] = encoding
    return chosen


def _grid(x: Floats, bits: int) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """(scale, offset) of each feature, and its integers: whole numbers as they are where they fit."""
    high = (1 << bits) - 1
    low, top = x.min(axis=0), x.max(axis=0)
    if np.all(x == np.rint(x)) and low.min() >= 0 and top.max() <= high:
        scale, offset = np.ones(x.shape[1]), np.zeros(x.shape[1])
    else:
        whole = np.all(x == np.rint(x), axis=0) & (top - low <= high)
        scale = np.where(whole | (top == low), 1.0, (top - low) / high)
        offset = low
    return scale, offset, np.clip(np.rint((x - offset) / scale), 0, high).astype(np.int64)


def _columns(encoding: FeatureEncoding | None, q: npt.NDArray[np.int64], bits: int) -> _Columns:
    if encoding is None:
        return _Columns(np.array([float(VALUE)]), np.zeros(1), np.ones(1))
    if encoding.kind == BITS:
        # Bits that are never set have no weight that anything was learned of.
        places = np.arange(max(int(q.max()).bit_length(), 1) - 1, -1, -1, dtype=np.float64)
        bits = places.size
        return _Columns(np.full(bits, float(BIT)), places, np.exp2(places))
    if encoding.kind == TABLE:
        values = np.arange(1 << bits)
        return _Columns(np.full(values.size, float(EQUAL)), values.astype(np.float64), _nearest(np.unique(q), values))
    levels = _quantile_levels(q, encoding.levels)
    bins = np.searchsorted(levels, q, side="right")
    counts = np.maximum(np.bincount(bins, minlength=levels.size + 1), 1)
    means = np.bincount(bins, q, levels.size + 1) / counts
    return _Columns(np.full(levels.size, float(LEVEL)), levels.astype(np.float64), np.diff(means), float(means[0]))


def _nearest(known: npt.NDArray[np.int64], values: npt.NDArray[np.int64]) -> Floats:
    """For each value the known one that is nearest: what never occurs shares its entry."""
    place = np.clip(np.searchsorted(known, values), 1, max(known.size - 1, 1))
    below, above = known[place - 1], known[np.minimum(place, known.size - 1)]
    return np.where(values - below <= above - values, below, above).astype(np.float64)


def _quantile_levels(q: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """At most `count` levels, at least one, at quantiles of q; where few values occur, between all of them."""
    values = np.unique(q)[1:]
    if values.size == 0:
        return np.array([q[0] + 1 if q.size else 1])
    if values.size <= count:
        return values
    shares = np.arange(1, count + 1) / (count + 1)
    levels = np.unique(np.ceil(np.quantile(q, shares)).astype(np.int64))
    levels = levels[levels > values[0] - 1]
    # Where many samples are equal their quantiles fall together: the others go where values are, evenly.
    spare = np.setdiff1d(values, levels)
    missing = count - levels.size
    if missing > 0 and spare.size:
        levels = np.union1d(levels, spare[np.linspace(0, spare.size - 1, min(missing, spare.size)).round().astype(int)])
    return levels


def _note(chosen: list[FeatureEncoding | None]) -> str:
    left = [feature for feature, encoding in enumerate(chosen) if encoding is None]
    if not left:
        return ""
    return (
        f"{len(left)} of {len(chosen)} features (the first is {left[0]}) are not encoded: they enter as whole numbers "
        "beside bits, and need weights far smaller than those. Encode them too, as thermometer:N for example."
    )
