"""The UART's two halves, clock by clock on the pin."""

from __future__ import annotations

import random

import pytest

from tests.sweeps import seed_for

from .bench import Bench, Simulated, Unit, needs_verilator, slowly, units

_RNG = random.Random(seed_for(61))
BENCH = Bench(
    *slowly(units("edgeml_uart_tx", *({"CLOCKS_PER_BIT": _RNG.randint(2, 300)} for _ in range(5)))),
    *slowly(units("edgeml_uart_rx", *({"CLOCKS_PER_BIT": _RNG.randint(4, 300)} for _ in range(5)))),
    *units("edgeml_uart_tx", *({"CLOCKS_PER_BIT": clocks} for clocks in (2, 3, 7, 16, 104))),
    *units("edgeml_uart_rx", *({"CLOCKS_PER_BIT": clocks} for clocks in (4, 5, 7, 16, 104))),
)
pytestmark = needs_verilator


def _bits(byte: int) -> list[int]:
    """Levels of the pin: a start bit, the byte with its lowest bit first, a stop bit."""
    return [0, *(byte >> place & 1 for place in range(8)), 1]


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_uart_tx"))
def test_the_transmitter_holds_each_bit_for_its_clocks(unit: Unit) -> None:
    rng, transmitter, clocks = random.Random(seed_for(61)), BENCH.start(unit), unit["CLOCKS_PER_BIT"]
    transmitter.reset(valid=0)
    pin: list[int] = []  # levels that are still to come
    sent = 0
    while sent < 25:
        resetting = int(rng.random() < 0.0005)
        valid, byte = int(rng.random() < 0.3), rng.choice((0, 255, rng.getrandbits(8)))
        outputs = transmitter.step(rst=resetting, valid=valid, data=byte)
        assert outputs["tx"] == (pin[0] if pin else 1)
        assert outputs["ready"] == (not pin)
        if resetting:
            pin = []
        elif pin:
            pin.pop(0)
        elif valid:
            pin = [level for level in _bits(byte) for _ in range(clocks)]
            sent += 1


def _received(receiver: Simulated, levels: list[int]) -> list[int]:
    """The bytes that a receiver takes from the pin."""
    given = []
    for level in levels:
        outputs = receiver.step(rx=level)
        if outputs["valid"]:
            given.append(outputs["data"])
    return given


def _sent(byte: int, clocks: float, idle: int) -> list[int]:
    """The pin, clock by clock, for a byte and what follows it."""
    edges = [round(clocks * count) for count in range(11)]
    bits = _bits(byte)
    return [bits[place] for place in range(10) for _ in range(edges[place + 1] - edges[place])] + [1] * idle


@pytest.mark.parametrize("drift", [0.0, -0.03, 0.03])
@pytest.mark.parametrize("unit", BENCH.cases("edgeml_uart_rx"))
def test_the_receiver_takes_bytes_from_a_clock_that_drifts(unit: Unit, drift: float) -> None:
    rng, receiver, clocks = random.Random(seed_for(62)), BENCH.start(unit), unit["CLOCKS_PER_BIT"]
    receiver.reset(rx=1)
    content = [0x00, 0xFF, 0x55, 0xAA, *(rng.getrandbits(8) for _ in range(20))]
    levels: list[int] = []
    for byte in content:
        # A sender that is faster leaves the receiver less than half of a stop bit to be ready again.
        levels += _sent(byte, clocks * (1 + drift), rng.choice((0, 0, 1, 3 * clocks)) + (clocks if drift else 0))
    assert _received(receiver, levels + [1] * clocks) == content


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_uart_rx"))
def test_the_receiver_drops_what_is_no_byte(unit: Unit) -> None:
    rng, receiver, clocks = random.Random(seed_for(63)), BENCH.start(unit), unit["CLOCKS_PER_BIT"]
    receiver.reset(rx=1)
    expected = []
    for _ in range(12):
        byte, good = rng.getrandbits(8), rng.getrandbits(8)
        no_stop = [level for level in _bits(byte)[:9] for _ in range(clocks)] + [0] * clocks
        spike = [0] * (clocks // 2 - 1)
        levels = rng.choice((no_stop, spike)) + [1] * (11 * clocks) + _sent(good, clocks, clocks)
        assert _received(receiver, levels) == [good]
        expected.append(good)
        # A reset in the middle of a byte forgets it.
        cut = _sent(byte, clocks, 0)[: rng.randint(clocks, 9 * clocks)]
        assert _received(receiver, cut) == []
        receiver.reset(rx=1)
        assert _received(receiver, [1] * 12 * clocks) == []
    assert len(expected) == 12


@pytest.mark.parametrize("unit", BENCH.cases("edgeml_uart_rx"))
def test_the_receiver_samples_each_bit_in_its_middle(unit: Unit) -> None:
    """One clock of another level anywhere but at the samples changes nothing; at a sample it changes that bit."""
    receiver, clocks = BENCH.start(unit), unit["CLOCKS_PER_BIT"]
    levels = _sent(0b01100101, clocks, 3 * clocks)
    middles = {clocks // 2 + clocks * place for place in range(10)}
    for at in range(clocks, 9 * clocks) if clocks < 20 else range(clocks, 9 * clocks, 13):
        receiver.reset(rx=1)
        _received(receiver, [1, 1, 1])
        given = _received(receiver, [level ^ (clock == at) for clock, level in enumerate(levels)])
        flipped = 0b01100101 ^ (1 << at // clocks - 1 if at in middles else 0)
        assert given == [flipped], at
