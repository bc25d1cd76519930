"""Generated int8 C beside LiteRT (XNNPACK) and TFLite Micro: the same .tflite file, the same bytes, one thread.

    python -m benchmarks.tflite [--rounds N] [--json FILE]

For each network the C that is generated for a runtime's rounding rule is first compared with that runtime on random
inputs, and then both are timed in turns; the smallest time of all turns counts, as everything else on the machine only
adds to it. The runtimes are called through their Python bindings; what an empty call of those costs is told too.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from edgeml.converters.tflite import TfliteConverter, read_model
from edgeml.converters.tflite.lowering import lower
from edgeml.converters.tflite.runtimes import RUNTIMES
from edgeml.data.dataset import Dataset
from edgeml.errors import CheckFailed
from edgeml.frontends.mlp import Clamp, Linear, Mlp, MlpNode
from edgeml.network import Network
from edgeml.targets.c import generate
from edgeml.targets.cpu.compiler import Compiler, find_compiler
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.shared_library import build_library

SHAPES = ((16, 64, 32, 32, 5), (40, 256, 128, 64, 32, 4), (784, 64, 64, 64, 10), (1024, 1024, 1024, 10))
BATCH = 256
CHECKED = 512
SECONDS_PER_TURN = 0.02

_TIMED = """#include "{name}.c"

void edgeml_single(const int8_t *input, size_t samples, size_t turns, int32_t *output, void *arena);
void edgeml_single(const int8_t *input, size_t samples, size_t turns, int32_t *output, void *arena)
{{
    for (size_t turn = 0; turn < turns; turn++) {{
        const size_t i = turn % samples;
        {name}_invoke(input + i * {inputs}u, output + i * {outputs}u, arena);
    }}
}}

void edgeml_batch(const int8_t *input, size_t samples, size_t turns, int32_t *output, void *arena);
void edgeml_batch(const int8_t *input, size_t samples, size_t turns, int32_t *output, void *arena)
{{
    for (size_t turn = 0; turn < turns; turn++) {{
        {name}_invoke_batch(input, samples, output, NULL, arena);
    }}
}}
"""


def random_file(shape: tuple[int, ...]) -> bytes:
    """An int8 .tflite of random weights, ReLU between its layers, calibrated on random data."""
    generator = np.random.default_rng(0)
    nodes: list[MlpNode] = []
    previous = "input"
    for k, (inputs, outputs) in enumerate(pairwise(shape)):
        weight = generator.normal(0, np.sqrt(2 / inputs), (outputs, inputs))
        nodes.append(MlpNode(f"linear{k}", Linear(weight, generator.normal(0, 0.1, outputs)), (previous,)))
        if k < len(shape) - 2:
            nodes.append(MlpNode(f"relu{k}", Clamp(0.0, np.inf), (f"linear{k}",)))
        previous = nodes[-1].name
    x = generator.normal(0, 1, (512, shape[0]))
    conversion = TfliteConverter().convert(Mlp("net", shape[0], tuple(nodes)), Dataset(x, x[:64]), {}, lambda *_: None)
    (content,) = conversion.files.values()
    return content


class Generated:
    """The C of a network, timed inside C."""

    def __init__(self, network: Network, compiler: Compiler) -> None:
        program = generate(network, CPU_DIALECT)
        wrapper = _TIMED.format(name=network.name, inputs=network.input_size, outputs=network.output_size)
        path = build_library(
            compiler, {**program.files, "timed.c": wrapper}, ["timed.c"], tuple(compiler.native_flags())
        )
        self._library = ctypes.CDLL(str(path))
        self._outputs = network.output_size
        self.constant_bytes, self.arena_bytes = program.constant_bytes, program.arena_bytes
        memory = np.zeros(max(program.arena_bytes, program.layout.batch_arena_bytes) + CPU_DIALECT.alignment, np.uint8)
        self._memory = memory
        self._arena = -(-memory.ctypes.data // CPU_DIALECT.alignment) * CPU_DIALECT.alignment

    def caller(self, entry: str, q: np.ndarray) -> Callable[[int], np.ndarray]:
        """A function that runs q so many times; gives the outputs."""
        function = getattr(self._library, entry)
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        function.argtypes, function.restype = (pointer, size, size, pointer, pointer), None
        given = np.ascontiguousarray(q, np.int8)
        output = np.zeros((len(q), self._outputs), np.int32)

        def call(turns: int) -> np.ndarray:
            function(given.ctypes.data, len(given), turns, output.ctypes.data, self._arena)
            return output

        return call


def litert_caller(content: bytes, q: np.ndarray) -> Callable[[int], np.ndarray]:
    """LiteRT's default resolver (XNNPACK) on q as one batch."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    source = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(source["index"], list(q.shape))
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], q.astype(np.int8))
    output = interpreter.get_output_details()[0]["index"]
    invoke = interpreter.invoke

    def call(turns: int) -> np.ndarray:
        for _ in range(turns):
            invoke()
        return interpreter.get_tensor(output)

    return call


def micro_caller(content: bytes, q: np.ndarray) -> Callable[[int], np.ndarray]:
    """TFLite Micro on one sample (its reference kernels: on a host it has no others)."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(content, arena_size=1 << 20)
    interpreter.set_input(q.astype(np.int8), 0)

    def call(turns: int) -> np.ndarray:
        for _ in range(turns):
            interpreter.invoke()
        return np.array(interpreter.get_output(0))

    return call


def times(callers: dict[str, Callable[[int], np.ndarray]], rounds: int) -> dict[str, float]:
    """Seconds of one turn of each, the smallest of all rounds; the callers take turns."""
    turns: dict[str, int] = {}
    for name, call in callers.items():
        call(3)
        start = time.perf_counter()
        call(10)
        turns[name] = max(1, int(SECONDS_PER_TURN / max((time.perf_counter() - start) / 10, 1e-7)))
    best = dict.fromkeys(callers, np.inf)
    for _ in range(rounds):
        for name, call in callers.items():
            start = time.perf_counter()
            call(turns[name])
            best[name] = min(best[name], (time.perf_counter() - start) / turns[name])
    return best


def checked(name: str, ours: np.ndarray, theirs: np.ndarray) -> None:
    """Raise where the C and a runtime differ."""
    if not np.array_equal(ours, theirs):
        raise CheckFailed(f"benchmark {name}", f"{int((ours != theirs).sum())} outputs differ")


def measure(shape: tuple[int, ...], compiler: Compiler, rounds: int) -> dict[str, Any]:
    """All figures of one network."""
    content = random_file(shape)
    model = read_model(content, "net")
    q = np.random.default_rng(1).integers(-128, 128, (CHECKED, shape[0])).astype(np.int8)
    result: dict[str, Any] = {"shape": "-".join(map(str, shape)), "tflite_bytes": len(content)}
    for peer in ("litert", "tflm"):
        if missing := RUNTIMES[peer].missing():
            result[peer] = missing
            continue
        generated = Generated(lower(model, RUNTIMES[peer].rounding), compiler)
        result |= {"constant_bytes": generated.constant_bytes, "arena_bytes": generated.arena_bytes}
        ours = generated.caller("edgeml_batch", q)(1)
        if peer == "litert":
            checked(peer, ours, litert_caller(content, q)(1))
            one = {"c": generated.caller("edgeml_single", q[:1]), "peer": litert_caller(content, q[:1])}
            many = {"c": generated.caller("edgeml_batch", q[:BATCH]), "peer": litert_caller(content, q[:BATCH])}
            result["litert_batch"] = {k: v / BATCH for k, v in times(many, rounds).items()}
        else:
            for row in range(8):
                checked(peer, ours[row], micro_caller(content, q[row : row + 1])(1)[0])
            one = {"c": generated.caller("edgeml_single", q[:1]), "peer": micro_caller(content, q[:1])}
        result[peer] = times(one, rounds)
    return result


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    compiler = find_compiler()
    if compiler is None:
        print("no C compiler was found", file=sys.stderr)
        return 3
    empty = times({"call": litert_caller(random_file((1, 1)), np.zeros((1, 1), np.int8))}, given.rounds)["call"]
    print(f"LiteRT on a network of one weight, called the same way: {1e6 * empty:.2f} µs")
    results = []
    heading = ("network", "C", "LiteRT", "ratio", "C, batch", "LiteRT, batch", "ratio", "C", "TFLite Micro", "ratio")
    print(" | ".join(f"{word:>18}" if word == "network" else f"{word:>13}" for word in heading))
    for shape in SHAPES:
        found = measure(shape, compiler, given.rounds)
        results.append(found)
        cells = [f"{found['shape']:>18}"]
        for key in ("litert", "litert_batch", "tflm"):
            pair = found.get(key)
            if isinstance(pair, dict):
                cells += [f"{1e6 * pair['c']:10.3f} µs", f"{1e6 * pair['peer']:10.3f} µs"]
                cells.append(f"{pair['peer'] / pair['c']:12.2f}x")
            else:
                cells += [f"{'–':>13}"] * 3
        print(" | ".join(cells))
    if given.json:
        given.json.write_text(json.dumps({"empty_call": empty, "networks": results}, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
