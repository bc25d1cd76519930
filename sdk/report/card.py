"""A model card of a bundle: Markdown for people, behind metadata as the Hugging Face Hub reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import printable
from ..metrics import Answers, TargetMetrics, bars_of
from ..metrics.baseline import Baseline
from ..metrics.json_values import mapping
from ..network import Dense, Network, decision_rule
from ..network.task import VALUES
from . import fit
from .answer import figures

__all__ = ["render_card"]

_MARKS = re.compile(r"([\\`*_{}\[\]<>|#~$])")
_QUALITIES = {"accuracy": "accuracy", "r2": "r_squared", "mae": "mae", "mse": "mse"}
"""Our qualities by the names that the Hub has for metrics."""
_MOST_LABELS = 50


def render_card(manifest: Mapping[str, Any], network: Network, dataset: str = "", license_id: str = "") -> str:
    """The card of a bundle.

    Parameters
    ----------
    manifest : the bundle's. network : its integer network.
    dataset : what people call the data that the qualities in the manifest were found on; without it they are in the
        text alone, since the Hub lists a result by the name of its data.
    license_id : the licence of the weights, as the Hub names licences; they are the user's, so there is no default.
    """
    metrics = mapping(manifest.get("metrics"))
    answers, target = Answers.from_json(metrics), TargetMetrics.from_json(metrics.get("target"))
    part = manifest["target"]
    title = f"{_plain(manifest['name'])}, {_plain(manifest['form'])} for {_plain(part['name'])}"
    parts = [
        _metadata(manifest, network, answers, dataset, license_id),
        f"# {title}\n\n{_network(network)}",
        _section("Answers", _answers(answers, Baseline.from_json(metrics.get("baseline")))),
        _section("Exactness", _exactness(manifest)),
        _section("Cost", _cost(manifest, metrics, answers, target)),
        _section("Use", _use(network)),
        _section("Good to know", "\n".join(f"- {_plain(note)}" for note in manifest.get("notes", []))),
        _section("Made with", _made_with(manifest)),
    ]
    return "\n".join(part for part in parts if part)


def _plain(item: Any, most: int = 1000) -> str:
    """Text as Markdown shows it: names in a model may hold its marks."""
    return _MARKS.sub(r"\\\1", printable(item, most))


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body.rstrip()}\n" if body.strip() else ""


def _rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _metadata(manifest: Mapping[str, Any], network: Network, answers: Answers, dataset: str, license_id: str) -> str:
    """The block between two lines of three dashes. Its values are JSON, which YAML takes."""
    kind = "tabular-regression" if network.task == VALUES else "tabular-classification"
    words = ["edgeml", manifest["form"], manifest["target"]["kind"], manifest["target"]["name"]]
    document: dict[str, Any] = {
        "library_name": "edgeml",
        "pipeline_tag": kind,
        "tags": list(dict.fromkeys(printable(word, 60) for word in words)),
    }
    if license_id:
        document["license"] = printable(license_id, 60)
    found = [
        {"type": name, "name": f"{ours}, integers", "value": value}
        for ours, name in _QUALITIES.items()
        if (value := answers.quality(ours, "integer")) is not None
    ]
    if dataset and found:
        data = {
            "name": printable(dataset, 120),
            "type": re.sub(r"[^a-z0-9]+", "-", dataset.lower()).strip("-") or "data",
        }
        result = {"task": {"type": kind}, "dataset": data, "metrics": found}
        document["model-index"] = [{"name": printable(manifest["name"], 120), "results": [result]}]
    lines = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in document.items())
    return f"---\n{lines}---\n"


def _network(network: Network) -> str:
    """One sentence on the network, and what goes in and comes out."""
    dense = [node.layer for node in network.nodes if isinstance(node.layer, Dense)]
    sizes = "-".join(str(size) for size in (network.input_size, *(layer.weight.shape[0] for layer in dense)))
    bits = sorted({layer.weight_bits for layer in dense})
    weights = sum(layer.weight.size for layer in dense)
    quantizer = network.quantizer
    about = f", {sizes}, {weights:,} weights of {_span(bits)}" if dense else ""
    sign = "signed" if quantizer.signed else "unsigned"
    lines = [
        f"An integer network{about}; every artifact beside it computes exactly its integers.\n",
        f"- Input: {network.input_size} values, {sign} integers of {quantizer.bits} bits.",
        f"- Answer: {_plain(decision_rule(network))}.",
    ]
    labels = network.output.labels
    if labels:
        shown = ", ".join(_plain(label, 60) for label in labels[:_MOST_LABELS])
        lines.append(f"- Classes: {shown}{f' and {len(labels) - _MOST_LABELS} more' if labels[_MOST_LABELS:] else ''}.")
    return "\n".join(lines) + "\n"


def _span(bits: Sequence[int]) -> str:
    return f"{bits[0]} bit{'s' if bits[0] > 1 else ''}" if len(bits) == 1 else f"{bits[0]} to {bits[-1]} bits"


def _answers(answers: Answers, baseline: Baseline | None) -> str:
    rows = [
        [name, key, f"{value:.2%}" if name == "accuracy" else f"{value:.4g}"]
        for name, values in answers.qualities.items()
        for key, value in values.items()
    ]
    before = "" if baseline is None else f"{_plain(baseline.headline)} {_plain(baseline.origin)}\n"
    if not rows:
        return before
    said = f"On {answers.judged_on}.\n\n{_rows(['quality', 'of', 'value'], rows)}"
    said += f"\n{before}" if before else ""
    if answers.agreement is not None:
        said += f"\n{answers.agreement:.2%} of answers equal the float model's.\n"
    return said


def _exactness(manifest: Mapping[str, Any]) -> str:
    """What ran, against golden; first of all if nothing of the target did."""
    coverage = mapping(manifest.get("coverage"))
    lead = f"**{_plain(coverage['sentence'])}**\n\n" if coverage.get("sentence") else ""
    rows = [
        [
            _plain(row["name"], 80),
            _plain(row["status"], 40),
            f"{row['vectors']:,}",
            f"{row['mismatches']:,}",
            _plain(row["ran"]),
        ]
        for row in manifest.get("verification", [])
        if row["status"] != "unavailable"
    ]
    return lead + _rows(["executor", "status", "vectors", "mismatches", "what ran"], rows)


def _cost(manifest: Mapping[str, Any], metrics: Mapping[str, Any], answers: Answers, target: TargetMetrics) -> str:
    part = mapping(manifest["target"].get("values"))
    rows = [
        [
            _plain(item.name),
            f"{item.used:,.0f}{item.unit}",
            "" if item.budget is None else f"{item.budget:,.0f}{item.unit}",
            _plain(item.source),
        ]
        for item in fit.resources(target, part, bars_of(metrics))
    ]
    lines = "".join(f"- {_plain(label)}: {_plain(said)}\n" for said, label in figures(target))
    table = _rows(["", "used", "there is", "found how"], rows)
    between = "\n" if rows and lines else ""
    return f"{_plain(manifest['target']['description'])}.\n\n{table}{between}{lines}"


_USE = """```python
import edgeml  # pip install edgeml-exact

bundle = edgeml.load(".")  # every file is checked against its SHA-256
result = bundle.run(x)  # x: [samples, @INPUTS@]; floats are quantized, integers taken as they are
result.integers, result.real@MORE@
```

```sh
edgeml verify .      # runs every artifact that can run here, against the integers
edgeml report . --open
```
"""


def _use(network: Network) -> str:
    more = "" if network.task == VALUES else ", result.classes"
    if network.output.labels:
        more += ", result.labels"
    return _USE.replace("@INPUTS@", str(network.input_size)).replace("@MORE@", more)


def _made_with(manifest: Mapping[str, Any]) -> str:
    options = ", ".join(f"{key} = {value}" for key, value in mapping(manifest.get("options")).items())
    rows = [
        ["edgeml", _plain(manifest.get("edgeml", ""))],
        *([["options", _plain(options)]] if options else []),
        ["model hash (SHA-256)", f"`{printable(manifest.get('model_hash', ''), 64)}`"],
    ]
    return _rows(["", ""], rows)
