"""Over a faulty link an inference ends right or in a reported failure: never silently wrong, never without an end."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.errors import ToolFailed
from edgeml.hil.device import Device
from edgeml.network import simulate
from edgeml.targets.cpu.compiler import find_compiler
from tests.sweeps import cases, seed_for

from ..targets.mcu.networks import random_inputs, random_network
from .compiled_device import CompiledDevice, PerfectLink, compiled_devices
from .faulty_link import FaultyLink

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[CompiledDevice, object]:
    network = random_network(1, (10, 8, 4), 2)
    return compiled_devices([network], tmp_path_factory.mktemp("device"))[0], network


def connected(link: PerfectLink, network: object, attempts: int) -> Device:
    """Hello may fail on such a link too; then the host tries again."""
    while True:
        try:
            return Device(link, network, timeout=1.0, attempts=attempts, first_number=1, clock=link.clock)
        except ToolFailed:
            continue


def outcome(compiled: tuple, seed: int, rate: float, count: int, attempts: int) -> tuple[int, int, int, dict]:
    device_side, network = compiled
    device_side.reset()
    link = FaultyLink(device_side, seed, rate)
    device = connected(link, network, attempts)
    q = random_inputs(network, seed, 512)
    expected = simulate(network, q)
    right = wrong = failed = 0
    for index in range(count):
        at = index % len(q)
        try:
            found = device.infer(q[at : at + 1]).outputs[0]
        except ToolFailed:
            failed += 1
            continue
        if np.array_equal(found, expected[at]):
            right += 1
        else:
            wrong += 1
    return right, wrong, failed, link.faults


def test_no_inference_is_silently_wrong(compiled: tuple) -> None:
    right, wrong, failed, faults = outcome(compiled, 3, 0.01, 3000, 3)
    assert wrong == 0
    assert right + failed == 3000
    assert failed, "the link must be bad enough to fail at times"
    assert right > 2000, "and good enough to work"
    assert all(faults.values())


@pytest.mark.slow(scaled=True)
def test_a_hundred_thousand_inferences_end_right_or_reported(compiled: tuple) -> None:
    total = np.zeros(3, int)
    for seed, rate in enumerate((0.001, 0.003, 0.01, 0.02, 0.04)):
        right, wrong, failed, _ = outcome(compiled, seed_for(seed), rate, cases(20_000), 4)
        total += (right, wrong, failed)
    assert total[1] == 0
    assert total.sum() == 5 * cases(20_000)
    assert total[0] > 0.7 * total.sum()
    assert total[2] > 0


def test_a_link_without_faults_needs_no_retries(compiled: tuple) -> None:
    device_side, network = compiled
    device_side.reset()
    link = PerfectLink(device_side)
    device = Device(link, network, clock=link.clock)
    q = random_inputs(network, 5, 300)
    np.testing.assert_array_equal(device.run(q), simulate(network, q))
    np.testing.assert_array_equal(device.run(q[:20], stream=False), simulate(network, q[:20]))
    assert device.retries == 0
    assert device.self_test() == 0


def test_a_dead_link_is_reported(compiled: tuple) -> None:
    device_side, network = compiled
    link = FaultyLink(device_side, 0, 1.0)
    with pytest.raises(ToolFailed, match="does not answer"):
        Device(link, network, timeout=1.0, attempts=3, clock=link.clock)
    assert link.time <= 3.5


def test_random_bytes_neither_crash_nor_stop_the_device(compiled: tuple) -> None:
    device_side, network = compiled
    device_side.reset()
    generator = np.random.default_rng(0)
    for _ in range(2000):
        device_side.receive(generator.integers(0, 256, int(generator.integers(1, 400)), dtype=np.uint8).tobytes())
    link = PerfectLink(device_side)
    device = Device(link, network, clock=link.clock)
    q = random_inputs(network, 6, 10)
    np.testing.assert_array_equal(device.run(q), simulate(network, q))
