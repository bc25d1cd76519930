"""How long logic takes on a kind of part: a few delays from which those of every path are added up."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

__all__ = ["ESTIMATED", "OF_LUTS", "PLACED", "PUBLISHED", "DelayModel"]

OF_LUTS = 300
PLACED = "fitted to designs that nextpnr placed"
PUBLISHED = "of published figures, with a margin"
ESTIMATED = "estimated, from a few placed designs or from those of a similar part"


@dataclass(frozen=True)
class DelayModel:
    """Delays in ns.

    A path from a register to the next takes `register`, and for each cell on it `route`, `fan_out` for each doubling of
    what its source reaches, and the cell's logic: `lut` for each lookup table with `route` between two of them, `join`
    for each multiplexer that joins tables; of a carry chain `chain` once and `carry` for each bit.

    Parameters
    ----------
    name : as in `design.json`. lut_inputs : of a lookup table. joined_inputs : of a function that tables and their
        multiplexers take without a way between them.
    register : clock to output and setup. block : clock to output of a block RAM and setup, with a way behind it.
    multiplier : through a multiplier block, with what the ways to its column and from there are longer than others.
    origin : `PLACED`, `PUBLISHED` or `ESTIMATED`.
    inverter : what an inverted bit of a carry chain takes more: the carries of Lattice's and of iCE40 take bits as
        they are, with a table close by for each inverted one. No longer ways were seen for it on other families.
    size : what `route` grows by with each doubling of a design: `route` is that of one of `OF_LUTS` lookup tables, and
        of smaller ones, whose cells are no nearer to each other.
    """

    name: str
    lut_inputs: int
    joined_inputs: int
    register: float
    lut: float
    join: float
    route: float
    fan_out: float
    chain: float
    carry: float
    block: float
    multiplier: float
    size: float = 0.0
    inverter: float = 0.0
    origin: str = PLACED

    def within(self, luts: float) -> DelayModel:
        """The same in a design of so many lookup tables: cells of larger ones are farther from each other."""
        return replace(self, route=self.route + self.size * math.log2(max(luts, OF_LUTS) / OF_LUTS))

    @property
    def out_of_block(self) -> float:
        """As `register`, of what comes out of a block RAM that is written, too: what is written while its place is
        read passes it by, which a table chooses."""
        return max(self.block - self.route, self.register) + self.lut + self.route

    @property
    def around_streams(self) -> float:
        """Through the handshakes and buffers around a core: three tables."""
        return self.register + 3 * (self.route + self.lut)

    @property
    def around_block(self) -> float:
        """Through the handshake at a FIFO in block RAM: three tables, and on to the address, in a column of its own."""
        return self.register + 3 * self.lut + 4 * self.route

    @property
    def around_pipeline(self) -> float:
        """Through the handshake around a pipeline that never stalls, a register at either end of it: two tables."""
        return self.register + 2 * (self.route + self.lut)

    @property
    def around_straight(self) -> float:
        """As `around_pipeline`, where results pass an empty FIFO by: whether one comes is a table of its own."""
        return self.around_pipeline + self.route + self.lut

    @property
    def straight_out(self) -> float:
        """Behind results that leave a pipeline without a register: past the FIFO, and a table of who takes them."""
        return 2 * (self.route + self.lut)

    def way(self, reached: int) -> float:
        """To the farthest of so many cells."""
        return self.route + self.fan_out * math.log2(max(reached, 1))

    def function(self, inputs: int, way: float) -> float:
        """Any function of so many bits, with the way to it."""
        if inputs <= self.lut_inputs:
            return way + self.lut
        joined = way + self.lut + self.join * (min(inputs, self.joined_inputs) - self.lut_inputs)
        # Each further bit chooses between the functions of the others: a level more, as yosys maps them.
        return joined + max(inputs - self.joined_inputs, 0) * (self.route + self.lut)

    def levels(self, inputs: int) -> float:
        """A tree of tables over so many bits, behind the way to the first of them."""
        count = math.ceil(math.log(max(inputs, 2), self.lut_inputs))
        return count * self.lut + (count - 1) * self.route

    def sum(self, bits: int, way: float, chains: int = 1) -> float:
        """Carry chains over so many bits, one behind the other, with the way to the first: a chain's low bits wait for
        those of the one before, not for its end."""
        return way + chains * self.chain + (chains - 1) * self.route + self.carry * max(bits - 1, 0)

    def memory(self, words: int, way: float) -> float:
        """One of so many words in tables, by its number."""
        bits = max((words - 1).bit_length(), 1)
        rest = max(bits - self.joined_inputs, 0)
        return self.function(min(bits, self.joined_inputs), way) + -(-rest // 2) * (self.route + self.lut)

    def product(self, a: int, b: int, way: float, *, blocks: bool) -> float:
        """Of numbers of so many bits: by a multiplier block, or by a tree of sums."""
        if min(a, b) <= 1:
            return way + self.lut
        if blocks:
            return way + self.multiplier
        return self.sum(a + b, way + self.lut + self.route, max((min(a, b) - 1).bit_length(), 1))

    def subtraction(self, bits: int, way: float) -> float:
        """The last carry of a difference of so many bits, by which two numbers are compared: where tables have four
        inputs it leaves its chain by another cell of carries."""
        return self.sum(bits, way, 1 if self.lut_inputs > 4 else 2)

    def comparison(self, bits: int, way: float) -> float:
        """Of so many bits with a constant, in tables."""
        return way + self.levels(bits)
