"""Which cells of a netlist stand in which module, one for each layer, and which bits cross from one to another.

A module gives what others take of its bits as one port for each stage in which they take them, `LAYER_at_STAGE`: bits
that wait are kept in registers of the module that makes them. A module that takes such a port names its bits by the
channels they belong to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from .cells import cell_name, concatenated
from .netlist import Bit
from .network_logic import Logic
from .registers import Registers

__all__ = ["PIPELINE", "Channel", "LayerModule", "LayerModules", "Taken", "cell_path", "instance_name"]

PIPELINE = ""
"""The pipeline module itself: it holds the registers of the input, and cells that belong to no layer."""

Source = tuple[int, int]
"""A bit as it is made: a cell (−1: the input) and the index of its output."""
Port = tuple[str, int]
"""What a module gives to others in a stage: its layer (`PIPELINE`: the input), and the stage."""


def instance_name(layer: str) -> str:
    """What the instance of a layer's module is called."""
    return f"{layer}_layer"


def cell_path(logic: Logic, index: int) -> str:
    """What the outputs of a cell are called from within the pipeline module, the names of instances before it."""
    layer = next((name for name, cells in logic.layer_cells.items() if index in cells), None)
    return cell_name(index) if layer is None else f"{instance_name(layer)}.{cell_name(index)}"


@dataclass(frozen=True)
class Channel:
    """Bits of a channel that a module takes in a stage.

    Parameters
    ----------
    name : of the wire. value : its bits. width : 0 for a single wire.
    note : the channel, with the constant that lies between its integer and the number of these bits.
    """

    name: str
    width: int
    value: str
    note: str


@dataclass
class Taken:
    """What a module takes of another.

    Parameters
    ----------
    bits : by port, the bits that are needed. channels : by stage, the wires that name them.
    names : by bit and stage, its name, maybe inverted.
    """

    bits: dict[Port, set[Source]] = field(default_factory=lambda: defaultdict(set))
    channels: dict[int, list[Channel]] = field(default_factory=lambda: defaultdict(list))
    names: dict[tuple[Source, int], str] = field(default_factory=dict)


@dataclass
class LayerModule:
    """A module: its layer, its cells, what it takes, and of what it makes what others take."""

    layer: str
    cells: Sequence[int]
    taken: Taken = field(default_factory=Taken)
    given: list[Port] = field(default_factory=list)


class LayerModules:
    """The modules of a pipeline.

    Parameters
    ----------
    apart : the layers that get a module of their own, if they have cells.
    """

    def __init__(self, logic: Logic, registers: Registers, apart: Sequence[str]) -> None:
        self.logic, self.registers = logic, registers
        self.input_name = next(iter(logic.values))
        self._owner = [PIPELINE] * len(logic.netlist.cells)
        self.modules = {PIPELINE: LayerModule(PIPELINE, [])}
        for layer in apart:
            cells = logic.layer_cells[layer]
            if cells:
                self.modules[layer] = LayerModule(layer, cells)
                self._owner[cells.start : cells.stop] = [layer] * len(cells)
        self.modules[PIPELINE].cells = [k for k, owner in enumerate(self._owner) if owner == PIPELINE]
        self._channels = self._places_in_channels()
        self._buses: dict[Port, list[Source]] = {}
        self._find_taken()
        for module in self.modules.values():
            self._name_channels(module)

    def owner(self, source: int) -> str:
        """The module that a cell stands in; that of the input is the pipeline."""
        return self._owner[source] if source >= 0 else PIPELINE

    def port_name(self, port: Port) -> str:
        """What a port is called, and the wires that it is connected to."""
        layer, stage = port
        return f"{layer or self.input_name}_at_{stage}"

    def bus(self, port: Port) -> list[Source]:
        """The bits of a port, lowest first: by channel, then those that are within the layer."""
        return self._buses[port]

    def bus_pieces(self, port: Port) -> list[tuple[int, list[str], str]]:
        """(first place, names of the bits where they are made, note) of each channel of a port."""
        pieces: list[tuple[int, list[str], str]] = []
        channel_before: tuple[str, int] | None = None
        for place, source in enumerate(self._buses[port]):
            known = self._channels.get(source)
            channel = known[:2] if known else None
            if not pieces or channel != channel_before or channel is None:
                pieces.append((place, [], f"{channel[0]}[{channel[1]}]" if channel else ""))
            pieces[-1][1].append(self.registers.name(Bit(*source), port[1]))
            channel_before = channel
        return pieces

    def name(self, module: LayerModule, bit: Bit, stage: int) -> str:
        """A bit as it is called within a module in a stage."""
        if bit.cell == -2 or self.owner(bit.cell) == module.layer:
            return self.registers.name(bit, stage)
        found = module.taken.names[(bit.cell, bit.index), stage]
        return found if not bit.inverted else found[1:] if found[0] == "~" else f"~{found}"

    def _places_in_channels(self) -> dict[Source, tuple[str, int, int, bool]]:
        """Of each bit that is one of a channel's integer: its layer, channel, place and whether it is inverted."""
        found: dict[Source, tuple[str, int, int, bool]] = {}
        for layer, values in self.logic.values.items():
            module = PIPELINE if layer == self.input_name else layer
            for channel, value in enumerate(values):
                for place, bit in enumerate(() if value is None else value.bits):
                    if bit.cell != -2 and self.owner(bit.cell) == module:
                        found.setdefault((bit.cell, bit.index), (layer, channel, place, bit.inverted))
        return found

    def _find_taken(self) -> None:
        uses = ((bit, k) for k, cell in enumerate(self.logic.netlist.cells) for bit in cell.inputs)
        for bit, cell in uses:
            self._take(self.modules[self._owner[cell]], bit, self.registers.stages.of[cell])
        for bit in (bit for bits in self.logic.outputs for bit in bits):
            self._take(self.modules[PIPELINE], bit, self.registers.last)
        together: dict[Port, set[Source]] = defaultdict(set)
        for module in self.modules.values():
            for port, sources in module.taken.bits.items():
                together[port] |= sources
        for port in sorted(together, key=lambda port: (list(self.modules).index(port[0]), port[1])):
            self._buses[port] = sorted(together[port], key=self._order)
            self.modules[port[0]].given.append(port)

    def _take(self, module: LayerModule, bit: Bit, stage: int) -> None:
        if bit.cell != -2 and self.owner(bit.cell) != module.layer:
            module.taken.bits[self.owner(bit.cell), stage].add((bit.cell, bit.index))

    def _order(self, source: Source) -> tuple[int, int, int]:
        known = self._channels.get(source)
        return (0, known[1], known[2]) if known else (1, *source)

    def _name_channels(self, module: LayerModule) -> None:
        """Name what a module takes: `LAYER_chCHANNEL`, or bits of it where it takes some only."""
        first: dict[str, int] = {}
        for port in sorted(module.taken.bits, key=list(self._buses).index):
            place = {source: k for k, source in enumerate(self._buses[port])}
            groups: dict[tuple[str, int] | Source, list[Source]] = defaultdict(list)
            for source in sorted(module.taken.bits[port], key=self._order):
                known = self._channels.get(source)
                groups[known[:2] if known else source].append(source)
            for group, sources in groups.items():
                if isinstance(group[0], str):
                    self._name_channel(module, port, (group[0], group[1]), sources, place, first)
                else:
                    stem = f"{cell_name(group[0])}_b{group[1]}"
                    self._name_bit(module, port, sources[0], stem, place, first)

    def _name_channel(
        self,
        module: LayerModule,
        port: Port,
        which: tuple[str, int],
        sources: list[Source],
        place: dict[Source, int],
        first: dict[str, int],
    ) -> None:
        layer, channel = which
        value = self.logic.values[layer][channel]
        assert value is not None
        stem = f"{layer}_ch{channel}"
        if [bit.cell for bit in value.bits].count(-2) or len(sources) < len(value.bits):
            for source in sources:
                self._name_bit(module, port, source, f"{stem}_b{self._channels[source][2]}", place, first)
            return
        stage = port[1]
        delay = stage - first.setdefault(stem, stage)
        name = f"{stem}_d{delay}" if delay else stem
        bus = self.port_name(port)
        single = len(self._buses[port]) == 1
        bits = [("~" if bit.inverted else "") + _of(bus, place[bit.cell, bit.index], single) for bit in value.bits]
        width = len(bits) if len(bits) > 1 else 0
        for source in sources:
            _, _, k, inverted = self._channels[source]
            module.taken.names[source, stage] = ("~" if inverted else "") + _of(name, k, not width)
        offset = "" if value.offset == 0 else f" {'+' if value.offset < 0 else '-'} {abs(value.offset)}"
        note = f"{layer}[{channel}]{offset}" if offset else ""
        module.taken.channels[stage].append(Channel(name, width, concatenated(bits), note))

    def _name_bit(
        self,
        module: LayerModule,
        port: Port,
        source: Source,
        stem: str,
        place: dict[Source, int],
        first: dict[str, int],
    ) -> None:
        stage = port[1]
        delay = stage - first.setdefault(stem, stage)
        name = f"{stem}_d{delay}" if delay else stem
        module.taken.names[source, stage] = name
        bit = _of(self.port_name(port), place[source], len(self._buses[port]) == 1)
        module.taken.channels[stage].append(Channel(name, 0, bit, ""))


def _of(name: str, index: int, single: bool) -> str:
    return name if single else f"{name}[{index}]"
