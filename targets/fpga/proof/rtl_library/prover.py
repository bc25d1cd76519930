"""The prover `library`: streams, class unit, wrappers and devices of a design, each instance at its own parameters."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from edgeml.network import Network
from edgeml.proof.claim import NOT_TRIED, OPEN, PROVED, REFUTED
from edgeml.proof.findings import Findings
from edgeml.proof.place_claims import PlaceClaims, statement_certificate

from ...architectures.unrolled.architecture import UnrolledPlan
from ...budget import budget_of
from ...design import Built
from ...files import generated_files, verify_bundle
from ...tops.packets import Packets
from ..rtl_prover import RtlProver, network_file
from ..yosys_reader import yosys_version
from .around import axi_bench, axis_bench, core_bench, packets_bench, uart_bench
from .benches import benches
from .instances import instances
from .kept import proved_once
from .statements import Statement, statement_of, too_wide
from .symbolic_constants import SYMBOLIC, axi_text, uart_text

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["LibraryProver"]

_METHOD = "by induction over clocks"
_LONG = {"hil_send": ", which takes minutes the first time, and is kept"}
_OTHER_STEPS = {"spiking"}
"""Benches that are about steps of their own, not those of a bundle: tests prove them."""


class LibraryProver(RtlProver):
    """Proves each module of the RTL library that has a bench (docs/proofs.md), where a bundle's design uses it."""

    of_plain_layers = False

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds RTL."""
        return "rtl/design.json" in bundle.manifest.get("files", {})

    def built(self, bundle: Bundle) -> Built:
        """The design with all its files, tops among them."""
        return verify_bundle(bundle)

    def findings(self, bundle: Bundle, built: Built, announce: Callable[[str], None], seconds: float) -> Findings:
        """A row of each module: what its instances keep."""
        files = generated_files(bundle.network, built, budget_of(bundle.profile))
        texts = {path: content for path, content in files.items() if path.endswith(".v")}
        places: list[PlaceClaims] = []
        left = seconds
        for name, statements in _statements(built, bundle.network, texts, announce):
            announce(f"proving {name}{_LONG.get(name, '')}")
            begun = time.monotonic()
            claims = [_claim(name, each, texts, left - (time.monotonic() - begun)) for each in statements]
            taken = time.monotonic() - begun
            left -= taken
            method = f"{_METHOD}; kept from before" if all(claim.get("kept") for claim in claims) else _METHOD
            places.append(PlaceClaims(statements[0].module, _head(statements[0]), method, claims, taken))
        proved = {path: content for path, content in texts.items() if not path.endswith(("_pipeline.v", "_tb.v"))}
        rows = [place.row() for place in places]
        return Findings(rows, statement_certificate("rtl_library", network_file(bundle), places, proved))


def _statements(
    built: Built, network: Network, texts: Mapping[str, bytes], announce: Callable[[str], None]
) -> Iterator[tuple[str, list[Statement]]]:
    """Bench by bench what it says of the design."""
    known = {path.rpartition("/")[2]: content for path, content in texts.items()}
    library = {name: content for name, content in known.items() if name.startswith("edgeml_")}
    have = [name for name in benches() if f"edgeml_{name}.v" in library and name not in _OTHER_STEPS]
    read = {name: content for name, content in library.items() if name[7:-2] in have or name == "edgeml_hil_device.v"}
    found: dict[str, list[Any]] = {}
    packets = f"{built.top[:-5]}_packets"
    for top in (built.top, f"{built.top[:-5]}_uart", packets, f"{built.top[:-5]}_axi"):
        if f"{top}.v" in known:
            announce(f"yosys reads {top}.v")
            tops = {
                f"{name}.v": known[f"{name}.v"]
                for name in {built.core, built.top, packets, top}
                if f"{name}.v" in known
            }
            for name, given in instances({**read, **tops}, top).items():
                found[name] = found.get(name, []) + [each for each in given if each not in found.get(name, [])]
    interface, plan = built.interface, built.layout.plan
    if isinstance(plan, UnrolledPlan):
        stages = plan.stages
        plain = built.layout.architecture.interface(plan)
        bench, parameters = core_bench(
            built.core, f"{built.core[:-5]}_pipeline", plain, stages.clocks, straight=stages.straight
        )
        core = {name: known[name] for name in (f"{built.core}.v", "edgeml_fifo.v")}
        yield "core", [Statement(built.core, bench, parameters, core)]
    bench, parameters = axis_bench(built.top, built.core, interface)
    yield "axis", [Statement(built.top, bench, parameters, {f"{built.top}.v": known[f"{built.top}.v"]})]
    yield from _tops(built, network, known, found)
    for name in have:
        if name in found:
            yield name, [statement_of(name, given, library) for given in found[name]]


def _tops(
    built: Built, network: Network, known: Mapping[str, bytes], found: Mapping[str, list[Any]]
) -> Iterator[tuple[str, list[Statement]]]:
    """What the benches of the UART top and of those for packets and with registers say, where the bundle has these.

    The network is the bundle's, whose hash they hold: that of the plan may be of whole tensors.
    """
    uart, inner, axi = (f"{built.top[:-5]}_{kind}" for kind in ("uart", "packets", "axi"))
    packets, reach = Packets(built.interface, built.design.axi_width), (network.quantizer.low, network.quantizer.high)
    if f"{uart}.v" in known:
        chosen = {"SAMPLES": found["hil_device"][0]["SAMPLES"], "CLOCKS_PER_BIT": found["uart_rx"][0]["CLOCKS_PER_BIT"]}
        bench, parameters = uart_bench(uart, built.core, built.interface, reach, chosen)
        yield "uart", [Statement(uart, bench, parameters, {f"{uart}.v": uart_text(known[f"{uart}.v"], network)})]
    if f"{inner}.v" in known:
        bench, parameters = packets_bench(inner, built.top, packets)
        yield "packets", [Statement(inner, bench, parameters, {f"{inner}.v": known[f"{inner}.v"]})]
    if f"{axi}.v" in known:
        bench, parameters = axi_bench(axi, inner, packets)
        yield "axi", [Statement(axi, bench, parameters, {f"{axi}.v": axi_text(known[f"{axi}.v"], network)})]


def _claim(name: str, statement: Statement, texts: Mapping[str, bytes], seconds: float) -> dict[str, Any]:
    """What is found of a statement, with all that it is about."""
    claim = {
        "parameters": dict(statement.parameters),
        "bench": hashlib.sha256(statement.bench.encode()).hexdigest(),
        "sources": sorted(statement.sources),
    }
    if name in SYMBOLIC:
        claim["any_value"] = sorted(SYMBOLIC[name])
    if why := too_wide(name, statement.parameters):
        return {"status": NOT_TRIED, "detail": f"{_said(statement)} {why}", **claim}
    outcome, kept = proved_once(name, statement, seconds)
    if outcome.status == PROVED:
        return {"status": PROVED, "clocks": outcome.clocks, "kept": kept, "yosys": yosys_version(), **claim}
    found = {"status": outcome.status, **claim}
    if outcome.status == REFUTED:
        found["counterexample"] = f"{_said(statement)}: {outcome.clocks} clocks from a first reset on break it"
    elif outcome.status == OPEN:
        found["detail"] = f"{_said(statement)}: one clock does not lead to the next"
    return found


def _said(statement: Statement) -> str:
    """The parameters of a statement in words, long ones cut."""
    return ", ".join(f"{name} {str(value)[:20]}" for name, value in statement.parameters.items())


def _head(statement: Statement) -> str:
    """What the bench says at its head."""
    lines = statement.bench.splitlines()[1:]
    head = lines[: next(index for index, line in enumerate(lines) if not line.startswith("//"))]
    return " ".join(line.removeprefix("//").strip() for line in head).strip()
