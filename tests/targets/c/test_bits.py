"""Dense layers that count packed bits: golden's integers on every body, however the bits lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output, Threshold, trace
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, Encode
from edgeml.targets.c import Dialect, generate
from edgeml.targets.c.arena import Stage
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_network import NativeNetwork, build_native
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.dialect import dialect_with
from edgeml.targets.mcu.kernels import BitsColumnsKernel
from tests.sweeps import cases, seeds
from tests.targets.cpu.bodies import BODIES, body_flags

from .encode_networks import bits_network, bits_of_bytes, encoded_network, ternary
from .test_encode import exact

COLUMNS = replace(dialect_with(core("m0"), {}), tile=4)
"""What microcontrollers get, with an entry point for batches."""
SINGLE = replace(COLUMNS, bits=(BitsColumnsKernel(pairs=False),))
"""With the smaller tables."""


def stage_of_bits(network: Network, dialect: Dialect = COLUMNS) -> Stage:
    """The stage that begins with the layer that encodes."""
    (stage,) = [stage for stage in generate(network, dialect).layout.stages if stage.job.nodes[0].name == "encode"]
    return stage


@pytest.mark.parametrize("body", BODIES)
def test_rows_of_bits_are_counted_exactly(body: str) -> None:
    for native in build_native([bits_network(seed) for seed in range(12)], CPU_DIALECT, flags=body_flags(body)):
        exact(native)


@pytest.mark.parametrize("dialect", [COLUMNS, SINGLE], ids=["pairs", "single"])
def test_columns_of_bits_are_counted_exactly_on_this_machine(dialect: Dialect) -> None:
    networks = [bits_network(seed) for seed in range(100, 115)]
    for native in build_native(networks, dialect, flags=body_flags("portable")):
        exact(native)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("body", [*BODIES, "pairs", "single"])
def test_many_layers_of_bits_are_counted_exactly(body: str) -> None:
    """20,000 vectors for each of 40 layers."""
    dialect = {"pairs": COLUMNS, "single": SINGLE}.get(body, CPU_DIALECT)
    networks = [bits_network(seed, 130) for seed in seeds(1000, 40)]
    for native in build_native(networks, dialect, flags=body_flags(body if body in BODIES else "portable")):
        exact(native, count=cases(20_000))


def test_bits_stay_where_they_are_and_become_one_stage_with_what_is_behind() -> None:
    """No scratch memory, no tensor of bits: 40 bytes are 10 words."""
    generator = np.random.default_rng(0)
    network = encoded_network(bits_of_bytes(40), ternary(generator, 64, 320), 2, generator)
    stage = stage_of_bits(network)
    assert [node.name for node in stage.job.nodes] == ["encode", "dense", "act"]
    assert (stage.code.kernel, stage.code.scratch_bytes) == ("bits_pairs", 0)
    assert "edgeml_bits_count_pairs(x, 10, 1, " in "\n".join(stage.code.statements)
    assert generate(network, COLUMNS).arena_bytes == 48 + 64 + 64  # inputs, levels, outputs
    rows = stage_of_bits(network, CPU_DIALECT)
    assert ([node.name for node in rows.job.nodes], rows.code.kernel) == (["encode", "dense"], "bits_rows")


def test_what_counts_of_bits_do_not_take_goes_the_plain_way() -> None:
    """Values among the outputs, weights of more bits, several consumers."""
    generator = np.random.default_rng(0)
    bits = bits_of_bytes(3)
    values = Encode(np.append(bits.source, 0), np.append(bits.rule, 0), np.append(bits.operand, 0), 3)
    for encode, weight, width in (
        (values, ternary(generator, 4, 25), 2),
        (bits, generator.integers(-8, 8, (4, 24)), 4),
    ):
        stage = stage_of_bits(encoded_network(encode, weight, width, generator))
        assert [node.name for node in stage.job.nodes] == ["encode"]
    first = encoded_network(bits, ternary(generator, 4, 24), 2, generator, levels=0)
    nodes = (*first.nodes, Node("other", first.nodes[-1].layer, ("encode",)), Node("sum", Add(), ("dense", "other")))
    stage = stage_of_bits(Network("twice", nodes, Output(np.array([1.0]))))
    assert [node.name for node in stage.job.nodes] == ["encode"]


def test_a_bit_that_is_taken_several_times_counts_as_often() -> None:
    """Twice: the weights of both meet on one bit of memory. Three times: each goes into a bit of its own."""
    for times in (2, 3):
        generator = np.random.default_rng(times)
        place = np.tile(np.arange(64), times)
        encode = Encode(place // 8, [BIT] * place.size, place % 8, 8)
        network = encoded_network(encode, np.ones((40, place.size), int), 2, generator)
        assert bool(stage_of_bits(network).code.scratch_bytes) == (times == 3)
        for dialect in (CPU_DIALECT, COLUMNS):
            exact(NativeNetwork(network, dialect, flags=body_flags("portable")))


@pytest.mark.parametrize("dialect", [CPU_DIALECT, COLUMNS, SINGLE], ids=["rows", "pairs", "single"])
@pytest.mark.parametrize("inputs", [2, 62, 63, 254, 255, 256, 510, 511, 2046])
def test_counts_that_just_fill_their_planes(dialect: Dialect, inputs: int) -> None:
    """All bits count on one output: 2^n − 2, 2^n − 1 and 2^n, with a threshold at the last and one past it."""
    place = np.arange(inputs)
    encode = Encode(place // 8, [BIT] * inputs, place % 8, -(-inputs // 8))
    weight = np.zeros((3, inputs), int)
    weight[0], weight[1] = 1, -1
    quantizer = InputQuantizer(encode.inputs, np.array([1.0]), np.array([0.0]), 0, 8, False)
    act = Threshold(np.array([[1, inputs, inputs + 1], [1 - inputs, 0, 1], [-1, 0, 1]]), 0)
    nodes = (
        Node("input", quantizer),
        Node("encode", encode, ("input",)),
        Node("dense", Dense(weight, 2, np.zeros(3, int)), ("encode",)),
        Node("act", act, ("dense",)),
    )
    network = Network("full", nodes, Output(np.array([1.0])))
    q = np.full((12, encode.inputs), 255, np.int32)
    q[1] = 0
    q[2:7, 0] = [254, 127, 0, 1, 253]
    q[7:12] = 0
    q[7:12, -1] = [1, 2, 128, 255, 3]
    native = NativeNetwork(network, dialect, flags=body_flags("portable"))
    np.testing.assert_array_equal(native.invoke(q), trace(network, q)["act"])


def test_levels_of_sums_become_words_in_scratch_memory() -> None:
    """Thermometers and equalities of 32-bit sums, whose bits no memory holds."""
    generator = np.random.default_rng(5)
    first = Dense(generator.integers(-128, 128, (6, 9)), 8, np.zeros(6, int))
    quantizer = InputQuantizer(9, np.array([1.0]), np.array([0.0]), 0, 8, False)
    source = np.repeat(np.arange(6), 20)
    operand = generator.integers(-(2**15), 2**15, 120)
    rule = np.where(np.arange(120) % 20 < 15, LEVEL, EQUAL)
    nodes = (
        Node("input", quantizer),
        Node("first", first, ("input",)),
        Node("encode", Encode(source, rule, operand, 6), ("first",)),
        Node("dense", Dense(ternary(generator, 37, 120), 2, np.zeros(37, int)), ("encode",)),
        Node("act", Threshold(np.tile([-3, 0, 3], (37, 1))), ("dense",)),
    )
    network = Network("deep", nodes, Output(np.array([1.0])))
    q = generator.integers(0, 256, (200, 9)).astype(np.int32)
    for dialect in (CPU_DIALECT, COLUMNS):
        assert stage_of_bits(network, dialect).code.scratch_bytes
        native = NativeNetwork(network, dialect, flags=body_flags("portable"))
        np.testing.assert_array_equal(native.invoke(q), trace(network, q)["act"])
        native.check_layers()
