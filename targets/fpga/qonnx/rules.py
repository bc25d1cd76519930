"""The rules by which FINN takes a QONNX model whole, one named function each; they read the file, not our network.

Each rule was seen to matter in FINN's own Python steps: a model that breaks one is refused there with an obscure
message, or part of it stays on the host.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgeml.errors import InputError, MissingTool
from edgeml.plugins import RuleResult

__all__ = ["check_model", "read_model"]

_LARGEST_FILE = 2**30
_FREE = {"Quant", "BipolarQuant", "MultiThreshold"}


def read_model(content: bytes, where: str) -> Any:
    """An ONNX model from bytes, without external data; InputError where it is none."""
    try:
        import onnx
    except ImportError as error:
        raise MissingTool("onnx", "is not installed", "pip install onnx") from error
    if len(content) > _LARGEST_FILE:
        raise InputError(where, f"has more than {_LARGEST_FILE} bytes")
    try:
        return onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's errors have no common base that is public
        raise InputError(where, f"is no ONNX model ({type(error).__name__})") from error


class _View:
    """A model with its constants, producers and consumers at hand."""

    def __init__(self, model: Any) -> None:
        import onnx.numpy_helper

        self.model = model
        self.nodes = list(model.graph.node)
        self.external = [t.name for t in model.graph.initializer if t.data_location == 1]
        self.constants = {
            t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer if t.data_location != 1
        }
        self.producer = {output: node for node in self.nodes for output in node.output}

    def consumers(self, tensor: str) -> list[Any]:
        return [node for node in self.nodes if tensor in node.input]

    def attribute(self, node: Any, name: str, default: Any) -> Any:
        for attribute in node.attribute:
            if attribute.name == name:
                return attribute.s.decode() if attribute.type == 3 else attribute.i
        return default

    def inputs(self) -> list[Any]:
        return [value for value in self.model.graph.input if value.name not in self.constants]

    def scalar(self, node: Any, position: int) -> float | None:
        value = self.constants.get(node.input[position]) if len(node.input) > position else None
        return float(value.ravel()[0]) if value is not None and value.size == 1 else None

    def is_weight(self, node: Any) -> bool:
        return bool(node.input) and node.input[0] in self.constants


def _one_file(view: _View) -> tuple[bool, str, str]:
    found = f"tensors outside the file: {view.external[:3]}" if view.external else "all tensors are in the file"
    return not view.external, found, "Export without external data"


def _opset(view: _View) -> tuple[bool, str, str]:
    versions = [entry.version for entry in view.model.opset_import if entry.domain in ("", "ai.onnx")]
    return versions in ([], [13]) or max(versions) <= 13, f"opset {versions}", "Export with opset 13"


def _static_shapes(view: _View) -> tuple[bool, str, str]:
    for value in view.inputs():
        sizes = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if not sizes or not all(size > 0 for size in sizes):
            return False, f"input {value.name} has shape {sizes}", "Export with a fixed batch size"
    return True, "all inputs have fixed shapes", ""


def _matmul(view: _View) -> tuple[bool, str, str]:
    gemm = [node.name or node.output[0] for node in view.nodes if node.op_type == "Gemm"]
    return not gemm, f"Gemm: {gemm}" if gemm else "no Gemm", "Write MatMul with (inputs, outputs) weights, then Add"


def _input_quantizer(view: _View) -> tuple[bool, str, str]:
    remedy = "Quantize the input with a signed Quant of zero point 0 and at most 8 bits"
    for value in view.inputs():
        for node in view.consumers(value.name):
            if node.op_type != "Quant":
                return False, f"the input goes to {node.op_type} without a Quant", remedy
            bits, zero = view.scalar(node, 3), view.scalar(node, 2)
            if not view.attribute(node, "signed", 1):
                return False, "the input's Quant is unsigned", remedy
            if zero != 0 or bits is None or bits > 8:
                return False, f"the input's Quant has zero point {zero} and {bits} bits", remedy
    return True, "signed, zero point 0, at most 8 bits", ""


def _hidden_activations(view: _View) -> tuple[bool, str, str]:
    remedy = "Use ReLU, then an unsigned, non-narrow Quant"
    for node in view.nodes:
        if node.op_type in ("Sigmoid", "Tanh", "Gelu", "LeakyRelu", "Elu"):
            return False, f"activation {node.op_type}", remedy
        if node.op_type == "Relu":
            for after in view.consumers(node.output[0]):
                signed, narrow = view.attribute(after, "signed", 1), view.attribute(after, "narrow", 0)
                if after.op_type not in _FREE or (after.op_type == "Quant" and (signed or narrow)):
                    return False, f"Relu is followed by {after.op_type}, signed {signed}, narrow {narrow}", remedy
    return True, "every ReLU is followed by an unsigned Quant", ""


def _weights_not_forked(view: _View) -> tuple[bool, str, str]:
    for node in view.nodes:
        if node.op_type in _FREE and view.is_weight(node) and len(view.consumers(node.output[0])) != 1:
            return False, f"weight quantizer {node.output[0]} has several users", "Give each layer its own"
    return True, "each weight quantizer has one user", ""


def _narrow_weights(view: _View) -> tuple[bool, str, str]:
    for node in view.nodes:
        if node.op_type != "Mul":
            continue
        for name in node.input:
            factor = view.constants.get(name)
            if factor is None or not np.any(factor < 0):
                continue
            other = next((i for i in node.input if i != name), "")
            product = view.producer.get(other)
            if product is not None and product.op_type == "MatMul":
                weight = view.producer.get(product.input[1])
                if weight is not None and weight.op_type == "Quant" and not view.attribute(weight, "narrow", 0):
                    return (
                        False,
                        f"{weight.output[0]} is not narrow and meets a negative scale",
                        "Use narrow weights (2 bits: −1, 0, 1), or flip those rows beforehand",
                    )
    return True, "no full-range weight meets a negative scale", ""


def _last_layer(view: _View) -> tuple[bool, str, str]:
    products = [node for node in view.nodes if node.op_type == "MatMul"]
    if not products:
        return False, "no MatMul in the model", "FINN's flow is made of MatMul layers"
    after = [product.output[0] for product in products[-1:]]
    remedy = "Train the last layer without bias and with one scale for all outputs; end with TopK"
    while after:
        for node in view.consumers(after.pop()):
            if node.op_type == "Add":
                return False, "the last layer has a bias: it stays on the host", remedy
            factors = [view.constants[name] for name in node.input if name in view.constants]
            if node.op_type == "Mul" and any(factor.size > 1 for factor in factors):
                return False, "the last layer has a scale per channel: it stays on the host", remedy
            if node.op_type not in ("TopK", "Quant", "MultiThreshold"):
                after.extend(node.output)
    return True, "no bias and no per-channel scale behind the last MatMul", ""


def _divisors(view: _View) -> tuple[bool, str, str]:
    for node in view.nodes:
        if node.op_type != "MatMul":
            continue
        source = node.input[1]
        quantizer = view.producer.get(source)
        weight = view.constants.get(quantizer.input[0] if quantizer is not None else source)
        for size in weight.shape if weight is not None and weight.ndim == 2 else ():
            if size > 16 and sum(1 for d in range(2, min(size, 129)) if size % d == 0) < 2:
                return False, f"{size} has hardly any divisor to fold by", f"Pad to {-(-size // 8) * 8}"
    return True, "all widths have divisors", ""


_RULES: dict[str, Callable[[_View], tuple[bool, str, str]]] = {
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
}


def check_model(content: bytes, where: str = "model.onnx") -> list[RuleResult]:
    """Every rule applied to a QONNX file's content, by name."""
    view = _View(read_model(content, where))
    results = []
    for name, rule in _RULES.items():
        passed, detail, remedy = rule(view)
        results.append(RuleResult(name, passed, detail, "", "" if passed else remedy))
    return results
