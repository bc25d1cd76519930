"""What is proved of an instance: its bench, with the parameters that it takes, and how far that goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .benches import bench_text
from .symbolic_constants import module_text
from .ties import Parameters

__all__ = ["MOST_BITS", "Statement", "statement_of", "too_wide"]

MOST_BITS = {
    "fifo": 4096, "stream_fifo": 4096, "argmax": 1400, "hil_inputs": 512, "hil_outputs": 512, "packet_gate": 4096,
    "repack": 4096,
}  # fmt: skip
"""Bits that a module may keep for the induction to end in minutes."""


@dataclass(frozen=True)
class Statement:
    """A bench with its parameters.

    Parameters
    ----------
    module : what it is about. bench : Verilog. sources : content by file name, all that the bench is about.
    """

    module: str
    bench: str
    parameters: Parameters
    sources: Mapping[str, bytes]


def statement_of(name: str, given: Parameters, library: Mapping[str, bytes]) -> Statement:
    """The statement of `edgeml_NAME` with these parameters; `library` : the modules of a bundle by file name."""
    bench = bench_text(name)
    taken = set(re.findall(r"^    parameter (?:signed )?(?:\[.*?\] )?(\w+) =", bench, re.MULTILINE))
    parameters = {key: value for key, value in given.items() if key in taken and not _derived(name, key)}
    if name == "uart_rx":
        parameters["LENGTH"] = parameters["CLOCKS_PER_BIT"]
    stands_in = {f"{module}.v" for module in re.findall(r"^module (edgeml_\w+)", bench, re.MULTILINE)}
    parts = _with_parts(f"edgeml_{name}.v", library)
    parts[f"edgeml_{name}.v"] = module_text(name, parts[f"edgeml_{name}.v"])
    return Statement(
        f"edgeml_{name}", bench, parameters, {file: parts[file] for file in parts if file not in stands_in}
    )


def _derived(name: str, key: str) -> bool:
    """A parameter that follows from the others."""
    return (name, key) == ("argmax", "CLASS_BITS")


def _with_parts(file: str, library: Mapping[str, bytes]) -> dict[str, bytes]:
    """A module and all that are in it."""
    found: dict[str, bytes] = {}
    waiting = [file]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found[here] = library[here]
            parts = re.findall(r"^ +(edgeml_\w+) (?:#\(|\w+ \()", library[here].decode(), re.MULTILINE)
            waiting += [f"{part}.v" for part in parts]
    return found


def too_wide(name: str, parameters: Parameters) -> str:
    """Why an instance is not tried; empty if it is."""

    def number(key: str) -> int:
        return int(parameters.get(key, 1))

    if name in ("fifo", "stream_fifo"):
        bits = number("WIDTH") * number("DEPTH")
    elif name == "packet_gate":
        bits = number("WIDTH") * 2 * number("WORDS")
    elif name == "repack":
        bits = number("WIDTH") * (number("IN") + number("OUT") - 1)
    elif name == "argmax":
        bits = number("LANES") * number("ELEMENT_BITS") * (number("LANES").bit_length() + 4)
    elif name in ("hil_inputs", "hil_outputs"):
        words = number("SAMPLES") * -(-max(number("INPUTS"), number("OUTPUTS")) // number("LANES"))
        bits = words * number("LANES") * number("ELEMENT_BITS")
    else:
        return ""
    most = MOST_BITS[name]
    return f"keeps {bits} bits; the induction is tried up to {most}" if bits > most else ""
