"""Verilog of a netlist: the pipeline module, one readable line per cell, and the core around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ...verilog.text import bus, instance, stream_ports
from .build import Logic
from .netlist import Bit, Cell, CellKind

__all__ = ["Registers", "core", "pipeline", "pipeline_latency"]


def pipeline_latency(logic: Logic, register_every: int) -> int:
    """Clocks from input to output of the pipeline module."""
    if register_every == 0:
        return 0
    return max(-(-logic.netlist.depth // register_every), 1)


def _bit_name(cell: int) -> str:
    return f"n{cell}"


class Registers:
    """Which bits must be kept for how many stages, and what they are called there."""

    def __init__(self, logic: Logic, register_every: int) -> None:
        self.logic = logic
        self.every = register_every
        self.last = pipeline_latency(logic, register_every)
        self.needed: dict[int, dict[int, int]] = defaultdict(dict)
        for cell in logic.netlist.cells:
            for bit in cell.inputs:
                self._need(bit, self.stage(cell))
        for bits in logic.outputs:
            for bit in bits:
                self._need(bit, self.last)

    def stage(self, cell: Cell) -> int:
        """The stage in which a cell is computed: registers stand at the end of each."""
        return (cell.depth - 1) // self.every if self.every else 0

    def born(self, source: int) -> int:
        """The stage in which bits of a cell (or of the input, −1) come to be."""
        return self.stage(self.logic.netlist.cells[source]) if source >= 0 else 0

    def _need(self, bit: Bit, stage: int) -> None:
        if bit.cell == -2:
            return
        delay = stage - self.born(bit.cell)
        entry = self.needed[bit.cell]
        entry[bit.index] = max(entry.get(bit.index, 0), delay)

    def kept(self, source: int, delay: int) -> list[int]:
        """Indices of the bits of a source that are registered `delay` times, ascending."""
        return sorted(index for index, most in self.needed[source].items() if most >= delay)

    def name(self, bit: Bit, stage: int) -> str:
        """The bit as it stands in a stage."""
        if bit.cell == -2:
            return f"1'b{bit.index}"
        delay = stage - self.born(bit.cell)
        sign = "~" if bit.inverted else ""
        stem = _bit_name(bit.cell) if bit.cell >= 0 else "in_data"
        if delay == 0:
            width = self.logic.netlist.cells[bit.cell].outputs if bit.cell >= 0 else self.logic.netlist.input_bits
            return f"{sign}{stem}[{bit.index}]" if width > 1 else f"{sign}{stem}"
        kept = self.kept(bit.cell, delay)
        stem = f"{stem}_d{delay}"
        return f"{sign}{stem}[{kept.index(bit.index)}]" if len(kept) > 1 else f"{sign}{stem}"

    def group(self, source: int, delay: int, indices: list[int]) -> str:
        """Bits of a source as one number, as they stand `delay` stages after they came to be."""
        width = self.logic.netlist.cells[source].outputs if source >= 0 else self.logic.netlist.input_bits
        stem = _bit_name(source) if source >= 0 else "in_data"
        kept = list(range(width)) if delay == 0 else self.kept(source, delay)
        if indices == kept:
            return stem if delay == 0 else f"{stem}_d{delay}"
        stage = self.born(source) + delay
        return _concat([self.name(Bit(source, index), stage) for index in indices])


def _concat(names: list[str]) -> str:
    """Bits as one number, lowest first in the list."""
    return names[0] if len(names) == 1 else "{" + ", ".join(reversed(names)) + "}"


def _range(width: int) -> str:
    return bus(width) if width > 1 else ""


class _Functions:
    """The Verilog functions that cells use, written once each."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def count(self, ones: int, twos: int, outputs: int) -> str:
        """Number of ones among `ones` bits, plus twice that among `twos` bits; modulo 2^outputs.

        Tables, not sums: synthesis keeps each output in one lookup table and does not take the counter apart.
        """
        name = f"count_{ones}" + (f"_{twos}" if twos else "") + f"_to_{outputs}"
        if name in self.texts:
            return name
        inputs = ones + twos
        sums = [(x & (2**ones - 1)).bit_count() + 2 * (x >> ones).bit_count() for x in range(2**inputs)]
        tables = [sum(((total >> k) & 1) << x for x, total in enumerate(sums)) for k in range(outputs)]
        what = f"ones among x[{ones - 1}:0]" + (f", plus twice those among x[{inputs - 1}:{ones}]" if twos else "")
        self.texts[name] = self._lookup(name, inputs, tables, f"how many {what}")
        return name

    def reached(self, width: int) -> str:
        """Whether a number is at least a constant: an AND or an OR per bit.

        Written as `>=`, synthesis for ECP5 and iCE40 would spend a carry chain of all bits on each constant.
        """
        name = f"reached_{width}"
        self.texts[name] = "\n".join(
            [
                f"    function {name};  // x >= level",
                f"        input [{width - 1}:0] x;",
                f"        input [{width - 1}:0] level;",
                "        integer i;",
                "        begin",
                f"            {name} = 1'b1;",
                f"            for (i = 0; i < {width}; i = i + 1)",
                f"                {name} = level[i] ? ({name} & x[i]) : ({name} | x[i]);",
                "        end",
                "    endfunction",
            ]
        )
        return name

    def table(self, inputs: int, tables: Sequence[int]) -> str:
        """Any function of few bits."""
        name = f"table_{inputs}_{sum(1 for key in self.texts if key.startswith('table_'))}"
        for key, text in self.texts.items():
            if text == self._lookup(key, inputs, tables, "a table"):
                return key
        self.texts[name] = self._lookup(name, inputs, tables, "a table")
        return name

    @staticmethod
    def _lookup(name: str, inputs: int, tables: Sequence[int], what: str) -> str:
        size = 2**inputs
        names = [f"t{k}" for k in range(len(tables))]
        lines = [
            f"    function {_range(len(tables))}{name};  // {what}",
            f"        input {_range(inputs)}x;",
            f"        reg {bus(size)}{', '.join(names)};",
            "        begin",
            *(f"            t{k} = {size}'h{table:0{max(size // 4, 1)}x};" for k, table in enumerate(tables)),
            f"            {name} = {_concat([f't{k}[x]' for k in range(len(tables))])};",
            "        end",
            "    endfunction",
        ]
        return "\n".join(lines)

    def small_add(self, a: int, b: int, outputs: int) -> str:
        """Sum of a number of `a` bits (in the lower bits of x) and one of `b` bits."""
        name = f"add_{a}_{b}_to_{outputs}"
        if name in self.texts:
            return name
        columns: dict[int, list[str]] = defaultdict(list)
        for i in range(a):
            columns[i].append(f"x[{i}]")
        for i in range(b):
            columns[i].append(f"x[{a + i}]")
        self._adders(name, a + b, columns, outputs)
        return name

    def _adders(self, name: str, inputs: int, start: Mapping[int, list[str]], outputs: int) -> None:
        """A function that adds bits with full and half adders, written as equations."""
        columns: dict[int, list[str]] = defaultdict(list, {k: list(v) for k, v in start.items()})
        declared: list[str] = []
        lines: list[str] = []
        for column in range(outputs):
            while len(columns[column]) > 1:
                taken, columns[column] = columns[column][:3], columns[column][3:]
                total = f"s{len(declared)}"
                declared.append(total)
                lines.append(f"{total} = {' ^ '.join(taken)};")
                columns[column].append(total)
                if column + 1 < outputs:
                    carry = f"c{len(declared)}"
                    declared.append(carry)
                    a, b, *rest = taken
                    text = f"({a} & {b}) | ({rest[0]} & ({a} ^ {b}))" if rest else f"{a} & {b}"
                    lines.append(f"{carry} = {text};")
                    columns[column + 1].append(carry)
        results = [columns[k][0] if columns[k] else "1'b0" for k in range(outputs)]
        body = [
            f"    function {_range(outputs)}{name};",
            f"        input {_range(inputs)}x;",
            *([f"        reg {', '.join(declared)};"] if declared else []),
            "        begin",
            *(f"            {line}" for line in lines),
            f"            {name} = {_concat(results)};",
            "        end",
            "    endfunction",
        ]
        self.texts[name] = "\n".join(body)


def _cell_text(cell: Cell, index: int, names: list[str], functions: _Functions) -> list[str]:
    target = _bit_name(index)
    head = f"    wire {_range(cell.outputs)}{target} ="
    note = f"  // {cell.note}" if cell.note else ""
    if cell.kind is CellKind.COUNT:
        ones, twos = cell.shape
        return [f"{head} {functions.count(ones, twos, cell.outputs)}({_concat(names)});{note}"]
    if cell.kind is CellKind.SMALL_ADD:
        a, b, _ = cell.shape
        return [f"{head} {functions.small_add(a, b, cell.outputs)}({_concat(names)});{note}"]
    if cell.kind is CellKind.ADD:
        a, b, _ = cell.shape
        parts = []
        for bits in (names[:a], names[a : a + b]):
            kept = bits[: cell.outputs] + ["1'b0"] * (cell.outputs - len(bits))
            parts.append(_concat(kept))
        return [f"{head} {parts[0]} + {parts[1]};{note}"]
    if cell.kind is CellKind.ADD3:
        (width,) = cell.shape
        rows = [names[k * width : (k + 1) * width] for k in range(3)]
        lines = [
            f"    wire {_range(width)}{target}_{letter} = {_concat(row)};{note if letter == 'a' else ''}"
            for letter, row in zip("abc", rows, strict=True)
        ]
        x, y, z = (f"{target}_{letter}" for letter in "abc")
        low = width - 1
        if width == 1:
            return [*lines, f"{head} {x} ^ {y} ^ {z};"]
        part = f"[{low - 1}:0]" if low > 1 else "[0]"
        lines += [
            (
                f"    wire {bus(width)}{target}_m = "
                f"{{({x}{part} & {y}{part}) | ({z}{part} & ({x}{part} ^ {y}{part})), 1'b0}};"
            ),
            f"{head} {target}_m + ({x} ^ {y} ^ {z});",
        ]
        return lines
    if cell.kind is CellKind.REACHED:
        width = len(cell.inputs)
        compare = functions.reached(width)
        lines = [f"    wire {_range(width)}{target}_x = {_concat(names)};{note}"]
        reached = [f"{target}_{k}" for k in range(len(cell.shape))]
        lines += [
            f"    wire {name} = {compare}({target}_x, {width}'d{level});"
            for name, level in zip(reached, cell.shape, strict=True)
        ]
        # Bit j of the count changes whenever the count passes a multiple of 2^j.
        bits = [" ^ ".join(reached[(1 << j) - 1 :: 1 << j]) for j in range(cell.outputs)]
        return [*lines, f"{head} {_concat(bits)};"]
    return [f"{head} {functions.table(len(cell.inputs), cell.shape)}({_concat(names)});{note}"]


def pipeline(logic: Logic, name: str, register_every: int, facts: Mapping[str, object]) -> str:
    """Text of the pipeline module: out_data follows in_data by `pipeline_latency` clocks, every clock.

    With register_every 0 it is combinational and has no clock.
    """
    netlist = logic.netlist
    registers = Registers(logic, register_every)
    functions = _Functions()
    latency = registers.last
    stages: dict[int, list[str]] = defaultdict(list)
    unused: list[str] = []
    for index, cell in enumerate(netlist.cells):
        stage = registers.stage(cell)
        names = [registers.name(bit, stage) for bit in cell.inputs]
        stages[stage] += _cell_text(cell, index, names, functions)
    for source in [-1, *range(len(netlist.cells))]:
        stem = _bit_name(source) if source >= 0 else "in_data"
        total = netlist.cells[source].outputs if source >= 0 else netlist.input_bits
        if len(registers.needed[source]) < total:
            unused.append(stem)
    clocked: dict[int, list[str]] = defaultdict(list)
    declared: dict[int, list[str]] = defaultdict(list)
    initial: dict[int, list[str]] = defaultdict(list)
    for source in [-1, *range(len(netlist.cells))]:
        most = max(registers.needed[source].values(), default=0)
        born = registers.born(source)
        for delay in range(1, most + 1):
            kept = registers.kept(source, delay)
            stem = _bit_name(source) if source >= 0 else "in_data"
            target = f"{stem}_d{delay}"
            stage = born + delay - 1
            declared[stage].append(f"    reg {_range(len(kept))}{target};")
            initial[stage].append(f"        {target} = {len(kept)}'d0;")
            clocked[stage].append(f"        {target} <= {registers.group(source, delay - 1, kept)};")
    if latency and not declared:
        unused.append("clk")  # outputs that are constant, or wired to inputs of the same stage
    width = logic.output_element.bits
    out = [registers.name(bit, latency) for bits in logic.outputs for bit in bits]
    in_width = netlist.input_bits
    lines = [
        f"// {name}: one frame per clock, {latency} clocks from in_data to out_data, made by edgeml.",
        *(f"// {key}: {value}" for key, value in facts.items()),
        "`default_nettype none",
        f"module {name} (",
        *(["    input  wire clk,"] if latency else []),
        f"    input  wire {bus(in_width)}in_data,",
        f"    output wire {bus(width * len(logic.outputs))}out_data",
        ");",
        *functions.texts.values(),
    ]
    for stage in range(max(latency, 1)):
        lines.append(f"\n    // ---- stage {stage}" if latency else "")
        lines += stages[stage]
        if declared[stage]:
            lines += [*declared[stage], "    initial begin", *initial[stage], "    end"]
            lines += ["    always @(posedge clk) begin", *clocked[stage], "    end"]
    lines.append("")
    for k in range(0, len(out), width):
        lines.append(f"    assign out_data[{k + width - 1}:{k}] = {_concat(out[k : k + width])};")
    if unused:
        lines.append(f"    wire unused = &{{1'b0, {', '.join(unused)}}};")
    return "\n".join([*lines, "endmodule", "`default_nettype wire", ""])


def core(logic: Logic, name: str, pipeline_name: str, latency: int, facts: Mapping[str, object]) -> str:
    """Text of the core: the pipeline without stalls, and a FIFO whose places are reserved when a frame enters."""
    in_width, out_width = logic.netlist.input_bits, logic.output_element.bits * len(logic.outputs)
    fifo = instance(
        "edgeml_fifo",
        "results",
        {"WIDTH": out_width, "DEPTH": latency + 2},
        {
            "clk": "clk",
            "rst": "rst",
            "can_reserve": "in_ready",
            "reserve": "take",
            "push": f"going[{latency - 1}]",
            "push_data": "result",
            "valid": "out_valid",
            "ready": "out_ready",
            "data": "out_data",
        },
    )
    shift = f"{{going[{latency - 2}:0], take}}" if latency > 1 else "take"
    return "\n".join(
        [
            f"// {name}: a frame enters and leaves in one clock each; the pipeline itself never stalls.",
            *(f"// {key}: {value}" for key, value in facts.items()),
            "`default_nettype none",
            f"module {name} (",
            *stream_ports(in_width, out_width),
            "    wire take = in_valid && in_ready;",
            f"    reg {bus(latency)}going;  // which stages hold a frame",
            "    always @(posedge clk) begin",
            f"        if (rst) going <= {latency}'d0;",
            f"        else going <= {shift};",
            "    end",
            f"    wire {bus(out_width)}result;",
            f"    {pipeline_name} pipeline (.clk(clk), .in_data(in_data), .out_data(result));",
            fifo,
            "endmodule",
            "`default_nettype wire",
            "",
        ]
    )
