"""The second look at a certificate of a core of a step per clock: all that can be seen without yosys, in seconds.

This file shares no code with what writes Verilog or with what proves: it takes the network's definition
(`edgeml.network`), the files of a bundle, and numpy. It reads the core's text, follows each bus back through delays to
what gives it, counts the clocks of windows and marks, follows the synapses of each adder graph from its gates, and lets
each neuron fire for every potential by formulas of its own. That a module of the library, which must have the text that
ships, does what a fact says, that the gates are the Verilog's and how many registers lie among them, is the prover's
and yosys's word; that each unit has its fact is looked at here.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...network import Network
from ...system.regular_file import read_regular
from .shipped import need_shipped
from .statements import check_file, integer, need
from .step_per_clock_buses import Buses
from .step_per_clock_core import Core, Instance
from .step_per_clock_synapses import Stage, added_by, check_synapses, stages_of
from .step_per_clock_units import Population, charge, fired, input_fired, traces

__all__ = ["check_certificate"]

_LARGEST, _MOST_VALUES = 2**28, 2**24
_KINDS = {"unary": 0, "stbif": 0, "ttfs": 1, "sar": 2}
_Int64 = npt.NDArray[np.int64]


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and how many are proved.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    return check_file(folder, prover, "step_per_clock", partial(_places, folder / f"proof/{prover}/circuit.json"))


def _places(
    circuits: Path, network: Network, files: dict[str, bytes], certificate: dict[str, Any]
) -> dict[str, tuple[int, int]]:
    for path, content in files.items():
        need(re.fullmatch(r"rtl/[\w.]+", path) is not None, "artifact", f"{path!r} lies elsewhere")
        need_shipped(path, content)
    gates = read_regular(circuits, _LARGEST)
    need(certificate["circuits"] == hashlib.sha256(gates).hexdigest(), "circuits", "are others")
    texts = {path.removeprefix("rtl/"): content.decode() for path, content in files.items()}
    return _Check(network, certificate, texts, json.loads(gates)).places()


class _Check:
    """The claims of a certificate, followed layer by layer."""

    def __init__(
        self, network: Network, certificate: dict[str, Any], texts: dict[str, str], circuits: dict[str, Any]
    ) -> None:
        self.network, self.said, self.texts, self.circuits = network, certificate, texts, circuits
        name = f"{network.name}_core"
        need(certificate["core"] == f"rtl/{name}.v", "core", "is another")
        self.stages = stages_of(network)
        widths = {}
        for stage in self.stages:
            module = f"{network.name}_{stage.name}_currents"
            found = re.search(r"output\s+(?:wire|reg)\s+(?:\[(\d+):0\]\s*)?out_data", texts[f"{module}.v"])
            need(found is not None, module, "gives no out_data")
            widths[module] = int(found[1] or 0) + 1 if found else 0
        self.core = Core(name, texts[f"{name}.v"], widths)
        modules = {each.module for each in self.core.instances.values()}
        inner = {"edgeml_slot_potential"} if "edgeml_slot_neuron" in modules else set()
        need(all(f"{module}.v" in texts for module in modules | inner), "artifacts", "lack modules of the core")
        self.buses = Buses(self.core)
        self.known, self.gives, self.used = self.buses.known, self.buses.gives, self.buses.used
        self.facts: set[str] = set()

    def places(self) -> dict[str, tuple[int, int]]:
        """Follow all claims; by place how many there are, and how many are proved."""
        said, sizes = self.said["places"], {stage.name: len(stage.constant) for stage in self.stages}
        need(list(said) == list(sizes), "places", "are not the layers")
        need(self.said["interval"] == self.core.interval, "interval", "is another")
        output = self.said["output"]
        need(len(output) == self.network.output_size, "out_data", "has another number of channels")
        whole = self.said["control"] == "proved"
        for name, size in sizes.items():
            channels = said[name]["channels"]
            need(len(channels) == size and said[name]["proved"] == channels.count("proved"), name, "counts wrongly")
            whole &= said[name]["proved"] == size
        if not whole:  # what is not proved whole is not looked at, and not believed
            need("proved" not in output, "out_data", "does not follow")
            return {"core": (1, 0), **{name: (size, 0) for name, size in sizes.items()}, "out_data": (len(output), 0)}
        self._results()
        self._input()
        for stage in self.stages:
            self._layer(stage)
        need(self.used == self.core.instances.keys(), "core", "has an instance that is part of nothing")
        need(self.facts == self.said["facts"].keys(), "facts", "are not those that units need")
        return {
            "core": (1, 1),
            **{n: (size, size) for n, size in sizes.items()},
            "out_data": (len(output), output.count("proved")),
        }

    def _unit(self, name: str, module: str, says: str, numbers: dict[str, int]) -> Instance:
        """An instance of a module of the library, with the fact that it needs."""
        unit = self.core.instances[name]
        need(unit.module == module and f"{module}.v" in self.texts, name, f"is not of {module}")
        self.used.add(name)
        given = ",".join(f"{key}={value}" for key, value in sorted(self._said(unit).items()))
        key = f"{says}:{module}({given})"
        need(key in self.said["facts"], name, f"lacks the fact {says} of {module} with its parameters")
        fact = self.said["facts"][key]
        wanted = {"module": module, "parameters": self._said(unit), "says": says, "numbers": numbers}
        need(fact == wanted, name, f"has another fact {says}")
        self.facts.add(key)
        return unit

    @staticmethod
    def _said(unit: Instance) -> dict[str, int]:
        """Parameters as yosys says them: what has 32 bits is a signed number."""
        wide = {"START": "BITS", "THRESHOLDS": ""}
        found = dict(unit.parameters)
        for name in wide.keys() & found.keys():
            bits = found["BITS"] * (found.get("ENTRIES", found.get("LEVELS", 1)) if name == "THRESHOLDS" else 1)
            need(0 <= found[name] < 1 << bits, unit.name, f"has a {name} of more bits")
            if bits == 32 and found[name] >> 31:
                found[name] -= 1 << 32
        return found

    def _results(self) -> None:
        """The buffer reserves with `take`, and gives at the core's output."""
        given = self.core.instances["results"].parameters
        need(not given.keys() & {"LATE", "BYPASS"}, "results", "frees places or gives values at another time")
        given["LATE"], given["BYPASS"], depth = 0, 0, given["DEPTH"]
        unit = self._unit("results", "edgeml_fifo", "results", {"states": depth * (depth + 1) * (depth + 2)})
        joined = {"valid": "out_valid", "ready": "out_ready", "data": "out_data", "can_reserve": "can_reserve"}
        for port, outer in {**joined, "reserve": "take"}.items():
            need(unit.ports[port] == outer, "results", f"has a {port} that is not {outer}")
        wide = (self.core.width["out_data"], len(self.core.at(unit, "push_data")))
        need(wide == (unit.parameters["WIDTH"],) * 2, "results", "has another width")

    def _input(self) -> None:
        entry: Any = self.stages[0].entry
        low, high = self.network.quantizer.low, self.network.quantizer.high
        width = self.core.width["in_data"] // entry.size
        least = -(1 << width - 1) if low < 0 else 0
        need(width * entry.size == self.core.width["in_data"], "in_data", "has another width")
        need(least <= low and high < least + (1 << width), "in_data", "has no place for all integers")
        need(entry.low <= low and high <= entry.high, "input", "does not encode all integers")
        name = self.stages[0].entry_name
        if entry.encoding in ("direct", "graded"):
            self.gives[""] = name, 0
            self.known[name] = Population(entry.size, 0, 1, width, low < 0, 0, False, [])
            return
        x = np.arange(low, high + 1)
        slots = entry.levels.bit_length() if entry.encoding == "sar" else entry.levels
        unit = self._unit("input_unit", "edgeml_slot_source", "spikes", {"values": len(x), "slots": slots})
        given = unit.parameters
        wanted = (entry.size, width, int(low < 0), entry.low, entry.levels, _KINDS[entry.encoding])
        keys = ("SIZE", "INPUT_BITS", "INPUT_SIGNED", "LOW", "LEVELS", "ENCODING")
        need(tuple(given[key] for key in keys) == wanted, unit.name, "is of another input")
        need((unit.ports["take"], unit.ports["in_data"]) == ("take", "in_data"), unit.name, "takes something else")
        running = self._counter("input_slots", [unit], slots)
        need(running == 1, unit.name, "does not run from the clock behind its frame on")
        spikes = input_fired(given, x)
        self.gives[unit.name] = name, 0
        channels: list[tuple[_Int64, _Int64 | None]] = [(x - entry.low, spikes)] * entry.size
        self.known[name] = Population(entry.size, entry.low, slots, 1, False, running + 1, True, channels)

    def _counter(self, name: str, units: list[Instance], slots: int) -> int:
        """The clock of slot 0 of the counter that units go by."""
        counter = self._unit(name, "edgeml_slot_counter", "counts", {"states": slots + 1})
        need(counter.parameters["SLOTS"] == slots <= self.core.interval, name, "counts other slots")
        need(slots <= 1 << counter.parameters["SLOT_BITS"], name, "has too few bits")
        for unit in units:
            same = unit.parameters.get("SLOT_BITS", counter.parameters["SLOT_BITS"]) == counter.parameters["SLOT_BITS"]
            need(same, unit.name, "counts in other bits")
            for port in ("running", "slot"):
                if port in unit.ports:
                    need(self.core.at(unit, port) == self.core.at(counter, port), unit.name, "goes by another counter")
        return self.core.mark(counter, "start") + 1

    def _layer(self, stage: Stage) -> None:
        """What comes to a layer, its synapses, and what its units make of that."""
        said, name = self.said["places"][stage.name], stage.name
        late = integer(said["latency"])
        cell = self.core.instances[f"{name}_synapses"]
        need(cell.module == f"{self.network.name}_{name}_currents" and late >= 0, name, "has other synapses")
        self.used.add(cell.name)
        sources, (bits, signed), end = self.buses.sources(stage, cell, self.core.interval)
        slots = max(self.known[each].slots for each in sources)
        weights, constant = stage.synapses(sources, {each: self.known[each].base for each in sources})
        taken, given = self.circuits[name]["input_bits"], len(self.circuits[name]["outputs"])
        need((taken, given) == (bits * weights.shape[1], self.core.own[cell.module]), name, "has another circuit")
        check_synapses(stage, weights, constant, (bits, signed), said["synapses"], self.circuits[name])
        added = added_by(weights, bits, signed) if stage.encoding not in ("stbif", "graded") else 0 * constant
        looked = self._read(stage, cell, sources, weights, (added, constant), (slots, end + late))
        need(said["looked_at"] == looked, name, "was not looked at for all potentials")
        need(set(said["facts"]) <= self.facts, name, "names facts of others")

    def _read(
        self,
        stage: Stage,
        cell: Instance,
        sources: list[str],
        weights: _Int64,
        shift: tuple[_Int64, _Int64],
        window: tuple[int, int],
    ) -> int:
        """The units of a layer; how many potentials were looked at."""
        name, size, (slots, last) = stage.name, len(stage.constant), window
        kind, levels = stage.encoding, stage.levels
        if kind == "graded":
            need(slots == 1, name, "counts thresholds of one slot of several")
            self._stand(name, sources, weights, [1])
            width = self.core.own[cell.module] // size
            self.gives[cell.name] = name, 0
            self.known[name] = Population(size, stage.base, 1, width, False, last, False, [])
            return 0
        module, port = {"": ("edgeml_slot_potential", "SLOTS"), "stbif": ("edgeml_tracer_neuron", "")}.get(
            kind, ("edgeml_slot_neuron", "WINDOW")
        )
        gives = slots + levels - 1 if kind == "stbif" else levels.bit_length() if kind == "sar" else levels
        says = {"": "sums", "stbif": "traces"}.get(kind, "fires")
        numbers = {"levels": levels} if kind == "stbif" else {"window": slots, **({"slots": gives} if kind else {})}
        units = [self._unit(f"{name}_{neuron}", module, says, numbers) for neuron in range(size)]
        running = self._counter(f"{name}_slots", units, gives) if kind else 0
        channels: list[tuple[_Int64, _Int64 | None]] = []
        looked = 0
        for neuron, unit in enumerate(units):
            given = unit.parameters
            weighs, late = charge(given, port) if port else ([1] * slots, 1)
            need(len(weighs) == slots, unit.name, "takes another window")
            need(self.core.mark(unit, "first") == last - slots + 1, unit.name, "begins at another time")
            need(kind == "stbif" or self.core.mark(unit, "last") == last, unit.name, "ends at another time")
            self._current(stage, cell, unit, neuron, shift[0])
            self._stand(name, sources, weights[neuron : neuron + 1], weighs)
            z = self._range(stage, neuron)
            looked += len(z)
            need(0 <= given["START"] < 1 << given["BITS"], unit.name, "starts elsewhere")
            moved = given["START"] + sum(weighs) * int(shift[0][neuron]) - int(shift[1][neuron])
            potential = (z + moved) % (1 << given["BITS"])
            if not kind:
                self._output(neuron, unit, z, potential, last + late)
                continue
            level = np.searchsorted(stage.thresholds[neuron], z, "right").astype(np.int64)
            if kind == "stbif":
                need(given["LEVELS"] == levels and len(z) <= 1 << given["BITS"], unit.name, "has other levels")
                need(traces(given, potential, level), unit.name, "does not go toward its level")
                channels.append((level, None))
            else:
                need((given["ENCODING"], given["SLOTS"]) == (_KINDS[kind], gives), unit.name, "is of another encoding")
                need(running == last + late, unit.name, "fires at another time")
                channels.append((level, fired(given, potential)))
            self.gives[unit.name] = name, neuron * (2 if kind == "stbif" else 1)
        if kind:
            need(kind != "stbif" or running == last - slots + 2, name, "runs at another time")
            wide = 2 if kind == "stbif" else 1
            self.known[name] = Population(size, stage.base, gives, wide, kind == "stbif", running + 1, True, channels)
        return looked

    def _range(self, stage: Stage, neuron: int) -> _Int64:
        reach = self.network.ranges[stage.node]
        low, high = int(reach.low[neuron]), int(reach.high[neuron])
        need(high - low < _MOST_VALUES, stage.name, "has too many potentials")
        return np.arange(low, high + 1)

    def _current(self, stage: Stage, cell: Instance, unit: Instance, neuron: int, added: _Int64) -> None:
        """That a unit takes its neuron's current, modulo 2^(its bits)."""
        out, got = self.core.at(cell, "out_data"), self.core.at(unit, "current")
        width = len(out) // len(stage.constant)
        have = out[neuron * width : (neuron + 1) * width]
        fill = have[-1] if stage.current_signed else 0
        taken = min(len(got), width)
        same = got[:taken] == have[:taken] and all(bit == fill for bit in got[taken:])
        need(same and len(got) == unit.parameters["BITS"], unit.name, "takes another current")

    def _stand(self, name: str, sources: list[str], weights: _Int64, weighs: list[int]) -> None:
        """That spikes that come, so weighed by slot, stand for their populations' integers."""
        first = 0
        for source in sources:
            given = self.known[source]
            own = np.abs(weights[:, first : first + given.size]).sum(axis=0)
            first += given.size
            tail = weighs[len(weighs) - given.slots :]
            for channel in np.flatnonzero(own).tolist():
                need(
                    given.stands(channel, tail),
                    name,
                    f"takes spikes of {source}[{channel}] that stand for something else",
                )

    def _output(self, neuron: int, unit: Instance, z: _Int64, potential: _Int64, clock: int) -> None:
        """That what is pushed of an output is z."""
        results = self.core.instances["results"]
        need(self.core.mark(results, "push") == clock, unit.name, "is pushed at another time")
        width = self.core.width["out_data"] // self.network.output_size
        least = -(1 << width - 1) if int(self.network.ranges[self.network.nodes[-1].name].low.min()) < 0 else 0
        need(least <= int(z[0]) and int(z[-1]) < least + (1 << width), unit.name, "does not fit an output")
        pushed = self.core.at(results, "push_data")[neuron * width : (neuron + 1) * width]
        sums = [self.core.sums.get(bit) if isinstance(bit, tuple) else None for bit in pushed]
        taken, constant, _ = sums[0] or ([], 0, 0)
        need(sums == [(taken, constant, k) for k in range(width)], unit.name, "is put out in another way")
        have = list(self.core.at(unit, "potential"))
        got = [self.core.behind(bit) for bit in taken]
        cut = min(width, len(have))
        need(got[:cut] == have[:cut] and not any(got[cut:]), unit.name, "is put out in another way")
        right = ((potential & ((1 << cut) - 1)) + constant - z) % (1 << width)
        need(not right.any(), unit.name, "is put out as another number")
