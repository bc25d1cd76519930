"""What the units that join two streams value by value have in common: sums and products of tensors."""

from __future__ import annotations

from .unit import Unit

__all__ = ["TwoStreamsUnit"]


class TwoStreamsUnit(Unit):
    """A module that takes a value of each of its two streams at once, and gives one a clock later."""

    takes_streams = True
    latency = 1

    def parameters(self) -> dict[str, int | str]:
        a, b = self.inputs
        return {
            "LANES": self.pe,
            "A_BITS": a.bits,
            "A_SIGNED": int(a.signed),
            "B_BITS": b.bits,
            "B_SIGNED": int(b.signed),
            "OUTPUT_BITS": self.output.bits,
        }
