"""The spiking form as event-driven hardware: golden integers, exact clocks from the spikes, stalls, resets, no X."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import Network, simulate
from edgeml.network.spiking.event_driven import run_events
from edgeml.profile import load_profile
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.folded.plan import Fold
from edgeml.targets.fpga.icarus import run_icarus
from edgeml.targets.fpga.rules import layer_has_hardware
from edgeml.targets.fpga.spiking.cycles import longest_frame, run_clocks
from edgeml.targets.fpga.spiking.plan import ENCODINGS, SpikingPlan, make_spiking_plan
from edgeml.targets.fpga.tools import compiler, find_verilator, icarus
from edgeml.targets.fpga.verilator import compile_design
from tests.network.random_networks import random_inputs
from tests.network.spiking.random_networks import random_network

verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)
needs_icarus = pytest.mark.skipif(icarus() is None, reason="Icarus Verilog (iverilog) is not installed")


def spiking_network(seed: int, encoding: str) -> Network:
    """A random network without residual paths; one in three takes its input directly."""
    rng = np.random.default_rng(seed)
    while True:
        network, _ = random_network(rng, encoding, "direct" if seed % 3 == 0 else None)
        if all(node.layer.input_count == 1 for node in network.layers):
            return network


def folded(network: Network, lanes: int) -> Built:
    layers = make_spiking_plan(network, {}).layers
    return build(network, Design("folded", {layer.name: Fold(min(lanes, layer.neurons), 1) for layer in layers}))


def plan_of(built: Built) -> SpikingPlan:
    assert built.spiking is not None
    return built.spiking


@needs_icarus
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_random_networks_give_golden_integers_with_pauses(encoding: str, tmp_path: Path) -> None:
    for seed in range(4):
        network = spiking_network(seed, encoding)
        q = random_inputs(network, 12, seed).astype(np.int32)
        y = simulate(network, q)
        built = folded(network, 1 + seed)
        outputs, verdict = run_icarus(built, tmp_path / str(seed), q, y, pause=(0, 90, 200)[seed % 3])
        assert verdict == "PASS 12"
        np.testing.assert_array_equal(outputs, y)
        np.testing.assert_array_equal(run_clocks(plan_of(built), q).outputs, y)


def check_in_verilator(network: Network, lanes: int, folder: Path, vectors: int, seed: int) -> int:
    """Golden integers; without pauses, every frame's end in exactly the predicted clock. Vectors run."""
    built = folded(network, lanes)
    simulation = compile_design(built, folder)
    q = random_inputs(network, vectors, seed).astype(np.int32)
    y = simulate(network, q)
    outputs, counts = simulation.run(q)
    np.testing.assert_array_equal(outputs, y)
    frames = len(counts["ends"])
    assert frames >= 20
    assert counts["ends"] == list(run_clocks(plan_of(built), q[:frames]).ends)
    runs = 1
    for run, (input_pause, output_pause) in enumerate([(128, 0), (60, 200)]):
        outputs, counts = simulation.run(
            q, seed=seed + run, input_pause=input_pause, output_pause=output_pause, resets=3
        )
        np.testing.assert_array_equal(outputs, y)
        assert counts["resets"] > 0
        runs += 1
    return runs * vectors


@verilator
@pytest.mark.parametrize(
    ("encoding", "seed"),
    [("stbif", 1), ("ttfs", 4), *(pytest.param(e, 2, marks=pytest.mark.slow) for e in ENCODINGS)],
)
def test_frames_take_exactly_the_clocks_that_their_spikes_predict(encoding: str, seed: int, tmp_path: Path) -> None:
    check_in_verilator(spiking_network(seed, encoding), 2, tmp_path, 400, seed)


@verilator
@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_many_vectors_with_pauses_and_resets(encoding: str, tmp_path: Path) -> None:
    vectors = sum(
        check_in_verilator(spiking_network(seed, encoding), 1 + seed % 4, tmp_path / str(seed), 4000, seed)
        for seed in (7, 9)
    )
    assert vectors == 24_000


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_units_give_as_many_events_as_the_golden_spikes(encoding: str) -> None:
    """Phased encodings have one spike train per integer; stbif neurons may give more, in opposite pairs."""
    for seed in range(6):
        network = spiking_network(seed, encoding)
        q = random_inputs(network, 5, seed).astype(np.int32)
        run = run_clocks(make_spiking_plan(network, {}), q)
        golden = [run.events for run in run_events(network, q)]
        totals = [sum(sample[name] for sample in golden) for name in golden[0]]
        for found, expected in zip(run.events, totals, strict=True):
            assert found == expected if encoding != "stbif" else found % 2 == expected % 2
        bound = longest_frame(make_spiking_plan(network, {}))
        assert (bound is None) == (encoding == "stbif")
        if bound is not None:
            ends = run.ends
            assert max(b - a for a, b in zip((-1, *ends), ends, strict=False)) <= bound


@needs_icarus
@pytest.mark.parametrize("encoding", ["stbif", "ttfs"])
def test_no_signal_is_undefined_after_reset(encoding: str, tmp_path: Path) -> None:
    network = spiking_network(2, encoding)
    q = random_inputs(network, 5, 5).astype(np.int32)
    _, verdict = run_icarus(folded(network, 2), tmp_path, q, simulate(network, q), pause=80, trace=1)
    assert verdict.startswith("PASS")
    assert undefined_after_reset(tmp_path / "trace.vcd") == []


def undefined_after_reset(trace: Path) -> list[str]:
    """Changes of a trace to, or at the release of reset still in, an undefined value."""
    time, found, changes = 0, [], 0
    for line in trace.read_text().splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif line[:1] in "01xzb" and line[:1]:
            changes += 1
            value = line.split()[0] if line.startswith("b") else line[0]
            if "x" in value and time >= 30_000:
                found.append(f"{time}: {line}")
    assert changes > 100
    return found


def test_what_has_no_unit_is_refused_by_name() -> None:
    network = spiking_network(1, "sar")
    (result,) = layer_has_hardware(network)
    assert not result.passed
    assert "'sar'" in result.detail
    rng = np.random.default_rng(0)
    residual = next(n for n, _ in (random_network(rng, "unary") for _ in range(99)) if any(
        node.layer.input_count > 1 for node in n.layers))  # fmt: skip
    (result,) = layer_has_hardware(residual)
    assert not result.passed
    assert "2 populations" in result.detail
    with pytest.raises(InputError, match="spiking-is-folded"):
        FpgaTarget().emit(spiking_network(1, "unary"), load_profile("xc7z020"), Path(), {"architecture": "unrolled"})


@pytest.mark.parametrize("part", ["xc7z020", "ecp5-25k", "ice40-up5k"])
def test_parts_take_a_small_spiking_network(part: str, tmp_path: Path) -> None:
    metrics = FpgaTarget().emit(spiking_network(1, "ttfs"), load_profile(part), tmp_path, {})
    assert (tmp_path / "rtl" / "edgeml_spiking.v").is_file()
    assert metrics["cycles"]["interval"] > 1
