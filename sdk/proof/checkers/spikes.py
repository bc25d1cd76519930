"""The second look at a certificate of an event-driven core: all that can be seen without yosys, in seconds.

This file shares no code with what writes Verilog or with what proves: it takes the network's definition
(`edgeml.network`), the files of a bundle, and numpy. It follows the core's stream of events from the input to the
output, makes the synapses between populations from the network's layers, decodes every memory, and lets each neuron
fire for every potential in range by formulas of its own. That a module of the library, which must have the text that
ships, does with these parameters what a fact says is the prover's word; that each unit has its facts is looked at here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import CheckFailed
from ...network import Network
from .core_claims import CoreClaims, check_core
from .folded_core import Instance
from .memories import Memories, as_signed, fits
from .spike_rules import gives
from .statements import need

__all__ = ["check_certificate"]

_ENCODINGS = ("unary", "ttfs", "stbif", "graded", "sar")
_SOURCES = {"direct": 0, "graded": 0, "unary": 1, "stbif": 1, "ttfs": 2, "sar": 3}
_MOST_VALUES = 2**24
_Int64 = npt.NDArray[np.int64]
_Affine = tuple[dict[str, _Int64], _Int64]
"""Weights [channels, size] by population, and a constant."""


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and how many are proved.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    return check_core(folder, prover, "spikes", _Check)


class _Check(CoreClaims):
    """The claims of a certificate, followed unit by unit.

    stream : of each channel of the events between two units (population, index, base, least and most at any time).
    """

    def __init__(self, network: Network, certificate: dict[str, Any], texts: dict[str, str]) -> None:
        super().__init__(network, certificate, texts)
        self.memories = Memories(texts)
        self.layers = {node.name: node.layer for node in network.nodes}
        self.affine = self._affine()
        self.stream: list[tuple[str, int, int, int, int]] = []
        self.fields = (0, 0)

    def _affine(self) -> dict[str, _Affine]:
        """Each node behind the populations as weights of their integers and a constant: dense and add alone."""
        found: dict[str, _Affine] = {}
        for node in self.network.layers:
            layer: Any = node.layer
            size = self.network.sizes[node.name]
            if layer.kind in ("input_spikes", "neurons"):
                found[node.name] = ({node.name: np.eye(size, dtype=np.int64)}, np.zeros(size, np.int64))
                continue
            need(layer.kind in ("dense", "add"), node.name, f"is of kind {layer.kind}")
            weights: dict[str, _Int64] = {}
            constant = np.zeros(size, np.int64)
            for name in node.inputs:
                before, offset = found[name]
                matrix = layer.weight.astype(np.int64) if layer.kind == "dense" else np.eye(size, dtype=np.int64)
                zero = layer.input_zero_point if layer.kind == "dense" else 0
                constant = constant + matrix @ (offset - zero)
                for population, weight in before.items():
                    weights[population] = weights.get(population, 0) + matrix @ weight
            found[node.name] = (weights, constant + (layer.bias if layer.kind == "dense" else 0))
        return found

    def places(self) -> dict[str, tuple[int, int]]:
        """Follow all claims; by place how many there are, and how many are proved."""
        populations = [node for node in self.network.layers if node.layer.kind in ("input_spikes", "neurons")]
        need(populations[0].layer.kind == "input_spikes", "input", "makes no spikes")
        need(all(node.layer.kind == "neurons" for node in populations[1:]), "input", "makes spikes twice")
        last = self.network.nodes[-1]
        named = {node.name: node.inputs[0] for node in populations[1:]}
        named[f"{last.name}_readout" if last.layer.kind == "neurons" else last.name] = last.name
        need(list(self.said["places"]) == list(named), "places", "are not the populations")
        need(self.said["wiring"] == "proved", "wiring", "is not proved")
        units = self._chain(list(named))
        self._encoder(populations[0], units[0])
        found = {
            name: self._place(name, node, unit) for (name, node), unit in zip(named.items(), units[1:], strict=True)
        }
        whole = all(claims == proved > 0 for claims, proved in found.values())
        channels = self.said["output"]
        need(len(channels) == self.network.output_size, "out_data", "has another number of channels")
        need(whole or "proved" not in channels, "out_data", "does not follow")
        return found | {"out_data": (len(channels), channels.count("proved"))}

    def _chain(self, names: list[str]) -> list[Instance]:
        """The instances from input to output, each taking what the one before gives."""
        units = [self.core.instances[f"{name}_unit"] for name in ["input", *names]]
        kinds = ["edgeml_spike_encoder", *["edgeml_spiking"] * (len(names) - 1), "edgeml_spiking_readout"]
        need([unit.module for unit in units] == kinds, "wiring", "has other units")
        need(len(self.core.instances) == len(units), "wiring", "has more units")
        stream = self.core.ends("in")
        for unit in units:
            need(unit.stream("in") == stream, unit.name, "takes another stream")
            stream = unit.stream("out")
        need(stream == self.core.ends("out"), "out_data", "is not what the last unit gives")
        return units

    def _encoder(self, node: Any, unit: Instance) -> None:
        layer, given = node.layer, unit.parameters
        need(node.inputs == (self.network.nodes[0].name,), node.name, "takes something else than the input")
        need(given == self.said["encoder"], unit.name, "has other parameters")
        base = 0 if layer.encoding == "direct" else layer.low
        wanted = (layer.size, base, layer.high - layer.low, _SOURCES[layer.encoding])
        need(
            tuple(given[key] for key in ("SIZE", "LOW", "LEVELS", "ENCODING")) == wanted,
            unit.name,
            "is of another input",
        )
        low, high, bits = self.network.quantizer.low, self.network.quantizer.high, int(given["INPUT_BITS"])
        need(
            self.core.width["in_data"] == bits and fits(low, high, bits, bool(given["INPUT_SIGNED"])),
            unit.name,
            "does not fit",
        )
        need(layer.low <= low and high <= layer.high, unit.name, "does not encode all inputs")
        most = max(layer.high - base, base - layer.low - 1)
        amount = {1: 1, 3: 1 << wanted[2].bit_length() - 1}.get(wanted[3], most)
        need(fits(0, amount, int(given["AMOUNT_BITS"]), True), unit.name, "has no room for its amounts")
        need(layer.size <= 1 << int(given["CHANNEL_BITS"]), unit.name, "has no room for its channels")
        ends = (min(layer.low - base, 0), max(layer.high - base, 0))
        self.stream = [(node.name, index, base, *ends) for index in range(layer.size)]
        self.fields = (int(given["CHANNEL_BITS"]), int(given["AMOUNT_BITS"]))

    def _place(self, name: str, node: str, unit: Instance) -> tuple[int, int]:
        said, channels = self.said["places"][name], self.network.sizes[node]
        if self.count(name, channels) < channels:
            raise CheckFailed(f"certificate, {name}", "is not proved: what follows cannot be looked at")
        self._facts(name, unit)
        shift, ends = self._memories(name, node, unit)
        if unit.module == "edgeml_spiking_readout":
            need(not shift.any(), name, "starts with other constants")
            low, high, bits = ends[0].min(), ends[1].max(), int(unit.parameters["MEMBRANE_BITS"])
            need(fits(int(low), int(high), bits, True), name, "has no room for its outputs")
            lanes = int(unit.parameters["PE"])
            need(self.core.width["out_data"] == bits * lanes and said["looked_at"] == 0, name, "has another width")
            return channels, channels
        looked_at = self._fire(name, unit, shift, ends)
        need(said["looked_at"] == looked_at, name, "was not looked at for all potentials")
        self._behind(name, unit)
        return channels, channels

    def _facts(self, name: str, unit: Instance) -> None:
        """That the certificate has the facts that a unit needs, for its parameters."""
        given = unit.parameters
        words, lanes = int(given["WORDS"]), int(given["PE"])
        operands = 1 << (given["WEIGHT_BITS"] + given["IN_AMOUNT_BITS"])
        states = 3 * words
        if unit.module == "edgeml_spiking":
            levels, relays = int(given["LEVELS"]), given["RELAY_TO"] > given["RELAY_FROM"]
            stbif, bits = given["ENCODING"] == 2, levels.bit_length()
            slots = 1 if stbif else bits if given["ENCODING"] == 4 else levels
            states = (7 * words + 2 if stbif else 2 * words * (1 + slots) + 1) + relays
            looks = words * slots * (2 if stbif else 1)
            events = lanes * looks * (2 << bits if stbif else 1 << bits)
            events += (given["RELAY_TO"] - given["RELAY_FROM"]) << given["IN_AMOUNT_BITS"] if relays else 0
            self.need_fact(name, unit, "giving", events=events, lanes=lanes)
        self.need_fact(name, unit, "membranes", operands=operands, lanes=lanes)
        self.need_fact(name, unit, "control", states=states)
        need("edgeml_membranes.v" in self.texts, name, "lacks its modules")

    def _memories(self, name: str, node: str, unit: Instance) -> tuple[_Int64, tuple[_Int64, _Int64]]:
        """What membranes start with above z, and the ends of z, if the weights are the network's."""
        given, size = unit.parameters, self.network.sizes[node]
        words, lanes = int(given["WORDS"]), int(given["PE"])
        need(given["CHANNELS"] == len(self.stream), name, "takes other channels than come")
        need((given["IN_CHANNEL_BITS"], given["IN_AMOUNT_BITS"]) == self.fields, name, "reads events by other fields")
        need(lanes * (words - 1) < size <= lanes * words, name, "has another number of membranes")
        weights, constant = self.affine[node]
        there = {(population, index) for population, index, *_ in self.stream}
        need(all((p, k) in there for p, w in weights.items() for k in range(w.shape[1])), name, "lacks events")
        wanted = np.zeros((len(self.stream), words * lanes), np.int64)
        constant, low, high = constant.copy(), constant.copy(), constant.copy()
        for place, (population, index, base, least, most) in enumerate(self.stream):
            if population not in weights:
                continue
            column = weights[population][:, index]
            wanted[place, :size] = column
            constant += base * column
            low += base * column + np.minimum(column * least, column * most)
            high += base * column + np.maximum(column * least, column * most)
        bits = int(given["WEIGHT_BITS"])
        held = as_signed(self.memories.words(given["WEIGHT_FILE"], words * len(self.stream), bits, lanes), bits)
        need(np.array_equal(held.reshape(len(self.stream), words * lanes), wanted), name, "has other weights")
        bits = int(given["MEMBRANE_BITS"])
        starts = as_signed(self.memories.words(given["START_FILE"], words, bits, lanes), bits).reshape(-1)
        if unit.module == "edgeml_spiking":
            need(bool((starts[size:] == -1).all()), name, "starts places behind its neurons elsewhere")
        if unit.module != "edgeml_spiking" or given["ENCODING"] != 2:  # stbif fires at any time; others at the end
            reach = self.network.ranges[node]
            low, high = reach.low.astype(np.int64), reach.high.astype(np.int64)
        return starts[:size] - constant, (low, high)

    def _fire(self, name: str, unit: Instance, shift: _Int64, ends: tuple[_Int64, _Int64]) -> int:
        """That each neuron gives its level for every potential; how many that are."""
        layer: Any = self.layers[name]
        given = unit.parameters
        words, lanes, levels, bits = (int(given[key]) for key in ("WORDS", "PE", "LEVELS", "MEMBRANE_BITS"))
        encoding = _ENCODINGS[given["ENCODING"]]
        need(
            (encoding, levels, given["NEURONS"]) == (layer.encoding, layer.levels, layer.channels),
            name,
            "is another layer",
        )
        stored = 1 if given["EQUAL"] else levels
        steps = as_signed(self.memories.words(given["STEP_FILE"], words * stored, bits, lanes), bits)
        steps = steps.reshape(words, stored, lanes).transpose(0, 2, 1).reshape(words * lanes, stored)
        if encoding == "ttfs":
            ceilings = as_signed(self.memories.words(given["CEILING_FILE"], words, bits, lanes), bits).reshape(-1)
        sizes = ends[1] - ends[0] + 1
        need(int(sizes.sum()) * (levels + 1) <= _MOST_VALUES, name, "has too many potentials")
        for neuron in range(words * lanes):
            own = np.repeat(steps[neuron], levels)[:levels] if stored == 1 else steps[neuron]
            real = neuron < layer.channels
            z = np.arange(ends[0][neuron], ends[1][neuron] + 1) if real else np.array([-1])
            v = z + shift[neuron] if real else z
            level = (z[:, None] >= layer.thresholds[neuron]).sum(axis=1) if real else 0 * z
            top = int(ceilings[neuron]) if encoding == "ttfs" else 0
            need(gives(encoding, v, own, top, bits, level), f"{name}[{neuron}]", "does not give its level")
        behind = words * lanes - int(layer.channels)
        return int(sizes.sum()) * (levels + 1 if encoding == "stbif" else 1) + behind

    def _behind(self, name: str, unit: Instance) -> None:
        """The stream behind a unit: its neurons, then what it passes on."""
        layer: Any = self.layers[name]
        given = unit.parameters
        first, behind = int(given["RELAY_FROM"]), int(given["RELAY_TO"])
        need(0 <= first <= behind <= len(self.stream), name, "passes on what does not come")
        bits, before = (int(given["OUT_CHANNEL_BITS"]), int(given["OUT_AMOUNT_BITS"])), self.fields
        own = [(name, index, layer.base, 0, layer.levels) for index in range(layer.channels)]
        self.stream = [*own, *self.stream[first:behind]]
        most = {"unary": 1, "stbif": 1, "sar": 1 << layer.levels.bit_length() - 1}.get(layer.encoding, layer.levels)
        need(fits(0, most, bits[1], True) and len(self.stream) <= 1 << bits[0], name, "has no room for its events")
        need(first == behind or bits[1] >= before[1], name, "has no room for what it passes on")
        self.fields = bits
