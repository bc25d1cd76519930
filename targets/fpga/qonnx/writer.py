"""A network as QONNX, in the shape that FINN takes whole (see `rules`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, MissingTool
from edgeml.network import Dense, Network, Threshold
from edgeml.network.task import CLASSES
from edgeml.verification.stated_scales import STATEMENT, StatedScales

from .activation import affine_of_thresholds

__all__ = ["RESULT", "to_qonnx"]

RESULT = "result"
"""Name of the tensor that holds the network's output integers, as floats."""
_DOMAIN = "qonnx.custom_op.general"
_OPSET = 13
_INPUT_SAID = (
    f"Integers, not real numbers: {STATEMENT} in the file's metadata says how real numbers become them, and what the "
    "results stand for."
)


class _Graph:
    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.shapes: list[Any] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [output], name, domain=domain, **attributes))
        return output

    def shape(self, name: str, size: tuple[int, ...]) -> None:
        self.shapes.append(self.onnx.helper.make_tensor_value_info(name, self.onnx.TensorProto.FLOAT, size))

    def quant(self, source: str, output: str, bits: int, *, signed: bool, narrow: bool) -> str:
        one = self.constant(f"{output}_scale", np.array(1.0, np.float32))
        zero = self.constant(f"{output}_zero_point", np.array(0.0, np.float32))
        width = self.constant(f"{output}_bits", np.array(float(bits), np.float32))
        return self.node(
            "Quant",
            [source, one, zero, width],
            output,
            _DOMAIN,
            signed=int(signed),
            narrow=int(narrow),
            rounding_mode="ROUND",
        )


def to_qonnx(network: Network) -> bytes:
    """The file's content; the same network gives the same bytes.

    The graph takes input integers (as floats: the host quantizes) and gives `result`, then the class by TopK where
    the network has labels for classes; the model's metadata states how the host quantizes, and what `result` stands
    for. Batch norm, biases and scales stand as one Mul and Add per activation, which reproduce the integer thresholds
    for every accumulator value.

    Raises
    ------
    InputError : the network cannot be said in QONNX as FINN takes it; names the layer and the rule.
    MissingTool : the package onnx is not installed.
    """
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise MissingTool("onnx", "is not installed", "pip install onnx") from error
    graph = _Graph(onnx)
    quantizer = network.quantizer
    # A signed Quant of 1 bit is bipolar (−1 and 1) to qonnx: −1 and 0 stand in 2 bits.
    bits = max(quantizer.bits + (0 if quantizer.signed else 1), 2)
    if bits > 8:
        raise InputError("input", "FINN takes signed inputs of at most 8 bits; this one is unsigned and has 8", "Use 7")
    current = graph.quant("input", "input_quantized", bits, signed=True, narrow=False)
    graph.shape(current, (1, network.input_size))
    nodes = network.layers
    for position, node in enumerate(nodes):
        before = nodes[position - 1].name if position else network.nodes[0].name
        if node.inputs != (before,):
            raise InputError(f"layer {node.name}", "rule chain: FINN's flow takes a chain, this is a branch")
        last = position == len(nodes) - 1
        output = RESULT if last else node.name
        if isinstance(node.layer, Dense):
            current = _dense(graph, network, node.name, node.layer, current, last, output)
        elif isinstance(node.layer, Threshold) and position and isinstance(nodes[position - 1].layer, Dense):
            current = _threshold(graph, network, node.name, node.layer, before, current, output)
        else:
            raise InputError(f"layer {node.name}", f"rule known-layers: {node.layer.kind} has no place in FINN's flow")
    outputs = [onnx.helper.make_tensor_value_info(RESULT, onnx.TensorProto.FLOAT, (1, network.output_size))]
    if network.output.labels and network.task == CLASSES:
        graph.shapes.append(outputs[0])
        count = graph.constant("topk_count", np.array([1], np.int64))
        graph.nodes.append(
            onnx.helper.make_node("TopK", [RESULT, count], ["top_value", "class"], "TopK", axis=-1, largest=1, sorted=1)
        )
        graph.shapes.append(onnx.helper.make_tensor_value_info("top_value", onnx.TensorProto.FLOAT, (1, 1)))
        outputs = [onnx.helper.make_tensor_value_info("class", onnx.TensorProto.INT64, (1, 1))]
    body = onnx.helper.make_graph(
        graph.nodes,
        network.name,
        [onnx.helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, (1, network.input_size), _INPUT_SAID)],
        outputs,
        graph.constants,
        value_info=graph.shapes,
    )
    model = onnx.helper.make_model(
        body,
        producer_name="edgeml",
        ir_version=8,
        opset_imports=[onnx.helper.make_opsetid("", _OPSET), onnx.helper.make_opsetid(_DOMAIN, 1)],
    )
    onnx.helper.set_model_props(model, {STATEMENT: StatedScales.of(network).as_json()})
    return bytes(model.SerializeToString(deterministic=True))


def _constant_of(layer: Dense) -> npt.NDArray[np.int64]:
    weight = layer.weight.astype(np.int64)
    constant: npt.NDArray[np.int64] = layer.bias - layer.input_zero_point * weight.sum(axis=1)
    return constant


def _dense(graph: _Graph, network: Network, name: str, layer: Dense, source: str, last: bool, output: str) -> str:
    """MatMul with (inputs, outputs) weights; the constant is left to the activation, or added behind the last layer."""
    weight = graph.constant(f"{name}_weight", layer.weight.T.astype(np.float32))
    if layer.weight_bits == 1:
        one = graph.constant(f"{name}_weight_scale", np.array(1.0, np.float32))
        weight = graph.node("BipolarQuant", [weight, one], f"{name}_weight_quantized", _DOMAIN)
    else:
        narrow = int(layer.weight.min()) > -(2 ** (layer.weight_bits - 1))
        weight = graph.quant(weight, f"{name}_weight_quantized", layer.weight_bits, signed=True, narrow=narrow)
    constant = _constant_of(layer)
    plain = not last or not np.any(constant)
    product = output if plain else f"{name}_product"
    graph.node("MatMul", [source, weight], product)
    graph.shape(product, (1, layer.outputs)) if product != RESULT else None
    if not plain:
        shift = graph.constant(f"{name}_constant", constant.astype(np.float32))
        graph.node("Add", [product, shift], output)
    return output


def _threshold(
    graph: _Graph, network: Network, name: str, layer: Threshold, dense_name: str, source: str, output: str
) -> str:
    bits = (layer.levels + 1).bit_length() - 1
    if 2**bits != layer.levels + 1:
        raise InputError(f"layer {name}", f"rule whole-bits: {layer.levels + 1} levels are no power of two")
    if layer.base not in (0, -(2 ** (bits - 1))):
        raise InputError(f"layer {name}", f"rule quant-range: outputs start at {layer.base}, which no Quant gives")
    if layer.base < 0 and bits == 1:
        raise InputError(f"layer {name}", "rule quant-range: outputs −1 and 0; a signed Quant of 1 bit gives −1 and 1")
    dense = next(node.layer for node in network.layers if node.name == dense_name)
    assert isinstance(dense, Dense)
    constant = _constant_of(dense)
    ranges = network.ranges[dense_name]
    scale, shift = np.empty((2, layer.channels), np.float32)
    for channel in range(layer.channels):
        offset = int(constant[channel])
        found = affine_of_thresholds(
            layer.thresholds[channel].astype(np.int64) - offset,
            layer.base,
            int(ranges.low[channel]) - offset,
            int(ranges.high[channel]) - offset,
        )
        if found is None:
            raise InputError(
                f"layer {name}", f"rule even-thresholds: channel {channel} is no rounding of a scaled sum", "Refused"
            )
        scale[channel], shift[channel] = found
    graph.shape(graph.node("Mul", [source, graph.constant(f"{name}_factor", scale)], f"{name}_scaled"), (1, len(scale)))
    current = graph.node("Add", [f"{name}_scaled", graph.constant(f"{name}_shift", shift)], f"{name}_shifted")
    graph.shape(current, (1, layer.channels))
    if layer.base == 0:
        current = graph.node("Relu", [current], f"{name}_relu")
        graph.shape(current, (1, layer.channels))
    graph.quant(current, output, bits, signed=layer.base < 0, narrow=False)
    if output != RESULT:
        graph.shape(output, (1, layer.channels))
    return output
