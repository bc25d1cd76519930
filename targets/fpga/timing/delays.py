"""The delays of kinds of parts. `python -m benchmarks.fpga_timing --fit` prints those that are fitted."""

from __future__ import annotations

from collections.abc import Mapping

from .delay_model import ESTIMATED, PUBLISHED, DelayModel

__all__ = ["DELAY_MODELS"]

DELAY_MODELS: Mapping[str, DelayModel] = {
    model.name: model
    for model in (
        DelayModel(
            "ecp5", 4, 7, register=0.9, lut=0.24, join=0.21, route=0.9, fan_out=0.0, chain=0.87, carry=0.035,
            block=5.5, multiplier=6.5, size=0.12, inverter=1.0,
        ),
        DelayModel(
            "ice40-hx", 4, 4, register=1.5, lut=0.37, join=0.0, route=0.75, fan_out=0.0, chain=0.82, carry=0.13,
            block=3.85, multiplier=0.0, size=0.1, inverter=0.97,
        ),
        DelayModel(
            "ice40-up", 4, 4, register=4.2, lut=1.2, join=0.0, route=2.25, fan_out=0.0, chain=2.6, carry=0.28,
            block=9.5, multiplier=0.0, size=0.06, inverter=3.0,
        ),
        DelayModel(
            "nexus", 4, 5, register=0.55, lut=0.21, join=0.1, route=0.2, fan_out=0.01, chain=0.53, carry=0.02,
            block=3.5, multiplier=3.5, size=0.092, inverter=0.5,
        ),
        DelayModel(
            "gowin", 4, 8, register=0.27, lut=0.42, join=0.1, route=0.3, fan_out=0.0, chain=1.02, carry=0.04,
            block=3.5, multiplier=4.0, size=0.125,
        ),
        DelayModel(
            "lut4", 4, 4, register=2.3, lut=1.2, join=0.0, route=2.6, fan_out=0.1, chain=2.2, carry=0.4,
            block=8.0, multiplier=0.0, size=0.654, origin=ESTIMATED,
        ),
        # Figures out of Vivado's timing reports that FloPoCo publishes for its targets Kintex7 and VirtexUltrascalePlus
        # (xcvu3p-2): table of six inputs 0.119 and 0.148 ns, register 0.216 and 0.15, a sum 0.543 and 0.292 without its
        # ways, 0.012 and 0.005 for a bit of carry, a short way 0.5 and 0.18, 1 ns for 65 places reached. Here 1.5 times
        # as much (Artix and Zynq of speed grade -1 are slower than Kintex) and 1.25 times; what a register's setup, the
        # multiplexers of a slice, block RAMs, multipliers and a design's size add is assumed.
        DelayModel(
            "xc7", 6, 8, register=0.6, lut=0.18, join=0.2, route=0.75, fan_out=0.08, chain=0.82, carry=0.018,
            block=3.0, multiplier=4.0, size=0.08, origin=PUBLISHED,
        ),
        DelayModel(
            "xcup", 6, 8, register=0.25, lut=0.185, join=0.1, route=0.23, fan_out=0.06, chain=0.365, carry=0.0065,
            block=1.6, multiplier=2.0, size=0.04, origin=PUBLISHED,
        ),
    )
}  # fmt: skip
