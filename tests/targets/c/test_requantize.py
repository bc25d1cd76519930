"""The C of the int8 form against golden: each rounding rule, with the processor's vectors and without."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output, ValueRange, simulate, trace
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from edgeml.network.rounding import ROUNDINGS, float32_parts, float64_parts, quantize_multiplier
from edgeml.targets.c import generate
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_network import NativeNetwork
from tests.targets.cpu.bodies import body_flags

FLAGS = {
    "this machine's vectors": None,
    "AVX2": (),
    "portable C": ("-O2", "-DEDGEML_PORTABLE"),
}


@pytest.fixture(autouse=True)
def _compiler() -> None:
    if find_compiler() is None:
        pytest.skip("no C compiler")


def requantize(rounding: str, eff: np.ndarray, **fields: object) -> Requantize:
    """A layer with these factors (with `shift`, the powers of two below them)."""
    if rounding == "float64_away":
        multiplier, shift, fraction = float64_parts(eff)
        return Requantize(multiplier, shift, rounding, fraction=fraction, **fields)
    if rounding == "shift":
        eff = 2.0 ** np.floor(np.log2(eff))
    return Requantize(*(float32_parts(eff) if rounding == "fp32_rne" else quantize_multiplier(eff)), rounding, **fields)


def ties(eff: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Accumulators at and beside ties of the outputs for these factors, and some far beyond the outputs' range."""
    near = np.rint((generator.integers(-140, 140, eff.size) + 0.5) / eff) + generator.integers(-1, 2, eff.size)
    far = generator.integers(-(2**29), 2**29, eff.size)
    return np.where(generator.random(eff.size) < 0.9, np.clip(near, -(2**29), 2**29), far).astype(np.int64)


def network_of(rules: tuple[str, ...], dense: Dense, eff: np.ndarray, **fields: object) -> Network:
    """One dense layer, and behind it one requantizing layer for each rule; their sum is the output."""
    nodes = [
        Node("input", InputQuantizer(1, np.array([1.0]), np.zeros(1), 0, 8, True)),
        Node("acc", dense, ("input",)),
        *(Node(rule, requantize(rule, eff, **fields), ("acc",)) for rule in rules),
    ]
    last = rules[0]
    for rule in rules[1:]:
        nodes.append(Node(f"plus_{rule}", Add(), (last, rule)))
        last = nodes[-1].name
    return Network("rules", tuple(nodes), Output(np.array([1.0])))


def assert_every_layer_is_exact(network: Network, q: np.ndarray, flags: str) -> None:
    chosen = body_flags("avx2", "-O2") if flags == "AVX2" else FLAGS[flags]
    native = NativeNetwork(network, flags=chosen)
    expected = trace(network, q)
    found = native.trace(q)
    for node in network.layers:
        assert np.array_equal(found[node.name], expected[node.name]), node.name
    assert np.array_equal(native.invoke(q), expected[network.nodes[-1].name])


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("powers_of_two", [False, True])
def test_every_rule_is_exact_next_to_ties(powers_of_two: bool, per_channel: bool, flags: str) -> None:
    """Biases put the accumulators next to ties for x = 0; other values of x move them."""
    generator = np.random.default_rng(2 * powers_of_two + per_channel)
    channels = 1501
    eff = 2.0 ** generator.uniform(-24, -2, channels if per_channel else 1)
    if powers_of_two:
        eff = 2.0 ** np.rint(np.log2(eff))
    acc = ties(np.broadcast_to(eff, (channels,)), generator)
    dense = Dense(generator.integers(-2, 3, (channels, 1)), 8, acc, 0)
    network = network_of(ROUNDINGS, dense, eff, zero_point=3, low=3 if per_channel else -128)
    assert_every_layer_is_exact(network, np.arange(-3, 4, dtype=np.int32)[:, None], flags)


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize(("rounding", "lowest", "largest"), [("float64_away", 2**30, 127), ("fp32_rne", 2**22, 511)])
def test_products_that_only_their_own_rounding_brings_to_a_tie_are_exact(
    rounding: str, lowest: int, largest: int, flags: str
) -> None:
    """Factors nearest to what would make each product a tie of the output: whether it is one is decided when the
    product is rounded to the format's significand, by as much as that can move it."""
    generator = np.random.default_rng(7)
    acc = generator.integers(lowest, 2 * lowest, 1500) * generator.choice([-1, 1], 1500)
    factors = (generator.integers(largest // 2, largest, 1500) + 0.5) / np.abs(acc)
    dense = Dense(np.zeros((1500, 1), int), 8, acc, 0)
    eff = factors.astype(np.float32).astype(np.float64) if rounding == "fp32_rne" else factors
    network = network_of((rounding,), dense, eff, low=-600, high=600)
    assert_every_layer_is_exact(network, np.zeros((1, 1), np.int32), flags)


@pytest.mark.parametrize("flags", FLAGS)
def test_factors_of_one_and_more_are_exact(flags: str) -> None:
    """The left shift of the integer rules, and results far past 8 bits."""
    q = np.arange(-128, 128, dtype=np.int32)[:, None]
    generator = np.random.default_rng(4)
    eff = np.concatenate([2.0 ** np.arange(-3, 8), generator.uniform(0.4, 200, 30)])
    dense = Dense(generator.integers(-127, 128, (eff.size, 1)), 8, generator.integers(-(2**20), 2**20, eff.size), 0)
    rules = ("double_rounding", "ruy_half_up", "float64_away", "fp32_rne")
    assert_every_layer_is_exact(network_of(rules, dense, eff), q, flags)


def wide_network() -> Network:
    """Outputs past 8 bits, a sum that is clipped only, a table whose channels have different ranges."""
    generator = np.random.default_rng(5)
    table = generator.integers(-128, 128, 256)
    return Network(
        "wide",
        (
            Node("input", InputQuantizer(20, np.array([1.0]), np.zeros(1), 5, 8, True)),
            Node(
                "acc", Dense(generator.integers(-127, 128, (33, 20)), 8, generator.integers(-99, 99, 33), 5), ("input",)
            ),
            Node("half", requantize("fp32_rne", generator.uniform(0.001, 0.01, 33), low=-700, high=900), ("acc",)),
            Node("narrow", requantize("ruy_half_up", np.array([0.2]), zero_point=-7, low=-100, high=90), ("half",)),
            Node("sum", Add(), ("half", "narrow")),
            Node("clipped", Requantize(np.array([2**30]), np.array([1]), "shift", 9, -128, 127), ("sum",)),
            Node("looked_up", Lookup(table), ("clipped",)),
            Node("again", Lookup(np.arange(-4000, 4000, 31)[:256]), ("looked_up",)),
        ),
        Output(np.array([1.0])),
    )


@pytest.mark.parametrize("flags", FLAGS)
def test_wide_outputs_sums_and_tables_are_exact_at_every_layer(flags: str) -> None:
    q = np.random.default_rng(6).integers(-128, 128, (200, 20)).astype(np.int32)
    assert_every_layer_is_exact(wide_network(), q, flags)


def test_entries_between_the_ranges_of_two_channels_need_not_fit_the_output() -> None:
    """The lookup's table covers what lies between the ranges of its channels: entries that nothing reaches."""
    lookup = Lookup(np.concatenate([np.zeros(10), np.full(100, 9999), np.ones(10)]).astype(np.int64), base=0)
    found = lookup.output_range(ValueRange(np.array([0, 110]), np.array([9, 119])))
    assert found.bounds == (0, 1)
    dense = Dense(np.array([[0], [0]]), 8, np.array([5, 115]), 0)
    network = Network(
        "gap",
        (
            Node("input", InputQuantizer(1, np.array([1.0]), np.zeros(1), 0, 8, True)),
            Node("acc", dense, ("input",)),
            Node("byte", Requantize(np.array([2**30]), np.array([1]), "shift"), ("acc",)),
            Node("y", lookup, ("byte",)),
        ),
        Output(np.array([1.0])),
    )
    q = np.zeros((3, 1), np.int32)
    assert np.array_equal(NativeNetwork(network).invoke(q), simulate(network, q))


def program(rounding: str) -> dict[str, str]:
    dense = Dense(np.ones((8, 1), np.int64), 8, np.zeros(8, np.int64), 0)
    return dict(generate(network_of((rounding,), dense, np.linspace(0.01, 0.2, 8)), CPU_DIALECT).files)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_the_code_and_its_header_name_the_rule(rounding: str) -> None:
    files = program(rounding)
    assert f"rounding rule {rounding}" in files["rules.h"]
    assert f"edgeml_requantize_{rounding}(" in files["rules.c"]


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_outside_of_bodies_for_vectors_there_is_no_floating_point(rounding: str) -> None:
    text = program(rounding)[f"edgeml/requantize_{rounding}.h"]
    outside, depth = [], 0
    for line in text.split("*/", 1)[1].splitlines():
        if line.startswith(("#if defined(EDGEML_AVX512)", "#if defined(EDGEML_AVX2)")):
            depth = 1
        elif depth and line.startswith(("#else", "#endif")):
            depth = 0
        elif not depth:
            outside.append(line)
    code = "\n".join(outside)
    assert "edgeml_rescale_" in code
    assert not any(word in code for word in ("float ", "double ", "0.5", "math.h", "_ps", "_pd"))
