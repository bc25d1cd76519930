"""PLLs: dividers by the vendors' formulas, within their limits, and a clear word where there are none."""

from __future__ import annotations

import re

import pytest

from edgeml.errors import InputError
from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import at_clock, budget_of
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.options import read_options
from edgeml.targets.fpga.tops.uart import UartTop, uart_top

from .designs import small_network

_CLOCKS = {
    "icebreaker": (16, 17, 24, 30, 33, 48, 100),
    "hx8k-evn": (16, 36, 72),
    "ulx3s-85": (10, 33, 50, 66, 80, 100, 125),
    "orangecrab": (24, 60, 96),
    "tangnano9k": (9, 13.5, 54, 80),
    "tangnano20k": (13.5, 54, 65, 100),
}


def _made(board: str, mhz: float) -> UartTop:
    network = small_network(3)
    built = build(network, Design("folded", clock_mhz=mhz))
    return uart_top(network, built, built.at_its_clock(budget_of(load_profile(board))))


def _frequencies(text: str, reference: float) -> tuple[float, float, float]:
    """Of the phase detector, the PLL's oscillator and its output, MHz, by the vendors' formulas from the Verilog."""
    value = {name: int(number) for name, number in re.findall(r"\.(\w+)\((\d+)\)", text)}
    if "SB_PLL40" in text:
        detector = reference / (value["DIVR"] + 1)
        vco = detector * (value["DIVF"] + 1)
        return detector, vco, vco / 2 ** value["DIVQ"]
    if "EHXPLLL" in text:
        detector = reference / value["CLKI_DIV"]
        vco = detector * value["CLKFB_DIV"] * value["CLKOS3_DIV"]
        return detector, vco, vco / value["CLKOP_DIV"]
    detector = reference / (value["IDIV_SEL"] + 1)
    output = detector * (value["FBDIV_SEL"] + 1)
    return detector, output * value["ODIV_SEL"], output


_LIMITS = {
    "ice40": ((10, 133), (533, 1066), (16, 275)),
    "ecp5": ((10, 400), (400, 800), (3.125, 400)),
    "GW1N-9C": ((3, 400), (400, 900), (3.125, 450)),
    "GW2A-18C": ((3, 400), (500, 1250), (3.90625, 600)),
}


@pytest.mark.parametrize(("board", "mhz"), [(board, mhz) for board, clocks in _CLOCKS.items() for mhz in clocks])
def test_dividers_give_the_clock_within_the_limits(board: str, mhz: float) -> None:
    budget = budget_of(load_profile(board))
    assert budget.board is not None
    top = _made(board, mhz)
    text = top.files[f"{top.outermost}.v"].decode()
    found = _frequencies(text, budget.board.clock_hz / 1e6)
    for value, (low, high) in zip(found, _LIMITS.get(budget.package) or _LIMITS[budget.family.name], strict=True):
        assert low <= value <= high
    assert abs(found[2] - mhz) <= 0.02 * mhz
    assert top.clock_hz == round(found[2] * 1e6)
    assert f"CLOCK_HZ = 32'd{top.clock_hz}," in top.files[f"{top.name}.v"].decode()
    assert "locked" in text.split(".reset_n(")[1].split("),")[0]
    planned = at_clock(budget, mhz)
    assert planned.clock_mhz * 1e6 == pytest.approx(top.clock_hz)
    # The pin keeps the oscillator's clock: nextpnr derives the PLL's.
    assert f"{budget.board.clock_hz / 1e6:g}" in top.files[top.constraints].decode() or budget.family.name == "gowin"


def test_a_whole_ratio_is_met_exactly() -> None:
    for board, mhz in (("icebreaker", 24), ("ulx3s-85", 50), ("tangnano9k", 54)):
        assert _made(board, mhz).clock_hz == mhz * 1_000_000


def test_the_oscillators_own_clock_needs_no_pll() -> None:
    for given in ({"clock_mhz": 12}, {}):
        budget = read_options(given).at_clock(budget_of(load_profile("icebreaker")))
        assert budget.board is not None
        assert budget.board.pll is None
    assert b"pll" not in _made("icebreaker", 12).files["random_board.v"].lower()


@pytest.mark.parametrize(
    ("board", "mhz", "match"),
    [
        ("icebreaker", 8, r"8 MHz: the PLL of icebreaker cannot make it of 12 MHz \(it gives 16 … 275 MHz\)"),
        ("ulx3s-85", 500, "cannot make it of 25 MHz"),
        (
            "crosslink-nx-evn",
            24,
            r"the oscillator of crosslink-nx-evn has 12 MHz, and PLLs are made for .* not for nexus",
        ),
        ("machxo3-sk", 24, "not for machxo"),
        ("gatemate-evb", 20, "not for gatemate"),
        ("arty-a7", 50, "not for xc7"),
    ],
)
def test_what_no_pll_gives_is_refused_with_what_it_could(board: str, mhz: float, match: str) -> None:
    with pytest.raises(InputError, match=match):
        read_options({"clock_mhz": mhz}).at_clock(budget_of(load_profile(board)))
