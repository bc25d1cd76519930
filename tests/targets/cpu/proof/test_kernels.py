"""Every kernel and kind of layer of C for CPUs is proved with each body; what is not followed is said."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import Add, Dense, InputQuantizer, Lookup, Network, Node, Output, Requantize, Threshold
from edgeml.network.rounding import ROUNDINGS
from edgeml.proof.claim import OUT_OF_TIME, PROVED
from edgeml.targets.cpu.proof.bodies import BODIES, module_of
from edgeml.targets.cpu.proof.counterexamples import Counterexamples
from edgeml.targets.cpu.proof.followed import Followed, followable
from edgeml.targets.cpu.proof.prover import rows_of
from tests.network.spiking.random_classic import random_classic
from tests.network.spiking.random_networks import random_network as random_spiking_network
from tests.targets.c.encode_networks import bits_network, bits_of_bytes
from tests.targets.c.line_networks import line_network
from tests.targets.logic_networks import random_logic_network
from tests.targets.mcu.networks import random_network
from tests.targets.tables_networks import kan

from .proved import follow, program_of, rows

CASES = [(kernel, body) for kernel in ("quads", "crumbs", "triplets", "rows") for body in BODIES]
QUICK = {("quads", "avx512"), ("crumbs", "avx512"), ("triplets", "avx512"), ("rows", "portable"), ("quads", "avx2")}


def whole(found) -> bool:
    """Whether all that there are claims about is proved."""
    return {row.status for row in found.values() if row.claims} == {PROVED}


@pytest.mark.parametrize(
    ("kernel", "body"), [case if case in QUICK else pytest.param(*case, marks=pytest.mark.slow) for case in CASES]
)
def test_every_kernel_is_proved(kernel, body):
    network = random_network(3, (7, 5, 3), 2, activation_bits=2, input_bits=2)
    program = program_of(network, kernel)
    assert program.layout.stages[1].code.kernel == kernel
    found = rows(network, body, kernel)
    assert whole(found)
    assert "chain of comparisons" in found["the label"].method


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kernel", "body", "inputs"),
    [
        *((kernel, body, 3) for kernel in ("quads", "crumbs", "triplets") for body in BODIES),
        *((kernel, "avx512", 70) for kernel in ("quads", "crumbs", "triplets")),
        ("triplets", "avx512", 195),
    ],
)
def test_several_vectors_and_blocks_are_proved(kernel, body, inputs):
    """Of 84 outputs: a block of four vectors, one of two, and what is left; thresholds of 8 and of 16 bits."""
    network = random_network(inputs, (inputs, 84, 5), 2, activation_bits=2, input_bits=1 if inputs > 99 else 2)
    assert whole(rows(network, body, kernel))


@pytest.mark.slow
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(
    ("bits", "input_bits", "signed"),
    [(4, 8, True), (8, 6, False), (8, 6, True), pytest.param(8, 8, True, marks=pytest.mark.slow(whole=True))],
)
def test_wide_weights_and_inputs_are_proved(body, bits, input_bits, signed):
    """All values of a sum are looked at: 8 bits beside 8 take two minutes of processor time and 5 GB."""
    network = random_network(5, (6, 20, 3), bits, activation_bits=4, input_bits=input_bits, signed=signed)
    assert whole(rows(network, body))


@pytest.mark.parametrize(
    "body", ["avx512", *(pytest.param(b, marks=pytest.mark.slow) for b in BODIES if b != "avx512")]
)
def test_thresholds_on_a_line_are_proved(body):
    found = follow(program_of(line_network(1, 20, 2, channels=5)), body)
    assert "threshold_line.h" in {name for stage in found.layout.stages for name in stage.code.includes}
    assert all(claim.proved for stage in found.stages for row in stage.claims for claim in row)


QUICK_ROUNDINGS = {("double_rounding", "avx512"), ("float64_away", "avx512"), ("fp32_rne", "portable")}


def int8_network(rounding: str, inputs: int = 4, outputs: int = 3, reach: int = 20, wide: bool = False) -> Network:
    """4 → 3, requantized per channel (per tensor for the rule `shift`), and a table. Weights are −reach … reach − 1;
    `wide`: two of them 127."""
    generator = np.random.default_rng(1)
    weight = generator.integers(-reach, reach, (outputs, inputs))
    if wide:
        weight[0, :2] = 127
    dense = Dense(weight, 8, generator.integers(-3000, 3000, outputs), -3)
    factors = np.array([2**30]), np.array([-6])
    if rounding != "shift":
        multiplier = generator.integers(2**30, 2**31, outputs)
        multiplier = multiplier & ~0x7F if rounding == "fp32_rne" else multiplier
        factors = multiplier, generator.integers(-8, -5, outputs)
    fraction = generator.integers(0, 2**22, outputs) if rounding == "float64_away" else None
    table = np.random.default_rng(2).permutation(256) - 128
    nodes = (
        Node("input", InputQuantizer(inputs, np.array([0.1]), np.array([0.0]), -3, 8, True)),
        Node("dense", dense, ("input",)),
        Node("scale", Requantize(*factors, rounding, -3, -128, 127, fraction), ("dense",)),
        Node("table", Lookup(table), ("scale",)),
    )
    return Network("net", nodes, Output(np.array([1.0])))


@pytest.mark.parametrize(
    ("rounding", "body"),
    [
        (rounding, body)
        if (rounding, body) in QUICK_ROUNDINGS
        else pytest.param(rounding, body, marks=pytest.mark.slow)
        for rounding in ROUNDINGS
        for body in BODIES
    ],
)
def test_every_rounding_is_proved_also_where_it_is_computed_in_floating_point(rounding, body):
    assert whole(rows(int8_network(rounding), body))


@pytest.mark.parametrize(("inputs", "outputs"), [(5, 11), pytest.param(514, 1, marks=pytest.mark.slow)])
def test_bytes_whose_products_pass_16_bits_in_pairs_are_proved(inputs, outputs):
    """Four samples at a time and one alone; past 512 inputs also what is added up in memory; eight outputs at a time
    that are rounded in floating point, and what is left."""
    network = int8_network("fp32_rne", inputs, outputs, 3, wide=True)
    (statement,) = program_of(network).layout.stages[1].code.statements
    assert "edgeml_blocks_sums(EDGEML_QUADS" in statement
    assert f", {-(-inputs // 4)}, 0, 1, samples" in statement  # no quad is summed in 16 bits
    assert whole(rows(network, "avx2"))


QUICK_BITS = {(2, "portable"), (3, "avx512")}


@pytest.mark.parametrize(
    ("seed", "body"),
    [
        (seed, body) if (seed, body) in QUICK_BITS else pytest.param(seed, body, marks=pytest.mark.slow)
        for seed in (2, 3, 11, 24)
        for body in ({11: ("avx512", "neon"), 24: ("avx2", "portable")}.get(seed, BODIES))
    ],
)
def test_layers_on_packed_bits_are_proved(seed, body):
    """Highest bits of values, levels and equalities among bits, bits of bytes in any order and several times, once at
    the highest place of a word and inverted below (24)."""
    found = rows(bits_network(seed, 6 if seed < 4 else 20), body)
    assert whole(found)
    assert "as sums of functions of one input each" in found["dense, alone"].method


@pytest.mark.parametrize("body", ["portable", pytest.param("avx512", marks=pytest.mark.slow)])
def test_layers_on_bits_and_sums_of_two_layers_are_proved(body):
    """Bits of bytes for 8-bit weights, thresholds behind two dense layers, their sum, thresholds of that."""
    generator = np.random.default_rng(0)
    bits = bits_of_bytes(2)
    nodes = (
        Node("input", InputQuantizer(2, np.array([1.0]), np.array([0.0]), 0, 8, False)),
        Node("bits", bits, ("input",)),
        Node("left", Dense(generator.integers(-99, 99, (3, 16)), 8, np.zeros(3, np.int64)), ("bits",)),
        Node("levels", Threshold(np.tile([-30, 0, 40], (3, 1))), ("left",)),
        Node("right", Dense(generator.integers(-2, 2, (3, 2)), 2, np.zeros(3, np.int64)), ("input",)),
        Node("others", Threshold(np.tile([-99, 0, 99], (3, 1))), ("right",)),
        Node("sum", Add(), ("levels", "others")),
        Node("above", Threshold(np.tile([2, 4], (3, 1))), ("sum",)),
        Node("out", Dense(generator.integers(-8, 8, (2, 3)), 4, np.zeros(2, np.int64)), ("above",)),
    )
    found = rows(Network("net", nodes, Output(np.array([1.0]))), body)
    assert whole(found)
    assert {"bits, alone", "sum, block of 8"} <= set(found)


def test_what_the_time_does_not_suffice_for_is_out_of_time():
    program = program_of(random_network(3, (7, 5, 3), 2, input_bits=2))
    shape = (program.layout.tile + 1, 7)
    followed = Followed(module_of(program, BODIES["portable"]), program, np.zeros(shape, np.int32))
    followed.run(lambda what: None, 0.0)
    found = rows_of(followed, Counterexamples(followed, program, BODIES["portable"]))
    assert {row.status for row in found if row.claims} == {OUT_OF_TIME}


def test_networks_of_boolean_functions_and_of_exact_spikes_are_followed_and_of_leaky_neurons_are_not():
    spiking, _ = random_spiking_network(np.random.default_rng(0), "unary")
    leaky, _ = random_classic(np.random.default_rng(0))
    assert followable(program_of(spiking)) == ""
    assert "layers of kind spike_encoder" in followable(program_of(leaky))
    assert followable(program_of(random_logic_network(1))) == ""


@pytest.mark.parametrize("body", ["avx2", *(pytest.param(b, marks=pytest.mark.slow) for b in BODIES if b != "avx2")])
def test_sums_of_tables_are_proved(body):
    found = rows(kan(1, (3, 4, 2), 2, 4), body)
    assert whole(found)
    assert "functions of one input" in found["tables0, alone"].method
