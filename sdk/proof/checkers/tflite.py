"""The second look at the claims of `tflite`: a network beside the .tflite file in its bundle, from the file itself.

This file shares no code with the prover, the converter or the layers: it has the rules by which runtimes make constants
of scales, and the functions of tables, once more.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ...network import Network
from .crossings import follow_deviation, need_rises
from .layer_formulas import HALF, range_of, rounded
from .statements import Claims, check_statements, integer, integers, need
from .tflite_file import FileOperator, FileTensor, TfliteFile

__all__ = ["check_certificate"]

_FULLY_CONNECTED, _ADD, _LOGISTIC, _TANH = 9, 0, 14, 28
_RELU, _RELU6, _RESHAPE, _QUANTIZE = 19, 21, 22, 114
_TABLES = (_LOGISTIC, _TANH, _RELU, _RELU6, _RESHAPE, _QUANTIZE)


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and how many are proved.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    return check_statements(folder, prover, "tflite", _places)


def _places(network: Network, files: dict[str, bytes], said: dict[str, Claims]) -> dict[str, int]:
    need(len(files) == 1 and next(iter(files)).startswith("tflite/"), "artifacts", "are not one .tflite file")
    check = _Check(network, TfliteFile(next(iter(files.values()))))
    wanted = {}
    for name, node in check.nodes.items():
        if node.layer.kind in ("dense", "add"):
            check.sums[name] = {claim.get("tensor") for claim in said[name]}
        elif "tensor" in said[name][0]:
            check.at[integer(said[name][0]["tensor"])] = name
    for name in [*check.nodes, "output"]:
        wanted[name] = len(said[name])
        proved = [(number, claim) for number, claim in enumerate(said[name]) if claim["status"] == "proved"]
        if proved:
            need(wanted[name] == check.claims(name), name, f"has {wanted[name]} claims, not {check.claims(name)}")
            check.follow(name, proved)
    return wanted


class _Check:
    """A network beside a file, its nodes by name.

    at : the node of a tensor, as the claims say. sums : of a node that is a sum, the tensors behind its operator.
    """

    def __init__(self, network: Network, file: TfliteFile) -> None:
        self.network, self.file = network, file
        self.nodes = {node.name: node for node in network.nodes}
        self.ends: dict[str, tuple[list[int], list[int]]] = {}
        for node in network.nodes:
            found = range_of(node.layer.kind, vars(node.layer), *(self.ends[name] for name in node.inputs))
            self.ends[node.name] = [low for low, _ in found], [high for _, high in found]
        self.made = {operator.output: operator for operator in file.operators}
        self.first = next((o.output for o in file.operators if o.kind == _QUANTIZE and o.inputs[0] == file.input), -1)
        if file.tensor(file.input).kind != 0:
            self.first = file.input
        self.at: dict[int, str] = {}
        self.sums: dict[str, set[Any]] = {}

    def claims(self, name: str) -> int:
        """How many claims a place must have."""
        if name == "output":
            return 1
        fields = vars(self.nodes[name].layer)
        return len(fields["table"]) if "table" in fields else self.network.sizes[name]

    def _plain(self, index: int) -> int:
        """The tensor whose integers a tensor has, where operators keep them."""
        operator = self.made.get(index)
        while operator is not None and index not in self.at and operator.kind in (_RESHAPE, _QUANTIZE):
            before, after = self.file.tensor(operator.inputs[0]), self.file.tensor(index)
            if (before.kind, before.zero_point) != (after.kind, after.zero_point):
                break
            index = operator.inputs[0]
            operator = self.made.get(index)
        return index

    def follow(self, name: str, proved: list[tuple[int, dict[str, Any]]]) -> None:
        """Follow the claims of a place that are said to be proved."""
        if name == "output":
            self._output()
            return
        node = self.nodes[name]
        fields, kind = vars(node.layer), node.layer.kind
        if kind == "input_quantizer":
            tensor = self.file.tensor(self.first)
            same = np.all(fields["scale"] == np.float64(tensor.scale[0])) and not fields["offset"].any()
            need(bool(same), name, "has another scale")
            need((fields["zero_point"], fields["bits"]) == (tensor.zero_point, 8), name, "has another zero point")
            need(fields["signed"] == (tensor.kind == 9), name, "has another type")
            need(self.at.get(self.first) == name, name, "is another tensor")
            return
        output = integer(proved[0][1]["tensor"])
        need(all(claim["tensor"] == output for _, claim in proved), name, "is several tensors")
        operator = self.made[output]
        sources = [self._plain(index) for index in operator.inputs[: 2 if operator.kind == _ADD else 1]]
        if kind in ("dense", "add"):
            need([self.at.get(index) for index in sources] == list(node.inputs), name, "takes other tensors")
            need(operator.kind == (_FULLY_CONNECTED if kind == "dense" else _ADD), name, "is another operator")
            if kind == "dense":
                self._sums(name, fields, operator, [channel for channel, _ in proved])
            return
        if kind == "requantize":
            before = self.nodes[node.inputs[0]]
            need([self.at.get(index) for index in sources] == list(before.inputs), name, "takes other tensors")
            need(self.sums.get(before.name) == {output}, name, "is of another operator than its sums")
            self._scales(name, fields, operator, proved)
        else:
            need(kind == "lookup", name, f"is of kind {kind}, which no checker follows")
            need([self.at.get(index) for index in sources] == list(node.inputs), name, "takes other tensors")
            self._table(name, fields, operator, [entry for entry, _ in proved])

    def _output(self) -> None:
        index = self.file.output
        operator = self.made.get(index)
        while operator is not None and operator.kind in (6, 25):  # DEQUANTIZE and SOFTMAX are behind the integers
            index = operator.inputs[0]
            operator = self.made.get(index)
        tensor, output = self.file.tensor(index), self.network.output
        need(self.at.get(self._plain(index)) == self.network.nodes[-1].name, "output", "is another tensor")
        same = output.zero_point == tensor.zero_point and np.all(output.scale == np.float64(tensor.scale[0]))
        need(bool(same), "output", "has another scale")

    def _guard(self, name: str, fields: dict[str, Any], operator: FileOperator) -> int:
        """How many guard bits the file's weights have that those of a node have not."""
        weights = self.file.tensor(operator.inputs[1]).weights
        for guard in range(7):
            if np.array_equal(fields["weight"].astype(np.int64) << guard, weights):
                return guard
        need(False, name, "has other weights")
        return 0

    def _sums(self, name: str, fields: dict[str, Any], operator: FileOperator, proved: list[int]) -> None:
        weight = self.file.tensor(operator.inputs[1])
        guard = 0
        if not np.array_equal(fields["weight"][proved], weight.weights[proved]):
            guard = self._guard(name, fields, operator)
        bias = np.zeros(len(weight.weights), np.int64)
        if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
            bias = np.frombuffer(self.file.tensor(operator.inputs[2]).data, "<i4").astype(np.int64)
        own = (fields["bias"].astype(np.int64) << guard) + (1 if guard else 0)
        need(np.array_equal(own[proved], bias[proved]), name, "has other biases")
        zero = self.file.tensor(operator.inputs[0]).zero_point
        need(fields["input_zero_point"] == zero, name, "has another zero point")

    # Constants.

    def _scales(
        self, name: str, fields: dict[str, Any], operator: FileOperator, proved: list[tuple[int, dict[str, Any]]]
    ) -> None:
        target = self.file.tensor(operator.output)
        sums = vars(self.nodes[self.nodes[name].inputs[0]].layer)
        guard = 0
        if operator.kind == _FULLY_CONNECTED and fields["rounding"] == "shift":
            guard = self._guard(name, sums, operator)
        for channel, claim in proved:
            what = f"{name}[{channel}]"
            lows, highs = self.ends[self.nodes[name].inputs[0]]
            reach = lows[channel], highs[channel]
            stated, factor = self._stated(name, fields, operator, target, guard, channel)
            follow_deviation(what, stated, 0, factor, reach, claim)
            begins = need_rises(what, fields, channel, reach, integers(claim["crossings"]))
            need(begins == rounded(stated, 0, reach[0]), what, "has other ends")

    def _stated(
        self, name: str, fields: dict[str, Any], operator: FileOperator, target: FileTensor, guard: int, channel: int
    ) -> tuple[dict[str, Any], Fraction]:
        """The layer of one channel with the constants of the file's scales, and what an accumulator is worth."""
        least, most = (-128, 127) if target.kind == 9 else (0, 255)
        zero, source = target.zero_point, self.file.tensor(operator.inputs[0])
        if operator.kind == _ADD:
            other = self.file.tensor(operator.inputs[1])
            need(source.scale[0] == other.scale[0] == target.scale[0], name, "adds unlike scales")
            one = {"multiplier": [2**30], "shift": [1], "fraction": [0], "rounding": fields["rounding"]}
            zero -= source.zero_point + other.zero_point
            return {**one, "zero_point": zero, "low": least, "high": most}, Fraction(1)
        weight = self.file.tensor(operator.inputs[1]).scale
        scale = weight[channel if len(weight) > 1 else 0]
        if operator.activation:
            least = max(least, zero)
        if operator.activation == 3:
            steps = float(np.float32(6) / target.scale[0])
            most = min(most, zero + (round(steps) if fields["rounding"] == "fp32_rne" else math.floor(steps + 0.5)))
        own = channel if len(fields["multiplier"]) > 1 else 0
        per_tensor = len(weight) == 1 and fields["rounding"] in ("ruy_half_up", "double_rounding")
        found = [_constants(fields["rounding"], source.scale[0], scale, target.scale[0], guard, product=False)]
        if per_tensor:
            found.append(_constants(fields["rounding"], source.scale[0], scale, target.scale[0], guard, product=True))
        mine = tuple(int(fields[key][own]) for key in ("multiplier", "shift", "fraction"))
        m, s, f = mine if mine in found else found[0]
        constants = {"multiplier": [m], "shift": [s], "fraction": [f], "rounding": fields["rounding"]}
        factor = Fraction(float(source.scale[0])) * Fraction(float(scale)) * 2**guard / Fraction(float(target.scale[0]))
        return {**constants, "zero_point": zero, "low": least, "high": most}, factor

    # Tables.

    def _table(self, name: str, fields: dict[str, Any], operator: FileOperator, proved: list[int]) -> None:
        source, target = self.file.tensor(operator.inputs[0]), self.file.tensor(operator.output)
        low, high = (-128, 127) if target.kind == 9 else (0, 255)
        need(fields["base"] == (-128 if source.kind == 9 else 0), name, "begins with another value")
        need(len(fields["table"]) == 256, name, "is of another size")
        need(operator.kind in _TABLES, name, "is of an operator that is no table")
        if operator.kind not in (_LOGISTIC, _TANH):
            need(source.scale[0] == target.scale[0], name, "changes the scale")
        for entry in proved:
            x = fields["base"] + entry - source.zero_point
            if operator.kind in (_LOGISTIC, _TANH):
                y = _nearest_function(operator.kind, x, float(source.scale[0]), float(target.scale[0]))
            else:
                y = max(x, 0) if operator.kind in (_RELU, _RELU6) else x
            if operator.kind == _RELU6:
                y = min(y, math.floor(float(np.float32(6) / target.scale[0]) + 0.5))
            expected = min(max(y + target.zero_point, low), high)
            need(int(fields["table"][entry]) == expected, f"{name}[{entry}]", f"must be {expected}")


def _constants(rule: str, source: Any, weight: Any, target: Any, guard: int, *, product: bool) -> tuple[int, int, int]:
    """(multiplier, shift, fraction) that a runtime with this rule makes of float32 scales."""
    if rule == "fp32_rne":
        real = float(np.float32(np.float32(source * weight) / target))
    else:
        both = float(np.float32(source * weight)) if product else float(source) * float(weight)
        real = both / float(target)
    fraction, exponent = math.frexp(real)
    if exponent < -31:
        return 0, 0, 0
    if rule == "float64_away":
        whole = int(math.ldexp(fraction, 53))
        return whole >> 22, exponent, whole & (2**22 - 1)
    m = math.floor(math.ldexp(fraction, 31) + 0.5)
    m, exponent = (2**30, exponent + 1) if m == 2**31 else (m, exponent)
    return m, exponent + guard, 0


def _nearest_function(kind: int, x: int, source: float, target: float) -> int:
    """round(f(x · source) / target), ties away from zero, by an exponential of 80 correct digits."""
    context = Context(prec=80)
    real = Context(prec=500).multiply(Decimal(x), Decimal(source))
    real = max(min(real, Decimal(5000)), Decimal(-5000))
    exponential = context.exp(real if kind == _LOGISTIC else 2 * real)
    found = set()
    for off in (-1, 1) if x else (0,):
        e = Fraction(exponential) * (1 + Fraction(off, 10**78))
        y = e / (1 + e) if kind == _LOGISTIC else (e - 1) / (e + 1)
        y /= Fraction(target)
        found.add((abs(y) + HALF).__floor__() * (-1 if y < 0 else 1))
    need(len(found) == 1, "table", "has an entry that cannot be told from a tie")
    return found.pop()
