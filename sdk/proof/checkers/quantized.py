"""The second look at the claims of `quantized`: a network beside the quantized model in its bundle, from the file.

This file shares no code with the prover, the converter or the layers: it reads the safetensors file, adds up what each
layer of the network does to single values, and computes the model's real numbers in fractions at both sides of every
threshold; behind functions such as tanh for every accumulator.
"""

from __future__ import annotations

import json
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...network import Network
from .layer_formulas import READ, range_of
from .model_joins import JOINS, Sum, added, at_positions, is_join, joined_size, operands, weighed
from .real_levels import LINES, counted, float_levels, points_of, rational_level
from .statements import Claims, check_statements, integers, need

__all__ = ["check_certificate"]

MODEL = "brevitas/network.safetensors"
_Array = npt.NDArray[Any]


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and how many are proved.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    return check_statements(folder, prover, "quantized", _places)


def _places(network: Network, files: dict[str, bytes], said: dict[str, Claims]) -> dict[str, int]:
    need(set(files) == {MODEL}, "artifacts", f"are not {MODEL} alone")
    check = _Check(network, *_model_of(files[MODEL]))
    wanted = {}
    for name in check.model:
        if name not in check.stated:
            continue
        wanted[name] = check.sizes[name]
        proved = [channel for channel, claim in enumerate(said[name]) if claim["status"] == "proved"]
        need(not proved or proved[-1] < wanted[name], name, "has more claims than channels")
        check.follow(name, proved, said[name])
    return wanted


def _model_of(content: bytes) -> tuple[dict[str, Any], dict[str, _Array]]:
    """The nodes of a model by name, in order, and its arrays."""
    (size,) = struct.unpack_from("<Q", content)
    need(0 < size <= len(content) - 8, MODEL, "has no header")
    header = json.loads(content[8 : 8 + size])
    nodes = {str(node["name"]): node for node in json.loads(header["__metadata__"]["edgeml_brevitas"])["nodes"]}
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, last = (8 + size + end for end in entry["data_offsets"])
            kind = {"F64": "<f8", "I8": "<i1"}[entry["dtype"]]
            arrays[name] = np.frombuffer(content[first:last], kind).reshape(entry["shape"])
    return nodes, arrays


class _Check:
    """A network beside a model. stated : the nodes of the model that have claims. sizes : their channels."""

    def __init__(self, network: Network, model: dict[str, Any], arrays: dict[str, _Array]) -> None:
        self.network, self.model, self.arrays = network, model, arrays
        self.layers = {node.name: node for node in network.nodes}
        self.first, self.last = next(iter(model)), list(model)[-1]
        self.sizes: dict[str, int] = {}
        self.steps: dict[str, Fraction] = {}
        self.sums: dict[str, Sum | None] = {}
        self.takes: dict[str, tuple[str, list[dict[str, Any]]]] = {}
        self.stated: set[str] = set()
        self.reach: dict[str, tuple[_Array, _Array]] = {}
        self.own: dict[str, Sum | None] = {}
        for each in network.nodes:
            self.own[each.name] = self._own(each.name)
        for name, node in model.items():
            self._enter(name, node)

    def _array(self, name: str, field: str) -> _Array:
        return self.arrays[f"{name}.{field}"]

    def _operands(self, name: str) -> list[_Array]:
        return [self._array(name, field) for field in ("source", "rule", "operand")]

    # The model.

    def _enter(self, name: str, node: dict[str, Any]) -> None:
        kind, inputs = node["kind"], node["inputs"]
        tensor = kind in ("input", "quantizer", *JOINS) or (kind == "encode" and self._kept(name))
        if kind == "input":
            self.sizes[name] = int(node["attributes"]["size"])
            self.steps[name] = Fraction(node["attributes"]["step"])
        elif kind in ("linear", "shared_linear"):
            self.sizes[name] = len(self._array(name, "weight")) * len(self.arrays.get(f"{name}.source", [0]))
        elif kind == "encode":
            self.sizes[name], self.steps[name] = len(self._array(name, "source")), Fraction(1)
        else:
            self.sizes[name] = self.sizes[inputs[0]]
            if kind == "quantizer":
                self.steps[name] = Fraction(node["attributes"]["scale"])
            elif kind in JOINS:
                self.sizes[name] = joined_size(kind, [self.sizes[each] for each in inputs], self.arrays, name)
                self.steps[name] = self.steps[inputs[0]] * (self.steps[inputs[1]] if kind == "multiply" else 1)
        if tensor or name == self.last:
            self.stated.add(name)
        if tensor:
            self.sums[name] = self._itself(name)
        elif kind in ("linear", "shared_linear"):
            before = self.sums[inputs[0]]
            weight = self._array(name, "weight").astype(np.int64)
            if kind == "shared_linear":
                weight = at_positions(weight, self._array(name, "source").astype(np.int64), self.sizes[inputs[0]])
            self.sums[name] = None if before is None else weighed(before, weight, np.zeros(len(weight), np.int64))
        elif kind == "encode":
            self.sums[name] = self._encoded(self.sums[inputs[0]], self._operands(name))
        if tensor or kind in ("linear", "shared_linear", "encode"):
            self.takes[name] = name, []
        else:
            source, chain = self.takes[inputs[0]]
            self.takes[name] = source, [*chain, {**node, "name": name}]

    def _kept(self, name: str) -> bool:
        return name in self.layers and self.layers[name].layer.kind == "encode"

    # Sums of single values.

    def _itself(self, name: str) -> Sum | None:
        if name not in self.reach:
            return None
        size = len(self.reach[name][0])
        return np.zeros(size, np.int64), {name: np.eye(size, dtype=np.int64)}, {}

    def _tensor(self, name: str) -> None:
        """The ends of a tensor that the model has too, from what its layer takes; none where they do not follow."""
        node, fields = self.layers[name], vars(self.layers[name].layer)
        kind, given = node.layer.kind, [self.own[each] for each in node.inputs]
        if kind == "input_quantizer" or (kind in ("threshold", "neurons", "lookup") and None not in given):
            taken = [(low.tolist(), high.tolist()) for low, high in map(self._ends, given)]
            low, high = np.array(range_of(kind, fields, *taken), np.int64).T
            self.reach[name] = low, high
        elif kind in ("maximum", "shared", "concat", "multiply") and None not in given:
            taken = [(low.tolist(), high.tolist()) for low, high in map(self._ends, given)]
            self.reach[name] = tuple(np.array(range_of(kind, fields, *taken), np.int64).T)
        elif given and kind in ("add", "encode"):
            x, made = given[0], None
            if kind == "encode":
                made = self._encoded(x, operands(fields))
            elif x is not None and given[1] is not None:
                made = added(x, given[1])
            if made is not None:
                self.reach[name] = self._ends(made)

    def _ends(self, x: Sum | None) -> tuple[_Array, _Array]:
        """The least and the largest that values add up to."""
        constants, functions = self._normal(x, x, "range")
        low, high = constants[0].copy(), constants[0].copy()
        for part, each in functions[0].items():
            if isinstance(part, str):
                far = each * (self.reach[part][1] - self.reach[part][0])[:, None]
                low, high = low + np.minimum(far, 0).sum(axis=0), high + np.maximum(far, 0).sum(axis=0)
            else:
                low, high = low + each.min(axis=0), high + each.max(axis=0)
        return low, high

    def _values(self, x: Sum | None) -> tuple[str, list[_Array]] | None:
        """The tensor that a sum is itself, and the values of each of its channels; None if it is more."""
        if x is None or x[2] or len(x[1]) != 1 or x[0].any():
            return None
        ((name, weight),) = x[1].items()
        if weight.shape[0] != weight.shape[1] or np.any(weight != np.eye(len(weight))):
            return None
        return name, [np.arange(a, b + 1) for a, b in zip(*self.reach[name], strict=True)]

    def _encoded(self, x: Sum | None, fields: list[_Array]) -> Sum | None:
        """Values, bits, levels and equalities (sources, rules, operands) of single values."""
        if (found := self._values(x)) is None:
            return None
        name, values = found
        outputs = len(fields[0])
        parts = {(name, i): np.zeros((len(v), outputs), np.int64) for i, v in enumerate(values)}
        for output, (source, rule, at) in enumerate(zip(*(field.tolist() for field in fields), strict=True)):
            v = values[int(source)]
            parts[name, int(source)][:, output] = READ[int(rule)](v, int(at))
        return np.zeros(outputs, np.int64), {}, parts

    def _tables(self, x: Sum | None, fields: dict[str, Any]) -> Sum | None:
        if (found := self._values(x)) is None:
            return None
        name, values = found
        parts: dict[tuple[str, int], _Array] = {}
        for feature, i in enumerate(fields["source"].tolist()):
            added = fields["entries"][fields["rows"][feature, values[i]]].astype(np.int64)
            parts[name, i] = parts[name, i] + added if (name, i) in parts else added
        return fields["bias"].astype(np.int64), {}, parts

    def _own(self, name: str) -> Sum | None:
        """What a layer of the network gives, as a sum of values of tensors that the model has too."""
        node, fields = self.layers[name], vars(self.layers[name].layer)
        if name in self.model and self.model[name]["kind"] not in ("linear", "shared_linear"):
            self._tensor(name)
            return self._itself(name)
        given = [self.own[each] for each in node.inputs]
        x = given[0] if given else None
        kind = node.layer.kind
        if x is None or kind == "input_spikes":
            return x
        if kind == "dense":
            centred = x[0] - fields["input_zero_point"], x[1], x[2]
            return weighed(centred, fields["weight"].astype(np.int64), fields["bias"].astype(np.int64))
        if kind == "shared" and [each.kind for each in fields["chain"]] == ["dense"] and not fields["padding"]:
            own = vars(fields["chain"][0])
            weight = at_positions(own["weight"].astype(np.int64), fields["gather"], fields["inputs"])
            bias = own["bias"] - own["weight"].astype(np.int64).sum(axis=1) * own["input_zero_point"]
            return weighed(x, weight, np.tile(bias.astype(np.int64), len(fields["gather"])))
        if kind == "add":
            return None if given[1] is None else added(x, given[1])
        if kind == "encode":
            return self._encoded(x, operands(fields))
        return self._tables(x, fields) if kind == "tables" else None

    def _normal(self, one: Sum | None, other: Sum | None, name: str) -> tuple[list[_Array], list[dict[Any, _Array]]]:
        """Constants and functions of two sums, each function 0 at the least value, in one form for both."""
        need(one is not None and other is not None, name, "is made of what is not followed")
        assert one is not None
        assert other is not None
        tabled = {tensor for tensor, _ in (*one[2], *other[2])}
        constants, functions = [], []
        for constant, weights, values in (one, other):
            found: dict[Any, _Array] = {}
            for tensor, weight in weights.items():
                low, high = self.reach[tensor]
                constant = constant + weight @ low
                moving = np.where(low < high, weight, 0)
                if tensor not in tabled:
                    found[tensor] = moving.T
                    continue
                for i, span in enumerate((high - low).tolist()):
                    found[tensor, i] = np.arange(span + 1)[:, None] * moving[:, i]
            for part, each in values.items():
                constant = constant + each[0]
                found[part] = each - each[0] + found.get(part, 0)
            constants.append(constant)
            functions.append(found)
        return constants, functions

    # Claims.

    def follow(self, name: str, proved: list[int], said: Claims) -> None:
        """Follow the claims of a place that are said to be proved."""
        if not proved:
            return
        need(name in self.layers, name, "is no layer of the network")
        kind, node = self.model[name]["kind"], self.layers[name]
        if kind == "input":
            self._input(proved)
        elif kind in JOINS:
            need(is_join(kind, node.layer, self.arrays, name), name, "is another layer in the network")
            self._takes(name)
        elif kind == "encode":
            self._encode(name, proved)
        elif kind in ("linear", "shared_linear"):
            need(name == self.network.nodes[-1].name, name, "is not the network's output")
            self._outputs(name, proved)
        else:
            need(kind == "quantizer", name, f"is a {kind}, which no checker knows")
            self._levels(name, proved, said)

    def _input(self, proved: list[int]) -> None:
        attributes, layer = self.model[self.first]["attributes"], vars(self.network.nodes[0].layer)
        same = all(attributes[key] == layer[key] for key in ("size", "bits", "signed")) and layer["zero_point"] == 0
        need(same and self.network.nodes[0].name == self.first, self.first, "is another in the model")
        for field in ("scale", "offset"):
            sides = self._array(self.first, field), layer[field]
            mine, theirs = (np.broadcast_to(each, attributes["size"]) for each in sides)
            need(bool(np.all(mine[proved] == theirs[proved])), self.first, f"has another {field}")

    def _takes(self, name: str) -> None:
        """That a layer takes the tensors that the model's node takes."""
        for mine, theirs in zip(self.layers[name].inputs, self.model[name]["inputs"], strict=True):
            found = self._values(self.own[mine])
            need(found is not None and found[0] == theirs, name, "takes another tensor")

    def _encode(self, name: str, proved: list[int]) -> None:
        (taken,) = self.model[name]["inputs"]
        fields = vars(self.layers[name].layer)
        own = self._encoded(self.own[self.layers[name].inputs[0]], operands(fields))
        constants, functions = self._normal(own, self._encoded(self.sums[taken], self._operands(name)), name)
        for channel in proved:
            same = _sign(name, functions, channel) == 1 and constants[0][channel] == constants[1][channel]
            need(same, f"{name}[{channel}]", "is another function than the model's")

    def _scales(self, source: str) -> tuple[list[Fraction], list[Fraction]]:
        """Of each channel of a sum what one integer is worth, and its bias."""
        size = self.sizes[source]
        if self.model[source]["kind"] not in ("linear", "shared_linear"):
            return [self.steps[source]] * size, [Fraction(0)] * size
        step = self.steps[self.model[source]["inputs"][0]]
        scales = [Fraction(scale) * step for scale in self._array(source, "scale").tolist()]
        biases = [Fraction(bias) for bias in self._array(source, "bias").tolist()]
        return scales * (size // len(scales)), biases * (size // len(biases))

    def _outputs(self, name: str, proved: list[int]) -> None:
        constants, functions = self._normal(self.own[name], self.sums[name], name)
        output, (scales, biases) = self.network.output, self._scales(name)
        need(output.zero_point == 0, name, "has a zero point")
        for channel in proved:
            what = f"{name}[{channel}]"
            need(_sign(what, functions, channel) == 1, what, "is the negative of the model's")
            own, model = (int(constant[channel]) for constant in constants)
            need(scales[channel] * model + biases[channel] == scales[channel] * own, what, "has another bias")
            scale = float(output.scale[channel if output.scale.size > 1 else 0])
            need(Fraction(scale) == scales[channel], what, "has another scale")

    def _levels(self, name: str, proved: list[int], said: Claims) -> None:
        node, (source, chain) = self.layers[name], self.takes[self.model[name]["inputs"][0]]
        need(node.layer.kind in ("threshold", "neurons", "lookup"), name, "counts no thresholds in the network")
        constants, functions = self._normal(self.own[node.inputs[0]], self.sums[source], name)
        fields, ends = vars(node.layer), self._ends(self.own[node.inputs[0]])
        scales, biases = self._scales(source)
        quantizer, lines = self.model[name]["attributes"], all(each["kind"] in LINES for each in chain)
        for channel in proved:
            what = f"{name}[{channel}]"
            sign = _sign(what, functions, channel)
            low, high = (int(end[channel]) for end in ends)
            need(integers(said[channel]["range"]) == [low, high], what, "is claimed over another range")
            points = points_of(node.layer.kind, fields, channel, (low, high), lines)
            own = counted(node.layer.kind, fields, channel, points)
            given = sign * (points - int(constants[0][channel])) + int(constants[1][channel])
            if lines:
                reals = (z * scales[channel] + biases[channel] for z in given.tolist())
                levels = [rational_level(name, chain, self.arrays, quantizer, x, channel) for x in reals]
                least = most = np.array(levels, np.int64)
            else:
                line = given, scales[channel], biases[channel]
                least, most = float_levels(what, chain, self.arrays, quantizer, line, channel)
            wrong = np.flatnonzero((own < least) | (own > most))
            at = int(points[wrong[0]]) if wrong.size else 0
            need(not wrong.size, what, f"is another level than the model's at accumulator {at}")


def _sign(what: str, functions: list[dict[Any, _Array]], channel: int) -> int:
    """1 where two sums have the same functions, −1 where they have opposite ones; else CheckFailed."""
    signs = {1, -1}
    for part in {**functions[0], **functions[1]}:
        mine, theirs = (side[part][:, channel] if part in side else np.zeros(1, np.int64) for side in functions)
        signs -= {sign for sign in signs if np.any(mine != sign * theirs)}
    need(bool(signs), what, "is another sum than the model's")
    return 1 if 1 in signs else -1
