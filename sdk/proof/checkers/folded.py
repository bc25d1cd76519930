"""The second look at a certificate of a folded core: all that can be seen without yosys, in seconds.

This file shares no code with what writes Verilog or with what proves: it takes the network's definition
(`edgeml.network`), the files of a bundle, and numpy. It follows every stream of the core's Verilog from the output back
to the input, decodes every memory and holds it against the network, and composes ranges. That a module of the library,
which must have the text that ships, does with these parameters what a fact says is the prover's word; that each unit
has the facts it needs, for the parameters that it has, is looked at here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import CheckFailed
from ...network import Network
from .core_claims import CoreClaims, check_core
from .folded_core import Instance
from .folded_memories import FoldedMemories
from .layer_formulas import range_of
from .memories import as_signed, fits
from .statements import need

__all__ = ["check_certificate"]

_KINDS = {
    "edgeml_mvu": "dense",
    "edgeml_tables": "tables",
    "edgeml_encode": "encode",
    "edgeml_add": "add",
    "edgeml_multiply": "multiply",
    "edgeml_threshold": "threshold",
    "edgeml_threshold_line": "threshold",
    "edgeml_requantize": "requantize",
    "edgeml_lookup": "lookup",
}
_CLOCKS = {"edgeml_threshold": 2, "edgeml_threshold_line": 4, "edgeml_requantize": 0, "edgeml_lookup": 1}
"""Of units that take what another pushes; 0 where a parameter says it."""
_JOINING = ("add", "multiply")
_ROW = ("SIMD", "INPUT_BITS", "INPUT_SIGNED", "WEIGHT_BITS", "SUM_BITS")
_Int64 = npt.NDArray[np.int64]


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and how many are proved.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    return check_core(folder, prover, "folded", _Check)


class _Values:
    """A node's values in a stream: lanes a beat, bits each; by channel their range, and what is added to them."""

    def __init__(self, lanes: int, bits: int, low: _Int64, high: _Int64, offset: _Int64) -> None:
        self.lanes, self.bits, self.low, self.high, self.offset = lanes, bits, low, high, offset

    def beats(self, lanes: int) -> int:
        """Beats of a frame."""
        return -(-len(self.low) // lanes)


class _Check(CoreClaims):
    """The claims of a certificate, followed layer by layer."""

    def __init__(self, network: Network, certificate: dict[str, Any], texts: dict[str, str]) -> None:
        super().__init__(network, certificate, texts)
        self.memories = FoldedMemories(texts)
        self.nodes = {node.name: node for node in network.nodes}
        self.values: dict[str, _Values] = {}
        self.streams: list[list[Any]] = []
        self.chains: dict[str, str] = {}
        self.proved: dict[str, tuple[int, int]] = {}

    def places(self) -> dict[str, tuple[int, int]]:
        """Follow all claims; by place how many there are, and how many are proved."""
        need(list(self.said["places"]) == [node.name for node in self.network.layers], "places", "are not the layers")
        need(set(self.said["wiring"].values()) == {"proved"}, "wiring", "is not proved")
        last, passed = self.core.back(self.core.ends("out"))
        if last is None or passed:
            raise CheckFailed("certificate, out_data", "does not come from the last unit")
        end = self._chain(last)
        need(end == self.network.nodes[-1].name, "out_data", f"comes from {end}")
        there = sorted(json.dumps(each, sort_keys=True) for each in self.said["streams"])
        need(there == sorted(json.dumps(each, sort_keys=True) for each in self.streams), "streams", "are others")
        return {name: self.proved[name] for name in self.said["places"]} | {"out_data": self._output(end)}

    def _output(self, end: str) -> tuple[int, int]:
        values, channels = self.values[end], self.said["output"]
        signed = self.nodes[end].layer.kind in ("dense",) or int(values.low.min()) < 0
        need(self.core.width["out_data"] == values.lanes * values.bits, "out_data", "has another width")
        need(not values.offset.any(), "out_data", "lacks a constant")
        holds = fits(int(values.low.min()), int(values.high.max()), values.bits, signed)
        need(holds and len(channels) == len(values.low), "out_data", "does not hold its range")
        return len(channels), channels.count("proved")

    def _chain(self, fifo: Instance) -> str:
        """Follow what a FIFO gives back to the input; the node whose values they are."""
        if fifo.name in self.chains:
            return self.chains[fifo.name]
        self.streams.append([fifo.module, fifo.parameters])
        units = [self.core.driver[fifo.ports["push"]]]
        need(units[0].ports["push_data"] == fifo.ports["push_data"], fifo.name, "takes other data than pushed")
        while units[0].module in _CLOCKS:
            before = self.core.driver[units[0].ports["in_push"]]
            need(before.ports["push_data"] == units[0].ports["in_data"], units[0].name, "takes other data than pushed")
            units.insert(0, before)
        head = units[0]
        need(head.module in _KINDS or head.module == "edgeml_pass", head.name, "is not known to start a chain")
        joined = all(head.ports[port] == fifo.ports[port] for port in ("reserve", "can_reserve"))
        need(joined, fifo.name, "keeps no place for its unit")
        ports = ("a", "b") if _KINDS.get(head.module) in _JOINING else ("in",)
        sources = [self._source(head, prefix) for prefix in ports]
        names, streams = [name for name, _ in sources], [values for _, values in sources]
        if head.module == "edgeml_pass":
            need(head.parameters["WIDTH"] == streams[0].lanes * streams[0].bits, head.name, "has another width")
        for unit in units:
            if unit.module == "edgeml_pass":
                continue
            name = unit.name.removesuffix("_unit")
            node = self.nodes[name]
            need(list(node.inputs) == names and name not in self.proved, name, "takes other values than in the network")
            self._facts(name, unit)
            streams = [self._unit(node, unit, streams)]
            need(self.said["places"][name]["offset"] == streams[0].offset.tolist(), name, "has other constants")
            self.proved[name] = (len(streams[0].low), self.count(name, len(streams[0].low)))
            names = [name]
        need(fifo.parameters["WIDTH"] == streams[0].lanes * streams[0].bits, fifo.name, "has another width")
        self.values[names[0]] = streams[0]
        self.chains[fifo.name] = names[0]
        return names[0]

    def _source(self, head: Instance, prefix: str) -> tuple[str, _Values]:
        """The node whose values a port takes, and how they come."""
        fifo, passed = self.core.back(head.stream(prefix))
        if fifo is None:
            name = self.network.nodes[0].name
            reach, width = self.network.ranges[name], self.core.width["in_data"]
            low, high = int(reach.low.min()), int(reach.high.max())
            bits = max(max(high, -low - 1).bit_length() + (low < 0), 1)
            need(width % bits == 0, "in_data", "does not fit the network")
            zero = np.zeros(len(reach.low), np.int64)
            values = _Values(width // bits, bits, reach.low.astype(np.int64), reach.high.astype(np.int64), zero)
        else:
            name = self._chain(fifo)
            values = self.values[name]
        lanes = values.lanes
        for each in passed:
            self.streams.append([each.module, each.parameters])
            lanes = self._lanes(each, lanes, values)
        return name, _Values(lanes, values.bits, values.low, values.high, values.offset)

    @staticmethod
    def _lanes(each: Instance, lanes: int, values: _Values) -> int:
        given, width = each.parameters, lanes * values.bits
        if each.module == "edgeml_fork":
            return lanes
        if each.module == "edgeml_downsizer":
            narrow = int(given["WIDTH"]) // values.bits
            split = given["WIDTH"] * given["RATIO"] == width and narrow * values.bits == given["WIDTH"]
            need(split, each.name, "has another width")
            need(given["OUT_BEATS"] == values.beats(narrow), each.name, "counts other frames")
            return narrow
        need(given["WIDTH"] == width, each.name, "has another width")
        if each.module == "edgeml_upsizer":
            need(given["IN_BEATS"] == values.beats(lanes), each.name, "counts other frames")
            return lanes * int(given["RATIO"])
        return lanes

    def _facts(self, name: str, unit: Instance) -> None:
        """That the certificate has the facts that a unit needs, for its parameters."""
        given, module = unit.parameters, unit.module
        if module in ("edgeml_mvu", "edgeml_tables"):
            tree = (given["SIMD"] - 1).bit_length() // 2 + (module == "edgeml_tables")
            states = ((given["SF"] * given["NF"] + 1) << (tree + 2)) - 1
            if module == "edgeml_tables":
                self.need_fact(name, unit, "tables", states=states, clocks=2 + tree, lanes=given["SIMD"])
                return
            self.need_fact(name, unit, "schedule", states=states, clocks=2 + tree)
            operands = 1 << (given["WEIGHT_BITS"] + given["INPUT_BITS"])
            counts = {"operands": operands, "lanes": given["SIMD"], "clocks": tree}
            self.need_fact_of(name, "edgeml_mvu_row", {key: given[key] for key in _ROW}, "row", counts)
        elif module in _CLOCKS:
            clocks = _CLOCKS[module] or given["LATENCY"]
            self.need_fact(name, unit, "passing", states=given.get("FOLD", 1) << clocks, clocks=clocks)
        elif module == "edgeml_encode":
            self.need_fact(name, unit, "results", states=2 * given["NF"], clocks=1)
        else:
            operands = 1 << (given["A_BITS"] + given["B_BITS"])
            self.need_fact(name, unit, "entry", states=2, operands=operands, clocks=1)

    def _unit(self, node: Any, unit: Instance, streams: list[_Values]) -> _Values:
        """The values behind a unit, whose memories must say what the layer does."""
        given, source, layer, name = unit.parameters, streams[0], node.layer, node.name
        need(layer.kind == _KINDS[unit.module], name, f"is of kind {layer.kind}")
        if layer.kind in ("dense", "tables"):
            return self._sums(node, unit, source)
        lanes, reached = source.lanes, source.high - source.low + 1
        if layer.kind in _JOINING:
            for prefix, taken in zip("AB", streams, strict=True):
                self._takes(unit, taken, f"{prefix}_BITS", f"{prefix}_SIGNED", "LANES")
            reached = reached[:0]
        elif layer.kind == "encode":
            self._takes(unit, source, "INPUT_BITS", "INPUT_SIGNED", "SIMD")
            lanes, beats = int(given["PE"]), source.beats(source.lanes)
            counted = given["NF"] == -(-layer.outputs // lanes) and -(-given["NF"] // given["PARTS"]) == beats
            need(counted and given["SHAPES"] in (1, given["PARTS"]), name, "counts other results")
            self.memories.encoded(layer, given, name, beats)
            reached = reached[layer.source]
        else:
            known = (given["INPUT_BITS"], given["LANES"]) == (source.bits, lanes)
            need(known, name, "takes other beats than there are")
            need(given.get("FOLD", 1) in (1, source.beats(lanes)), name, "has words for other beats")
            for channel in range(len(source.low)):
                least, most, offset = (int(each[channel]) for each in (source.low, source.high, source.offset))
                self.memories.channel(layer, unit, f"{name}[{channel}]", (channel, least, most, offset))
        need(self.said["places"][name]["looked_at"] == int(reached.sum()), name, "was not looked at for all values")
        reach, bits = self.network.ranges[name], int(given["OUTPUT_BITS"])
        low, high = reach.low.astype(np.int64), reach.high.astype(np.int64)
        need(fits(int(low.min()), int(high.max()), bits, bool(int(low.min()) < 0)), name, "does not fit its bits")
        return _Values(lanes, bits, low, high, np.zeros(len(low), np.int64))

    @staticmethod
    def _takes(unit: Instance, source: _Values, bits: str, signed: str, lanes: str) -> None:
        given = unit.parameters
        need((given[bits], given[lanes]) == (source.bits, source.lanes), unit.name, "takes other beats than there are")
        low, high = int(source.low.min()), int(source.high.max())
        holds = not source.offset.any() and fits(low, high, source.bits, bool(given.get(signed, 0)))
        need(holds, unit.name, "reads other integers than there are")

    def _sums(self, node: Any, unit: Instance, source: _Values) -> _Values:
        """Weights or tables where the schedule reads them, and constants; what is left of the layer to the next."""
        given, layer, name = unit.parameters, node.layer, node.name
        self._takes(unit, source, "INPUT_BITS", "INPUT_SIGNED", "SIMD")
        beats = (source.beats(given["SIMD"]), -(-layer.outputs // given["PE"]))
        need((given["SF"], given["NF"]) == beats, name, "has another number of beats")
        if layer.kind == "dense":
            offset = self.memories.weights(layer, given, name)
        else:
            offset = self.memories.tables(layer, given, name, (source.low, source.high))
        width = int(given["SUM_BITS"])
        if given["HAS_CONSTANT"]:
            stored = self.memories.words(given["CONSTANT_FILE"], beats[1], width, int(given["PE"]))
            offset = offset - as_signed(stored, width).reshape(-1)[: layer.outputs]
            need(not (offset % (1 << width)).any(), name, "has other constants")  # as sums are
            offset = np.zeros_like(offset)
        reach = self.network.ranges[name]
        ends = np.array(range_of(layer.kind, vars(layer), (source.low.tolist(), source.high.tolist())), np.int64)
        inside = (reach.low <= ends[:, 0]).all() and (ends[:, 1] <= reach.high).all()
        need(bool(inside), name, "may leave its range")
        least, most = reach.low - offset, reach.high - offset
        need(fits(int(least.min()), int(most.max()), width, True), name, "does not fit its accumulator")
        return _Values(int(given["PE"]), width, least, most, offset)
