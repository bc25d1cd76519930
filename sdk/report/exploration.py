"""The page of a search by `edgeml explore`: the Pareto front first, then every point of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..metrics.json_values import number
from .blocks import (
    Bars,
    Block,
    Budget,
    Cards,
    Code,
    Details,
    Figure,
    Group,
    Head,
    Line,
    Page,
    Pairs,
    Section,
    Status,
    Table,
)
from .chart import Scatter
from .drawing import draw
from .text import text

__all__ = ["render_exploration"]

_MOST_POINTS = 60
_NAMES = {
    "luts": "LUTs",
    "dsps": "DSPs",
    "block_rams": "block RAMs",
    "latency_us": "latency",
    "interval_us": "interval",
}


def render_exploration(front: Mapping[str, Any]) -> str:
    """The report of a search as one HTML text; `front` is the content of `front.json` (see `explore/front.py`)."""
    objectives, points = front["objectives"], front["points"]
    targets = _texts(front.get("target"))
    trials = front.get("trials")
    counted = {str(key): item for key, item in trials.items()} if isinstance(trials, Mapping) else {}
    data = front.get("data")
    file = data.get("file", "") if isinstance(data, Mapping) else ""
    names = ", ".join(_named(objective["name"]) for objective in objectives)
    title = f"{len(points)} best designs"
    blocks = [
        Head(title, target=", ".join(targets), about=str(file)),
        Status(_answer(front)),
        Cards(_cards(front, counted)),
        Section(
            "The front", [Group("figures", _charts(front))], f"No design that was tried beats these in all of: {names}."
        ),
        Section("The designs", _points(objectives, points[:_MOST_POINTS], front.get("budgets"))),
        Section(
            "Designs given by hand",
            [_point_table(objectives, front["baselines"])],
            "For comparison; on the front or not.",
        ),
        _sensitivity(front.get("sensitivity")),
        Section("The search", [Pairs(_search(front, counted))]),
    ]
    return draw(Page(f"{title} for {', '.join(targets)}", blocks))


def _texts(item: Any) -> list[str]:
    return [str(each) for each in item] if isinstance(item, list) else [str(item)] if item else []


def _named(name: Any) -> str:
    return _NAMES.get(str(name), str(name).replace("_", " "))


def _amount(objective: Mapping[str, Any], value: Any) -> str:
    found = number(value)
    if found is None:
        return "–"
    unit = objective.get("unit", "")
    if unit == "%":
        return f"{found:.2%}"
    said = text(int(found)) if float(found).is_integer() else text(found)
    return f"{said} {unit}".strip()


def _answer(front: Mapping[str, Any]) -> list[Line]:
    objectives, points = front["objectives"], front["points"]
    if not points or not objectives:
        return [("bad", "No design.", "Nothing met the constraints.")]
    lines: list[Line] = []
    for objective in objectives[:4]:
        pick = max if objective["direction"] == "maximize" else min
        best = pick(points, key=lambda point: point["values"][objective["name"]])
        rest = ", ".join(
            f"{_named(other['name'])} {_amount(other, best['values'][other['name']])}"
            for other in objectives
            if other is not objective
        )
        word = "Best" if objective["direction"] == "maximize" else "Least"
        value = _amount(objective, best["values"][objective["name"]])
        said = f"Design {best['number']}{f'; {rest}' if rest else ''}."
        lines.append(("good", f"{word} {_named(objective['name'])}: {value}.", said))
    return lines


def _cards(front: Mapping[str, Any], counted: Mapping[str, Any]) -> list[tuple[str, str]]:
    cards = [
        (text(number(item) and int(item)), _named(key)) for key, item in counted.items() if number(item) is not None
    ]
    if (seconds := number(front.get("seconds"))) is not None:
        cards.append((f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s", "of search"))
    return cards


def _charts(front: Mapping[str, Any]) -> list[Figure]:
    objectives = front["objectives"]
    if len(objectives) < 2:
        return []
    quality = objectives[0]

    def place(point: Mapping[str, Any], cost: Mapping[str, Any]) -> tuple[float, float]:
        scale = 100.0 if quality.get("unit") == "%" else 1.0
        return float(point["values"][cost["name"]]), scale * float(point["values"][quality["name"]])

    said = _named(quality["name"]) + (", %" if quality.get("unit") == "%" else "")
    drawn = []
    for cost in objectives[1:7]:
        others = [place(point, cost) for point in (*front["others"], *front["baselines"])]
        best = [(*place(point, cost), str(point["number"])) for point in front["points"]]
        unit = f", {cost['unit']}" if cost.get("unit") else ""
        title = f"{_named(quality['name'])} against {_named(cost['name'])}"
        drawn.append(Figure(title, Scatter.of(title, others, best, f"{_named(cost['name'])}{unit}", said)))
    return drawn


def _point_table(objectives: Sequence[Mapping[str, Any]], points: Sequence[Mapping[str, Any]]) -> Table:
    rows = []
    for point in points:
        candidate = point.get("candidate")
        candidate = candidate if isinstance(candidate, Mapping) else {}
        row: dict[str, Any] = {"design": point["number"]}
        row |= {_named(each["name"]): _amount(each, point["values"][each["name"]]) for each in objectives}
        quality = point.get("quality")
        test = quality.get("test") if isinstance(quality, Mapping) else None
        if isinstance(test, Mapping):
            row |= {
                f"{_named(key)}, test": f"{share:.2%}"
                for key, share in ((key, number(item)) for key, item in test.items())
                if share is not None
            }
        row |= {
            "target": candidate.get("target", ""),
            "form": candidate.get("form", ""),
            "hidden": _dashed(candidate.get("hidden")),
            "weight bits": _dashed(candidate.get("weight_bits")),
            "activation bits": _dashed(candidate.get("act_bits")),
            "input bits": candidate.get("input_bits", ""),
            "inputs as": candidate.get("encode", "") or "numbers",
        }
        rows.append(row)
    return Table(tuple(dict.fromkeys(key for row in rows for key in row)), rows, "Designs")


def _dashed(item: Any) -> str:
    return "-".join(str(each) for each in item) if isinstance(item, list) else "" if item is None else str(item)


def _points(objectives: Sequence[Mapping[str, Any]], points: Sequence[Mapping[str, Any]], budgets: Any) -> list[Block]:
    blocks: list[Block] = [_point_table(objectives, points)]
    for point in points:
        candidate, estimates = point.get("candidate"), point.get("estimates")
        target = candidate.get("target") if isinstance(candidate, Mapping) else None
        part = budgets.get(str(target)) if isinstance(budgets, Mapping) else None
        inner: list[Block] = []
        if isinstance(estimates, Mapping):
            bounded = [key for key in estimates if isinstance(part, Mapping) and number(part.get(key)) is not None]
            inner.append(Group("budgets", [Budget(_named(key), estimates[key], part[key]) for key in bounded if part]))
            inner.append(Pairs({key: item for key, item in estimates.items() if key not in bounded}))
        if point.get("command"):
            inner.append(Code("To convert it", text(point["command"])))
        blocks.append(Details(f"Design {point['number']}", inner, style="layer"))
    return blocks


def _sensitivity(found: Any) -> Section:
    layers = found.get("layers") if isinstance(found, Mapping) else None
    rows = []
    for each in layers if isinstance(layers, list) else ():
        by_bits = each.get("distortion") if isinstance(each, Mapping) else None
        if isinstance(by_bits, Mapping) and by_bits:
            bits, value = next(iter(by_bits.items()))
            if (moved := number(value)) is not None:
                rows.append((f"{each.get('name', '')}, {bits} bits", moved, text(moved)))
    lead = "How far the outputs move when a layer alone has the fewest bits: where that is most, bits are worth most."
    return Section("Sensitivity of the layers", [Bars(rows, "distortion")], lead)


def _search(front: Mapping[str, Any], counted: Mapping[str, Any]) -> dict[str, Any]:
    data = front.get("data")
    digest = data.get("sha256", "") if isinstance(data, Mapping) else ""
    return {
        "constraints": "; ".join(_texts(front.get("constraints"))) or "none",
        "seed": front.get("seed", ""),
        **{f"trials {key}": item for key, item in counted.items()},
        "data (SHA-256)": digest,
    }
