"""An ONNX file as a graph that has been checked: nodes, initializers, one input, one output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import InputError, printable
from .classifier import scores_of
from .message_size import check_extent

__all__ = ["OnnxGraph", "read_graph"]

_INTEGERS = (2, 3, 4, 5, 6, 7, 12, 13)
_OLDEST_OPSET = 7
_MOST_NODES = 10_000


@dataclass(frozen=True, eq=False)
class OnnxGraph:
    """What of an ONNX file an MLP can be made of.

    Parameters
    ----------
    nodes : the file's NodeProtos, in computing order.
    initializers : its TensorProtos by name, their numbers not yet looked at.
    input, output : names.
    input_shape : None for dimensions that are dynamic.
    opset : version of ONNX's own operators.
    other_opsets : versions of other operators, by their domain.
    folder : where the file lies, for tensors in a file beside it; None for a model in memory.
    input_type : the integers that the input consists of by qonnx's annotation, e.g. "INT8" or "BIPOLAR"; else "".
    number_type : code of the input's number type in ONNX.
    metadata : what the file's writer says of it, text by name.
    labels : the classes that the file names, in the order of the outputs; `output` is their scores then.
    """

    nodes: tuple[Any, ...]
    initializers: Mapping[str, Any]
    input: str
    input_shape: tuple[int | None, ...]
    output: str
    opset: int
    folder: Path | None
    input_type: str = ""
    number_type: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
    other_opsets: Mapping[str, int] = field(default_factory=dict)
    labels: tuple[str, ...] = ()

    @property
    def takes_integers(self) -> bool:
        """Whether the input is declared as integers."""
        return self.number_type in _INTEGERS


def read_graph(content: bytes, where: str, folder: Path | None) -> OnnxGraph:
    """Parse an ONNX file.

    Raises
    ------
    InputError : it is no ONNX file, is too large, is older than opset 7, or has not one input and one output.
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    check_extent(content, onnx.ModelProto.DESCRIPTOR, where)
    try:
        model = onnx.ModelProto.FromString(content)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise InputError(where, f"is not an ONNX file ({printable(error)})") from error
    graph = model.graph
    if not graph.node:
        raise InputError(where, "holds no ONNX graph", "Export the model with torch.onnx.export")
    if len(graph.node) > _MOST_NODES:
        raise InputError(where, f"has {len(graph.node)} operators; the most is {_MOST_NODES}")
    opsets = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    opset = opsets.get("ai.onnx", 0)
    if opset < _OLDEST_OPSET:
        raise InputError(where, f"is of opset {opset}; edgeml reads {_OLDEST_OPSET} and later", "Export it anew")
    if graph.sparse_initializer:
        raise InputError(where, "holds sparse tensors, which no MLP has")
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    if len(initializers) != len(graph.initializer):
        raise InputError(where, "gives two tensors one name")
    inputs = [value for value in graph.input if value.name not in initializers]
    names = [value.name for value in graph.output]
    scores = scores_of(graph.node, names, initializers, where, folder)
    outputs = [scores.name] if scores is not None else names
    for kind, given in (("inputs", [value.name for value in inputs]), ("outputs", outputs)):
        if len(given) != 1:
            raise InputError(
                where,
                f"has {len(given)} {kind} ({printable(', '.join(given[:8]))})",
                "edgeml converts models of one input and one output tensor",
            )
    return OnnxGraph(
        tuple(graph.node) if scores is None else scores.nodes,
        initializers,
        inputs[0].name,
        _shape(inputs[0], where),
        outputs[0],
        opset,
        folder,
        _annotated_type(graph, inputs[0].name),
        inputs[0].type.tensor_type.elem_type,
        {entry.key: entry.value for entry in model.metadata_props},
        {domain: version for domain, version in opsets.items() if domain != "ai.onnx"},
        scores.labels if scores is not None else (),
    )


def _annotated_type(graph: Any, name: str) -> str:
    """qonnx's annotation of a tensor's integers, or ""."""
    for annotation in graph.quantization_annotation:
        if annotation.tensor_name == name:
            for entry in annotation.quant_parameter_tensor_names:
                if entry.key == "finn_datatype":
                    return printable(entry.value, 20)
    return ""


def _shape(value: Any, where: str) -> tuple[int | None, ...]:
    """The shape that the file declares for its input."""
    tensor = value.type.tensor_type
    if value.type.WhichOneof("value") != "tensor_type" or not tensor.HasField("shape"):
        raise InputError(
            f"{where}, input {printable(value.name)!r}", "declares no shape", "Export it with shape [batch, features]"
        )
    sizes = [dim.dim_value if dim.WhichOneof("value") == "dim_value" else None for dim in tensor.shape.dim[:20]]
    # Some exporters write a dynamic size as 0 or −1.
    return tuple(size if size is not None and size > 0 else None for size in sizes)
