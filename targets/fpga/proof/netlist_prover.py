"""The prover `unrolled-netlist`: what synthesis makes of an unrolled pipeline is, for every input, that pipeline."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgeml.errors import CheckFailed, InputError, ToolFailed
from edgeml.proof.circuit import Circuit
from edgeml.proof.claim import OPEN, OUT_OF_TIME, PROVED, REFUTED
from edgeml.proof.equivalence import Sweep
from edgeml.proof.equivalence_certificate import equivalence_files
from edgeml.proof.findings import Findings, Row
from edgeml.proof.gates import flat
from edgeml.proof.solver import solver_version
from edgeml.system.regular_file import read_regular
from edgeml.system.scratch import ScratchFolder

from ..architectures.unrolled.architecture import UnrolledArchitecture
from ..budget import Family, budget_of
from ..design import Built
from ..tools.synthesize import run_yosys, synthesis_asked, synthesis_script
from .kept_circuits import circuit_of_verilog
from .part_cells import PART_CELLS, in_tables
from .rtl_prover import RtlProver, network_file
from .yosys_reader import circuit_of

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["NetlistProver", "compared", "module_of", "netlist_of", "row_of"]

_LARGEST_NETLIST = 2**31


def module_of(verilog: bytes, name: str, family: Family) -> dict[str, Any]:
    """What synthesis for a family makes of the module `name`, by itself: yosys's JSON of the part's cells."""
    with ScratchFolder("netlist") as folder:
        (folder / "module.v").write_bytes(verilog)
        run_yosys(f"{synthesis_script(('module.v',), name, family.synthesis)}; write_json module.json", folder)
        module: dict[str, Any] = json.loads(read_regular(folder / "module.json", _LARGEST_NETLIST))["modules"][name]
    return module


def netlist_of(verilog: bytes, name: str, family: Family) -> Circuit:
    """The circuit of it."""
    return circuit_of(in_tables(module_of(verilog, name, family)))


class NetlistProver(RtlProver):
    """Synthesizes `rtl/NAME_pipeline.v` of a bundle and compares the part's cells with the Verilog (docs/proofs.md)."""

    architecture = UnrolledArchitecture

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds unrolled RTL, and was converted with `synthesize` for a part that is known here."""
        options = bundle.manifest.get("options")
        if not isinstance(options, dict) or not synthesis_asked(options):
            return False
        return super().applies(bundle) and budget_of(bundle.profile).family.name in PART_CELLS

    def tools(self) -> dict[str, str]:
        """Versions of this package, yosys and a solver."""
        return {**super().tools(), "python-sat": solver_version()}

    def findings(self, bundle: Bundle, built: Built, announce: Callable[[str], None], seconds: float) -> Findings:
        """Synthesize the pipeline by itself and compare it."""
        family = budget_of(bundle.profile).family
        name = f"{bundle.network.name}_pipeline"
        known = circuit_of_verilog(built.files[f"{name}.v"], name)
        announce(f"yosys: synthesis of rtl/{name}.v for {family.name}")
        what = f"the pipeline in cells of {family.name}"
        try:
            other = netlist_of(built.files[f"{name}.v"], name, family)
        except (CheckFailed, InputError, ToolFailed) as error:
            return Findings([Row(what, OPEN, len(known.outputs), 0, detail=str(error).splitlines()[0])])
        announce("comparing the netlist with the Verilog")
        begun = time.process_time()
        sweep, outputs, in_time = compared(known, other, lambda: time.process_time() - begun > seconds)
        row = row_of(what, sweep, outputs)
        if row.status == OPEN and not in_time:
            row = replace(row, status=OUT_OF_TIME)
        row = replace(row, seconds=round(time.process_time() - begun, 3))
        about = network_file(bundle), {f"rtl/{name}.v": built.files[f"{name}.v"]}
        return Findings([row], equivalence_files(known, other, sweep, outputs, self.tools(), *about))


def compared(
    known: Circuit, other: Circuit, out_of_time: Callable[[], bool] = lambda: False
) -> tuple[Sweep, list[bool], bool]:
    """Two circuits, gate by gate; of each output whether it is proved; whether there was time for all gates."""
    if len(known.outputs) != len(other.outputs) or known.input_bits != other.input_bits:
        raise CheckFailed("netlist", "has other inputs or outputs than the Verilog")
    sweep = Sweep(flat(known), flat(other))
    in_time = sweep.run(out_of_time)
    same = known.latency == other.latency
    return sweep, [same and sweep.proved(place) for place in range(len(other.outputs))], in_time


def row_of(what: str, sweep: Sweep, outputs: list[bool]) -> Row:
    """The row of a comparison; refuted where inputs are found for which an output differs."""
    proved = sum(outputs)
    lemmas = [len(pair.lemmas) for pair in sweep.pairs.values() if pair.lemmas]
    how = f"equal to the Verilog's circuit through {len(sweep.pairs):,} equal bits"
    how += f", {len(lemmas):,} of them by {sum(lemmas):,} lemmas of a solver" if lemmas else ""
    if proved == len(outputs):
        return Row(what, PROVED, len(outputs), proved, how)
    found = sweep.difference([place for place, shown in enumerate(outputs) if not shown])
    if found is not None:
        detail = f"bit {found[0]} of out_data differs for in_data = 0x{found[1]:x}, by the gates of both, not simulated"
        return Row(what, REFUTED, len(outputs), proved, how, detail=detail)
    return Row(what, OPEN, len(outputs), proved, how, detail=f"first open: bit {outputs.index(False)} of out_data")
