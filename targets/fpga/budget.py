"""What an FPGA part offers, out of its profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgeml.errors import InputError
from edgeml.profile import Profile

__all__ = ["FAMILIES", "Budget", "Family", "budget_of"]


@dataclass(frozen=True)
class Family:
    """What parts of a kind have in common.

    Parameters
    ----------
    name : as in profiles. lut_inputs : of a lookup table. block_shapes : (depth, width) of a block RAM.
    synthesis : the yosys command. place : nextpnr's program, or "" where no open tool places this family.
    dsp : whether there are multipliers that yosys maps to.
    folded_share : of a part's lookup tables and flip-flops, what a folded design may be estimated at where the fastest
        is wanted: what can be placed and routed in minutes. On iCE40, carries and flip-flops beside no lookup table
        take logic cells too: a third more than there are tables.
    """

    name: str
    lut_inputs: int
    block_shapes: tuple[tuple[int, int], ...]
    synthesis: str
    place: str
    dsp: bool
    folded_share: float = 0.7


_XILINX_18K = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
FAMILIES = {
    "xcup": Family("xcup", 6, _XILINX_18K, "synth_xilinx -family xcup", "", True),
    "xc7": Family("xc7", 6, _XILINX_18K, "synth_xilinx -family xc7", "", True),
    "ecp5": Family("ecp5", 4, _XILINX_18K, "synth_ecp5", "ecp5", True, 0.35),
    "ice40": Family("ice40", 4, ((2048, 2), (1024, 4), (512, 8), (256, 16)), "synth_ice40", "ice40", False, 0.5),
}


@dataclass(frozen=True)
class Budget:
    """A part: its family, what it has, and the clock that designs are planned for.

    Parameters
    ----------
    luts, flip_flops, block_rams (of 18 kbit; iCE40: of 4 kbit), dsps : counts. clock_mhz : planned clock.
    device, package : nextpnr's names, or "". speed : speed grade, or "".
    part : the vendor's name.
    """

    family: Family
    luts: int
    flip_flops: int
    block_rams: int
    dsps: int
    clock_mhz: float
    part: str
    device: str = ""
    package: str = ""
    speed: str = ""


def budget_of(profile: Profile) -> Budget:
    """The budget in a profile; InputError naming the key where one is missing or of a wrong kind."""
    where = f"target {profile.name}"
    if profile.kind != "fpga":
        raise InputError(where, f"is of kind {profile.kind!r}, not fpga")
    values = profile.values
    family = values.get("family")
    if family not in FAMILIES:
        raise InputError(where, f"family {family!r} is not known", f"Known: {', '.join(FAMILIES)}")
    counts = {}
    for key in ("luts", "flip_flops", "block_rams", "dsps"):
        value = values.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10**8:
            raise InputError(where, f"needs {key!r}, a count, found {value!r}")
        counts[key] = value
    clock = values.get("clock_mhz")
    if isinstance(clock, bool) or not isinstance(clock, (int, float)) or not 0 < clock <= 2000:
        raise InputError(where, f"needs 'clock_mhz', a number, found {clock!r}")
    texts = {}
    for key in ("part", "device", "package", "speed"):
        text = values.get(key, "")
        if not isinstance(text, str) or len(text) > 64 or not all(c.isalnum() or c in "-_." for c in text):
            raise InputError(where, f"{key!r} must be a name, found {text!r}")
        texts[key] = text
    given: dict[str, Any] = {**counts, **texts}
    return Budget(FAMILIES[family], clock_mhz=float(clock), **given)
