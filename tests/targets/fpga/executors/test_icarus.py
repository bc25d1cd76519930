"""Random networks in Icarus Verilog: every integer and every clock count, and no undefined bit after reset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml.network import simulate
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.executors.icarus import run_icarus
from edgeml.targets.fpga.tools.programs import icarus
from tests.network.random_networks import random_inputs
from tests.sweeps import cases, seeds

from ..designs import folded_designs, small_network

pytestmark = pytest.mark.skipif(icarus() is None, reason="Icarus Verilog (iverilog) is not installed")


def _check(seed: int, folder: Path, frames: int) -> int:
    network = small_network(seed)
    q = random_inputs(network, frames, seed).astype(np.int32)
    y = simulate(network, q)
    designs = [*folded_designs(network, 3), Design("unrolled", Pipelining(1 + seed % 3))]
    for number, design in enumerate(designs):
        pause = (0, 90, 200)[(seed + number) % 3]
        outputs, verdict = run_icarus(build(network, design), folder / str(number), q, y, pause=pause)
        assert verdict == f"PASS {frames}"
        np.testing.assert_array_equal(outputs, y)
    return len(designs) * frames


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_random_networks_give_golden_integers_with_pauses(seed: int, tmp_path: Path) -> None:
    _check(seed, tmp_path, 40)


@pytest.mark.slow(scaled=True)
def test_many_random_networks(tmp_path: Path) -> None:
    vectors = sum(_check(seed, tmp_path / str(seed), 60) for seed in seeds(100, 60))
    assert vectors > cases(10_000)


def test_a_wrong_expectation_fails_the_test_bench(tmp_path: Path) -> None:
    network = small_network(3)
    q = random_inputs(network, 20, 3).astype(np.int32)
    wrong = simulate(network, q)
    wrong[7, 0] ^= 1
    _, verdict = run_icarus(build(network, Design("unrolled")), tmp_path, q, wrong)
    assert verdict == "FAIL 1"


@pytest.mark.parametrize("architecture", ["folded", "unrolled"])
def test_no_signal_is_undefined_after_reset(architecture: str, tmp_path: Path) -> None:
    network = small_network(5)
    q = random_inputs(network, 12, 5).astype(np.int32)
    design = folded_designs(network, 2)[-1] if architecture == "folded" else Design("unrolled")
    _, verdict = run_icarus(build(network, design), tmp_path, q, simulate(network, q), pause=80, trace=1)
    assert verdict.startswith("PASS")
    time, undefined, changes = 0, [], 0
    for line in (tmp_path / "trace.vcd").read_text().splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif line[:1] in "01xzb" and line[:1]:
            changes += 1
            value = line.split()[0] if line.startswith("b") else line[0]
            # Reset is released at the fourth edge: from then on nothing may be, or still be, undefined.
            if "x" in value and time >= 30_000:
                undefined.append((time, line))
    assert changes > 100
    assert undefined == []
