"""A network as QONNX, in the shape that FINN takes whole (see `rules`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.network import Add, Dense, Encode, Network, Node, Threshold, expanded
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.multiply import Multiply
from edgeml.network.task import CLASSES
from edgeml.verification.stated_encoding import ENCODING_STATEMENT, stated_encoding, statement
from edgeml.verification.stated_scales import STATEMENT, StatedScales

from .activation import affine_of_thresholds, steps_of_table
from .graph import QonnxGraph

__all__ = ["RESULT", "to_qonnx"]

_EXACT = 2**24
"""float32 holds every integer up to here."""

RESULT = "result"
"""Name of the tensor that holds the network's output integers, as floats."""
_INPUT_SAID = (
    f"Integers, not real numbers: {STATEMENT} in the file's metadata says how real numbers become them, and what the "
    "results stand for."
)


_BITS_SAID = (
    f"Bits, 0 or 1: {ENCODING_STATEMENT} in the file's metadata says how they are made of integers, {STATEMENT} how "
    "real numbers become these, and what the results stand for."
)


@dataclass(frozen=True)
class _Place:
    """A layer where it stands, the tensors that it takes, and the one that it gives."""

    network: Network
    node: Node
    sources: tuple[str, ...]
    output: str

    @property
    def before(self) -> str:
        """The node whose integers it takes, the first of them."""
        return self.node.inputs[0]

    @property
    def source(self) -> str:
        return self.sources[0]

    @property
    def last(self) -> bool:
        return self.output == RESULT

    @property
    def leaves_constant(self) -> bool:
        """Whether thresholds follow, which take the constant of a sum."""
        behind = [node.layer.kind for node in self.network.layers if self.node.name in node.inputs]
        return set(behind) == {Threshold.kind}


def to_qonnx(network: Network) -> bytes:
    """The file's content; the same network gives the same bytes.

    The graph takes input integers (as floats: the host quantizes), or the bits that an encoding right behind the input
    makes of them (FINN has no layer for that: the host makes them), and gives `result`, then the class by TopK if
    the network has labels for classes; the model's metadata states how the host quantizes, and what `result` stands
    for. Batch norm, biases and scales stand as one Mul and Add per activation, which reproduce the integer thresholds
    for every accumulator value; thresholds of unlike widths stand as a MultiThreshold, a table as two and their
    difference. Sums and products of two tensors are an Add and a Mul, a concatenation a sum of tensors among zeros.

    Raises
    ------
    InputError : the network cannot be said in QONNX as FINN takes it; names the layer and the rule.
    MissingTool : the package onnx is not installed.
    """
    network = expanded(network)
    graph = QonnxGraph()
    encode = stated_encoding(network)
    tensors = {(network.nodes[0] if encode is None else network.layers[0]).name: _input(graph, network, encode)}
    for node in network.layers[0 if encode is None else 1 :]:
        if not set(node.inputs) <= set(tensors):
            raise InputError(f"layer {node.name}", "takes the input beside its bits, of which QONNX files hold one")
        output = RESULT if node is network.layers[-1] else node.name
        write = _BY_KIND.get(node.layer.kind, _foreign)
        tensors[node.name] = write(graph, _Place(network, node, tuple(tensors[name] for name in node.inputs), output))
    result = graph.tensor(RESULT, (1, network.output_size))
    outputs = [result]
    if network.output.labels and network.task == CLASSES:
        graph.shapes.append(result)
        outputs = [graph.top_class(RESULT)]
    properties = {STATEMENT: StatedScales.of(network).as_json()}
    if encode is None:
        inputs = [graph.tensor("input", (1, network.input_size), _INPUT_SAID)]
    else:
        inputs = [graph.tensor("input", (1, encode.outputs), _BITS_SAID)]
        properties[ENCODING_STATEMENT] = statement(encode)
    return graph.content(network.name, inputs, outputs, properties)


def _input(graph: QonnxGraph, network: Network, encode: Encode | None) -> str:
    """The quantizer that integers of the input, or their bits, pass unchanged."""
    if encode is not None:
        current = graph.quant("input", "input_quantized", 2, signed=True, narrow=False)
        graph.shape(current, (1, encode.outputs))
        return current
    quantizer = network.quantizer
    # A signed Quant of 1 bit is bipolar (−1 and 1) to qonnx: −1 and 0 stand in 2 bits.
    bits = max(quantizer.bits + (0 if quantizer.signed else 1), 2)
    if bits > 8:
        raise InputError("input", "FINN takes signed inputs of at most 8 bits; this one is unsigned and has 8", "Use 7")
    current = graph.quant("input", "input_quantized", bits, signed=True, narrow=False)
    graph.shape(current, (1, network.input_size))
    return current


def _foreign(graph: QonnxGraph, place: _Place) -> str:
    kind = place.node.layer.kind
    raise InputError(f"layer {place.node.name}", f"rule known-layers: {kind} has no place in FINN's flow")


def _constant_of(layer: Dense) -> npt.NDArray[np.int64]:
    weight = layer.weight.astype(np.int64)
    constant: npt.NDArray[np.int64] = layer.bias - layer.input_zero_point * weight.sum(axis=1)
    return constant


def _dense(graph: QonnxGraph, place: _Place) -> str:
    """MatMul with (inputs, outputs) weights; the constant is left to an activation, or else added."""
    name, output = place.node.name, place.output
    layer = place.network.of_kind(Dense)[name]
    weight = graph.constant(f"{name}_weight", layer.weight.T.astype(np.float32))
    if layer.weight_bits == 1:
        one = graph.constant(f"{name}_weight_scale", np.array(1.0, np.float32))
        weight = graph.bipolar(weight, one, f"{name}_weight_quantized")
    else:
        narrow = int(layer.weight.min()) > -(2 ** (layer.weight_bits - 1))
        weight = graph.quant(weight, f"{name}_weight_quantized", layer.weight_bits, signed=True, narrow=narrow)
    constant = _constant_of(layer)
    plain = place.leaves_constant or not np.any(constant)
    product = output if plain else f"{name}_product"
    graph.node("MatMul", [place.source, weight], product)
    if product != RESULT:
        graph.shape(product, (1, layer.outputs))
    if not plain:
        shift = graph.constant(f"{name}_constant", constant.astype(np.float32))
        graph.node("Add", [product, shift], output)
        if output != RESULT:
            graph.shape(output, (1, layer.outputs))
    return output


def _threshold(graph: QonnxGraph, place: _Place) -> str:
    """Mul, Add and Quant, and a Relu between if the outputs start at 0: an activation behind a dense layer. A
    MultiThreshold where no Quant gives these integers, as behind tanh: steps of unlike widths are no rounding."""
    name, output = place.node.name, place.output
    layer, dense = place.network.of_kind(Threshold)[name], place.network.of_kind(Dense).get(place.before)
    bits = _bits_of_levels(layer)
    affine = None if dense is None or bits is None else _scales(place, layer, dense)
    if affine is None or bits is None:
        return _multi_threshold(graph, place, layer, dense)
    scale, shift = affine
    factor = graph.constant(f"{name}_factor", scale)
    graph.shape(graph.node("Mul", [place.source, factor], f"{name}_scaled"), (1, len(scale)))
    current = graph.node("Add", [f"{name}_scaled", graph.constant(f"{name}_shift", shift)], f"{name}_shifted")
    graph.shape(current, (1, layer.channels))
    if layer.base == 0:
        current = graph.node("Relu", [current], f"{name}_relu")
        graph.shape(current, (1, layer.channels))
    graph.quant(current, output, bits, signed=layer.base < 0, narrow=False)
    if not place.last:
        graph.shape(output, (1, layer.channels))
    return output


def _multi_threshold(graph: QonnxGraph, place: _Place, layer: Threshold, dense: Dense | None) -> str:
    """The thresholds as they are, less the constant that the dense layer has left to them."""
    _require_floats(place)
    thresholds = layer.thresholds.astype(np.int64)
    if dense is not None:
        thresholds = thresholds - _constant_of(dense)[:, None]
    # Beyond what a value can reach the place of a threshold does not matter, and float32 need not hold it.
    graph.multi_threshold(place.source, np.clip(thresholds, -_EXACT, _EXACT), layer.base, place.output)
    if not place.last:
        graph.shape(place.output, (1, layer.channels))
    return place.output


def _lookup(graph: QonnxGraph, place: _Place) -> str:
    """The steps up of a table less its steps down; one MultiThreshold where it never falls."""
    _require_floats(place)
    name, size = place.node.name, place.network.sizes[place.node.name]
    layer = place.network.of_kind(Lookup)[name]
    steps = steps_of_table(layer.table, layer.base, *place.network.ranges[place.before].bounds)
    up, down = (each[None] if each.size else np.full((1, 1), _EXACT) for each in (steps.up, steps.down))
    if not steps.down.size:
        graph.multi_threshold(place.source, up, steps.base, place.output)
    else:
        risen = graph.multi_threshold(place.source, up, steps.base, f"{name}_risen")
        fallen = graph.multi_threshold(place.source, down, 0, f"{name}_fallen")
        for part in (risen, fallen):
            graph.shape(part, (1, size))
        graph.node("Sub", [risen, fallen], place.output)
    if not place.last:
        graph.shape(place.output, (1, size))
    return place.output


def _joined(graph: QonnxGraph, place: _Place) -> str:
    """A sum or a product of two tensors."""
    low, high = place.network.ranges[place.node.name].bounds
    if max(-low, high) >= _EXACT:
        raise InputError(f"layer {place.node.name}", f"rule float32: gives values of up to {max(-low, high)}")
    graph.node("Add" if place.node.layer.kind == Add.kind else "Mul", list(place.sources), place.output)
    if not place.last:
        graph.shape(place.output, (1, place.network.sizes[place.node.name]))
    return place.output


def _require_floats(place: _Place) -> None:
    """InputError if float32 cannot hold what is compared."""
    low, high = place.network.ranges[place.before].bounds
    dense = place.network.of_kind(Dense).get(place.before)
    room = 0 if dense is None else int(np.abs(_constant_of(dense)).max())
    if max(-low, high) + room >= _EXACT:
        raise InputError(f"layer {place.node.name}", f"rule float32: compares values of up to {max(-low, high) + room}")


def _bits_of_levels(layer: Threshold) -> int | None:
    """Bits of a Quant that gives a threshold layer's outputs; None if none does."""
    bits = (layer.levels + 1).bit_length() - 1
    if 2**bits != layer.levels + 1 or layer.base not in (0, -(2 ** (bits - 1))):
        return None
    return None if layer.base < 0 and bits == 1 else bits  # a signed Quant of 1 bit gives −1 and 1


def _scales(place: _Place, layer: Threshold, dense: Dense) -> npt.NDArray[np.float32] | None:
    """Factors and shifts [2, channels] of the accumulators without their constants, see `affine_of_thresholds`; None
    where a channel is not a rounding of a scaled sum."""
    constant, ranges = _constant_of(dense), place.network.ranges[place.before]
    found = np.empty((2, layer.channels), np.float32)
    for channel in range(layer.channels):
        offset = int(constant[channel])
        affine = affine_of_thresholds(
            layer.thresholds[channel].astype(np.int64) - offset,
            layer.base,
            int(ranges.low[channel]) - offset,
            int(ranges.high[channel]) - offset,
        )
        if affine is None:
            return None
        found[:, channel] = affine
    return found


_BY_KIND: Mapping[str, Callable[[QonnxGraph, _Place], str]] = {
    Dense.kind: _dense,
    Threshold.kind: _threshold,
    Lookup.kind: _lookup,
    Add.kind: _joined,
    Multiply.kind: _joined,
}
"""What writes a layer, by its kind; gives the name of the tensor that the layer gives."""
