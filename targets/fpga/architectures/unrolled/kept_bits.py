"""Which bits of a netlist are left when synthesis has made equal ones once, and has taken away constants, copies and
what nothing depends on.

A netlist says what a neuron is; where thresholds are equal, or a sum takes a bit twice, several of its bits are the
same wire. Estimates count what is left; the Verilog says all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from .boolean import MOST_INPUTS, function_of
from .netlist import ONE, ZERO, Bit, Cell, CellKind
from .network_logic import Logic
from .stages import Stages

__all__ = ["KeptBits", "KeptCell", "kept_bits"]

_COPY = 0b10
"""The table of an input itself."""
_CONSTANT = -2
"""The cell of bits that are constants."""


@dataclass
class KeptCell:
    """A cell as synthesis sees it.

    Parameters
    ----------
    kind, inputs, shape : as of `Cell`, but that inputs are bits that are left; a table has one output. For `REACHED`,
        the levels that are asked for, each once.
    index : of the first cell of the netlist that it stands for. stage : of that.
    outputs : how many of the outputs are used, of chains with those below them.
    asked : of `REACHED`, for each used output the levels whose parity it is.
    depth : cells on the longest way from the registers before it, this one included.
    """

    kind: CellKind
    inputs: tuple[Bit, ...]
    shape: tuple[int, ...]
    index: int
    stage: int
    depth: int
    outputs: int = 0
    asked: list[tuple[int, ...]] = field(default_factory=list)


@dataclass
class KeptBits:
    """What is left of a netlist.

    Parameters
    ----------
    cells : those of which an output is used, in an order in which each can be computed.
    taps : for each bit of the input and each that is registered (not inverted), after how many clocks it is used.
    ends : how many bits of the outputs differ, constants not counted.
    alike, function : by (cell, output) the bit whose registers it shares, and the bit that it equals within its stage:
        itself, a constant, one of the input or of a cell before it.
    """

    cells: list[KeptCell]
    taps: dict[Bit, set[int]]
    ends: int
    alike: dict[tuple[int, int], Bit]
    function: dict[tuple[int, int], Bit]


def kept_bits(logic: Logic, stages: Stages, ends: Sequence[Bit] | None = None) -> KeptBits:
    """What is left of a netlist with registers at the ends of stages.

    ends : which bits of the outputs are used; None: all.
    """
    maker = _Maker(stages)
    for index, cell in enumerate(logic.netlist.cells):
        maker.add(index, cell)
    return maker.used([bit for bits in logic.outputs for bit in bits] if ends is None else ends)


_Key = tuple[object, ...]
_Output = tuple[int, int]


class _Maker:
    """The netlist again, cell by cell. A bit stands for all whose cells are written alike: these share registers.
    Within a stage it stands for what it is as a function, which may be a constant, a copy, or what another cell gives.
    """

    def __init__(self, stages: Stages) -> None:
        self.stages = stages
        self.alike: dict[_Output, Bit] = {}
        self.written: dict[_Key, Bit] = {}
        self.function: dict[_Output, Bit] = {}
        self.computed: dict[_Key, Bit] = {}
        self.cells: dict[_Output, KeptCell] = {}
        self.parity: dict[_Output, tuple[int, ...]] = {}

    def _stage(self, bit: Bit) -> int:
        return self.stages.of[bit.cell] if bit.cell >= 0 else 0

    def _registered(self, bit: Bit) -> Bit:
        """The bit that shares its registers."""
        found = self.alike.get((bit.cell, bit.index), bit)
        return ~found if bit.inverted and found is not bit else found

    def _in_stage(self, bit: Bit, stage: int) -> Bit:
        """What a bit is to a cell of a stage."""
        bit = self._registered(bit)
        if bit.cell < 0 or self._stage(bit) < stage:
            return bit
        found = self.function[bit.cell, bit.index]
        return ~found if bit.inverted else found

    def add(self, index: int, cell: Cell) -> None:
        """The next cell of the netlist."""
        stage = self.stages.of[index]
        inputs = tuple(self._in_stage(bit, stage) for bit in cell.inputs)
        self._write(index, cell, tuple(self._registered(bit) for bit in cell.inputs), stage)
        if cell.kind is CellKind.REACHED:
            self._reached(index, cell, inputs, stage)
        elif cell.kind in (CellKind.ADD, CellKind.ADD3):
            self._chain(index, cell, inputs, stage)
        else:
            self._function(index, cell, inputs, stage)

    def _write(self, index: int, cell: Cell, inputs: tuple[Bit, ...], stage: int) -> None:
        """Which outputs are written as others are."""
        for output in range(cell.outputs):
            what: object = cell.shape
            if cell.kind is CellKind.REACHED:
                what = _added_one_by_one(cell.shape[(1 << output) - 1 :: 1 << output])
                if what == ():
                    self.alike[index, output] = ZERO
                    continue
                if what == (1 << len(inputs) - 1,) and not inputs[-1].inverted and self._stage(inputs[-1]) < stage:
                    self.alike[index, output] = inputs[-1]
                    continue
            elif cell.kind is CellKind.TABLE:
                what = cell.shape[output]
                if (same := _same_as(cell.shape[output], inputs)) is not None and same.cell == _CONSTANT:
                    self.alike[index, output] = same
                    continue
            else:
                what = (cell.shape, output)
            self.alike[index, output] = self.written.setdefault((cell.kind, inputs, what, stage), Bit(index, output))

    def _new(self, kind: CellKind, inputs: tuple[Bit, ...], shape: tuple[int, ...], index: int, stage: int) -> KeptCell:
        before = (self.cells.get((bit.cell, bit.index)) for bit in inputs if bit.cell >= 0)
        depth = 1 + max((made.depth for made in before if made is not None and made.stage == stage), default=0)
        return KeptCell(kind, inputs, shape, index, stage, depth)

    def _known(self, key: _Key, index: int, output: int, made: KeptCell) -> None:
        """The output is a function that is known by this key, or is known by it from now on."""
        bit = self.computed.setdefault(key, Bit(index, output))
        self.function[index, output] = bit
        if bit == Bit(index, output):
            self.cells[index, output] = made

    def _function(self, index: int, cell: Cell, inputs: tuple[Bit, ...], stage: int) -> None:
        """A table, a count or a small sum. Where inputs are constant or come twice, each output is a table."""
        kind, shape = cell.kind, cell.shape
        if kind is CellKind.COUNT:
            inputs, shape = _counted(inputs, shape)
        names = {(bit.cell, bit.index) for bit in inputs}
        plain = len(names) == len(inputs) and all(bit.cell != -2 for bit in inputs)
        if len(inputs) > 1 and (plain or len(inputs) > MOST_INPUTS):
            if kind is CellKind.TABLE:
                for output, table in enumerate(shape):
                    same = _same_as(table, inputs)
                    if same is None:
                        self._table(index, output, inputs, table, stage)
                    else:
                        self.function[index, output] = same
                return
            made = self._new(kind, inputs, shape, index, stage)
            for output in range(cell.outputs):
                self._known((kind, inputs, shape, output, stage), index, output, made)
            return
        for output, table in enumerate(_tables(kind, shape, len(inputs), cell.outputs)):
            found = function_of(inputs, table)
            if not found.inputs:
                self.function[index, output] = ONE if found.table else ZERO
            elif len(found.inputs) == 1:
                self.function[index, output] = found.inputs[0] if found.table == _COPY else ~found.inputs[0]
            else:
                self._table(index, output, found.inputs, found.table, stage)

    def _table(self, index: int, output: int, inputs: tuple[Bit, ...], table: int, stage: int) -> None:
        made = self._new(CellKind.TABLE, inputs, (table,), index, stage)
        self._known((CellKind.TABLE, inputs, table, stage), index, output, made)

    def _reached(self, index: int, cell: Cell, inputs: tuple[Bit, ...], stage: int) -> None:
        """Each output is the parity of some of the comparisons: equal ones cancel out in pairs."""
        made = self._new(CellKind.REACHED, inputs, (), index, stage)
        for output in range(cell.outputs):
            often = Counter(cell.shape[(1 << output) - 1 :: 1 << output])
            asked = tuple(sorted(level for level, times in often.items() if times % 2))
            if not asked:
                self.function[index, output] = ZERO
            elif asked == (1 << len(inputs) - 1,):
                self.function[index, output] = inputs[-1]
            else:
                self._known((CellKind.REACHED, inputs, asked, stage), index, output, made)
                self.parity[index, output] = asked

    def _chain(self, index: int, cell: Cell, inputs: tuple[Bit, ...], stage: int) -> None:
        """Places below the first at which two bits meet pass by."""
        rows = _rows(cell, inputs)
        first = 0
        while first < cell.outputs:
            bits = [row[first] for row in rows if row[first] != ZERO]
            if len(bits) > 1:
                break
            self.function[index, first] = bits[0] if bits else ZERO
            first += 1
        made = self._new(cell.kind, tuple(bit for row in rows for bit in row[first:]), (first,), index, stage)
        for output in range(first, cell.outputs):
            self._known((cell.kind, made.inputs, output - first, stage), index, output, made)

    def used(self, ends: Sequence[Bit]) -> KeptBits:
        """The cells on which these bits depend."""
        taps: dict[Bit, set[int]] = {}
        live: dict[int, set[int]] = {}

        def use(bit: Bit, stage: int) -> None:
            bit = Bit(bit.cell, bit.index)
            if bit.cell == -2:
                return
            later = stage - self._stage(bit)
            if later == 0 and bit.cell >= 0:
                live.setdefault(bit.cell, set()).add(bit.index)
                return
            if bit not in taps and bit.cell >= 0:
                use(self.function[bit.cell, bit.index], self._stage(bit))
            taps.setdefault(bit, set()).add(later)

        for bit in ends:
            use(self._in_stage(bit, self.stages.clocks), self.stages.clocks)
        cells = []
        for index in range(len(self.stages.of) - 1, -1, -1):
            found: dict[int, KeptCell] = {}
            for output in sorted(live.get(index, ())):
                made = self.cells[index, output]
                found[id(made)] = made
                if made.kind in (CellKind.ADD, CellKind.ADD3):
                    made.outputs = output - made.shape[0] + 1
                else:
                    made.outputs += 1
                if made.kind is CellKind.REACHED:
                    made.asked.append(self.parity[index, output])
            for made in found.values():
                if made.kind is CellKind.REACHED:
                    made.shape = tuple(sorted({level for asked in made.asked for level in asked}))
                cells.append(made)
                for bit in _needed(made):
                    use(bit, made.stage)
        differing = {self._registered(bit) for bit in ends if self._registered(bit).cell != -2}
        return KeptBits(cells[::-1], taps, len(differing), self.alike, self.function)


def _same_as(table: int, inputs: tuple[Bit, ...]) -> Bit | None:
    """The constant or the input, perhaps inverted, that a function is; None of any other."""
    full = (1 << (1 << len(inputs))) - 1
    if table in (0, full):
        return ONE if table else ZERO
    for place, bit in enumerate(inputs):
        # Bit x is 1 where x has this place: in blocks of 2^place zeros and as many ones.
        block = 1 << place
        copied = full // ((1 << 2 * block) - 1) * ((1 << block) - 1 << block)
        if table in (copied, full ^ copied):
            return bit if table == copied else ~bit
    return None


def _counted(inputs: tuple[Bit, ...], shape: tuple[int, ...]) -> tuple[tuple[Bit, ...], tuple[int, ...]]:
    """A count in the order of its bits; one that comes twice counts as one of twice the weight. As it was, where that
    leaves other weights than 1 and 2, or constants."""
    ones, _ = shape
    weights: dict[Bit, int] = {}
    for place, bit in enumerate(inputs):
        if bit != ZERO:
            weights[bit] = weights.get(bit, 0) + (1 if place < ones else 2)
    if any(bit.cell == -2 or ~bit in weights or weight > 2 for bit, weight in weights.items()):
        return inputs, shape
    by_weight = [sorted((bit for bit in weights if weights[bit] == weight), key=_place) for weight in (1, 2)]
    return (*by_weight[0], *by_weight[1]), (len(by_weight[0]), len(by_weight[1]))


def _place(bit: Bit) -> tuple[int, int, bool]:
    return bit.cell, bit.index, bit.inverted


def _added_one_by_one(levels: Sequence[int]) -> tuple[int, ...]:
    """What is left of a parity when each comparison that equals all before it together takes these away."""
    left: tuple[int, ...] = ()
    for level in levels:
        left = () if left == (level,) else (*left, level)
    return left


def _needed(made: KeptCell) -> Sequence[Bit]:
    """The inputs that the used outputs depend on."""
    if made.kind is CellKind.REACHED:
        unused = min(((level & -level).bit_length() - 1 for level in made.shape), default=0)
        return made.inputs[unused:]
    if made.kind in (CellKind.ADD, CellKind.ADD3):
        places = len(made.inputs) // (2 if made.kind is CellKind.ADD else 3)
        return [bit for k, bit in enumerate(made.inputs) if k % places < made.outputs]
    return made.inputs


def _rows(cell: Cell, inputs: tuple[Bit, ...]) -> list[list[Bit]]:
    """The rows that a chain adds, each as long as its sum."""
    if cell.kind is CellKind.ADD3:
        (width,) = cell.shape
        rows = [inputs[k * width : (k + 1) * width] for k in range(3)]
    else:
        a, b, _ = cell.shape
        rows = [inputs[:a], inputs[a : a + b]]
    return [[*row[: cell.outputs], *[ZERO] * (cell.outputs - len(row))] for row in rows]


def _tables(kind: CellKind, shape: tuple[int, ...], inputs: int, outputs: int) -> Sequence[int]:
    """The outputs of a table, a count or a small sum as tables."""
    if kind is CellKind.TABLE:
        return shape
    numbers = range(1 << inputs)
    if kind is CellKind.COUNT:
        ones, _ = shape
        sums = [(x & (1 << ones) - 1).bit_count() + 2 * (x >> ones).bit_count() for x in numbers]
    else:
        a, _, shift = shape
        sums = [(x & (1 << a) - 1) + (x >> a << shift) for x in numbers]
    return [sum((total >> k & 1) << x for x, total in enumerate(sums)) for k in range(outputs)]
