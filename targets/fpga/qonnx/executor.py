"""The executor `qonnx`: the QONNX file run by the package qonnx itself, in float32."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed, InputError
from edgeml.plugins import Execution, Reception, Subject
from edgeml.system.regular_file import holds, read_regular
from edgeml.verification.stated_encoding import ENCODING_STATEMENT, encoding_from_json, stated_encoding
from edgeml.verification.stated_scales import STATEMENT, StatedScales

from .writer import RESULT, to_qonnx

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["FILE", "QonnxExecutor", "receive_qonnx", "run_qonnx"]

FILE = "qonnx/model.onnx"
_LARGEST_FILE = 2**29


def run_qonnx(content: bytes, q: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Output integers [samples, outputs] of a model that `to_qonnx` wrote; CheckFailed where one is not an integer."""
    import onnx
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    proto = onnx.load_model_from_string(content)
    del proto.graph.value_info[:]
    model = ModelWrapper(proto)
    # All samples at once: only the batch size of the file's static shapes is another.
    model.set_tensor_shape("input", [len(q), q.shape[1]])
    for output in model.graph.output:
        size = [dim.dim_value for dim in output.type.tensor_type.shape.dim]
        model.set_tensor_shape(output.name, [len(q), *size[1:]])
    model = model.transform(InferShapes())
    context = execute_onnx(model, {"input": q.astype(np.float32)}, return_full_exec_context=True)
    result = np.asarray(context[RESULT])
    if not np.array_equal(result, np.rint(result)):
        raise CheckFailed("qonnx", "gives results that are not integers")
    return result.astype(np.int32)


class QonnxExecutor:
    """Runs a bundle's QONNX file with qonnx."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds a QONNX file."""
        return FILE in bundle.manifest.get("files", {})

    def subject(self, bundle: Bundle) -> Subject:
        """A file for other tools, not the RTL."""
        return Subject("the QONNX file in float32, not the RTL", False)

    def missing(self, bundle: Bundle) -> str:
        """What to install, if anything."""
        return "" if importlib.util.find_spec("qonnx") is not None else "pip install qonnx"

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Check that the file is the network's own, then execute it."""
        from importlib.metadata import version

        path = bundle.folder / FILE
        content = to_qonnx(bundle.network)
        if not holds(path, content):
            raise InputError(str(path), "is not what this network gives", "Convert again")
        encode = stated_encoding(bundle.network)
        fed = q if encode is None else encode.evaluate(q)
        return Execution(run_qonnx(content, fed), {}, f"qonnx {version('qonnx')}")

    def receive(self, bundle: Bundle, x: npt.NDArray[np.float64]) -> Reception:
        """What a host gets for real numbers x [samples, inputs] from the file and the statement in its metadata."""
        return receive_qonnx(read_regular(bundle.folder / FILE, _LARGEST_FILE), x)


def receive_qonnx(content: bytes, x: npt.NDArray[np.float64]) -> Reception:
    """Real outputs of a QONNX file for x [samples, inputs], by nothing but the file; CheckFailed where it says nothing
    of real numbers."""
    import onnx

    properties = {entry.key: entry.value for entry in onnx.load_model_from_string(content).metadata_props}
    scales = StatedScales.from_json(properties.get(STATEMENT, ""), FILE)
    encode = encoding_from_json(properties.get(ENCODING_STATEMENT, ""), FILE)
    q = scales.quantize(x)
    if encode is not None:
        encode.output_size(q.shape[1])
        q = encode.evaluate(q)
    return Reception(scales.real(run_qonnx(content, q)), "quantized as the file's metadata says")
