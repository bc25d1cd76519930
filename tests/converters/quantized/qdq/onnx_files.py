"""Float MLPs as ONNX, quantized by onnxruntime, and what onnxruntime gives for such a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper

__all__ = ["INPUTS", "float_file", "graph_file", "run", "samples", "statically_quantized"]

INPUTS = 8


def samples(count: int = 200) -> npt.NDArray[np.float32]:
    """Inputs [count, 8]."""
    return np.random.default_rng(1).normal(0, 1, (count, INPUTS)).astype(np.float32)


def graph_file(path: Path, nodes: list[Any], arrays: dict[str, Any], outputs: int, opset: int = 21) -> None:
    """Write a graph from `x` [n, 8] to `y` [n, outputs], float32 both."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", INPUTS])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in arrays.items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString())


def float_file(path: Path, kind: str) -> None:
    """A float model: "plain", "product" (MatMul and Add), "residual", "sigmoid" (binary, tanh within), "softmax"."""
    generator = np.random.default_rng(7)
    outputs = 1 if kind == "sigmoid" else 4
    arrays = {
        "w1": generator.normal(0, 0.5, (10, INPUTS)),
        "b1": generator.normal(0, 0.5, 10),
        "w2": generator.normal(0, 0.5, (10, 10)),
        "b2": generator.normal(0, 0.5, 10),
        "w3": generator.normal(0, 0.5, (outputs, 10)),
        "b3": generator.normal(0, 0.5, outputs),
    }
    arrays = {name: value.astype(np.float32) for name, value in arrays.items()}

    def linear(source: str, index: int, target: str) -> list[Any]:
        if kind == "product":
            arrays[f"w{index}"] = np.ascontiguousarray(arrays[f"w{index}"].T)
            product = helper.make_node("MatMul", [source, f"w{index}"], [f"p{index}"])
            return [product, helper.make_node("Add", [f"p{index}", f"b{index}"], [target])]
        return [helper.make_node("Gemm", [source, f"w{index}", f"b{index}"], [target], transB=1)]

    first = "Tanh" if kind == "sigmoid" else "Relu"
    nodes = [*linear("x", 1, "a1"), helper.make_node(first, ["a1"], ["h1"]), *linear("h1", 2, "a2")]
    if kind == "residual":
        nodes.append(helper.make_node("Add", ["a2", "h1"], ["s2"]))
    nodes.append(helper.make_node("Relu", ["s2" if kind == "residual" else "a2"], ["h2"]))
    end = {"sigmoid": "Sigmoid", "softmax": "Softmax"}.get(kind, "")
    nodes += linear("h2", 3, "a3" if end else "y")
    if end:
        nodes.append(helper.make_node(end, ["a3"], ["y"]))
    graph_file(path, nodes, arrays, outputs)


def statically_quantized(source: Path, target: Path, **choices: Any) -> None:
    """Quantize a file by onnxruntime, calibrated on `samples`."""
    from onnxruntime.quantization import CalibrationDataReader, quantize_static

    class Samples(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = [{"x": row[None]} for row in samples(60)]

        def get_next(self) -> Any:
            return self.left.pop() if self.left else None

    quantize_static(str(source), str(target), Samples(), **choices)


def run(path: Path, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The file's output by onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])
