"""Does it fit: what the artifact takes of what the part has, and where it goes, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from .markup import bars, budget_bar, number, pairs, section, share_of, text, value
from .synthesis import clock_said, placed_cell

__all__ = ["Resource", "cost_section", "margin", "resources", "resources_section"]

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
    {"estimate", "budget", "layers", "sections", "cycles", "latency_us", "instructions", "flash_bytes", "ram_bytes"}
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


def _mapping(item: Any) -> Mapping[str, Any]:
    return item if isinstance(item, Mapping) else {}


def _estimated(target: Mapping[str, Any]) -> str:
    """That a figure is an estimate, and how far such were off, where the target says so."""
    error = target.get("estimate_error")
    return f"estimated ({error})" if isinstance(error, str) and error else "estimated"


def resources(manifest: Mapping[str, Any]) -> list[Resource]:
    """What the target counted, beside the budget of the part's profile."""
    metrics, part = manifest.get("metrics", {}), _mapping(manifest["target"].get("values"))
    target = _mapping(metrics.get("target"))
    synthesized = _mapping(_mapping(target.get("synthesis")).get("cells"))
    found = []
    for key, budget in _mapping(target.get("budget")).items():
        estimated, counted = _mapping(target.get("estimate")).get(key), synthesized.get(key)
        placed = placed_cell(target, str(key))
        if placed is not None:
            found.append(Resource(_NAMES.get(str(key), str(key)), placed[0], placed[1], source="placed by nextpnr"))
            continue
        used = counted if number(counted) is not None else estimated
        if used is not None and number(used) is not None:
            source = "counted by yosys" if used is counted and counted is not None else _estimated(target)
            found.append(Resource(_NAMES.get(str(key), str(key)), used, budget, source=source))
    if number(target.get("flash_bytes")) is not None:
        found.append(Resource("flash", target["flash_bytes"], part.get("flash_bytes"), " bytes", "linked"))
    if number(target.get("ram_bytes")) is not None:
        stack = target.get("stack_bytes")
        whole = target["ram_bytes"] + (stack if number(stack) is not None else 0)
        found.append(Resource("RAM with stack", whole, part.get("ram_bytes"), " bytes", "linked"))
    for where in (metrics, target):
        for key, item in where.items():
            if isinstance(item, Mapping) and {"used", "budget"} <= set(item) and number(item["used"]) is not None:
                found.append(Resource(str(key).replace("_", " "), item["used"], item["budget"]))
    return found


def margin(manifest: Mapping[str, Any]) -> str:
    """What to say of the fit beside shares: time on the part, or that there is nothing to exceed."""
    target = _mapping(manifest.get("metrics", {}).get("target"))
    part = _mapping(manifest["target"].get("values"))
    kind = manifest["target"]["kind"]
    if kind == "cpu":
        return "A CPU has no limit here; the constants are counted below."
    if kind == "neuromorphic":
        return "All rules of the chip hold: a bundle is written only then."
    instructions, clock = number(target.get("instructions")), number(part.get("clock_hz"))
    if instructions and clock:
        microseconds = f"{instructions / clock * 1e6:.4g} µs"
        return f"{instructions:,.0f} instructions; at {clock / 1e6:g} MHz and one a cycle, {microseconds}."
    rate, mhz = number(target.get("frames_per_second")), number(target.get("planned_clock_mhz"))
    if said := clock_said(target):
        return f"{said[0].upper()}{said[1:]}."
    if rate and mhz:
        return f"{rate:,.0f} inferences a second at {mhz:g} MHz."
    return ""


def resources_section(manifest: Mapping[str, Any], found: list[Resource]) -> str:
    """Bars against the part's budget."""
    body = "".join(budget_bar(item.name, item.used, item.budget, item.unit) for item in found)
    sources = sorted({item.source for item in found if item.source})
    lead = f"{manifest['target']['description']}. Figures: {', '.join(sources)}." if sources else ""
    return section("Does it fit?", f'<div class="budgets">{body}</div>' if body else "", lead)


def cost_section(manifest: Mapping[str, Any]) -> str:
    """Cost by layer and by section of the memory, and whatever else the target says."""
    target = _mapping(manifest.get("metrics", {}).get("target"))
    layers = {str(name): _mapping(item) for name, item in _mapping(target.get("layers")).items()}
    parts = []
    for key, label in _COSTS.items():
        amounts = [(name, number(item.get(key))) for name, item in layers.items()]
        rows = [(name, amount, text(layers[name][key])) for name, amount in amounts if amount is not None]
        if any(amount for _, amount, _ in rows):
            whole = sum(amount for _, amount, _ in rows)
            parts.append(bars([(n, a, f"{said} · {a / whole:.0%}") for n, a, said in rows], f"{label} by layer"))
    sections = [(str(name), number(size)) for name, size in _mapping(target.get("sections")).items()]
    parts.append(bars([(n, a, text(int(a))) for n, a in sections if a is not None], "bytes by section"))
    body = f'<div class="columns">{"".join(parts)}</div>' if any(parts) else ""
    rest = {
        key: item
        for key, item in target.items()
        if key not in _SHOWN_ELSEWHERE and item not in ({}, [], None) and not _is_resource(item)
    }
    if rest:
        plain = {key: item for key, item in rest.items() if not isinstance(item, Mapping)}
        inner = pairs(plain) + "".join(
            f"<h3>{escape(str(key).replace('_', ' '))}</h3>{value(item)}"
            for key, item in rest.items()
            if isinstance(item, Mapping)
        )
        body += f"<details><summary>Everything that the target says</summary>{inner}</details>"
    return section("Where it goes", body)


def _is_resource(item: Any) -> bool:
    return isinstance(item, Mapping) and {"used", "budget"} <= set(item)
