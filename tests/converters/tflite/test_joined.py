"""Tensors side by side and products of tensors in .tflite files: the bytes of golden in every runtime."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from edgeml.converters.tflite import TfliteConverter
from edgeml.converters.tflite.executors import _lasting
from edgeml.converters.tflite.fusion import fuse
from edgeml.converters.tflite.lowering import lower
from edgeml.converters.tflite.model import Model
from edgeml.converters.tflite.operators.concatenation import Concatenation
from edgeml.converters.tflite.operators.max_pool import MaxPool
from edgeml.converters.tflite.operators.moves import Gather, Reshape
from edgeml.converters.tflite.operators.multiply import Multiply, products_agree
from edgeml.converters.tflite.operators.tensor_info import TensorInfo
from edgeml.converters.tflite.products import LEAST_SHIFT, mantissa, products_apart, with_carriers
from edgeml.converters.tflite.reader import read_model
from edgeml.converters.tflite.runtimes import RUNTIMES, Session
from edgeml.converters.tflite.writer import write
from edgeml.data.dataset import Dataset
from edgeml.errors import InputError
from edgeml.frontends.float_operators.concat import Concat
from edgeml.frontends.float_operators.formula import Formula
from edgeml.frontends.float_operators.multiply import Multiply as MultiplyOfFloats
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode, Sigmoid, Tanh
from edgeml.network import Network, simulate
from edgeml.network.rounding import ROUNDINGS
from edgeml.targets.cpu.native_network import NativeNetwork
from tests.sweeps import cases, seed_for

INPUTS = 7


def joined_mlp(generator: np.random.Generator) -> Mlp:
    """Three steps that each put something beside what is there, or multiply it, then a linear layer."""
    nodes: list[MlpNode] = []
    sizes = {"input": INPUTS}

    def add(operator: object, *sources: str) -> str:
        name = f"n{len(nodes)}"
        nodes.append(MlpNode(name, operator, sources))  # type: ignore[arg-type]
        sizes[name] = operator.output_size(*(sizes[source] for source in sources))  # type: ignore[attr-defined]
        return name

    def linear(source: str, outputs: int) -> str:
        inputs = sizes[source]
        weight = generator.normal(0, generator.uniform(0.3, 3) / np.sqrt(inputs), (outputs, inputs))
        return add(Linear(weight, generator.normal(0, 0.4, outputs)), source)

    def beside(source: str) -> str:
        other = linear(source, int(generator.integers(2, 9)))
        kind = int(generator.integers(4))
        if kind < 2:
            other = add((Clamp(0.0, np.inf), Sigmoid())[kind], other)
        elif kind == 2:
            other = add(Tanh(), other)
        return add(Concat(sizes[source], sizes[other]), source, other)

    def product(source: str) -> str:
        width = int(generator.integers(2, 9))
        kind = int(generator.integers(5))
        a = linear(source, width)
        if kind == 0:
            return add(MultiplyOfFloats(), a, add(Sigmoid(), linear(source, width)))
        if kind == 1:
            return add(Formula(str(generator.choice(["silu", "gelu"]))), a)
        if kind == 2:
            b = add(Clamp(0.0, 6.0), linear(source, width))
            return add(Clamp(0.0, np.inf), add(MultiplyOfFloats(), add(Clamp(0.0, np.inf), a), b))
        if kind == 3:
            return add(Add(), add(MultiplyOfFloats(), a, a), a)
        return add(MultiplyOfFloats(), a, linear(a, width))

    last = "input"
    for _ in range(3):
        last = (beside, product)[int(generator.integers(2))](last)
        if generator.random() < 0.3:
            scale = generator.uniform(0.5, 2, sizes[last])
            last = add(Affine(scale, generator.normal(0, 0.2, sizes[last])), last)
    linear(last, 3)
    return Mlp("joined", INPUTS, tuple(nodes), "", (), "values")


def converted(generator: np.random.Generator, **options: object) -> tuple[Network, bytes]:
    mlp = joined_mlp(generator)
    x = generator.normal(0, generator.uniform(0.3, 2), (200, INPUTS)) + generator.normal(0, 0.3)
    asked = {"epochs": 0, **options}
    conversion = TfliteConverter().convert(mlp, Dataset(x, x[:32]), asked, lambda *given: None)
    (content,) = conversion.files.values()
    return conversion.network, content


def integers(generator: np.random.Generator, network: Network, samples: int) -> np.ndarray:
    """Random ones, and among them the ends of int8 in all features at once and mixed."""
    q = generator.integers(-128, 128, (samples, network.input_size))
    q[0], q[1] = -128, 127
    q[2:22] = generator.choice([-128, 127], (20, network.input_size))
    return q.astype(np.int32)


@cache
def files() -> list[tuple[bytes, np.ndarray, str]]:
    """Files by both ways of choosing scales, with their inputs."""
    generator = np.random.default_rng(11)
    found = []
    for turn in range(16):
        rounding = ("shift", "double_rounding")[turn % 2]
        network, content = converted(generator, rounding=rounding, weight_bits=(6, 8, 3, 8)[turn % 4])
        found.append((content, integers(generator, network, 200), rounding))
    return found


@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_every_runtime_gives_the_bytes_of_golden_by_its_rule(name: str) -> None:
    runtime = RUNTIMES[name]
    if missing := runtime.missing():
        pytest.skip(f"{name}: {missing}")
    products = joins = 0
    with Session(runtime) as session:
        for content, q, rounding in files():
            model = read_model(content)
            rule = "shift" if rounding == "shift" else runtime.rounding
            (y,), _ = session.run(content, q.astype(np.int8))
            expected = simulate(lower(model, rule), q)
            assert np.array_equal(y, expected)
            assert len(np.unique(expected)) > 5
            products += sum(isinstance(operator, Multiply) for operator in model.operators)
            joins += sum(isinstance(operator, Concatenation) for operator in model.operators)
    assert products > 10
    assert joins > 10


def test_universal_files_are_one_network_by_every_rule() -> None:
    for content, q, rounding in files():
        if rounding == "shift":
            model = read_model(content)
            expected = simulate(lower(model, "shift"), q)
            for rule in ROUNDINGS:
                assert np.array_equal(simulate(lower(model, rule), q), expected), rule


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_many_outputs_of_every_runtime(name: str) -> None:
    runtime = RUNTIMES[name]
    if missing := runtime.missing():
        pytest.skip(f"{name}: {missing}")
    generator = np.random.default_rng(seed_for(23))
    with Session(runtime) as session:
        for turn in range(cases(60)):
            rounding = ("shift", "double_rounding")[turn % 2]
            network, content = converted(generator, rounding=rounding)
            q = integers(generator, network, 500)
            rule = "shift" if rounding == "shift" else runtime.rounding
            (y,), _ = session.run(content, q.astype(np.int8))
            assert np.array_equal(y, simulate(lower(read_model(content), rule), q)), turn


def test_the_c_gives_the_bytes_of_golden() -> None:
    generator = np.random.default_rng(3)
    for turn in range(2):
        network, _ = converted(generator, rounding=("shift", "double_rounding")[turn % 2])
        q = integers(generator, network, 100)
        assert np.array_equal(NativeNetwork(network).invoke(q), simulate(network, q))


def product_model(a: TensorInfo, b: TensorInfo, target: TensorInfo) -> Model:
    """x [512], whose halves are multiplied: 256 values and 256 others."""
    whole = TensorInfo("x", 512, a.scale, a.zero_point)
    tensors = {info.name: info for info in (whole, a, b, target)}
    halves = np.arange(512, dtype=np.int32).reshape(2, 256)
    operators = (Gather("a", ("x",), halves[0]), Gather("b", ("x",), halves[1]), Multiply("y", ("a", "b")))
    return Model("product", tensors, operators, "x", "y")


def all_pairs() -> np.ndarray:
    """int32 [256, 512]: every pair of 8-bit integers, one of them for each row."""
    values = np.arange(-128, 128, dtype=np.int32)
    return np.stack([np.concatenate([values, np.full(256, other, np.int32)]) for other in values])


FREE = [(0.037, 0.037, 0.021, 3), (0.0113, 0.0113, 0.0009, -128), (0.5, 0.5, 4.0, 17), (0.03, 0.03, 0.11, 127)]
"""Scales of both factors and of the product, and the zero point of all: free ones, and powers of two with ties."""


@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_all_65536_pairs_in_every_runtime(name: str) -> None:
    """Free scales by the runtime's own rule; scales with a carrier's mantissa by every rule."""
    runtime = RUNTIMES[name]
    if missing := runtime.missing():
        pytest.skip(f"{name}: {missing}")
    pairs = all_pairs()
    with Session(runtime) as session:
        for sa, sb, sy, zero in FREE:
            scales = [float(np.float32(scale)) for scale in (sa, sb, sy)]
            a, b = TensorInfo("a", 256, scales[0], zero), TensorInfo("b", 256, scales[1], zero)
            model = product_model(a, b, TensorInfo("y", 256, scales[2], -zero // 2))
            (y,), _ = session.run(write(model), pairs.astype(np.int8))
            assert np.array_equal(y, simulate(lower(model, runtime.rounding), pairs)), scales
        for shift in range(LEAST_SHIFT, 14):
            for zero in (0, -128, 127, 5):
                scale = 2.0**-5 * mantissa(shift)
                a, b = TensorInfo("a", 256, scale, zero), TensorInfo("b", 256, scale, zero)
                # Both halves of x have one scale, so that the product's has the mantissa once more.
                target = TensorInfo("y", 256, float(np.float32(2.0 ** (shift - 5) * scale)), 0)
                model = product_model(a, b, target)
                (y,), _ = session.run(write(model), pairs.astype(np.int8))
                assert np.array_equal(y, simulate(lower(model, "shift"), pairs)), (shift, zero)


@pytest.mark.parametrize("shift", range(LEAST_SHIFT, 17))
def test_the_mantissa_suits_every_zero_point(shift: int) -> None:
    """Every pair of both signs, and every output: with the least shift, of zero point 0."""
    for zero in (-128, -37, 0, 127):
        for other in (-128, 0):
            a, b = TensorInfo("a", 1, mantissa(shift), zero), TensorInfo("b", 1, 1.0, other)
            for target in (0,) if shift == LEAST_SHIFT else (0, -128):
                assert products_agree(a, b, TensorInfo("y", 1, 2.0**shift, target)), (zero, other, target)


def test_powers_of_two_do_not_agree_and_are_refused() -> None:
    a, b = TensorInfo("a", 256, 0.5, 0), TensorInfo("b", 256, 0.5, 0)
    for shift in range(1, 12):
        target = TensorInfo("y", 256, 0.25 * 2.0**shift, 0)
        assert not products_agree(a, b, target)
        with pytest.raises(InputError, match="which runtimes round in different ways"):
            lower(product_model(a, b, target), "shift")


def test_integers_of_other_zero_points_are_not_joined() -> None:
    for scale, zero, problem in ((0.5, 1, "different zero points"), (0.25, 0, "different scales")):
        tensors = {
            info.name: info
            for info in (TensorInfo("x", 3, 0.5, 0), TensorInfo("b", 3, 0.5, 0), TensorInfo("y", 6, scale, zero))
        }
        operators = (Concatenation("y", ("x", "x"), np.arange(6, dtype=np.int32)),)
        with pytest.raises(InputError, match=problem):
            lower(Model("joined", tensors, operators, "x", "y"), "double_rounding")


@pytest.mark.parametrize("rounding", ["shift", "double_rounding"])
def test_a_product_that_is_always_0_has_a_scale_that_kernels_take(rounding: str) -> None:
    generator = np.random.default_rng(1)
    nodes = (
        MlpNode("a", Linear(generator.normal(0, 1, (4, INPUTS)), np.full(4, -99.0)), ("input",)),
        MlpNode("off", Clamp(0.0, np.inf), ("a",)),
        MlpNode("b", Linear(generator.normal(0, 1, (4, INPUTS)), np.zeros(4)), ("input",)),
        MlpNode("p", MultiplyOfFloats(), ("off", "b")),
        MlpNode("y", Linear(generator.normal(0, 1, (2, 4)), np.ones(2)), ("p",)),
    )
    x = generator.normal(size=(60, INPUTS))
    options = {"rounding": rounding, "epochs": 0}
    made = TfliteConverter().convert(
        Mlp("off", INPUTS, nodes, "", (), "values"), Dataset(x, x[:9]), options, lambda *given: None
    )
    model = read_model(*made.files.values())
    for rule in ROUNDINGS[1:] if rounding != "shift" else ROUNDINGS:
        lower(model, rule)


def test_what_a_reshape_hands_to_an_operator_in_place_is_not_traced() -> None:
    """tflite-runtime gives RESHAPE's output the memory of its input, which MUL overwrites."""
    tensors = {
        name: TensorInfo(name, 6, 0.5, 0, shape=shape)
        for name, shape in (("x", ()), ("a", (2, 3)), ("kept", ()), ("flat", ()), ("y", ()))
    }
    operators = (
        Reshape("a", ("x",)),
        MaxPool("kept", ("x",), (1, 1), (1, 1)),
        Reshape("flat", ("a",)),
        Multiply("y", ("flat", "flat")),
    )
    assert _lasting(Model("shared", tensors, operators, "x", "y")) == ["kept", "y"]


def test_a_sum_of_a_product_and_its_own_factor_gets_a_layer_between() -> None:
    """x + x · g has the scale of x, which is one of the product's factors."""
    generator = np.random.default_rng(0)
    weight = generator.normal(0, 1, (4, INPUTS))
    nodes = (
        MlpNode("x", Linear(weight, np.zeros(4)), ("input",)),
        MlpNode("g", Linear(weight * 9, np.full(4, 50.0)), ("input",)),
        MlpNode("p", MultiplyOfFloats(), ("x", "g")),
        MlpNode("y", Add(), ("x", "p")),
    )
    mlp = Mlp("self", INPUTS, nodes, "", (), "values")
    x = generator.normal(size=(60, INPUTS))
    graph = with_carriers(products_apart(fuse(mlp)))
    assert [stage.name for stage in graph.stages] == ["dense0", "dense0_apart", "dense1", "multiply2", "add3"]
    assert np.allclose(graph.trace(x)["add3"], mlp.evaluate(x))
    conversion = TfliteConverter().convert(
        mlp, Dataset(x, x[:9]), {"rounding": "shift", "epochs": 0}, lambda *given: None
    )
    found = conversion.network.output.real(simulate(conversion.network, conversion.network.quantizer.quantize(x)))
    assert np.corrcoef(found.ravel(), mlp.evaluate(x).ravel())[0, 1] > 0.99
