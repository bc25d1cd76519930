"""The clock that a design is planned for on a part."""

from __future__ import annotations

from ..budget import FAMILIES, Budget, Family
from .delay_model import DelayModel
from .delays import DELAY_MODELS

__all__ = ["delays_of", "family_of", "planned_clock"]


def delays_of(budget: Budget) -> DelayModel:
    """The delays of a part: those of its series, of its family, or of unnamed parts with such lookup tables."""
    family = budget.family
    names = (f"{family.name}-{budget.device[:2]}", family.name, f"lut{family.lut_inputs}")
    return next(DELAY_MODELS[name] for name in names if name in DELAY_MODELS)


def family_of(delays: DelayModel) -> Family:
    """The family whose lookup tables these delays are of."""
    like = "xcup" if delays.lut_inputs == FAMILIES["xcup"].lut_inputs else "ecp5"
    return FAMILIES.get(delays.name.split("-")[0], FAMILIES[like])


def planned_clock(slowest_path: float, budget: Budget) -> float:
    """MHz: the clock asked for, or what the slowest path of `slowest_path` ns allows if that is less."""
    return min(budget.clock_mhz, round(1e3 / slowest_path, 3))
