"""Layers at several positions, means, maxima, moved values in .tflite files: the bytes of golden in every runtime."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from edgeml.converters.tflite import TfliteConverter
from edgeml.converters.tflite.lowering import lower
from edgeml.converters.tflite.model import Model
from edgeml.converters.tflite.operators.fully_connected import FullyConnected
from edgeml.converters.tflite.operators.max_pool import MaxPool
from edgeml.converters.tflite.operators.moves import Gather, Pad, Reshape
from edgeml.converters.tflite.operators.softmax import Softmax
from edgeml.converters.tflite.operators.tensor_info import TensorInfo
from edgeml.converters.tflite.reader import read_model
from edgeml.converters.tflite.runtimes import RUNTIMES, Session, rounding_rule
from edgeml.converters.tflite.writer import write
from edgeml.data.dataset import Dataset
from edgeml.errors import InputError
from edgeml.frontends.float_operators.pooled_maximum import PooledMaximum
from edgeml.frontends.float_operators.pooled_sum import PooledSum
from edgeml.frontends.float_operators.shared_linear import SharedLinear
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode, Tanh
from edgeml.network import Network, simulate
from edgeml.network.network_file import model_hash
from edgeml.targets.cpu.native_network import NativeNetwork
from tests.sweeps import cases, seed_for


def windows(generator: np.random.Generator, inputs: int, padded: bool) -> np.ndarray:
    """What some positions take: overlapping windows in a random order, some of it padding."""
    positions, columns = int(generator.integers(1, 9)), int(generator.integers(1, 10))
    index = (np.arange(positions)[:, None] * generator.integers(1, 4) + np.arange(columns)) % inputs
    index = generator.permutation(inputs)[index] if generator.random() < 0.5 else index
    if padded:
        index[generator.random(index.shape) < 0.2] = -1
    return index.astype(np.float64)


def shared_mlp(generator: np.random.Generator) -> Mlp:
    """Two shared layers, with a mean, a maximum or moved values between them, a residual sum, and a linear layer."""
    inputs = int(generator.integers(3, 40))
    nodes: list[MlpNode] = []
    sizes = {"input": inputs}

    def add(operator: object, *sources: str) -> str:
        name = f"n{len(nodes)}"
        nodes.append(MlpNode(name, operator, sources))  # type: ignore[arg-type]
        sizes[name] = operator.output_size(*(sizes[source] for source in sources))  # type: ignore[attr-defined]
        return name

    def shared(source: str) -> str:
        index = windows(generator, sizes[source], padded=generator.random() < 0.5)
        rows, groups = int(generator.integers(1, 7)), 1
        if index.shape[1] % 2 == 0 and generator.random() < 0.5:
            rows, groups = 2 * rows, 2
        weight = generator.normal(0, 1, (rows, index.shape[1]))
        if groups == 2:
            weight *= np.kron(np.eye(2), np.ones((rows // 2, index.shape[1] // 2)))
        return add(SharedLinear(weight, generator.normal(0, 0.5, rows), index, sizes[source], groups), source)

    def between(source: str) -> str:
        size = sizes[source]
        kind = generator.integers(4)
        if kind == 0:
            index = windows(generator, size, padded=generator.random() < 0.5)
            pooled = add(PooledSum(index, size), source)
            return add(Affine(np.full(len(index), 1 / index.shape[1]), np.zeros(len(index))), pooled)
        if kind == 1:
            return add(PooledMaximum(windows(generator, size, padded=False), size), source)
        if kind == 2:
            return add(PooledSum(windows(generator, size, padded=True).reshape(-1, 1), size), source)
        turned = add(PooledSum(generator.permutation(size)[:, None].astype(np.float64), size), source)
        return add(Add(), source, turned)

    last = shared("input")
    last = add(Clamp(0.0, np.inf), last) if generator.random() < 0.7 else shared(add(Tanh(), shared(last)))
    last = shared(between(last))
    last = between(add(Clamp(0.0, 6.0), last))
    if generator.random() < 0.7:
        add(Linear(generator.normal(0, 1, (3, sizes[last])), generator.normal(0, 1, 3)), last)
    return Mlp("shared", inputs, tuple(nodes), "", (), "values")


def converted(generator: np.random.Generator, **options: object) -> tuple[Network, bytes]:
    mlp = shared_mlp(generator)
    x = generator.normal(0, generator.uniform(0.3, 3), (200, mlp.input_size)) + generator.normal(0, 0.3)
    asked = {"epochs": 0, **options}
    conversion = TfliteConverter().convert(mlp, Dataset(x, x[:32]), asked, lambda *given: None)
    (content,) = conversion.files.values()
    return conversion.network, content


def integers(generator: np.random.Generator, network: Network, samples: int) -> np.ndarray:
    """Random ones, and among them the ends of int8 in all features at once and mixed."""
    q = generator.integers(-128, 128, (samples, network.input_size))
    q[0], q[1] = -128, 127
    q[2:12] = generator.choice([-128, 127], (10, network.input_size))
    return q.astype(np.int32)


@cache
def files() -> list[tuple[bytes, np.ndarray, str]]:
    """Files by both ways of choosing scales, and widths of weights, with their inputs."""
    generator = np.random.default_rng(5)
    found = []
    for turn in range(12):
        rounding = ("shift", "double_rounding")[turn % 2]
        bits = (6, 8, 3, 8, 2, 4)[turn % 6]
        network, content = converted(generator, rounding=rounding, weight_bits=bits)
        found.append((content, integers(generator, network, 200), rounding))
    return found


@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_every_runtime_gives_the_bytes_of_golden_by_its_rule(name: str) -> None:
    runtime = RUNTIMES[name]
    if missing := runtime.missing():
        pytest.skip(f"{name}: {missing}")
    compared = 0
    with Session(runtime) as session:
        for content, q, rounding in files():
            model = read_model(content)
            if not all(runtime.takes(operator) for operator in model.fully_connected):
                continue
            network = lower(model, rounding_rule("shift" if rounding == "shift" else name))
            (y,), _ = session.run(content, q.astype(np.int8))
            assert np.array_equal(y, simulate(network, q)), rounding
            compared += 1
    assert compared >= 8


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_twenty_thousand_vectors_of_every_runtime(name: str) -> None:
    runtime = RUNTIMES[name]
    if missing := runtime.missing():
        pytest.skip(f"{name}: {missing}")
    generator, vectors = np.random.default_rng(seed_for(6)), 0
    with Session(runtime) as session:
        while vectors < cases(20_000):
            rounding = ("shift", "double_rounding")[vectors // 500 % 2]
            network, content = converted(generator, rounding=rounding)
            q = integers(generator, network, 500)
            expected = lower(read_model(content), rounding_rule("shift" if rounding == "shift" else name))
            (y,), _ = session.run(content, q.astype(np.int8))
            assert np.array_equal(y, simulate(expected, q))
            vectors += len(q)


def test_the_file_states_the_network_and_its_c_computes_it() -> None:
    generator = np.random.default_rng(8)
    for turn in range(4):
        rounding = ("shift", "double_rounding", "float64_away", "fp32_rne")[turn]
        network, content = converted(generator, rounding=rounding)
        assert model_hash(lower(read_model(content, network.name), rounding_rule(rounding))) == model_hash(network), (
            rounding
        )
        if turn < 2:
            q = integers(generator, network, 100)
            assert np.array_equal(NativeNetwork(network).invoke(q), simulate(network, q))


def test_weights_that_positions_share_are_stored_once() -> None:
    index = (np.arange(100)[:, None] + np.arange(5)).astype(np.float64)
    generator = np.random.default_rng(3)
    shared = SharedLinear(generator.normal(0, 1, (8, 5)), np.zeros(8), index, 104)
    mlp = Mlp("net", 104, (MlpNode("a", shared, ("input",)),), "", (), "values")
    x = generator.normal(0, 1, (64, 104))
    conversion = TfliteConverter().convert(mlp, Dataset(x, x), {}, lambda *given: None)
    (content,) = conversion.files.values()
    (layer,) = read_model(content).fully_connected
    assert layer.weight.shape == (8, 5)
    assert len(content) < 4 * index.size + 3000


def test_training_keeps_the_weights_of_a_mean_and_the_zeros_between_groups() -> None:
    pytest.importorskip("brevitas")
    generator = np.random.default_rng(9)
    kept = np.kron(np.eye(2), np.ones((2, 3)))
    index = np.arange(24).reshape(4, 6).astype(np.float64)
    nodes = (
        MlpNode("a", SharedLinear(generator.normal(0, 1, (4, 6)) * kept, np.zeros(4), index, 24, 2), ("input",)),
        MlpNode("b", Clamp(0.0, np.inf), ("a",)),
        MlpNode("c", PooledSum(np.arange(16).reshape(4, 4).T.astype(np.float64), 16), ("b",)),
        MlpNode("d", Affine(np.full(4, 0.25), np.zeros(4)), ("c",)),
        MlpNode("e", Linear(generator.normal(0, 1, (3, 4)), np.zeros(3)), ("d",)),
    )
    x = generator.normal(0, 1, (256, 24))
    y = generator.integers(0, 3, 256)
    mlp = Mlp("net", 24, nodes, "", (), "classes")
    conversion = TfliteConverter().convert(
        mlp, Dataset(x, x[:32], y, y[:32]), {"weight_bits": 4, "epochs": 2}, lambda *given: None
    )
    (content,) = conversion.files.values()
    grouped, mean, last = read_model(content).fully_connected
    assert not np.any(grouped.weight * (1 - kept))
    assert (grouped.weight_bits, mean.weight_bits, last.weight_bits) == (4, 8, 4)
    assert np.all(mean.weight == 127)
    assert mean.weight.shape == (1, 4)


def padded_model(**changed: object) -> Model:
    """PAD, GATHER, RESHAPE, FULLY_CONNECTED of 3 positions, MAX_POOL_2D."""

    def info(name: str, size: int, shape: tuple[int, ...] = (), scale: float = 0.5) -> TensorInfo:
        return TensorInfo(name, size, scale, 3, True, shape)

    tensors = {
        each.name: each
        for each in (
            info("x", 6),
            info("padded", 8),
            info("taken", 12),
            info("rows", 12, (3, 4)),
            info("sums", 6, (3, 2), 2.0),
            info("maps", 6, (3, 1, 2), 2.0),
            info("pooled", 4, (2, 1, 2), 2.0),
        )
    }
    weight, scale = np.array([[1, -2, 3, 4], [5, 6, -7, 8]], np.int8), np.full(1, 0.25, np.float32)
    made: dict[str, object] = {
        "padded": Pad("padded", ("x",), 1, 1),
        "taken": Gather("taken", ("padded",), np.array([0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7], np.int32)),
        "rows": Reshape("rows", ("taken",)),
        "sums": FullyConnected("sums", ("rows",), weight, 8, scale, np.array([5, -5], np.int32)),
        "maps": Reshape("maps", ("sums",)),
        "pooled": MaxPool("pooled", ("maps",), (2, 1), (1, 1)),
    }
    made |= changed
    return Model("m", tensors, tuple(made.values()), "x", "pooled")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(RUNTIMES))
@pytest.mark.parametrize("same", [False, True])
def test_pooling_windows_over_a_border_are_those_of_the_runtimes(name: str, same: bool) -> None:
    if missing := RUNTIMES[name].missing():
        pytest.skip(f"{name}: {missing}")
    model = padded_model()
    if same:
        pool = MaxPool("pooled", ("maps",), (2, 1), (2, 1), same=True)
        model = padded_model(pooled=pool)
    content = write(model)
    assert [type(operator) for operator in read_model(content).operators] == [type(o) for o in model.operators]
    q = integers(np.random.default_rng(1), lower(model, "double_rounding"), 60)
    with Session(RUNTIMES[name]) as session:
        (y,), _ = session.run(content, q.astype(np.int8))
    assert np.array_equal(y, simulate(lower(read_model(content), rounding_rule(name)), q))


@pytest.mark.parametrize(
    ("place", "operator", "said"),
    [
        ("taken", Gather("taken", ("padded",), np.full(12, 8, np.int32)), "gathers 12 of 8 values"),
        ("taken", Gather("taken", ("padded",), np.zeros(11, np.int32)), "gathers 11 of 8 values to 12"),
        ("padded", Pad("padded", ("x",), 1, 2), "pads 6 values to 8"),
        ("padded", Pad("padded", ("x",), -1, 3), "pads another dimension"),
        ("pooled", MaxPool("pooled", ("maps",), (4, 1), (1, 1)), "which its windows do not"),
        ("pooled", MaxPool("pooled", ("maps",), (1, 1), (0, 1)), "are not sound"),
        ("pooled", MaxPool("pooled", ("rows",), (1, 1), (1, 1)), "are not sound"),
        ("maps", Softmax("maps", ("sums",)), "over the last dimension"),
        ("sums", Gather("sums", ("rows",), np.zeros(6, np.int32)), r"\[1, features\] are supported"),
    ],
)
def test_a_file_that_moves_values_unsoundly_is_refused(place: str, operator: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_model(write(padded_model(**{place: operator})))
