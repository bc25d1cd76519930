"""The page: the answer first, then why, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from ..inspection import describe_network
from ..network import Network
from .chart import chart

__all__ = ["render"]

_STATUS = {"exact": "good", "mismatch": "bad", "error": "bad", "unavailable": "warn"}
_LAYER_COLUMNS = ("name", "kind", "outputs", "low", "high", "bits", "parameters", "summary")
_OWN_SECTIONS = ("accuracy", "agreement", "charts")


def render(manifest: Mapping[str, Any], network: Network) -> str:
    """The report as one HTML text without any reference to the network.

    Parameters
    ----------
    manifest : a bundle's manifest with `metrics`, `notes` and `verification`. In `metrics`, `accuracy` and
        `agreement` become the headline, each of `charts` (see `chart.chart`) a figure; any other entry a section:
        {"used": …, "budget": …} a bar, a mapping a table of two columns, a list of mappings a table.
    network : the integer network.
    """
    metrics = manifest.get("metrics", {})
    sections = [
        _headline(manifest),
        _section("Verified", _verification(manifest.get("verification", []))),
        _notes(manifest.get("notes", [])),
        *(
            _section(figure["title"], f'<div class="wide">{chart(figure)}</div>')
            for figure in metrics.get("charts", [])
        ),
        *(
            _section(str(key).replace("_", " ").capitalize(), _value(value))
            for key, value in metrics.items()
            if key not in _OWN_SECTIONS and value not in ({}, [], None)
        ),
        _section("Layers", _table(_LAYER_COLUMNS, describe_network(network)["layers"])),
        _section("Made with", _value({key: manifest[key] for key in ("edgeml", "python", "numpy") if key in manifest})),
    ]
    style = (resources.files(__package__) / "style.css").read_text(encoding="utf-8")
    title = escape(f"{manifest['name']}: {manifest['form']} for {manifest['target']['name']}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{''.join(sections)}</body>\n</html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>\n" if body else ""


def _headline(manifest: Mapping[str, Any]) -> str:
    metrics = manifest.get("metrics", {})
    verdicts = manifest.get("verification", [])
    exact = sum(verdict["status"] == "exact" for verdict in verdicts)
    ran = sum(verdict["status"] != "unavailable" for verdict in verdicts)
    cards = [(f"{exact} of {ran}", "executors exact", "good" if exact == ran else "bad")]
    cards += [(f"{value:.2%}", f"accuracy, {key}", "") for key, value in metrics.get("accuracy", {}).items()]
    if "agreement" in metrics:
        cards.append((f"{metrics['agreement']:.2%}", "answers as the float model", ""))
    target = manifest["target"]
    made_for = escape(f"{manifest['form']} for {target['name']}: {target['description']}")
    return (
        f"<h1>{escape(manifest['name'])}</h1>\n"
        f'<p class="soft">{made_for}</p>\n'
        f'<p class="soft">model <code>{escape(manifest["model_hash"])}</code></p>\n<div class="cards">'
        + "".join(
            f'<div class="card"><b class="{style}">{escape(value)}</b><span class="soft">{escape(label)}</span></div>'
            for value, label, style in cards
        )
        + "</div>\n"
    )


def _verification(verdicts: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for verdict in verdicts:
        ran = verdict["status"] in ("exact", "mismatch")
        rows.append(
            {
                "executor": verdict["name"],
                "status": verdict["status"],
                "vectors": verdict["vectors"] if ran else "",
                "mismatches": verdict["mismatches"] if ran else "",
                "layers compared": verdict["layers"] if ran else "",
                "detail": verdict["detail"],
            }
        )
    return _table(("executor", "status", "vectors", "mismatches", "layers compared", "detail"), rows)


def _notes(notes: Sequence[str]) -> str:
    return _section("Good to know", "".join(f"<p>{escape(note)}</p>" for note in notes))


def _value(value: Any) -> str:
    if isinstance(value, Mapping) and {"used", "budget"} <= set(value):
        return _bar(value)
    if isinstance(value, Mapping) and len(value) > 1 and all(_is_row(item) for item in value.values()):
        rows = [{"": key, **item} for key, item in value.items()]
        return _table(tuple(dict.fromkeys(key for row in rows for key in row)), rows)
    if isinstance(value, Mapping):
        plain = {key: item for key, item in value.items() if not _is_nested(item)}
        nested = {key: item for key, item in value.items() if _is_nested(item)}
        parts = [_pairs(plain)] if plain else []
        parts += [
            f"<h3>{escape(str(key).replace('_', ' '))}</h3>{_value(item)}" for key, item in nested.items() if item
        ]
        return "".join(parts)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if value and all(isinstance(row, Mapping) for row in value):
            return _table(tuple(dict.fromkeys(key for row in value for key in row)), value)
        return f"<p>{escape(', '.join(map(str, value)))}</p>"
    return f"<p>{_text(value)}</p>"


def _is_row(value: Any) -> bool:
    return isinstance(value, Mapping) and not any(_is_nested(item) for item in value.values())


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(row, Mapping) for row in value)
    )


def _bar(value: Mapping[str, Any]) -> str:
    used, budget = float(value["used"]), float(value["budget"])
    share = used / budget if budget else 0.0
    over = ' class="over"' if share > 1 else ""
    return (
        f"<p>{_text(value['used'])} of {_text(value['budget'])} ({share:.1%})</p>"
        f'<div class="bar"><i{over} style="width:{min(share, 1):.1%}"></i></div>'
    )


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return escape(", ".join(map(str, value)))
    return escape(str(value))


def _pairs(values: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escape(str(key).replace('_', ' '))}</th><td>{_text(value)}</td></tr>\n"
        for key, value in values.items()
    )
    return f'<div class="wide"><table class="pairs">\n{rows}</table></div>'


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(column.replace('_', ' '))}</th>" for column in columns)
    body = []
    for row in rows:
        cells = []
        for column in columns:
            value = row.get(column, "")
            style = "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
            style = _STATUS.get(str(value), style) if column == "status" else style
            cells.append(f'<td class="{style}">{_text(value)}</td>' if style else f"<td>{_text(value)}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>\n")
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{"".join(body)}</table></div>'
