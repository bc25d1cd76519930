"""C of exact spikes for CPUs is proved, whatever the encoding; faults in it are refuted."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.proof.claim import OPEN, PROVED, REFUTED
from edgeml.targets.cpu.proof.bodies import BODIES
from tests.network.spiking.random_networks import ENCODINGS, random_network
from tests.targets.fpga.proof.spikes.certified import residual
from tests.targets.mcu.proof.spiking_networks import eight

from .proved import rows


def not_proved(found):
    return {part: row.detail for part, row in found.items() if row.claims and row.status != PROVED}


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param(encoding, body, marks=() if (encoding, body) == ("ttfs", "portable") else pytest.mark.slow)
        for encoding in ENCODINGS
        for body in BODIES
    ],
)
def test_eight_inputs_that_are_passed_over_together_are_proved(encoding, body):
    assert not not_proved(rows(eight(encoding), body))


@pytest.mark.slow
@pytest.mark.parametrize("body", BODIES)
def test_a_sum_of_the_spikes_of_two_populations_is_proved(body):
    assert not not_proved(rows(residual("unary"), body))


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("seed", range(6))
def test_random_networks_of_spikes_are_proved(seed):
    """All but the label, of which no proof is known where neurons come last."""
    network, _ = random_network(np.random.default_rng(seed), ENCODINGS[seed % 5])
    assert not not_proved(rows(network, "portable")).keys() - {"the label"}


FAULTS = {
    "a group passed over that is not silent": ("if (any == 0) {", "if (any <= 1) {"),
    "a group of seven": ("for (size_t k = i; k < i + 8; k++)", "for (size_t k = i; k < i + 7; k++)"),
    "one spike for another number": ("if (count == 1) {", "if (count == 2) {"),
}


@pytest.mark.parametrize(
    "fault", [pytest.param(fault, marks=pytest.mark.slow if k else ()) for k, fault in enumerate(FAULTS)]
)
def test_a_fault_is_refuted(fault):
    old, new = FAULTS[fault]
    found = rows(eight("unary"), "portable", "", {old: new})
    status = {part: row.status for part, row in found.items() if row.claims}
    status.pop("undefined behaviour")  # of a word that is not known any more no overflow is excluded
    assert REFUTED in status.values()
    assert OPEN not in status.values()
    assert all("in the library" in row.detail for row in found.values() if row.status == REFUTED)
