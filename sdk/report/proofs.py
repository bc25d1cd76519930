"""What was proved of a bundle for all inputs, by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..metrics.json_values import mapping, number
from .blocks import Block, Heading, Section, Table

__all__ = ["proofs_section", "proofs_sentence"]


def proofs_sentence(rows: Sequence[Mapping[str, Any]]) -> str:
    """How much is proved, in one sentence; "" where nothing was tried."""
    sound = [mapping(row) for row in rows]
    claims, proved = (sum(_count(row, key) for row in sound) for key in ("claims", "proved"))
    if not claims:
        return ""
    refuted = [str(row.get("part", "")) for row in sound if row.get("status") == "refuted"]
    left = [str(row.get("part", "")) for row in sound if row.get("status") not in ("proved", "refuted")]
    said = f"{proved:,} of {claims:,} claims are proved, each for every input."
    said += f" Refuted: {'; '.join(refuted)}." if refuted else ""
    return said + (f" Not proved or not tried: {'; '.join(left)}." if left else "")


def proofs_section(rows: Any) -> Section:
    """The section of a report: a table for each prover; empty where nothing was proved."""
    found = [mapping(row) for row in rows] if isinstance(rows, list) else []
    blocks: list[Block] = []
    for prover in dict.fromkeys(str(row.get("prover", "")) for row in found):
        lines = [
            {
                "part": row.get("part", ""),
                "status": row.get("status", ""),
                "proved": f"{_count(row, 'proved'):,} of {_count(row, 'claims'):,}" if _count(row, "claims") else "",
                "how": row.get("method", ""),
                "detail": row.get("detail", ""),
            }
            for row in found
            if str(row.get("prover", "")) == prover
        ]
        blocks += [Heading(prover)] if prover else []
        blocks += [Table(["part", "status", "proved", "how", "detail"], lines, f"What {prover} proved")]
    return Section("Proofs", blocks, proofs_sentence(found))


def _count(row: Mapping[str, Any], key: str) -> int:
    return int(number(row.get(key)) or 0)
