"""Small changes of a folded design's files, each from a seed: in memories, in the core, in modules of the library."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from edgeml.errors import ToolFailed
from edgeml.targets.fpga.design import Built
from edgeml.targets.fpga.proof.core_prover import proof_files
from edgeml.targets.fpga.proof.folded.prover import core_of
from edgeml.targets.fpga.proof.folded.refuted import wrong_of_core
from tests.targets.fpga.forms import int8_network
from tests.targets.fpga.layers.test_tables import some_network
from tests.targets.fpga.proof.folded.certified import bytes_network, folded, not_proved, proved
from tests.targets.fpga.proof.proved import mlp

__all__ = ["KINDS", "Judged", "change_of_module", "design", "judged", "mutant"]

KINDS = ("memory", "core", "module")
_OTHERS = {
    "+": ("-",),
    "-": ("+",),
    "&&": ("||",),
    "||": ("&&",),
    "==": ("!=",),
    "!=": ("==",),
    "<": ("<=",),
    "<=": ("<",),
    ">": (">=",),
    ">=": (">",),
    ">>": ("<<",),
    ">>>": (">>",),
    "&": ("|",),
    "|": ("&",),
    "^": ("&", "|"),
}


def _memory(text: str, rng: np.random.Generator) -> tuple[str, str]:
    """One bit of one word."""
    lines = text.splitlines()
    word = int(rng.integers(len(lines)))
    bit = int(rng.integers(4 * len(lines[word])))
    lines[word] = f"{int(lines[word], 16) ^ (1 << bit):0{len(lines[word])}x}"
    return "\n".join(lines) + "\n", f"bit {bit} of word {word}"


def _core(text: str, rng: np.random.Generator) -> tuple[str, str]:
    """A parameter one more or less, or a port that is joined to another net."""
    start = text.index("module ")
    nets = sorted(set(re.findall(r"wire (?:\[\d+:0\] )?(\w+);", text)))
    places = []
    for match in re.finditer(r"\.([A-Z_]+)\((-?\d+)\)", text):
        places += [(match, str(int(match[2]) + step)) for step in (-1, 1)]
    for match in re.finditer(r"\.(?!clk|rst)[a-z_]+\((\w+)\)", text[start:]):
        kind = match[1].rsplit("_", 1)[-1]
        alike = [net for net in nets if net != match[1] and net.rsplit("_", 1)[-1] == kind]
        places += [(match, net) for net in alike[:4]]
    match, other = places[int(rng.integers(len(places)))]
    group = 2 if match.re.groups == 2 else 1
    offset = 0 if match.re.groups == 2 else start
    first, last = match.start(group) + offset, match.end(group) + offset
    return text[:first] + other + text[last:], f"{match[0]} with {other}"


def change_of_module(text: str, rng: np.random.Generator) -> tuple[str, str]:
    """An operator, a constant, a condition or an index of the body of a module."""
    start = text.index(");\n")
    places: list[tuple[int, int, str]] = []
    for match in re.finditer(r" (\+|-|&&|\|\||==|!=|>=|<=|<|>|>>>|>>|&|\||\^) ", text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.end()]
        if match.start() < start or "//" in line or (match[1] == "<=" and "if" not in line and "assign" not in line):
            continue
        places += [(match.start(1), match.end(1), other) for other in _OTHERS[match[1]]]
    for match in re.finditer(r"1'b([01])", text):
        places.append((match.start(1), match.end(1), str(1 - int(match[1]))))
    for match in re.finditer(r"(!)[a-z(]", text):
        places.append((match.start(1), match.end(1), ""))
    for match in re.finditer(r"\[(\d+)\]", text):
        places.append((match.start(1), match.end(1), str(int(match[1]) + 1)))
    places = [
        place for place in places if place[0] > start and "//" not in text[text.rfind("\n", 0, place[0]) : place[0]]
    ]
    first, last, other = places[int(rng.integers(len(places)))]
    line = text[text.rfind("\n", 0, first) + 1 : text.find("\n", last)].strip()
    return text[:first] + other + text[last:], f"{text[first:last]!r} → {other!r} in {line[:80]!r}"


def mutant(files: Mapping[str, bytes], seed: int) -> tuple[dict[str, bytes], str]:
    """One change: the file that it is in, whole, and what it was in words."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    if kind == "memory":
        names = sorted(name for name in files if name.endswith(".mem"))
    elif kind == "core":
        names = [name for name in files if name.endswith("_core.v")]
    else:
        names = sorted(name for name in files if name.startswith("edgeml_") and not name.endswith(_NOT_PROVED_HERE))
    name = names[int(rng.integers(len(names)))]
    change = {"memory": _memory, "core": _core, "module": change_of_module}[kind]
    text, said = change(files[name].decode(), rng)
    return {name: text.encode()}, f"{name}: {said}"


_NOT_PROVED_HERE = ("_fifo.v", "_fork.v", "_upsizer.v", "_downsizer.v", "_spike_encoder.v")


@cache
def design(number: int) -> Built:
    """One of the small designs that are changed: 2 bits, lines, two roundings of bytes, a residual sum, tables."""
    if number == 0:
        return folded(mlp((12, 8, 8, 4), 0), {"fc0": (2, 4), "fc1": (4, 2), "fc2": (2, 4)})
    if number == 1:
        folds = {"fc0": (8, 1), "fc1": (4, 8), "fc2": (4, 4)}
        return folded(mlp((12, 8, 8, 4), 0, bits=8), folds, {"act0": "line", "act1": "line"})
    if number in (2, 3):
        rounding = ("double_rounding", "float64_away")[number - 2]
        return folded(bytes_network((6, 8, 3), rounding), {"dense0": (2, 2), "dense1": (3, 2)})
    return folded(int8_network(0, "fp32_rne"), {}) if number == 4 else folded(some_network(5), {})


@dataclass(frozen=True)
class Judged:
    """A mutant. said : what was changed. verdict : refuted, not proved, proved, or not read (yosys cannot read it).
    detail : why. differs : whether the core as a whole gave other values in Icarus (not asked where it is refuted)."""

    said: str
    verdict: str
    detail: str
    differs: bool


def judged(seed: int) -> Judged:
    """The mutant of a seed, proved or not; its core beside the network where nothing was refuted."""
    built = design(seed // len(KINDS) % 6)
    files = proof_files(built)
    changed, said = mutant(files, seed)
    try:
        why = not_proved(proved(built, changed))
    except ToolFailed as error:
        return Judged(said, "not read", str(error), False)
    found = next((detail for detail in why.values() if "confirmed" in detail), "")
    if found:
        return Judged(said, "refuted", found, True)
    plan = built.layout.plan
    try:
        differs = bool(wrong_of_core(plan.network, {**files, **changed}, core_of(built, plan)))
    except ToolFailed:
        differs = True
    return Judged(said, "not proved" if why else "proved", str(why), differs)
