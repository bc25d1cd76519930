"""The converter to the int8 form: calibrated, corrected, and with narrow weights trained."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.equalization import equalize
from edgeml.errors import InputError
from edgeml.input_encoding import encode_input
from edgeml.judging.scores import answers_of, judged
from edgeml.judging.task import require_fitting
from edgeml.network import Network
from edgeml.network.network_file import model_hash
from edgeml.network.task import VALUES
from edgeml.plugins import Conversion, Progress
from edgeml.system.regular_file import read_regular

from .encoded_input import taken_apart
from .executors import FOLDER
from .fusion import FloatGraph, fuse
from .input_form import choose_input_form, evened_features
from .lowering import lower
from .metadata import metadata_entry
from .model import Model
from .operators.softmax import Softmax
from .operators.tensor_info import TensorInfo
from .options import OPTIONS, Options, parse_options
from .products import products_apart, with_carriers
from .quantization import quantize_graph
from .reader import LARGEST_FILE, read_model, read_network
from .reference import float_reference
from .runtimes import rounding_rule
from .tables import tie_distance
from .writer import write
from .written import Written

if TYPE_CHECKING:
    from edgeml.data.dataset import Dataset
    from edgeml.frontends.mlp import Mlp

__all__ = ["TfliteConverter"]

_ENCODED_BITS = 8
"""Bits of the integers that encoded features become first."""
_MOST_SAMPLES = 4096
"""Samples to calibrate with; more change nothing but the time it takes."""
_ENDS_IN_SOFTMAX = (
    "The .tflite file ends in a softmax and gives probabilities in steps of 1/256, of which several may be equal; the "
    "integers and real outputs of the bundle, of its C and of verification are the logits before it."
)


_GELU = (
    "GELU became x · sigmoid(1.702 · x), which is within 0.021 of it: the runtimes have no common operator for GELU."
)


class TfliteConverter:
    """Float MLP → int8 network and its .tflite file."""

    layer_kinds = (
        "input_quantizer",
        "encode",
        "dense",
        "requantize",
        "lookup",
        "add",
        "concat",
        "multiply",
        "shared",
        "maximum",
    )
    left_out_note = (
        "This bundle holds no .tflite file: the network's rounded multipliers do not give back the scales that a file "
        "states. Convert the trained model, or the .tflite file of its bundle, for one."
    )
    options = OPTIONS

    def convert(self, mlp: Mlp, data: Dataset | None, options: Mapping[str, Any], progress: Progress) -> Conversion:
        """See `edgeml.plugins.Converter`; the options are those of `Options`."""
        parsed = parse_options(options)
        if data is None:
            raise InputError("data", "the int8 form is calibrated on samples, and there are none", "Pass --data")
        require_fitting(mlp, data)
        if parsed.softmax == "keep" and mlp.final != "softmax":
            raise InputError("option softmax", f"the model ends in {mlp.final or 'no softmax'}", "Leave the option out")
        own, encode_note = mlp, ""
        if parsed.encode:
            own, encode_note = encode_input(mlp, np.asarray(data.x, np.float64), parsed.encode, _ENCODED_BITS)
        apart = taken_apart(own)
        encoded, inner, seen = (None, own, data) if apart is None else (apart[0], apart[1], apart[0].dataset(data))
        graph = fuse(equalize(inner, _samples(seen)).mlp)
        evened = None
        if encoded is not None:
            graph = replace(graph, of_bits=True)
        else:
            evened = evened_features(graph, _samples(data), parsed)
            if evened is None:
                graph = choose_input_form(graph, _samples(data), parsed)
            else:
                graph, parsed = evened, replace(parsed, float_io=True)
        graph = products_apart(graph)
        if parsed.universal:
            graph = with_carriers(graph)
        model = _quantized(graph, inner, seen, parsed, progress)
        model = replace(
            model, labels=mlp.labels or data.labels, task=mlp.task, threshold=mlp.threshold, encoded=encoded
        )
        if parsed.softmax == "keep":
            model = _with_softmax(model)
        network = lower(model, rounding_rule(parsed.rounding)).with_origins(_origins(graph))
        model = replace(model, metadata=_metadata(model, network, parsed))
        metrics, notes = _judged(mlp, data, network, parsed)
        if parsed.universal:
            _compare_scales(graph, mlp, data, network, parsed, model, _samples(seen), metrics, notes)
        notes += [encode_note] if encode_note else []
        if any(str(node.operator.constants.get("function", "")).startswith("gelu") for node in mlp.nodes):
            notes.append(_GELU)
        if encoded is not None:
            notes.append(f"The .tflite file has no layer encode, which no runtime has: {encoded.said}.")
        if parsed.softmax == "keep":
            notes.append(_ENDS_IN_SOFTMAX)
        elif mlp.final:
            notes.append(f"The final {mlp.final} was dropped: the outputs are logits, and the largest is the same.")
        if evened is not None:
            notes.append(
                "The features' units differ too much for one int8 scale: the .tflite file takes and gives float32 "
                "(float_io), and normalises each feature by its mean and deviation in the data."
            )
        content = write(model)
        metrics["tflite_bytes"] = len(content)
        metrics["rounding"] = parsed.rounding
        files = {f"{FOLDER}/{network.name}.tflite": content}
        return Conversion(network, metrics, files, tuple(notes), float_reference(mlp, graph, model, network))

    def adopt(
        self, source: Any, network: Network, data: Dataset | None, options: Mapping[str, Any]
    ) -> Conversion | None:
        """A conversion of a model that is integers already: of a .tflite file the file itself, byte for byte, and its
        network by the rounding rule asked for. None for any other source, which is taken as it is."""
        if not isinstance(source, (str, os.PathLike)) or Path(source).suffix.lower() != ".tflite":
            return None
        if others := sorted(set(options) - {"rounding"}):
            raise InputError(f"option {others[0]}", "cannot change a model that is quantized already", "Leave it out")
        path = Path(source)
        network = replace(read_network(path, options.get("rounding", "")), name=network.name)
        content = read_regular(path, LARGEST_FILE)
        metrics: dict[str, Any] = {"tflite_bytes": len(content)}
        notes = ["The file was taken as it is; its integers are those of the runtime whose rounding was asked for."]
        model = read_model(content)
        if model.ends_behind_integers:
            notes.append(_ENDS_IN_SOFTMAX)
        notes += _near_ties(model)
        return Conversion(network, metrics, {f"{FOLDER}/{network.name}.tflite": content}, tuple(notes))


def _origins(graph: FloatGraph) -> dict[str, str]:
    """Where the layers come from in the user's model, by name: a stage may be two, its sum and its rounding."""
    names = ("{}", "{}_acc", "{}_sum")
    return {name.format(stage.name): stage.origin for stage in graph.stages for name in names}


def _near_ties(model: Model) -> list[str]:
    """A sentence for each sigmoid or tanh whose table the runtimes may have different versions of."""
    return [
        f"Layer {op.output}: an entry of its {op.function} table is so near to a tie that the runtimes' float32 tables "
        "may differ there."
        for op in model.operators
        if op.function and tie_distance(op.function, model.tensors[op.inputs[0]], model.tensors[op.output]) < 2.0**-15
    ]


def _samples(data: Dataset) -> npt.NDArray[np.float64]:
    return np.asarray(data.x[:: -(-len(data.x) // _MOST_SAMPLES)], dtype=np.float64)


def _quantized(graph: FloatGraph, mlp: Mlp, data: Dataset, options: Options, progress: Progress) -> Model:
    scales = None
    if options.epochs:
        from .training import train

        graph, scales = train(graph, mlp, data, options, progress)
    return quantize_graph(graph, mlp.name, _samples(data), options, scales)


def _with_softmax(model: Model) -> Model:
    """`model` with SOFTMAX behind it; its output has the scale that the runtimes prescribe."""
    last = model.logits
    output = TensorInfo("softmax", last.size, 2.0**-8, -128)
    written = Written(dict(model.tensors))
    written.operators += model.operators
    softmax = Softmax(output.name, (written.flat(last.name),))
    tensors = {**written.tensors, output.name: output}
    return replace(model, operators=(*written.operators, softmax), output=output.name, tensors=tensors)


def _metadata(model: Model, network: Network, options: Options) -> dict[str, bytes]:
    guard = {op.output: op.guard_bits for op in model.fully_connected if op.guard_bits}
    return metadata_entry(
        {
            "rounding": options.rounding,
            "model_hash": model_hash(network),
            "guard_bits": guard,
            "labels": list(model.labels),
            "task": model.task,
            "threshold": model.threshold,
            **({} if model.encoded is None else {"encoded_input": model.encoded.as_json()}),
        }
    )


def _judged(mlp: Mlp, data: Dataset, network: Network, options: Options) -> tuple[dict[str, Any], list[str]]:
    """Accuracy and agreement on the held-back samples, and a sentence on what the integers cost."""
    x = data.x_test if len(data.x_test) else data.x
    y = data.y_test if len(data.x_test) else data.y
    metrics = judged(mlp, network, x, y)
    notes: list[str] = []
    if "accuracy" in metrics:
        cost = 100 * (metrics["accuracy"]["float"] - metrics["accuracy"]["integer"])
        notes.append(f"{options.weight_bits}-bit weights and 8-bit activations cost {cost:+.2f} points of accuracy.")
    return metrics, notes


def _output_error(mlp: Mlp, data: Dataset, network: Network) -> float:
    """The mean distance of the network's real outputs from the float model's, on the held-back samples."""
    return float(np.mean(np.abs(answers_of(network, data.x_test) - mlp.evaluate(data.x_test))))


def _compare_scales(
    graph: FloatGraph,
    mlp: Mlp,
    data: Dataset,
    network: Network,
    options: Options,
    model: Model,
    samples: npt.NDArray[np.float64],
    metrics: dict[str, Any],
    notes: list[str],
) -> None:
    """What the universal mode costs: the same model with free int8 scales, which each runtime rounds in its own way."""
    free = replace(options, rounding="double_rounding", weight_bits=8, epochs=0)
    free_model = quantize_graph(graph, mlp.name, samples, free)
    free_model = replace(free_model, task=mlp.task, threshold=mlp.threshold, encoded=model.encoded)
    other = lower(free_model, "double_rounding")
    found, _ = _judged(mlp, data, other, free)
    metrics["free_scales"] = found
    if "accuracy" in found:
        cost = 100 * (found["accuracy"]["integer"] - metrics["accuracy"]["integer"])
        what = f"{cost:+.2f} points of accuracy"
    elif network.task == VALUES:
        what = f"{_output_error(mlp, data, network) - _output_error(mlp, data, other):+.4g} in the outputs' mean error"
    else:
        what = f"{100 * (found['agreement'] - metrics['agreement']):+.2f} points of agreement with the float model"
    notes.append(
        f"Universal mode: power-of-two scales with {options.weight_bits}-bit weights cost {what} against int8 with "
        "free scales; in return every runtime gives the same bytes."
    )
