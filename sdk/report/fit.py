"""Does it fit: what the artifact takes of what the part has, and where it goes, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..metrics import Amount, TargetMetrics, modelled_said
from ..metrics.json_values import amount, number
from .any_value import any_value
from .blocks import Bars, Block, Budget, Details, Group, Heading, Line, Pairs, Section, share_of
from .synthesis import clock_said
from .text import text, words

__all__ = ["Resource", "cost_section", "fitting", "margin", "resources", "resources_section"]

_NAMES = {"luts": "LUT", "flip_flops": "flip-flops", "block_rams": "block RAM", "dsps": "DSP"}
_COSTS = {
    "instructions": "instructions",
    "luts": "LUT",
    "flip_flops": "flip-flops",
    "block_rams": "block RAM",
    "dsps": "DSP",
    "constant_bytes": "bytes of constants",
    "code_bytes": "bytes of code",
}
_SHOWN_ELSEWHERE = frozenset(
    {
        "estimate",
        "estimate_low",
        "estimate_high",
        "budget",
        "layers",
        "arena_in_use",
        "sections",
        "cycles",
        "latency_us",
        "instructions",
        "flash_bytes",
        "ram_bytes",
        "modelled",
        "modelled_by",
    }
)


@dataclass(frozen=True)
class Resource:
    """One thing that a part has: how much of it is used, and how much there is (None: no budget)."""

    name: str
    used: float
    budget: float | None
    unit: str = ""
    source: str = ""

    @property
    def share(self) -> float | None:
        """used / budget."""
        return share_of(self.used, self.budget)


def resources(target: TargetMetrics, part: Mapping[str, Any], others: Mapping[str, Amount]) -> list[Resource]:
    """What the target counted, beside the budget of the part's profile.

    part : the profile's values. others : figures with a budget that others than the target gave, by name.
    """
    counted = target.synthesis.cells if target.synthesis is not None else {}
    found = []
    for key, budget in target.budget.items():
        name, placed = _NAMES.get(key, key), target.placed.cells.get(key)
        if placed is not None:
            found.append(Resource(name, placed.used, placed.available, source="placed by nextpnr"))
        elif key in counted:
            found.append(Resource(name, counted[key], budget, source="counted by yosys"))
        elif key in target.estimate:
            found.append(Resource(name, target.estimate[key], budget, source=_estimated(target, key)))
    if target.flash_bytes is not None:
        found.append(Resource("flash", target.flash_bytes, amount(part.get("flash_bytes")), " bytes", "linked"))
    if target.ram_bytes is not None:
        whole = target.ram_bytes + (target.stack_bytes or 0)
        found.append(Resource("RAM with stack", whole, amount(part.get("ram_bytes")), " bytes", "linked"))
    for name, bar in (*others.items(), *target.bars.items()):
        found.append(Resource(name.replace("_", " "), bar.used, bar.available))
    return found


def _estimated(target: TargetMetrics, key: str) -> str:
    """That a figure is an estimate, the interval that the design is held to lie in, and how far estimates were off."""
    low, high, error = target.estimate_low.get(key), target.estimate_high.get(key), target.estimate_error
    if low is None or high is None or low == high:
        return f"estimated ({error})" if error else "estimated"
    between = f"{_NAMES.get(key, key)} estimated, {low:,.0f} to {high:,.0f}"
    return f"{between} ({error})" if error else between


def margin(target: TargetMetrics, kind: str, part: Mapping[str, Any]) -> str:
    """What to say of the fit beside shares: time on the part, or that there is nothing to exceed."""
    if kind == "cpu":
        return "A CPU has no limit here; the constants are counted below."
    if kind == "neuromorphic":
        return "All rules of the chip hold: a bundle is written only then."
    instructions, clock = target.instructions, number(part.get("clock_hz"))
    if instructions and (said := modelled_said(target.modelled)):
        at = f" at {clock / 1e6:g} MHz" if clock else ""
        return f"{instructions:,.0f} instructions; {said}{at}, {target.modelled_by or 'by model'}."
    if instructions and clock:
        alone = f"{instructions / clock * 1e6:.4g} µs"
        return f"{instructions:,.0f} instructions; at {clock / 1e6:g} MHz and one a cycle, {alone}."
    if said := clock_said(target):
        return f"{said[0].upper()}{said[1:]}."
    return ""


def fitting(resources: Sequence[Resource], margin: str) -> Line:
    """The line on whether it fits."""
    shares = [(resource.share, resource.name) for resource in resources if resource.share is not None]
    if not shares:
        return ("plain", "No budget to keep.", margin) if margin else ("plain", "", "")
    share, name = max(shares)
    over = [name for share, name in shares if share > 1]
    if over:
        return "bad", "Does not fit.", f"Past the budget: {', '.join(over)}."
    left = f"{1 - share:.1%} left of the scarcest, {name}." if share else "Nothing that the part counts is used."
    return "good", "Fits.", f"{left} {margin}".strip()


def resources_section(description: str, found: list[Resource]) -> Section:
    """Bars against the part's budget."""
    budgets = [Budget(item.name, item.used, item.budget, item.unit) for item in found]
    sources = sorted({item.source for item in found if item.source})
    lead = f"{description}. Figures: {', '.join(sources)}." if sources else ""
    return Section("Does it fit?", [Group("budgets", budgets)], lead)


def cost_section(target: TargetMetrics) -> Section:
    """Cost by layer and by section of the memory, and whatever else the target says."""
    parts: list[Block] = []
    for key, label in _COSTS.items():
        costs = target.layer_costs(key)
        if whole := sum(costs.values()):
            rows = [(name, float(cost), f"{text(cost)} · {cost / whole:.0%}") for name, cost in costs.items()]
            parts.append(Bars(rows, f"{label} by layer"))
    parts.append(_clocks(target))
    parts.append(_memory(target))
    parts.append(Bars([(n, float(a), text(int(a))) for n, a in target.sections.items()], "bytes by section"))
    rest = {
        key: item
        for key, item in target.as_json().items()
        if key not in _SHOWN_ELSEWHERE and key not in target.bars and item not in ({}, [], None)
    }
    said: list[Block] = [Pairs({key: item for key, item in rest.items() if not isinstance(item, Mapping)})]
    for key, item in rest.items():
        if isinstance(item, Mapping):
            said += [Heading(words(key)), *any_value(item)]
    return Section("Where it goes", [Group("columns", parts), Details("Everything that the target says", said)])


def _clocks(target: TargetMetrics) -> Bars:
    """Clocks that each layer is busy for a frame: layers work at once, so that the longest sets the pace."""
    clocks = target.layer_costs("clocks_per_frame")
    return Bars([(name, float(each), text(each)) for name, each in clocks.items()], "clocks a frame by layer")


def _memory(target: TargetMetrics) -> Bars:
    """Working memory over the layers, in the order that they run in; the whole width is the arena."""
    rows = [(name, float(used), f"{text(used)} bytes") for name, used in target.arena_in_use.items()]
    arena = target.arena_bytes
    return Bars(rows, f"working memory in use by layer{f', of {text(arena)} bytes' if arena else ''}", arena)
