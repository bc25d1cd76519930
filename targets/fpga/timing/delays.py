"""The delays of kinds of parts. `python -m benchmarks.fpga_timing --fit` prints those that are fitted."""

from __future__ import annotations

from collections.abc import Mapping

from .delay_model import PUBLISHED, DelayModel

__all__ = ["DELAY_MODELS"]

DELAY_MODELS: Mapping[str, DelayModel] = {
    model.name: model
    for model in (
        DelayModel(
            "ecp5", 4, 6, register=0.55, lut=0.24, join=0.25, route=0.78, fan_out=0.053, chain=0.9, carry=0.04,
            block=5.5, multiplier=4.0, size=0.219,
        ),
        DelayModel(
            "ice40-hx", 4, 4, register=0.9, lut=0.4, join=0.0, route=0.839, fan_out=0.0, chain=0.9, carry=0.19,
            block=4.0, multiplier=0.0, size=0.266,
        ),
        DelayModel(
            "ice40-up", 4, 4, register=2.3, lut=1.2, join=0.0, route=2.763, fan_out=0.0, chain=2.2, carry=0.4,
            block=8.0, multiplier=0.0, size=0.654,
        ),
        DelayModel(
            "lut4", 4, 4, register=2.3, lut=1.2, join=0.0, route=2.6, fan_out=0.1, chain=2.2, carry=0.4,
            block=8.0, multiplier=0.0, size=0.654,
        ),
        DelayModel(
            "xc7", 6, 8, register=0.6, lut=0.15, join=0.2, route=0.75, fan_out=0.08, chain=0.6, carry=0.03,
            block=3.0, multiplier=4.0, size=0.08, origin=PUBLISHED,
        ),
        DelayModel(
            "xcup", 6, 8, register=0.2, lut=0.12, join=0.1, route=0.35, fan_out=0.04, chain=0.3, carry=0.012,
            block=1.6, multiplier=2.0, size=0.03, origin=PUBLISHED,
        ),
    )
}  # fmt: skip
