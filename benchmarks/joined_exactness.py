"""Tensors side by side and products on every target and in every TensorFlow Lite runtime, held against the golden
simulator over many vectors.

    python -m benchmarks.joined_exactness [--vectors 20000] [--only NAME …] [--networks NAME …]

Prints, for each network and each way to run it, how many vectors differ. The networks reach the ends of what they
multiply; factors have up to 8 bits, of both signs. Models in PyTorch (a DenseNet, GLU, SwiGLU, gMLP, squeeze and
excite) become `.tflite` files with `--rounding shift`, of which every runtime must give the bytes of golden, and with
free scales, where each must give those of its own rule; their C runs on the host and on every core (`--only c
unicorn`).
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

import edgeml
from edgeml.converters.spiking.exact import to_spikes
from edgeml.converters.tflite import TfliteConverter
from edgeml.converters.tflite.lowering import lower
from edgeml.converters.tflite.metadata import own_metadata
from edgeml.converters.tflite.model import Model
from edgeml.converters.tflite.reader import read_model
from edgeml.converters.tflite.runtimes import RUNTIMES, Session
from edgeml.data.dataset import Dataset
from edgeml.frontends import load_model
from edgeml.network import Network, Requantize, Threshold, file, simulate
from edgeml.targets.cpu.native_network import build_native
from edgeml.targets.mcu.cores import CORES, UNICORN_CORES
from tests.frontends.joined_models import GATED, JOINED
from tests.frontends.shared_models import lively
from tests.targets.joined_networks import INPUTS, concatenated, multiplied

_NETWORKS = (
    concatenated(2),
    concatenated(8),
    multiplied((2, 2), (True, False)),
    multiplied((8, 8), (True, True)),
    multiplied((4, 4), (False, False), last=True),
)
_BODIES = {"portable": "-DEDGEML_PORTABLE", "avx2": "-march=haswell", "avx512": "-march=icelake-server"}
_CPU_FEATURES = {"portable": "", "avx2": "avx2", "avx512": "avx512_vnni"}
_TARGETS = {"m0": "cortex-m0plus", "rv32": "rv32imc"}

Run = Callable[[np.ndarray], np.ndarray]


def vectors(count: int) -> np.ndarray:
    """int32 [count, inputs]: both ends of all inputs, each input alone at an end, and random ones."""
    random = np.random.default_rng(20)
    q = random.integers(-8, 8, (count, INPUTS)).astype(np.int32)
    q[: count // 4] = random.choice(np.array([-8, 7], np.int32), (count // 4, INPUTS))
    q[:2] = [[-8] * INPUTS, [7] * INPUTS]
    return q


def ways(network: Network, folder: Path) -> Iterator[tuple[str, Callable[[], Run]]]:
    """(name, what gives a function from vectors to outputs) of each way to run a network."""
    features = Path("/proc/cpuinfo").read_text(encoding="utf-8") if platform.machine() == "x86_64" else ""
    for body, flag in _BODIES.items():
        if _CPU_FEATURES[body] in features:
            yield f"c {body}", lambda flag=flag: build_native([network], flags=("-O2", flag))[0].invoke  # type: ignore[misc]
    model = folder / "n.edgeml"
    model.write_bytes(file.to_bytes(network))

    form = "tflite" if network.of_kind(Requantize) else "quantized"

    def converted(target: str, on: str, **options: str) -> Run:
        bundle = edgeml.convert(model, to=form, target=target, options=options, output=folder / f"{target}_{on}")
        return lambda q: np.asarray(bundle.run(q, on=on).integers)

    for name in UNICORN_CORES:
        target = _TARGETS.get(name, f"cortex-{CORES[name].name}")
        yield f"unicorn-{name}", lambda target=target, name=name: converted(target, f"unicorn-{name}")  # type: ignore[misc]
    for architecture in ("folded", "unrolled"):
        yield (
            f"verilator {architecture}",
            lambda architecture=architecture: converted("xczu7ev", "verilator", architecture=architecture),  # type: ignore[misc]
        )
    # Larger thresholds make spikes slow, and products of them have none; nor have int8 networks.
    levels = [network.ranges[name] for name in network.of_kind(Threshold)]
    if levels and max(int(values.high.max() - values.low.min()) for values in levels) < 16:
        for encoding in ("unary", "sar", "ttfs", "graded", "stbif"):
            spikes = to_spikes(network, encoding)
            yield f"spikes {encoding}", lambda spikes=spikes: lambda q: simulate(spikes, q)  # type: ignore[misc]


def tflite_models() -> Iterator[tuple[str, bytes]]:
    """(name, content) of the files of all models, with scales for all runtimes and free ones."""
    for name, (make, shape) in {**JOINED, **GATED}.items():
        torch.manual_seed(0)
        module, x = lively(make(), shape), torch.randn(400, *shape)
        mlp, samples = load_model(module, example=x[:5]), x.reshape(400, -1).numpy().astype(np.float64)
        for rounding in ("shift", "double_rounding"):
            options = {"rounding": rounding, "epochs": 0}
            made = TfliteConverter().convert(mlp, Dataset(samples, samples[:80]), options, lambda *said: None)
            (content,) = made.files.values()
            yield f"{name.replace(' ', '_')}_{rounding}", content


def tflite_vectors(model: Model, count: int) -> np.ndarray:
    """int32 [count, inputs] for the file: a quarter of them at the ends of all inputs."""
    size = model.tensors[model.input].size
    q = np.random.default_rng(20).integers(-128, 128, (count, size)).astype(np.int32)
    q[: count // 4] = np.random.default_rng(21).choice(np.array([-128, 127], np.int32), (count // 4, size))
    return q


def run_tflite(content: bytes, count: int, name: str) -> int:
    """How many of `count` random vectors differ in the runtime of that name."""
    model = read_model(content)
    q = tflite_vectors(model, count)
    rule = own_metadata(model.metadata)["rounding"]
    expected = simulate(lower(model, rule if rule == "shift" else RUNTIMES[name].rounding), q)
    with Session(RUNTIMES[name]) as session:
        (found,), _ = session.run(content, q.astype(np.int8))
    return int(np.any(found != expected, axis=1).sum())


def _differences(network: Network, title: str, q: np.ndarray, only: Sequence[str]) -> int:
    """How many vectors differ over the ways to run the network whose names begin as `only` says; else over all."""
    golden, wrong = simulate(network, q), 0
    with tempfile.TemporaryDirectory() as folder:
        for name, made in ways(network, Path(folder)):
            if only and not name.startswith(tuple(only)):
                continue
            start = time.monotonic()
            differ = int(np.any(made()(q) != golden, axis=1).sum())
            wrong += differ
            took = f"{time.monotonic() - start:.0f} s"
            print(f"{title:34} {name:20} {differ} of {len(q)} differ, {took}", flush=True)
    return wrong


def _tflite_differences(title: str, content: bytes, count: int) -> int:
    """How many vectors differ over all runtimes that are installed."""
    wrong = 0
    for name, runtime in RUNTIMES.items():
        if missing := runtime.missing():
            print(f"{title:34} {name:20} not run: {missing}", flush=True)
            continue
        differ = run_tflite(content, count, name)
        wrong += differ
        print(f"{title:34} {name:20} {differ} of {count} differ", flush=True)
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 if any vector differs anywhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, default=20_000, help="how many inputs")
    parser.add_argument(
        "--only",
        nargs="*",
        default=[],
        help="ways to run whose names begin so; `tflite`: the files in their runtimes",
    )
    parser.add_argument("--networks", nargs="*", default=[], help="networks whose names begin so")
    chosen = parser.parse_args(arguments)
    q, wrong = vectors(chosen.vectors), 0
    for network in _NETWORKS:
        if not chosen.networks or network.name.startswith(tuple(chosen.networks)):
            wrong += _differences(network, network.name, q, chosen.only)
    for title, content in tflite_models():
        if chosen.networks and not title.startswith(tuple(chosen.networks)):
            continue
        if not chosen.only or "tflite" in chosen.only:
            wrong += _tflite_differences(title, content, chosen.vectors)
        model = read_model(content)
        lowered = lower(model, own_metadata(model.metadata)["rounding"])
        compiled = [way for way in chosen.only or ("c", "unicorn") if way.startswith(("c", "unicorn"))]
        if compiled:
            wrong += _differences(lowered, title, tflite_vectors(model, chosen.vectors), compiled)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
