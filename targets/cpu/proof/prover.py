"""The provers of C for CPUs, one for each body of its kernels: that the C computes the network, for every input."""

from __future__ import annotations

import importlib.util
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed
from edgeml.extras import install_extra
from edgeml.network import simulate
from edgeml.proof.claim import NOT_TRIED, OPEN, OUT_OF_TIME, PROVED, REFUTED
from edgeml.proof.findings import Findings, Row
from edgeml.proof.words.claims import METHODS, UNTRIED, Claim
from edgeml.system.regular_file import holds, read_regular
from edgeml.targets.c import CProgram, generate
from edgeml.targets.c.sensors.counts import counts_of

from ..dialect import cpu_dialect
from .bodies import BODIES, module_of
from .certificate import certificate_of, mixed
from .counterexamples import Counterexamples, runs_here
from .followed import Followed, FollowedStage, followable, samples_of
from .ir_module import Module, Unread
from .machine import LATE
from .sliced.certificate import slices_certificate
from .sliced.followed import FollowedSlices
from .trials import Tried

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["Avx2Prover", "Avx512Prover", "BodyProver", "NeonProver", "PortableProver", "followed_of", "rows_of"]

_LARGEST = 2**28
_LABEL = "the label"
_SIXTEEN = "sixteen samples at once, with AMX"


class BodyProver:
    """Follows a bundle's C with one body of its kernels for all inputs (docs/proofs.md)."""

    body: ClassVar[str] = ""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds C for a CPU that may have this body."""
        if bundle.profile.kind != "cpu" or not (bundle.folder / "c").is_dir():
            return False
        machine, chosen = bundle.profile.values.get("machine", "host"), BODIES[self.body]
        return not chosen.machine or machine == chosen.machine or (machine == "host" and not runs_here(chosen))

    def missing(self, bundle: Bundle) -> str:
        """What to install: zig cc, whose clang reads the C."""
        found = importlib.util.find_spec("ziglang") is not None
        return "" if found else f"there is no zig cc. Install it: {install_extra('toolchain')}"

    def prove(self, bundle: Bundle, *, announce: Callable[[str], None], seconds: float) -> Findings:
        """Follow the C, stage after stage.

        Raises CheckFailed where the bundle's C is not what this edgeml generates: no compiler reads what others wrote.
        """
        begun, body, program = time.process_time(), BODIES[self.body], checked_program(bundle)
        if why := followable(program):
            return Findings([Row("the C", NOT_TRIED, detail=why)])
        announce(f"reading the C for {body.title}")
        try:
            module = module_of(program, body)
        except Unread as error:
            return Findings([Row("the C", NOT_TRIED, detail=f"it is not read: {error}")])
        q = np.resize(bundle.golden()[0], (samples_of(program), bundle.network.input_size)).astype(np.int32)
        followed = followed_of(module, program, q, keep=True)
        followed.run(announce, begun + seconds - time.process_time())
        rows = rows_of(followed, Counterexamples(followed, program, body))
        if self.body == "avx512" and any(stage.code.sixteen for stage in program.layout.functions):
            rows.append(Row(_SIXTEEN, NOT_TRIED, detail="code of its own, compared with golden by the tests alone"))
        if all(row.status == PROVED for row in rows if row.claims):
            followed.check_samples(simulate(bundle.network, q))
        artifacts = {f"c/{path}": text.encode() for path, text in program.files.items() if path.endswith((".c", ".h"))}
        network_file, folder = read_regular(bundle.folder / "network.edgeml", _LARGEST), f"proof/c-{self.body}"
        if isinstance(followed, FollowedSlices):
            return Findings(rows, slices_certificate(followed, network_file, artifacts, folder))
        return Findings(rows, certificate_of(followed, network_file, artifacts, folder))


def followed_of(module: Module, program: CProgram, q: npt.NDArray[np.int32], *, keep: bool = False) -> Followed:
    """What follows a program, for samples q beside: bit by bit where it computes a bit of many of them in a word."""
    kind = FollowedSlices if program.layout.sliced_tile else Followed
    return kind(module, program, q, keep=keep)


class PortableProver(BodyProver):
    """C that uses no vector instructions."""

    body = "portable"


class Avx2Prover(BodyProver):
    """Kernels for x86-64 with AVX2."""

    body = "avx2"


class Avx512Prover(BodyProver):
    """Kernels for x86-64 with AVX-512."""

    body = "avx512"


class NeonProver(BodyProver):
    """Kernels for AArch64."""

    body = "neon"


def checked_program(bundle: Bundle) -> CProgram:
    """The C that this edgeml generates for a bundle's network; CheckFailed where the bundle's is another."""
    program = generate(bundle.network, cpu_dialect(), counts_of(bundle.manifest) or ())
    for name, text in program.files.items():
        if not holds(bundle.folder / "c" / name, text.encode()):
            raise CheckFailed(
                str(bundle.folder / "c" / name),
                "differs from the C that this edgeml generates for the bundle's network, and is not followed",
                "Convert the model again",
            )
    return program


def rows_of(followed: Followed, examples: Counterexamples) -> list[Row]:
    """A row for each stage, as a block and alone, one for accesses to memory, one for undefined behaviour."""
    rows = [_row(found) for found in followed.stages]
    unsafe = [place for place, found in enumerate(followed.stages) if found.stopped]
    broken = [place for place, found in enumerate(followed.stages) if found.broken]
    asked = _tried_stages(followed, rows) if unsafe or broken else []
    # The stage of many samples at once is not run by itself: where it may touch other memory, it is not run at all.
    tried = examples.tried(asked) if asked and not isinstance(followed, FollowedSlices) else Tried()
    of_network: str | None = tried.wrong.get(-1, "") if unsafe else None
    for place, found in enumerate(followed.stages):
        if rows[place].status != OPEN:
            continue
        # What may touch memory that is not its own is not run within this process.
        example = tried.wrong.get(place, "") if unsafe else examples.of_stage(found)
        if not example:
            of_network = examples.of_network() if of_network is None else of_network
            example = of_network
        rows[place] = _refuted(rows[place], example)
    rows += [_refuted(_memory_row(followed, tried.why), tried.memory)]
    rows += [_refuted(_undefined_row(followed, tried.why), tried.undefined)]
    return [*rows, _label_row(followed, (lambda: tried.label) if unsafe else examples.of_label)]


def _tried_stages(followed: Followed, rows: Sequence[Row]) -> list[int]:
    """Stages to run with checks: what is not followed to its end for want of time or of words is left to the tests."""
    return [
        place
        for place, (found, row) in enumerate(zip(followed.stages, rows, strict=True))
        if (row.status == OPEN or found.broken) and not found.untried and found.stopped != LATE
    ]


def _refuted(row: Row, example: str) -> Row:
    """The row, refuted by an example if there is one."""
    if not example or row.status == PROVED:
        return row
    detail = f"{example} ({row.detail})" if row.detail else example
    return replace(row, status=REFUTED, detail=detail)


def _status(followed: Followed) -> str:
    """Of what is not shown where a stage was not followed to its end."""
    stages = followed.stages
    if any(found.stopped == LATE for found in stages):
        return OUT_OF_TIME
    stopped = [found for found in stages if found.stopped]
    return NOT_TRIED if stopped and all(found.untried for found in stopped) else OPEN


def _memory_row(followed: Followed, why: str) -> Row:
    """That all accesses lie where they may. why : why nothing was run to refute it."""
    stopped = [f"{found.name}: {found.stopped}" for found in followed.stages if found.stopped]
    if not stopped:
        accesses = sum(found.accesses for found in followed.stages)
        return Row(
            "memory", PROVED, 1, 1, f"{accesses} accesses, each within its object, aligned, to what was written before"
        )
    return Row("memory", _status(followed), 1, 0, detail="; ".join([stopped[0], *([why] if why else [])]))


def _undefined_row(followed: Followed, why: str) -> Row:
    """That nothing is done that C does not define."""
    broken = [text for found in followed.stages for text in found.broken]
    status = OPEN if broken else _status(followed)
    broken += [f"{found.name}: {found.stopped}" for found in followed.stages if found.stopped]
    if mixed(followed):
        broken.append("a branch or an address depends on several samples")
    part = "undefined behaviour"
    if broken:
        return Row(part, status, 1, 0, detail="; ".join([broken[0], *([why] if why else [])]))
    count = sum(found.obligations for found in followed.stages)
    return Row(
        part, PROVED, 1, 1, f"{count} signed sums, differences and products do not overflow; no shift passes its width"
    )


def _label_row(followed: Followed, example: Callable[[], str]) -> Row:
    """What was found of what samples are taken for. example : looks for a sample that is taken for something else."""
    claims = followed.labels
    if not claims:
        return Row(_LABEL, NOT_TRIED, detail="the outputs are not come to")
    proved, first = sum(claim.proved for claim in claims), next((each for each in claims if not each.proved), None)
    if first is None:
        return Row(_LABEL, PROVED, len(claims), proved, METHODS[claims[0].method])
    found = example()
    detail = f"{found} ({first.detail})" if found else first.detail
    return Row(_LABEL, REFUTED if found else OPEN, len(claims), proved, detail=detail)


def _row(found: FollowedStage) -> Row:
    """What was found of a stage for some samples."""
    claims = [claim for row in found.claims for claim in row]
    padding = [[(w if isinstance(w, int) else w.value) == 0 for w in row] for row in found.padding if row]
    count, proved = len(claims) + len(padding), sum(claim.proved for claim in claims) + sum(map(all, padding))
    counts = Counter(claim.method for claim in claims if claim.proved)
    ways = ", ".join(f"{number} {METHODS[method]}" for method, number in sorted(counts.items()))
    method = f"{ways}; {found.steps} instructions" if ways else ""
    method += "; kept from before" if found.kept else ""
    samples = len(found.samples)
    part = found.name if found.stage is None else f"{found.name}, {f'block of {samples}' if samples > 1 else 'alone'}"
    seconds = round(found.seconds, 3)
    if proved == count and not found.stopped:
        return Row(part, PROVED, count, proved, method, seconds)
    first = next((claim for claim in claims if not claim.proved), None)
    detail = found.stopped or _detail(found, first)
    untried = first is not None and all(c.proved or c.detail.startswith(UNTRIED) for c in claims)
    untried = found.untried or (untried and not found.stopped)
    status = NOT_TRIED if untried else OUT_OF_TIME if found.stopped == LATE else OPEN
    return Row(part, status, count, proved, method, seconds, detail)


def _detail(found: FollowedStage, claim: Claim | None) -> str:
    return "what is behind it is not 0" if claim is None else f"{found.name}[{claim.channel}]: {claim.detail}"
