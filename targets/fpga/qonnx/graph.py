"""A QONNX graph in the making: nodes, constants and static shapes, each tensor by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import MissingTool
from edgeml.extras import install_extra

__all__ = ["QonnxGraph", "integer_type"]

_DOMAIN = "qonnx.custom_op.general"
_OPSET = 13


def integer_type(low: int, high: int) -> str:
    """The name that QONNX has for the narrowest type of integers low … high."""
    if low < 0:
        return f"INT{max((-low - 1).bit_length(), high.bit_length(), 1) + 1}"
    return "BINARY" if high <= 1 else f"UINT{high.bit_length()}"


class QonnxGraph:
    """Nodes in computing order; every method that adds one gives the name of its output.

    MissingTool if the package onnx is not installed.
    """

    def __init__(self) -> None:
        try:
            import onnx
            import onnx.helper
            import onnx.numpy_helper
        except ImportError as error:
            raise MissingTool("onnx", "is not installed", install_extra("convert")) from error
        self.onnx: Any = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.shapes: list[Any] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """A constant tensor."""
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        """A node of any kind, named by it and its place."""
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [output], name, domain=domain, **attributes))
        return output

    def shape(self, name: str, size: tuple[int, ...]) -> None:
        """The static shape of a float tensor."""
        self.shapes.append(self.tensor(name, size))

    def tensor(self, name: str, size: tuple[int, ...], said: str = "") -> Any:
        """A float tensor by name and shape, with a sentence about it."""
        return self.onnx.helper.make_tensor_value_info(name, self.onnx.TensorProto.FLOAT, size, said)

    def quant(self, source: str, output: str, bits: int, *, signed: bool, narrow: bool) -> str:
        """A Quant of scale 1 and zero point 0."""
        one = self.constant(f"{output}_scale", np.array(1.0, np.float32))
        zero = self.constant(f"{output}_zero_point", np.array(0.0, np.float32))
        width = self.constant(f"{output}_bits", np.array(float(bits), np.float32))
        inputs, flags = [source, one, zero, width], {"signed": int(signed), "narrow": int(narrow)}
        return self.node("Quant", inputs, output, _DOMAIN, **flags, rounding_mode="ROUND")

    def multi_threshold(self, source: str, thresholds: npt.NDArray[np.int64], base: int, output: str) -> str:
        """y = base + #{k : x ≥ thresholds[c, k]} of integers [channels, levels], or [1, levels] for all channels."""
        levels = self.constant(f"{output}_thresholds", thresholds.astype(np.float32))
        kind = integer_type(base, base + thresholds.shape[1])
        flags = {"out_dtype": kind, "out_scale": 1.0, "out_bias": float(base), "data_layout": "NC"}
        return self.node("MultiThreshold", [source, levels], output, _DOMAIN, **flags)

    def bipolar(self, source: str, scale: str, output: str) -> str:
        """A quantizer to −1 and 1."""
        return self.node("BipolarQuant", [source, scale], output, _DOMAIN)

    def top_class(self, scores: str) -> Any:
        """A TopK that gives the index of the largest of the scores, as the tensor `class`; gives that tensor."""
        count = self.constant("topk_count", np.array([1], np.int64))
        outputs = ["top_value", "class"]
        self.nodes.append(
            self.onnx.helper.make_node("TopK", [scores, count], outputs, "TopK", axis=-1, largest=1, sorted=1)
        )
        self.shape("top_value", (1, 1))
        return self.onnx.helper.make_tensor_value_info("class", self.onnx.TensorProto.INT64, (1, 1))

    def content(self, name: str, inputs: list[Any], outputs: list[Any], properties: dict[str, str]) -> bytes:
        """The file: the graph with these ends, and properties as its metadata. The same graph gives the same bytes."""
        helper = self.onnx.helper
        body = helper.make_graph(self.nodes, name, inputs, outputs, self.constants, value_info=self.shapes)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_DOMAIN, 1)]
        model = helper.make_model(body, producer_name="edgeml", ir_version=8, opset_imports=opsets)
        helper.set_model_props(model, properties)
        return bytes(model.SerializeToString(deterministic=True))
