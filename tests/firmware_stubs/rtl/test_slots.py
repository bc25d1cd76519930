"""The units of spikes a step per clock: whole windows, one behind the other, clock by clock."""

from __future__ import annotations

import itertools
import random

import pytest

from tests.sweeps import seed_for

from .bench import Bench, Unit, needs_verilator, packed, signed, slowly, units
from .drive import extremes

_RNG = random.Random(seed_for(51))
_SUM, _DOUBLED, _FLOWING = range(3)
_UNARY, _TTFS, _SAR = range(3)


def _thresholds(encoding: int, slots: int, bits: int) -> list[int]:
    """Entries as the encodings order them."""
    count = (1 << slots) - 1 if encoding == _SAR else slots
    return sorted((_RNG.randrange(1 << bits) for _ in range(count)), reverse=encoding == _TTFS)


def _neuron(encoding: int, slots: int, rule: int, window: int, bits: int) -> dict[str, int | str]:
    entries = _thresholds(encoding, slots, bits)
    return {
        "ENCODING": encoding, "SLOTS": slots, "SLOT_BITS": max((slots - 1).bit_length(), 1), "RULE": rule,
        "WINDOW": window, "BITS": bits, "START": f"{bits}'d{_RNG.randrange(1 << bits)}", "ENTRIES": len(entries),
        "THRESHOLDS": f"{len(entries) * bits}'d{packed(entries, bits)}",
    }  # fmt: skip


def _tracer(levels: int, bits: int) -> dict[str, int | str]:
    entries = _thresholds(_UNARY, levels, bits)
    return {"LEVELS": levels, "BITS": bits, "START": f"{bits}'d{_RNG.randrange(1 << bits)}",
            "THRESHOLDS": f"{levels * bits}'d{packed(entries, bits)}"}  # fmt: skip


def _source(encoding: int, size: int, bits: int, is_signed: int, low: int, levels: int) -> dict[str, int | str]:
    return {"SIZE": size, "INPUT_BITS": bits, "INPUT_SIGNED": is_signed, "LOW": low, "LEVELS": levels,
            "ENCODING": encoding, "SLOT_BITS": max((levels - 1).bit_length(), 1)}  # fmt: skip


def _drawn() -> list[Unit]:
    """Units of other sizes, for the long sweeps."""
    some = _RNG.randint
    found: list[Unit] = []
    for _ in range(8):
        count, bits, rule = some(1, 20), some(2, 16), some(0, 2)
        found += units("edgeml_slot_counter", {"SLOTS": count, "SLOT_BITS": max((count - 1).bit_length(), 1)})
        low, top = some(-(1 << bits - 1), 0), (1 << bits - 1) - 1
        found += units("edgeml_slot_source", _source(some(0, 2), some(1, 5), bits, 1, low, min(some(1, top - low), 40)))
        start = {"BITS": bits, "START": f"{bits}'d{_RNG.randrange(1 << bits)}"}
        found += units("edgeml_slot_potential", {"RULE": rule, "SLOTS": some(1, 9)} | start)
        encoding = some(0, 2)
        slots = some(1, 4 if encoding == _SAR else 9)
        found += units("edgeml_slot_neuron", _neuron(encoding, slots, some(0, 2), some(1, 9), bits))
        found += units("edgeml_tracer_neuron", _tracer(some(1, 9), bits))
    return found


BENCH = Bench(
    *slowly(_drawn()),
    *units("edgeml_slot_counter", *({"SLOTS": n, "SLOT_BITS": max((n - 1).bit_length(), 1)} for n in (1, 2, 3, 8, 15))),
    *units("edgeml_slot_source", *(
        _source(*each) for each in (
            (_UNARY, 1, 1, 0, 0, 1), (_UNARY, 4, 4, 1, -8, 15), (_UNARY, 3, 8, 1, -3, 5), (_TTFS, 3, 2, 0, 0, 3),
            (_TTFS, 2, 4, 1, -2, 9), (_SAR, 3, 4, 1, -8, 15), (_SAR, 2, 3, 0, 1, 5), (_SAR, 1, 1, 0, 0, 1)))),
    *units("edgeml_slot_potential", *(
        {"RULE": rule, "SLOTS": slots, "BITS": bits, "START": f"{bits}'d{_RNG.randrange(1 << bits)}"}
        for rule, slots, bits in (
            (_SUM, 1, 8), (_SUM, 3, 1), (_SUM, 5, 12), (_DOUBLED, 1, 7), (_DOUBLED, 4, 9), (_FLOWING, 1, 6),
            (_FLOWING, 2, 10), (_FLOWING, 7, 16)))),
    *units("edgeml_slot_neuron", *(
        _neuron(*each) for each in (
            (_UNARY, 1, _SUM, 1, 4), (_UNARY, 5, _SUM, 3, 6), (_UNARY, 3, _DOUBLED, 4, 6), (_TTFS, 4, _SUM, 4, 5),
            (_TTFS, 7, _FLOWING, 7, 8), (_SAR, 1, _SUM, 2, 3), (_SAR, 3, _DOUBLED, 3, 6), (_SAR, 4, _SUM, 1, 7)))),
    *units("edgeml_tracer_neuron", _tracer(1, 3), _tracer(3, 6), _tracer(6, 5), _tracer(7, 12)),
)  # fmt: skip
pytestmark = needs_verilator


def _number(text: str) -> int:
    """The number of a Verilog constant."""
    return int(text.partition("'d")[2])


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_slot_counter"))
def test_a_slot_counter_runs_for_a_window_from_each_start(unit: Unit) -> None:
    rng, counter, slots = random.Random(seed_for(52)), BENCH.start(unit), unit["SLOTS"]
    counter.reset(start=0)
    place: int | None = None
    for clock in range(400):
        resetting = int(rng.random() < 0.01)
        # In the last slot of a window, or later, as designs do; or at any time, which begins a new window.
        start = int(rng.random() < (1.0 if place == slots - 1 and clock < 100 else 0.1))
        outputs = counter.step(rst=resetting, start=start)
        assert outputs["running"] == (place is not None)
        assert outputs["slot"] == (place or 0)
        if resetting:
            place = None
        elif start:
            place = 0
        elif place is not None:
            place = place + 1 if place + 1 < slots else None


def _windows(rng: random.Random, window: int) -> list[int | None]:
    """Slots of many windows, some right behind each other; None: a clock between them."""
    clocks: list[int | None] = []
    for _ in range(40):
        clocks += [*range(window), *[None] * rng.choice((0, 0, 1, 5))]
    return clocks


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_slot_source"))
def test_a_source_spreads_its_integers_over_the_window(unit: Unit) -> None:
    rng, source, levels, size = random.Random(seed_for(53)), BENCH.start(unit), unit["LEVELS"], unit["SIZE"]
    slots = levels.bit_length() if unit["ENCODING"] == _SAR else levels
    source.reset(take=0, running=0)
    # A frame is taken in the clock before slot 0: in the last slot of the window before, if there is no clock between.
    clocks = [None, *_windows(rng, slots), None]
    kept: list[int] = []
    expected = 0
    for now, then in itertools.pairwise(clocks):
        x = [rng.choice((0, levels, rng.randint(0, levels))) + unit["LOW"] for _ in range(size)]
        outputs = source.step(
            take=int(then == 0), in_data=packed(x, unit["INPUT_BITS"]), running=int(now is not None), slot=now or 0
        )
        assert outputs["spikes"] == expected
        expected = 0
        if now is not None:
            for channel, value in enumerate(kept):
                fires = {
                    _UNARY: value > now,
                    _TTFS: value == levels - now,
                    _SAR: bool(value >> slots - 1 - now & 1) if unit["ENCODING"] == _SAR else False,
                }[unit["ENCODING"]]
                expected |= fires << channel
        if then == 0:
            kept = [value - unit["LOW"] for value in x]


def _potential(rule: int, currents: list[int], start: int, bits: int) -> int:
    """What the currents of a window build up."""
    if rule == _DOUBLED:
        total = start + sum(current << len(currents) - 1 - slot for slot, current in enumerate(currents))
    elif rule == _FLOWING:
        total = start + sum(current * (len(currents) - slot) for slot, current in enumerate(currents))
    else:
        total = start + sum(currents)
    return total % (1 << bits)


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_slot_potential"))
def test_a_potential_is_built_up_by_its_rule(unit: Unit) -> None:
    rng, charge, bits, slots = random.Random(seed_for(54)), BENCH.start(unit), unit["BITS"], unit["SLOTS"]
    late = 2 if unit["RULE"] == _FLOWING and slots > 1 else 1
    currents: list[int] = []
    due: dict[int, int] = {}
    for clock, slot in enumerate(_windows(rng, slots)):
        current = signed(rng.getrandbits(bits), bits)
        outputs = charge.step(first=int(slot == 0), last=int(slot == slots - 1), current=current)
        if clock in due:
            assert outputs["potential"] == due[clock]
        if slot is not None:
            currents = [*(currents if slot else []), current]
        if slot == slots - 1:
            due[clock + late] = _potential(unit["RULE"], currents, _number(unit["START"]), bits)
    assert len(due) == 40


def _spikes(unit: Unit, potential: int) -> list[int]:
    """Whether a neuron fires, slot by slot."""
    bits, slots = unit["BITS"], unit["SLOTS"]
    entries = [_number(unit["THRESHOLDS"]) >> k * bits & (1 << bits) - 1 for k in range(unit["ENTRIES"])]
    if unit["ENCODING"] == _SAR:
        given, spikes = 0, []
        for slot in range(slots):
            wanted = given | 1 << slots - 1 - slot
            spikes.append(int(potential >= entries[wanted - 1]))
            given = wanted if spikes[-1] else given
        return spikes
    reached = [int(potential >= entry) for entry in entries]
    if unit["ENCODING"] == _TTFS:
        return [int(fires and not any(reached[:slot])) for slot, fires in enumerate(reached)]
    return reached


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_slot_neuron"))
def test_a_neuron_fires_while_its_next_window_comes_in(unit: Unit) -> None:
    rng, neuron = random.Random(seed_for(55)), BENCH.start(unit)
    bits, window, slots = unit["BITS"], unit["WINDOW"], unit["SLOTS"]
    late = 2 if unit["RULE"] == _FLOWING and window > 1 else 1
    inputs: dict[int, dict[str, int]] = {}
    slot_of: dict[int, int] = {}
    expected: dict[int, int] = {}
    begin = 0
    for _ in range(60):
        currents = [rng.randrange(1 << bits) for _ in range(window)]
        for slot, current in enumerate(currents):
            inputs[begin + slot] = {"first": int(slot == 0), "last": int(slot == window - 1), "current": current}
        fires = begin + window - 1 + late
        for slot, spike in enumerate(_spikes(unit, _potential(unit["RULE"], currents, _number(unit["START"]), bits))):
            slot_of[fires + slot], expected[fires + slot + 1] = slot, spike
        begin += max(window, slots) + rng.choice((0, 0, 1, 4))
    neuron.reset(first=0, last=0, running=0)
    between = {"first": 0, "last": 0}
    for clock in range(begin + window + slots + 4):
        resetting = int(rng.random() < 0.02)
        given = inputs.get(clock, {**between, "current": rng.randrange(1 << bits)})
        outputs = neuron.step(rst=resetting, running=int(clock in slot_of), slot=slot_of.get(clock, 0), **given)
        assert outputs["spike"] == expected.get(clock, 0)
        if resetting:
            expected[clock + 1] = 0


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_tracer_neuron"))
def test_a_tracer_follows_its_potential_by_one_spike_a_slot(unit: Unit) -> None:
    rng, tracer, bits, levels = random.Random(seed_for(56)), BENCH.start(unit), unit["BITS"], unit["LEVELS"]
    entries = [_number(unit["THRESHOLDS"]) >> k * bits & (1 << bits) - 1 for k in range(levels)]
    tracer.reset(first=0, running=0)
    expected: list[int] = []
    for _ in range(30):
        slots = rng.choice((1, levels, 2 * levels + 3))
        potential, count, spikes = _number(unit["START"]), 0, []
        currents = [rng.choice((0, current)) for current in extremes(bits, True, rng, slots)]
        for current in currents:
            potential = (potential + current) % (1 << bits)
            up = count < levels and potential >= entries[count]
            down = not up and count > 0 and potential < entries[count - 1]
            count += up - down
            spikes.append(up - down)
        # Slot s of this window goes in with `first` and `current`; `running` goes with the clock behind it.
        given = []
        for slot in range(slots + 2):
            inputs = {"first": int(slot == 0), "current": currents[slot] if slot < slots else 0}
            given.append(tracer.step(running=int(1 <= slot <= slots), **inputs)["spike"])
        assert [signed(spike, 2) for spike in given[2:]] == spikes
        expected += spikes
    assert unit.slow or {-1, 0, 1} <= set(expected) or levels == 1
