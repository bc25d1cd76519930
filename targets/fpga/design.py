"""A design: the choices that turn a network into RTL, and all files that follow from them, byte for byte.

The choices are stored beside the RTL (`rtl/design.json`), so that anybody can make the same files again from the
network; the executors do so before they run anything, and refuse a bundle whose RTL is not what its network gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.licensing import licensed
from edgeml.network import Network, expanded
from edgeml.network.network_file import model_hash
from edgeml.network.task import BINARY, VALUES
from edgeml.system.files import read_json
from edgeml.system.regular_file import read_regular

from .architectures.architecture import Choices, Clocks, Layout, architectures, architectures_for
from .architectures.stored_choices import StoredChoices
from .budget import Budget, at_clock
from .interface import Interface
from .tops.axi_stream import axis_top
from .verilog.shipped_modules import library_text

__all__ = [
    "DESIGN_FILE",
    "Built",
    "Design",
    "build",
    "compare_files",
    "laid_out",
    "read_design",
    "verify_files",
    "with_classes",
    "written",
]

DESIGN_FILE = "design.json"
_FORMAT = 1
_FASTEST_CLOCK_MHZ = 2000.0
_LARGEST_FILE = 2**20
_LARGEST_TEXT = 2**30
_AXI_WIDTHS = (64, 32, 128)  # the first where nothing is said
_ARGMAX_MODULES = ("edgeml_fifo.v", "edgeml_argmax.v")


@dataclass(frozen=True)
class Design:
    """The choices.

    Parameters
    ----------
    architecture : its name. choices : of the architecture of this name that applies to the network; None for its
        defaults. argmax : whether the class of each frame is given too, beside its last value.
    clock_mhz : that it is planned for; None for that of the part's profile.
    axi_width : bits of a word of the packaged IP's streams.
    """

    architecture: str
    choices: Choices | None = None
    argmax: bool = False
    clock_mhz: float | None = None
    axi_width: int = _AXI_WIDTHS[0]

    def to_json(self) -> str:
        """The content of `design.json`."""
        content: dict[str, Any] = {"format": _FORMAT, "architecture": self.architecture}
        if self.choices is not None:
            content.update(self.choices.as_json())
        if self.argmax:
            content["argmax"] = True
        if self.clock_mhz is not None:
            content["clock_mhz"] = self.clock_mhz
        if self.axi_width != _AXI_WIDTHS[0]:
            content["axi_width"] = self.axi_width
        return json.dumps(content, indent=2, sort_keys=True) + "\n"


@dataclass(frozen=True, eq=False)
class Built:
    """A design made: its files by name within `rtl/`, its streams and its clock counts.

    Parameters
    ----------
    files : content by file name. sources : Verilog files in the order to compile them. top, core : module names; the
        argmax unit lies between the two. clocks : of `top`, for inputs of any values.
    layout : what the core is made from.
    """

    design: Design
    files: Mapping[str, bytes]
    sources: tuple[str, ...]
    top: str
    core: str
    interface: Interface
    clocks: Clocks
    layout: Layout

    @property
    def memories(self) -> tuple[str, ...]:
        """Names of the memory images among the files."""
        return tuple(name for name in self.files if name not in (*self.sources, DESIGN_FILE, "sources.f"))

    @property
    def latency(self) -> int:
        """See `Clocks`."""
        return self.clocks.latency

    @property
    def interval(self) -> int:
        """See `Clocks`."""
        return self.clocks.interval

    def at_its_clock(self, budget: Budget) -> Budget:
        """The part with the clock that the design is planned for."""
        clock = self.design.clock_mhz
        return budget if clock is None else at_clock(budget, clock)

    def cycles(self, q: npt.NDArray[np.int32]) -> Clocks:
        """Clock counts of `top` for the frames q [samples, inputs]."""
        if self.clocks.exact:
            return self.clocks
        return self.layout.architecture.cycles(self.layout.plan, q).later(self.interface.class_latency)


def build(network: Network, design: Design) -> Built:
    """All files of a design. Raises InputError naming the layer or the option that it cannot be made for."""
    layout, width = laid_out(network, design), design.axi_width
    return written(network, layout, argmax=design.argmax, clock_mhz=design.clock_mhz, axi_width=width)


def laid_out(network: Network, design: Design) -> Layout:
    """The layout that follows from the choices of a design. Raises InputError naming the layer without hardware."""
    architecture = architectures_for(network, design.architecture)[0]
    choices = design.choices
    if choices is None:
        choices = architecture.read_choices(StoredChoices())
    return Layout(architecture, choices, architecture.plan(expanded(network), choices))


def written(
    network: Network,
    layout: Layout,
    *,
    argmax: bool,
    clock_mhz: float | None = None,
    axi_width: int = _AXI_WIDTHS[0],
) -> Built:
    """All files of a network that is laid out; InputError if argmax is asked for and the network has no classes."""
    architecture, plan = layout.architecture, layout.plan
    core, top = f"{network.name}_core", f"{network.name}_axis"
    clocks, interface = layout.clocks, architecture.interface(plan)
    facts = {"Model": f"sha256 {model_hash(network)}", **architecture.facts(plan, clocks)}
    made = architecture.rtl(plan, core, facts)
    modules = dict(made.modules)
    if argmax:
        interface = with_classes(interface, network)
        clocks, facts = clocks.later(interface.class_latency), _facts_with_argmax(interface, facts)
        modules.update({name: library_text(name) for name in _ARGMAX_MODULES if name not in modules})
    sources = (*modules, f"{core}.v", f"{top}.v")
    design = Design(architecture.name, layout.choices, argmax, clock_mhz, axi_width)
    files = {
        **modules,
        **made.memories,
        f"{core}.v": made.core,
        f"{top}.v": axis_top(top, core, interface, facts).encode(),
        DESIGN_FILE: design.to_json().encode(),
        "sources.f": "".join(f"{name}\n" for name in sources).encode(),
    }
    files = licensed(dict(sorted(files.items())))
    return Built(design, files, sources, top, core, interface, clocks, layout)


def with_classes(interface: Interface, network: Network) -> Interface:
    """The streams with the class of each frame beside its last value; InputError if the network has no classes."""
    if network.task == VALUES:
        raise InputError("option argmax", "the network gives values: there is no class", "Leave it out")
    threshold = network.output.decision_threshold if network.task == BINARY else None
    return replace(interface, classes=True, threshold=threshold)


def _facts_with_argmax(interface: Interface, facts: Mapping[str, str]) -> dict[str, str]:
    """Header lines of a design with the argmax unit behind its core, which delays every value alike."""
    more = f"; {interface.class_latency} more in the argmax unit"
    return {key: text + more if key in ("Latency", "Clocks") else text for key, text in facts.items()}


def read_design(folder: Path, network: Network) -> Design:
    """The choices for a network stored in a bundle's `rtl/design.json`; InputError if they are not sound."""
    path = folder / DESIGN_FILE
    content = read_json(path, _LARGEST_FILE, "Convert again")
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise InputError(str(path), f"is not of format {_FORMAT}", "Convert again")
    stored = StoredChoices(str(path), content)
    name = content.get("architecture")
    if name not in [architecture.name for architecture in architectures(expanded(network))]:
        raise InputError(str(path), f"architecture {name!r} is not known")
    choices = architectures_for(network, name)[0].read_choices(stored)
    width = content.get("axi_width", _AXI_WIDTHS[0])
    if width not in _AXI_WIDTHS:
        raise InputError(str(path), f"axi_width must be one of {sorted(_AXI_WIDTHS)}, found {width!r}")
    clock = stored.real("clock_mhz", _FASTEST_CLOCK_MHZ)
    return Design(name, choices, stored.flag("argmax"), clock, int(width))


def compare_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Hold what lies in `folder` against `files`; InputError naming the one that differs or is missing."""
    for name, content in files.items():
        if read_regular(folder / name, _LARGEST_TEXT, links=False, remedy="Convert again") != content:
            raise InputError(str(folder / name), "is not what this network and design give", "Convert again")


def verify_files(network: Network, folder: Path) -> Built:
    """Make a bundle's RTL again and compare it with what lies in `folder` (its `rtl/`).

    Raises InputError naming the file that differs or is missing. Nothing of the folder is run or read as code.
    """
    built = build(network, read_design(folder, network))
    compare_files(folder, built.files)
    return built
