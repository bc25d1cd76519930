"""The prover `machine_code`: that the firmware's instructions compute the network, for every input."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.network.task import VALUES
from edgeml.proof.claim import NOT_TRIED, OPEN, OUT_OF_TIME, PROVED, REFUTED
from edgeml.proof.findings import Findings, Row
from edgeml.proof.words.certificate import StageWords, words_certificate
from edgeml.proof.words.claims import METHODS, UNTRIED
from edgeml.system.regular_file import read_regular

from ..cores import CORES, Core
from ..executor import bundle_core, checked_firmware, is_firmware, recorded_optimization
from ..firmware import Firmware
from ..image_build import library_image
from ..measure import measuring_missing
from ..target import FOLDER
from .counterexamples import counterexample, other_label
from .emulated_core import emulated_core, emulated_core_missing
from .followed import Followed, FollowedStage
from .instruction_sets import followed_cores
from .machine import LATE

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["MachineCodeProver", "certificate_of", "faulting", "rows_of"]

_C = (".c", ".h")
_COMPARED, _LARGEST = 64, 2**28
_UNDEFINED, _MEMORY = "undefined behaviour", "memory"
_LABEL, _AROUND = "the label", "start-up code, self-test, boards and the device of hardware in the loop"


class MachineCodeProver:
    """Builds a bundle's firmware and follows its instructions for all inputs (docs/proofs.md)."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds firmware for a core whose instructions are followed."""
        return any(is_firmware(bundle, name) for name in followed_cores())

    def missing(self, bundle: Bundle) -> str:
        """What to install: zig cc, Unicorn and pyelftools; for a core with vectors QEMU, too."""
        return measuring_missing() or emulated_core_missing(bundle_core(bundle))

    def prove(self, bundle: Bundle, *, announce: Callable[[str], None], seconds: float) -> Findings:
        """Follow the firmware, stage after stage.

        Raises CheckFailed where the bundle's C is not what this edgeml generates: no tool reads what others wrote.
        """
        begun = time.process_time()
        firmware = checked_firmware(bundle)
        core = CORES[str(bundle.profile.values["core"])]
        announce(f"building for {core.title}")
        image = library_image(firmware, core, optimize=recorded_optimization(bundle))
        sample = bundle.golden()[0][0]
        try:
            followed = Followed(emulated_core(core, image), firmware.program, sample, keep=True)
        except CheckFailed as error:
            return Findings([faulting(error)], {})
        followed.run(announce, seconds)
        rows = rows_of(followed)
        if rows[-3].status == PROVED:
            announce("comparing the operations with the emulator")
            vectors = bundle.golden()[0][:_COMPARED]
            if differing := followed.differs(vectors):
                raise CheckFailed(core.title, f"the proof reads its instructions otherwise than Unicorn: {differing}")
        announce("following the C with checks of its behaviour")
        left = begun + seconds - time.process_time()
        checked = _undefined(firmware, core, recorded_optimization(bundle), sample, announce, left)
        network_file = read_regular(bundle.folder / "network.edgeml", _LARGEST)
        return Findings([*rows[:-2], checked, *rows[-2:]], certificate_of(followed, network_file, firmware))


def _undefined(
    firmware: Firmware,
    core: Core,
    optimize: str,
    q: npt.NDArray[np.int32],
    announce: Callable[[str], None],
    seconds: float,
) -> Row:
    """Whether the C, compiled so that undefined behaviour traps, never comes to a trap."""
    image = library_image(firmware, core, optimize=optimize, trap=True)
    try:
        followed = Followed(emulated_core(core, image), firmware.program, q, keep=True)
    except CheckFailed as error:  # the sample itself comes to a trap
        return Row(_UNDEFINED, REFUTED, 1, 0, detail=f"for the first vector: {error}")
    before = time.process_time()
    followed.run(lambda what: announce(f"{what}, with checks of its behaviour"), seconds)
    took = round(time.process_time() - before, 3)
    stopped = [f"{found.name}: {found.stopped}" for found in followed.stages if found.stopped]
    count = len(followed.stages)
    if not stopped:
        return Row(_UNDEFINED, PROVED, count, count, "UBSan's checks of the C never fail", took)
    late = any(found.stopped == LATE for found in followed.stages)
    return Row(_UNDEFINED, OUT_OF_TIME if late else OPEN, count, count - len(stopped), "", took, stopped[0])


def certificate_of(followed: Followed, network_file: bytes, firmware: Firmware) -> dict[str, bytes]:
    """The files of the certificate; none where not all stages were come to."""
    if len(followed.stages) != len(followed.layout.stages) + 1:
        return {}
    stages = []
    for found in followed.stages[:-1]:
        assert found.stage is not None
        names, output = [node.name for node in found.stage.job.nodes], found.stage.output
        values = followed.sources[output.name]
        stages.append(
            StageWords(names, values, output.low, output.item_bytes, found.claims, found.padding, found.seconds)
        )
    artifacts = {f"{FOLDER}/{path}": text.encode() for path, text in firmware.files.items() if path.endswith(_C)}
    flow, raw, outputs = followed.flow, followed.raw, followed.stages[-1].claims
    return words_certificate(flow, raw, stages, outputs, followed.label, network_file, artifacts, "proof/machine_code")


def faulting(error: CheckFailed) -> Row:
    """What is said of firmware that does not come to its end for the sample that it is followed with."""
    return Row(_MEMORY, REFUTED, 1, 0, detail=f"for the first vector, in the emulator: {error}")


def rows_of(followed: Followed) -> list[Row]:
    """A row for each stage, one for accesses to memory, and what is not tried."""
    rows, outside = [], ""
    for found in followed.stages:
        row = _row(found)
        if row.status == OPEN and (example := counterexample(followed, found)):
            row = Row(row.part, REFUTED, row.claims, row.proved, row.method, row.seconds, f"{example} ({row.detail})")
            outside = outside or (example if found.outside is not None else "")
        rows.append(row)
    whole = all(not found.stopped for found in followed.stages)
    accesses = sum(found.accesses for found in followed.stages)
    method = f"{accesses} accesses, each within the object that it is meant for" if whole else ""
    status = PROVED if whole else REFUTED if outside else OPEN
    rows.append(Row(_MEMORY, status, 1, int(whole), method, detail=outside))
    label, rest = followed.label, followed.stages[-1]
    if rest.stopped or label.proved:
        status = NOT_TRIED if rest.stopped else PROVED
        rows.append(Row(_LABEL, status, int(label.proved), int(label.proved), METHODS.get(label.method, "")))
    else:
        example = "" if followed.network.task == VALUES else other_label(followed)
        said = f"{example} ({label.detail})" if example else label.detail
        rows.append(Row(_LABEL, REFUTED if example else OPEN, 1, 0, detail=said))
    return [*rows, Row(_AROUND, NOT_TRIED)]


def _row(found: FollowedStage) -> Row:
    """What was found of a stage."""
    proved = sum(claim.proved for claim in found.claims)
    claims = len(found.claims)
    if found.padding:
        claims += 1
        zero = all((byte if isinstance(byte, int) else byte.value) == 0 for byte in found.padding)
        proved += zero
    counts = Counter(claim.method for claim in found.claims if claim.proved)
    ways = ", ".join(f"{count} {METHODS[method]}" for method, count in sorted(counts.items()))
    method = f"{ways}; {found.instructions} instructions" if ways else ""
    method += "; kept from before" if found.kept else ""
    first = next((claim for claim in found.claims if not claim.proved), None)
    detail = found.stopped or ("" if first is None else f"{found.name}[{first.channel}]: {first.detail}")
    if proved == claims and not found.stopped:
        return Row(found.name, PROVED, claims, proved, method, round(found.seconds, 3))
    open_ = [claim for claim in found.claims if not claim.proved]
    untried = open_ and not found.stopped and all(claim.detail.startswith(UNTRIED) for claim in open_)
    status = NOT_TRIED if untried else OUT_OF_TIME if found.stopped == LATE else OPEN
    return Row(
        found.name, status, claims, proved, method, round(found.seconds, 3), detail or "what is behind it is not 0"
    )
