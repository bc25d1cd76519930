"""Universal mode: one file, the same bytes from every runtime, the golden simulator and the C."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from edgeml.converters.tflite import TfliteConverter
from edgeml.converters.tflite.lowering import lower
from edgeml.converters.tflite.operators.fully_connected import FullyConnected
from edgeml.converters.tflite.reader import read_model
from edgeml.converters.tflite.runtimes import RUNTIMES, Session
from edgeml.data.dataset import Dataset
from edgeml.errors import InputError
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode, Sigmoid, Tanh
from edgeml.network import Network, simulate
from edgeml.network.rounding import ROUNDINGS
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.cpu.native_network import NativeNetwork
from tests.sweeps import cases, seed_for

from .random_models import random_mlp


def converted(generator: np.random.Generator, bits: int, widest: int = 640) -> tuple[Network, bytes]:
    """A random MLP in universal mode, and its file."""
    mlp = random_mlp(generator, widest)
    x = generator.normal(0, generator.uniform(0.1, 3), (256, mlp.input_size)) + generator.normal(0, 0.5)
    conversion = TfliteConverter().convert(
        mlp, Dataset(x, x[:32]), {"rounding": "shift", "weight_bits": bits, "epochs": 0}, lambda *given: None
    )
    (content,) = conversion.files.values()
    return conversion.network, content


def random_integers(generator: np.random.Generator, network: Network, samples: int) -> np.ndarray:
    return generator.integers(-128, 128, (samples, network.input_size)).astype(np.int32)


@cache
def files(bits: int) -> list[tuple[bytes, np.ndarray, np.ndarray]]:
    """Some files with inputs and the outputs of golden, made once for all runtimes."""
    generator = np.random.default_rng(bits)
    found = []
    for _ in range(4):
        network, content = converted(generator, bits, widest=300)
        q = random_integers(generator, network, max(64, 4000 // network.output_size))
        found.append((content, q, simulate(network, q)))
    return found


def sweep(name: str, bits: int, wanted: int, seed: int) -> None:
    runtime = RUNTIMES[name]
    if missing := runtime.missing():
        pytest.skip(f"{name}: {missing}")
    generator = np.random.default_rng(seed)
    compared = 0
    with Session(runtime) as session:
        while compared < wanted:
            network, content = converted(generator, bits)
            samples = min(1000 if name == "tflm" else 4096, max(64, 20_000 // network.output_size))
            q = random_integers(generator, network, samples)
            (y,), _ = session.run(content, q.astype(np.int8))
            wrong = int((y != simulate(network, q)).sum())
            assert wrong == 0, f"{wrong} of {y.size} outputs of {name} at {bits} bits"
            compared += y.size


@pytest.mark.parametrize("name", sorted(RUNTIMES))
@pytest.mark.parametrize("bits", [2, 3, 4, 6])
def test_every_runtime_gives_the_bytes_of_golden(name: str, bits: int) -> None:
    if missing := RUNTIMES[name].missing():
        pytest.skip(f"{name}: {missing}")
    with Session(RUNTIMES[name]) as session:
        for content, q, expected in files(bits):
            (y,), _ = session.run(content, q.astype(np.int8))
            assert np.array_equal(y, expected)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", sorted(RUNTIMES))
@pytest.mark.parametrize("bits", [2, 3, 4, 6])
def test_a_million_outputs_of_every_runtime_are_the_bytes_of_golden(name: str, bits: int) -> None:
    sweep(name, bits, cases(1_000_000), seed=seed_for(100 + bits))


@pytest.mark.parametrize("bits", [2, 3, 4, 6])
def test_the_bytes_are_those_of_every_rounding_rule(bits: int) -> None:
    """Without any runtime: the file, read back with each of the five rules, gives one network of integers."""
    for content, q, expected in files(bits):
        for rule in ROUNDINGS:
            assert np.array_equal(simulate(lower(read_model(content), rule), q), expected), rule


def mlp_of_every_operator(generator: np.random.Generator) -> Mlp:
    """Sigmoid, a residual block with its ReLU or ReLU6, and tanh."""
    width = int(generator.integers(8, 50))

    def linear(outputs: int, inputs: int) -> Linear:
        return Linear(generator.normal(0, 1 / np.sqrt(inputs), (outputs, inputs)), generator.normal(0, 0.3, outputs))

    steps = (
        ("first", linear(width, 12), "input"),
        ("sigmoid", Sigmoid(), "first"),
        ("second", linear(width, width), "sigmoid"),
        ("relu", Clamp(0.0, np.inf), "second"),
        ("branch", linear(width, width), "relu"),
        ("sum", Add(), "relu", "branch"),
        ("clipped", Clamp(0.0, float(generator.choice([6.0, np.inf]))), "sum"),
        ("third", linear(width, width), "clipped"),
        ("tanh", Tanh(), "third"),
        ("last", linear(7, width), "tanh"),
    )
    nodes = tuple(MlpNode(name, operator, tuple(given)) for name, operator, *given in steps)
    return Mlp("all_operators", 12, nodes)


@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_sigmoid_tanh_and_residual_paths_give_the_bytes_of_golden_too(name: str) -> None:
    if missing := RUNTIMES[name].missing():
        pytest.skip(f"{name}: {missing}")
    generator = np.random.default_rng(50)
    with Session(RUNTIMES[name]) as session:
        for bits in (2, 3, 4, 6):
            x = generator.normal(0, 1, (256, 12))
            options = {"rounding": "shift", "weight_bits": bits, "epochs": 0}
            mlp = mlp_of_every_operator(generator)
            conversion = TfliteConverter().convert(mlp, Dataset(x, x[:32]), options, lambda *given: None)
            (content,) = conversion.files.values()
            q = random_integers(generator, conversion.network, 500)
            (y,), _ = session.run(content, q.astype(np.int8))
            assert np.array_equal(y, simulate(conversion.network, q))


def _check_c(bits: int, nets: int, samples: int, seed: int) -> int:
    if find_compiler() is None:
        pytest.skip("no C compiler")
    generator = np.random.default_rng(seed)
    compared = 0
    for _ in range(nets):
        network, _ = converted(generator, bits)
        q = random_integers(generator, network, samples)
        y = NativeNetwork(network).invoke(q)
        assert np.array_equal(y, simulate(network, q))
        compared += y.size
    return compared


def test_the_generated_c_gives_the_bytes_of_golden() -> None:
    assert _check_c(6, nets=2, samples=300, seed=7) > 0


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("bits", [2, 3, 4, 6])
def test_a_million_outputs_of_the_generated_c_are_the_bytes_of_golden(bits: int) -> None:
    assert _check_c(bits, nets=10, samples=cases(4000), seed=seed_for(70 + bits)) > cases(1_000_000)


def with_extreme_rows(generator: np.random.Generator) -> Mlp:
    """12-9-3 with batch norm: rows that a zero gamma makes zero, and rows of very small and very large weights."""
    size = np.array([0.0, 1e-20, 1e-9, 1.0, 1.0, -1.0, 1.0, 1e6, 0.0])
    norm = Affine(generator.normal(size=9) * size, generator.normal(size=9))
    hidden = Linear(generator.normal(size=(9, 12)) / 4, generator.normal(size=9))
    last = Linear(generator.normal(size=(3, 9)) / np.maximum(np.abs(size), 1.0), generator.normal(size=3))
    return Mlp(
        "extreme",
        12,
        (
            MlpNode("linear1", hidden, ("input",)),
            MlpNode("norm1", norm, ("linear1",)),
            MlpNode("relu1", Clamp(0.0, np.inf), ("norm1",)),
            MlpNode("linear2", last, ("relu1",)),
        ),
    )


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("per_tensor", [False, True])
def test_training_keeps_scales_that_are_powers_of_two(bits: int, per_tensor: bool) -> None:
    """Training needs them in rows of zeros too, for which Brevitas has no scale that is one."""
    generator = np.random.default_rng(bits)
    mlp = with_extreme_rows(generator)
    x = generator.normal(size=(300, 12))
    options = {"rounding": "shift", "bits": bits, "epochs": 2, "per_tensor": per_tensor}
    conversion = TfliteConverter().convert(mlp, Dataset(x, x[:50]), options, lambda *given: None)
    (content,) = conversion.files.values()
    operators = [op for op in read_model(content).operators if isinstance(op, FullyConnected)]
    assert all(np.all(np.frexp(op.weight_scale)[0] == 0.5) for op in operators)
    q = random_integers(generator, conversion.network, 40)
    expected = simulate(conversion.network, q)
    for rounding in ROUNDINGS:
        assert np.array_equal(simulate(lower(read_model(content), rounding), q), expected), rounding


@pytest.mark.parametrize("bits", [7, 8])
def test_weights_of_7_and_8_bits_are_refused_with_the_reason(bits: int) -> None:
    with pytest.raises(InputError, match="leave no room for the 2 guard bits"):
        TfliteConverter().convert(
            random_mlp(np.random.default_rng(0), 8),
            None,
            {"rounding": "shift", "weight_bits": bits},
            lambda *given: None,
        )


def test_every_accumulator_with_its_guard_bits_is_exact_in_float32_and_every_shift_is_long_enough() -> None:
    generator = np.random.default_rng(9)
    for _ in range(5):
        _, content = converted(generator, 6)
        model = read_model(content)
        stored = lower(model, "double_rounding")
        for node in stored.nodes:
            if node.layer.kind == "dense":
                low, high = stored.ranges[node.name].bounds
                assert max(-low, high) < 2**24
        for operator in model.operators:
            assert isinstance(operator, FullyConnected)
            scale = model.tensors[operator.inputs[0]].scale * operator.weight_scale.astype(np.float64)
            shifted = np.log2(model.tensors[operator.output].scale / scale)
            assert np.array_equal(shifted, np.rint(shifted))
            assert shifted.min() >= 3
