"""Words of a module as sums of multiples of other words, modulo 2^(their bits): behind muxes whose choice is known."""

from __future__ import annotations

from collections.abc import Mapping

from edgeml.errors import CheckFailed

from ..folded.evaluation import Evaluation
from ..folded.netlist import UNKNOWN, Bits, Cell, Netlist

__all__ = ["ONE", "Form", "LinearForms", "combined"]

ONE = ""
"""The name of a form's constant."""
Form = dict[str, int]
"""Factors by the name of a word."""


def combined(form: Form, values: Mapping[str, Form], size: int) -> Form:
    """A form with forms in the place of its words, modulo `size`."""
    found: Form = {}
    for name, factor in form.items():
        for inner, each in values[name].items() if name != ONE else ((ONE, 1),):
            found[inner] = (found.get(inner, 0) + factor * each) % size
    return {name: factor for name, factor in found.items() if factor}


class LinearForms:
    """Forms of a module's words.

    Parameters
    ----------
    leaves : bits of the words that forms are of, by name. held : bits that are constant, 0 or 1.
    """

    def __init__(self, netlist: Netlist, leaves: Mapping[str, Bits], held: Mapping[int, int]) -> None:
        self.netlist, self.leaves = netlist, leaves
        self.of_leaves = {bit for bits in leaves.values() for bit in bits}
        self.constants = Evaluation(netlist, 1, held)

    def _same(self, bit: int) -> int:
        """The bit that this one is a copy of, behind muxes whose choice is known."""
        seen = set()
        while bit > 1 and bit not in self.of_leaves and bit in self.netlist.driver:
            cell, _, place = self.netlist.driver[bit]
            if bit in seen:
                raise CheckFailed(f"signal {self.netlist.name_of(bit)}", "feeds back into itself")
            seen.add(bit)
            if cell.kind == "$pos" and place < len(cell.ports["A"]):
                bit = cell.ports["A"][place]
            elif cell.kind == "$mux":
                (select,) = self.constants.rows(cell.ports["S"])
                bit = cell.ports["B" if select else "A"][place]
            else:
                break
        return bit

    def of(self, bits: Bits) -> Form:
        """The form of a word. CheckFailed where it is none that can be followed."""
        plain = tuple(self._same(bit) for bit in bits)
        if all(bit in (0, 1) for bit in plain):
            return {ONE: sum(bit << k for k, bit in enumerate(plain))} if any(plain) else {}
        for name, leaf in self.leaves.items():
            if plain == leaf[: len(plain)]:
                return {name: 1}
        cell = self.netlist.driver[plain[0]][0] if plain[0] > 1 and plain[0] in self.netlist.driver else None
        if UNKNOWN in plain or cell is None:
            # A word that is moved up by places begins with zeros.
            moved = next((k for k, bit in enumerate(plain) if bit), 0)
            if UNKNOWN in plain or not moved:
                raise CheckFailed(f"signal {self.netlist.name_of(bits[0])}", "is not a sum that can be followed")
            return {name: factor << moved for name, factor in self.of(plain[moved:]).items()}
        if cell.ports.get("Y", ())[: len(plain)] != plain:
            raise CheckFailed(f"signal {self.netlist.name_of(bits[0])}", "is not a whole word")
        return self._of_cell(cell, len(plain))

    def _of_cell(self, cell: Cell, width: int) -> Form:
        if cell.kind == "$add":
            sides = [self.of(self._operand(cell, port, width)) for port in "AB"]
            return {name: sum(side.get(name, 0) for side in sides) for name in {*sides[0], *sides[1]}}
        if cell.kind == "$shl" and not cell.parameters.get("B_SIGNED"):
            amount = self.constants.numbers(cell.ports["B"])[0] if len(cell.ports["B"]) < 63 else 63
            inner = self.of(self._operand(cell, "A", width))
            return {name: factor << int(min(amount, width)) for name, factor in inner.items()}
        raise CheckFailed(f"cell {cell.name}", f"is of kind {cell.kind}, behind which sums are not followed")

    def _operand(self, cell: Cell, port: str, width: int) -> Bits:
        bits = cell.ports[port]
        fill = bits[-1] if cell.parameters.get(f"{port}_SIGNED") else 0
        return (*bits, *(fill,) * (width - len(bits)))[:width]
