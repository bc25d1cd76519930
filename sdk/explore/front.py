"""The answer of an exploration: the Pareto front, kept as `front.json` beside the points' models.

`front.json`, schema 1 (JSON object; numbers are finite; nothing in it is ever run):

    schema      1
    target      names of the profiles searched, e.g. ["xczu7ev"]
    data        {"file": name, "sha256": of the data, "labels": [class names] or []}
    seed        int
    objectives  [{"name": "macro_recall", "direction": "maximize", "unit": "%"},
                 {"name": "luts", "direction": "minimize", "unit": ""}, …]
                names are keys of every point's `values`; shares are fractions of 1 there whatever the unit shown;
                the first objective is the quality (`accuracy` or `macro_recall`), the others are costs
    constraints ["luts <= 11520", …]: as applied, in absolute numbers
    budgets     {target: {"luts": 230400, …}}: what each part has, by the names of the costs
    trials      {"finished": n, "stopped_early": n, "too_large": n, "failed": n}
    seconds     of wall clock, all runs of this search together
    sensitivity null, or {"layers": [{"name", "weights": n, "distortion": {"2": d, "4": d, …}}]}: how far the outputs
                 move when the layer's weights alone have so many bits; where a trained model was given
    points      the Pareto front, best quality first: [{
                 "number": k           its name in `edgeml explore DIR --convert K`
                 "values": {objective: number}
                 "estimates": {"luts": …, "latency_us": …, …}   everything that the target's estimate said
                 "quality": {"validation": {"accuracy", "macro_recall"}, "test": {…} or null}
                                       the search saw the validation samples alone; `test` was never used to choose
                 "candidate": {"target", "form", "hidden": [64, 32], "weight_bits": [2, 2, 4], "act_bits": [2, 2],
                               "input_bits": 8, "fan_in": [6, 12, 0] (0: all inputs; []: all everywhere),
                               "options": {"architecture": "folded", …}}
                 "model": "points/12/network.edgeml", relative to front.json
                 "command": "edgeml convert … -o …"
                 "baseline": true for a design given by hand}, …]
    baselines   points of the same form for the designs given by hand, on the front or not
    others      [{"number", "values", "stopped": ""|"dominated"|"too_large"}]: every other trial, for a chart;
                 `stopped` ones were judged by estimates or after a short training
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..system.files import read_json, write_beside

__all__ = ["FRONT", "SCHEMA", "dominates", "non_dominated", "read_front", "write_front"]

FRONT = "front.json"
SCHEMA = 1
_LARGEST_FILE = 2**26


def dominates(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether `first` is nowhere worse and somewhere better than `second`; every number is a cost (less is better)."""
    pairs = list(zip(first, second, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def non_dominated(costs: Sequence[Sequence[float]]) -> list[int]:
    """Positions of the rows that no other row dominates; of equal rows the first alone."""
    kept = []
    for position, row in enumerate(costs):
        beaten = any(
            dominates(other, row) or (tuple(other) == tuple(row) and place < position)
            for place, other in enumerate(costs)
            if place != position
        )
        if not beaten:
            kept.append(position)
    return kept


def write_front(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write `front.json` beside its final name and rename it into place; returns its path."""
    path = folder / FRONT
    text = json.dumps({"schema": SCHEMA, **document}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_beside(path, text.encode())
    return path


def read_front(folder: Path) -> dict[str, Any]:
    """The content of a search's `front.json`; InputError where it is missing or not sound."""
    path = folder / FRONT
    document = read_json(path, _LARGEST_FILE, "Name a folder that 'edgeml explore' wrote")
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise InputError(str(path), f"is not of schema {SCHEMA}", "Search again with this version")
    for key in ("objectives", "points", "baselines", "others"):
        entries = document.get(key)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise InputError(str(path), f"needs {key!r}, a list of objects")
    for objective in document["objectives"]:
        if not isinstance(objective.get("name"), str) or objective.get("direction") not in ("maximize", "minimize"):
            raise InputError(str(path), f"holds an objective that is not sound: {objective!r:.120}")
    names = [objective["name"] for objective in document["objectives"]]
    for point in (*document["points"], *document["baselines"], *document["others"]):
        values = point.get("values")
        if (
            not isinstance(point.get("number"), int)
            or not isinstance(values, dict)
            or not all(_finite(values.get(name)) for name in names)
        ):
            raise InputError(str(path), f"holds a point that is not sound: {point!r:.120}")
    return document


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
