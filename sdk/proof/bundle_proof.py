"""`edgeml verify --prove` and `--check-proof`: provers on a bundle, and certificates in it."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from ..bundle import Bundle
from ..bundle_metrics import with_metrics
from ..errors import CheckFailed, EdgemlError, InputError, printable
from ..network import Multiply
from ..network.expansion import expands
from ..plugins.prover import Prover, provers
from ..registry import Registered
from ..system.regular_file import read_regular
from .certificate import CERTIFICATE
from .checkers.composition import composed
from .claim import ERROR, NOT_TRIED, PROVED
from .findings import Findings, Row
from .prove import SECONDS

__all__ = ["CHECKED", "check_proof", "has_certificates", "prove_bundle"]

FOLDER = "proof"
_ALL = "all that it is about"
_LARGEST_CERTIFICATE = 2**28
_AGAIN = "followed again by the checker"
_OF_ANY = (
    *("network", "library", "machine_code", "c-portable", "c-avx2", "c-avx512", "c-neon"),
    *("unrolled", "unrolled-netlist", "folded", "event-driven", "step-per-clock", "quantized"),
)
"""Provers that follow layers at positions, maxima, concatenations and products, or are kept by them from nothing else
that they prove. Those of hardware are about the plain layers that it is made of, which `network` follows to what they
stand for."""
CHECKED = {
    "circuit": f"{_AGAIN}, gate by gate; that the gates are the Verilog's is yosys's word",
    "equivalence": f"{_AGAIN}, pair by pair; that the gates are the netlist's is yosys's word",
    "folded": f"wiring, memories and ranges {_AGAIN}; what each module does by itself is the prover's word",
    "rtl_library": "benches, files and parameters looked at by the checker; the induction is yosys's word",
    "network": _AGAIN,
    "quantized": _AGAIN,
    "slices": f"functions and sums {_AGAIN}; that they are what the C's words hold is the prover's word",
    "spikes": f"wiring, memories, neurons and ranges {_AGAIN}; what each module does by itself is the prover's word",
    "step_per_clock": f"synapses, windows and neurons {_AGAIN}; what each module does by itself is the prover's word",
    "tflite": _AGAIN,
    "words": f"words {_AGAIN}; that they are those of the compiled code is the prover's word",
}
"""Kinds of certificate, each with its checker in `checkers/KIND.py` behind `checkers/composition.py`, and how much of
what they claim that looks at."""


def prove_bundle(
    bundle: Bundle, announce: Callable[[str], None] = lambda what: None, *, seconds: float = SECONDS
) -> tuple[Bundle, list[Row]]:
    """Prove what can be proved of a bundle; the bundle with its certificates and its report, and the rows found.

    The folder is replaced as a whole. What a prover that cannot run here is about is said to be not tried, with what to
    install; a prover that fails has a row of status `error`, and the others go on. Raises InputError if nothing in it
    is of a kind that is proved.
    """
    rows: list[Row] = []
    files: dict[str, bytes] = {}
    about: set[str] = set()
    for name, entry in provers(bundle.words()).items():
        findings = _findings(bundle, name, entry, announce, seconds)
        if findings is None:
            continue
        about |= entry.words | _folders_of(findings)
        rows += [replace(row, prover=name) for row in findings.rows]
        files |= {f"{FOLDER}/{name}/{file}": content for file, content in findings.certificate.items()}
    if not rows:
        raise InputError(
            str(bundle.folder), "holds nothing that a prover is about", "docs/proofs.md lists what is proved"
        )
    rows += [
        Row(f"{folder}/", NOT_TRIED, detail="no prover is about it: vectors are what there is")
        for folder in sorted(_folders(bundle) - about)
    ]
    return with_metrics(bundle, {"proof": [row.as_json() for row in rows]}, files, instead_of=FOLDER), rows


def _findings(
    bundle: Bundle, name: str, entry: Registered[Prover[Bundle]], announce: Callable[[str], None], seconds: float
) -> Findings | None:
    """What one prover says, be it that it cannot run here or that it failed; None if it is not about this bundle."""
    try:
        prover = entry.load()
        if not prover.applies(bundle):
            return None
        if missing := prover.missing(bundle):
            return Findings([Row(_ALL, NOT_TRIED, detail=f"cannot run here: {missing}")])
        apart = [*expands(bundle.network), *bundle.network.of_kind(Multiply)]
        if apart and name not in _OF_ANY:
            detail = f"it follows no shared layers, maxima, concatenations and products: {', '.join(apart)}"
            return Findings([Row(_ALL, NOT_TRIED, detail=detail)])
        announce(f"{name}: begins")
        return prover.prove(bundle, announce=lambda part: announce(f"{name}: {part}"), seconds=seconds)
    except EdgemlError as error:
        return Findings([Row(_ALL, ERROR, detail=str(error))])
    except Exception as error:  # a defect of this prover says nothing of what others find
        detail = f"a defect of the prover: {type(error).__name__}: {printable(error, 400)}"
        return Findings([Row(_ALL, ERROR, detail=detail)])


def _folders(bundle: Bundle) -> set[str]:
    """The folders of a bundle that hold what was made of its network."""
    folders = {name.partition("/")[0] for name in bundle.manifest["files"] if "/" in name}
    return folders - {FOLDER, "golden"}


def _folders_of(findings: Findings) -> set[str]:
    """The folders that a certificate names files of."""
    content = findings.certificate.get(CERTIFICATE)
    said = {} if content is None else json.loads(content).get("artifacts", {})
    return {name.partition("/")[0] for name in said if "/" in name}


def has_certificates(bundle: Bundle) -> bool:
    """Whether any prover left a certificate in it."""
    return bool(_certificates(bundle))


def _certificates(bundle: Bundle) -> list[str]:
    """The provers that left one."""
    parts = [Path(name).parts for name in bundle.manifest["files"]]
    return sorted({part[1] for part in parts if len(part) == 3 and part[0] == FOLDER and part[2] == CERTIFICATE})


def check_proof(bundle: Bundle) -> list[Row]:
    """Check the certificates of a bundle by the checker alone: how much of each place they prove.

    Hashes and composition are followed first, for certificates of all kinds alike; then the evidence, by the checker of
    each kind. Raises InputError if there are none, CheckFailed where one does not hold.
    """
    names = _certificates(bundle)
    if not names:
        raise InputError(str(bundle.folder), "holds no certificate", f"edgeml verify {bundle.folder} --prove")
    rows = []
    for name in names:
        try:
            how, found = _check(bundle.folder, name)
        except CheckFailed as error:
            again = f"It is not of this bundle as it is now, or was changed: edgeml verify {bundle.folder} --prove"
            raise CheckFailed(f"proof/{name}, {error.where}", error.problem, again) from error
        for place, (claims, proved) in _together(found).items():
            status = PROVED if claims == proved > 0 else NOT_TRIED
            rows.append(Row(place, status, claims, proved, how if proved else "", prover=name))
    return rows


def _together(found: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """The same place of several programs as one: of C that computes samples in several ways each has its own."""
    places: dict[str, list[tuple[int, int]]] = {}
    for place, counts in found.items():
        places.setdefault(re.sub(r", program \d+$", "", place), []).append(counts)
    named = {place if len(each) == 1 else f"{place}, {len(each)} programs": each for place, each in places.items()}
    return {
        place: (sum(claims for claims, _ in each), sum(proved for _, proved in each)) for place, each in named.items()
    }


def _check(folder: Path, prover: str) -> tuple[str, dict[str, tuple[int, int]]]:
    """(what the checker of its kind looks at, of each place how many claims a certificate makes and how many hold)."""
    path = folder / FOLDER / prover / CERTIFICATE
    try:
        kind = json.loads(read_regular(path, _LARGEST_CERTIFICATE))["kind"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckFailed("certificate", f"is not sound: {path} names no kind") from error
    if kind not in CHECKED:
        raise CheckFailed("certificate", f"is of a kind that no checker knows: {str(kind)[:40]!r}")
    checker = importlib.import_module(f".checkers.{kind}", __package__)
    whole = composed(folder, prover)
    found: dict[str, tuple[int, int]] = checker.check_certificate(folder, prover)
    for place in whole.keys() | found.keys():
        (claims, proved), (followed, shown) = whole.get(place, (-1, 0)), found.get(place, (-1, 0))
        if claims != followed or shown > proved:
            raise CheckFailed(f"certificate, {place}", "is other claims to its checker than to that of composition")
    return CHECKED[kind], found
