"""The prover `machine_code`: that the firmware's instructions compute the network, for every input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgeml.proof.claim import NOT_TRIED, OPEN, PROVED, REFUTED
from edgeml.proof.findings import Findings, Row

from ..cores import CORES
from ..emulator import Emulator
from ..executor import checked_firmware, is_firmware, recorded_optimization
from ..image_build import library_image
from ..measure import measuring_missing
from .counterexamples import counterexample
from .followed import Followed, FollowedStage
from .instruction_sets import followed_cores

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["MachineCodeProver", "rows_of"]

_METHODS = {"sum": "as weighted sums", "rows": "for all values of their sum"}
_LABEL, _AROUND = "the label", "start-up code, self-test, boards and the device of hardware in the loop"


class MachineCodeProver:
    """Builds a bundle's firmware and follows its instructions for all inputs (docs/proofs.md)."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds firmware for a core whose instructions are followed."""
        return any(is_firmware(bundle, name) for name in followed_cores())

    def missing(self, bundle: Bundle) -> str:
        """What to install: zig cc, Unicorn and pyelftools."""
        return measuring_missing()

    def prove(self, bundle: Bundle, *, announce: Callable[[str], None], seconds: float) -> Findings:
        """Follow the firmware, stage after stage.

        Raises CheckFailed where the bundle's C is not what this edgeml generates: no tool reads what others wrote.
        """
        firmware = checked_firmware(bundle)
        core = CORES[str(bundle.profile.values["core"])]
        announce(f"building for {core.title}")
        image = library_image(firmware, core, optimize=recorded_optimization(bundle))
        followed = Followed(Emulator(core, image), firmware.program, bundle.golden()[0][0])
        followed.run(announce, seconds)
        return Findings(rows_of(followed, announce))


def rows_of(followed: Followed, announce: Callable[[str], None] = lambda what: None) -> list[Row]:
    """A row for each stage, one for accesses to memory, and what is not tried."""
    rows = []
    for found in followed.stages:
        row = _row(found)
        if row.status == OPEN and (example := counterexample(followed, found)):
            row = Row(row.part, REFUTED, row.claims, row.proved, row.method, row.seconds, f"{example} ({row.detail})")
        rows.append(row)
    whole = all(not found.stopped for found in followed.stages)
    accesses = sum(found.accesses for found in followed.stages)
    method = f"{accesses} accesses, each within the object that it is meant for" if whole else ""
    rows.append(Row("memory", PROVED if whole else OPEN, 1, int(whole), method))
    return [*rows, Row(_LABEL, NOT_TRIED), Row(_AROUND, NOT_TRIED)]


def _row(found: FollowedStage) -> Row:
    """What was found of a stage."""
    proved = sum(claim.proved for claim in found.claims)
    claims = len(found.claims)
    if found.padding:
        claims += 1
        zero = all((byte if isinstance(byte, int) else byte.value) == 0 for byte in found.padding)
        proved += zero
    counts = Counter(claim.method for claim in found.claims if claim.proved)
    ways = ", ".join(f"{count} {_METHODS[method]}" for method, count in sorted(counts.items()))
    method = f"{ways}; {found.instructions} instructions" if ways else ""
    first = next((claim for claim in found.claims if not claim.proved), None)
    detail = found.stopped or ("" if first is None else f"{found.name}[{first.channel}]: {first.detail}")
    if proved == claims and not found.stopped:
        return Row(found.name, PROVED, claims, proved, method, round(found.seconds, 3))
    untried = all("no proof knows" in claim.detail for claim in found.claims if not claim.proved)
    status = NOT_TRIED if untried and not found.stopped else OPEN
    return Row(
        found.name, status, claims, proved, method, round(found.seconds, 3), detail or "what is behind it is not 0"
    )
