"""Whether the claims of a certificate, of whatever kind, are about this bundle and make up the whole.

Before any evidence is looked at, which is the task of the checker of each kind (`KIND.py`), this file follows

- hashes: the certificate is of the kind that its prover leaves, of this network, and of files as they lie in the
  bundle; those that a kind is about are all among them, and circuits beside the certificate are those that it names;
- coverage: there is one claim for each channel of each layer that a kind is about, as many as the network's graph and
  sizes ask for, none twice and none of anything else, up to the network's outputs;
- composition: what a claim takes for granted is claimed before it (layers in the network's order, stages behind those
  that they take), ranges have all that layers give for the ranges before, integers fit where they are said to stand;
- counts: nothing is called proved without a claim, and no output of a core is while something it follows from is not.

It takes the network's definition and `layer_formulas.py`: nothing of what writes artifacts, proves or checks evidence.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...errors import CheckFailed
from ...network import Network, network_file
from ...system.regular_file import read_regular
from .about import EXPANDED_KINDS, network_of
from .layer_formulas import range_of
from .statements import UNSOUND, integer, integers, need

__all__ = ["composed"]

_LARGEST = 2**28
_KINDS = {
    "unrolled": "circuit", "unrolled-netlist": "equivalence", "folded": "folded", "library": "rtl_library",
    "network": "network", "quantized": "quantized", "event-driven": "spikes", "step-per-clock": "step_per_clock",
    "tflite": "tflite", "machine_code": "words", "c-portable": "words", "c-avx2": "words", "c-avx512": "words",
    "c-neon": "words",
}  # fmt: skip
_STATUSES = {"proved", "refuted", "not proved", "not tried", "out of time", "error"}
_RTL = "rtl/{name}_core.v"
_ABOUT = {
    "circuit": "rtl/{name}_pipeline.v", "equivalence": "rtl/{name}_pipeline.v", "folded": _RTL, "spikes": _RTL,
    "step_per_clock": _RTL, "quantized": "brevitas/network.safetensors", "words": "proof/{prover}/operations.json",
    "slices": "proof/{prover}/operations.json",
}  # fmt: skip
"""A file that a certificate of a kind must be about."""
_BESIDE = {"circuit": "circuit", "equivalence": "circuit", "step_per_clock": "circuits"}
"""Under which name a kind has the hash of the circuits that lie beside its certificate."""
Found = dict[str, tuple[int, int]]


def composed(folder: Path, prover: str) -> Found:
    """Of each place of `proof/PROVER` in a bundle's folder how many claims there are, and how many are called proved.

    Raises CheckFailed naming what is missing, too much, or of something else; InputError where a file cannot be read.
    """
    try:
        said = json.loads(_read(folder, f"proof/{prover}/certificate.json"), object_pairs_hook=_once)
        kind = said["kind"]
        of_it = _KINDS.get(prover, kind) == kind or (kind == "slices" and prover.startswith("c-"))
        need(kind in _FOLLOWED and of_it, "kind", f"{str(kind)[:40]} is not of {prover}")
        need(said["format"] == (2 if kind == "equivalence" else 1), "format", f"is not that of {kind}")
        content = network_of(folder, kind)
        need(said["network"] == _sha256(content), "network", "is another")
        return _FOLLOWED[kind](_Certificate(folder, prover, said, network_file.from_bytes(content)))
    except UNSOUND as error:
        raise CheckFailed("certificate", f"is not sound ({type(error).__name__}: {str(error)[:200]})") from error


def _read(folder: Path, name: str) -> bytes:
    return read_regular(folder / name, _LARGEST)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON, no name of which is there twice."""
    found = dict(pairs)
    need(len(found) == len(pairs), "certificate", "says something twice")
    return found


class _Certificate:
    """A certificate of a network in a bundle's folder, its files as they were. files : content by path."""

    def __init__(self, folder: Path, prover: str, said: dict[str, Any], network: Network) -> None:
        self.folder, self.prover, self.said, self.network = folder, prover, said, network
        self.sizes = {node.name: network.sizes[node.name] for node in network.nodes}
        self.files: dict[str, bytes] = {}
        for name, digest in said["artifacts"].items():
            need(not Path(name).is_absolute() and ".." not in Path(name).parts, "artifact", "lies elsewhere")
            self.files[name] = _read(folder, name)
            need(digest == _sha256(self.files[name]), name, "is another")
        about = _ABOUT.get(said["kind"], "").format(name=network.name, prover=prover)
        need(not about or about in self.files, "artifacts", f"lack {about}")
        if said["kind"] in _BESIDE:
            beside = _read(folder, f"proof/{prover}/circuit.json")
            need(said[_BESIDE[said["kind"]]] == _sha256(beside), "circuit.json", "is another")
            self.circuit = json.loads(beside, object_pairs_hook=_once)

    def places(self, wanted: Sequence[str]) -> list[tuple[str, Any]]:
        """What is said of places, which must be these, in this order."""
        there = list(self.said["places"])
        need(there == list(wanted), "places", f"are {', '.join(there)[:200]}, not {', '.join(wanted)[:200]}")
        return [(name, self.said["places"][name]) for name in wanted]

    def claims(self, name: str, counts: Sequence[int] = ()) -> tuple[int, int]:
        """(claims, proved) of a place of statements; how many there must be as in `counted`."""
        found = [claim["status"] for claim in self.said["places"][name]["claims"]]
        return counted(name, found, counts)


def counted(name: str, statuses: Sequence[Any], counts: Sequence[int]) -> tuple[int, int]:
    """(claims, proved) by their statuses; there must be the first of these numbers of claims, if any is given, or
    another where none of them is proved."""
    need(set(statuses) <= _STATUSES, name, "has claims of no status that is known")
    proved = list(statuses).count("proved")
    whole = not counts or len(statuses) == counts[0] or (len(statuses) in counts and not proved)
    need(whole, name, f"has {len(statuses)} claims, not {counts and counts[0]}")
    return len(statuses), proved


def _circuit(given: _Certificate) -> Found:
    """A pipeline: each layer has its claims, in an order, and its values stand in bits that hold their range."""
    _stands(given.said, given.network, {node.name: given.sizes[node.name] for node in given.network.nodes})
    return _channels(given.places([*given.sizes, "out_data"]), {**given.sizes, "out_data": given.network.output_size})


def _stands(said: dict[str, Any], network: Network, sizes: dict[str, int]) -> None:
    """Bits in which the values of a layer stand, by channel, have room for its range; no two bits are the same."""
    need(list(said["cuts"]) == list(sizes), "cuts", "are not those of the layers")
    for name, cuts in said["cuts"].items():
        need(len(cuts) == sizes[name], name, f"stands in {len(cuts)} places, and has {sizes[name]} channels")
        for channel, cut in enumerate(cuts):
            if cut is None or name not in network.ranges:
                continue
            low, high = (int(ends[channel]) for ends in (network.ranges[name].low, network.ranges[name].high))
            size, offset = 1 << min(len(integers(cut["bits"])), 64), integer(cut["offset"])
            holds = high - low < size and (low < offset or high - offset < size)
            need(holds, f"{name}[{channel}]", f"stands in {len(cut['bits'])} bits, and is {low} … {high}")


def _channels(places: list[tuple[str, Any]], sizes: dict[str, int]) -> Found:
    """Places of a circuit: a claim for each channel, each once in an order, from pieces that are there."""
    found = {}
    for name, said in places:
        found[name] = counted(name, [claim["status"] for claim in said["channels"]], [sizes[name]])
        need(sorted(integers(said["order"])) == list(range(sizes[name])), name, "has no order of all channels")
        for claim in said["channels"]:
            used = integers(claim.get("pieces", []))
            need(all(0 <= index < len(said["pieces"]) for index in used), name, "follows from no piece that is there")
    return found


def _equivalence(given: _Certificate) -> Found:
    """A netlist beside the pipeline, which another certificate is about; pairs are each of an earlier bit."""
    of_pipeline = composed(given.folder, "unrolled")
    circuit = _read(given.folder, "proof/unrolled/circuit.json")
    need(given.said["known"] == _sha256(circuit), "circuit of the Verilog", "is another")
    known = json.loads(circuit)
    need(given.circuit["input_bits"] == known["input_bits"], "circuit", "has other inputs")
    need(len(given.circuit["outputs"]) == len(known["outputs"]), "circuit", "has other outputs")
    need(len(known["outputs"]) % of_pipeline["out_data"][0] == 0, "circuit", "does not fit the network")
    need(integer(given.said["latency"]) == integer(given.said["known_latency"]), "latency", "is not the Verilog's")
    bits = [integer(pair[0]) for pair in given.said["pairs"]]
    need(bits == sorted(set(bits)), "pairs", "are not in order, or twice")
    proved, count = integer(given.said["proved"]), len(known["outputs"])
    need(0 <= proved <= count, "outputs", "are called proved that are not there")
    return {"out_data": (count, proved)}


def _core(given: _Certificate, wanted: dict[str, int]) -> tuple[Found, bool]:
    """(places of a whole core, whether all are proved): each channel once, and facts that are there."""
    need(given.said["core"] == _RTL.format(name=given.network.name), "core", "is another")
    facts, named = given.said["facts"], set(given.said.get("units", ()))
    for key, fact in facts.items():
        need(f"rtl/{fact['module']}.v" in given.files, key[:80], "is of a module that is not among the files")
    found = {}
    for name, said in given.places(list(wanted)):
        found[name] = counted(name, said["channels"], [wanted[name]])
        need(integer(said["proved"]) == found[name][1], name, "counts wrongly")
        need(len(set(said["facts"])) == len(said["facts"]), name, "names a fact twice")
        named |= set(said["facts"])
    need(named == set(facts), "facts", "are not those that places name")
    return found, all(count == proved for count, proved in found.values())


def _with_output(given: _Certificate, found: Found, whole: bool) -> Found:
    """And its outputs, none of which is called proved while not all is that they follow from."""
    output = counted("out_data", given.said["output"], [given.network.output_size])
    need(whole or not output[1], "out_data", "is called proved, and does not follow")
    return found | {"out_data": output}


def _folded(given: _Certificate) -> Found:
    layers = {node.name: node for node in given.network.layers}
    found, _ = _core(given, {name: given.sizes[name] for name in layers})
    wiring = given.said["wiring"]
    need("output" in wiring and wiring.keys() <= {*layers, "output"}, "wiring", "is of no layer that is there")
    counted("wiring", list(wiring.values()), ())
    for name, node in layers.items():
        place, sums = given.said["places"][name], node.layer.kind in ("dense", "tables")
        left = integers(place["offset"])
        need(len(left) in (0, given.sizes[name]), name, "leaves constants of other channels")
        need(sums or not any(left), name, "leaves a constant, and is not a sum")
        need(not any(left) or any(name in other.inputs for other in layers.values()), name, "lacks a constant")
        need(not place["channels"].count("proved") or place["facts"] or place["unit"] == "", name, "has no facts")
    holds = set(wiring.values()) == {"proved"}
    return _with_output(given, found, holds)


def _spikes(given: _Certificate) -> Found:
    populations = [node for node in given.network.layers if node.layer.kind == "neurons"]
    last = given.network.nodes[-1]
    readout = f"{last.name}_readout" if last.layer.kind == "neurons" else last.name
    wanted = {node.name: given.sizes[node.name] for node in populations} | {readout: given.sizes[last.name]}
    found, whole = _core(given, wanted)
    counted("wiring", [given.said["wiring"]], ())
    return _with_output(given, found, whole and given.said["wiring"] == "proved")


def _step_per_clock(given: _Certificate) -> Found:
    populations = [node for node in given.network.layers if node.layer.kind == "neurons"]
    last = given.network.nodes[-1]
    wanted = {node.name: given.sizes[node.name] for node in populations}
    if last.layer.kind != "neurons":
        wanted[last.name] = given.sizes[last.name]
    elif set(wanted) != set(given.said["places"]):
        wanted[f"{last.name}_readout"] = given.sizes[last.name]
    found, whole = _core(given, wanted)
    whole &= given.said["control"] == "proved"
    need(integer(given.said["interval"]) >= 0, "interval", "is less than nothing")
    for name, place in given.said["places"].items():
        graph = place.get("synapses")
        need(graph is not None or not found[name][1], name, "has no adder graph, and is called proved")
        if graph is not None:
            need(name in given.circuit, name, "has an adder graph of which no gates are there")
            sizes = {layer: len(cuts) for layer, cuts in graph["cuts"].items()}
            need(list(graph["places"]) == [*sizes, "out_data"], name, "has other places in its adder graph")
            for layer, claims in _channels(list(graph["places"].items()), sizes | {"out_data": wanted[name]}).items():
                need(claims[0] == claims[1] or not whole, f"{name}, {layer}", "is not proved, and its neurons are")
    if not whole:  # nothing is believed of what is not proved whole
        found = {name: (count, 0) for name, (count, _) in found.items()}
    return {"core": (1, int(whole)), **_with_output(given, found, whole)}


def _words(given: _Certificate) -> Found:
    """Programs of stages: each layer is of one stage, behind those that it takes, and its items hold its range."""
    need(any(name.endswith(".c") for name in given.files), "artifacts", "lack the C")
    content = json.loads(given.files[f"proof/{given.prover}/operations.json"], object_pairs_hook=_once)
    nodes = {node.name: node for node in given.network.nodes}
    found: Found = {}
    for number, program in enumerate(content.get("programs", [content])):
        behind, known = f", program {number}" if number else "", set[str]()
        for stage in program["stages"]:
            for name in stage["nodes"]:
                need(name in nodes and name not in known, name[:80], "is no layer, or is there twice")
                need(known.issuperset(nodes[name].inputs), name, "comes before what it takes")
                known.add(name)
            last, bits = str(stage["nodes"][-1]), 8 * integer(stage["bytes"])
            need(len(integers(stage["values"])) == given.sizes[last], last, "has another number of values")
            low, high = (int(each) - integer(stage["low"]) for each in _ends(given.network, last))
            least = 0 if bits == 8 else -(1 << bits - 1)
            need(bits in (8, 16, 32) and least <= low <= high < least + (1 << bits), last, "does not fit its items")
            counts = [given.sizes[last] + bool(integer(stage["padded"]))]
            found[last + behind] = given.claims(last + behind, counts)
        need(known == set(nodes), "stages", "are not all layers")
        need(last == given.network.nodes[-1].name, "stages", "do not end with the network")
        found[f"outputs{behind}"] = given.claims(f"outputs{behind}", [given.network.output_size])
        found[f"the label{behind}"] = given.claims(f"the label{behind}", [1])
    given.places(list(found))
    return found


def _slices(given: _Certificate) -> Found:
    """What samples leave, all outputs of each, and the words that decide by them."""
    content = json.loads(given.files[f"proof/{given.prover}/operations.json"], object_pairs_hook=_once)
    need(content["programs"] != [] and content["labels"] != [], "programs", "are none")
    wanted = {f"outputs {number}": given.network.output_size for number in range(len(content["programs"]))}
    wanted["the label"] = len(content["labels"])
    given.places(list(wanted))
    return {name: given.claims(name, [count]) for name, count in wanted.items()}


def _ends(network: Network, name: str) -> tuple[int, int]:
    return int(network.ranges[name].low.min()), int(network.ranges[name].high.max())


def _network(given: _Certificate) -> Found:
    """Ranges of all layers, what rounds and what spikes; where channels were left out, that nothing else was."""
    wanted = {"ranges": [len(given.network.nodes)]}
    for node in given.network.nodes[1:]:
        kind, size = node.layer.kind, given.sizes[node.name]
        if kind == "requantize":
            wanted[f"{node.name}, rounding"] = [size, 1]
        elif kind == "neurons":
            wanted[f"{node.name}, spikes"] = [size + 1, 1]
        elif kind == "input_spikes" and vars(node.layer)["encoding"] != "direct":
            wanted[f"{node.name}, spikes"] = [1]
    if EXPANDED_KINDS & {node.layer.kind for node in given.network.nodes}:
        wanted["expansion"] = [len(given.network.nodes)]
    if (given.folder / "converted.edgeml").exists():
        need("converted.edgeml" in given.files, "artifacts", "lack the network from before channels were left out")
        wanted["reduction"] = [len(given.network.nodes)]
    given.places(list(wanted))
    _follow_ranges(given)
    return {name: given.claims(name, counts) for name, counts in wanted.items()}


def _follow_ranges(given: _Certificate) -> None:
    """Each layer's range is there once, in order, and has all that it gives for the ranges before it; what all other
    claims take for granted, the ranges of the network's definition, lies within."""
    ends: dict[str, tuple[list[int], list[int]]] = {}
    for node, claim in zip(given.network.nodes, given.said["places"]["ranges"]["claims"], strict=True):
        need(claim["layer"] == node.name, "ranges", "are of other layers")
        if claim["status"] != "proved":
            continue
        need(all(name in ends for name in node.inputs), node.name, "has a range that follows from none")
        low, high = integers(claim["low"]), integers(claim["high"])
        need(len(low) == len(high) == given.sizes[node.name], node.name, "has ends of another number of channels")
        reach = given.network.ranges[node.name]
        spans = [range_of(node.layer.kind, vars(node.layer), *(ends[name] for name in node.inputs))]
        spans.append(list(zip(reach.low.tolist(), reach.high.tolist(), strict=True)))
        for channel, (least, most) in ((c, span) for found in spans for c, span in enumerate(found)):
            need(low[channel] <= least and most <= high[channel], f"{node.name}[{channel}]", "may leave its range")
        ends[node.name] = low, high


def _quantized(given: _Certificate) -> Found:
    """Each tensor of the model: the input, each activation, the output, and what else both have."""
    said, nodes = list(given.said["places"]), given.network.nodes
    there = [node.name for node in nodes if node.name in said]
    given.places(there)
    activations = {node.name for node in nodes if node.layer.kind in ("threshold", "neurons")}
    lacking = sorted({nodes[0].name, nodes[-1].name, *activations} - set(there))
    need(not lacking, "places", f"lack {', '.join(lacking)[:200]}")
    return {name: given.claims(name, [given.sizes[name]]) for name in there}


def _tflite(given: _Certificate) -> Found:
    """Each layer and the output, of one file; each tensor is that of one layer, but for sums before their rounding."""
    need(len(given.files) == 1 and min(given.files).startswith("tflite/"), "artifacts", "are not one .tflite file")
    given.places([*given.sizes, "output"])
    found, owners = {"output": given.claims("output", [1])}, dict[int, str]()
    for node in given.network.nodes:
        claims = given.said["places"][node.name]["claims"]
        rows = len(vars(node.layer)["table"]) if "table" in vars(node.layer) else given.sizes[node.name]
        proved = [claim for claim in claims if claim["status"] == "proved"]
        found[node.name] = given.claims(node.name, [rows] if proved else ())
        tensors = {integer(claim["tensor"]) for claim in proved if "tensor" in claim}
        need(len(tensors) <= 1, node.name, "is several tensors")
        for tensor in tensors if node.layer.kind not in ("dense", "add", "encode") else ():
            need(owners.setdefault(tensor, node.name) == node.name, node.name, f"is the tensor of {owners[tensor]}")
    return found


def _library(given: _Certificate) -> Found:
    """Modules of the design's Verilog, all of it among the files: each with claims of other parameters each."""
    there = [*given.folder.glob("rtl/*.v"), *given.folder.glob("tops/*/*.v")]
    for path in (each.relative_to(given.folder).as_posix() for each in there):
        need(path in given.files or path.endswith(("_pipeline.v", "_tb.v")), path, "is not among what was proved")
    modules = {Path(path).stem for path in given.files}
    tops = {f"{given.network.name}_{kind}" for kind in ("axis", "uart", "packets", "axi")}
    said = given.said["places"]
    lacking = sorted((tops & modules | {f"{given.network.name}_axis"}) - said.keys())
    need(not lacking, "places", f"lack {', '.join(lacking)}")
    for name, place in said.items():
        need(name in modules, name, "is not among the bundle's modules")
        stated = [json.dumps(claim["parameters"], sort_keys=True) for claim in place["claims"]]
        need(0 < len(stated) == len(set(stated)), name, "has no claim, or one twice")
        for claim in place["claims"]:
            sources = [str(source) for source in claim["sources"]]
            need(
                f"{name}.v" in sources and {s.removesuffix(".v") for s in sources} <= modules, name, "is of other files"
            )
            need(re.fullmatch("[0-9a-f]{64}", claim["bench"]) is not None, name, "has no bench")
    return {name: given.claims(name) for name in said}


_FOLLOWED: dict[str, Callable[[_Certificate], Found]] = {
    "circuit": _circuit,
    "equivalence": _equivalence,
    "folded": _folded,
    "rtl_library": _library,
    "network": _network,
    "quantized": _quantized,
    "slices": _slices,
    "spikes": _spikes,
    "step_per_clock": _step_per_clock,
    "tflite": _tflite,
    "words": _words,
}
