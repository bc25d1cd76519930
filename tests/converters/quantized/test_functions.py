"""Functions of one number (tanh, GELU …) as thresholds and tables: what exact evaluation gives for every integer, what
Brevitas's graph gives at every layer, and a fault of the derivation is found by its proof."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from edgeml.converters.quantized import QuantizedConverter
from edgeml.converters.quantized import proof as proof_module
from edgeml.converters.quantized.brevitas_network import BrevitasNetwork
from edgeml.converters.quantized.extract import extract
from edgeml.converters.quantized.fold import refuse_unsupported
from edgeml.converters.quantized.function_levels import rising_thresholds
from edgeml.converters.quantized.model import Input, ModelNode, QuantizedLinear, QuantizedModel, Quantizer
from edgeml.converters.quantized.model_file import BREVITAS_FILE, from_bytes, to_bytes
from edgeml.converters.quantized.proof import Reference, prove
from edgeml.converters.quantized.user_operators import as_user_operator
from edgeml.data.dataset import Dataset
from edgeml.errors import CheckFailed, InputError, NetworkError
from edgeml.frontends.float_operators.curves import CURVES
from edgeml.frontends.float_operators.formula import Formula
from edgeml.frontends.float_operators.leaky_relu import LeakyRelu
from edgeml.frontends.float_operators.operator import FloatOperator, Role
from edgeml.frontends.float_operators.sigmoid import Sigmoid
from edgeml.frontends.float_operators.tanh import Tanh
from edgeml.frontends.mlp import Add, Affine, Clamp, Linear, Mlp, MlpNode
from edgeml.network import Dense, Threshold, trace
from edgeml.network.layers.lookup import Lookup

RNG = np.random.default_rng(3)
EXACT: dict[str, Callable[[Any], Any]] = {
    "abs": abs,
    "cos": mp.cos,
    "cube": lambda x: x**3,
    "elu": lambda x: x if x > 0 else mpf(3) / 4 * mp.expm1(x),
    "erf": mp.erf,
    "exp": mp.exp,
    "gelu": lambda x: x / 2 * (1 + mp.erf(x / mp.sqrt(2))),
    "gelu_tanh": lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mpf(0.044715) * x**3))),
    "hard_swish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "mish": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "sin": mp.sin,
    "soft_shrink": lambda x: x - min(max(x, -mpf(3) / 4), mpf(3) / 4),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "square": lambda x: x * x,
    "tanh_shrink": lambda x: x - mp.tanh(x),
    "tanh": mp.tanh,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "leaky_relu": lambda x: x if x >= 0 else x / 8,
}


def operator_of(name: str, channels: int = 3) -> FloatOperator:
    if name == "leaky_relu":
        return LeakyRelu(np.full(channels, 0.125))
    curved = {"tanh": Tanh(), "sigmoid": Sigmoid()}
    return curved.get(name) or Formula(name, 0.75 if CURVES[name].takes else 0.0)


RISING = [name for name in EXACT if name in ("tanh", "sigmoid", "leaky_relu") or not CURVES[name].turns]
TURNING = [name for name in EXACT if name not in RISING]


def require_exact(name: str, found: Sequence[int], x: Sequence[Any], quantizer: Quantizer) -> None:
    """Levels are those of 60 decimal digits, halves to even, clipped. Nearer to a half than float64 tells (GELU of 7.5
    is 7.5 less 10^-13) what float64 gives may be the half itself, but nothing farther off."""
    with mp.workdps(60):
        for level, each in zip(found, x, strict=True):
            ratio = EXACT[name](mpf(each)) / mpf(quantizer.scale)
            off = abs(ratio - mp.floor(ratio) - mpf(1) / 2)
            near = [ratio] if off == 0 or off > (1 + abs(ratio)) * mpf(2) ** -44 else [ratio - 2 * off, ratio + 2 * off]
            wanted = {int(min(max(mp.nint(value), quantizer.low), quantizer.high)) for value in near}
            assert level in wanted, (name, each, level, wanted)


def behind_linear(chain: Sequence[FloatOperator], scale: float, bias: float, quantizer: Quantizer) -> QuantizedModel:
    """input → linear → chain → quantizer → a last linear layer."""
    weight = np.array([[1, -1, 3, 0], [0, 0, 0, 0], [3, 3, -3, 3]], np.int32)
    nodes = [
        ModelNode("input", Input(4, np.ones(1), np.zeros(1), 4, True, 1.0)),
        ModelNode("linear1", QuantizedLinear(weight, 3, True, np.full(3, scale), np.full(3, bias)), ("input",)),
    ]
    return finished(nodes, chain, quantizer, 3)


def finished(nodes: list[ModelNode], chain: Sequence[FloatOperator], quantizer: Quantizer, size: int) -> QuantizedModel:
    for position, operator in enumerate(chain):
        nodes.append(ModelNode(f"chain{position}", as_user_operator(operator), (nodes[-1].name,)))
    nodes.append(ModelNode("act", quantizer, (nodes[-1].name,)))
    last = QuantizedLinear(np.ones((1, size), np.int32), 2, True, np.ones(1), np.zeros(1))
    nodes.append(ModelNode("last", last, ("act",)))
    return QuantizedModel("m", tuple(nodes))


STEPS = st.sampled_from([1.0, 0.5, 0.25, 2.0, 0.0625, 0.7109375, 0.01171875])
BIASES = st.integers(-64, 64).map(lambda number: number / 16)


@settings(max_examples=60)
@given(st.sampled_from(RISING), st.integers(1, 8), st.booleans(), STEPS, BIASES, st.sampled_from([0.25, 0.05859375]))
def test_thresholds_of_a_rising_function_are_exact_for_every_accumulator(
    name: str, bits: int, signed: bool, step: float, bias: float, scale: float
) -> None:
    model = behind_linear([operator_of(name)], scale, bias, Quantizer(step, bits, signed))
    network = extract(model)
    layer = {node.name: node.layer for node in network.nodes}["act"]
    assert isinstance(layer, Threshold)
    reach = network.ranges["linear1"]
    for channel in range(3):
        acc = np.arange(reach.low[channel], reach.high[channel] + 1)
        found = layer.evaluate(np.tile(acc[:, None], (1, 3)).astype(np.int32))[:, channel]
        x = [mpf(int(each)) * mpf(scale) + mpf(bias) for each in acc]
        require_exact(name, found.tolist(), x, Quantizer(step, bits, signed))


@settings(max_examples=40)
@given(st.sampled_from(sorted(EXACT)), st.integers(1, 8), st.booleans(), STEPS, st.sampled_from([0.0625, 0.04296875]))
def test_a_function_of_few_integers_is_a_table_of_exact_levels(
    name: str, bits: int, signed: bool, step: float, unit: float
) -> None:
    quantizer = Quantizer(step, bits, signed)
    nodes = [ModelNode("input", Input(3, np.ones(1), np.zeros(1), 8, True, unit))]
    network = extract(finished(nodes, [operator_of(name)], quantizer, 3))
    layer = network.nodes[1].layer
    assert isinstance(layer, Lookup)
    x = [mpf(q) * mpf(unit) for q in range(-128, 128)]
    require_exact(name, layer.table.tolist(), x, quantizer)
    assert layer.base == -128


def test_a_falling_channel_negates_its_row() -> None:
    norm = Affine(np.array([1.0, 2.0, -1.0]), np.array([0.0, 0.25, 0.5]))
    model = behind_linear([Tanh(), norm], 0.125, 0.25, Quantizer(0.25, 3, True))
    network = extract(model)
    dense = network.nodes[1].layer
    assert isinstance(dense, Dense)
    assert dense.weight[2].tolist() == [-3, -3, 3, -3]
    q = RNG.integers(-8, 8, (300, 4))
    golden, brevitas = trace(network, q), BrevitasNetwork(model).integers(q)
    assert all(np.array_equal(golden[each], integers) for each, integers in brevitas.items())


def test_channels_that_turn_differently_are_refused_by_name() -> None:
    model = behind_linear([LeakyRelu(np.array([0.5, -0.5, 1.0]))], 0.25, 0.0, Quantizer(0.25, 4, True))
    with pytest.raises(NetworkError, match=r"layer act: rises and falls otherwise in each channel"):
        extract(model)


@pytest.mark.parametrize("enumerated", [True, False])
@pytest.mark.parametrize("name", RISING)
def test_a_moved_threshold_is_found_by_the_proof(name: str, enumerated: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not enumerated:
        monkeypatch.setattr(proof_module, "_ENUMERATED_FUNCTIONS", 0)
    ones = np.ones(2, np.int64)
    step = 0.02 if name in ("tanh", "sigmoid", "softsign", "erf") else 0.25
    quantizer = Quantizer(step, 5, name not in ("sigmoid", "exp", "softplus"))
    reference = Reference(np.full(2, 0.001), np.array([0.3, -0.2]), ones, [operator_of(name, 2)], quantizer)
    low, high = -4000 * ones, 5000 * ones
    rows = rising_thresholds(reference, low, high)
    evaluated = prove("act", rows, quantizer.low, reference, low, high)
    assert evaluated == 18002 if enumerated else evaluated < 1000
    within = np.argwhere((rows > low[0]) & (rows < high[0]))
    assert len(within)
    for channel, level in within[:: max(len(within) // 4, 1)]:
        for moved in (-1, 1):
            wrong = rows.copy()
            wrong[channel, level] += moved
            if np.all(np.diff(wrong[channel]) >= 0):
                with pytest.raises(CheckFailed, match=f"act, channel {channel}"):
                    prove("act", wrong, quantizer.low, reference, low, high)


def test_a_function_whose_values_waver_is_told_from_one_that_is_monotone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof of wide ranges tries every accumulator that a function's rounding might move: a level that comes, goes
    and comes again within that is found."""

    class Wavering(Tanh):
        kind = ""

        def compute(self, arrays: Any, parameters: Any, *inputs: Any) -> Any:
            """Sinks by a unit of the last place at one value a little above the tie."""
            (x,) = inputs
            y = np.full_like(x, 0.5)
            y = np.where(x >= 0, y + 2.0**-53, y - 2.0**-53)
            return np.where(x == 2.0, 0.5 - 2.0**-54, y)

    monkeypatch.setattr(proof_module, "_ENUMERATED_FUNCTIONS", 0)
    one = np.ones(1, np.int64)
    reference = Reference(np.ones(1), np.zeros(1), one, [Wavering()], Quantizer(1.0, 1, False))
    with pytest.raises(CheckFailed, match="accumulator 2"):
        prove("act", np.array([[0]]), 0, reference, -100 * one, 100 * one)


def mlp_of(*activations: FloatOperator, residual: bool = False, inputs: int = 6) -> Mlp:
    nodes, source, rng = [], "input", np.random.default_rng(1)
    for number, activation in enumerate(activations):
        size = inputs if number == 0 else 8
        nodes.append(MlpNode(f"linear{number}", Linear(rng.normal(size=(8, size)) / 2, rng.normal(size=8)), (source,)))
        nodes.append(MlpNode(f"act{number}", activation, (nodes[-1].name,), f"model.{number}"))
        source = nodes[-1].name
        if residual and number:
            nodes.append(MlpNode(f"add{number}", Add(), (f"act{number - 1}", source)))
            source = nodes[-1].name
    nodes.append(MlpNode("last", Linear(rng.normal(size=(3, 8)), rng.normal(size=3)), (source,)))
    return Mlp("m", inputs, tuple(nodes))


DATA = Dataset(RNG.normal(size=(200, 6)), RNG.normal(size=(50, 6)))


def converted(mlp: Mlp, **options: Any) -> Any:
    return QuantizedConverter().convert(mlp, DATA, options, lambda *_: None)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize(
    "activations",
    [(Tanh(), Formula("gelu")), (Formula("sin"), LeakyRelu(np.linspace(0.01, 0.5, 8))), (Formula("mish"), Sigmoid())],
    ids=lambda each: "+".join(getattr(operator, "function", operator.kind) for operator in each),
)
def test_golden_is_brevitas_at_every_layer_and_the_model_is_kept(activations: Any, bits: int) -> None:
    conversion = converted(mlp_of(*activations, residual=bits == 8), bits=bits, epochs=1)
    content = conversion.files[BREVITAS_FILE]
    model = from_bytes(content)
    assert to_bytes(model) == content
    network, q = conversion.network, RNG.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (400, 6))
    golden, brevitas = trace(network, q), BrevitasNetwork(model).integers(q)
    for name, integers in brevitas.items():
        np.testing.assert_array_equal(golden[name], integers, err_msg=name)


def test_a_function_that_turns_gets_a_quantizer_of_eight_bits_before_it() -> None:
    network = converted(mlp_of(Formula("gelu"), Tanh()), bits=3, epochs=0).network
    kinds = [(node.name, node.layer.kind) for node in network.layers]
    assert kinds[:4] == [
        ("linear0", "dense"), ("linear0_front", "threshold"), ("linear0_act", "lookup"), ("linear1", "dense"),
    ]  # fmt: skip
    assert [kind for name, kind in kinds if name.startswith("linear1")] == ["dense", "threshold"]
    assert network.ranges["linear0_front"].bounds[1] > 100


def test_a_square_behind_a_relu_needs_no_quantizer_of_its_own() -> None:
    mlp = mlp_of(Clamp(0.0, np.inf), Formula("square"))
    squared = replace(mlp, nodes=(*mlp.nodes[:2], MlpNode("sq", Formula("square"), ("act0",)), *mlp.nodes[2:]))
    nodes = tuple(replace(node, inputs=("sq",)) if node.name == "linear1" else node for node in squared.nodes)
    network = converted(replace(squared, nodes=nodes), bits=4, epochs=0).network
    assert [node.layer.kind for node in network.layers] == [
        "dense",
        "threshold",
        "dense",
        "threshold",
        "lookup",
        "dense",
    ]


def test_a_function_that_processors_round_differently_is_refused_with_those_there_are() -> None:
    class Logarithm(FloatOperator):
        kind = ""
        role = Role.FUNCTION

        def output_size(self, *input_sizes: int) -> int:
            return input_sizes[0]

        def compute(self, arrays: Any, parameters: Any, *inputs: Any) -> Any:
            return arrays.functions.log(inputs[0])

        def output_range(self, *inputs: Any) -> Any:
            return inputs[0]

    with pytest.raises(InputError, match=r"act0 \(model\.0\).*log is not computed alike") as caught:
        refuse_unsupported(mlp_of(Logarithm()))
    assert "gelu, " in caught.value.remedy


def test_levels_lie_where_the_values_of_a_function_are() -> None:
    """GELU is above zero but for 0.17: all 16 levels of 4 bits are used, some of them below zero, and all is exact."""
    conversion = converted(mlp_of(Formula("gelu"), LeakyRelu(np.full(8, 0.05))), bits=4, epochs=0)
    network, model = conversion.network, from_bytes(conversion.files[BREVITAS_FILE])
    for name in ("linear0_act", "linear1_act"):
        assert network.ranges[name].bounds == (0, 15)
        (step,) = {model.steps[name]}
        shift = next(node.operator.operator.shift for node in model.nodes if node.name == f"{name}_shift")
        assert np.all(shift > 0)
        assert set(np.unique(shift / step)) <= {1.0, 2.0, 4.0}
    q = RNG.integers(-8, 8, (400, 6))
    golden, brevitas = trace(network, q), BrevitasNetwork(model).integers(q)
    assert all(np.array_equal(golden[name], integers) for name, integers in brevitas.items())
    signed = converted(mlp_of(Tanh()), bits=4, epochs=0).network
    assert signed.ranges["linear0_act"].bounds[0] < 0
