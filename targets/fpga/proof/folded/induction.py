"""A module's control against a model of it, by induction from clock to clock over all states that the model has.

The model is a set of states, and for each state what the registers of the module hold. If from each of these states,
and for all that may come in a clock, the module's outputs are the model's and its registers go to those of the model's
next state, then both stay equal for ever from the first reset on, whatever comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed

from .bit_rows import rows_of
from .evaluation import Evaluation
from .netlist import Bits, Netlist

__all__ = ["Difference", "Steps", "compare", "next_values", "reset_from_anything"]

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


class Difference(CheckFailed):
    """Module and model differ in a row. row : which."""

    def __init__(self, what: str, problem: str, row: int) -> None:
        super().__init__(what, problem)
        self.row = row


@dataclass(frozen=True, eq=False)
class Steps:
    """All states and inputs, a row each.

    Parameters
    ----------
    registers : what each register holds, by its name. inputs : what comes at each port.
    """

    registers: Mapping[str, Int64]
    inputs: Mapping[str, Int64]

    @property
    def count(self) -> int:
        """How many rows."""
        return len(next(iter(self.inputs.values())))

    def given(self, netlist: Netlist) -> dict[int, int]:
        """The rows of the bits that hold them."""
        found: dict[int, int] = {}
        for words in (self.registers, self.inputs):
            for name, values in words.items():
                bits = netlist.word(name)
                if len(values) and int(values.max()) >> len(bits):
                    raise CheckFailed(f"signal {name}", f"has too few bits for {int(values.max())}")
                found |= dict(zip(bits, rows_of(values, len(bits)), strict=True))
        return found


def next_values(netlist: Netlist, bits: Bits) -> Bits:
    """What registers take over at the next clock. CheckFailed for what is not a register of the rising clock."""
    clock, found = netlist.ports["clk"], []
    for bit in bits:
        cell, _, place = netlist.driver.get(bit, (None, "", 0))
        if cell is None or cell.kind != "$dff":
            raise CheckFailed(f"signal {netlist.name_of(bit)}", "is not a register")
        if cell.ports["CLK"] != clock or not cell.parameters["CLK_POLARITY"]:
            raise CheckFailed(f"register {netlist.name_of(bit)}", "does not follow the rising clock")
        found.append(cell.ports["D"][place])
    return tuple(found)


def compare(evaluation: Evaluation, what: str, bits: Bits, expected: Int64, relevant: Bool | None = None) -> None:
    """Hold bits against the model's integers, in the rows that matter. Raises Difference."""
    if len(expected) and int(expected.max()) >> len(bits):
        raise Difference(what, f"has too few bits for {int(expected.max())}", 0)
    wanted = rows_of(expected, len(bits))
    mask = evaluation.mask if relevant is None else rows_of(relevant.astype(np.int64), 1)[0]
    wrong = 0
    for found, right in zip(evaluation.rows(bits), wanted, strict=True):
        wrong |= (found ^ right) & mask
    if wrong:
        row = (wrong & -wrong).bit_length() - 1
        raise Difference(what, f"is not {int(expected[row])} as it must be", row)


def reset_from_anything(netlist: Netlist, registers: Mapping[str, int]) -> None:
    """That a clock with a reset brings registers to these values from any state, known or not, whatever comes."""
    evaluation = Evaluation(netlist, 1, {netlist.ports["rst"][0]: 1})
    for name, value in registers.items():
        bits = next_values(netlist, netlist.word(name))
        found = evaluation.rows(bits)
        if found != [value >> k & 1 for k in range(len(bits))]:
            raise CheckFailed(f"register {name}", f"is not {value} after a reset")
