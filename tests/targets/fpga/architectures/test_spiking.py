"""The spiking form as hardware, event-driven and unrolled: golden integers, exact clocks, stalls, resets, no X."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.network import Network, simulate
from edgeml.network.layers.input_spikes import InputSpikes
from edgeml.network.layers.neurons import Neurons
from edgeml.network.spiking.encodings import encoding as code
from edgeml.profile import load_profile
from edgeml.targets.fpga import FpgaTarget
from edgeml.targets.fpga.architectures.event_driven.choices import MembranesPerClock
from edgeml.targets.fpga.architectures.event_driven.cycles import longest_frame, run_clocks
from edgeml.targets.fpga.architectures.event_driven.plan import ENCODINGS, EventDrivenPlan, make_event_driven_plan
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.choice import choose
from edgeml.targets.fpga.design import Built, Design, build
from edgeml.targets.fpga.estimate.costs import total
from edgeml.targets.fpga.executors.icarus import run_icarus
from edgeml.targets.fpga.executors.verilator import compile_design
from edgeml.targets.fpga.tools.programs import compiler, find_verilator, icarus
from tests.network.random_networks import random_inputs
from tests.network.spiking.event_driven import run_events

from ..forms import mixed_network, spiking_network

verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)
needs_icarus = pytest.mark.skipif(icarus() is None, reason="Icarus Verilog (iverilog) is not installed")


def has_residual_paths(network: Network) -> bool:
    return any(node.layer.input_count > 1 for node in network.layers)


def folded(network: Network, lanes: int) -> Built:
    layers = make_event_driven_plan(network, {}).layers
    membranes = MembranesPerClock({layer.name: min(lanes, layer.neurons) for layer in layers})
    return build(network, Design("folded", membranes))


def design(network: Network, architecture: str, seed: int) -> Built:
    """One of several foldings, or of several depths of pipelining."""
    if architecture == "folded":
        return folded(network, 1 + seed % 4)
    return build(network, Design("unrolled", Pipelining(1 + seed % 3)))


def plan_of(built: Built) -> EventDrivenPlan:
    plan = built.layout.plan
    assert isinstance(plan, EventDrivenPlan)
    return plan


@needs_icarus
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_random_networks_give_golden_integers_with_pauses(encoding: str, tmp_path: Path) -> None:
    residual = 0
    for seed in (0, 1, 2, 7):
        network = spiking_network(seed, encoding)
        residual += has_residual_paths(network)
        q = random_inputs(network, 12, seed).astype(np.int32)
        y = simulate(network, q)
        for architecture in ("folded", "unrolled"):
            built = design(network, architecture, seed)
            pause = (0, 90, 200)[seed % 3]
            outputs, verdict = run_icarus(built, tmp_path / f"{architecture}{seed}", q, y, pause=pause)
            assert verdict == "PASS 12"
            np.testing.assert_array_equal(outputs, y)
        np.testing.assert_array_equal(run_clocks(plan_of(design(network, "folded", seed)), q).outputs, y)
    assert residual == 2


def predicted_ends(built: Built, q: np.ndarray) -> list[int]:
    """For each frame, the clock in which its last value is taken, where nothing pauses."""
    if not built.clocks.exact:
        return list(built.cycles(q).frames)
    return [built.latency - 1 + frame * built.interval for frame in range(len(q))]


def check_in_verilator(network: Network, architecture: str, folder: Path, vectors: int, seed: int) -> int:
    """Golden integers; without pauses, every frame's end in exactly the predicted clock. Vectors run."""
    built = design(network, architecture, seed)
    simulation = compile_design(built, folder)
    q = random_inputs(network, vectors, seed).astype(np.int32)
    y = simulate(network, q)
    outputs, counts = simulation.run(q)
    np.testing.assert_array_equal(outputs, y)
    frames = len(counts["ends"])
    assert frames >= 20
    assert counts["ends"] == predicted_ends(built, q[:frames])
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
    ("architecture", "encoding", "seed"),
    [("folded", "stbif", 1), ("folded", "sar", 7), ("unrolled", "ttfs", 4), ("unrolled", "stbif", 3)],
)
def test_frames_take_exactly_the_predicted_clocks(architecture: str, encoding: str, seed: int, tmp_path: Path) -> None:
    check_in_verilator(spiking_network(seed, encoding), architecture, tmp_path, 400, seed)


@verilator
@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["folded", "unrolled"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_many_vectors_with_pauses_and_resets(encoding: str, architecture: str, tmp_path: Path) -> None:
    networks = {seed: spiking_network(seed, encoding) for seed in (0, 2)}
    assert has_residual_paths(networks[0])
    vectors = sum(
        check_in_verilator(network, architecture, tmp_path / str(seed), 4000, seed)
        for seed, network in networks.items()
    )
    assert vectors == 24_000


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_units_give_as_many_events_as_the_golden_spikes(encoding: str) -> None:
    """Phased encodings have one spike train per integer; stbif neurons may give more, in opposite pairs."""
    for seed in range(6):
        network = spiking_network(seed, encoding)
        q = random_inputs(network, 5, seed).astype(np.int32)
        run = run_clocks(make_event_driven_plan(network, {}), q)
        golden = [run.events for run in run_events(network, q)]
        totals = [sum(sample[name] for sample in golden) for name in golden[0]]
        assert len(run.events) == len(totals)
        for found, expected in zip(run.events, totals, strict=True):
            assert found == expected if encoding != "stbif" else found % 2 == expected % 2
        bound = longest_frame(make_event_driven_plan(network, {}))
        assert (bound is None) == (encoding == "stbif")
        if bound is not None:
            ends = run.ends
            assert max(b - a for a, b in zip((-1, *ends), ends, strict=False)) <= bound


@needs_icarus
@pytest.mark.parametrize(
    ("architecture", "encoding"),
    [("folded", "stbif"), ("folded", "ttfs"), ("unrolled", "stbif"), ("unrolled", "ttfs"), ("unrolled", "sar")],
)
def test_no_signal_is_undefined_after_reset(architecture: str, encoding: str, tmp_path: Path) -> None:
    network = spiking_network(0 if architecture == "unrolled" else 2, encoding)
    q = random_inputs(network, 5, 5).astype(np.int32)
    _, verdict = run_icarus(design(network, architecture, 1), tmp_path, q, simulate(network, q), pause=80, trace=1)
    assert verdict.startswith("PASS")
    assert undefined_after_reset(tmp_path / "trace.vcd") == []


def undefined_after_reset(trace: Path) -> list[str]:
    """Changes of a trace to, or at the release of reset still in, an undefined value. Words that wait to be taken apart
    (`held`) have no reset: they are of nothing until the first frame is there."""
    time, found, changes, waiting = 0, [], 0, set()
    for line in trace.read_text().splitlines():
        if line.startswith("$var"):
            words = line.split()
            waiting |= {words[3]} if words[4] == "held" else set()
        elif line.startswith("#"):
            time = int(line[1:])
        elif line[:1] in "01xzb" and line[:1]:
            changes += 1
            value = line.split()[0] if line.startswith("b") else line[0]
            first_clocks = time < 60_000 and line.split()[-1] in waiting
            if "x" in value and time >= 30_000 and not first_clocks:
                found.append(f"{time}: {line}")
    assert changes > 100
    return found


def test_the_interval_of_unrolled_spikes_is_their_longest_window() -> None:
    for seed in range(6):
        for encoding in ("unary", "ttfs", "sar", "graded"):
            network = spiking_network(seed, encoding)
            populations = [n.layer for n in network.layers if isinstance(n.layer, (InputSpikes, Neurons))]
            slots = [code(p.encoding).slots(p.levels) for p in populations if p.encoding != "direct"]
            assert build(network, Design("unrolled")).interval == max(slots, default=1)


def test_what_has_no_hardware_is_refused_by_name() -> None:
    network = mixed_network("ttfs", "stbif")
    with pytest.raises(InputError, match=r"neurons1.*takes spikes of ttfs as stbif neurons"):
        build(network, Design("unrolled"))
    with pytest.raises(InputError, match=r"neurons1.*graded neurons behind spikes of many slots"):
        build(mixed_network("unary", "graded"), Design("unrolled"))


@needs_icarus
@pytest.mark.parametrize(
    ("architecture", "first", "second"),
    [
        *(("unrolled", *pair) for pair in (("unary", "stbif"), ("stbif", "sar"), ("sar", "ttfs"), ("graded", "unary"))),
        *(("folded", *pair) for pair in (("ttfs", "stbif"), ("sar", "stbif"), ("unary", "graded"))),
    ],
)
def test_layers_of_different_encodings_follow_each_other(
    architecture: str, first: str, second: str, tmp_path: Path
) -> None:
    network = mixed_network(first, second)
    q = np.array([[a, b] for a in range(4) for b in range(4)], np.int32)
    built = design(network, architecture, 1)
    assert run_icarus(built, tmp_path, q, simulate(network, q))[1] == "PASS 16"


@pytest.mark.parametrize("part", ["xc7z020", "ecp5-25k", "ice40-up5k"])
def test_parts_take_a_small_spiking_network(part: str, tmp_path: Path) -> None:
    network, profile = spiking_network(1, "ttfs"), load_profile(part)
    metrics = FpgaTarget().emit(network, profile, tmp_path / "folded", {"architecture": "folded"})
    assert (tmp_path / "folded" / "rtl" / "edgeml_spiking.v").is_file()
    assert metrics["cycles"]["interval"] > 15
    metrics = FpgaTarget().emit(network, profile, tmp_path / "auto", {"frames_per_second": 100_000})
    assert metrics["architecture"] == "unrolled"
    assert metrics["cycles"]["interval"] == 15
    assert metrics["estimate"]["luts"] < metrics["budget"]["luts"] / 2


def test_a_rate_is_promised_by_unrolled_spikes_alone() -> None:
    network, budget = spiking_network(1, "unary"), budget_of(load_profile("ice40-up5k"))
    fastest = budget.clock_mhz * 1e6 / 15
    built, _ = choose(network, budget, {"frames_per_second": fastest})
    assert (built.design.architecture, built.interval) == ("unrolled", 15)
    with pytest.raises(InputError, match="a frame in 15 clocks"):
        choose(network, budget, {"architecture": "unrolled", "frames_per_second": fastest * 1.01})
    with pytest.raises(InputError, match="no rate can be promised"):
        choose(network, budget, {"architecture": "folded", "frames_per_second": 1})
    areas = [choose(network, budget, {"goal": "area", "architecture": name}) for name in ("unrolled", "folded", "auto")]
    *named, least = (total(costs).luts for _, costs in areas)
    assert least == min(named)
