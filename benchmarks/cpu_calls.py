"""What one call from Python takes beside LiteRT: batch 1, one thread, processor time, medians of paired turns.

    python -m benchmarks.cpu_calls [--rounds N]

LiteRT runs an int8 model of the same topology. `invoke()` finds its tensors set, as a bound call finds its arrays; a
call with new inputs is `set_tensor`, `invoke` and `get_tensor`, as against a call of the compiled bundle with an array.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import edgeml
from edgeml.network import network_file

from .cpu import random_inputs, random_network

WIDTHS = (64, 64, 32, 10)
CALLS = 2000
"""In one turn; a twentieth of it for `bundle.run`."""
Call = Callable[[], Any]


def litert(widths: tuple[int, ...]) -> tuple[Call, Call]:
    """LiteRT's `invoke`, and a call with new inputs."""
    from ai_edge_litert.interpreter import Interpreter

    from .tflite import random_file

    interpreter = Interpreter(model_content=random_file(widths), num_threads=1)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    x = np.random.default_rng(2).integers(-128, 128, (1, widths[0])).astype(np.int8)

    def whole() -> Any:
        interpreter.set_tensor(source, x)
        interpreter.invoke()
        return interpreter.get_tensor(target)

    whole()
    return interpreter.invoke, whole


def measure(rounds: int, widths: tuple[int, ...] = WIDTHS) -> dict[str, float]:
    """Seconds of processor time of one call, by name."""
    network = random_network(widths, 8)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "net.edgeml"
        network_file.write(network, source)
        bundle = edgeml.convert(source, to="quantized", target="host", output=Path(folder) / "out")
        q = random_inputs(network, 1)
        compiled, x = bundle.compile("native"), q.astype(np.uint8)
        out = np.empty((1, widths[-1]), np.int32)
        invoke, whole = litert(widths)
        calls: dict[str, Call] = {
            "LiteRT, invoke()": invoke,
            "call = compiled.bind(x, out); call()": compiled.bind(x, out),
            "LiteRT, set_tensor, invoke, get_tensor": whole,
            "compiled(x)": lambda: compiled(x),
            "compiled(x, out)": lambda: compiled(x, out),
            'bundle.run(q, on="native")': lambda: bundle.run(q, on="native"),
        }
        times: dict[str, list[float]] = {name: [] for name in calls}
        for turn in range(rounds + 1):
            for name, call in calls.items():
                count = CALLS // 20 if "run" in name else CALLS
                start = time.process_time()
                for _ in range(count):
                    call()
                if turn:  # the first one warms up
                    times[name].append((time.process_time() - start) / count)
    return {name: statistics.median(values) for name, values in times.items()}


def table(rounds: int = 31) -> str:
    """The figures as Markdown."""
    seconds = measure(rounds)
    names = list(seconds)
    lines = [f"| one call, {'-'.join(map(str, WIDTHS))}, batch 1 | µs | LiteRT takes |", "|---|---|---|"]
    for place, (name, value) in enumerate(seconds.items()):
        peer = names[0] if place < 2 else names[2]
        ratio = "" if name == peer else f"{seconds[peer] / value:.1f} ×"
        lines.append(f"| {name if 'LiteRT' in name else f'`{name}`'} | {value * 1e6:.2f} | {ratio} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=31, help="turns of each candidate; the median counts")
    print(table(parser.parse_args(arguments or []).rounds))


if __name__ == "__main__":
    main(sys.argv[1:])
