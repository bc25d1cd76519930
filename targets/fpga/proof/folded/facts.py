"""What was proved of a module with its parameters: kept in the user's cache by the module as yosys read it.

The key holds this prover's code, the module and all that it is made of, without comments, source lines and what
memories hold: a layer whose weights change keeps its schedule and its sums, and is decoded again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from edgeml.errors import CheckFailed
from edgeml.proof.kept import keep, kept
from edgeml.proof.own_code import code_digest
from edgeml.system.cache import digest_of

from ..yosys_reader import yosys_version
from .netlist import Cell, Modules, Netlist
from .units.encode import prove_encode
from .units.entry import JOINING, prove_joined, prove_pass
from .units.mvu import prove_mvu
from .units.mvu_row import prove_row
from .units.passing import prove_passing
from .units.tables import prove_tables

__all__ = ["Fact", "Facts", "digest_of_module"]

_PROVER = ("edgeml.targets.fpga.proof.folded",)
_PASSING = ("edgeml_threshold", "edgeml_threshold_line", "edgeml_requantize", "edgeml_lookup")


@dataclass(frozen=True)
class Fact:
    """What was found of a module.

    Parameters
    ----------
    module, parameters : which. says : what kind of statement. numbers : how many states, operands … were looked at.
    problem : empty if it is proved; else what does not hold, or why it was given up.
    """

    module: str
    parameters: dict[str, int | str]
    says: str
    numbers: dict[str, int] = field(default_factory=dict)
    problem: str = ""

    @property
    def key(self) -> str:
        """A name for it within a certificate."""
        given = ",".join(f"{name}={value}" for name, value in sorted(self.parameters.items()))
        return f"{self.says}:{self.module}({given})"


def digest_of_module(modules: Modules, module: str, *, contents: bool) -> str:
    """A digest of a module and all below it, as yosys read them; `contents`: with what its memories hold."""
    parts = []
    for name in sorted(modules.below(module)):
        content = modules.content[name]
        cells = {
            cell: [about["type"], about["parameters"], about["connections"]]
            for cell, about in content["cells"].items()
            if contents or about["type"] != "$meminit_v2" or not _from_file(about)
        }
        parts.append([name, content["ports"], content.get("parameter_default_values", {}), cells, _plain(content)])
    return digest_of(code_digest(*_PROVER), yosys_version(), json.dumps(parts, sort_keys=True))


def _from_file(cell: dict[str, Any]) -> bool:
    """Whether a memory's content is all constants."""
    return all(isinstance(bit, str) for bit in cell["connections"]["DATA"])


def _plain(content: dict[str, Any]) -> list[object]:
    nets = {name: net["bits"] for name, net in content["netnames"].items() if not net.get("hide_name")}
    sizes = {name: [about["width"], about["size"]] for name, about in content.get("memories", {}).items()}
    return [nets, sizes]


@contextmanager
def _nothing_held(netlist: Netlist) -> Iterator[None]:
    """Meanwhile no memory holds anything: a fact that follows from what one holds would be kept for other contents."""
    held = {name: memory.content for name, memory in netlist.memories.items()}
    for memory in netlist.memories.values():
        memory.content = [None] * memory.words
    try:
        yield
    finally:
        for name, content in held.items():
            netlist.memories[name].content = content


class Facts:
    """The facts of one design, each found once."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self.found: dict[tuple[str, str], Fact] = {}
        self.netlists: dict[str, Netlist] = {}

    def netlist(self, module: str) -> Netlist:
        """A unit with all that it is made of, but the rows of a matrix-vector unit."""
        if module not in self.netlists:
            self.netlists[module] = Netlist(self.modules, module, keep={"edgeml_mvu_row"})
        return self.netlists[module]

    def of(self, cell: Cell) -> list[Fact]:
        """What is proved of an instance's module: one fact or, of a matrix-vector unit, two."""
        if cell.kind == "edgeml_mvu":
            rows = {each.module for each in self.netlist(cell.module).cells if each.kind == "edgeml_mvu_row"}
            return [self._fact(cell.module, "schedule"), *(self._fact(row, "row") for row in sorted(rows))]
        if cell.kind in _PASSING:
            return [self._fact(cell.module, "passing")]
        if cell.kind == "edgeml_tables":
            return [self._fact(cell.module, "tables")]
        if cell.kind == "edgeml_encode":
            return [self._fact(cell.module, "results")]
        if cell.kind == "edgeml_pass" or cell.kind in JOINING:
            return [self._fact(cell.module, "entry")]
        return []

    def _fact(self, module: str, says: str) -> Fact:
        if (module, says) in self.found:
            return self.found[module, says]
        own, parameters = self.modules.own_name(module), self.modules.parameters(module)
        key = digest_of("fact", says, digest_of_module(self.modules, module, contents=False))
        numbers = kept(key, lambda content: {str(name): int(number) for name, number in content.items()})
        problem = ""
        if numbers is None:
            try:
                with _nothing_held(self.netlist(module)):
                    numbers = self._prover(module, own, says, parameters)()
                keep(key, numbers)
            except CheckFailed as error:
                numbers, problem = {}, f"{own}: {error}"
        self.found[module, says] = Fact(own, parameters, says, numbers, problem)
        return self.found[module, says]

    def _prover(self, module: str, own: str, says: str, parameters: dict[str, Any]) -> Callable[[], dict[str, int]]:
        netlist = self.netlist(module)
        if says == "schedule":
            return lambda: prove_mvu(netlist, parameters)
        if says == "row":
            return lambda: prove_row(netlist, parameters)
        if says == "tables":
            return lambda: prove_tables(netlist, parameters)
        if says == "results":
            return lambda: prove_encode(netlist, parameters)
        if says == "passing":
            return lambda: prove_passing(netlist, own, parameters)
        if own in JOINING:
            return lambda: prove_joined(netlist, own, parameters)
        return lambda: prove_pass(netlist)
