"""Verilog of a netlist: the pipeline, a module for each layer with its cells stage by stage, and the core around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ...verilog.stream import result_fifo, shift_register, stream_ports
from ...verilog.writer import Layout, Port, Verilog, several
from .cells import Functions, concatenated, write_cell
from .layer_modules import PIPELINE, LayerModule, LayerModules, instance_name
from .network_logic import Logic
from .registers import Kept, Registers
from .stages import Stages

__all__ = ["core", "pipeline", "result_places"]

_NAMES = (
    "A module for each layer stands below, named after it: together they are all of the logic. X_at_S are the bits of",
    "layer X that others take in stage S, X_chC those of its channel C, nK what cell K gives and nK_dD what it gave D",
    "clocks ago. Registers hold data alone: they have neither a reset nor an initial value.",
)


def pipeline(
    logic: Logic,
    name: str,
    stages: Stages,
    facts: Mapping[str, object],
    layers: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Text of the pipeline module: out_data follows in_data by `stages.clocks` clocks, every clock.

    Without stages it is combinational and has no clock.

    Parameters
    ----------
    facts : for the header. layers : lines for the header of each layer's module, by layer; layers that are not named
        stand in the pipeline's module itself.
    """
    registers = Registers(logic, stages)
    given = layers or {}
    modules = LayerModules(logic, registers, [layer for layer in logic.layer_cells if layer in given])
    latency = registers.last
    verilog = Verilog()
    verilog.header(
        f"{name}: one frame per clock, {latency} clocks from in_data to out_data, made by edgeml.", facts=facts
    )
    apart = [module for layer, module in modules.modules.items() if layer != PIPELINE]
    if apart:
        verilog.comment("", *_NAMES)
        verilog.line("// verilator lint_off DECLFILENAME")
    _Text(modules, modules.modules[PIPELINE]).write(verilog, name)
    for module in apart:
        verilog.blank()
        verilog.comment(f"---- {module.layer}: {_stages_of(modules, module)}", *given[module.layer])
        _Text(modules, module).write(verilog, f"{name}_{module.layer}")
    if apart:
        verilog.line("// verilator lint_on DECLFILENAME")
    return verilog.text()


def _stages_of(modules: LayerModules, module: LayerModule) -> str:
    """In which clocks a layer's cells work."""
    registers = modules.registers
    if not registers.last:
        return f"{len(module.cells)} cells"
    used = [registers.born(cell) for cell in module.cells]
    first, last = min(used), max(used)
    where = f"stages {first} to {last}" if last > first else f"stage {first}"
    return f"{len(module.cells)} cells in {where} of the pipeline's {registers.last}, from 0"


class _Text:
    """The text of one module."""

    def __init__(self, modules: LayerModules, module: LayerModule) -> None:
        self.modules, self.module, self.registers = modules, module, modules.registers
        self.functions = Functions()
        self.is_pipeline = module.layer == PIPELINE
        self.kept = self.registers.by_stage([-1, *module.cells] if self.is_pipeline else module.cells)

    def write(self, verilog: Verilog, name: str) -> None:
        """All of the module."""
        cells = self._cells()
        with verilog.module(name, self._ports()):
            verilog.insert(self.functions.verilog)
            if self.is_pipeline:
                self._write_layers(verilog, name)
            for stage in range(max(self.registers.stages.count, 1)):
                self._write_stage(verilog, stage, cells[stage])
            self._write_given(verilog)
            if self.is_pipeline:
                self._write_results(verilog)
            if unused := self._unused():
                verilog.wire("unused", value=f"&{{1'b0, {', '.join(unused)}}}")

    @property
    def _is_clocked(self) -> bool:
        return any(self.kept.values()) or (self.is_pipeline and self.registers.last > 0)

    def _ports(self) -> list[Port]:
        clock = [Port("input", "clk")] if self._is_clocked else []
        if self.is_pipeline:
            out = sum(map(len, self.modules.logic.outputs))
            width = self.modules.logic.netlist.input_bits
            return [*clock, Port("input", "in_data", width), Port("output", "out_data", out)]
        taken = [Port("input", name, width) for name, width in self._buses(list(self.module.taken.bits))]
        return [*clock, *taken, *(Port("output", name, width) for name, width in self._buses(self.module.given))]

    def _buses(self, ports: list[tuple[str, int]]) -> list[tuple[str, int]]:
        return [(self.modules.port_name(port), several(len(self.modules.bus(port)))) for port in sorted(ports)]

    def _write_layers(self, verilog: Verilog, name: str) -> None:
        """Instances of the modules of the layers, and the wires between them."""
        for module in self.modules.modules.values():
            for bus, width in self._buses(module.given):
                verilog.wire(bus, width=width)
        for layer, module in self.modules.modules.items():
            if layer != PIPELINE:
                ports = _Text(self.modules, module)._ports()
                connected = {port.name: port.name for port in ports}
                verilog.instance(f"{name}_{layer}", instance_name(layer), connected)

    def _cells(self) -> dict[int, Verilog]:
        """The cells of each stage."""
        stages: dict[int, Verilog] = defaultdict(lambda: Verilog(depth=1))
        for index in self.module.cells:
            cell, stage = self.modules.logic.netlist.cells[index], self.registers.born(index)
            names = [self.modules.name(self.module, bit, stage) for bit in cell.inputs]
            write_cell(stages[stage], cell, index, names, self.functions)
        return stages

    def _write_stage(self, verilog: Verilog, stage: int, cells: Verilog) -> None:
        """The wires that name what is taken, the cells, and the registers at the end of a stage."""
        channels = self.module.taken.channels[stage]
        if not (channels or self.kept[stage] or cells.text()):
            return
        verilog.blank()
        if self.registers.last:
            verilog.comment(f"---- stage {stage}")
        for channel in channels:
            verilog.wire(channel.name, width=channel.width, value=channel.value, note=channel.note)
        verilog.insert(cells)
        if self.kept[stage]:
            _registers(verilog, self.kept[stage])

    def _write_given(self, verilog: Verilog) -> None:
        """What others take of the module."""
        for port in self.module.given:
            name, pieces = self.modules.port_name(port), self.modules.bus_pieces(port)
            verilog.blank()
            whole = concatenated([bit for _, bits, _ in pieces for bit in bits])
            if not whole.startswith("{"):
                verilog.assign(name, whole)
                continue
            for place, bits, note in pieces:
                target = f"{name}[{place + len(bits) - 1}:{place}]" if len(bits) > 1 else f"{name}[{place}]"
                if len(self.modules.bus(port)) == 1:
                    target = name
                verilog.line(f"assign {target} = {concatenated(bits)};", note)

    def _write_results(self, verilog: Verilog) -> None:
        """The network's outputs, in the clock behind the last stage, or in the last one where they leave straight."""
        logic, last = self.modules.logic, self.registers.last
        verilog.blank()
        for channel in self.module.taken.channels[last] if last == self.registers.stages.count else []:
            verilog.wire(channel.name, width=channel.width, value=channel.value, note=channel.note)
        low = 0
        for bits in logic.outputs:
            names = [self.modules.name(self.module, bit, last) for bit in bits]
            verilog.assign(f"out_data[{low + len(bits) - 1}:{low}]", concatenated(names))
            low += len(bits)

    def _unused(self) -> list[str]:
        """Names of what is not needed in whole."""
        unused = self.registers.unused([-1, *self.module.cells] if self.is_pipeline else self.module.cells)
        for port, needed in self.module.taken.bits.items():
            name, bus = self.modules.port_name(port), self.modules.bus(port)
            unused += [f"{name}[{place}]" for place, source in enumerate(bus) if source not in needed]
        clocked = any(
            _Text(self.modules, module)._is_clocked for module in self.modules.modules.values() if module.layer
        )
        if self._is_clocked and not any(self.kept.values()) and not clocked:
            unused.append("clk")  # outputs that are constant, or wired to inputs of the same stage
        return unused


def _registers(verilog: Verilog, kept: list[Kept]) -> None:
    """The registers at the end of a stage: data, of which no reset and no initial value is needed."""
    for register in kept:
        verilog.reg(register.name, width=several(register.width))
    with verilog.clocked():
        for register in kept:
            verilog.line(f"{register.name} <= {register.value};")


def result_places(stages: Stages) -> int:
    """Places of the FIFO of results with which a frame is taken every clock: those that are on their way for as many
    clocks as the pipeline has, one that comes, one that is taken unless it passes by, and one whose place is free a
    clock later."""
    return max(stages.clocks, 1) + (2 if stages.straight else 3)


def core(logic: Logic, name: str, pipeline_name: str, stages: Stages, facts: Mapping[str, object]) -> str:
    """Text of the core: the pipeline without stalls, and a FIFO whose places are reserved when a frame enters."""
    in_width, out_width = logic.netlist.input_bits, logic.output_element.bits * len(logic.outputs)
    latency, straight = stages.clocks, stages.straight
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
        places = result_places(stages)
        result_fifo(verilog, out_width, places, can_reserve="in_ready", push=push, late=True, bypass=straight)
    return verilog.text()
