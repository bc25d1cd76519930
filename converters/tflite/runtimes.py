"""The TensorFlow Lite runtimes that edgeml compares with: which rounding rule each has, and how one is run."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, MissingTool, ToolFailed
from edgeml.network.rounding import ROUNDINGS
from edgeml.system.time_limit import seconds_for, timed_out

from .operators.float_function import FloatFunction
from .operators.fully_connected import FullyConnected, RoundingRule, by_rule
from .operators.gelu import Gelu
from .operators.operator import Arithmetic, TfliteOperator
from .weights import LARGEST_SUM_OF_4_BITS

__all__ = ["ALIASES", "ENVIRONMENT_VARIABLE", "RUNTIMES", "Runtime", "Session", "rounding_rule"]

ENVIRONMENT_VARIABLE = "EDGEML_TFLITE_RUNTIME_PYTHON"
"""Path of the Python that has tflite-runtime 2.14; without it, `.venv-tflite-runtime` is looked for."""

_ENVIRONMENT_FOLDER = ".venv-tflite-runtime"
_SECONDS = 300.0
_LARGEST_ANSWER = 2**31
_ANSWERED = ("|i1", "|u1", "<i2", "<i4", "<f4", "<f8")


@dataclass(frozen=True)
class Runtime:
    """A runtime by its name, here and on the command line.

    Parameters
    ----------
    arithmetic : of its kernel for layers with 8-bit weights.
    fallback : of another kernel, for layers that the first does not take (see `rounding`); None if there is none.
    weight_bits : the widths of weights that it takes; of 4 bits, tflite-runtime and TFLite Micro take one scale only.
    package : what to install, and what to import.
    """

    name: str
    arithmetic: Arithmetic
    fallback: Arithmetic | None
    weight_bits: tuple[int, ...]
    package: str
    module: str

    @property
    def rule(self) -> str:
        """Name of its rounding rule for layers with 8-bit weights."""
        return self.arithmetic.rounding

    def rounding(self, operator: TfliteOperator) -> Arithmetic:
        """How this runtime computes a layer, or an operator that brings integers to another scale.

        FULLY_CONNECTED has kernels of its own in each; everything else is XNNPACK's, or of the kernels that all have;
        tflite-runtime's usual ones for convolutions and means of images are its own.

        LiteRT's default resolver gives a layer to XNNPACK where the rows of its weights are whole bytes, and with
        2-bit weights only where they have a scale per channel; the kernel for the others rounds in another way.
        """
        if not isinstance(operator, FullyConnected):
            if self.arithmetic is _XNNPACK:
                return self.arithmetic
            if self.arithmetic is _RUY and operator.has_fast_kernel:
                return _RUY_FLOAT64
            float32 = operator.float32_scales and self.module != "tflite_micro"
            return _REFERENCE_FLOAT32 if float32 else _REFERENCE
        if self.fallback is None:
            return self.arithmetic
        per_byte = 8 // operator.weight_bits
        whole = operator.weight.shape[1] % per_byte == 0
        taken = whole and (operator.weight_bits > 2 or operator.weight_scale.size == operator.weight.shape[0])
        return self.arithmetic if taken else self.fallback

    def refusal(self, operator: TfliteOperator) -> str:
        """Why this runtime does not compute the layer, or not exactly; empty if it does."""
        if self.module == "tflite_micro" and isinstance(operator, Gelu):
            return "has no GELU"
        if self.name.endswith("-ref") and isinstance(operator, FloatFunction):
            return "has no ELU"
        if not isinstance(operator, FullyConnected):
            return ""
        bits, scales = operator.weight_bits, operator.weight_scale.size
        per_tensor_only = bits != 8 and self.module != "ai_edge_litert"
        if bits not in self.weight_bits or (per_tensor_only and scales > 1):
            return f"does not take {bits}-bit weights per {'channel' if scales > 1 else 'tensor'}"
        if bits == 4 and self.rounding(operator) is _XNNPACK and operator.largest_sum >= LARGEST_SUM_OF_4_BITS:
            return f"wraps sums of 4-bit weights from 2^27 on, which layer {operator.output} reaches"
        return ""

    def takes(self, operator: FullyConnected) -> bool:
        """Whether this runtime has an exact kernel for the layer's weights."""
        return not self.refusal(operator)

    def python(self) -> str:
        """The Python that runs it; empty where there is none."""
        if self.module != "tflite_runtime":
            return sys.executable if find_spec(self.module) else ""
        if given := os.environ.get(ENVIRONMENT_VARIABLE):
            return given if Path(given).is_file() else ""
        # The environment lies beside the one that edgeml runs in, or in the current folder.
        for folder in (Path(sys.prefix).parent, Path.cwd()):
            python = folder / _ENVIRONMENT_FOLDER / "bin" / "python"
            if python.is_file():
                return str(python)
        return ""

    def missing(self) -> str:
        """Empty if it can run here; else what to install."""
        if self.python():
            return ""
        if self.module != "tflite_runtime":
            return f"the package {self.package} is not installed: pip install {self.package}"
        return (
            f"{self.package} needs an environment of its own (Python ≤ 3.11, numpy < 2): python3.11 -m venv "
            f"{_ENVIRONMENT_FOLDER} && {_ENVIRONMENT_FOLDER}/bin/pip install 'numpy<2' {self.package}; "
            f"elsewhere, point {ENVIRONMENT_VARIABLE} at its python"
        )


_XNNPACK = Arithmetic("fp32_rne")
_REFERENCE = Arithmetic("double_rounding")
_REFERENCE_FLOAT32 = Arithmetic("double_rounding", float32_product=True)
_RUY = Arithmetic("ruy_half_up", float32_product=True)
_RUY_FLOAT64 = Arithmetic("ruy_half_up")
_LITERT = ("ai-edge-litert", "ai_edge_litert")
_OLD = ("tflite-runtime==2.14.0", "tflite_runtime")

RUNTIMES: Mapping[str, Runtime] = MappingProxyType(
    {
        runtime.name: runtime
        for runtime in (
            Runtime("litert", _XNNPACK, _RUY, (8, 4, 2), *_LITERT),
            Runtime("litert-ref", Arithmetic("float64_away"), None, (8, 4, 2), *_LITERT),
            Runtime("tflite-runtime", _RUY, None, (8, 4), *_OLD),
            Runtime("tflite-runtime-ref", Arithmetic("double_rounding", float32_product=True), None, (8,), *_OLD),
            Runtime("tflm", Arithmetic("double_rounding"), None, (8, 4), "tflite-micro", "tflite_micro"),
        )
    }
)

ALIASES: Mapping[str, str] = MappingProxyType(
    {"universal": "shift", "cmsis-nn": "double_rounding", "xnnpack": "fp32_rne", "ruy": "ruy_half_up"}
)
"""Other names of rounding rules."""


def rounding_rule(name: str) -> RoundingRule:
    """The rule that a user or a file names: a rule itself, one of its `ALIASES`, or a runtime's name, which means the
    rule of that runtime for each layer. InputError for a name that is not known."""
    if name in RUNTIMES:
        return RUNTIMES[name].rounding
    if (rule := ALIASES.get(name, name)) in ROUNDINGS:
        return by_rule(rule)
    known = ", ".join((*ROUNDINGS, *RUNTIMES, *ALIASES))
    raise InputError(f"rounding {name!r}", "is not known", f"Known: {known}")


class Session:
    """A runtime in a process of its own, for any number of models: `with Session(runtime) as s: s.run(model, q)`.

    Raises MissingTool where the runtime is not installed, ToolFailed where it refuses a model, crashes or hangs.
    """

    def __init__(self, runtime: Runtime) -> None:
        if missing := runtime.missing():
            raise MissingTool(runtime.name, missing)
        self.runtime = runtime
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (open as long as the process)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
        self._process = subprocess.Popen(
            # -I: the worker's own folder stays out of the import path, where its neighbours would hide other modules.
            [runtime.python(), "-I", str(Path(__file__).with_name("worker.py")), runtime.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
        )

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether its process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
            self._process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def run(
        self, model: bytes, q: npt.NDArray[Any], tensors: Sequence[int] = (), *, real: bool = False, timed: float = 0.0
    ) -> tuple[list[npt.NDArray[Any]], dict[str, Any]]:
        """Outputs [samples, outputs] for inputs q in the type that the file takes, and what was measured.

        With `real`, q are real numbers: the worker quantizes them by the scale and zero point that the runtime reads in
        the file, if that takes integers, and gives real outputs, float64. `tensors` are the indices of tensors to read
        in place of the output. With `timed`, the inference of all of q is repeated for that many seconds, and the
        measures hold `seconds`: the median of one, without set-up, and `setup_seconds`.
        """
        stdin = self._process.stdin
        assert stdin is not None
        q = np.ascontiguousarray(q)
        asked = {"shape": q.shape, "dtype": q.dtype.str, "tensors": list(tensors), "real": real, "timed": timed}
        request = json.dumps(asked).encode()
        limit, late = seconds_for(_SECONDS), threading.Event()

        def end() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(limit, end)
        timer.start()
        try:
            stdin.write(struct.pack("<I", len(request)) + request + struct.pack("<Q", len(model)) + model)
            stdin.write(struct.pack("<Q", q.nbytes) + q.tobytes())
            stdin.flush()
            answer = json.loads(self._read("<I"))
            payload = self._read("<Q")
        except (BrokenPipeError, EOFError, ValueError) as error:
            if late.is_set():
                raise timed_out(self.runtime.name, limit) from error
            raise ToolFailed(
                self.runtime.name,
                f"ended while it ran the model ({self._last_words()})",
                "The file is not sound for it",
            ) from error
        finally:
            timer.cancel()
        if "error" in answer:
            raise ToolFailed(self.runtime.name, f"refused the model: {answer['error'].strip()[:500]}")
        arrays, start = [], 0
        for entry in answer.pop("arrays"):
            if entry["dtype"] not in _ANSWERED:
                raise ToolFailed(self.runtime.name, f"answered with values of type {entry['dtype']}")
            count = int(np.prod(entry["shape"]))
            arrays.append(np.frombuffer(payload, entry["dtype"], count, start).reshape(entry["shape"]))
            start += arrays[-1].nbytes
        return arrays, {key: value for key, value in answer.items() if value is not None}

    def _read(self, length: str) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None
        head = stdout.read(struct.calcsize(length))
        if len(head) != struct.calcsize(length):
            raise EOFError
        (count,) = struct.unpack(length, head)
        if count > _LARGEST_ANSWER:
            raise ValueError(f"an answer of {count} bytes")
        content = stdout.read(count)
        if len(content) != count:
            raise EOFError
        return content

    def _last_words(self) -> str:
        self._process.wait(10)
        self._errors.seek(0)
        lines = self._errors.read()[-400:].decode("utf-8", "replace").strip().splitlines()
        return f"exit status {self._process.returncode}" + (f": {lines[-1]}" if lines else "")
