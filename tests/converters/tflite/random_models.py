"""Random int8 models: of any depth, width and scale, with ties wherever scales are powers of two."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from edgeml.converters.tflite.model import Model
from edgeml.converters.tflite.operators.add import Add
from edgeml.converters.tflite.operators.fully_connected import FullyConnected
from edgeml.converters.tflite.operators.function import Function
from edgeml.converters.tflite.operators.operator import TfliteOperator
from edgeml.converters.tflite.operators.relu import Relu
from edgeml.converters.tflite.operators.retype import Retype
from edgeml.converters.tflite.operators.tensor_info import TensorInfo
from edgeml.frontends.mlp import Affine, Clamp, Linear, Mlp, MlpNode

ACTIVATIONS = ("none", "relu", "relu6")


def random_scale(generator: np.random.Generator, low: float, high: float, powers_of_two: bool) -> float:
    """A float32 number in [low, high], log-uniform."""
    exponent = generator.uniform(np.log2(low), np.log2(high))
    return float(np.float32(2.0 ** (np.rint(exponent) if powers_of_two else exponent)))


def random_layer(
    generator: np.random.Generator,
    source: TensorInfo,
    target: TensorInfo,
    bits: int,
    per_channel: bool,
    powers_of_two: bool,
) -> FullyConnected:
    """A layer whose outputs spread over some dozens of integers, so that most of them are not clipped."""
    half = 2 ** (bits - 1)
    low = -half + 1 if bits == 8 else -half
    weight = generator.integers(low, half, (target.size, source.size)).astype(np.int8)
    spread = np.sqrt(source.size) * half / 1.7 * 70
    wanted = target.scale * generator.uniform(20, 80) / (source.scale * spread)
    count = target.size if per_channel else 1
    scale = wanted * np.exp(generator.uniform(-1, 1, count))
    if powers_of_two:
        scale = 2.0 ** np.rint(np.log2(scale))
    bias = generator.integers(-int(spread) - 1, int(spread) + 2, target.size).astype(np.int32)
    activation = ACTIVATIONS[generator.integers(len(ACTIVATIONS))]
    return FullyConnected(target.name, (source.name,), weight, bits, scale.astype(np.float32), bias, activation)


def random_model(
    generator: np.random.Generator, bits: int, per_channel: bool, powers_of_two: bool, widest: int = 640, depth: int = 0
) -> Model:
    """1 to 5 (or `depth`) fully connected layers, 1 to `widest` wide."""
    depth = depth or int(generator.integers(1, 6))
    sizes = [int(np.exp(generator.uniform(0, np.log(widest + 0.5)))) for _ in range(depth + 1)]
    names = ["x", *(f"y{k}" for k in range(depth))]
    tensors = {
        name: TensorInfo(
            name, size, random_scale(generator, 0.004, 0.5, powers_of_two), int(generator.integers(-128, 128))
        )
        for name, size in zip(names, sizes, strict=True)
    }
    operators = tuple(
        random_layer(generator, tensors[source], tensors[target], bits, per_channel, powers_of_two)
        for source, target in pairwise(names)
    )
    return Model("random", tensors, operators, "x", names[-1])


def model_of_every_operator(generator: np.random.Generator, unsigned_input: bool = False) -> Model:
    """A residual block with a ReLU of its own, sigmoid and tanh, between fully connected layers."""
    size = int(generator.integers(2, 40))
    tensors: dict[str, TensorInfo] = {}

    def tensor(name: str, scale: float, zero_point: int, signed: bool = True) -> str:
        tensors[name] = TensorInfo(name, size, scale, zero_point, signed)
        return name

    first = random_scale(generator, 0.01, 0.1, False)
    shared = random_scale(generator, 0.01, 0.1, False)
    operators: list[TfliteOperator] = []
    source = tensor("x", first, 3)
    if unsigned_input:
        source = tensor("outer", first, 131, signed=False)
        operators.append(Retype(tensor("x", first, 3), (source,)))
    layer = [random_layer, generator]

    def dense(given: str, name: str) -> FullyConnected:
        return layer[0](layer[1], tensors[given], tensors[name], 8, True, False)

    tensor("a", shared, int(generator.integers(-100, 100)))
    tensor("b", shared, int(generator.integers(-100, 100)))
    operators += [dense("x", "a"), dense("a", "b")]
    operators.append(Add(tensor("sum", shared, -20), ("a", "b")))
    operators.append(Relu(tensor("positive", shared, -20), ("sum",), float(generator.choice([6.0, np.inf]))))
    tensor("before", random_scale(generator, 0.02, 0.1, False), 7)
    operators.append(dense("positive", "before"))
    operators.append(Function(tensor("sigmoid", 2.0**-8, -128), ("before",), "LOGISTIC"))
    tensor("again", random_scale(generator, 0.02, 0.1, False), -9)
    operators.append(dense("sigmoid", "again"))
    operators.append(Function(tensor("tanh", 2.0**-7, 0), ("again",), "TANH"))
    tensor("y", random_scale(generator, 0.02, 0.1, False), 1)
    operators.append(dense("tanh", "y"))
    return Model("all_operators", tensors, tuple(operators), source, "y")


def random_mlp(generator: np.random.Generator, widest: int = 640) -> Mlp:
    """A float MLP of 1 to 4 layers with batch norm, ReLU and ReLU6 here and there, and a residual path at times."""
    depth = int(generator.integers(1, 5))
    sizes = [int(np.exp(generator.uniform(np.log(2), np.log(widest)))) for _ in range(depth + 1)]
    nodes: list[MlpNode] = []
    previous = "input"
    for k in range(depth):
        weight = generator.normal(0, 1 / np.sqrt(sizes[k]), (sizes[k + 1], sizes[k]))
        nodes.append(MlpNode(f"linear{k}", Linear(weight, generator.normal(0, 0.3, sizes[k + 1])), (previous,)))
        previous = f"linear{k}"
        if generator.random() < 0.5:
            scale, shift = generator.normal(1, 0.4, sizes[k + 1]), generator.normal(0, 0.3, sizes[k + 1])
            nodes.append(MlpNode(f"norm{k}", Affine(scale, shift), (previous,)))
            previous = f"norm{k}"
        if k < depth - 1:
            limit = 6.0 if generator.random() < 0.3 else np.inf
            nodes.append(MlpNode(f"relu{k}", Clamp(0.0, limit), (previous,)))
            previous = f"relu{k}"
    return Mlp("random", sizes[0], tuple(nodes))


def random_inputs(generator: np.random.Generator, model: Model, samples: int) -> np.ndarray:
    """int32 [samples, inputs] over the whole range of the input's type."""
    first = model.tensors[model.input]
    return generator.integers(first.low, first.high + 1, (samples, first.size)).astype(np.int32)
