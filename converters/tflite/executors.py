"""The .tflite file of a bundle in the real runtimes, each against golden with that runtime's rounding rule."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed, InputError, MissingTool
from edgeml.network import Network, simulate
from edgeml.network.network_file import model_hash
from edgeml.plugins import Execution, Reception, Subject
from edgeml.system.regular_file import read_regular

from .lowering import lower
from .model import Model
from .operators.moves import Reshape
from .operators.tensor_info import TensorInfo
from .reader import LARGEST_FILE, ending_at, read_model, rule_of, tensor_indices
from .runtimes import RUNTIMES, Runtime, Session
from .sessions import session

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["FOLDER", "RuntimeExecutor", "litert", "litert_ref", "tflite_runtime", "tflite_runtime_ref", "tflm"]

FOLDER = "tflite"
"""Where a bundle keeps its .tflite file."""

_TIMED_SECONDS = 0.02


def _file(bundle: Bundle) -> Path | None:
    files = sorted((bundle.folder / FOLDER).glob("*.tflite"))
    return files[0] if files else None


def _content(bundle: Bundle) -> bytes:
    path = _file(bundle)
    if path is None:
        raise InputError(str(bundle.folder), f"holds no .tflite file in {FOLDER}/")
    return read_regular(path, LARGEST_FILE, links=False)


def _model(bundle: Bundle, content: bytes) -> Model:
    """The model in the bundle's file; CheckFailed where it is not the bundle's network by the rule it was made with."""
    model = read_model(content, bundle.network.name)
    options = bundle.manifest.get("options")
    asked = options.get("rounding") if isinstance(options, Mapping) else None
    if model_hash(lower(model, rule_of(model, str(asked or "")))) != model_hash(bundle.converted):
        raise CheckFailed(
            f"{bundle.folder}/{FOLDER}", "the .tflite file is not the bundle's network", "Convert the model again"
        )
    return model


class RuntimeExecutor:
    """One runtime, held against `reference`: the network with the rounding rule of this runtime in its layers."""

    def __init__(self, runtime: Runtime, *, traces: bool) -> None:
        self.runtime = runtime
        self._traces = traces

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle has a .tflite file."""
        return _file(bundle) is not None

    def subject(self, bundle: Bundle) -> Subject:
        """The file, in a runtime on this machine."""
        if bundle.profile.is_this_machine:
            return Subject(f"the .tflite file in {self.runtime.name} on this machine", True)
        return Subject(f"the .tflite file in {self.runtime.name} on this machine, not on {bundle.profile.name}", False)

    def missing(self, bundle: Bundle) -> str:
        """Empty if the runtime is installed and takes weights of this width."""
        if missing := self.runtime.missing():
            return missing
        return self._refusal(read_model(_content(bundle), bundle.network.name))

    def _refusal(self, model: Model) -> str:
        """Why this runtime does not take the model; empty if it does."""
        for operator in model.operators:
            if refusal := self.runtime.refusal(operator):
                return f"{self.runtime.name} {refusal}"
        return ""

    def reference(self, bundle: Bundle) -> Network:
        """The network as this runtime computes it; the bundle's own one where they are the same."""
        if "shift" in _rules(bundle.network):
            # By construction every rule gives these integers: hold the runtime against them, not against its own rule.
            return bundle.converted
        network = lower(_model(bundle, _content(bundle)), self.runtime.rounding)
        return bundle.converted if model_hash(network) == model_hash(bundle.converted) else network

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run the file. `detail` names the rule and says how many outputs differ from the bundle's own rule."""
        content = _content(bundle)
        model = _model(bundle, content)
        if refusal := self._refusal(model):
            raise MissingTool(self.runtime.name, refusal)
        rule = " and ".join(_rules(lower(model, self.runtime.rounding)))
        indices = tensor_indices(content)
        last = model.logits
        softmax = model.ends_behind_integers
        if softmax:
            # The integers end before a softmax: the file is run as it is, but that tensor is its output.
            content = ending_at(content, indices[last.name])
        wanted = [name for name in _lasting(model) if name in indices] if trace and self._traces else []
        fed = _fed(q, model)
        with session(self.runtime) as running:
            (found,), measures = running.run(content, fed)
            traced = running.run(content, fed, [indices[name] for name in wanted])[0] if wanted else []
        real = model.float_output and not softmax
        outputs = _integers(found, last) if real else found.astype(np.int32)
        values = {name: array.astype(np.int32) for name, array in zip(wanted, traced, strict=True)}
        own = simulate(bundle.network, q)
        differing = int((own != outputs).sum())
        names = {node.name for node in bundle.network.nodes}
        return Execution(
            outputs,
            {name: array for name, array in values.items() if name in names},
            _detail(bundle, measures, rule, differing, outputs.size),
            {**measures, "rule": rule, "outputs": outputs.size, "differ_from_bundle": differing},
        )

    def receive(self, bundle: Bundle, x: npt.NDArray[np.float64]) -> Reception:
        """What an application gets from the file for real numbers x [samples, inputs], by what the runtime reads there
        of its input and output; nothing of the bundle's network is used."""
        content = _content(bundle)
        model = read_model(content)
        fed = x if model.encoded is None else model.encoded.features(x)
        with session(self.runtime) as running:
            (found,), measures = running.run(content, fed.astype(np.float32), real=True)
        softmax = model.ends_behind_integers
        how = "floats into the file" if model.float_input else "quantized by the file's own input scale"
        return Reception(found.astype(np.float64), f"{measures['version']}, {how}", softmax, model.float_input)

    def setup(self, bundle: Bundle) -> float:
        """Seconds from nothing to the first answer: the process, the runtime in it, and the model in that."""
        content = _content(bundle)
        x = bundle.network.quantizer.dequantize(np.zeros((1, bundle.network.input_size), np.int32))
        if (encoded := read_model(content).encoded) is not None:
            x = encoded.features(x)
        start = time.perf_counter()
        with Session(self.runtime) as running:
            running.run(content, x.astype(np.float32), real=True)
        return time.perf_counter() - start

    def benchmark(self, bundle: Bundle, q: npt.NDArray[np.int32]) -> float:
        """Seconds per inference of a batch (of TFLite Micro: of one sample), timed in the runtime's own process."""
        content = _content(bundle)
        fed = _fed(q, read_model(content))
        with session(self.runtime) as running:
            _, measures = running.run(content, fed, timed=_TIMED_SECONDS)
        return float(measures["seconds"])


def _detail(bundle: Bundle, measures: Mapping[str, Any], rule: str, differing: int, outputs: int) -> str:
    agreement = "all bytes equal the bundle's own"
    if differing:
        agreement = f"{differing} of {outputs} bytes differ from the bundle's own rule"
    arena = ""
    if "arena" in measures:
        arena = f", arena {measures['arena']} bytes of RAM{_beside(bundle)}"
    return f"{measures['version']}, rounds {rule}: {agreement}{arena}"


def _beside(bundle: Bundle) -> str:
    """What the generated C needs in place of an interpreter's arena and file, where the bundle says so."""
    target = bundle.target_metrics
    if target.arena_bytes is None or target.constant_bytes is None:
        return ""
    return f" (the C: {target.arena_bytes}, and {target.constant_bytes} bytes of constants)"


def _lasting(model: Model) -> list[str]:
    """Tensors that nothing overwrites: operators other than FULLY_CONNECTED may compute in place, and RESHAPE may give
    its input's own memory to one that does."""
    taken: set[str] = set()
    for op in reversed(model.operators):
        if op.may_compute_in_place or (isinstance(op, Reshape) and op.output in taken):
            taken.update(op.inputs)
    return [op.output for op in model.operators if op.output not in taken]


def _rules(network: Network) -> list[str]:
    """The rounding rules that occur in a network."""
    return sorted({rule for node in network.layers if (rule := node.layer.rounding_rule)})


def _fed(q: npt.NDArray[np.int32], model: Model) -> npt.NDArray[Any]:
    """What the file is given for input integers q [samples, features] of the network."""
    q = model.fed(q)
    if model.float_input:
        return _real(q, model)
    return q.astype(np.int8 if model.tensors[model.input].signed else np.uint8)


def _real(q: npt.NDArray[np.int32], model: Model) -> npt.NDArray[np.float32]:
    """Floats that the file quantizes back to q: half a step from any tie."""
    info = model.tensors[model.input]
    steps = np.float64(info.scale) * (q - info.zero_point)
    return (steps * model.input_scale + model.input_offset).astype(np.float32)


def _integers(y: npt.NDArray[Any], info: TensorInfo) -> npt.NDArray[np.int32]:
    """The integers that were dequantized: exact, as float32 keeps 8-bit integers times a scale apart."""
    return (np.rint(y.astype(np.float64) / np.float64(info.scale)) + info.zero_point).astype(np.int32)


litert = RuntimeExecutor(RUNTIMES["litert"], traces=False)
litert_ref = RuntimeExecutor(RUNTIMES["litert-ref"], traces=True)
tflite_runtime = RuntimeExecutor(RUNTIMES["tflite-runtime"], traces=True)
tflite_runtime_ref = RuntimeExecutor(RUNTIMES["tflite-runtime-ref"], traces=True)
tflm = RuntimeExecutor(RUNTIMES["tflm"], traces=True)
