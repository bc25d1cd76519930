"""Runs .tflite files in one runtime, in a process of its own: a runtime that aborts cannot take edgeml with it.

A program of its own, which imports nothing of edgeml: it also runs in the environment of tflite-runtime 2.14, whose
numpy edgeml cannot use. It reads requests from its standard input and answers on its standard output until the input
ends:

    request:  u32 length + JSON {"shape": …, "dtype": …, "tensors": [index, …], "real": …, "timed": seconds},
              u64 length + model, u64 length + input
    answer:   u32 length + JSON {"error": …} or {"arrays": [{"shape": …, "dtype": …}, …], "version": …, "arena": …},
              u64 length + the arrays one after the other

The arrays are those of the tensors asked for, or of the model's output where none is. All lengths are little-endian;
arrays are raw bytes in C order.

With `real`, the worker is an application that has real numbers: it quantizes them by the scale and zero point that the
runtime gives for the model's input, and answers with the real numbers that the output stands for. `timed` repeats the
inference for so many seconds and answers with the median of one. Its argument is `litert`, `litert-ref`,
`tflite-runtime`, `tflite-runtime-ref` or `tflm`.
"""

import json
import os
import re
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

ARENA = 1 << 22


def interpreter_class(runtime: str) -> Any:
    """(Interpreter, resolver, version) of LiteRT or tflite-runtime."""
    if runtime.startswith("litert"):
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        package = "ai-edge-litert"
    else:
        from tflite_runtime.interpreter import Interpreter, OpResolverType

        package = "tflite-runtime"
    resolver = OpResolverType.BUILTIN_REF if runtime.endswith("-ref") else OpResolverType.AUTO
    return Interpreter, resolver, version(package)


def version(package: str) -> str:
    """`package` and its version, as installed."""
    from importlib.metadata import version as installed

    return f"{package} {installed(package)}"


def quantization(details: Any) -> "tuple[float, int]":
    """Scale and zero point of an input or output, as the runtime reads them from the file; (0, 0) where it has none."""
    parameters = details["quantization_parameters"]
    if len(parameters["scales"]) != 1:
        return 0.0, 0
    return float(parameters["scales"][0]), int(parameters["zero_points"][0])


def fed(details: Any, values: Any) -> Any:
    """What an application feeds for `values`: real numbers are quantized where the input is of integers."""
    dtype = np.dtype(details["dtype"])
    if values.dtype.kind != "f" or dtype.kind == "f":
        return values.astype(dtype)
    scale, zero_point = quantization(details)
    if not scale:
        raise ValueError("the input of integers has no scale: real numbers cannot be fed")
    ends = np.iinfo(dtype)
    return np.clip(np.rint(values.astype(np.float64) / scale) + zero_point, ends.min, ends.max).astype(dtype)


def real(details: Any, values: Any) -> Any:
    """What an application makes of an output: integers by their scale and zero point."""
    scale, zero_point = quantization(details)
    if np.dtype(details["dtype"]).kind == "f" or not scale:
        return np.asarray(values, np.float64)
    return (np.asarray(values, np.float64) - zero_point) * scale


def repeated(invoke: "Callable[[], Any]", seconds: float) -> float:
    """Median duration of one call of `invoke` within `seconds`; at least three calls."""
    durations: list[float] = []
    end = time.perf_counter() + seconds
    while len(durations) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        invoke()
        durations.append(time.perf_counter() - start)
    return statistics.median(durations)


def run_lite(runtime: str, model: bytes, q: Any, tensors: list[int], as_real: bool, timed: float) -> Any:
    """Tensors of LiteRT or tflite-runtime for q [samples, inputs]: as one batch, or where the model is made for single
    samples only (a RESHAPE to a fixed shape), one by one."""
    interpreter_type, resolver, name = interpreter_class(runtime)

    def interpreter() -> Any:
        return interpreter_type(
            model_content=model,
            experimental_op_resolver_type=resolver,
            experimental_preserve_all_tensors=bool(tensors),
            num_threads=1,
        )

    def invoke(running: Any, values: Any) -> list[Any]:
        source, target = running.get_input_details()[0], running.get_output_details()[0]
        running.set_tensor(source["index"], fed(source, values).reshape(source["shape"]))
        running.invoke()
        found = [running.get_tensor(index).reshape(len(values), -1) for index in tensors or [target["index"]]]
        return [real(target, found[0])] if as_real else found

    start = time.perf_counter()
    measures: dict[str, Any] = {"version": name}
    try:
        batch = interpreter()
        details = batch.get_input_details()[0]
        batch.resize_tensor_input(details["index"], [len(q), *details["shape"][1:]])
        batch.allocate_tensors()
        arrays = invoke(batch, q)
        running, each = batch, q
    except (RuntimeError, ValueError):
        single = interpreter()
        single.allocate_tensors()
        rows = [invoke(single, q[row : row + 1]) for row in range(len(q))]
        arrays = [np.concatenate(values) for values in zip(*rows, strict=True)]
        running, each = single, q[:1]
    if timed:
        measures["setup_seconds"] = time.perf_counter() - start
        measures["seconds"] = repeated(running.invoke, timed) / len(each)
    return arrays, measures


def arena_bytes(interpreter: Any) -> int | None:
    """Bytes of the arena that TFLite Micro used, from the report that it prints."""
    with tempfile.TemporaryFile() as report:
        kept = os.dup(2)
        os.dup2(report.fileno(), 2)
        try:
            interpreter.print_allocations()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        report.seek(0)
        found = re.search(rb"Arena allocation total (\d+) bytes", report.read())
    return int(found.group(1)) if found else None


def run_micro(model: bytes, q: Any, tensors: list[int], as_real: bool, timed: float) -> Any:
    """Tensors of TFLite Micro, sample by sample; the arena is that of an interpreter that keeps no tensors."""
    from tflite_micro.python.tflite_micro import runtime

    def interpreter(config: Any) -> Any:
        return runtime.Interpreter.from_bytes(model, arena_size=ARENA + 2 * len(model), intrepreter_config=config)

    start = time.perf_counter()
    recording = interpreter(runtime.InterpreterConfig.kAllocationRecording)
    source, target = recording.get_input_details(0), recording.get_output_details(0)
    running = interpreter(runtime.InterpreterConfig.kPreserveAllTensors) if tensors else recording
    rows: list[list[Any]] = [[] for _ in tensors or [0]]
    shape = source["shape"]

    def invoke(row: Any) -> None:
        running.set_input(row.reshape(shape), 0)
        running.invoke()

    integers = fed(source, q)
    for row in integers:
        invoke(row)
        found = [running.GetTensor(index, 0)["tensor_data"] for index in tensors] or [running.get_output(0)]
        for kept, values in zip(rows, found, strict=True):
            kept.append(np.array(values).ravel())
    if tensors:
        recording.set_input(integers[:1].reshape(shape), 0)
        recording.invoke()
    measures: dict[str, Any] = {"version": version("tflite-micro"), "arena": arena_bytes(recording)}
    if timed:
        measures["setup_seconds"] = time.perf_counter() - start
        measures["seconds"] = repeated(lambda: invoke(integers[0]), timed)
    arrays = [np.stack(kept) for kept in rows]
    return [real(target, arrays[0])] if as_real else arrays, measures


def read_exactly(stream: BinaryIO, count: int) -> bytes:
    """`count` bytes; EOFError where the stream ends before."""
    content = stream.read(count)
    if len(content) != count:
        raise EOFError
    return content


def serve(runtime: str, source: BinaryIO, target: BinaryIO) -> None:
    """Answer requests until `source` ends."""
    while True:
        head = source.read(4)
        if not head:
            return
        request = json.loads(read_exactly(source, struct.unpack("<I", head)[0]))
        model = read_exactly(source, struct.unpack("<Q", read_exactly(source, 8))[0])
        data = read_exactly(source, struct.unpack("<Q", read_exactly(source, 8))[0])
        q = np.frombuffer(data, request["dtype"]).reshape(request["shape"])
        try:
            asked = (model, q, request["tensors"], request["real"], request["timed"])
            arrays, answer = run_micro(*asked) if runtime == "tflm" else run_lite(runtime, *asked)
            arrays = [np.ascontiguousarray(y).reshape(len(q), -1) for y in arrays]
            answer["arrays"] = [{"shape": y.shape, "dtype": y.dtype.str} for y in arrays]
            payload = b"".join(y.tobytes() for y in arrays)
        except Exception as error:
            answer, payload = {"error": f"{type(error).__name__}: {error}"}, b""
        text = json.dumps(answer).encode()
        target.write(struct.pack("<I", len(text)) + text + struct.pack("<Q", len(payload)) + payload)
        target.flush()


if __name__ == "__main__":
    # Some runtimes print on descriptor 1: answers go to a copy of it, everything else to standard error.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.argv[1], sys.stdin.buffer, answers)
