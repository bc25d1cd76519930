"""The assertions of a flat module as signals, so that each is proved by itself from all of them a clock before."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["ALL", "split_assertions"]

ALL = "all_assertions"
"""The signal that all assertions hold."""


def split_assertions(flat: Path, name: str, split: Path) -> list[str]:
    """Write a module of yosys's JSON again with a signal for the assertions of each line of its bench; their names.

    Registers have no initial values in it: a clock is one of any.
    """
    design = json.loads(flat.read_text("utf-8"))
    module = design["modules"][name]
    cells, nets = module["cells"], module["netnames"]
    numbers = [bit for net in nets.values() for bit in net["bits"] if isinstance(bit, int)]
    numbers += [
        bit for cell in cells.values() for bits in cell["connections"].values() for bit in bits if isinstance(bit, int)
    ]
    following = max(numbers) + 1
    held: dict[str, list[int]] = defaultdict(list)
    for cell in [cell for cell, content in cells.items() if content["type"] == "$assert"]:
        content = cells.pop(cell)
        wires = content["connections"]
        cells[f"$held{following}"] = _cell("$mux", {"WIDTH": 1}, A=["1"], B=wires["A"], S=wires["EN"], Y=[following])
        held[_line(content)].append(following)
        following += 1
    names = {f"assertions_{number}": bits for number, bits in enumerate(held.values())}
    every = [bit for line in held.values() for bit in line]
    for group, bits in {**names, ALL: every}.items():
        widths = {"A_WIDTH": len(bits), "Y_WIDTH": 1, "A_SIGNED": 0}
        cells[f"${group}"] = _cell("$reduce_and", widths, A=bits, Y=[following])
        nets[group] = {"hide_name": 0, "bits": [following], "attributes": {}}
        following += 1
    for net in nets.values():
        net["attributes"].pop("init", None)
    split.write_text(json.dumps(design), "utf-8")
    return list(names)


def _line(cell: dict[str, Any]) -> str:
    """Where an assertion stands in its bench; those of repeated blocks stand at the same place."""
    return str(cell["attributes"].get("src", ""))


def _cell(kind: str, parameters: dict[str, int], **connections: Sequence[int | str]) -> dict[str, Any]:
    """A cell with one output, Y."""
    return {
        "hide_name": 1,
        "type": kind,
        "parameters": {key: f"{value:032b}" for key, value in parameters.items()},
        "attributes": {},
        "port_directions": {port: "output" if port == "Y" else "input" for port in connections},
        "connections": {port: list(bits) for port, bits in connections.items()},
    }
