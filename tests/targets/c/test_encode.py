"""C of layers that encode inputs: golden's integers for every rule and mixture, on every body of this machine."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, trace
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL, VALUE, Encode
from edgeml.targets.cpu.native_network import NativeNetwork, build_native
from tests.targets.cpu.bodies import BODIES, body_flags

from .encode_networks import encoded_network, inputs_for, random_encode


def exact(native: NativeNetwork, seed: int = 1, count: int = 60) -> None:
    """Singly and in batches, at every layer that has a place in memory, and each stage alone at its corners."""
    network = native.network
    q = inputs_for(network, seed, count)
    expected = trace(network, q)
    np.testing.assert_array_equal(native.invoke(q), expected[network.nodes[-1].name])
    for name, values in native.trace(q).items():
        np.testing.assert_array_equal(values, expected[name], err_msg=f"{network.name}, layer {name}")
    native.check_layers()


def mixture(seed: int) -> Network:
    """Any rules with values among them, of inputs of any width; 8-bit weights behind."""
    generator = np.random.default_rng(seed)
    signed, bits = bool(seed % 2), int(generator.integers(1, 9))
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    outputs = int(generator.integers(1, 70))
    encode = random_encode(generator, int(generator.integers(1, 40)), outputs, low, high, binary=False)
    weight = generator.integers(-128, 128, (7, outputs))
    return encoded_network(encode, weight, 8, generator, input_bits=bits, signed=signed, name=f"mixture{seed}")


@pytest.mark.parametrize("body", BODIES)
def test_any_mixture_of_rules_gives_the_integers_of_golden(body: str) -> None:
    for native in build_native([mixture(seed) for seed in range(8)], flags=body_flags(body)):
        exact(native)


@pytest.mark.parametrize("width", [1, 2**9, 2**20])
def test_sums_and_levels_in_the_middle_of_a_network_are_encoded(width: int) -> None:
    """Of a dense layer's sums (32 bits), of those less an offset, and of what thresholds give."""
    generator = np.random.default_rng(width)
    dense = Dense(generator.integers(-128, 128, (9, 12)), 8, np.full(9, width))
    quantizer = InputQuantizer(12, np.array([1.0]), np.array([0.0]), 0, 8, False)
    reach = dense.output_range(quantizer.output_range())
    low, high = int(reach.low.min()), int(reach.high.max())
    first = random_encode(generator, 9, 33, low, high, binary=False)
    act = Threshold(np.array([[0, 1, 2, width + 2]] * 33), -2)
    second = random_encode(generator, 33, 21, -2, 2, binary=False)
    nodes = (
        Node("input", quantizer),
        Node("dense", dense, ("input",)),
        Node("encode", first, ("dense",)),
        Node("act", act, ("encode",)),
        Node("again", second, ("act",)),
    )
    network = Network("middle", nodes, Output(np.array([1.0])))
    native = NativeNetwork(network, flags=body_flags("portable"))
    q = np.random.default_rng(1).integers(0, 256, (50, 12)).astype(np.int32)
    for name, values in native.trace(q).items():
        np.testing.assert_array_equal(values, trace(network, q)[name], err_msg=name)
    native.check_layers()


def test_outputs_that_are_constants_are_right() -> None:
    """Levels that all values reach or none does, an equality with a value that there is not, a bit that none has."""
    source = np.zeros(8, int)
    rule = np.array([LEVEL, LEVEL, EQUAL, EQUAL, BIT, LEVEL, LEVEL, EQUAL])
    operand = np.array([0, 256, -1, 2**31 - 1, 9, -(2**31), 2**31 - 1, 255])
    encode = Encode(source, rule, operand, 3)
    for name, layer in (("all", encode), ("ones", Encode([0, 2], [LEVEL, LEVEL], [0, -5], 3))):
        quantizer = InputQuantizer(3, np.array([1.0]), np.array([0.0]), 0, 8, False)
        network = Network(name, (Node("input", quantizer), Node("encode", layer, ("input",))), Output(np.array([1.0])))
        q = np.array([[0, 0, 0], [255, 255, 255], [254, 1, 2]], np.int32)
        found = NativeNetwork(network, flags=body_flags("portable")).invoke(q)
        np.testing.assert_array_equal(found, trace(network, q)["encode"])


def test_values_alone_are_copied_in_any_order() -> None:
    encode = Encode([3, 0, 0, 2], [VALUE] * 4, [0] * 4, 4)
    quantizer = InputQuantizer(4, np.array([1.0]), np.array([0.0]), 0, 8, True)
    network = Network("copied", (Node("input", quantizer), Node("encode", encode, ("input",))), Output(np.array([1.0])))
    q = np.array([[-128, 127, 0, 5]], np.int32)
    assert NativeNetwork(network, flags=body_flags("portable")).invoke(q).tolist() == [[5, -128, -128, 0]]
