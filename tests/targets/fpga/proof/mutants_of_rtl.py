"""Small changes of emitted Verilog, each from a seed: constants, operators, wires, widths, tables, thresholds."""

from __future__ import annotations

import re

import numpy as np

__all__ = ["KINDS", "mutant"]

KINDS = ("table", "threshold", "operator", "complement", "wire", "width", "constant", "crossing")
_SIGNAL = r"(?:n\d+|in_data|\w+_ch\d+(?:_b\d+)?)(?:_d\d+)?"


def _places(kind: str, text: str) -> list[tuple[int, int, str]]:
    """(start, end, other text) of all that can be changed in one way."""
    found = []
    if kind == "table":
        for match in re.finditer(r"= (\d+)'h([0-9a-f]+);", text):
            for bit in range(int(match[1])):
                changed = int(match[2], 16) ^ (1 << bit)
                found.append((match.start(2), match.end(2), f"{changed:0{len(match[2])}x}"))
    elif kind == "threshold":
        for match in re.finditer(r", (\d+)'d(\d+)\)", text):
            for step in (-1, 1):
                changed = (int(match[2]) + step) % (1 << int(match[1]))
                found.append((match.start(2), match.end(2), str(changed)))
    elif kind == "operator":
        for match in re.finditer(r" ([&|^+]) ", text):
            found += [(match.start(1), match.end(1), other) for other in "&|^" if other != match[1]]
    elif kind == "complement":
        for match in re.finditer(rf"[{{ ](~?){_SIGNAL}(?:\[\d+(?::\d+)?\])?(?=[,}}])", text):
            found.append((match.start(1), match.end(1), "" if match[1] else "~"))
    elif kind == "wire":
        for match in re.finditer(rf"[{{ ]~?{_SIGNAL}\[(\d+)\](?=[,}}])", text):
            if int(match[1]):
                found.append((match.start(1), match.end(1), str(int(match[1]) - 1)))
    elif kind == "width":
        for match in re.finditer(rf"[{{ ](~?{_SIGNAL}\[\d+\])(?=[,}}])", text):
            found.append((match.start(1), match.end(1), "1'b0"))
    elif kind == "constant":
        for match in re.finditer(r"\d'b([01]+)(?=[,}])", text):
            for place in range(match.start(1), match.end(1)):
                found.append((place, place + 1, str(1 - int(text[place]))))
    elif kind == "crossing":
        for match in re.finditer(r" = \w+_at_\d+\[(\d+):(\d+)\];", text):
            if int(match[2]):
                found.append((match.start(1), match.end(2), f"{int(match[1]) - 1}:{int(match[2]) - 1}"))
    return [each for each in found if _counts(text[text.rfind("\n", 0, each[0]) + 1 : each[0]])]


def _counts(before: str) -> bool:
    """Whether a place counts by what stands before it in its line: not in comments, nor in the line of each module that
    lists for linters what no output depends on."""
    return "//" not in before and "wire unused" not in before


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
