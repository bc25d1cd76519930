"""The rules by which FINN takes a QONNX model whole, one named function each; they read the file, not our network.

Each rule was seen to matter in FINN's own Python steps: a model that breaks one is refused there with an obscure
message, or part of it stays on the host. `inspect_file` is what `edgeml inspect` finds by its entry point.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edgeml.errors import InputError, MissingTool, printable
from edgeml.extras import install_extra
from edgeml.frontends.format import read_bounded
from edgeml.frontends.onnx_model.message_size import check_extent
from edgeml.frontends.onnx_model.tensors import tensor_array
from edgeml.plugins import RuleResult

__all__ = ["check_model", "inspect_file", "read_model"]

_LARGEST_FILE = 2**29
_MOST_NODES = 10_000
_FREE = {"Quant", "BipolarQuant", "MultiThreshold"}
_ARRANGE = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Transpose"}
_ARITHMETIC = {"Add", "Sub", "Mul", "Div"}


class _Finding(NamedTuple):
    """What a rule found: the node at fault, and what to do, where it is broken."""

    passed: bool
    detail: str
    remedy: str = ""
    node: str = ""


def read_model(content: bytes, where: str) -> Any:
    """An ONNX model from bytes, without external data; InputError where it is none."""
    try:
        import onnx
    except ImportError as error:
        raise MissingTool("onnx", "is not installed", install_extra("convert")) from error
    if len(content) > _LARGEST_FILE:
        raise InputError(where, f"has more than {_LARGEST_FILE} bytes")
    check_extent(content, onnx.ModelProto.DESCRIPTOR, where)
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's errors have no common base that is public
        raise InputError(where, f"is no ONNX model ({type(error).__name__})") from error
    if len(model.graph.node) > _MOST_NODES:
        raise InputError(where, f"has {len(model.graph.node)} operators; the most is {_MOST_NODES}")
    return model


class _View:
    """A model with its constants, producers and consumers at hand."""

    def __init__(self, model: Any, where: str) -> None:
        self.model = model
        self.nodes = list(model.graph.node)
        self.external = [t.name for t in model.graph.initializer if t.data_location == 1]
        self.constants = {
            t.name: tensor_array(t, f"{where}, tensor {printable(t.name)!r}", None)
            for t in model.graph.initializer
            if t.data_location != 1
        }
        self.producer = {output: node for node in self.nodes for output in node.output}
        self._consumers: dict[str, list[Any]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.input):
                self._consumers.setdefault(name, []).append(node)

    def consumers(self, tensor: str) -> list[Any]:
        return self._consumers.get(tensor, [])

    def attribute(self, node: Any, name: str, default: Any) -> Any:
        for attribute in node.attribute:
            if attribute.name == name:
                return attribute.s.decode(errors="replace") if attribute.type == 3 else attribute.i
        return default

    def inputs(self) -> list[Any]:
        names = {tensor.name for tensor in self.model.graph.initializer}
        return [value for value in self.model.graph.input if value.name not in names]

    def constant(self, node: Any, position: int) -> Any:
        return self.constants.get(node.input[position]) if len(node.input) > position else None

    def scalar(self, node: Any, position: int) -> float | None:
        value = self.constant(node, position)
        return float(value.ravel()[0]) if value is not None and value.size == 1 else None

    def is_weight(self, node: Any) -> bool:
        return bool(node.input) and node.input[0] in self.constants

    def weight_quantizer(self, product: Any) -> Any:
        """The node that quantizes the weights of a MatMul or Gemm, a Transpose between them left out; or None."""
        node = self.producer.get(product.input[1]) if len(product.input) > 1 else None
        if node is not None and node.op_type == "Transpose" and node.input:
            node = self.producer.get(node.input[0])
        return node

    def behind(self, tensor: str) -> list[Any]:
        """The first nodes on each path from `tensor` that do more than arrange it or shift and scale it."""
        found, waiting, seen = [], [tensor], {tensor}
        while waiting:
            for node in self.consumers(waiting.pop()):
                scales = node.op_type in _ARITHMETIC and any(name in self.constants for name in node.input)
                if node.op_type in _ARRANGE or scales:
                    waiting.extend(name for name in node.output if name not in seen)
                    seen.update(node.output)
                elif node.op_type != "Shape":
                    found.append(node)
        return found


def _name(node: Any) -> str:
    """A node for people: its name, or what it gives."""
    return printable(node.name or (node.output[0] if node.output else node.op_type), 80)


def _one_file(view: _View) -> _Finding:
    if view.external:
        names = printable(", ".join(view.external[:3]))
        return _Finding(False, f"tensors outside the file: {names}", "Export without external data")
    return _Finding(True, "all tensors are in the file")


def _opset(view: _View) -> _Finding:
    versions = [entry.version for entry in view.model.opset_import if entry.domain in ("", "ai.onnx")]
    return _Finding(not versions or max(versions) <= 13, f"opset {versions}", "Export with opset 13")


def _static_shapes(view: _View) -> _Finding:
    for value in view.inputs():
        sizes = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if not sizes or not all(size > 0 for size in sizes):
            detail = f"input {printable(value.name)} has shape {sizes[:16]}"
            return _Finding(False, detail, "Export with a fixed batch size", printable(value.name, 80))
    return _Finding(True, "all inputs have fixed shapes")


def _matmul(view: _View) -> _Finding:
    gemm = [_name(node) for node in view.nodes if node.op_type == "Gemm"]
    if gemm:
        remedy = "Write MatMul with (inputs, outputs) weights, then Add"
        return _Finding(False, f"{len(gemm)} Gemm: {', '.join(gemm[:4])}", remedy, gemm[0])
    return _Finding(True, "no Gemm")


def _input_quantizer(view: _View) -> _Finding:
    remedy = "Quantize the input with a signed Quant of zero point 0 and at most 8 bits"
    for value in view.inputs():
        for node in view.behind(value.name):
            if node.op_type == "BipolarQuant":
                continue
            if node.op_type != "Quant":
                kind = printable(node.op_type, 40)
                return _Finding(False, f"the input goes to {kind} without a Quant", remedy, _name(node))
            bits, zero = view.scalar(node, 3), view.scalar(node, 2)
            if not view.attribute(node, "signed", 1):
                return _Finding(False, "the input's Quant is unsigned", remedy, _name(node))
            if zero != 0 or bits is None or bits > 8:
                return _Finding(False, f"the input's Quant has zero point {zero} and {bits} bits", remedy, _name(node))
    return _Finding(True, "signed, zero point 0, at most 8 bits")


def _hidden_activations(view: _View) -> _Finding:
    remedy = "Use ReLU, then an unsigned, non-narrow Quant"
    for node in view.nodes:
        if node.op_type in ("Sigmoid", "Tanh", "Gelu", "LeakyRelu", "Elu"):
            return _Finding(False, f"activation {node.op_type}", remedy, _name(node))
        if node.op_type == "Relu" and node.output:
            for after in view.consumers(node.output[0]):
                signed, narrow = view.attribute(after, "signed", 1), view.attribute(after, "narrow", 0)
                if after.op_type not in _FREE or (after.op_type == "Quant" and (signed or narrow)):
                    kind = printable(after.op_type, 40)
                    return _Finding(
                        False, f"Relu is followed by {kind}, signed {signed}, narrow {narrow}", remedy, _name(after)
                    )
    return _Finding(True, "every ReLU is followed by an unsigned Quant")


def _weights_not_forked(view: _View) -> _Finding:
    for node in view.nodes:
        if node.op_type in _FREE and view.is_weight(node) and node.output:
            users = len(view.consumers(node.output[0]))
            if users > 1:
                return _Finding(False, f"a weight quantizer has {users} users", "Give each layer its own", _name(node))
    return _Finding(True, "each weight quantizer has one user")


def _narrow_weights(view: _View) -> _Finding:
    for node in view.nodes:
        if node.op_type == "Mul":
            factors = [(view.constants[name], other) for name, other in _pairs(node) if name in view.constants]
        elif node.op_type == "BatchNormalization" and len(node.input) > 1:
            factors = [(view.constants[node.input[1]], node.input[0])] if node.input[1] in view.constants else []
        else:
            continue
        for factor, other in factors:
            product = view.producer.get(other)
            if not np.any(factor < 0) or product is None or product.op_type not in ("MatMul", "Gemm"):
                continue
            weight = view.weight_quantizer(product)
            if weight is not None and weight.op_type == "Quant" and not view.attribute(weight, "narrow", 0):
                return _Finding(
                    False,
                    "full-range weights meet a negative scale",
                    "Use narrow weights (2 bits: −1, 0, 1), or flip those rows beforehand",
                    _name(weight),
                )
    return _Finding(True, "no full-range weight meets a negative scale")


def _pairs(node: Any) -> list[tuple[str, str]]:
    """The inputs of an operator of two, each with the other one."""
    names = list(node.input)
    return [(names[0], names[1]), (names[1], names[0])] if len(names) == 2 else []


def _last_layer(view: _View) -> _Finding:
    products = [node for node in view.nodes if node.op_type in ("MatMul", "Gemm") and node.output]
    if not products:
        return _Finding(False, "no MatMul in the model", "FINN's flow is made of MatMul layers")
    remedy = "Train the last layer without bias and with one scale for all outputs; end with TopK"
    behind = view.behind(products[-1].output[0])
    if behind and all(node.op_type in _FREE for node in behind):
        return _Finding(True, "a quantizer behind the last layer takes its bias and scales")
    if len(products[-1].input) > 2:
        return _Finding(False, "the last layer has a bias: it stays on the host", remedy, _name(products[-1]))
    after, seen = [products[-1].output[0]], {products[-1].output[0]}
    while after:
        for node in view.consumers(after.pop()):
            if node.op_type == "Add":
                return _Finding(False, "the last layer has a bias: it stays on the host", remedy, _name(node))
            factors = [view.constants[name] for name in node.input if name in view.constants]
            if node.op_type == "Mul" and any(factor.size > 1 for factor in factors):
                detail = "the last layer has a scale per channel: it stays on the host"
                return _Finding(False, detail, remedy, _name(node))
            if node.op_type not in ("TopK", "Quant", "MultiThreshold", "BipolarQuant"):
                after.extend(name for name in node.output if name not in seen)
                seen.update(node.output)
    return _Finding(True, "no bias and no per-channel scale behind the last MatMul")


def _divisors(view: _View) -> _Finding:
    for node in view.nodes:
        if node.op_type not in ("MatMul", "Gemm") or len(node.input) < 2:
            continue
        quantizer = view.weight_quantizer(node)
        weight = view.constant(quantizer, 0) if quantizer is not None else view.constants.get(node.input[1])
        for size in weight.shape if weight is not None and weight.ndim == 2 else ():
            if size > 16 and sum(1 for d in range(2, min(size, 129)) if size % d == 0) < 2:
                detail = f"{size} has hardly any divisor to fold by"
                return _Finding(False, detail, f"Pad to {-(-size // 8) * 8}", _name(node))
    return _Finding(True, "all widths have divisors")


def _no_difference(view: _View) -> _Finding:
    for node in view.nodes:
        if node.op_type == "Sub" and not any(name in view.constants for name in node.input):
            remedy = "Use functions that never fall, or take the RTL"
            return _Finding(False, "a difference of two tensors: FINN has no unit for it", remedy, _name(node))
    return _Finding(True, "no difference of two tensors")


def _chain(view: _View) -> _Finding:
    for node in view.nodes:
        if node.op_type in ("Add", "Mul") and not any(name in view.constants for name in node.input):
            remedy = "Take the RTL, or a network without residual paths, concatenations and gates"
            what = "a sum" if node.op_type == "Add" else "a product"
            return _Finding(False, f"{what} of two tensors: FINN's flow was run on chains alone", remedy, _name(node))
    return _Finding(True, "each layer takes the one before it")


_RULES: dict[str, Callable[[_View], _Finding]] = {
    "finn-one-file": _one_file,
    "finn-opset-13": _opset,
    "finn-static-shapes": _static_shapes,
    "finn-matmul-not-gemm": _matmul,
    "finn-signed-input-quant": _input_quantizer,
    "finn-relu-then-unsigned-quant": _hidden_activations,
    "finn-weight-quant-not-forked": _weights_not_forked,
    "finn-narrow-weights-with-negative-scale": _narrow_weights,
    "finn-last-layer-without-bias": _last_layer,
    "finn-widths-with-divisors": _divisors,
    "finn-no-difference-of-tensors": _no_difference,
    "finn-chain": _chain,
}


def check_model(content: bytes, where: str = "model.onnx") -> list[RuleResult]:
    """Every rule applied to a QONNX file's content, by name; `layer` names the node at fault."""
    return _check(_View(read_model(content, where), where))


def inspect_file(path: Path) -> list[RuleResult] | None:
    """The rules applied to the QONNX file at `path`; None where it is another kind of file, or quantizes nothing."""
    if path.suffix.lower() != ".onnx":
        return None
    model = read_model(read_bounded(path, _LARGEST_FILE), str(path))
    if not any(node.op_type in (*_FREE, "Trunc") for node in model.graph.node):
        return None
    return _check(_View(model, str(path)))


def _check(view: _View) -> list[RuleResult]:
    findings = [(name, rule(view)) for name, rule in _RULES.items()]
    return [
        RuleResult(name, each.passed, each.detail, each.node, "" if each.passed else each.remedy)
        for name, each in findings
    ]
