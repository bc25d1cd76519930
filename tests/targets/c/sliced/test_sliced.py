"""Networks of Boolean functions, 512 samples at once: golden's integers for any number of samples, on every body."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import Dense, Encode, InputQuantizer, Logic, Network, Node, Output, simulate
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL
from edgeml.targets.c import generate
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_network import NativeNetwork, build_native
from tests.sweeps import seeds
from tests.targets.cpu.bodies import BODIES, body_flags
from tests.targets.logic_networks import classifier, logic_inputs, random_logic, random_logic_network

ALL_BODIES = (*BODIES, "scalar")


def flags_of(body: str) -> tuple[str, ...]:
    """Of a body; scalar: plain C without the compiler's own vectors."""
    return (*body_flags("portable"), "-DEDGEML_SCALAR") if body == "scalar" else body_flags(body)


def kernels(network: Network) -> set[str]:
    return {stage.code.kernel for stage in generate(network, CPU_DIALECT).layout.stages if stage.code.kernel}


def exact(native: NativeNetwork, *counts: int) -> None:
    """Batches of so many samples, by output and by label."""
    for count in counts:
        q = logic_inputs(native.network, count, count)
        np.testing.assert_array_equal(native.invoke(q), simulate(native.network, q), err_msg=native.network.name)


def any_rules(seed: int, *, signed: bool) -> Network:
    """Levels and equalities at and beyond both ends, bits where there are any; sums of weights of both signs."""
    generator = np.random.default_rng(seed)
    low, outputs = (-128 if signed else 0), 60
    rule = generator.choice([LEVEL, EQUAL] if signed else [BIT, LEVEL, EQUAL], outputs)
    operand = np.where(rule == BIT, generator.integers(0, 10, outputs), generator.integers(low - 2, low + 259, outputs))
    operand[:6] = low + np.array([0, 1, 255, 256, 128, 127])
    rule[:6] = LEVEL
    source = generator.integers(0, 21, outputs)
    rule[7:9], operand[7:9], source[7:9] = LEVEL if signed else BIT, 3, 20  # one test twice
    weight = generator.integers(-8, 8, (20, 50))
    weight[3], weight[:, 9] = 0, 0
    weight[4] = 2 * generator.integers(0, 2, 50)
    nodes = (
        Node("input", InputQuantizer(21, np.ones(1), np.zeros(1), 0, 8, signed)),
        Node("encode", Encode(source, rule, operand, 21), ("input",)),
        Node("logic", random_logic(generator, outputs, 50, 5), ("encode",)),
        Node("sums", Dense(weight, 4, generator.integers(-99, 100, 20), -1), ("logic",)),
    )
    return Network(f"rules{seed}", nodes, Output(np.ones(1)))


@pytest.mark.parametrize("body", ALL_BODIES)
def test_any_number_of_samples_gives_the_integers_of_golden(body: str) -> None:
    """Around the samples of a word and of a plane, the fewest that are computed together, and more than one plane."""
    networks = [random_logic_network(seed, f"net{seed}", widest=60) for seed in (0, 1, 3, 4)]
    networks += [classifier(5), any_rules(1, signed=False), any_rules(2, signed=True)]
    for native in build_native(networks, flags=flags_of(body)):
        exact(native, 1, 3, 4, 65, 512, 600)


def levels(outputs: int, inputs: int) -> Network:
    """Many levels of few values, several of one in most functions; every function for one output, or for two."""
    generator = np.random.default_rng(outputs)
    source = generator.integers(0, inputs, 5)[generator.integers(0, 5, 24)]
    weight = np.zeros((outputs, 30), np.int64)
    weight[generator.integers(0, outputs, 30), np.arange(30)] = generator.integers(-3, 4, 30)
    weight[outputs - 1, :3] = 1
    nodes = (
        Node("input", InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, 8, False)),
        Node("encode", Encode(source, np.full(24, LEVEL), generator.integers(1, 256, 24), inputs), ("input",)),
        Node("logic", random_logic(generator, 24, 30, 6), ("encode",)),
        Node("sums", Dense(weight, 3, generator.integers(-99, 100, outputs)), ("logic",)),
    )
    return Network(f"levels{outputs}", nodes, Output(np.ones(1)))


@pytest.mark.parametrize("body", ALL_BODIES)
def test_bytes_above_the_largest_input_are_the_largest(body: str) -> None:
    """Levels of four bits, which one comparison tells; some bytes are tested for many of them, some for none."""
    generator = np.random.default_rng(3)
    source = np.concatenate([np.repeat(np.arange(0, 32), 2), generator.integers(0, 70, 30)])
    encode = Encode(source, np.full(source.size, LEVEL), generator.integers(1, 16, source.size), 70)
    nodes = (
        Node("input", InputQuantizer(70, np.ones(1), np.zeros(1), 0, 4, False)),
        Node("encode", encode, ("input",)),
        Node("logic", random_logic(generator, source.size, 60, 6), ("encode",)),
        Node("sums", Dense(generator.integers(-2, 3, (11, 60)), 3, generator.integers(-9, 9, 11)), ("logic",)),
    )
    q = generator.integers(0, 256, (70, 70))
    q[:, ::3] = generator.integers(0, 16, q[:, ::3].shape)
    for native in build_native([Network("above", nodes, Output(np.ones(1)))], flags=flags_of(body)):
        assert "edgeml_slices_low_levels" in native.program.files["above.c"]
        np.testing.assert_array_equal(native.invoke(q), simulate(native.network, np.minimum(q, 15)))


def test_an_output_without_functions_is_its_constant() -> None:
    """Whatever was in the memory of its planes before: a batch of others, then its own."""
    generator = np.random.default_rng(6)
    weight = generator.integers(1, 4, (3, 40))
    weight[1] = 0
    weight[2, 1:] = 0
    nodes = (
        Node("input", InputQuantizer(9, np.ones(1), np.zeros(1), 0, 1, False)),
        Node("logic", random_logic(generator, 9, 40, 6), ("input",)),
        Node("sums", Dense(weight, 4, np.array([5, -7, 0])), ("logic",)),
    )
    (native,) = build_native([Network("constant", nodes, Output(np.ones(1)))], flags=body_flags("portable"))
    q, arena = logic_inputs(native.network, 6, 512).astype(np.uint8), np.full(1 << 18, 255, np.uint8)
    found = np.empty((512, 3), np.int32)
    at = -(-arena.ctypes.data // 64) * 64
    native._batch(q.ctypes.data, 512, found.ctypes.data, None, at)
    np.testing.assert_array_equal(found, simulate(native.network, q))


@pytest.mark.parametrize("body", ["avx2", "avx512"])
def test_any_number_of_outputs_and_long_rows_give_the_integers_of_golden(body: str) -> None:
    networks = [levels(outputs, 300 if outputs == 7 else 20) for outputs in (1, 7, 8, 13, 16, 17)]
    for native in build_native(networks, flags=body_flags(body)):
        exact(native, 5, 70, 519)


@pytest.mark.slow(scaled=True)
def test_twenty_thousand_vectors_of_random_networks_are_exact_on_every_body() -> None:
    for body in ALL_BODIES:
        try:
            flags = flags_of(body)
        except pytest.skip.Exception:
            continue
        networks = [random_logic_network(seed, f"net{seed}") for seed in seeds(700, 16)]
        networks += [any_rules(seed, signed=bool(seed % 2)) for seed in seeds(800, 8)]
        for native in build_native(networks, flags=flags):
            exact(native, 20_000)


def test_sums_of_more_than_eight_bits_are_exact() -> None:
    """Weights up to 127, and constants near both ends of 32 bits."""
    generator = np.random.default_rng(4)
    weight, bias = generator.integers(-128, 128, (5, 70)), np.array([2**31 - 9000, -(2**31) + 9000, 0, 1, -1])
    nodes = (
        Node("input", InputQuantizer(9, np.ones(1), np.zeros(1), 0, 1, False)),
        Node("logic", random_logic(generator, 9, 70, 6), ("input",)),
        Node("sums", Dense(weight, 8, bias), ("logic",)),
    )
    network = Network("wide", nodes, Output(np.ones(1)))
    for native in build_native([network], flags=body_flags("portable")):
        exact(native, 2, 70)


def test_functions_that_are_constants_copies_and_complements_need_no_planes() -> None:
    tables = np.array([[1, 0, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1]])
    first = Logic(np.array([[0, 1]] * 6), tables, 2)
    second = Logic(np.array([[0, 1], [2, 3], [4, 5], [4, 4]]), np.array([[0, 1, 1, 0]] * 3 + [[0, 1, 1, 1]]), 6)
    quantizer = InputQuantizer(2, np.ones(1), np.zeros(1), 0, 1, False)
    nodes = (Node("input", quantizer), Node("first", first, ("input",)), Node("second", second, ("first",)))
    network = Network("wires", nodes, Output(np.ones(1)))
    for native in build_native([network], flags=body_flags("portable")):
        exact(native, 1, 64)
    text = "".join(text for name, text in native.program.files.items() if name.endswith("_planes.h"))
    # The exclusive or of both inputs; as the third output, which it is too; and its complement for the first one.
    assert sum("EDGEML_F(" in line or "EDGEML_PAIR(" in line for line in text.splitlines()) == 3


def test_only_chains_of_functions_are_computed_together() -> None:
    assert kernels(classifier(1)) == {"logic_slices"}
    generator = np.random.default_rng(1)
    nodes = list(classifier(1).nodes)
    again = (*nodes, Node("more", Dense(generator.integers(-2, 2, (2, 3)), 2, np.zeros(2, int)), ("sums",)))
    assert "logic_slices" not in kernels(Network("again", again, Output(np.ones(1))))
    assert "logic_slices" not in kernels(Network("alone", (nodes[0], nodes[1]), Output(np.ones(1))))
