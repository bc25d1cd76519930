"""The second look at a certificate of a folded core: all that can be seen without yosys, in seconds.

This file shares no code with what writes Verilog or with what proves: it takes the network's definition
(`edgeml.network`), the files of a bundle, and numpy. It follows every stream of the core's Verilog from the output back
to the input, decodes every memory and holds it against the network, and composes ranges. That a module of the library,
which must have the text that ships, does with these parameters what a fact says is the prover's word; that each unit
has the facts it needs, for the parameters that it has, is looked at here.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import CheckFailed
from ...network import Network
from .folded_core import Core, Instance
from .folded_memories import Memories, as_signed, fits
from .shipped import need_shipped
from .statements import check_file, need

__all__ = ["check_certificate"]

_ONE = ("edgeml_mvu", "edgeml_tables", "edgeml_encode", "edgeml_pass")
_HEADS = {**dict.fromkeys(_ONE, ("in",)), "edgeml_add": ("a", "b")}
_FUNCTIONS = {
    "edgeml_threshold": ("threshold", 2),
    "edgeml_threshold_line": ("threshold", 4),
    "edgeml_requantize": ("requantize", 0),
    "edgeml_lookup": ("lookup", 1),
}
_ROW = ("SIMD", "INPUT_BITS", "INPUT_SIGNED", "WEIGHT_BITS", "SUM_BITS")
_Int64 = npt.NDArray[np.int64]
_Parameters = dict[str, Any]


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and how many are proved.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    return check_file(folder, prover, "folded", _places)


def _places(network: Network, files: dict[str, bytes], certificate: dict[str, Any]) -> dict[str, tuple[int, int]]:
    for path, content in files.items():
        need(re.fullmatch(r"rtl/[\w.]+", path) is not None, "artifact", f"{path!r} lies elsewhere")
        need_shipped(path, content)
    texts = {path.removeprefix("rtl/"): content.decode() for path, content in files.items()}
    return _Check(network, certificate, texts).places()


class _Values:
    """A node's values in a stream: lanes a beat, bits each; by channel their range, and what is added to them."""

    def __init__(self, lanes: int, bits: int, low: _Int64, high: _Int64, offset: _Int64) -> None:
        self.lanes, self.bits, self.low, self.high, self.offset = lanes, bits, low, high, offset

    def beats(self, lanes: int) -> int:
        """Beats of a frame."""
        return -(-len(self.low) // lanes)


class _Check:
    """The claims of a certificate, followed layer by layer."""

    def __init__(self, network: Network, certificate: dict[str, Any], texts: dict[str, str]) -> None:
        self.network, self.said, self.texts, self.memories = network, certificate, texts, Memories(texts)
        need(certificate["core"] == f"rtl/{network.name}_core.v", "core", "is another")
        self.core = Core(f"{network.name}_core", texts)
        self.nodes = {node.name: node for node in network.nodes}
        self.values: dict[str, _Values] = {}
        self.streams: list[list[Any]] = []
        self.chains: dict[str, str] = {}
        self.proved: dict[str, tuple[int, int]] = {}
        used = {fact for place in certificate["places"].values() for fact in place["facts"]}
        need(used == certificate["facts"].keys(), "facts", "are not those that places name")

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
        while units[0].module in _FUNCTIONS:
            before = self.core.driver[units[0].ports["in_push"]]
            need(before.ports["push_data"] == units[0].ports["in_data"], units[0].name, "takes other data than pushed")
            units.insert(0, before)
        head = units[0]
        need(head.module in _HEADS, head.name, "is not known to start a chain")
        joined = all(head.ports[port] == fifo.ports[port] for port in ("reserve", "can_reserve"))
        need(joined, fifo.name, "keeps no place for its unit")
        sources = [self._source(head, prefix) for prefix in _HEADS[head.module]]
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
            self._settle(name, streams[0])
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
            bits = self._input_bits(int(reach.low.min()), int(reach.high.max()))
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
    def _input_bits(low: int, high: int) -> int:
        return max(max(high, -low - 1).bit_length() + (low < 0), 1)

    @staticmethod
    def _lanes(each: Instance, lanes: int, values: _Values) -> int:
        given, width = each.parameters, lanes * values.bits
        if each.module == "edgeml_fork":
            return lanes
        if each.module == "edgeml_downsizer":
            narrow = int(given["WIDTH"]) // values.bits
            need(
                given["WIDTH"] * given["RATIO"] == width and narrow * values.bits == given["WIDTH"],
                each.name,
                "is wrong",
            )
            need(given["OUT_BEATS"] == values.beats(narrow), each.name, "counts other frames")
            return narrow
        need(given["WIDTH"] == width, each.name, "has another width")
        if each.module == "edgeml_upsizer":
            need(given["IN_BEATS"] == values.beats(lanes), each.name, "counts other frames")
            return lanes * int(given["RATIO"])
        return lanes

    def _facts(self, name: str, unit: Instance) -> None:
        """That the certificate has the facts that a unit needs, for its parameters."""
        given = unit.parameters
        needed: list[tuple[str, str, _Parameters, dict[str, int]]] = []
        if unit.module == "edgeml_mvu":
            tree = (given["SIMD"] - 1).bit_length() // 2
            states = ((given["SF"] * given["NF"] + 1) << (tree + 2)) - 1
            row = {key: given[key] for key in _ROW}
            operands = 1 << (given["WEIGHT_BITS"] + given["INPUT_BITS"])
            needed.append(("schedule", unit.module, given, {"states": states, "clocks": 2 + tree}))
            counts = {"operands": operands, "lanes": given["SIMD"], "clocks": tree}
            needed.append(("row", "edgeml_mvu_row", row, counts))
        elif unit.module in _FUNCTIONS:
            clocks = _FUNCTIONS[unit.module][1] or given["LATENCY"]
            needed.append(("passing", unit.module, given, {"states": given.get("FOLD", 1) << clocks, "clocks": clocks}))
        elif unit.module == "edgeml_tables":
            tree = (given["SIMD"] - 1).bit_length() // 2 + 1
            states = ((given["SF"] * given["NF"] + 1) << (tree + 2)) - 1
            needed.append(
                ("tables", unit.module, given, {"states": states, "clocks": 2 + tree, "lanes": given["SIMD"]})
            )
        elif unit.module == "edgeml_encode":
            needed.append(("results", unit.module, given, {"states": 2 * given["NF"], "clocks": 1}))
        else:
            operands = 1 << (given["A_BITS"] + given["B_BITS"])
            needed.append(("entry", unit.module, given, {"states": 2, "operands": operands, "clocks": 1}))
        facts = [self.said["facts"][key] for key in self.said["places"][name]["facts"]]
        for says, module, parameters, numbers in needed:
            wanted = {"module": module, "parameters": parameters, "says": says, "numbers": numbers}
            need(wanted in facts, name, f"lacks the fact {says} of {module} with its parameters")
            need(f"{module}.v" in self.texts, name, "was proved of a module that is not among the artifacts")

    def _settle(self, name: str, values: _Values) -> None:
        """Count the claims of a node; its values must be what they are said to be."""
        said = self.said["places"][name]
        channels = said["channels"]
        need(
            len(channels) == len(values.low) and set(channels) <= {"proved", "not proved", "refuted"},
            name,
            "counts wrongly",
        )
        need(said["offset"] == values.offset.tolist(), name, "has other constants")
        need(said["proved"] == channels.count("proved"), name, "counts wrongly")
        self.proved[name] = (len(channels), channels.count("proved"))

    def _unit(self, node: Any, unit: Instance, streams: list[_Values]) -> _Values:
        """The values behind a unit, whose memories must say what the layer does."""
        if unit.module in ("edgeml_mvu", "edgeml_tables"):
            return self._sums(node, unit, streams[0])
        reach = self.network.ranges[node.name]
        low, high = reach.low.astype(np.int64), reach.high.astype(np.int64)
        bits = int(unit.parameters["OUTPUT_BITS"])
        if unit.module == "edgeml_add":
            need(node.layer.kind == "add", node.name, f"is of kind {node.layer.kind}")
            for prefix, taken in zip("AB", streams, strict=True):
                self._takes(unit, taken, f"{prefix}_BITS", f"{prefix}_SIGNED", "LANES")
        elif unit.module == "edgeml_encode":
            self._encode(node, unit, streams[0])
        else:
            source = streams[0]
            need(_FUNCTIONS[unit.module][0] == node.layer.kind, node.name, f"is of kind {node.layer.kind}")
            known = (unit.parameters["INPUT_BITS"], unit.parameters["LANES"]) == (source.bits, source.lanes)
            need(known, node.name, "takes other beats than there are")
            fold = unit.parameters.get("FOLD", 1)
            need(fold in (1, source.beats(source.lanes)), node.name, "has words for other beats")
            for channel in range(len(source.low)):
                least, most, offset = (int(each[channel]) for each in (source.low, source.high, source.offset))
                self.memories.channel(node.layer, unit, f"{node.name}[{channel}]", (channel, least, most, offset))
            values = int((source.high - source.low + 1).sum())
            need(self.said["places"][node.name]["looked_at"] == values, node.name, "was not looked at for all values")
        holds = fits(int(low.min()), int(high.max()), bits, bool(int(low.min()) < 0))
        need(holds, node.name, "does not fit its bits")
        lanes = streams[0].lanes if unit.module != "edgeml_encode" else int(unit.parameters["PE"])
        return _Values(lanes, bits, low, high, np.zeros(len(low), np.int64))

    def _encode(self, node: Any, unit: Instance, source: _Values) -> None:
        """Each result looks at its input by its rule, and was looked at for all values of that."""
        need(node.layer.kind == "encode", node.name, f"is of kind {node.layer.kind}")
        self._takes(unit, source, "INPUT_BITS", "INPUT_SIGNED", "SIMD")
        given, beats = unit.parameters, source.beats(source.lanes)
        counted = given["NF"] == -(-node.layer.outputs // given["PE"]) and -(-given["NF"] // given["PARTS"]) == beats
        need(counted and given["SHAPES"] in (1, given["PARTS"]), node.name, "counts other results")
        self.memories.encoded(node.layer, given, node.name, beats)
        values = int((source.high - source.low + 1)[node.layer.source].sum())
        need(self.said["places"][node.name]["looked_at"] == values, node.name, "was not looked at for all values")

    @staticmethod
    def _takes(unit: Instance, source: _Values, bits: str, signed: str, lanes: str) -> None:
        given = unit.parameters
        need((given[bits], given[lanes]) == (source.bits, source.lanes), unit.name, "takes other beats than there are")
        low, high = int(source.low.min()), int(source.high.max())
        holds = not source.offset.any() and fits(low, high, source.bits, bool(given.get(signed, 0)))
        need(holds, unit.name, "reads other integers than there are")

    def _sums(self, node: Any, unit: Instance, source: _Values) -> _Values:
        """Weights or tables where the schedule reads them, and constants; what is left of the layer to the next."""
        given, layer = unit.parameters, node.layer
        need(node.layer.kind == {"edgeml_mvu": "dense", "edgeml_tables": "tables"}[unit.module], node.name, "is wrong")
        self._takes(unit, source, "INPUT_BITS", "INPUT_SIGNED", "SIMD")
        beats = (source.beats(given["SIMD"]), -(-layer.outputs // given["PE"]))
        need((given["SF"], given["NF"]) == beats, node.name, "has another number of beats")
        decode = self.memories.weights if layer.kind == "dense" else self.memories.tables
        offset, low, high = decode(layer, given, node.name, (source.low, source.high))
        width, own = int(given["SUM_BITS"]), bool(given["HAS_CONSTANT"])
        if own:
            stored = self.memories.words(given["CONSTANT_FILE"], beats[1], width, int(given["PE"]))
            offset = offset - as_signed(stored, width).reshape(-1)[: layer.outputs]
            offset = offset % (1 << width)  # as sums are
        need(not (own and offset.any()), node.name, "has other constants")
        reach = self.network.ranges[node.name]
        need(bool((reach.low <= low).all() and (high <= reach.high).all()), node.name, "may leave its range")
        least, most = reach.low - offset, reach.high - offset
        need(fits(int(least.min()), int(most.max()), width, True), node.name, "does not fit its accumulator")
        return _Values(int(given["PE"]), width, least, most, offset)
