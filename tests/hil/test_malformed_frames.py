"""Frames that nearly are one: the device answers none of them, and the next good one as if nothing had been."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from edgeml.hil.device import Device
from edgeml.hil.frames import frame, unframe
from edgeml.hil.messages import INFER, SELF_TEST, parse_answer, request
from edgeml.network.network_file import model_hash
from edgeml.targets.cpu.compiler import find_compiler

from ..targets.mcu.networks import random_inputs, random_network
from .compiled_device import CompiledDevice, PerfectLink, compiled_devices

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")

NETWORK = random_network(1, (10, 8, 4), 2)


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> CompiledDevice:
    return compiled_devices([NETWORK], tmp_path_factory.mktemp("device"))[0]


def infer(number: int, inputs: bytes) -> bytes:
    return request(INFER, 7, model_hash(NETWORK), number=number, inputs=inputs)


def ends_within_a_block(encoded: bytes) -> bytes:
    """The same bytes, the last block's length one higher than what follows."""
    changed, position = bytearray(encoded), 0
    while position + changed[position] < len(changed) - 1:
        position += changed[position]
    changed[position] += 1
    return bytes(changed)


def answers_the_next(device: CompiledDevice) -> None:
    answer = parse_answer(unframe(device.receive(frame(infer(1, bytes(10))))[:-1]) or b"")
    assert answer is not None
    assert (answer.type, answer.sequence, answer.status) == (INFER, 7, 0)


def test_a_frame_that_ends_within_a_block(device: CompiledDevice) -> None:
    for payload in (infer(1, bytes(10)), infer(1, b"\x05" * 10), request(SELF_TEST, 3, model_hash(NETWORK))):
        damaged = ends_within_a_block(frame(payload))
        assert unframe(damaged[:-1]) is None
        assert device.receive(damaged) == b""
        answers_the_next(device)


def test_a_frame_whose_first_bytes_would_be_a_good_request(device: CompiledDevice) -> None:
    """The largest request fills the buffer; what comes behind it in the same frame must not be dropped silently."""
    link = PerfectLink(device)
    most = Device(link, NETWORK, clock=link.clock).info.most_samples
    inputs = random_inputs(NETWORK, 1, most).astype(np.uint8).tobytes()
    assert device.receive(frame(infer(most, inputs)))
    whole = infer(most, inputs)
    longer = frame(whole + zlib.crc32(whole).to_bytes(4, "little") + b"more")
    assert device.receive(longer) == b""
    answers_the_next(device)


@pytest.mark.parametrize(("number", "count"), [(1, 11), (1, 9), (2, 10), (2, 21), (0, 0), (0, 10)])
def test_a_request_whose_inputs_are_not_as_many_as_it_says(device: CompiledDevice, number: int, count: int) -> None:
    answer = parse_answer(unframe(device.receive(frame(infer(number, bytes(count))))[:-1]) or b"")
    assert answer is not None
    assert answer.status == 2
    answers_the_next(device)
