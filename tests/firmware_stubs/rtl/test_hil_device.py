"""The device's side of the hardware-in-the-loop protocol: its memories, its run, and its answers to every request."""

from __future__ import annotations

import random
import struct
import zlib
from collections import deque
from dataclasses import dataclass, field

import pytest

from edgeml.hil.frames import frame, unframe
from tests.sweeps import seed_for

from .bench import Bench, Unit, needs_verilator, packed, signed, slowly, units, unpacked
from .drive import chunks

_HASH = bytes(range(7, 39))
_HELLO = struct.pack("<HB32sIIIHI", 1, 0, _HASH, 3, 2, 0, 2, 0) + b"\1q\1n"
HELLO, INFER, SELF_TEST, BENCHMARK, TRACE = 1, 2, 3, 4, 5
OK, OTHER_MODEL, BAD_REQUEST, NO_TRACE = range(4)
_SEED, _ROUNDS = 0x1234567, 3


@dataclass
class Core:
    """What a device runs, as streams: each output is a weighted sum of the inputs. It takes its time, at random."""

    unit: Unit
    rng: random.Random
    words: list[int] = field(default_factory=list)
    results: deque[int] = field(default_factory=deque)
    started: int = -1
    """Clock in which the first input word was taken."""

    def outputs(self, x: list[int]) -> list[int]:
        """What it computes of a sample."""
        bits = self.unit["OUTPUT_BITS"]
        sums = [
            sum((place + 2 * row - 1) * value for place, value in enumerate(x)) for row in range(self.unit["OUTPUTS"])
        ]
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if self.unit["OUTPUT_SIGNED"] else (0, (1 << bits) - 1)
        return [min(max(total, low), high) for total in sums]

    def take(self, word: int) -> None:
        """An input word; the last of a frame gives its results, whose padding is random."""
        unit = self.unit
        self.words.append(word)
        if len(self.words) < -(-unit["INPUTS"] // unit["INPUT_LANES"]):
            return
        lanes, is_signed = unit["INPUT_LANES"], bool(unit["INPUT_SIGNED"])
        x = [value for each in self.words for value in unpacked(each, unit["INPUT_BITS"], lanes, is_signed)]
        y = self.outputs(x[: unit["INPUTS"]])
        y += [self.rng.getrandbits(unit["OUTPUT_BITS"]) for _ in range(-len(y) % unit["OUTPUT_LANES"])]
        self.words = []
        self.results += [packed(part, unit["OUTPUT_BITS"]) for part in chunks(y, unit["OUTPUT_LANES"])]


def _self_test(unit: Unit) -> list[list[int]]:
    """The samples of a self-test."""
    state, samples = _SEED, []
    bits = unit["INPUT_BITS"]
    for _ in range(_ROUNDS * unit["SAMPLES"]):
        x = []
        for _ in range(unit["INPUTS"]):
            value = state & (1 << bits) - 1
            value = signed(value, bits) if unit["INPUT_SIGNED"] else value
            x.append(min(max(value, unit["INPUT_LOW"]), unit["INPUT_HIGH"]))
            state = zlib.crc32(b"\0", state ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
        samples.append(x)
    return samples


def _digest(unit: Unit) -> int:
    """CRC-32 of the outputs of a self-test."""
    core = Core(unit, random.Random(0))
    return zlib.crc32(b"".join(struct.pack("<i", value) for x in _self_test(unit) for value in core.outputs(x)))


def _device(inputs: tuple[int, int, int, int], outputs: tuple[int, int, int, int], samples: int, low: int, high: int,
            right: bool) -> list[Unit]:  # fmt: skip
    """A device; `right`: its self-test's CRC is that of the core."""
    parameters: dict[str, int | str] = {
        "INPUTS": inputs[0], "INPUT_LANES": inputs[1], "INPUT_BITS": inputs[2], "OUTPUTS": outputs[0],
        "OUTPUT_LANES": outputs[1], "OUTPUT_BITS": outputs[2], "OUTPUT_SIGNED": outputs[3], "SAMPLES": samples,
        "INPUT_SIGNED": inputs[3], "INPUT_LOW": low, "INPUT_HIGH": high, "TEST_ROUNDS": _ROUNDS,
        "TEST_SEED": f"32'd{_SEED}", "HELLO_BYTES": len(_HELLO),
        "HELLO": f"{8 * len(_HELLO)}'h{_HELLO[::-1].hex()}",
    }  # fmt: skip
    bare = Unit("edgeml_hil_device", tuple(parameters.items()))
    return units("edgeml_hil_device", parameters | {"TEST_CRC": f"32'd{_digest(bare) ^ (not right)}"})


_RNG = random.Random(seed_for(81))


def _drawn() -> list[Unit]:
    """Units of other sizes, for the long sweeps."""
    some = _RNG.randint
    found: list[Unit] = []
    for _ in range(6):
        size, lanes, samples = some(1, 12), some(1, 6), some(1, 5)
        shape = {"LANES": lanes, "SAMPLES": samples}
        found += units("edgeml_hil_inputs", shape | {"INPUTS": size, "ELEMENT_BITS": some(1, 8)})
        found += units(
            "edgeml_hil_outputs", shape | {"OUTPUTS": size, "ELEMENT_BITS": some(1, 32), "SIGNED": some(0, 1)}
        )
        found += units("edgeml_hil_run", {"INPUT_BEATS": some(1, 9), "OUTPUT_BEATS": some(1, 9)})
        bits = some(2, 8)
        outputs = (some(1, 6), some(1, 4), some(2, 32), some(0, 1))
        found += _device((size, lanes, bits, 1), outputs, samples, -(1 << bits - 1), (1 << bits - 1) - 1, right=True)
    return found


BENCH = Bench(
    *slowly(_drawn()),
    *units("edgeml_hil_inputs", *(
        {"INPUTS": n, "LANES": lanes, "ELEMENT_BITS": bits, "SAMPLES": samples}
        for n, lanes, bits, samples in ((1, 1, 1, 1), (4, 4, 8, 1), (5, 2, 3, 3), (7, 3, 8, 4), (3, 4, 5, 2)))),
    *units("edgeml_hil_outputs", *(
        {"OUTPUTS": n, "LANES": lanes, "ELEMENT_BITS": bits, "SIGNED": is_signed, "SAMPLES": samples}
        for n, lanes, bits, is_signed, samples in (
            (1, 1, 1, 0, 1), (4, 4, 8, 1, 1), (5, 2, 32, 1, 3), (7, 3, 12, 0, 4), (3, 4, 5, 1, 2)))),
    *units("edgeml_hil_run", *({"INPUT_BEATS": i, "OUTPUT_BEATS": o} for i, o in ((1, 1), (3, 1), (1, 4), (5, 3)))),
    *_device((3, 1, 8, 1), (2, 1, 16, 1), 2, -100, 127, right=True),
    *_device((3, 2, 3, 0), (2, 2, 8, 0), 2, 0, 6, right=False),
    *_device((3, 3, 8, 1), (2, 1, 32, 1), 1, -128, 127, right=True),
)  # fmt: skip
pytestmark = needs_verilator


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_hil_inputs"))
def test_inputs_come_back_as_words_of_samples(unit: Unit) -> None:
    rng, memory = random.Random(seed_for(81)), BENCH.start(unit)
    size, lanes, bits, samples = unit["INPUTS"], unit["LANES"], unit["ELEMENT_BITS"], unit["SAMPLES"]
    memory.reset(clear=0, write=0, zeros=0, rewind=0, advance=0)
    for _ in range(12):
        memory.step(clear=1, write=0)
        x = [[rng.getrandbits(bits) for _ in range(size)] for _ in range(rng.randint(1, samples))]
        written = 0
        for value in [value for sample in x for value in sample]:
            for write in [0] * rng.choice((0, 0, 3)) + [1]:
                beyond = rng.getrandbits(8) << bits  # bits that an element does not have
                outputs = memory.step(clear=0, write=write, write_data=(value | beyond) & 255)
                assert outputs["samples"] == written // size
                assert outputs["partial"] == bool(written % size)
                written += write
        memory.step(write=0)
        words = [packed(part, bits) for sample in x for part in chunks(sample, lanes)]
        memory.step(rewind=1)
        place = 0
        for _ in range(3 * len(words)):
            zeros, advance = int(rng.random() < 0.2), int(rng.random() < 0.6 and place + 1 < len(words))
            outputs = memory.step(rewind=0, zeros=zeros, advance=advance)
            assert outputs["data"] == (0 if zeros else words[place])
            place += advance
        if rng.random() < 0.3:  # a reset in the middle of a sample
            memory.step(write=1, zeros=0, advance=0)
            memory.reset(write=0)
            assert memory.look()["partial"] == 0


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_hil_outputs"))
def test_outputs_come_back_one_by_one_without_what_pads_them(unit: Unit) -> None:
    rng, memory = random.Random(seed_for(82)), BENCH.start(unit)
    size, lanes, bits = unit["OUTPUTS"], unit["LANES"], unit["ELEMENT_BITS"]
    memory.reset(clear=0, write=0, rewind=0, advance=0)
    for _ in range(10):
        memory.step(clear=1)
        memory.set(clear=0)
        y = [[rng.getrandbits(bits) for _ in range(size)] for _ in range(rng.randint(1, unit["SAMPLES"]))]
        for sample in y:
            padded = sample + [rng.getrandbits(bits) for _ in range(-size % lanes)]
            for part in chunks(padded, lanes):
                for write in [0] * rng.choice((0, 0, 2)) + [1]:
                    memory.step(write=write, write_data=packed(part, bits))
        memory.step(write=0, rewind=1)
        memory.step(rewind=0)
        for sample in y:
            for place, value in enumerate(sample):
                expected = signed(value, bits) if unit["SIGNED"] else value
                outputs = memory.step(advance=1)
                assert (outputs["value"], outputs["last"]) == (expected & 0xFFFFFFFF, place == size - 1)
                memory.step(advance=0)
        if rng.random() < 0.3:
            memory.step(write=1)
            memory.reset(write=0)


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_hil_run"))
def test_a_run_feeds_its_frames_and_counts_its_clocks(unit: Unit) -> None:
    rng, run = random.Random(seed_for(83)), BENCH.start(unit)
    run.reset(start=0, in_ready=0, out_valid=0)
    for frames in (1, 1, 2, 3, 7, 1):
        outputs = run.step(start=1, frames=frames, in_ready=rng.randint(0, 1), out_valid=0)
        run.set(start=0, frames=rng.getrandbits(16))
        taken = given = 0
        first, clock = -1, 0
        cut = rng.randint(1, 20) if rng.random() < 0.3 else -1
        while given < frames * unit["OUTPUT_BEATS"] and clock != cut:
            # A core gives a frame's results some clocks after its last word.
            ready = given // unit["OUTPUT_BEATS"] < taken // unit["INPUT_BEATS"]
            outputs = run.step(in_ready=int(rng.random() < 0.6), out_valid=int(ready and rng.random() < 0.5))
            assert outputs["in_valid"] == (taken < frames * unit["INPUT_BEATS"])
            assert outputs["out_ready"]
            if outputs["in_valid"] and run.given("in_ready"):
                first = clock if taken == 0 else first
                taken += 1
            given += run.given("out_valid")
            assert outputs["done"] == (given == frames * unit["OUTPUT_BEATS"] and run.given("out_valid"))
            clock += 1
        if clock == cut:
            run.reset(in_ready=1, out_valid=0)
            assert run.look()["in_valid"] == 0
            continue
        outputs = run.look(in_ready=1, out_valid=0)
        assert outputs["cycles"] == clock - first
        assert (outputs["in_valid"], outputs["out_ready"], outputs["done"]) == (0, 0, 0)


class _Host:
    """A device with its core, and the clocks in which the core worked."""

    def __init__(self, unit: Unit, seed: int) -> None:
        self.device, self.rng = BENCH.start(unit), random.Random(seed_for(seed))
        self.core = Core(unit, self.rng)
        self.device.reset(rx_valid=0, tx_ready=0, in_ready=0, out_valid=0)
        self.sent = bytearray()
        self.held = False  # the core's offer stands
        self.runs: list[tuple[int, int]] = []  # clocks of the first word taken and the last result given
        self.clock = 0

    def step(self, byte: int | None = None) -> dict[str, int]:
        """A clock, perhaps with a byte from the host."""
        core, rng = self.core, self.rng
        in_ready = int(rng.random() < 0.7)
        self.held = self.held or (bool(core.results) and rng.random() < 0.5)
        tx_ready = int(rng.random() < 0.7)
        outputs = self.device.step(
            rx_valid=int(byte is not None), rx_data=byte if byte is not None else rng.getrandbits(8), tx_ready=tx_ready,
            in_ready=in_ready, out_valid=int(self.held),
            out_data=core.results[0] if self.held else rng.getrandbits(self.device.width("out_data")),
        )  # fmt: skip
        if outputs["tx_valid"] and tx_ready:
            self.sent.append(outputs["tx_data"])
        if outputs["in_valid"] and in_ready:
            if core.started < 0:
                core.started = self.clock
            core.take(outputs["in_data"])
        if self.held and outputs["out_ready"]:
            core.results.popleft()
            self.held = False
            self.last = self.clock
        self.clock += 1
        return outputs

    def ask(self, payload: bytes, damage: bool = False, first: bytes = b"", noise: bool = False) -> bytes | None:
        """The payload of what is sent, `first` before it, until the device rests; None where there is none.

        noise: while it works, zeros come, each the end of a frame that is dropped.
        """
        encoded = bytearray(frame(payload))
        if damage:
            encoded[self.rng.randrange(len(encoded) - 1)] ^= 0x80
        self.sent[:] = first
        self.core.started = -1
        for byte in encoded:
            for _ in range(self.rng.choice((0, 0, 2))):
                self.step()
            self.step(byte)
        waited = 0
        while waited < 12 or self.device.look()["busy"]:
            waited += 1
            self.step(0 if noise and self.rng.random() < 0.3 else None)
            assert waited < 20000, "stands still"
        return unframe(bytes(self.sent[:-1])) if self.sent else None


def _request(kind: int, number: int, body: bytes = b"") -> bytes:
    return struct.pack("<BI", kind, number) + body


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_hil_device"))
def test_a_device_answers_every_request_as_the_protocol_says(unit: Unit) -> None:
    host = _Host(unit, 84)
    rng, samples, size = host.rng, unit["SAMPLES"], unit["INPUTS"]
    right = _request(SELF_TEST, 9, _HASH[:8])
    for number in (0, 0x89ABCDEF):
        assert host.ask(_request(HELLO, number)) == struct.pack("<BIB", HELLO | 128, number, OK) + _HELLO
    for _ in range(6):
        number, count = rng.getrandbits(32), rng.randint(1, samples)
        x = [[rng.choice((unit["INPUT_LOW"], unit["INPUT_HIGH"], 0, 1)) for _ in range(size)] for _ in range(count)]
        body = struct.pack("<H", count) + bytes(value & 255 for sample in x for value in sample)
        answer = host.ask(_request(INFER, number, _HASH[:8] + body))
        y = [value for sample in x for value in host.core.outputs(sample)]
        cycles = host.last - host.core.started + 1
        assert answer == struct.pack(f"<BIBI{len(y)}i", INFER | 128, number, OK, cycles, *y)
        assert host.ask(_request(INFER, number, _HASH[:8] + body), damage=True) is None
    for kind in (INFER, SELF_TEST, BENCHMARK, TRACE):
        other = _request(kind, 5, _HASH[:7] + b"\0" + struct.pack("<H", 1) + bytes(size))
        assert host.ask(other) == struct.pack("<BIB", kind | 128, 5, OTHER_MODEL)
    differs = unit["TEST_CRC"] != f"32'd{_digest(unit)}"
    assert host.ask(right) == struct.pack("<BIBi", SELF_TEST | 128, 9, OK, 2 if differs else 0)
    trace = _request(TRACE, 6, _HASH[:8] + struct.pack("<H", 1) + bytes(size))
    assert host.ask(trace) == struct.pack("<BIB", TRACE | 128, 6, NO_TRACE)


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_hil_device"))
def test_what_is_dropped_while_a_request_is_answered_changes_no_answer(unit: Unit) -> None:
    host = _Host(unit, 87)
    size, differs = unit["INPUTS"], unit["TEST_CRC"] != f"32'd{_digest(unit)}"
    for _ in range(3):
        answer = host.ask(_request(SELF_TEST, 9, _HASH[:8]), noise=True)
        assert answer == struct.pack("<BIBi", SELF_TEST | 128, 9, OK, 2 if differs else 0)
        x = [host.rng.choice((unit["INPUT_LOW"], unit["INPUT_HIGH"])) for _ in range(size)]
        body = struct.pack("<H", 1) + bytes(value & 255 for value in x)
        answer = host.ask(_request(INFER, 7, _HASH[:8] + body), noise=True)
        y = host.core.outputs(x)
        assert answer == struct.pack(f"<BIBI{len(y)}i", INFER | 128, 7, OK, host.last - host.core.started + 1, *y)


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_hil_device"))
def test_a_device_refuses_sizes_that_do_not_fit_and_drops_what_it_does_not_know(unit: Unit) -> None:
    host = _Host(unit, 85)
    size, samples = unit["INPUTS"], unit["SAMPLES"]
    for count, content in ((0, 0), (1, size - 1), (1, size + 1), (samples + 1, samples * size), (256, size)):
        for kind in (INFER, TRACE):
            answer = host.ask(_request(kind, 7, _HASH[:8] + struct.pack("<H", count) + bytes(content)))
            fits = content <= samples * size
            assert answer == (struct.pack("<BIB", kind | 128, 7, BAD_REQUEST) if fits else None)
    for repeats, more in ((0, 0), (3, 1)):
        answer = host.ask(_request(BENCHMARK, 8, _HASH[:8] + struct.pack("<H", repeats) + bytes(more)))
        assert answer == struct.pack("<BIB", BENCHMARK | 128, 8, BAD_REQUEST)
    for payload in (
        _request(0, 1),
        _request(6, 1, _HASH[:8]),
        _request(INFER, 1, _HASH[:7]),
        _request(HELLO, 1, b"\0"),
        b"\1",
    ):
        assert host.ask(payload) is None
    assert host.ask(_request(HELLO, 2)) == struct.pack("<BIB", HELLO | 128, 2, OK) + _HELLO


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_hil_device"))
def test_a_benchmark_gives_the_least_and_the_most_clocks_of_frames_of_zeros(unit: Unit) -> None:
    host = _Host(unit, 86)
    spans: list[int] = []
    seen: list[int] = []
    take, beats = host.core.take, -(-unit["OUTPUTS"] // unit["OUTPUT_LANES"])

    def watched(word: int) -> None:
        seen.append(word)
        take(word)

    host.core.take = watched  # type: ignore[method-assign]
    step, given = host.step, [0]

    def counted(byte: int | None = None) -> dict[str, int]:
        before = len(host.core.results)
        outputs = step(byte)
        if len(host.core.results) < before:
            given[0] += 1
            if given[0] % beats == 0:
                spans.append(host.last - host.core.started + 1)
                host.core.started = -1
        return outputs

    host.step = counted  # type: ignore[method-assign]
    answer = host.ask(_request(BENCHMARK, 3, _HASH[:8] + struct.pack("<H", 5)))
    assert len(spans) == 5
    assert set(seen) == {0}
    assert answer == struct.pack("<BIBII", BENCHMARK | 128, 3, OK, min(spans), max(spans))


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_hil_device"))
def test_a_request_that_comes_while_another_is_answered_is_dropped(unit: Unit) -> None:
    host = _Host(unit, 87)
    for byte in frame(_request(HELLO, 1)):
        host.step(byte)
    assert host.device.look()["busy"]
    sent = bytes(host.sent)
    host.ask(_request(HELLO, 2), first=sent)
    assert unframe(bytes(host.sent[:-1])) == struct.pack("<BIB", HELLO | 128, 1, OK) + _HELLO
    for byte in frame(_request(HELLO, 4)):
        host.step(byte)
    host.device.reset(rx_valid=0)
    assert host.ask(_request(HELLO, 3)) == struct.pack("<BIB", HELLO | 128, 3, OK) + _HELLO
