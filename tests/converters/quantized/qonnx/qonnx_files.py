"""QONNX files for tests: graphs made by hand, models exported by Brevitas, and qonnx's own executor on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, StringStringEntryProto, TensorAnnotation, TensorProto, helper, numpy_helper

__all__ = ["brevitas_file", "general", "graph_file", "run_by_qonnx"]

DOMAIN = "qonnx.custom_op.general"


def general(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    """A node of qonnx's own domain."""
    return helper.make_node(kind, inputs, [output], name=f"node_{output}", domain=DOMAIN, **attributes)


def graph_file(
    path: Path, nodes: list[Any], arrays: dict[str, Any], *, inputs: int, output: str = "y", input_type: str = ""
) -> ModelProto:
    """Write a graph of one input `x` [1, inputs]; arrays become float32 constants."""
    constants = [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in arrays.items()]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, inputs])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        constants,
    )
    if input_type:
        entry = StringStringEntryProto(key="finn_datatype", value=input_type)
        graph.quantization_annotation.append(TensorAnnotation(tensor_name="x", quant_parameter_tensor_names=[entry]))
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(DOMAIN, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    path.write_bytes(model.SerializeToString())
    return model


def run_by_qonnx(path: Path, x: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The file's outputs [samples, outputs] by qonnx's executor, sample by sample, for x [samples, inputs]."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.util.cleanup import cleanup_model

    model = cleanup_model(ModelWrapper(str(path)))
    source, target = model.graph.input[0].name, model.graph.output[0].name
    rows = [
        execute_onnx(model, {source: row.reshape(model.get_tensor_shape(source)).astype(np.float32)})[target].ravel()
        for row in x
    ]
    return np.stack(rows)


def brevitas_file(path: Path, kind: str, *, seed: int = 0, dynamo: bool = False) -> None:
    """Export a model of the shape of FINN's examples: "w1a1", "w1a2" and "w2a2" with signed activations, as the TFC
    networks of the model zoo; "relu" with unsigned ones, a scale per channel, and integer biases behind the last."""
    import brevitas.nn as qnn
    import torch
    from brevitas.core.scaling import ScalingImplType
    from brevitas.export import export_qonnx
    from brevitas.inject.enum import QuantType
    from brevitas.quant import Int32Bias

    torch.manual_seed(seed)

    def weights(bits: str) -> dict[str, Any]:
        quant_type = QuantType.BINARY if bits == "1" else QuantType.INT
        return {
            "weight_quant_type": quant_type,
            "weight_bit_width": int(bits),
            "weight_scaling_impl_type": ScalingImplType.CONST,
            "weight_scaling_init": 1.0,
        }

    def signed(bits: str) -> Any:
        quant_type = QuantType.BINARY if bits == "1" else QuantType.INT
        return qnn.QuantIdentity(
            quant_type=quant_type,
            bit_width=int(bits),
            narrow_range=True,
            min_val=-1.0,
            max_val=1.0,
            scaling_impl_type=ScalingImplType.CONST,
            scaling_init=1.0,
        )

    layers: list[Any]
    if kind == "relu":
        layers = [
            qnn.QuantIdentity(bit_width=8, return_quant_tensor=True),
            qnn.QuantLinear(24, 20, bias=True, weight_bit_width=3, weight_scaling_per_output_channel=True),
            torch.nn.BatchNorm1d(20),
            qnn.QuantReLU(bit_width=3, return_quant_tensor=True),
            qnn.QuantLinear(20, 16, bias=False, weight_bit_width=2),
            torch.nn.BatchNorm1d(16),
            qnn.QuantReLU(bit_width=2, return_quant_tensor=True),
            qnn.QuantLinear(16, 5, bias=True, weight_bit_width=4, bias_quant=Int32Bias),
        ]
    else:
        w, a = kind[1], kind[3]
        layers = [signed(a)]
        for inputs, outputs in ((24, 20), (20, 16)):
            layers += [qnn.QuantLinear(inputs, outputs, bias=False, **weights(w)), torch.nn.BatchNorm1d(outputs)]
            layers += [signed(a)]
        layers += [qnn.QuantLinear(16, 5, bias=False, **weights(w))]
    model = torch.nn.Sequential(*layers)
    for layer in model:
        if isinstance(layer, qnn.QuantLinear):
            torch.nn.init.uniform_(layer.weight, -1.5, 1.5)
        if isinstance(layer, torch.nn.BatchNorm1d):
            torch.nn.init.normal_(layer.weight)
            torch.nn.init.normal_(layer.bias)
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 4.0)
    export_qonnx(model.eval(), args=torch.zeros(1, 24), export_path=str(path), dynamo=dynamo)
