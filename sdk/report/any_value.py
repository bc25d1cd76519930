"""Blocks of any JSON-able value, for figures that nothing here knows by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .blocks import Block, Budget, Heading, Note, Pairs, Table
from .text import words

__all__ = ["any_value"]

_DEEPEST = 8


def any_value(item: Any, depth: int = 0) -> list[Block]:
    """{"used", "budget"} a bar, a mapping pairs, mappings of mappings and lists of them tables, else a paragraph."""
    if depth > _DEEPEST:
        return [Note("…")]
    if isinstance(item, Mapping) and {"used", "budget"} <= set(item):
        return [Budget("", item["used"], item["budget"])]
    if isinstance(item, Mapping) and len(item) > 1 and all(_is_row(inner) for inner in item.values()):
        return [_table([{"": key, **inner} for key, inner in item.items()])]
    if isinstance(item, Mapping):
        parts: list[Block] = [Pairs({key: inner for key, inner in item.items() if not _is_nested(inner)})]
        for key, inner in item.items():
            if _is_nested(inner) and inner:
                parts += [Heading(words(key)), *any_value(inner, depth + 1)]
        return parts
    if _is_nested(item) and all(isinstance(row, Mapping) for row in item):
        return [_table(item)]
    return [Note(item)]


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    return Table(tuple(dict.fromkeys(key for row in rows for key in row)), rows)


def _is_row(item: Any) -> bool:
    return isinstance(item, Mapping) and not any(_is_nested(inner) for inner in item.values())


def _is_nested(item: Any) -> bool:
    return isinstance(item, Mapping) or (
        isinstance(item, Sequence) and not isinstance(item, str) and any(isinstance(row, Mapping) for row in item)
    )
