"""Learning over the protocol: golden's state after each step, on a link that loses answers too; a step is done once."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.errors import CheckFailed, InputError
from edgeml.hil.device import Device
from edgeml.hil.learning import LearningDevice
from edgeml.network.adaptation.lockstep import follow, steps_of
from tests.hil.compiled_device import CompiledDevice, PerfectLink, compiled_devices
from tests.network.adaptation.networks import adapting_network, drifted
from tests.network.adaptation.test_state_image import hostile_images

pytestmark = pytest.mark.slow

_KINDS = ("both", "offsets")


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CompiledDevice]:
    networks = [adapting_network(kind) for kind in _KINDS]
    return dict(zip(_KINDS, compiled_devices(networks, tmp_path_factory.mktemp("learning")), strict=True))


class _Forgetful(PerfectLink):
    """Loses every third answer whole."""

    count = 0

    def write(self, content: bytes) -> None:
        answer = self.device.receive(content)
        self.count += 1
        self.pending += b"" if self.count % 3 == 0 else answer


def _connected(devices: dict[str, CompiledDevice], kind: str, link: type[PerfectLink] = PerfectLink) -> LearningDevice:
    devices[kind].reset()
    connection = link(devices[kind])
    return LearningDevice(Device(connection, adapting_network(kind), clock=connection.clock))


@pytest.mark.parametrize("link", [PerfectLink, _Forgetful])
@pytest.mark.parametrize("kind", _KINDS)
def test_each_step_over_the_link_gives_goldens_state(
    devices: dict[str, CompiledDevice], kind: str, link: type[PerfectLink]
) -> None:
    network = adapting_network(kind)
    golden, device = network.adapting(), _connected(devices, kind, link)
    assert follow(golden, device, steps_of(golden, *drifted(network, 4), 60, 4), "device") >= 60
    device.reset()
    assert device.state() == network.adapting().state()


def test_what_a_device_refuses_changes_nothing(devices: dict[str, CompiledDevice]) -> None:
    device = _connected(devices, "both")
    q, _ = drifted(device.network, 0)
    before = device.state()
    for image in hostile_images("both"):
        with pytest.raises((InputError, CheckFailed), match="state"):
            device.load(image)
    with pytest.raises(InputError, match="class: must be"):
        device.learn(q[0], 4)
    assert device.state() == before
    device.calibrate(q[:1])
    with pytest.raises(InputError, match="calibration: is under way"):
        device.learn(q[0], 0)
    with pytest.raises(CheckFailed, match="nothing of the device's network adapts so"):
        _connected(devices, "offsets").rehearse()


def test_the_network_as_converted_is_still_there(devices: dict[str, CompiledDevice]) -> None:
    device = _connected(devices, "both")
    q, y = drifted(device.network, 0)
    for row in range(9):
        device.learn(q[row], (int(y[row]) + 1) % 4)
    connection = PerfectLink(devices["both"])
    plain = Device(connection, device.network, clock=connection.clock)
    factory = device.network.adapting().outputs(q)
    np.testing.assert_array_equal(plain.run(q), factory)
    assert not np.array_equal(device.outputs(q), factory)
