"""A design: the choices that turn a network into RTL, and all files that follow from them, byte for byte.

The choices are stored beside the RTL (`rtl/design.json`), so that anybody can make the same files again from the
network; the executors do so before they run anything, and refuse a bundle whose RTL is not what its network gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeml.errors import InputError
from edgeml.licensing import licensed
from edgeml.network import Network
from edgeml.network.network_file import model_hash
from edgeml.network.task import BINARY, VALUES
from edgeml.system.files import read_json
from edgeml.system.regular_file import read_regular

from .architectures.event_driven.cycles import longest_frame, run_clocks
from .architectures.event_driven.emit import LIBRARY_MODULES, memory_files, spiking_core
from .architectures.event_driven.plan import SpikingPlan, is_spiking, make_spiking_plan
from .architectures.folded.core import core, library_modules
from .architectures.folded.folding import Folding
from .architectures.folded.plan import FoldedPlan, make_plan
from .architectures.folded.timing import Timing, solve
from .architectures.step_per_clock import emit as unrolled_spikes
from .architectures.step_per_clock.plan import make_unrolled_spikes
from .architectures.unrolled import emit as unrolled
from .architectures.unrolled.build import network_logic
from .architectures.unrolled.layer_logic import ADDER_GRAPHS
from .interface import Interface
from .tops.axi_stream import axis_top
from .verilog.library import library_text

__all__ = [
    "DESIGN_FILE",
    "Built",
    "Design",
    "build",
    "compare_files",
    "design_of",
    "read_design",
    "verify_files",
]

DESIGN_FILE = "design.json"
_FORMAT = 1
_LARGEST_FILE = 2**20
_LARGEST_TEXT = 2**30
_LARGEST_DEPTH = 2**16
_LARGEST_FOLD = 2**16
_RANDOM_FRAMES = 4
_ARGMAX_MODULES = ("edgeml_fifo.v", "edgeml_argmax.v")


@dataclass(frozen=True)
class Design:
    """The choices.

    Parameters
    ----------
    architecture : `folded` or `unrolled`.
    folds : per chain's first node, elements per clock (folded).
    fifo_depths : per chain, and `source>target.port` for edges (folded).
    register_every : levels of logic between pipeline registers (unrolled).
    keep_block_rams : whether small input buffers are kept in flip-flops (folded).
    argmax : whether the class of each frame is given too, beside its last value.
    adder_graph : who shares sums of dense layers, `edgeml` or `da4ml` (unrolled).
    """

    architecture: str
    folds: Mapping[str, Folding] = field(default_factory=dict)
    fifo_depths: Mapping[str, int] = field(default_factory=dict)
    register_every: int = 1
    keep_block_rams: bool = False
    argmax: bool = False
    adder_graph: str = "edgeml"

    def to_json(self) -> str:
        """The content of `design.json`."""
        content: dict[str, Any] = {"format": _FORMAT, "architecture": self.architecture}
        if self.architecture == "folded":
            content["folds"] = {name: {"pe": f.pe, "simd": f.simd} for name, f in self.folds.items()}
            content["fifo_depths"] = dict(self.fifo_depths)
            content["keep_block_rams"] = self.keep_block_rams
        else:
            content["register_every"] = self.register_every
            if self.adder_graph != ADDER_GRAPHS[0]:
                content["adder_graph"] = self.adder_graph
        if self.argmax:
            content["argmax"] = True
        return json.dumps(content, indent=2, sort_keys=True) + "\n"


@dataclass(frozen=True, eq=False)
class Built:
    """A design made: its files by name within `rtl/`, its streams and its clock counts.

    Parameters
    ----------
    files : content by file name. sources : Verilog files in the order to compile them. top, core : module names.
    latency, interval : clocks, see `Timing`. timing, plan : of the folded architecture, else None.
    core : without the argmax unit, which lies between it and the output of `top`; `latency` and `timing` hold for
        `top`.
    spiking : the plan of a spiking network, whose clocks depend on its spikes: `latency` and `interval` are then a
        bound (with `stbif`, the most of a few random frames), and `spiking.cycles.run_clocks` gives those of a frame.
    """

    design: Design
    files: Mapping[str, bytes]
    sources: tuple[str, ...]
    top: str
    core: str
    interface: Interface
    latency: int
    interval: int
    timing: Timing | None = None
    plan: FoldedPlan | None = None
    spiking: SpikingPlan | None = None


def design_of(plan: FoldedPlan) -> Design:
    """The choices that a plan embodies."""
    depths = {chain.name: chain.fifo_depth for chain in plan.chains}
    for chain in plan.chains:
        for port, edge in enumerate(chain.inputs):
            if edge.fifo_depth:
                depths[f"{edge.source}>{edge.target}.{port}"] = edge.fifo_depth
    folds = {chain.name: chain.head.folding for chain in plan.chains}
    keep = any(chain.head.keeps_block_rams for chain in plan.chains)
    return Design("folded", folds, depths, keep_block_rams=keep)


def plan_of(network: Network, design: Design) -> FoldedPlan:
    """Inverse of `design_of`."""
    plan = make_plan(network, design.folds, keep_block_rams=design.keep_block_rams)
    for chain in plan.chains:
        chain.fifo_depth = design.fifo_depths.get(chain.name, chain.fifo_depth)
        for port, edge in enumerate(chain.inputs):
            if edge.fifo_depth:
                key = f"{edge.source}>{edge.target}.{port}"
                edge.fifo_depth = max(design.fifo_depths.get(key, edge.fifo_depth), edge.source_beats)
    return plan


def build(network: Network, design: Design) -> Built:
    """All files of a design."""
    facts = {"Model": f"sha256 {model_hash(network)}"}
    core_name, top = f"{network.name}_core", f"{network.name}_axis"
    if design.architecture == "folded" and is_spiking(network):
        return _build_spiking(network, design, facts, core_name, top)
    if design.architecture == "folded":
        return _build_folded(network, design, facts, core_name, top)
    if design.architecture == "unrolled" and is_spiking(network):
        return _build_unrolled_spikes(network, design, facts, core_name, top)
    if design.architecture == "unrolled":
        return _build_unrolled(network, design, facts, core_name, top)
    raise InputError("architecture", f"{design.architecture!r} is not known", "Choose folded or unrolled")


def _build_folded(network: Network, design: Design, facts: Mapping[str, str], core_name: str, top: str) -> Built:
    plan = plan_of(network, design)
    timing = solve(plan)
    last = plan.chains[-1]
    interface = Interface(
        network.input_size, plan.input_lanes, plan.input_element, network.output_size, last.lanes, last.element
    )
    facts = {
        **facts,
        "Latency": f"{timing.latency} clocks from the first input value to the last result",
        "Interval": f"{timing.interval} clocks between frames",
    }
    files = library_modules(plan)
    modules = list(files)
    for chain in plan.chains:
        for unit in chain.units:
            files.update({name: text.encode() for name, text in unit.memory_files().items()})
    return _finished(
        network, design, files, modules, core(plan, core_name, facts), core_name, top, interface, facts, timing, plan
    )


def _build_spiking(network: Network, design: Design, facts: Mapping[str, str], core_name: str, top: str) -> Built:
    plan = make_spiking_plan(network, design.folds)
    last = plan.layers[-1]
    interface = Interface(network.input_size, 1, plan.input_element, network.output_size, last.pe, plan.output_element)
    longest = longest_frame(plan)
    clocks = longest if longest is not None else _longest_of_random_frames(plan)
    kind = "at most" if longest is not None else "measured on random frames, at most"
    facts = {**facts, "Clocks": f"depend on the spikes; {kind} {clocks} for a frame"}
    files: dict[str, bytes] = {name: library_text(name) for name in LIBRARY_MODULES}
    files.update({name: text.encode() for name, text in memory_files(plan).items()})
    text = spiking_core(plan, core_name, facts)
    built = _finished(
        network,
        design,
        files,
        list(LIBRARY_MODULES),
        text,
        core_name,
        top,
        interface,
        facts,
        Timing(clocks, clocks, (), {}),
        None,
    )
    return replace(built, timing=None, spiking=plan)


def _longest_of_random_frames(plan: SpikingPlan) -> int:
    quantizer = plan.network.quantizer
    shape = (_RANDOM_FRAMES, plan.network.input_size)
    q = np.random.default_rng(0).integers(quantizer.low, quantizer.high + 1, shape)
    ends = run_clocks(plan, q).ends
    return max(after - before for before, after in zip((-1, *ends), ends, strict=False))


def _build_unrolled(network: Network, design: Design, facts: Mapping[str, str], core_name: str, top: str) -> Built:
    logic = network_logic(network, adder_graph=design.adder_graph)
    every = design.register_every
    latency = unrolled.pipeline_latency(logic, every)
    interface = Interface(
        network.input_size,
        network.input_size,
        logic.input_element,
        network.output_size,
        network.output_size,
        logic.output_element,
    )
    facts = {
        **facts,
        "Latency": f"{latency + 2} clocks from the input to the result",
        "Interval": "1 clock between frames",
    }
    pipeline_name = f"{network.name}_pipeline"
    text = unrolled.pipeline(logic, pipeline_name, every, facts)
    modules = ["edgeml_fifo.v", f"{pipeline_name}.v"]
    files = {"edgeml_fifo.v": library_text("edgeml_fifo.v"), modules[1]: text.encode()}
    core_text = unrolled.core(logic, core_name, pipeline_name, latency, facts)
    timing = Timing(latency + 2, 1, tuple(latency + 1 + k for k in range(6)), {})
    return _finished(network, design, files, modules, core_text, core_name, top, interface, facts, timing, None)


def _build_unrolled_spikes(
    network: Network, design: Design, facts: Mapping[str, str], core_name: str, top: str
) -> Built:
    plan = make_unrolled_spikes(network, design.register_every, design.adder_graph)
    size, outputs = network.input_size, network.output_size
    interface = Interface(size, size, plan.input_element, outputs, outputs, plan.output_element)
    latency, interval = plan.latency + 2, plan.interval
    facts = {
        **facts,
        "Latency": f"{latency} clocks from the input to the result",
        "Interval": f"{interval} clock{'s' if interval > 1 else ''} between frames, one for each slot",
    }
    files = {name: library_text(name) for name in unrolled_spikes.LIBRARY_MODULES}
    files.update({f"{name}.v": text.encode() for name, text in unrolled_spikes.pipelines(plan, facts).items()})
    core_text = unrolled_spikes.unrolled_core(plan, core_name, facts)
    timing = Timing(latency, interval, tuple(latency - 1 + k * interval for k in range(6)), {})
    return _finished(network, design, files, list(files), core_text, core_name, top, interface, facts, timing, None)


def _finished(
    network: Network,
    design: Design,
    files: dict[str, bytes],
    modules: list[str],
    core_text: str,
    core_name: str,
    top: str,
    interface: Interface,
    facts: Mapping[str, str],
    timing: Timing,
    plan: FoldedPlan | None,
) -> Built:
    files[f"{core_name}.v"] = core_text.encode()
    if design.argmax:
        if network.task == VALUES:
            raise InputError("option argmax", "the network gives values: there is no class", "Leave it out")
        threshold = network.output.decision_threshold if network.task == BINARY else None
        interface = replace(interface, classes=True, threshold=threshold)
        timing, facts = _with_argmax(interface, timing, facts)
        files.update({name: library_text(name) for name in _ARGMAX_MODULES})
        modules = [*modules, *(name for name in _ARGMAX_MODULES if name not in modules)]
    files[f"{top}.v"] = axis_top(top, core_name, interface, facts).encode()
    files[DESIGN_FILE] = design.to_json().encode()
    sources = (*modules, f"{core_name}.v", f"{top}.v")
    files["sources.f"] = "".join(f"{name}\n" for name in sources).encode()
    return Built(
        design,
        licensed(dict(sorted(files.items()))),
        sources,
        top,
        core_name,
        interface,
        timing.latency,
        timing.interval,
        timing,
        plan,
    )


def _with_argmax(interface: Interface, timing: Timing, facts: Mapping[str, str]) -> tuple[Timing, dict[str, str]]:
    """Clocks and header lines of a design with the argmax unit behind its core, which delays every value alike."""
    more = interface.class_latency
    frames = tuple(end + more for end in timing.frames)
    known = {
        key: f"{text}; {more} more in the argmax unit" if key in ("Latency", "Clocks") else text
        for key, text in facts.items()
    }
    return replace(timing, latency=timing.latency + more, frames=frames), known


def read_design(folder: Path) -> Design:
    """The choices stored in a bundle's `rtl/design.json`; InputError where they are not sound."""
    path = folder / DESIGN_FILE
    content = read_json(path, _LARGEST_FILE, "Convert again")
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise InputError(str(path), f"is not of format {_FORMAT}", "Convert again")
    architecture = content.get("architecture")
    if architecture not in ("folded", "unrolled"):
        raise InputError(str(path), f"architecture {architecture!r} is not known")
    folds = {}
    for name, fold in _object(path, content.get("folds", {})).items():
        entry = _object(path, fold)
        pe, simd = (_count(path, entry.get(key), _LARGEST_FOLD) for key in ("pe", "simd"))
        folds[name] = Folding(pe, simd)
    depths = {
        name: _count(path, depth, _LARGEST_DEPTH)
        for name, depth in _object(path, content.get("fifo_depths", {})).items()
    }
    register_every = content.get("register_every", 1)
    if not isinstance(register_every, int) or not 1 <= register_every <= 64:
        raise InputError(str(path), f"register_every must be 1 … 64, found {register_every!r}")
    keep_block_rams = content.get("keep_block_rams", False)
    if not isinstance(keep_block_rams, bool):
        raise InputError(str(path), f"keep_block_rams must be true or false, found {keep_block_rams!r}")
    argmax = content.get("argmax", False)
    if not isinstance(argmax, bool):
        raise InputError(str(path), f"argmax must be true or false, found {argmax!r}")
    adder_graph = content.get("adder_graph", ADDER_GRAPHS[0])
    if adder_graph not in ADDER_GRAPHS:
        raise InputError(str(path), f"adder_graph {adder_graph!r} is not known")
    return Design(architecture, folds, depths, register_every, keep_block_rams, argmax, adder_graph)


def _object(path: Path, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(str(path), f"must hold objects, found {value!r}")
    return value


def _count(path: Path, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise InputError(str(path), f"counts must lie in 1 … {most}, found {value!r}")
    return value


def compare_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Hold what lies in `folder` against `files`; InputError naming the one that differs or is missing."""
    for name, content in files.items():
        if read_regular(folder / name, _LARGEST_TEXT, links=False, remedy="Convert again") != content:
            raise InputError(str(folder / name), "is not what this network and design give", "Convert again")


def verify_files(network: Network, folder: Path) -> Built:
    """Make a bundle's RTL again and compare it with what lies in `folder` (its `rtl/`).

    Raises InputError naming the file that differs or is missing. Nothing of the folder is run or read as code.
    """
    built = build(network, read_design(folder))
    compare_files(folder, built.files)
    return built
