"""The PLL of a board's part: which dividers give the clock that is asked for, within what its vendor allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from edgeml.errors import InputError

__all__ = ["PLL_FAMILIES", "Pll", "pll_for"]

_MHZ = 10**6
_MOST_OFF = Fraction(1, 50)
_REMEDY = "Ask for another clock, leave it out, or name the part without a board"


@dataclass(frozen=True)
class Pll:
    """A cell that makes the design's clock of the oscillator's.

    Parameters
    ----------
    cell : its module in the vendor's library. exact_hz : of its output. parameters : of the cell; texts are strings.
    clock_in, clock_out, lock : its ports; lock is high once the output is steady. tied : its other inputs, as Verilog.
    """

    cell: str
    exact_hz: Fraction
    parameters: Mapping[str, int | str]
    clock_in: str
    clock_out: str
    lock: str
    tied: Mapping[str, str] = field(default_factory=dict)

    @property
    def hz(self) -> int:
        """Of its output, rounded."""
        return round(self.exact_hz)


@dataclass(frozen=True)
class _Limits:
    """What a PLL works within, Hz: lowest and highest reference, phase detector, oscillator of its own, output."""

    reference: tuple[int, int]
    detector: tuple[int, int]
    vco: tuple[int, int]
    output: tuple[int, int]


# iCE40 LP/HX and UltraPlus data sheets of Lattice, table "sysCLOCK PLL timing".
_ICE40 = _Limits((10 * _MHZ, 133 * _MHZ), (10 * _MHZ, 133 * _MHZ), (533 * _MHZ, 1066 * _MHZ), (16 * _MHZ, 275 * _MHZ))
# ECP5 data sheet of Lattice, table "sysCLOCK PLL timing".
_ECP5 = _Limits((8 * _MHZ, 400 * _MHZ), (10 * _MHZ, 400 * _MHZ), (400 * _MHZ, 800 * _MHZ), (3_125_000, 400 * _MHZ))
# Data sheets of Gowin, table "PLL parameters", of the slowest grade.
_GOWIN_INPUTS = (3 * _MHZ, 400 * _MHZ)
_GOWIN = {
    "GW1N-9C": _Limits(_GOWIN_INPUTS, _GOWIN_INPUTS, (400 * _MHZ, 900 * _MHZ), (3_125_000, 450 * _MHZ)),
    "GW2A-18C": _Limits(_GOWIN_INPUTS, _GOWIN_INPUTS, (500 * _MHZ, 1250 * _MHZ), (3_906_250, 600 * _MHZ)),
}
_ECP5_LOOP = 2
PLL_FAMILIES = ("ice40", "ecp5", "gowin")
"""Families whose PLL is known here."""


def pll_for(board: str, family: str, die: str, at_pad: bool, reference_hz: int, wanted_hz: float) -> Pll:
    """The PLL whose output is nearest to what is wanted.

    die : nextpnr's name of it, of Gowin's parts. at_pad : whether the oscillator comes in at the pin that the PLL of an
    iCE40 has for itself. InputError where the family's PLL is not known here, or no dividers give within 2 % of what is
    wanted.
    """
    where = "option clock_mhz"
    if family not in PLL_FAMILIES or (family == "gowin" and die not in _GOWIN):
        known, has = ", ".join(PLL_FAMILIES), f"the oscillator of {board} has {reference_hz / _MHZ:g} MHz"
        why = f"PLLs are made for {known} alone, not for {die if family == 'gowin' else family}"
        raise InputError(where, f"{wanted_hz / _MHZ:g} MHz; {has}, and {why}", _REMEDY)
    limits = {"ice40": _ICE40, "ecp5": _ECP5}.get(family) or _GOWIN[die]
    reference, wanted = Fraction(reference_hz), Fraction(wanted_hz)
    offered = {"ice40": _ice40_dividers, "ecp5": _ecp5_dividers, "gowin": _gowin_dividers}[family]
    middle = Fraction(sum(limits.vco), 2)
    best: tuple[Fraction, Fraction, tuple[int, int, int]] | None = None
    if _within(reference, limits.reference) and _within(wanted, limits.output):
        for dividers, detector, vco, output in offered(reference, wanted):
            fits = _within(detector, limits.detector) and _within(vco, limits.vco) and _within(output, limits.output)
            if fits and (best is None or (abs(output - wanted), abs(vco - middle), dividers) < best):
                best = (abs(output - wanted), abs(vco - middle), dividers)
    if best is None or best[0] > wanted * _MOST_OFF:
        low, high = (limit / _MHZ for limit in limits.output)
        said = f"{wanted_hz / _MHZ:g} MHz: the PLL of {board} cannot make it of {reference_hz / _MHZ:g} MHz"
        raise InputError(where, f"{said} (it gives {low:g} … {high:g} MHz)", _REMEDY)
    a, b, c = best[2]
    if family == "ice40":
        return _ice40(reference, a, b, c, at_pad)
    return _ecp5(reference, a, b, c) if family == "ecp5" else _gowin(reference, a, b, c, die)


def _within(value: Fraction, limits: tuple[int, int]) -> bool:
    return limits[0] <= value <= limits[1]


Offer = tuple[tuple[int, int, int], Fraction, Fraction, Fraction]
"""Dividers, and the frequencies that follow: of the phase detector, of the PLL's oscillator, of its output; Hz."""


def _ice40_dividers(reference: Fraction, wanted: Fraction) -> Iterator[Offer]:
    """Output = reference / (DIVR + 1) · (DIVF + 1) / 2^DIVQ (Lattice TN1251, feedback path SIMPLE)."""
    for divr in range(16):
        detector = reference / (divr + 1)
        for divq in range(1, 7):
            for divf in _around(wanted * 2**divq / detector - 1, 127):
                vco = detector * (divf + 1)
                yield (divr, divf, divq), detector, vco, vco / 2**divq


def _ecp5_dividers(reference: Fraction, wanted: Fraction) -> Iterator[Offer]:
    """Output = oscillator / CLKOP_DIV, oscillator = reference / CLKI_DIV · CLKFB_DIV · CLKOS3_DIV (Lattice TN1263); the
    loop is closed inside, by an output of half the oscillator's frequency."""
    for clki in range(1, 129):
        detector = reference / clki
        for clkop in range(1, 129) if detector >= _ECP5.detector[0] else ():
            for clkfb in _around(wanted * clkop / (detector * _ECP5_LOOP), 128):
                vco = detector * clkfb * _ECP5_LOOP
                yield (clki, clkfb, clkop), detector, vco, vco / clkop


def _gowin_dividers(reference: Fraction, wanted: Fraction) -> Iterator[Offer]:
    """Output = reference / (IDIV_SEL + 1) · (FBDIV_SEL + 1), its oscillator ODIV_SEL times that (Gowin UG286)."""
    for idiv in range(64):
        detector = reference / (idiv + 1)
        for fbdiv in _around(wanted / detector - 1, 63):
            output = detector * (fbdiv + 1)
            for odiv in (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128):
                yield (idiv, fbdiv, odiv), detector, output * odiv, output


def _around(value: Fraction, most: int) -> list[int]:
    """The two integers around a value, as far as they lie in 0 … most."""
    low = value.numerator // value.denominator
    return [each for each in (low, low + 1) if 0 <= each <= most]


def _ice40(reference: Fraction, divr: int, divf: int, divq: int, at_pad: bool) -> Pll:
    detector = reference / (divr + 1)
    # As Lattice's tool sets it by the detector's frequency, and Project IceStorm's icepll.
    steps = (17, 26, 44, 66, 101)
    range_ = 1 + sum(detector >= step * _MHZ for step in steps)
    return Pll(
        "SB_PLL40_PAD" if at_pad else "SB_PLL40_CORE",
        detector * (divf + 1) / 2**divq,
        {"FEEDBACK_PATH": "SIMPLE", "DIVR": divr, "DIVF": divf, "DIVQ": divq, "FILTER_RANGE": range_},
        *("PACKAGEPIN" if at_pad else "REFERENCECLK", "PLLOUTGLOBAL", "LOCK"),
        {"RESETB": "1'b1", "BYPASS": "1'b0"},
    )


def _ecp5(reference: Fraction, clki: int, clkfb: int, clkop: int) -> Pll:
    off = ("PLLRST_ENA", "INTFB_WAKE", "STDBY_ENABLE", "DPHASE_SOURCE")
    low = ("RST", "STDBY", "PHASESEL0", "PHASESEL1", "PHASEDIR", "PHASESTEP", "PHASELOADREG", "PLLWAKESYNC", "ENCLKOP")
    outputs: dict[str, int | str] = {}
    for name, divider in (("CLKOP", clkop), ("CLKOS3", _ECP5_LOOP)):
        outputs |= {f"{name}_ENABLE": "ENABLED", f"{name}_DIV": divider, f"{name}_CPHASE": divider - 1}
    return Pll(
        "EHXPLLL",
        reference / clki * clkfb * _ECP5_LOOP / clkop,
        {**dict.fromkeys(off, "DISABLED"), "FEEDBK_PATH": "INT_OS3", "CLKI_DIV": clki, "CLKFB_DIV": clkfb, **outputs},
        *("CLKI", "CLKOP", "LOCK"),
        dict.fromkeys(low, "1'b0"),
    )


def _gowin(reference: Fraction, idiv: int, fbdiv: int, odiv: int, die: str) -> Pll:
    device = {"GW1N-9C": "GW1NR-9C", "GW2A-18C": "GW2AR-18C"}[die]
    selects = {
        **dict.fromkeys(("FBDSEL", "IDSEL", "ODSEL"), "6'd0"),
        **dict.fromkeys(("PSDA", "DUTYDA", "FDLY"), "4'd0"),
    }
    return Pll(
        "rPLL",
        reference / (idiv + 1) * (fbdiv + 1),
        {
            "DEVICE": device,
            "FCLKIN": f"{float(reference / _MHZ):g}",
            "IDIV_SEL": idiv,
            "FBDIV_SEL": fbdiv,
            "ODIV_SEL": odiv,
            **dict.fromkeys(("DYN_IDIV_SEL", "DYN_FBDIV_SEL", "DYN_ODIV_SEL"), "false"),
            "CLKFB_SEL": "internal",
            "CLKOUT_BYPASS": "false",
        },
        *("CLKIN", "CLKOUT", "LOCK"),
        {**dict.fromkeys(("RESET", "RESET_P", "CLKFB"), "1'b0"), **selects},
    )
