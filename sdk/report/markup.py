"""HTML out of values: text, tables, pairs and bars. Everything that comes from a model passes through `text`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ..metrics.json_values import number

__all__ = ["MOST_ROWS", "bars", "budget_bar", "pairs", "section", "share_of", "table", "text", "value"]

MOST_ROWS = 200
"""Rows that a table shows; what is more is counted in a note."""
_LONGEST_TEXT = 2000
_LONG = 28
_PROOF = {"proved": "good", "refuted": "bad", "not proved": "warn", "out of time": "warn"}
_STATUS = {"exact": "good", "mismatch": "bad", "error": "bad", "unavailable": "warn", **_PROOF}


def text(item: Any) -> str:
    """One value as escaped text: integers with separators, fractions to four digits."""
    if isinstance(item, bool) or item is None:
        return {True: "yes", False: "no", None: "–"}[item]
    if isinstance(item, int):
        return f"{item:,}".replace("-", "−") if abs(item) < 10**30 else "a very large integer"
    if isinstance(item, float):
        if math.isfinite(item) and 1000 <= abs(item) < 1e12:
            return f"{item:,.0f}".replace("-", "−")
        return f"{item:.4g}".replace("-", "−")
    if isinstance(item, Mapping):
        return escape(", ".join(f"{key} {inner}" for key, inner in item.items())[:_LONGEST_TEXT])
    if isinstance(item, Sequence) and not isinstance(item, str):
        shown = ", ".join(str(inner) for inner in item[:MOST_ROWS])
        return escape(shown[:_LONGEST_TEXT]) + (f" … {len(item) - MOST_ROWS} more" if len(item) > MOST_ROWS else "")
    whole = str(item)
    return escape(whole if len(whole) <= _LONGEST_TEXT else whole[:_LONGEST_TEXT] + "…")


def words(key: Any) -> str:
    """A key of a mapping as words."""
    return str(key).replace("_", " ").strip()


def section(title: str, body: str, lead: str = "") -> str:
    """A section with a heading, or nothing where `body` is empty; `lead` is a sentence under the heading."""
    if not body:
        return ""
    said = f'<p class="lead">{escape(lead)}</p>\n' if lead else ""
    return f"<section>\n<h2>{escape(title)}</h2>\n{said}{body}\n</section>\n"


def table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], label: str = "") -> str:
    """A table in a box of its own that scrolls sideways; at most `MOST_ROWS` rows, the rest counted."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{escape(words(column))}</th>' for column in columns)
    body = []
    for row in rows[:MOST_ROWS]:
        cells = []
        for column in columns:
            item = row.get(column, "")
            style = "number" if isinstance(item, (int, float)) and not isinstance(item, bool) else ""
            if column == "status":
                style = _STATUS.get(str(item), style)
            said = text(item)
            if not style and len(said) > _LONG:
                style = "long"
            cells.append(f'<td class="{style}">{said}</td>' if style else f"<td>{said}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>\n")
    more = f'<p class="soft">… and {len(rows) - MOST_ROWS:,} more rows.</p>' if len(rows) > MOST_ROWS else ""
    named = f' aria-label="{escape(label)}"' if label else ""
    # A box that scrolls can be reached and scrolled from the keyboard.
    return f'<div class="wide" tabindex="0"><table{named}>\n<tr>{head}</tr>\n{"".join(body)}</table></div>{more}'


def pairs(values: Mapping[str, Any]) -> str:
    """A table of two columns."""
    if not values:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(words(key))}</th><td>{text(item)}</td></tr>\n'
        for key, item in list(values.items())[:MOST_ROWS]
    )
    return f'<div class="wide" tabindex="0"><table class="pairs">\n{rows}</table></div>'


def share_of(used: Any, budget: Any) -> float | None:
    """used / budget, or None where either is not a number or there is no budget."""
    above, below = number(used), number(budget)
    if above is None or below is None or below < 0:
        return None
    return above / below if below else (0.0 if above == 0 else math.inf)


def budget_bar(name: str, used: Any, budget: Any, unit: str = "") -> str:
    """One resource: how much of it is used, the margin, and a bar; 'not bounded' where there is no budget."""
    share = share_of(used, budget)
    if share is None:
        said = f"{text(used)}{escape(unit)}, no budget given"
        return f'<div class="budget"><div><b>{escape(name)}</b><span>{said}</span></div></div>'
    over = share > 1
    percent = f"{share:.1%}" if math.isfinite(share) else "over"
    style = ' class="over"' if over else ""
    return (
        f'<div class="budget"><div><b>{escape(name)}</b>'
        f"<span>{text(used)} of {text(budget)}{escape(unit)} · "
        f'<strong class="{"bad" if over else "good"}">{percent}</strong></span></div>'
        f'<div class="bar"><i{style} style="width:{min(share, 1):.2%}"></i></div></div>'
    )


def bars(rows: Sequence[tuple[str, float, str]], label: str, full: float | None = None) -> str:
    """Horizontal bars (name, value, text beside it) to one scale: the whole width is `full`, else the largest value."""
    if not rows:
        return ""
    largest = full or max(amount for _, amount, _ in rows) or 1.0
    body = "".join(
        f'<div class="row"><span class="name">{escape(name)}</span>'
        f'<span class="track"><i style="width:{max(amount, 0.0) / largest:.2%}"></i></span>'
        f'<span class="amount">{escape(said)}</span></div>\n'
        for name, amount, said in rows[:MOST_ROWS]
    )
    more = f'<p class="soft">… and {len(rows) - MOST_ROWS:,} more.</p>' if len(rows) > MOST_ROWS else ""
    return f'<div class="rows" role="group" aria-label="{escape(label)}"><h3>{escape(label)}</h3>\n{body}</div>{more}'


def value(item: Any, depth: int = 0) -> str:
    """Any JSON-able value: {"used", "budget"} a bar, a mapping pairs, mappings of mappings and lists of them tables."""
    if depth > 8:
        return "<p>…</p>"
    if isinstance(item, Mapping) and {"used", "budget"} <= set(item):
        return budget_bar("", item["used"], item["budget"])
    if isinstance(item, Mapping) and len(item) > 1 and all(_is_row(inner) for inner in item.values()):
        rows = [{"": key, **inner} for key, inner in item.items()]
        return table(tuple(dict.fromkeys(key for row in rows for key in row)), rows)
    if isinstance(item, Mapping):
        plain = {key: inner for key, inner in item.items() if not _is_nested(inner)}
        nested = {key: inner for key, inner in item.items() if _is_nested(inner) and inner}
        parts = [pairs(plain)]
        parts += [f"<h3>{escape(words(key))}</h3>{value(inner, depth + 1)}" for key, inner in nested.items()]
        return "".join(parts)
    if isinstance(item, Sequence) and not isinstance(item, str):
        if item and all(isinstance(row, Mapping) for row in item):
            return table(tuple(dict.fromkeys(key for row in item for key in row)), item)
        return f"<p>{text(item)}</p>"
    return f"<p>{text(item)}</p>"


def _is_row(item: Any) -> bool:
    return isinstance(item, Mapping) and not any(_is_nested(inner) for inner in item.values())


def _is_nested(item: Any) -> bool:
    return isinstance(item, Mapping) or (
        isinstance(item, Sequence) and not isinstance(item, str) and any(isinstance(row, Mapping) for row in item)
    )
