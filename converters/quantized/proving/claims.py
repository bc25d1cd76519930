"""The claims of a network beside its quantized model: each channel's integer is the model's, for all values."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.frontends.float_operators.clamped_line import ClampedLine
from edgeml.network import Network, Node, ValueRange
from edgeml.proof.claim import NOT_TRIED, OPEN, OUT_OF_TIME, PROVED, REFUTED
from edgeml.proof.place_claims import PlaceClaims

from ..chains import are_lines
from ..model import QuantizedLinear, QuantizedModel, Quantizer
from ..proof import Reference, prove
from ..thresholds import compose
from .channels import Channels
from .differing_inputs import differing
from .function_levels import function_claims, unknown_operator
from .input_integers import other_integer
from .levels import Counted, ExactLevels
from .model_sums import Between, ModelSums, same_layer
from .sums import Sum, TooLargeError, follow, itself, named

__all__ = ["model_claims"]

Int64 = npt.NDArray[np.int64]

_INPUT = "its integer is that of the trained model: scale, offset, bits and sign are the same"
_LEVEL = (
    "for all integers in the ranges of its inputs, y = clip(round_half_even(x / step)), x the trained model's real "
    "value: y = base + #{k : z >= T[k]} for every accumulator z in range, z = ±(the model's weights times its inputs)"
)
_OUTPUT = "for all integers in the ranges of its inputs, y · scale is the trained model's real output, exactly"
_JOINS = ("add", "encode", "maximum", "shared", "concat", "multiply")
_JOIN = "the layer is the trained model's operator on integers"


def model_claims(model: QuantizedModel, network: Network, seconds: float = 1800.0) -> list[PlaceClaims]:
    """A place for each tensor that model and network both have."""
    beside = _Beside(model, network)
    begun = time.process_time()
    places = []
    for node in model.nodes:
        before = time.process_time()
        if before - begun > seconds:
            found: _Found | None = beside.without(node.name, OUT_OF_TIME)
        else:
            found = beside.claims(node.name)
        if found is not None:
            took = time.process_time() - before
            places.append(PlaceClaims(found.place, found.statement, found.method, found.claims, took))
    return places


@dataclass(frozen=True, eq=False)
class _Found:
    place: str
    statement: str
    method: str
    claims: list[dict[str, Any]]


class _Beside:
    def __init__(self, model: QuantizedModel, network: Network) -> None:
        self.model, self.network = model, network
        self.nodes: dict[str, Node] = {node.name: node for node in network.nodes}
        self.tensors = {node.name for node in model.nodes if not isinstance(node.operator, QuantizedLinear)}
        self.ranges: dict[str, ValueRange] = {}
        self.own: dict[str, Sum | str] = {}
        """Of each node of the network, the sum of tensors that it is, or why it is none."""
        for node in network.nodes:
            self._enter(node)
        self.sums = ModelSums(model, network, self.ranges)

    def _enter(self, node: Node) -> None:
        """A node of the network: a tensor that the model has too, within the range that follows, or a sum of such."""
        given = [self.own[name] for name in node.inputs]
        problem = next((each for each in given if isinstance(each, str)), "")
        sums = [each for each in given if isinstance(each, Sum)]
        if node.name in self.tensors:
            found = (
                self.network.ranges[node.name] if problem else node.layer.output_range(*(each.reach for each in sums))
            )
            self.ranges[node.name] = found
            self.own[node.name] = itself(node.name, found)
            return
        try:
            self.own[node.name] = problem or follow(node.layer, *sums)
        except TooLargeError as error:
            self.own[node.name] = f"layer {node.name} {error}"

    def claims(self, name: str) -> _Found | None:
        """The claims of a node of the model; None if it is a part of another's."""
        operator = self.model.node(name).operator
        last = name == self.model.nodes[-1].name
        if name == self.model.nodes[0].name:
            return self._input()
        if name in self.sums.layers:
            if self.sums.layers[name].kind not in _JOINS:
                return self.without(name, NOT_TRIED, f"is a {operator.kind}, which the checker does not know")
            same = name in self.nodes and same_layer(self.nodes[name].layer, self.sums.layers[name])
            same = same and self._takes(name)
            claim = {"status": PROVED if same else OPEN}
            detail = {} if same else {"detail": "the network has another layer there"}
            return _Found(name, _JOIN, "the same layer", [claim | detail] * self.model.sizes[name])
        if name not in self.sums.between:
            return self.without(name, NOT_TRIED) if last else None
        if isinstance(operator, Quantizer):
            return self._levels(name, operator)
        return self._outputs(name)

    def _takes(self, name: str) -> bool:
        """Whether a layer takes the tensors that the model's node takes."""
        pairs = zip(self.nodes[name].inputs, self.model.node(name).inputs, strict=True)
        return all(named(self.own[mine]) == theirs for mine, theirs in pairs)

    def without(self, name: str, status: str, detail: str = "") -> _Found:
        """A node without a proof."""
        return _Found(name, _LEVEL, "", [{"status": status, "detail": detail}] * self.model.sizes[name])

    def _input(self) -> _Found:
        own, model = self.network.quantizer, self.model.input
        fits = (own.size, own.bits, own.signed, own.zero_point) == (model.size, model.bits, model.signed, 0)
        claims = []
        for channel in range(model.size):
            mine, theirs = (
                (_at(each.scale, channel), _at(each.offset, channel)) if each.size > channel else (0.0, 0.0)
                for each in (own, model)
            )
            claim: dict[str, Any] = {"status": PROVED}
            if not fits:
                claim = {"status": REFUTED, "counterexample": "the network has other integers for its features"}
            elif mine != theirs:
                claim = other_integer(mine, theirs, model.low, model.high)
            claims.append(claim)
        return _Found(self.model.nodes[0].name, _INPUT, "the same numbers", claims)

    def _both(self, name: str, source: str) -> tuple[Sum, Sum] | str:
        """The network's sum and the model's before a tensor; or why there are none."""
        if name not in self.nodes:
            return f"the network has no layer {name}"
        own = self.own[self.nodes[name].inputs[0] if name in self.tensors else name]
        model = self.sums.sums[source]
        if isinstance(own, str) or isinstance(model, str):
            return own if isinstance(own, str) else str(model)
        return own, model

    def _outputs(self, name: str) -> _Found:
        """The last linear layer, whose accumulators are the outputs."""
        between = self.sums.between[name]
        both = self._both(name, between.source)
        if isinstance(both, str) or self.network.nodes[-1].name != name:
            return self.without(name, OPEN, both if isinstance(both, str) else "is not the network's output")
        channels = Channels(*both)
        output, (scales, biases) = self.network.output, _rationals(between)
        claims: list[dict[str, Any]] = []
        for channel, (scale, bias) in enumerate(zip(scales, biases, strict=True)):
            shift, own = int(channels.model_constant[channel]), int(channels.constant[channel])
            alike = channels.same(channel) == 1 and scale * shift + bias == scale * own
            alike = alike and _at(self.network.output.scale, channel) == float(scale) and not output.zero_point
            claims.append({"status": PROVED} if alike else self._other_output(name, channels, channel, between))
        return _Found(name, _OUTPUT, "weights compared, bias and scale in rationals", claims)

    def _other_output(self, name: str, channels: Channels, channel: int, between: Between) -> dict[str, Any]:
        """An output that is not the model's: for the least values of its inputs, or where one adds something else."""
        names, own, model = channels.functions(channel)
        held = {tensor: reach.low.copy() for tensor, reach in self.ranges.items()}
        accumulator, given = int(channels.model_constant[channel]), "the least inputs"
        scale, bias = Fraction(float(between.scale[channel])), Fraction(float(between.bias[channel]))
        shown = scale * accumulator + bias != scale * int(channels.constant[channel])
        for (tensor, number, low), mine, theirs in zip(names, own, model, strict=True):
            if not shown and (wrong := np.flatnonzero(mine != theirs)).size:
                held[tensor][number] = low + wrong[0]
                accumulator += int(theirs[wrong[0]])
                given = f"{tensor}[{number}] = {low + wrong[0]}, others least,"
                break
        y = int(self._evaluated(name, held)[channel])
        real = (y - self.network.output.zero_point) * _at(self.network.output.scale, channel)
        expected = accumulator * float(between.scale[channel]) + float(between.bias[channel])
        said = f"for {given} the golden simulator gives {y}, real {real:g}, the float64 model {expected:g}"
        return {"status": REFUTED, "counterexample": f"{'confirmed' if real != expected else 'not confirmed'}: {said}"}

    def _evaluated(self, name: str, held: Mapping[str, Int64]) -> npt.NDArray[Any]:
        """The integers of a node for values of tensors."""
        if name in held:
            return held[name]
        node = self.nodes[name]
        given = (self._evaluated(each, held)[None].astype(np.int32) for each in node.inputs)
        found: npt.NDArray[Any] = node.layer.evaluate(*given)[0]
        return found

    def _levels(self, name: str, quantizer: Quantizer) -> _Found:
        between = self.sums.between[name]
        both = self._both(name, between.source)
        if isinstance(both, str) or self.nodes[name].layer.kind not in ("threshold", "neurons", "lookup"):
            return self.without(name, OPEN, both if isinstance(both, str) else "the network counts no thresholds there")
        if unknown := unknown_operator(between.chain):
            return self.without(name, NOT_TRIED, unknown)
        channels = Channels(*both)
        if self.nodes[name].layer.kind == "lookup" or not are_lines(between.chain):
            span = both[0].reach.low.astype(np.int64), both[0].reach.high.astype(np.int64)
            found = function_claims(self.nodes[name], quantizer, between, channels, span)
            behind = ", ".join(each.kind for each in between.chain)
            return _Found(name, _LEVEL, f"every accumulator through the float64 model behind {behind}", found)
        layer, reach = self.nodes[name].layer, both[0].reach
        sign = np.array([channels.same(channel) for channel in range(reach.channels)], np.int64)
        lines = _lines(between, channels, np.where(sign == 0, 1, sign))
        model_lines = compose(*_rationals(between), between.chain)
        claims = []
        for channel, line in enumerate(lines):
            ends = int(reach.low[channel]), int(reach.high[channel])
            counted = Counted(layer, line, quantizer, between, int(sign[channel] or 1), channel, ends)
            claim: dict[str, Any] = {"status": PROVED, "range": list(ends)}
            if not sign[channel]:
                claim |= _unlike(channels, channel, counted, model_lines[channel])
            elif (wrong := counted.wrong()) is not None:
                claim |= _otherwise(channels, channel, counted, wrong)
            claims.append(claim)
        seen = self._in_float64(name, quantizer, between, channels, both[0], sign, claims)
        behind = f" behind {', '.join(each.kind for each in between.chain)}" if between.chain else ""
        return _Found(name, _LEVEL, f"thresholds in rationals{behind}{seen}", claims)

    def _in_float64(
        self,
        name: str,
        quantizer: Quantizer,
        between: Between,
        channels: Channels,
        both: Sum,
        sign: Int64,
        claims: list[dict[str, Any]],
    ) -> str:
        """How many accumulators the model was computed for in float64, as Brevitas does; its difference is entered."""
        apart = np.any(channels.constant != sign * channels.model_constant)
        if not sign.all() or apart or any(claim["status"] != PROVED for claim in claims):
            return ""
        fields, reach = vars(self.nodes[name].layer), both.reach
        reference = Reference(between.scale, between.bias, sign, between.chain, quantizer)
        rows = np.clip(fields["thresholds"].astype(np.int64), reach.low[:, None], reach.high[:, None] + 1)
        try:
            count = prove(name, rows, int(fields["base"]), reference, reach.low, reach.high)
        except CheckFailed as error:
            claims[0] |= {"status": OPEN, "detail": f"in rationals; in float64 {error.problem}"}
            return ""
        return f"; the float64 model at {count:,} accumulators"


def _otherwise(channels: Channels, channel: int, counted: Counted, wrong: tuple[int, int]) -> dict[str, Any]:
    """What is found of a channel whose level is another at an accumulator: whether values add up to such a one."""
    names, own, _ = channels.functions(channel)
    base = int(channels.constant[channel])
    exact = ExactLevels(counted.line, counted.quantizer, *counted.reach)
    given = f"accumulator {wrong[0]}"
    try:
        found = differing(own, own, (lambda z: counted.own(z + base), lambda z: exact(z + base)))
        if found is None:
            detail = "its level is another for accumulators that no values of its inputs add up to"
            return {"status": OPEN, "detail": detail}
        z = base + sum(int(each[at]) for each, at in zip(own, found, strict=True))
        wrong = z, int(exact(np.array([z]))[0])
        given = _named(names, found)
    except ValueError:
        pass
    model = int(channels.model_constant[channel]) + counted.sign * (wrong[0] - base)
    return {"status": REFUTED, "counterexample": counted.said(given, wrong[1], wrong[0], counted.sign * model)}


def _named(names: list[tuple[str, int, int]], positions: list[int]) -> str:
    """Values of inputs in words; those that are the least are left out."""
    given = [f"{name}[{i}] = {low + at}" for (name, i, low), at in zip(names, positions, strict=True) if at]
    return f"{', '.join(given)}, others least," if given else "the least inputs"


def _unlike(channels: Channels, channel: int, counted: Counted, model_line: ClampedLine) -> dict[str, Any]:
    """What is found of a channel whose weights are not the model's: values of its inputs for another level."""
    names, own, model = channels.functions(channel)
    shift, base = int(channels.model_constant[channel]), int(channels.constant[channel])
    reach = sum(int(np.abs(each).max()) for each in (*own, *model)) + abs(shift)
    exact = ExactLevels(model_line, counted.quantizer, -reach, reach)
    detail = "its weights are not those of the trained model"
    try:
        found = differing(own, model, (lambda z: counted.own(z + base), lambda z: exact(z + shift)))
    except ValueError:
        return {"status": OPEN, "detail": detail}
    if found is None:
        return {"status": OPEN, "detail": f"{detail}, yet every level is"}
    mine, theirs = (
        start + sum(int(each[at]) for each, at in zip(side, found, strict=True))
        for start, side in ((base, own), (shift, model))
    )
    said = counted.said(_named(names, found), int(exact(np.array([theirs]))[0]), mine, theirs)
    return {"status": REFUTED, "counterexample": said}


def _rationals(between: Between) -> tuple[list[Fraction], list[Fraction]]:
    """Scales and biases as they are."""
    scales, biases = ([Fraction(each) for each in values.tolist()] for values in (between.scale, between.bias))
    return scales, biases


def _lines(between: Between, channels: Channels, sign: Int64) -> list[ClampedLine]:
    """The line of each channel over the network's accumulator z: the model's is sign · (z − its constant) + its own."""
    slopes = [Fraction(float(scale)) * int(s) for scale, s in zip(between.scale, sign, strict=True)]
    offsets = [
        Fraction(float(bias)) + Fraction(float(scale)) * int(model) - slope * int(own)
        for bias, scale, slope, own, model in zip(
            between.bias, between.scale, slopes, channels.constant, channels.model_constant, strict=True
        )
    ]
    return compose(slopes, offsets, between.chain)


def _at(values: npt.NDArray[Any], channel: int) -> float:
    return float(values[channel if values.size > 1 else 0])
