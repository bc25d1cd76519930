"""Small changes of emitted Verilog, each from a seed: constants, operators, wires, widths, tables, thresholds."""

from __future__ import annotations

import re

import numpy as np

__all__ = ["KINDS", "mutant"]

KINDS = ("table", "threshold", "operator", "complement", "wire", "width", "constant")


def _places(kind: str, text: str) -> list[tuple[int, int, str]]:
    """(start, end, other text) of all that can be changed in one way."""
    found = []
    body = text.index("// ---- stage 0") if "// ---- stage 0" in text else text.index("wire [")
    if kind == "table":
        for match in re.finditer(r"= (\d+)'h([0-9a-f]+);", text[:body]):
            for bit in range(int(match[1])):
                changed = int(match[2], 16) ^ (1 << bit)
                found.append((match.start(2), match.end(2), f"{changed:0{len(match[2])}x}"))
    elif kind == "threshold":
        for match in re.finditer(r"_x, (\d+)'d(\d+)\)", text):
            for step in (-1, 1):
                changed = (int(match[2]) + step) % (1 << int(match[1]))
                found.append((match.start(2), match.end(2), str(changed)))
    elif kind == "operator":
        for match in re.finditer(r" ([&|^+]) ", text):
            found += [(match.start(1), match.end(1), other) for other in "&|^" if other != match[1]]
    elif kind == "complement":
        for match in re.finditer(r"[{ ](~?)(n\d+(?:_d\d+)?(?:\[\d+\])?|in_data\[\d+\])(?=[,}])", text[body:]):
            start = body + match.start(1)
            found.append((start, start + len(match[1]), "" if match[1] else "~"))
    elif kind == "wire":
        for match in re.finditer(r"\b(n\d+|in_data)\[(\d+)\](?=[,}])", text[body:]):
            if int(match[2]):
                found.append((body + match.start(2), body + match.end(2), str(int(match[2]) - 1)))
    elif kind == "width":
        for match in re.finditer(r"[{ ](~?(?:n\d+(?:_d\d+)?\[\d+\]|in_data\[\d+\]))(?=[,}])", text[body:]):
            found.append((body + match.start(1), body + match.end(1), "1'b0"))
    elif kind == "constant":
        for match in re.finditer(r"1'b([01])(?=[,}])", text[body:]):
            found.append((body + match.start(1), body + match.end(1), str(1 - int(match[1]))))
    # What no output depends on is listed at the end, for linters.
    end = text.find("wire unused")
    return [each for each in found if end < 0 or each[1] <= end]


def mutant(verilog: bytes, seed: int) -> tuple[bytes, str]:
    """One change, and what it was in words."""
    rng = np.random.default_rng(seed)
    text = verilog.decode()
    places: list[tuple[int, int, str]] = []
    kind = ""
    while not places:
        kind = KINDS[int(rng.integers(len(KINDS)))]
        places = _places(kind, text)
    start, end, other = places[int(rng.integers(len(places)))]
    line = text[text.rfind("\n", 0, start) + 1 : text.find("\n", end)].strip()
    return (text[:start] + other + text[end:]).encode(), f"{kind}: {text[start:end]!r} → {other!r} in {line[:90]!r}"
