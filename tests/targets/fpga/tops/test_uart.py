"""The UART top: the C firmware's protocol, byte for byte, at the pins of a simulated board."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import CheckFailed, ToolFailed
from edgeml.hil.device import Device
from edgeml.hil.frames import frame, unframe
from edgeml.hil.messages import BENCHMARK, HELLO, INFER, SELF_TEST, TRACE, parse_answer, request
from edgeml.network import simulate
from edgeml.network.network_file import model_hash
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.fpga.architectures.folded.choices import choices_of
from edgeml.targets.fpga.architectures.folded.folding import Folding
from edgeml.targets.fpga.architectures.folded.plan import make_plan
from edgeml.targets.fpga.architectures.folded.timing import size_fifos
from edgeml.targets.fpga.design import Design
from edgeml.targets.fpga.tools.programs import compiler, find_verilator
from edgeml.targets.fpga.tops.uart import self_test
from tests.hil.compiled_device import PerfectLink, compiled_devices
from tests.hil.faulty_link import FaultyLink
from tests.hil.test_malformed_frames import ends_within_a_block
from tests.network.random_networks import Shape, network_of, random_inputs
from tests.sweeps import cases

from ..designs import folded_designs, small_network
from ..forms import spiking_network
from .simulated_board import SimulatedBoard

verilator = pytest.mark.skipif(
    find_verilator() is None or compiler() is None, reason="Verilator or a C++ compiler is not installed"
)
SEED = 3


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedBoard]:
    network = small_network(SEED)
    made = SimulatedBoard(network, folded_designs(network, 2)[-1], "ecp5-25k", tmp_path_factory.mktemp("board"))
    yield made
    made.close()


def _connected(board: SimulatedBoard) -> Device:
    board.reset()
    link = PerfectLink(board)  # type: ignore[arg-type]
    return Device(link, board.network, clock=link.clock)


@verilator
def test_every_vector_is_exact_and_takes_the_predicted_clocks(board: SimulatedBoard) -> None:
    device = _connected(board)
    q = random_inputs(board.network, 300, 1).astype(np.int32)
    y = simulate(board.network, q)
    np.testing.assert_array_equal(device.run(q), y)
    np.testing.assert_array_equal(device.run(q[:60], stream=False), y[:60])
    assert device.retries == 0
    assert device.infer(q[:1]).count == board.built.latency
    for samples in range(1, device.info.most_samples + 1):
        assert device.infer(q[:samples]).count == board.built.clocks.frames[samples - 1] + 1
    assert device.benchmark(50) == (board.built.latency, board.built.latency)
    assert device.self_test() == 0


@verilator
@pytest.mark.slow
@pytest.mark.parametrize(("seed", "part", "unrolled"), [(7, "ice40-up5k", False), (3, "xc7a35t", True)])
def test_other_shapes_are_exact(seed: int, part: str, unrolled: bool, tmp_path: Path) -> None:
    network = small_network(seed)
    design = Design("unrolled") if unrolled else folded_designs(network, 2)[-1]
    board = SimulatedBoard(network, design, part, tmp_path)
    try:
        device = _connected(board)
        q = random_inputs(network, 100, seed).astype(np.int32)
        np.testing.assert_array_equal(device.run(q), simulate(network, q))
        assert device.infer(q[:1]).count == board.built.latency
        assert device.self_test() == 0
    finally:
        board.close()


@verilator
def test_the_self_test_finds_wrong_constants(board: SimulatedBoard, tmp_path: Path) -> None:
    """A device whose weights differ in one bit says so, as often as the golden simulator sees another output."""
    test = self_test(board.network, board.built, board.top.samples)
    assert test.crc == zlib.crc32(simulate(board.network, test.q).astype("<i4").tobytes())
    assert len(test.q) == test.rounds * board.top.samples > 500
    quantizer = board.network.quantizer
    assert test.q.min() == quantizer.low
    assert test.q.max() == quantizer.high
    images = sorted(name for name in board.built.files if name.endswith(".mem"))
    assert images
    results = []
    board.close()
    try:
        for name in images:
            words = board.built.files[name].decode().split()
            for word in range(0, len(words), max(1, len(words) // 4)):
                folder = tmp_path / f"{name}-{word}"
                shutil.copytree(board.program.folder, folder, ignore=shutil.ignore_patterns("model", "*.o"))
                changed = f"{int(words[word], 16) ^ 1:0{len(words[word])}x}"
                (folder / name).write_text("\n".join([*words[:word], changed, *words[word + 1 :], ""]))
                board.start(folder=folder)
                link = PerfectLink(board)  # type: ignore[arg-type]
                results.append(Device(link, board.network, clock=link.clock).self_test())
                board.close()
    finally:
        board.start()
    assert set(results) <= {0, 2}
    assert results.count(2) > len(results) / 2


def _spiking_clocks(board: SimulatedBoard, q: np.ndarray) -> int:
    return board.built.cycles(q).frames[-1] + 1


@verilator
@pytest.mark.parametrize("encoding", [pytest.param("ttfs", marks=pytest.mark.slow), "stbif"])
def test_a_spiking_design_is_exact_at_the_pins(encoding: str, tmp_path: Path) -> None:
    network = spiking_network(1, encoding)
    board = SimulatedBoard(network, Design("folded"), "ecp5-25k", tmp_path)
    try:
        device = _connected(board)
        q = random_inputs(network, 60, 1).astype(np.int32)
        np.testing.assert_array_equal(device.run(q), simulate(network, q))
        most = device.info.most_samples
        for frames in (*(q[k : k + 1] for k in range(5)), q[:most]):
            cycles, predicted = device.infer(frames).count, _spiking_clocks(board, frames)
            # Neurons of `stbif` settle on their bias before the first event: while the request comes in, here.
            assert 0 < cycles < predicted if encoding == "stbif" else cycles == predicted
        assert device.self_test() == 0
    finally:
        board.close()


@verilator
@pytest.mark.slow
@pytest.mark.parametrize("lanes", [1, 56])
def test_784_inputs_are_exact_at_the_pins(lanes: int, tmp_path: Path) -> None:
    network = network_of(Shape((784, 12, 10), (2, 2), (3,), (0,), (False,), 8, False, 0, 1))
    first = make_plan(network, {}).chains[0].name
    plan = make_plan(network, {first: Folding(1, lanes)})
    size_fifos(plan)
    board = SimulatedBoard(network, Design("folded", choices_of(plan)), "xc7a35t", tmp_path)
    try:
        assert board.built.interface.input_lanes == lanes
        device = _connected(board)
        assert device.info.most_samples == 4096 // 784
        q = random_inputs(network, 40, 1).astype(np.int32)
        y = simulate(network, q)
        np.testing.assert_array_equal(device.run(q), y)
        np.testing.assert_array_equal(device.run(q[:9], stream=False), y[:9])
        assert device.infer(q[:1]).count == board.built.latency
        assert device.self_test() == 0
    finally:
        board.close()


def _requests(network_hash: str, inputs: int, samples: int) -> list[bytes]:
    """Requests right and wrong in every field, as payloads."""
    other = "00" * 32
    asked = []
    for kind in (HELLO, INFER, SELF_TEST, BENCHMARK, TRACE, 0, 6, 130):
        asked.append(request(kind, 0))
        asked.append(request(kind, 1, network_hash))
        asked.append(request(kind, 0x01020304, other))
        for number in (0, 1, 2, samples, samples + 1, 257):
            for given in (0, 1, inputs, inputs + 1, 2 * inputs, samples * inputs, samples * inputs + 1):
                content = bytes(given)
                asked.append(request(kind, 0xFF00FF, network_hash, number=number, inputs=content))
                asked.append(request(kind, 7, other, number=number, inputs=content))
    whole = request(INFER, 9, network_hash, number=1, inputs=bytes(inputs))
    asked += [whole[:length] for length in range(len(whole))]
    return asked


def _without_cycles(sent: bytes) -> list[tuple[object, ...]]:
    """Answers without what a device measures or says of itself."""
    answers: list[tuple[object, ...]] = []
    for encoded in sent.split(b"\0")[:-1]:
        payload = unframe(encoded)
        assert payload is not None
        answer = parse_answer(payload)
        assert answer is not None
        body = answer.body
        if answer.type == HELLO:
            body = body[:2] + body[3:43] + body[53:]
        elif answer.type == INFER and not answer.status:
            body = body[4:]
        elif answer.type == BENCHMARK and not answer.status:
            body = b""
        answers.append((answer.type, answer.sequence, answer.status, body))
    return answers


@verilator
@pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
def test_each_request_is_answered_as_the_c_firmware_does(board: SimulatedBoard, tmp_path: Path) -> None:
    (firmware,) = compiled_devices([board.network], tmp_path)
    board.reset()
    most = board.top.samples
    link = PerfectLink(firmware)
    assert Device(link, board.network, clock=link.clock).info.most_samples >= most
    compared = 0
    seen = set()
    for payload in _requests(model_hash(board.network), board.network.input_size, most):
        # What differs by intention: a firmware may be built with a trace and with room for more samples.
        number = int.from_bytes(payload[13:15], "little") if len(payload) >= 15 else 0
        if payload[:1] and payload[0] == TRACE and number:
            continue
        if number > most or len(payload) > 15 + most * board.network.input_size:
            continue
        content = b"\0" + frame(payload)
        found, expected = (_without_cycles(side.receive(content)) for side in (board, firmware))
        assert found == expected, payload
        compared += 1
        seen |= {(answer[0], answer[2]) for answer in found}
    assert compared > 300
    assert {(HELLO, 0), (INFER, 0), (INFER, 1), (INFER, 2), (SELF_TEST, 0), (BENCHMARK, 2), (TRACE, 1)} <= seen


@verilator
def test_a_trace_is_refused_by_name_and_too_many_samples_are_too(board: SimulatedBoard) -> None:
    board.reset()
    digest = model_hash(board.network)
    inputs = bytes(board.network.input_size)
    (answer,) = _without_cycles(board.receive(frame(request(TRACE, 5, digest, number=1, inputs=inputs))))
    assert answer[:3] == (TRACE, 5, 3)
    (answer,) = _without_cycles(board.receive(frame(request(INFER, 6, digest, number=board.top.samples + 1))))
    assert answer[:3] == (INFER, 6, 2)
    assert board.receive(frame(bytes(5000))) == b""  # longer than any request: dropped, as noise is


@verilator
def test_a_frame_that_ends_within_a_block_is_dropped(board: SimulatedBoard) -> None:
    board.reset()
    whole = frame(request(SELF_TEST, 5, model_hash(board.network)))
    assert unframe(ends_within_a_block(whole)[:-1]) is None
    assert board.receive(ends_within_a_block(whole)) == b""
    assert _without_cycles(board.receive(whole))[0][:3] == (SELF_TEST, 5, 0)


@verilator
def test_a_duplicate_that_comes_while_the_device_answers_does_no_harm(board: SimulatedBoard) -> None:
    board.reset()
    q = random_inputs(board.network, 2, 4).astype(np.int32)
    expected = simulate(board.network, q).astype("<i4")
    dtype = np.int8 if board.network.quantizer.signed else np.uint8
    first, second = (
        frame(request(INFER, k, model_hash(board.network), number=1, inputs=q[k : k + 1].astype(dtype).tobytes()))
        for k in range(2)
    )
    answers = _without_cycles(board.receive(first + first + first + second[:-4]))
    assert answers
    assert all(answer == (INFER, 0, 0, expected[0].tobytes()) for answer in answers)
    (answer,) = _without_cycles(board.receive(b"\0" + second))
    assert answer == (INFER, 1, 0, expected[1].tobytes())


@verilator
def test_another_model_on_the_device_is_refused_by_hash(board: SimulatedBoard) -> None:
    board.reset()
    link = PerfectLink(board)  # type: ignore[arg-type]
    with pytest.raises(CheckFailed, match="computes model"):
        Device(link, small_network(SEED + 1), clock=link.clock)


@verilator
def test_the_hosts_clock_may_differ_by_three_per_cent(board: SimulatedBoard) -> None:
    board.close()
    q = random_inputs(board.network, 20, 8).astype(np.int32)
    try:
        for bit_time in (7.76, 8.24):
            board.start(bit_time)
            link = PerfectLink(board)  # type: ignore[arg-type]
            device = Device(link, board.network, clock=link.clock)
            np.testing.assert_array_equal(device.run(q), simulate(board.network, q))
            assert device.retries == 0
            board.close()
    finally:
        board.start()


def _lossy(board: SimulatedBoard, seed: int, rate: float, count: int) -> tuple[int, int, int, dict[str, int]]:
    """(right, wrong, failed, faults) of `count` inferences over a faulty link."""
    board.reset()
    network = board.network
    link = FaultyLink(board, seed, rate)  # type: ignore[arg-type]
    while True:
        try:
            device = Device(link, network, timeout=1.0, attempts=3, first_number=1, clock=link.clock)
            break
        except ToolFailed:
            continue
    q = random_inputs(network, 256, seed).astype(np.int32)
    y = simulate(network, q)
    right = wrong = failed = 0
    for index in range(count):
        at = index % len(q)
        try:
            found = device.infer(q[at : at + 1]).outputs[0]
        except ToolFailed:
            failed += 1
            continue
        right, wrong = right + int(np.array_equal(found, y[at])), wrong + int(not np.array_equal(found, y[at]))
    return right, wrong, failed, link.faults


@verilator
def test_no_inference_over_a_lossy_link_is_silently_wrong(board: SimulatedBoard) -> None:
    right, wrong, failed, faults = _lossy(board, 3, 0.01, 800)
    assert wrong == 0
    assert right + failed == 800
    assert failed, "the link must be bad enough to fail at times"
    assert right > 500, "and good enough to work"
    assert all(faults.values())


@verilator
@pytest.mark.slow(scaled=True)
def test_many_inferences_over_lossy_links(board: SimulatedBoard) -> None:
    each, rates = cases(2500), (0.002, 0.01, 0.02, 0.04)
    total = np.sum([_lossy(board, seed, rate, each)[:3] for seed, rate in enumerate(rates)], axis=0)
    assert total[1] == 0
    assert total.sum() == len(rates) * each
    assert total[0] > 0.6 * len(rates) * each
    assert total[2] > 0


@verilator
def test_random_bytes_do_not_stop_the_device(board: SimulatedBoard) -> None:
    board.reset()
    rng = np.random.default_rng(0)
    for _ in range(200):
        board.receive(rng.integers(0, 256, int(rng.integers(1, 200)), dtype=np.uint8).tobytes())
    link = PerfectLink(board)  # type: ignore[arg-type]
    device = Device(link, board.network, clock=link.clock)
    q = random_inputs(board.network, 10, 6).astype(np.int32)
    np.testing.assert_array_equal(device.run(q), simulate(board.network, q))
