"""The generated C of 2-bit networks beside LiteRT and ONNX Runtime in int8, and golden beside qonnx: one thread.

    python -m benchmarks.cpu [--rounds N] [--without-amx] [--json FILE]

Weights and thresholds are random: speed does not depend on their values. Before anything is timed, the C is compared
with the golden simulator, and golden with qonnx. Then all are timed in turns, so that whatever else the machine does
meets all of them alike, and the medians are compared. The peers compute the same topology with 8-bit weights and
activations; they run from Python with their tensors set beforehand, as `invoke()` and `run_with_iobinding()` want it,
and so does the C in the column "from Python"; "C loop" is what a program in C sees.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, simulate, trace
from edgeml.targets.cpu.native_call import NativeCall
from edgeml.targets.cpu.native_network import NativeNetwork

from .without_amx import refuse_amx

SHAPES = (
    ((16, 64, 32, 32, 5), 8),
    ((40, 256, 128, 64, 32, 4), 8),
    ((784, 64, 64, 64, 10), 8),
    ((784, 64, 64, 64, 10), 2),
    ((1024, 1024, 1024, 10), 8),
)
"""Layer sizes and bits of the input."""
BATCHES = (1, 256)
SECONDS_PER_TURN = 0.02
Timer = Callable[[], float]
"""Seconds per inference over one turn."""


@dataclass(frozen=True)
class Row:
    """Medians of one network at one batch size, in microseconds per inference."""

    network: str
    input_bits: int
    batch: int
    c_loop: float
    from_python: float
    litert: float
    onnxruntime: float
    kernels: str

    @property
    def over_litert(self) -> float:
        """How many times LiteRT's speed the C has."""
        return self.litert / self.c_loop


def random_network(widths: tuple[int, ...], input_bits: int) -> Network:
    """2-bit weights and activations; thresholds around the middle of what accumulators reach, as training puts them."""
    rng = np.random.default_rng(0)
    nodes = [Node("input", InputQuantizer(widths[0], np.array([0.1]), np.zeros(1), 0, input_bits, False))]
    x = rng.integers(0, 2**input_bits, (512, widths[0])).astype(np.int32)
    for k, (inputs, outputs) in enumerate(pairwise(widths)):
        dense = Dense(rng.integers(-2, 2, (outputs, inputs)), 2, rng.integers(-20, 21, outputs))
        nodes.append(Node(f"dense{k}", dense, (nodes[-1].name,)))
        x = dense.evaluate(x)
        if k < len(widths) - 2:
            steps = np.quantile(x, (0.4, 0.6, 0.8), axis=0).T
            threshold = Threshold(np.sort(np.rint(steps).astype(np.int64), axis=1))
            nodes.append(Node(f"act{k}", threshold, (nodes[-1].name,)))
            x = threshold.evaluate(x)
    return Network("net", tuple(nodes), Output(np.array([1.0])))


def random_inputs(network: Network, samples: int) -> npt.NDArray[np.int32]:
    """Input integers over the whole range."""
    rng = np.random.default_rng(1)
    shape = (samples, network.input_size)
    return rng.integers(network.quantizer.low, network.quantizer.high + 1, shape).astype(np.int32)


def repeated(call: Callable[[], Any], batch: int) -> Timer:
    """Times calls of a Python function, each of so many inferences."""
    call()
    start = time.perf_counter()
    call()
    turns = max(1, int(SECONDS_PER_TURN / max(time.perf_counter() - start, 1e-7)))

    def timer() -> float:
        start = time.perf_counter()
        for _ in range(turns):
            call()
        return (time.perf_counter() - start) / (turns * batch)

    return timer


def c_loop(native: NativeNetwork, q: npt.NDArray[np.int32]) -> Timer:
    """Times the C inside C: batch 1 as single inferences over 64 different samples."""
    singly = len(q) == 1
    samples = random_inputs(native.network, 64) if singly else q
    once = native.time(samples, 1, singly) * len(samples)
    repeats = max(1, int(SECONDS_PER_TURN / max(once, 1e-7)))
    return lambda: native.time(samples, repeats, singly)


def litert(widths: tuple[int, ...], batch: int) -> Timer:
    """LiteRT's default (XNNPACK) on an int8 model of these sizes."""
    from ai_edge_litert.interpreter import Interpreter

    from .tflite import random_file

    interpreter = Interpreter(model_content=random_file(widths), num_threads=1)
    source = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(source["index"], [batch, widths[0]])
    interpreter.allocate_tensors()
    x = np.random.default_rng(2).integers(-128, 128, (batch, widths[0])).astype(np.int8)
    interpreter.set_tensor(source["index"], x)
    return repeated(interpreter.invoke, batch)


def onnxruntime_model(widths: tuple[int, ...]) -> bytes:
    """An int8 model in ONNX's quantize-dequantize form; saturation at zero point 0 is the ReLU. ONNX Runtime fuses
    each layer to one integer operator."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, constants = [], []

    def constant(name: str, value: npt.NDArray[Any]) -> str:
        constants.append(numpy_helper.from_array(value, name))
        return name

    zero = constant("zero", np.array(0, np.uint8))
    weight_zero, bias_zero = constant("weight_zero", np.array(0, np.int8)), constant("bias_zero", np.array(0, np.int32))
    scale = constant("scale", np.array(0.02, np.float32))
    value = "x"
    for k, (inputs, outputs) in enumerate(pairwise(widths)):
        weight_scale = np.array(1 / (127 * np.sqrt(inputs)), np.float32)
        weight = constant(f"weight{k}", rng.integers(-127, 128, (outputs, inputs)).astype(np.int8))
        bias = constant(f"bias{k}", rng.integers(-100, 101, outputs).astype(np.int32))
        w_scale = constant(f"weight_scale{k}", weight_scale)
        b_scale = constant(f"bias_scale{k}", np.array(weight_scale * np.float32(0.02), np.float32))
        nodes += [
            helper.make_node("DequantizeLinear", [value, scale, zero], [f"x{k}"]),
            helper.make_node("DequantizeLinear", [weight, w_scale, weight_zero], [f"w{k}"]),
            helper.make_node("DequantizeLinear", [bias, b_scale, bias_zero], [f"b{k}"]),
            helper.make_node("Gemm", [f"x{k}", f"w{k}", f"b{k}"], [f"y{k}"], transB=1),
            helper.make_node("QuantizeLinear", [f"y{k}", scale, zero], [f"q{k}"]),
        ]
        value = f"q{k}"
    graph = helper.make_graph(
        nodes,
        "int8",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, ["batch", widths[0]])],
        [helper.make_tensor_value_info(value, TensorProto.UINT8, ["batch", widths[-1]])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def onnxruntime(widths: tuple[int, ...], batch: int) -> Timer:
    """ONNX Runtime's CPU provider on an int8 model of these sizes."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(onnxruntime_model(widths), options, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(2).integers(0, 256, (batch, widths[0])).astype(np.uint8)
    binding = session.io_binding()
    binding.bind_cpu_input("x", x)
    binding.bind_output(session.get_outputs()[0].name)
    return repeated(lambda: session.run_with_iobinding(binding), batch)


def qonnx_model(network: Network, batch: int) -> Any:
    """The network in QONNX as exporters write it: input and weights through Quant, MatMul, Add, MultiThreshold, on
    integers in floating point."""
    from onnx import TensorProto, helper, numpy_helper
    from qonnx.core.modelwrapper import ModelWrapper

    nodes, constants = [], []
    sizes, infos = network.sizes, {}

    def constant(name: str, array: npt.NDArray[Any]) -> str:
        constants.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name

    def quant(source: str, bits: int, signed: int) -> str:
        one, zero = constant(f"{source}_scale", np.ones(1)), constant(f"{source}_zero", np.zeros(1))
        width = constant(f"{source}_bits", np.array(bits))
        attributes = {"signed": signed, "narrow": 0, "rounding_mode": "ROUND", "domain": "qonnx.custom_op.general"}
        nodes.append(helper.make_node("Quant", [source, one, zero, width], [f"{source}_quant"], **attributes))
        return f"{source}_quant"

    value = quant("x", network.quantizer.bits, 0)
    infos[value] = [batch, network.input_size]
    for node in network.layers:
        if isinstance(node.layer, Dense):
            weight = quant(constant(f"{node.name}_weight", node.layer.weight.T), node.layer.weight_bits, 1)
            infos[weight] = list(node.layer.weight.T.shape)
            infos[f"{node.name}_sum"] = [batch, sizes[node.name]]
            bias = constant(f"{node.name}_bias", node.layer.bias)
            nodes += [
                helper.make_node("MatMul", [value, weight], [f"{node.name}_sum"]),
                helper.make_node("Add", [f"{node.name}_sum", bias], [node.name]),
            ]
        elif isinstance(node.layer, Threshold):
            levels = constant(f"{node.name}_levels", node.layer.thresholds)
            nodes.append(
                helper.make_node(
                    "MultiThreshold",
                    [value, levels],
                    [node.name],
                    domain="qonnx.custom_op.general",
                    out_dtype="UINT2",
                )
            )
        value = node.name
        infos[value] = [batch, sizes[value]]

    def info(name: str, shape: list[int]) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    given, result = info("x", [batch, network.input_size]), info(value, infos.pop(value))
    inner = [info(name, shape) for name, shape in infos.items()]
    graph = helper.make_graph(nodes, "net", [given], [result], constants, value_info=inner)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("qonnx.custom_op.general", 1)]
    return ModelWrapper(helper.make_model(graph, opset_imports=opsets, ir_version=8))


def golden_over_qonnx(network: Network, rounds: int) -> dict[str, float]:
    """How many times the speed of qonnx's executor the golden simulator has on the same integers, per sample: called
    with one sample each; with one batch each; and on a set of samples as both take it, golden at once, qonnx one by
    one (exported files have the static shapes of one sample, as FINN wants them)."""
    from qonnx.core.onnx_exec import execute_onnx

    output = network.nodes[-1].name
    seconds: dict[tuple[str, int], float] = {}
    for batch in BATCHES:
        model, q = qonnx_model(network, batch), random_inputs(network, batch)
        x = {"x": q.astype(np.float32)}
        if not np.array_equal(execute_onnx(model, x)[output].astype(np.int64), simulate(network, q)):
            raise CheckFailed("qonnx", "computes other integers than the golden simulator")
        timers = {
            "golden": repeated(partial(simulate, network, q), batch),
            "qonnx": repeated(partial(execute_onnx, model, x), batch),
        }
        times: dict[str, list[float]] = {name: [] for name in timers}
        for _ in range(max(3, rounds // 5)):
            for name, timer in timers.items():
                times[name].append(timer())
        for name, values in times.items():
            seconds[name, batch] = statistics.median(values)
    one, many = BATCHES
    return {
        "one sample": seconds["qonnx", one] / seconds["golden", one],
        "one batch": seconds["qonnx", many] / seconds["golden", many],
        "a set": seconds["qonnx", one] / seconds["golden", many],
    }


def check(native: NativeNetwork) -> None:
    """The C computes golden's integers: outputs, alone and in batches, and every layer."""
    q = random_inputs(native.network, 515)
    expected = trace(native.network, q)
    layers = native.trace(q)
    layers["batch"] = native.invoke(q)
    expected["batch"] = simulate(native.network, q)
    wrong = [name for name, values in layers.items() if not np.array_equal(values, expected[name])]
    if wrong:
        raise CheckFailed("native", f"differs from golden at {wrong}")


def measure(widths: tuple[int, ...], input_bits: int, batch: int, rounds: int) -> Row:
    """One row: all candidates in turns."""
    network = random_network(widths, input_bits)
    native = NativeNetwork(network)
    check(native)
    q = random_inputs(network, batch)
    bound = NativeCall(native).bind(q.astype(np.uint8))
    timers = {
        "c_loop": c_loop(native, q),
        "from_python": repeated(bound, batch),
        "litert": litert(widths, batch),
        "onnxruntime": onnxruntime(widths, batch),
    }
    times: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(rounds):
        for name, timer in timers.items():
            times[name].append(timer())
    medians = {name: round(statistics.median(values) * 1e6, 4) for name, values in times.items()}
    kernels = ", ".join(stage.code.kernel for stage in native.program.layout.stages if stage.code.kernel)
    return Row("-".join(map(str, widths)), input_bits, batch, **medians, kernels=kernels)


def main(arguments: list[str] | None = None) -> None:
    """Print the tables, and write them as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=31, help="turns of each candidate; the median counts")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--without-amx", action="store_true", help="neither the C nor the others get AMX")
    options = parser.parse_args([] if arguments is None else arguments)
    if options.without_amx:
        refuse_amx()
    native = NativeNetwork(random_network((4, 4, 2), 8))
    print(f"2-bit networks of random weights, one thread, medians of {options.rounds} turns")
    print(f"C: {native.compiler.version}, -O3 {' '.join(native.flags)}; peers in int8, microseconds per inference\n")
    print(
        f"{'network':<24}{'input':>6}{'batch':>6}{'C loop':>10}{'from Python':>12}{'LiteRT':>10}{'ORT':>10}"
        f"{'C / LiteRT':>12}{'Py / LiteRT':>12}{'C / ORT':>9}"
    )
    rows = []
    for widths, input_bits in SHAPES:
        for batch in BATCHES:
            row = measure(widths, input_bits, batch, options.rounds)
            rows.append(row)
            print(
                f"{row.network:<24}{f'{row.input_bits} bit':>6}{row.batch:>6}{row.c_loop:>10.3f}"
                f"{row.from_python:>12.3f}{row.litert:>10.3f}{row.onnxruntime:>10.3f}{f'{row.over_litert:.1f}x':>12}"
                f"{f'{row.litert / row.from_python:.1f}x':>12}{f'{row.onnxruntime / row.c_loop:.1f}x':>9}",
                flush=True,
            )
    print(
        "\ngolden simulator beside qonnx's executor: one sample in a call, a batch of 256 in a call, a set of samples"
    )
    golden = {}
    for widths, input_bits in SHAPES:
        ratios = golden_over_qonnx(random_network(widths, input_bits), options.rounds)
        name = "-".join(map(str, widths))
        golden[f"{name}, {input_bits} bit"] = {key: round(ratio, 1) for key, ratio in ratios.items()}
        print(
            f"{name:<24}{f'{input_bits} bit':>6}" + "".join(f"{f'{r:.0f}x':>10}" for r in ratios.values()), flush=True
        )
    if options.json:
        content = {"rows": [asdict(row) for row in rows], "golden_over_qonnx": golden}
        options.json.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
