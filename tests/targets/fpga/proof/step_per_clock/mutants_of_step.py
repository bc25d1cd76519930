"""Small changes of a design's files of a step per clock, each from a seed: in the core, in adder graphs, in units."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from tests.targets.fpga.proof import mutants_of_rtl
from tests.targets.fpga.proof.folded.mutants_of_design import change_of_module

__all__ = ["KINDS", "mutant"]

KINDS = ("core", "currents", "unit")


def _core(text: str, rng: np.random.Generator) -> tuple[str, str]:
    """A mark of another clock, a number one more or less, other bits of a bus, or another net of the same kind."""
    start = text.index("wire can_reserve;")
    nets = sorted(set(re.findall(r"wire (?:\[\d+:0\] )?(\w+)[ ;]", text)))
    places: list[tuple[int, int, str]] = []
    for match in re.finditer(r"going\[(\d+)\](?!:)", text):
        last = int(text[text.index("reg [") + 5 : text.index(":0] going")])
        places += [(*match.span(1), str(k)) for k in (int(match[1]) - 1, int(match[1]) + 1) if 0 <= k <= last]
    for match in re.finditer(r"(\d+)'d(\d+)", text):
        size = 1 << int(match[1])
        places += [(*match.span(2), str(k % size)) for k in (int(match[2]) - 1, int(match[2]) + 1)]
    for match in re.finditer(r"\.[A-Z_]+\((\d+)\)", text):
        places += [(*match.span(1), str(k)) for k in (int(match[1]) - 1, int(match[1]) + 1) if k >= 0]
    for match in re.finditer(r"(\w+_(?:currents|spikes))(?:\[\d+(?::\d+)?\])?(?=[\),}])", text):
        alike = [net for net in nets if net != match[1] and net.rsplit("_", 1)[-1] == match[1].rsplit("_", 1)[-1]]
        places += [(*match.span(1), net) for net in alike]
    for match in re.finditer(r"\((\w+_(?:slot|running))\)", text):
        alike = [net for net in nets if net != match[1] and net.rsplit("_", 1)[-1] == match[1].rsplit("_", 1)[-1]]
        places += [(*match.span(1), net) for net in alike]
    for match in re.finditer(r" (&&|\?|\+) ", text):
        places.append((*match.span(1), {"&&": "||", "?": "== 1'b0 ?", "+": "-"}[match[1]]))
    places = [place for place in places if place[0] > start]
    first, last, other = places[int(rng.integers(len(places)))]
    line = text[text.rfind("\n", 0, first) + 1 : text.find("\n", last)].strip()
    at = first - text.rfind("\n", 0, first) - 1
    return text[:first] + other + text[last:], f"{text[first:last]!r} → {other!r} at {at} in {line[:60]!r}"


def mutant(files: Mapping[str, bytes], seed: int) -> tuple[dict[str, bytes], str]:
    """One change: the file that it is in, whole, and what it was in words."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    endings = {"core": "_core.v", "currents": "_currents.v", "unit": ".v"}
    names = sorted(
        name for name in files if name.endswith(endings[kind]) and name.startswith("edgeml_") == (kind == "unit")
    )
    if kind == "unit":  # of the library a design reads the modules that its core has
        core = next(text.decode() for name, text in files.items() if name.endswith("_core.v"))
        inner = "edgeml_slot_potential" if "edgeml_slot_neuron" in core else "-"
        names = [name for name in names if f"{name[:-2]} #" in core or name[:-2] == inner]
    name = names[int(rng.integers(len(names)))]
    if kind == "currents":
        changed, said = mutants_of_rtl.mutant(files[name], seed)
        return {name: changed}, f"{name}: {said}"
    text, said = {"core": _core, "unit": change_of_module}[kind](files[name].decode(), rng)
    while "for (" in said:  # a loop without an end, on which tools work for ever
        text, said = change_of_module(files[name].decode(), rng)
    return {name: text.encode()}, f"{name}: {said}"
