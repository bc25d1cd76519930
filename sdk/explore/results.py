"""From finished trials to the Pareto front, and from a point of the front to a bundle."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from .front import SCHEMA, dominates, non_dominated
from .objectives import QUALITIES, budgets, costs_of, unit
from .study import Record
from .trial import Problem

__all__ = ["beaten_baseline", "command_of", "front_document", "point_named", "remove_unused"]

_MODEL_FILES = {"tflite": "model.tflite"}


def model_file(record: Record) -> str:
    """Where a trial's model lies, relative to the search's folder. A spiking network is made from the quantized one."""
    return f"points/{record.number}/{_MODEL_FILES.get(record.candidate.form, 'network.edgeml')}"


def command_of(folder: Path, model: str, candidate: Mapping[str, Any], data: str) -> str:
    """The command line that converts a point as it stands."""
    words = ["edgeml", "convert", str(folder / model), "--to", candidate["form"], "--target", candidate["target"]]
    for name, value in candidate["options"].items():
        known = name in ("architecture", "encoding")
        words += [f"--{name}", str(value)] if known else ["--option", f"{name}={value}"]
    words += ["--data", data, "-o", str(folder / "bundles" / model.split("/")[1])]
    return " ".join(shlex.quote(word) for word in words)


def front_document(
    folder: Path, problem: Problem, records: Sequence[Record], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of front.json (see `front`). `facts`: seed, data, seconds, failed, sensitivity."""
    feasible = [record for record in records if record.feasible]
    chosen = [feasible[place] for place in non_dominated([costs_of(r.outcome.values) for r in feasible])]
    chosen.sort(key=lambda record: (costs_of(record.outcome.values), record.number))
    baselines = [record for record in records if record.candidate.baseline and not record.outcome.stopped]
    shown = {record.number for record in (*chosen, *baselines)}
    stops = [record.outcome.stopped for record in records]

    def point(record: Record) -> dict[str, Any]:
        model, candidate = model_file(record), record.candidate.as_json()
        return {
            "number": record.number,
            "values": _values(problem, record),
            "estimates": dict(record.outcome.estimates),
            "quality": {"validation": dict(record.outcome.validation), "test": record.outcome.test},
            "candidate": candidate,
            "model": model,
            "command": command_of(folder, model, candidate, str(facts["data"]["path"])),
            "baseline": record.candidate.baseline,
        }

    limits = []
    for constraint in problem.constraints:
        for profile in problem.profiles.values():
            limit = constraint.absolute(budgets(profile))
            of_target = f" on {profile.name}" if len(problem.profiles) > 1 and constraint.percent else ""
            if limit is not None:
                limits.append(f"{constraint.name} {'<=' if constraint.at_most else '>='} {limit:g}{of_target}")
    return {
        "schema": SCHEMA,
        "target": list(problem.profiles),
        "data": facts["data"],
        "seed": problem.seed,
        "objectives": [
            {"name": name, "direction": "maximize" if name in QUALITIES else "minimize", "unit": unit(name)}
            for name in problem.objectives
        ],
        "constraints": list(dict.fromkeys(limits)),
        "budgets": {name: budgets(profile) for name, profile in problem.profiles.items()},
        "trials": {
            "finished": stops.count(""),
            "stopped_early": stops.count("dominated"),
            "too_large": stops.count("too_large"),
            "failed": facts["failed"],
        },
        "seconds": round(float(facts["seconds"]), 1),
        "sensitivity": facts["sensitivity"],
        "points": [point(record) for record in chosen],
        "baselines": [point(record) for record in baselines],
        "others": [
            {"number": record.number, "values": _values(problem, record), "stopped": record.outcome.stopped}
            for record in records
            if record.number not in shown
        ],
    }


def _values(problem: Problem, record: Record) -> dict[str, float]:
    return dict(zip(problem.objectives, record.outcome.values, strict=True))


def remove_unused(folder: Path, document: Mapping[str, Any]) -> None:
    """Remove the models of trials that are neither on the front nor given by hand: none can come back to it."""
    kept = {str(point["number"]) for point in (*document["points"], *document["baselines"])}
    points = folder / "points"
    for entry in points.iterdir() if points.is_dir() else ():
        if entry.name not in kept and entry.name.isdigit():
            shutil.rmtree(entry)


def beaten_baseline(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The point that beats the design given by hand by most in the first cost, and that design; None if none does.

    The design given by hand stands in the arrangement that is cheapest in that cost. The point must be nowhere worse
    in any objective, by the validation samples that the search saw.
    """
    names = [objective["name"] for objective in document["objectives"]]

    def costs(point: Mapping[str, Any]) -> tuple[float, ...]:
        return costs_of([point["values"][name] for name in names])

    if not document["baselines"]:
        return None
    baseline = min(document["baselines"], key=lambda each: (costs(each)[1], costs(each)))
    points = [
        point
        for point in document["points"]
        if not point["baseline"] and dominates(costs(point), costs(baseline)) and costs(point)[1] < costs(baseline)[1]
    ]
    if not points:
        return None
    return {"point": min(points, key=lambda each: costs(each)[1]), "baseline": baseline, "cost": names[1]}


def point_named(document: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The point called so, of the front or of the designs given by hand."""
    for point in (*document["points"], *document["baselines"]):
        if point["number"] == number:
            return dict(point)
    known = ", ".join(str(point["number"]) for point in document["points"]) or "none"
    raise InputError(f"point {number}", "is not on the front", f"On it: {known}")
