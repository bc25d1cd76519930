"""What the UART top around a design costs: the two halves of the UART, the protocol, and what it keeps of a request."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..budget import Family
from ..interface import Interface
from .costs import Cost, constants_of
from .parts import block_rams

__all__ = ["MOST_OFF", "ROW", "estimate_uart", "lower_end", "request_samples", "upper_end"]

ROW = "UART top"
"""What it is called among the layers."""
MOST_OFF = 0.2
"""How far, as a share, lookup tables and flip-flops were off at most over the designs that it was fitted to, and a part
more."""
_MOST_OFF_UNFITTED = 0.6
"""The same for families whose constants are another's."""
_AS_MANY = {"gowin": 1.25, "gatemate": 1.6}
"""How many times as many lookup tables the same top took of them, as yosys counts: one network's, folded."""
_MOST_SAMPLES = 8
_MOST_REQUEST_BYTES = 4096


@dataclass(frozen=True)
class _Fit:
    """Cells of the top.

    Parameters
    ----------
    luts, flip_flops : a constant, and so many for each bit of a word in and of a word out. counters : lookup tables and
    flip-flops for each bit of the numbers of inputs and outputs. block_bits : how many bits a memory has at least, for
    each of its block RAMs, that yosys puts into block RAM.
    """

    luts: tuple[float, float, float]
    flip_flops: tuple[float, float, float]
    counters: tuple[float, float]
    block_bits: int

    def cells(self, words: tuple[int, int], counted: float) -> tuple[float, float]:
        """Lookup tables and flip-flops, of words of so many bits in and out, and so many bits of numbers."""
        luts, flip_flops = (
            constant + a * words[0] + b * words[1] + each * counted
            for (constant, a, b), each in zip((self.luts, self.flip_flops), self.counters, strict=True)
        )
        return luts, flip_flops


# Fitted to the tops of random networks as yosys counts them, their cores left out.
_FITS = {
    "ecp5": _Fit((1410, 4.0, 1.1), (607, 2.1, 0.81), (14.5, 10.3), 950),
    "ice40": _Fit((1310, 3.3, 2.1), (575, 3.4, 3.1), (14.3, 12.4), 60),
    "xilinx": _Fit((910, 4.0, 1.1), (607, 1.0, 0.81), (14.5, 7.0), 950),
}


def request_samples(inputs: int, family: Family) -> int:
    """Most samples of a request. Words as wide as iCE40's narrow block RAMs are not would take many of them."""
    if family.name == "ice40":
        return 1
    return max(1, min(_MOST_SAMPLES, _MOST_REQUEST_BYTES // inputs))


def estimate_uart(interface: Interface, family: Family) -> Cost:
    """Cost of the UART top of a design with these streams, without the design."""
    fit, samples = _FITS[constants_of(family)], request_samples(interface.inputs, family)
    words = (interface.input_bits, interface.output_bits)
    luts, flip_flops = fit.cells(words, math.log2(interface.inputs) + math.log2(interface.outputs))
    blocks = 1  # of what is sent: 255 bytes
    for beats, bits in zip((interface.input_beats, interface.output_beats), words, strict=True):
        taken = block_rams(samples * beats, bits, family)
        blocks += taken if samples * beats * bits > fit.block_bits * taken else 0
    return Cost(luts * _AS_MANY.get(family.name, 1.0), round(flip_flops), blocks, 0)


def lower_end(top: Cost, family: Family) -> Cost:
    """The least that such a top takes."""
    return _moved(top, -(MOST_OFF if family.fitted == family.name else _MOST_OFF_UNFITTED))


def upper_end(top: Cost, family: Family) -> Cost:
    """The most that such a top takes."""
    return _moved(top, MOST_OFF if family.fitted == family.name else _MOST_OFF_UNFITTED)


def _moved(top: Cost, share: float) -> Cost:
    return Cost(top.luts * (1 + share), round(top.flip_flops * (1 + share)), top.block_rams, top.dsps)
