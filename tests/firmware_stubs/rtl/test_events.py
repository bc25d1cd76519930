"""The event-driven spiking units: which events they give, in which order, and in how many clocks a frame."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest

from tests.sweeps import seed_for

from .bench import Bench, Unit, needs_verilator, packed, signed, slowly, units, unpacked
from .drive import PAUSES, drive, extremes

UNARY, TTFS, STBIF, GRADED, SAR = range(5)
Event = tuple[int, int] | None
"""(channel, amount), or None for the end of a frame."""
_MEMBRANE_BITS = 16
_BEYOND = (1 << _MEMBRANE_BITS - 1) - 1
_RNG = random.Random(seed_for(41))
_AMOUNT_BITS = 4


def _layer(pe: int, words: int, channels: int, **more: int) -> dict[str, int | str]:
    """Parameters that all units with membranes share, and others."""
    return {"PE": pe, "WORDS": words, "CHANNELS": channels, "WEIGHT_BITS": 3, "MEMBRANE_BITS": _MEMBRANE_BITS, **more}


def _memories(pe: int, words: int, channels: int, neurons: int) -> dict[str, list[int]]:
    """Random weights and start values; those of neurons beyond the last are zero."""
    used = [[word * pe + lane < neurons for lane in range(pe)] for word in range(words)]
    weights = [
        packed([weight * use for weight, use in zip(extremes(3, True, _RNG, pe), row, strict=True)], 3)
        for _ in range(channels)
        for row in used
    ]
    starts = [packed([_RNG.randint(-6, 6) * use for use in row], _MEMBRANE_BITS) for row in used]
    return {"WEIGHT_FILE": weights, "START_FILE": starts}


def _membranes(pe: int, words: int, channels: int, amount_bits: int) -> list[Unit]:
    sizes = {"WORD_BITS": max((words - 1).bit_length(), 1), "CHANNEL_BITS": max((channels - 1).bit_length(), 1)}
    parameters = _layer(pe, words, channels, AMOUNT_BITS=amount_bits, **sizes)
    return units("edgeml_membranes", parameters, **_memories(pe, words, channels, pe * words))


def _readout(pe: int, words: int, amount_bits: int) -> list[Unit]:
    parameters = _layer(pe, words, 5, IN_CHANNEL_BITS=3, IN_AMOUNT_BITS=amount_bits)
    return units("edgeml_spiking_readout", parameters, **_memories(pe, words, 5, pe * words))


def _spiking(
    encoding: int, pe: int, words: int, neurons: int, levels: int, equal: int, relay: tuple[int, int] = (0, 0)
) -> list[Unit]:
    """A layer of 5 channels; lanes beyond the last neuron never fire."""
    steps: list[int] = []
    for word in range(words):
        rows = []
        for lane in range(pe):
            costs = [_RNG.randint(1, 5) for _ in range(1 if equal else levels)]
            if encoding == SAR:
                costs = [sum(costs[: count + 1]) for count in range(levels)]
            unused = 0 if encoding == TTFS else _BEYOND
            rows.append(costs if word * pe + lane < neurons else [unused] * len(costs))
        steps += [packed(list(column), _MEMBRANE_BITS) for column in zip(*rows, strict=True)]
    ceilings = [
        packed([_RNG.randint(1, 12) if word * pe + lane < neurons else _BEYOND for lane in range(pe)], _MEMBRANE_BITS)
        for word in range(words)
    ]
    parameters = _layer(
        pe, words, 5, ENCODING=encoding, LEVELS=levels, EQUAL=equal, IN_CHANNEL_BITS=3, IN_AMOUNT_BITS=_AMOUNT_BITS,
        OUT_CHANNEL_BITS=4, OUT_AMOUNT_BITS=5, NEURONS=neurons, RELAY_FROM=relay[0], RELAY_TO=relay[1],
    )  # fmt: skip
    files = _memories(pe, words, 5, neurons) | {"STEP_FILE": steps, "CEILING_FILE": ceilings}
    return units("edgeml_spiking", parameters, **files)


def _encoder(encoding: int, size: int, bits: int, is_signed: int, low: int, levels: int) -> dict[str, int]:
    return {"SIZE": size, "INPUT_BITS": bits, "INPUT_SIGNED": is_signed, "LOW": low, "LEVELS": levels,
            "ENCODING": encoding, "CHANNEL_BITS": max((size - 1).bit_length(), 1), "AMOUNT_BITS": bits + 2}  # fmt: skip


def _drawn() -> list[Unit]:
    """Units of other sizes, for the long sweeps."""
    some = _RNG.randint
    found: list[Unit] = []
    for encoding in (UNARY, TTFS, STBIF, GRADED, SAR) * 3:
        pe, words, levels = some(1, 5), some(1, 4), some(1, 7)
        first = some(0, 5)
        relay = (first, some(first, 5))
        neurons = min(some(pe * (words - 1) + 1, pe * words), 16 - (relay[1] - relay[0]))
        equal = 0 if encoding == SAR else some(0, 1)
        found += _spiking(encoding, pe, words, neurons, levels, equal, relay)
        found += _readout(some(1, 4), some(1, 5), some(2, 6))
        found += _membranes(some(1, 4), some(1, 5), some(1, 6), some(1, 6))
        bits = some(1, 5)
        low, top = some(-(1 << bits - 1), 0), (1 << bits - 1) - 1
        if top > low:
            code = some(0, 3)
            found += units("edgeml_spike_encoder", _encoder(code, some(1, 6), bits, 1, low, some(1, top - low)))
    return found


BENCH = Bench(
    *slowly(_drawn()),
    *_membranes(1, 1, 1, 2),
    *_membranes(3, 4, 5, 4),
    *_readout(1, 1, 2),
    *_readout(2, 3, 4),
    *_spiking(UNARY, 1, 2, 2, 1, 1),
    *_spiking(UNARY, 3, 2, 5, 7, 0, (1, 4)),
    *_spiking(TTFS, 2, 2, 4, 3, 1),
    *_spiking(TTFS, 2, 3, 5, 7, 0, (0, 2)),
    *_spiking(STBIF, 1, 3, 3, 3, 1, (4, 5)),
    *_spiking(STBIF, 3, 2, 5, 6, 0),
    *_spiking(GRADED, 2, 2, 3, 3, 1),
    *_spiking(GRADED, 4, 1, 4, 7, 0, (2, 3)),
    *_spiking(SAR, 2, 2, 3, 7, 0, (0, 5)),
    *_spiking(SAR, 3, 1, 2, 5, 0),
    *units("edgeml_spike_encoder", *(
        _encoder(*each) for each in (
            (0, 1, 1, 0, 0, 1), (0, 5, 4, 1, 0, 7), (0, 3, 3, 1, -4, 7), (1, 4, 2, 0, 0, 3), (1, 3, 3, 1, -4, 7),
            (1, 1, 1, 0, 0, 1), (2, 5, 2, 1, -2, 3), (2, 2, 3, 0, 0, 7), (3, 4, 4, 1, -8, 15), (3, 3, 3, 0, 1, 5)))),
)  # fmt: skip
pytestmark = needs_verilator


def _weight(unit: Unit, channel: int, neuron: int) -> int:
    word, lane = divmod(neuron, unit["PE"])
    return unpacked(unit.words("WEIGHT_FILE")[channel * unit["WORDS"] + word], 3, unit["PE"], True)[lane]


def _starts(unit: Unit) -> list[int]:
    """Start values by neuron, the unused ones included."""
    return [v for word in unit.words("START_FILE") for v in unpacked(word, _MEMBRANE_BITS, unit["PE"], True)]


def _coded(event: Event, channel_bits: int, amount_bits: int) -> int:
    """{end, channel, amount}."""
    if event is None:
        return 1 << channel_bits + amount_bits
    return event[0] << amount_bits | event[1] & (1 << amount_bits) - 1


def _frames(rng: random.Random, amount_bits: int) -> list[list[tuple[int, int]]]:
    """Frames of events, some without any."""
    low, high = -(1 << amount_bits - 1), (1 << amount_bits - 1) - 1
    return [[(rng.randrange(5), rng.randint(low, high)) for _ in range(rng.choice((0, 1, 3, 8)))] for _ in range(7)]


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_membranes"))
def test_membranes_are_cleared_added_to_and_written(unit: Unit) -> None:
    rng, neurons = random.Random(seed_for(42)), BENCH.start(unit)
    words, pe, bits = unit["WORDS"], unit["PE"], unit["AMOUNT_BITS"]
    neurons.reset(clear=0, add=0, write=0)
    starts = _starts(unit)
    for at in range(words):
        neurons.step(clear=1, at=at)
    kept = list(starts)
    due: dict[int, int] = {}  # what was added in the clock before
    for _ in range(400):
        action, at = rng.choice(("clear", "add", "add", "add", "write", "none")), rng.randrange(words)
        if due and action in ("clear", "write"):  # one at a time: an addition takes two clocks
            action = "none"
        channel, amount = rng.randrange(unit["CHANNELS"]), signed(rng.getrandbits(bits), bits)
        values = [signed(rng.getrandbits(_MEMBRANE_BITS), _MEMBRANE_BITS) for _ in range(pe)]
        outputs = neurons.step(
            clear=int(action == "clear"), add=int(action == "add"), write=int(action == "write"), at=at,
            channel=channel, amount=amount, write_data=packed(values, _MEMBRANE_BITS),
        )  # fmt: skip
        assert outputs["membranes"] == packed(kept[at * pe :][:pe], _MEMBRANE_BITS)
        for neuron, more in due.items():
            kept[neuron] += more
        row = range(at * pe, (at + 1) * pe)
        due = {neuron: amount * _weight(unit, channel, neuron) for neuron in row} if action == "add" else {}
        if action in ("clear", "write"):
            kept[at * pe : (at + 1) * pe] = values if action == "write" else starts[at * pe : (at + 1) * pe]


@pytest.mark.parametrize("pauses", PAUSES)
@pytest.mark.parametrize("unit", BENCH.cases("edgeml_spiking_readout"))
def test_a_readout_gives_the_sums_of_a_frame(unit: Unit, pauses: tuple[float, float]) -> None:
    rng, bits, pe = random.Random(seed_for(43)), unit["IN_AMOUNT_BITS"], unit["PE"]
    frames = _frames(rng, bits)
    words, expected, clocks = [], [], []
    for frame in frames:
        words += [_coded(event, 3, bits) for event in [*frame, None]]
        sums = _starts(unit)
        for channel, amount in frame:
            sums = [v + amount * _weight(unit, channel, neuron) for neuron, v in enumerate(sums)]
        expected += [packed(sums[word * pe :][:pe], _MEMBRANE_BITS) for word in range(unit["WORDS"])]
        clocks.append(unit["WORDS"] * (2 + len(frame)) + 1)
    flow = drive(BENCH.start(unit), words, len(expected), rng=rng, pauses=pauses, resets=2)
    assert flow.words == expected
    _assert_clocks(flow.given[unit["WORDS"] - 1 :: unit["WORDS"]], clocks, pauses)


def _assert_clocks(ends: list[int], clocks: list[int], pauses: tuple[float, float]) -> None:
    """If nobody stalls, each frame ends so many clocks after the one before."""
    if pauses == (0.0, 0.0):
        assert [after - before for before, after in itertools.pairwise(ends)] == clocks[1:]


class _Layer:
    """Neurons of a unit, one frame: the events that they give, and the clocks that it takes."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.v = _starts(unit)
        self.count = [0] * len(self.v)
        self.clocks = unit["WORDS"]
        self.rows = [range(word * unit["PE"], (word + 1) * unit["PE"]) for word in range(unit["WORDS"])]

    def step(self, neuron: int, count: int) -> int:
        """What the spike after `count` others costs; sar: it and those before it."""
        word, lane = divmod(neuron, self.unit["PE"])
        stored = self.unit.words("STEP_FILE")
        steps = 1 if self.unit["EQUAL"] else self.unit["LEVELS"]
        return unpacked(stored[word * steps + (count if steps > 1 else 0)], _MEMBRANE_BITS, self.unit["PE"], True)[lane]

    def frame(self, events: list[tuple[int, int]]) -> Iterator[Event]:
        """Events for events."""
        at_once = self.unit["ENCODING"] == STBIF
        if at_once:
            for row in self.rows:
                yield from self.settled(row)
        for channel, amount in events:
            for row in self.rows:
                self.clocks += 2 if at_once else 1
                for neuron in row:
                    self.v[neuron] += amount * _weight(self.unit, channel, neuron)
                if at_once:
                    yield from self.settled(row)
            if self.unit["RELAY_FROM"] <= channel < self.unit["RELAY_TO"]:
                self.clocks += 1
                yield channel - self.unit["RELAY_FROM"] + self.unit["NEURONS"], amount
        self.clocks += 1
        levels = self.unit["LEVELS"]
        for slot in range(0 if at_once else levels.bit_length() if self.unit["ENCODING"] == SAR else levels):
            for row in self.rows:
                self.clocks += 1
                for neuron in row:
                    amount = self.fired(neuron, slot)
                    if amount:
                        self.clocks += 1
                        yield neuron, amount
        self.clocks += 1
        yield None

    def settled(self, row: range) -> Iterator[Event]:
        """stbif: spikes up and down until the neurons of a word rest."""
        while True:
            self.clocks += 1
            given = []
            for neuron in row:
                count, v = self.count[neuron], self.v[neuron]
                if count < self.unit["LEVELS"] and v >= self.step(neuron, count):
                    given.append((neuron, 1))
                    self.v[neuron] -= self.step(neuron, count)
                elif v < 0 and count > 0:
                    given.append((neuron, -1))
                    self.v[neuron] += self.step(neuron, count - 1)
            for neuron, amount in given:
                self.count[neuron] += amount
                self.clocks += 1
                yield neuron, amount
            if not given:
                return

    def fired(self, neuron: int, slot: int) -> int:
        """What a neuron gives in a slot, 0 for no event."""
        encoding, levels, count = self.unit["ENCODING"], self.unit["LEVELS"], self.count[neuron]
        if encoding == TTFS:
            if slot:
                self.v[neuron] += self.step(neuron, levels - slot)
            ceilings = self.unit.words("CEILING_FILE")
            word, lane = divmod(neuron, self.unit["PE"])
            if count or self.v[neuron] < unpacked(ceilings[word], _MEMBRANE_BITS, self.unit["PE"], True)[lane]:
                return 0
            self.count[neuron] = levels - slot
            return levels - slot
        if encoding == SAR:
            place = 1 << levels.bit_length() - 1 - slot
            if count + place > levels or self.v[neuron] < self.step(neuron, count + place - 1):
                return 0
            self.count[neuron] += place
            return place
        fires = count < levels and self.v[neuron] >= self.step(neuron, count)
        if fires:
            self.v[neuron] -= self.step(neuron, count)
            self.count[neuron] += 1
        if encoding == GRADED:
            return self.count[neuron] if slot == levels - 1 else 0
        return int(fires)


@pytest.mark.parametrize("pauses", PAUSES)
@pytest.mark.parametrize("unit", BENCH.cases("edgeml_spiking"))
def test_a_layer_of_neurons_gives_its_encodings_events(unit: Unit, pauses: tuple[float, float]) -> None:
    rng = random.Random(seed_for(44))
    frames = _frames(rng, _AMOUNT_BITS)
    words, expected, clocks = [], [], []
    for frame in frames:
        words += [_coded(event, 3, _AMOUNT_BITS) for event in [*frame, None]]
        layer = _Layer(unit)
        expected += list(layer.frame(frame))
        clocks.append(layer.clocks)
    if unit["ENCODING"] == STBIF:  # neurons come to rest before the first event of a frame that has not come
        layer = _Layer(unit)
        expected += [event for row in layer.rows for event in layer.settled(row)]
    flow = drive(BENCH.start(unit), words, len(expected), rng=rng, pauses=pauses, resets=2)
    assert flow.words == [_coded(event, 4, 5) for event in expected]
    assert unit.slow or any(event[0] < unit["NEURONS"] for event in expected if event), "no neuron fires"
    _assert_clocks([flow.given[at] for at, event in enumerate(expected) if event is None], clocks, pauses)


def _encoded(unit: Unit, frame: list[int]) -> Iterator[Event]:
    """The events of a frame of x."""
    counts, levels, encoding = [x - unit["LOW"] for x in frame], unit["LEVELS"], unit["ENCODING"]
    if encoding == 0:
        yield from ((channel, count) for channel, count in enumerate(counts) if count)
    for slot in range((0, levels, levels, levels.bit_length())[encoding]):
        place = 1 << levels.bit_length() - 1 - slot if encoding == 3 else 0
        for channel, count in enumerate(counts):
            if encoding == 1 and count > slot:
                yield channel, 1
            if encoding == 2 and count == levels - slot:
                yield channel, count
            if encoding == 3 and count & place:
                yield channel, place
    yield None


@pytest.mark.parametrize("pauses", PAUSES)
@pytest.mark.parametrize("unit", BENCH.cases("edgeml_spike_encoder"))
def test_an_encoder_makes_events_of_a_frames_integers(unit: Unit, pauses: tuple[float, float]) -> None:
    rng, encoder, size = random.Random(seed_for(45)), BENCH.start(unit), unit["SIZE"]
    low, high = unit["LOW"], unit["LOW"] + unit["LEVELS"]
    if unit["ENCODING"] == 0 and unit["INPUT_SIGNED"]:  # a current of either sign
        low, high = -(1 << unit["INPUT_BITS"] - 1), (1 << unit["INPUT_BITS"] - 1) - 1
    frames = [[rng.choice((low, high, rng.randint(low, high))) for _ in range(size)] for _ in range(9)]
    words = [x & (1 << unit["INPUT_BITS"]) - 1 for frame in frames for x in frame]
    expected = [event for frame in frames for event in _encoded(unit, frame)]
    flow = drive(encoder, words, len(expected), rng=rng, pauses=pauses, resets=2)
    assert flow.words == [_coded(event, unit["CHANNEL_BITS"], unit["AMOUNT_BITS"]) for event in expected]
    slots = (0, unit["LEVELS"], unit["LEVELS"], unit["LEVELS"].bit_length())[unit["ENCODING"]]
    ends = [flow.given[at] for at, event in enumerate(expected) if event is None]
    _assert_clocks(ends, [size + slots * size + 1] * len(frames), pauses)
