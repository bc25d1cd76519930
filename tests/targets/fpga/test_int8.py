"""The int8 form as hardware: each rounding rule next to ties, tables, wide outputs, stalls, resets, clocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import Add, Dense, InputQuantizer, Network, Node, Output, simulate
from edgeml.network.layers.lookup import Lookup
from edgeml.network.layers.requantize import Requantize
from edgeml.network.rounding import ROUNDINGS
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.executors.icarus import run_icarus
from edgeml.targets.fpga.executors.verilator import compile_design
from edgeml.targets.fpga.tools.programs import compiler, find_verilator, icarus
from tests.network.random_networks import random_inputs

from .designs import folded_designs
from .forms import int8_network, requantize

verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)
needs_icarus = pytest.mark.skipif(icarus() is None, reason="Icarus Verilog (iverilog) is not installed")

PAUSES = [(128, 0), (0, 128), (60, 200)]


def check_in_verilator(network: Network, design: Design, folder: Path, vectors: int, seed: int = 0) -> int:
    """Golden integers and exact clocks without pauses; golden integers with pauses and resets. Vectors run."""
    built = build(network, design)
    simulation = compile_design(built, folder)
    q = random_inputs(network, vectors, seed).astype(np.int32)
    y = simulate(network, q)
    outputs, counts = simulation.run(q)
    np.testing.assert_array_equal(outputs, y)
    assert counts["ends"][: len(built.clocks.frames)] == list(built.clocks.frames)
    for run, (input_pause, output_pause) in enumerate(PAUSES):
        stress = {"input_pause": input_pause, "output_pause": output_pause, "resets": 3}
        outputs, counts = simulation.run(q, seed=seed + run, **stress)
        np.testing.assert_array_equal(outputs, y)
        assert counts["resets"] > 0
    return (1 + len(PAUSES)) * vectors


def tie_network(rules: tuple[str, ...], seed: int, channels: int, low: int = -2, high: int = 26) -> Network:
    """Accumulators that lie at and beside ties of every rule for x = 0; the sum of all rules' outputs."""
    rng = np.random.default_rng(seed)
    eff = 2.0 ** rng.uniform(-24, -2, channels)
    eff = np.where(rng.random(channels) < 0.5, 2.0 ** np.rint(np.log2(eff)), eff)
    near = np.rint((rng.integers(-140, 140, channels) + 0.5) / eff) + rng.integers(-1, 2, channels)
    far = rng.integers(-(2**29), 2**29, channels)
    acc = np.where(rng.random(channels) < 0.9, np.clip(near, -(2**29), 2**29), far).astype(np.int64)
    nodes = [
        Node("input", InputQuantizer(1, np.array([1.0]), np.zeros(1), 0, 8, True)),
        Node("acc", Dense(rng.integers(-2, 3, (channels, 1)), 8, acc, 0), ("input",)),
        *(Node(rule, requantize(rule, eff, zero_point=3, low=-120), ("acc",)) for rule in rules),
    ]
    last = rules[0]
    for rule in rules[1:]:
        nodes.append(Node(f"plus_{rule}", Add(), (last, rule)))
        last = nodes[-1].name
    return Network("ties", tuple(nodes), Output(np.array([1.0])))


@verilator
def test_every_rule_is_exact_next_to_ties(tmp_path: Path) -> None:
    """A channel for each tie, inputs that move the accumulators over it; one result is the sum of all five rules."""
    network = tie_network(ROUNDINGS, 0, 400)
    simulation = compile_design(build(network, folded_designs(network, 1)[0]), tmp_path)
    q = np.arange(-3, 4, dtype=np.int32)[:, None]
    np.testing.assert_array_equal(simulation.run(q)[0], simulate(network, q))


@verilator
@pytest.mark.slow
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_many_ties_of_each_rule(rounding: str, tmp_path: Path) -> None:
    network = tie_network((rounding,), 1, 4000)
    simulation = compile_design(build(network, folded_designs(network, 1)[0]), tmp_path)
    q = np.arange(-128, 128, dtype=np.int32)[:, None]
    np.testing.assert_array_equal(simulation.run(q, input_pause=9, output_pause=9)[0], simulate(network, q))


def factors_of_one_and_more() -> Network:
    rng = np.random.default_rng(4)
    eff = np.concatenate([2.0 ** np.arange(-3, 8), rng.uniform(0.4, 200, 13)])
    dense = Dense(rng.integers(-127, 128, (eff.size, 1)), 8, rng.integers(-(2**14), 2**14, eff.size), 0)
    rules = [rule for rule in ROUNDINGS if rule != "shift"]
    nodes = [Node("input", InputQuantizer(1, np.array([1.0]), np.zeros(1), 0, 8, True)), Node("acc", dense, ("input",))]
    nodes += [Node(rule, requantize(rule, eff, low=-(2**15), high=2**15 - 1), ("acc",)) for rule in rules]
    for index, rule in enumerate(rules[1:]):
        nodes.append(Node(f"plus_{rule}", Add(), (f"plus_{rules[index]}" if index else rules[0], rule)))
    return Network("large", tuple(nodes), Output(np.array([1.0])))


def wide_network() -> Network:
    """Outputs past 8 bits, a requantization of what is not negative, a sum that is only clipped, two tables."""
    rng = np.random.default_rng(5)
    return Network(
        "wide",
        (
            Node("input", InputQuantizer(7, np.array([1.0]), np.zeros(1), 5, 8, True)),
            Node("acc", Dense(rng.integers(-127, 128, (9, 7)), 8, rng.integers(-99, 99, 9), 5), ("input",)),
            Node("half", requantize("fp32_rne", rng.uniform(0.001, 0.01, 9), low=0, high=900), ("acc",)),
            Node("narrow", requantize("ruy_half_up", np.array([0.2]), zero_point=-7, low=-100, high=90), ("half",)),
            Node("sum", Add(), ("half", "narrow")),
            Node("clipped", Requantize(np.array([2**30]), np.array([1]), "shift", 9, -128, 127), ("sum",)),
            Node("looked_up", Lookup(rng.integers(-128, 128, 256)), ("clipped",)),
            Node("again", Lookup(np.arange(-4000, 4000, 31)[:256]), ("looked_up",)),
        ),
        Output(np.array([1.0])),
    )


@needs_icarus
@pytest.mark.parametrize("network", [factors_of_one_and_more(), wide_network()], ids=["large", "wide"])
def test_large_factors_wide_outputs_and_tables_are_exact(network: Network, tmp_path: Path) -> None:
    q = random_inputs(network, 60, 6).astype(np.int32)
    y = simulate(network, q)
    for number, design in enumerate(folded_designs(network, 2)):
        outputs, verdict = run_icarus(build(network, design), tmp_path / str(number), q, y, pause=90 * number)
        assert verdict == "PASS 60"
        np.testing.assert_array_equal(outputs, y)


@needs_icarus
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_unrolled_networks_give_golden_integers_with_pauses(rounding: str, tmp_path: Path) -> None:
    for seed in range(3):
        network = int8_network(seed, rounding, bytes_only=True)
        q = random_inputs(network, 30, seed).astype(np.int32)
        y = simulate(network, q)
        built = build(network, Design("unrolled", Pipelining(1 + seed)))
        outputs, verdict = run_icarus(built, tmp_path / str(seed), q, y, pause=(0, 90, 200)[seed])
        assert verdict == "PASS 30"
        np.testing.assert_array_equal(outputs, y)


@pytest.mark.parametrize("rules", [(rule,) for rule in ROUNDINGS], ids=str)
def test_unrolled_logic_is_exact_next_to_ties(rules: tuple[str, ...], tmp_path: Path) -> None:
    """A few channels a network: constant factors, so that each channel has logic of its own."""
    if icarus() is None:
        pytest.skip("Icarus Verilog (iverilog) is not installed")
    network = tie_network(rules, 3, 40)
    q = np.arange(-128, 128, dtype=np.int32)[:, None]
    outputs, verdict = run_icarus(build(network, Design("unrolled")), tmp_path, q, simulate(network, q))
    assert verdict == f"PASS {len(q)}"
    np.testing.assert_array_equal(outputs, simulate(network, q))


def test_more_outputs_than_logic_serves_are_refused_by_layer() -> None:
    with pytest.raises(InputError, match=r"layer half: has 574 outputs"):
        build(wide_network(), Design("unrolled"))


@needs_icarus
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_random_networks_give_golden_integers_with_pauses(rounding: str, tmp_path: Path) -> None:
    for seed in range(2):
        network = int8_network(seed, rounding)
        q = random_inputs(network, 30, seed).astype(np.int32)
        y = simulate(network, q)
        for number, design in enumerate(folded_designs(network, 2)):
            built = build(network, design)
            outputs, verdict = run_icarus(built, tmp_path / f"{seed}{number}", q, y, pause=(0, 90, 200)[seed + number])
            assert verdict == "PASS 30"
            np.testing.assert_array_equal(outputs, y)


@verilator
@pytest.mark.parametrize("rounding", [rule if rule == "float64_away" else pytest.param(rule, marks=pytest.mark.slow)
                                      for rule in ROUNDINGS])  # fmt: skip
def test_folded_designs_take_exactly_the_predicted_clocks_under_any_pauses(rounding: str, tmp_path: Path) -> None:
    network = int8_network(1, rounding)
    check_in_verilator(network, folded_designs(network, 2)[-1], tmp_path, 1000)
