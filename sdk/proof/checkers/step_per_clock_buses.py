"""What comes to an adder graph of a core of a step per clock: each bit followed back to what gives it."""

from __future__ import annotations

from ...errors import CheckFailed
from .statements import need
from .step_per_clock_core import Bit, Core, Instance
from .step_per_clock_synapses import Stage
from .step_per_clock_units import Population

__all__ = ["Buses"]


class Buses:
    """The buses of a core, as far as it was followed.

    known : populations by name. gives : by instance (empty for the core's input) its population, and the first bit in
    it. used : instances whose part is known.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.known: dict[str, Population] = {}
        self.gives: dict[str, tuple[str, int]] = {}
        self.used = {"results"}

    def sources(self, stage: Stage, cell: Instance, interval: int) -> tuple[list[str], tuple[int, bool], int]:
        """(populations in order, (bits of a channel, sign), clock of the last slot) of what comes to a stage."""
        data = self.core.at(cell, "in_data")
        need(set(stage.weights) <= set(self.known), cell.name, "takes what is not known")
        channels = sum(self.known[name].size for name in stage.weights)
        bits, signed = len(data) // channels, any(self.known[name].signed for name in stage.weights)
        need(bits * channels == len(data), cell.name, "takes another number of channels")
        ends: dict[str, tuple[int, int | None]] = {}
        at = 0
        while at < len(data):
            name = self._origin(data[at])[0][0]
            need(name in stage.weights and name not in ends, cell.name, f"takes {name}, or takes it twice")
            given = self.known[name]
            need(given.bits + (signed and not given.signed) <= bits, cell.name, f"cuts {name} off")
            ends[name] = self._channels(cell, name, data[at : at + bits * given.size], bits)
            at += bits * given.size
        clocks = {self.known[name].end + delay for name, (delay, _) in ends.items()}
        need(len(clocks) == 1, cell.name, "takes windows that end in different clocks")
        (end,) = clocks
        slots = max(self.known[name].slots for name in ends)
        need(slots <= interval, cell.name, "takes more slots than frames are apart")
        for name, (delay, mark) in ends.items():
            given = self.known[name]
            if given.slots < slots or stage.encoding == "stbif":
                need(given.silent or mark is not None, cell.name, f"takes {name} in clocks in which it is not silent")
            if given.slots < slots:  # what was under way before a reset is here for as long as it is delayed
                lasting = delay if mark is None else 0
                need(
                    slots <= end + 1 - lasting + self.core.rested,
                    cell.name,
                    f"may take spikes of {name} from before a reset",
                )
        return list(ends), (bits, signed), end

    def _channels(self, cell: Instance, name: str, data: list[Bit], bits: int) -> tuple[int, int | None]:
        """(clocks of delay, the clock in which alone it comes or None) of a population, all its channels in order."""
        given, ways = self.known[name], set()
        need(len(data) == bits * given.size, cell.name, f"takes other channels of {name}")
        for channel in range(given.size):
            word = data[channel * bits : (channel + 1) * bits]
            fill = word[given.bits - 1] if given.signed else 0
            need(all(bit == fill for bit in word[given.bits :]), cell.name, f"fills {name} wrongly")
            for place, bit in enumerate(word[: given.bits]):
                source, delay, mark = self._origin(bit)
                need(source == (name, channel * given.bits + place), cell.name, f"takes something else than {name}")
                ways.add((delay, mark))
        need(len(ways) == 1, cell.name, f"takes channels of {name} from different clocks")
        ((delay, mark),) = ways
        alone = mark is None or (mark == given.end + delay and given.slots == 1)
        need(alone, cell.name, f"takes {name} too early or late")
        return delay, mark

    def _origin(self, bit: Bit) -> tuple[tuple[str, int], int, int | None]:
        """((population, bit of it), clocks that it was delayed, the clock in which alone it is passed on or None)."""
        delay, mark = 0, None
        while True:
            bit = self.core.behind(bit)
            if isinstance(bit, int):
                raise CheckFailed("certificate, core", "has a constant where spikes must come")
            net, place = bit
            if net in self.core.gates and mark is None and not delay:
                given, net = self.core.gates[net]
                mark, bit = self.core.clock(given), (net, place)
                continue
            if net == "in_data":
                need("" in self.gives, "core", "takes the input's integers")
                return (self.gives[""][0], place), delay, mark
            unit, _, at = self.core.driver[bit]
            if unit.module != "edgeml_delay":
                name, first = self.gives[unit.name]
                return (name, first + at), delay, mark
            clocks = unit.parameters["CLOCKS"]
            need(clocks > 0, unit.name, "delays nothing")
            taken = self.core.at(unit, "in_data")
            need(len(taken) == unit.parameters["WIDTH"], unit.name, "takes another width")
            self.used.add(unit.name)
            bit, delay = taken[at], delay + clocks
