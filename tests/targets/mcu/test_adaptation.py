"""Networks that adapt on emulated cores: golden's state, byte for byte, after each of a thousand steps."""

from __future__ import annotations

import pytest

from edgeml.network.adaptation.lockstep import follow, steps_of
from edgeml.targets.mcu.cores import UNICORN_CORES, core
from edgeml.targets.mcu.emulated_adaptation import EmulatedAdaptation
from edgeml.targets.mcu.firmware import firmware_files
from edgeml.targets.mcu.measure import measuring_missing
from tests import sweeps
from tests.network.adaptation.networks import adapting_network, drifted
from tests.network.adaptation.test_state_image import hostile_images

pytestmark = pytest.mark.skipif(bool(measuring_missing()), reason=measuring_missing())


def _followed(kind: str, name: str, count: int, seed: int) -> None:
    network, chip = adapting_network(kind), core(name)
    golden, device = network.adapting(), EmulatedAdaptation(firmware_files(network, chip, {}), chip)
    assert follow(golden, device, steps_of(golden, *drifted(network, seed), count, seed), chip.title) >= count
    before = device.state()
    assert all(device.load(image) for image in hostile_images(kind) if len(image) <= len(before))
    assert device.state() == before


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", UNICORN_CORES)
@pytest.mark.parametrize("kind", ["both", "wide"])
def test_a_thousand_steps_on_a_core_give_goldens_state(kind: str, name: str) -> None:
    _followed(kind, name, sweeps.cases(1000), sweeps.seed_for(1))
