"""Units by themselves against what yosys counted of them once: lanes that requantize, products of two streams."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output
from edgeml.network.layers.multiply import Multiply
from edgeml.network.layers.requantize import Requantize
from edgeml.network.rounding import float32_parts, float64_parts, quantize_multiplier
from edgeml.targets.fpga.architectures.folded.folding import Folding
from edgeml.targets.fpga.architectures.folded.unit import Place
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.estimate.constants import FOLDED
from edgeml.targets.fpga.estimate.costs import Cost, constants_of, cost_of
from edgeml.targets.fpga.estimate.parts import Parts
from edgeml.targets.fpga.layer_hardware import Unit
from edgeml.targets.fpga.layers.multiply import MultiplyUnit
from edgeml.targets.fpga.layers.requantize import RequantizeUnit
from edgeml.targets.fpga.verilog.element import Element

# (family, rounding, bits of a value, words of factors, seed): lookup tables, flip-flops, multipliers of one lane.
LANES = {
    ("xcup", "fp32_rne", 18, 1, 0): (191, 160, 2),
    ("xcup", "fp32_rne", 18, 4, 0): (206, 172, 2),
    ("xcup", "float64_away", 17, 4, 0): (250, 138, 3),
    ("xcup", "fp32_rne", 14, 3, 0): (157, 145, 1),
    ("xcup", "fp32_rne", 16, 6, 2): (191, 174, 1),
    ("xcup", "float64_away", 14, 1, 0): (214, 109, 3),
    ("xcup", "float64_away", 20, 5, 3): (350, 167, 6),
    ("xcup", "fp32_rne", 21, 6, 1): (247, 203, 2),
    ("xc7", "fp32_rne", 18, 1, 0): (159, 156, 2),
    ("xc7", "fp32_rne", 18, 4, 0): (174, 168, 2),
    ("xc7", "fp32_rne", 16, 6, 2): (167, 166, 1),
    ("xc7", "float64_away", 17, 4, 0): (157, 159, 3),
    ("xc7", "float64_away", 14, 1, 0): (134, 133, 3),
    ("xc7", "float64_away", 20, 5, 3): (285, 167, 6),
    ("xc7", "fp32_rne", 14, 3, 0): (133, 141, 1),
    ("xc7", "fp32_rne", 21, 6, 1): (211, 196, 2),
    ("xcup", "ruy_half_up", 17, 4, 0): (61, 92, 2),
    ("xcup", "double_rounding", 17, 4, 0): (64, 99, 2),
    ("xcup", "double_rounding", 15, 1, 0): (51, 78, 2),
    ("xcup", "ruy_half_up", 18, 6, 5): (85, 116, 2),
    ("xcup", "ruy_half_up", 20, 4, 1): (109, 107, 4),
    ("xc7", "ruy_half_up", 18, 6, 5): (52, 78, 2),
}
# (family, bits of a and b, a has a sign, b has one, lanes): the same of products of two streams.
PRODUCTS = {
    ("ice40", 4, 4, False, False, 1): (29, 9, 0),
    ("ice40", 8, 4, True, False, 1): (70, 13, 0),
    ("ice40", 8, 8, True, True, 2): (355, 33, 0),
    ("ecp5", 8, 8, True, True, 1): (1, 17, 1),
    ("xc7", 3, 3, False, False, 1): (9, 7, 0),
    ("xc7", 4, 4, False, False, 1): (23, 9, 0),
    ("xc7", 2, 6, False, False, 1): (13, 9, 0),
    ("xc7", 8, 8, True, True, 2): (1, 1, 2),
    ("xcup", 8, 4, True, False, 2): (1, 25, 2),
    ("gowin", 4, 4, False, False, 1): (1, 9, 1),
    ("nexus", 8, 16, False, True, 1): (1, 1, 1),
}


def _cost(unit: Unit, family: str) -> Cost:
    parts = Parts()
    unit.add_amounts(parts, FAMILIES[family])
    return cost_of(unit.node.name, parts, FOLDED[constants_of(FAMILIES[family])])


def _network(layer: Requantize, channels: int, bits: int) -> Network:
    """Sums of so many bits, with a sign, that a layer requantizes."""
    weight = np.tile([127, 1], (channels, 1))
    dense = Dense(weight, 8, np.full(channels, 2 ** (bits - 1) - 1 - 128 * 128))
    nodes = (Node("input", InputQuantizer(2, np.ones(1), np.zeros(1), 0, 8, True)), Node("fc", dense, ("input",)))
    return Network("lane", (*nodes, Node("scale", layer, ("fc",))), Output(np.ones(1)))


@pytest.mark.parametrize("lane", LANES, ids=str)
def test_lanes_that_requantize(lane: tuple[str, str, int, int, int]) -> None:
    family, rounding, bits, words, seed = lane
    rng = np.random.default_rng(seed)
    factors = 120.0 / 2.0 ** (bits - 1) * rng.uniform(0.5, 3.0, words)
    ends = {"zero_point": int(rng.integers(-20, 20)), "low": -128, "high": 127}
    if rounding == "float64_away":
        multiplier, shift, fraction = float64_parts(factors)
        layer = Requantize(multiplier, shift, rounding, fraction=fraction, **ends)
    else:
        of = float32_parts if rounding == "fp32_rne" else quantize_multiplier
        layer = Requantize(*of(factors), rounding, **ends)
    network = _network(layer, words, bits)
    unit = RequantizeUnit(Place(network.layers[-1], network, (Element(bits, True),), Folding(1, 1)))
    luts, flip_flops, dsps = LANES[lane]
    cost = _cost(unit, family)
    assert cost.luts == pytest.approx(luts, rel=0.1)
    assert cost.flip_flops == pytest.approx(flip_flops, rel=0.04, abs=5)
    assert cost.dsps == dsps


@pytest.mark.parametrize("product", PRODUCTS, ids=str)
def test_products_of_two_streams(product: tuple[str, int, int, bool, bool, int]) -> None:
    family, a_bits, b_bits, a_signed, b_signed, lanes = product
    types = (Element(a_bits, a_signed), Element(b_bits, b_signed))
    inputs = [
        Node(f"fc{side}", Dense(np.full((lanes, 1), 1 if each.signed else -1), 2, np.zeros(lanes, int)), ("input",))
        for side, each in enumerate(types)
    ]
    quantizer = InputQuantizer(1, np.ones(1), np.zeros(1), 0, 8, True)
    last = Node("gate", Multiply(), tuple(node.name for node in inputs))
    network = Network("gates", (Node("input", quantizer), *inputs, last), Output(np.ones(1)))

    class Whole(MultiplyUnit):
        """Of all products of its inputs' types."""

        @property
        def output(self) -> Element:
            return Element(a_bits + b_bits, a_signed or b_signed)

    unit = Whole(Place(network.layers[-1], network, types, Folding(lanes, lanes)))
    luts, flip_flops, dsps = PRODUCTS[product]
    cost = _cost(unit, family)
    assert cost.luts == pytest.approx(luts, rel=0.1, abs=2)
    assert (cost.flip_flops, cost.dsps) == (flip_flops, dsps)
