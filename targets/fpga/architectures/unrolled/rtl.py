"""Verilog of a netlist: the pipeline module, stage by stage, and the core around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from ...verilog.stream import result_fifo, shift_register, stream_ports
from ...verilog.writer import Layout, Port, Verilog, several
from .cells import Functions, cell_name, concatenated, write_cell
from .netlist import Bit
from .network_logic import Logic
from .stages import Stages

__all__ = ["Registers", "core", "pipeline", "result_places"]


@dataclass(frozen=True)
class Kept:
    """A register: its name, its width in bits, and what it takes in every clock."""

    name: str
    width: int
    value: str


class Registers:
    """Which bits must be kept for how many stages, and what they are called there."""

    def __init__(self, logic: Logic, stages: Stages) -> None:
        self.logic = logic
        self.stages = stages
        self.last = stages.count
        self.needed: dict[int, dict[int, int]] = defaultdict(dict)
        for cell, stage in zip(logic.netlist.cells, stages.of, strict=True):
            for bit in cell.inputs:
                self._need(bit, stage)
        for bits in logic.outputs:
            for bit in bits:
                self._need(bit, self.last)

    def born(self, source: int) -> int:
        """The stage in which bits of a cell (or of the input, −1) come to be: registers stand at the end of each."""
        return self.stages.of[source] if source >= 0 else 0

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
        stem = cell_name(bit.cell) if bit.cell >= 0 else "in_data"
        if delay == 0:
            width = self.logic.netlist.cells[bit.cell].outputs if bit.cell >= 0 else self.logic.netlist.input_bits
            return f"{sign}{stem}[{bit.index}]" if width > 1 else f"{sign}{stem}"
        kept = self.kept(bit.cell, delay)
        stem = f"{stem}_d{delay}"
        return f"{sign}{stem}[{kept.index(bit.index)}]" if len(kept) > 1 else f"{sign}{stem}"

    def by_stage(self) -> dict[int, list[Kept]]:
        """The registers at the end of each stage."""
        stages: dict[int, list[Kept]] = defaultdict(list)
        for source in self._sources():
            most = max(self.needed[source].values(), default=0)
            stem = cell_name(source) if source >= 0 else "in_data"
            for delay in range(1, most + 1):
                kept = self.kept(source, delay)
                register = Kept(f"{stem}_d{delay}", len(kept), self.group(source, delay - 1, kept))
                stages[self.born(source) + delay - 1].append(register)
        return stages

    def unused(self) -> list[str]:
        """Names of cells and inputs of which some bit is not needed."""
        cells, total = self.logic.netlist.cells, self.logic.netlist.input_bits
        unused = ["in_data"] if len(self.needed[-1]) < total else []
        return unused + [cell_name(k) for k, cell in enumerate(cells) if len(self.needed[k]) < cell.outputs]

    def _sources(self) -> list[int]:
        return [-1, *range(len(self.logic.netlist.cells))]

    def group(self, source: int, delay: int, indices: list[int]) -> str:
        """Bits of a source as one number, as they stand `delay` stages after they came to be."""
        width = self.logic.netlist.cells[source].outputs if source >= 0 else self.logic.netlist.input_bits
        stem = cell_name(source) if source >= 0 else "in_data"
        kept = list(range(width)) if delay == 0 else self.kept(source, delay)
        if indices == kept:
            return stem if delay == 0 else f"{stem}_d{delay}"
        stage = self.born(source) + delay
        return concatenated([self.name(Bit(source, index), stage) for index in indices])


def pipeline(logic: Logic, name: str, stages: Stages, facts: Mapping[str, object]) -> str:
    """Text of the pipeline module: out_data follows in_data by `stages.count` clocks, every clock.

    Without stages it is combinational and has no clock.
    """
    registers = Registers(logic, stages)
    functions = Functions()
    text_of = _stages(registers, functions)
    kept = registers.by_stage()
    latency = registers.last
    width = logic.output_element.bits
    out = [registers.name(bit, latency) for bits in logic.outputs for bit in bits]
    verilog = Verilog()
    verilog.header(
        f"{name}: one frame per clock, {latency} clocks from in_data to out_data, made by edgeml.", facts=facts
    )
    ports = [Port("input", "in_data", logic.netlist.input_bits), Port("output", "out_data", len(out))]
    with verilog.module(name, [Port("input", "clk"), *ports] if latency else ports):
        verilog.insert(functions.verilog)
        for stage in range(max(latency, 1)):
            verilog.blank()
            if latency:
                verilog.comment(f"---- stage {stage}")
            verilog.insert(text_of[stage])
            if kept[stage]:
                _registers(verilog, kept[stage])
        verilog.blank()
        for k in range(0, len(out), width):
            verilog.assign(f"out_data[{k + width - 1}:{k}]", concatenated(out[k : k + width]))
        unused = registers.unused()
        if latency and not any(kept.values()):
            unused.append("clk")  # outputs that are constant, or wired to inputs of the same stage
        if unused:
            verilog.wire("unused", value=f"&{{1'b0, {', '.join(unused)}}}")
    return verilog.text()


def _stages(registers: Registers, functions: Functions) -> dict[int, Verilog]:
    """The cells of each stage."""
    stages: dict[int, Verilog] = defaultdict(lambda: Verilog(depth=1))
    for index, cell in enumerate(registers.logic.netlist.cells):
        stage = registers.born(index)
        names = [registers.name(bit, stage) for bit in cell.inputs]
        write_cell(stages[stage], cell, index, names, functions)
    return stages


def _registers(verilog: Verilog, kept: list[Kept]) -> None:
    """The registers at the end of a stage."""
    for register in kept:
        verilog.reg(register.name, width=several(register.width))
    with verilog.block("initial begin"):
        for register in kept:
            verilog.line(f"{register.name} = {register.width}'d0;")
    with verilog.clocked():
        for register in kept:
            verilog.line(f"{register.name} <= {register.value};")


def result_places(latency: int) -> int:
    """Places of the FIFO of results with which a frame is taken every clock: those that are on their way for `latency`
    clocks, one that comes, one that is taken, and one whose place is free a clock later."""
    return latency + 3


def core(logic: Logic, name: str, pipeline_name: str, latency: int, facts: Mapping[str, object]) -> str:
    """Text of the core: the pipeline without stalls, and a FIFO whose places are reserved when a frame enters."""
    in_width, out_width = logic.netlist.input_bits, logic.output_element.bits * len(logic.outputs)
    verilog = Verilog()
    verilog.header(
        f"{name}: a frame enters and leaves in one clock each; the pipeline itself never stalls.", facts=facts
    )
    with verilog.module(name, stream_ports(in_width, out_width)):
        verilog.wire("take", value="in_valid && in_ready")
        shift_register(verilog, "going", "take", latency, "which stages hold a frame")
        verilog.wire("result", width=out_width)
        frame = {"clk": "clk", "in_data": "in_data", "out_data": "result"}
        verilog.instance(pipeline_name, "pipeline", frame, layout=Layout.ONE_LINE)
        push = f"going[{latency - 1}]"
        result_fifo(verilog, out_width, result_places(latency), can_reserve="in_ready", push=push, late=True)
    return verilog.text()
