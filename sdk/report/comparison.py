"""Several bundles side by side: what each answers, whether it is exact, what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..metrics import Answers, TargetMetrics
from ..metrics.json_values import mapping
from ..network import Network
from .answer import exact_share, figures
from .blocks import Block, Figure, Group, Head, Page, Section
from .chart import Scatter
from .drawing import draw

__all__ = ["Compared", "SideBySide", "render_comparison"]

Compared = tuple[str, Mapping[str, Any], Network]
"""A bundle: the name that it is shown by, its manifest, its network."""

_QUALITIES = (("accuracy", "accuracy", ".2%"), ("r2", "R²", ".4f"), ("mae", "mean absolute error", ".4g"))
_MORE_IS_BETTER = ("accuracy", "R²", "answers as the float model", "clock reached")
_COSTS = ("LUT", "instructions an inference", "bytes of flash", "bytes of constants")

_Row = dict[str, tuple[str, float | None]]
"""By bundle: what is shown, and the number that it is compared by (None: it is not)."""


def render_comparison(bundles: Sequence[Compared]) -> str:
    """One HTML text about `bundles`, of which each has a name of its own."""
    names = [name for name, _, _ in bundles]
    rows: dict[str, _Row] = {}
    for name, manifest, network in bundles:
        for what, shown in _figures(manifest, network).items():
            rows.setdefault(what, {})[name] = shown
    hashes = {str(mapping(manifest.get("data")).get("sha256", "")) for _, manifest, _ in bundles}
    comparable = len(hashes) == 1 and hashes != {""}
    lead = (
        "The best of each row is marked, where all have it."
        if comparable
        else "They were not all judged on the same data: qualities cannot be compared."
    )
    cells = [(what, _cells(names, row, what, comparable)) for what, row in rows.items()]
    blocks = [
        Head(f"{len(bundles)} bundles side by side"),
        Section("Figures", [SideBySide(names, cells)], lead),
        Section("What quality costs", [Group("figures", _charts(names, rows) if len(hashes) == 1 else ())]),
    ]
    return draw(Page(f"{', '.join(names)} side by side", blocks))


def _figures(manifest: Mapping[str, Any], network: Network) -> _Row:
    """What there is to say of a bundle, by what it is."""
    metrics = mapping(manifest.get("metrics"))
    target, answers = TargetMetrics.from_json(metrics.get("target")), Answers.from_json(metrics)
    verdicts = manifest.get("verification", [])
    dense = [node.layer for node in network.layers if node.layer.multiplications]
    found: _Row = {
        "form": (str(manifest["form"]), None),
        "target": (str(manifest["target"]["name"]), None),
        "inputs and outputs": (f"{network.input_size} → {network.output_size}", None),
        "layers with weights": (f"{len(dense)}", None),
        "weights": (f"{sum(layer.multiplications for layer in dense):,}", None),
        "bits of weights": (f"{sum(layer.weight_memory for layer in dense):,}", None),
        "executors exact": (exact_share(verdicts), None),
    }
    for key, title, form in _QUALITIES:
        for source, share in answers.qualities[key].items():
            found[f"{title}, {source}"] = (f"{share:{form}}", share)
    if answers.agreement is not None:
        found["answers as the float model"] = (f"{answers.agreement:.2%}", answers.agreement)
    for resource, amount in target.estimate.items():
        found[_resource(resource)] = (f"{amount:,}", float(amount))
    for said, what in figures(target):
        found[what] = (said, _number(said))
    return found


def _resource(name: str) -> str:
    return {"luts": "LUT", "flip_flops": "flip-flops", "block_rams": "block RAM", "dsps": "DSP"}.get(name, name)


def _number(said: str) -> float | None:
    try:
        return float(said.split()[0].replace(",", "").replace("−", "-"))
    except ValueError:
        return None


def _best(row: _Row, names: Sequence[str], what: str, comparable: bool) -> float | None:
    """The value of a row that is marked; None where nothing is, as in rows of which all are equal."""
    better = max if what.startswith(_MORE_IS_BETTER) else min
    is_quality = what.startswith((*(title for _, title, _ in _QUALITIES), "answers as"))
    values = [row[name][1] for name in names if name in row]
    known = [value for value in values if value is not None]
    if len(known) < len(names) or len(set(known)) == 1 or (is_quality and not comparable):
        return None
    return better(known)


@dataclass(frozen=True)
class SideBySide(Block):
    """A column for each bundle; of each row what it is, and (text, whether it is the best) by bundle."""

    template = "side_by_side.html"
    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[str, bool]]]]


def _cells(names: Sequence[str], row: _Row, what: str, comparable: bool) -> list[tuple[str, bool]]:
    best = _best(row, names, what, comparable)
    shown = [row.get(name, ("–", None)) for name in names]
    return [(said, best is not None and value == best) for said, value in shown]


def _charts(names: Sequence[str], rows: Mapping[str, _Row]) -> list[Figure]:
    """The integer network's quality over each cost that all bundles have."""
    found = []
    quality = next((f"{title}, integer" for _, title, _ in _QUALITIES[:2] if f"{title}, integer" in rows), "")
    for cost in _COSTS:
        points = []
        for name in names:
            x, y = (rows.get(what, {}).get(name, ("", None))[1] for what in (cost, quality))
            if x is not None and y is not None:
                points.append((x, y, name))
        if len(points) == len(names):
            found.append(Figure(f"{quality} over {cost}", Scatter.of(cost, [], points, cost, quality)))
    return found
