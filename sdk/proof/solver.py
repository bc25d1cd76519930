"""Asks a solver whether a claim of two circuits follows, and makes of its answer steps that a checker follows alone.

The solver (Glucose, of the package python-sat) is not trusted: where it says that no values satisfy the clauses, each
clause that it learned is derived again by unit propagation, and what is not needed for the last, empty one is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any

from ..errors import MissingTool
from ..extras import install_extra
from .clauses import Clause
from .propagation import Propagation

__all__ = ["Lemma", "Lemmas", "Values", "solved", "solver_version"]

_PACKAGE = "python-sat"


@dataclass(frozen=True)
class Lemma:
    """One of some literals holds: if none did, the gates of `hints`, in their order, would give each signal its value
    until two of them differ.

    hints : of a gate its bit, of an earlier lemma `~` its place in the list.
    """

    literals: tuple[int, ...]
    hints: tuple[int, ...]


Lemmas = tuple[Lemma, ...]
Values = Mapping[int, bool]
"""Of bits, whether they are 1."""


def solver_version() -> str:
    """The version of the solver's package; MissingTool where it is not installed."""
    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError as error:
        remedy = install_extra("proof")
        raise MissingTool(_PACKAGE, "is not installed, and compares netlists with their Verilog", remedy) from error


def solved(clauses: Sequence[Clause], conflicts: int) -> Lemmas | Values | None:
    """Lemmas, the last without literals, where no values satisfy the clauses; else values that do; None if the solver
    gave up after so many conflicts."""
    empty = next((gate for literals, gate in clauses if not literals), None)
    if empty is not None:
        return (Lemma((), (empty,)),)
    variables = sorted({_variable(literal) for literals, _ in clauses for literal in literals})
    number = {variable: place + 1 for place, variable in enumerate(variables)}
    asked = [[number[each] if each >= 0 else -number[~each] for each in literals] for literals, _ in clauses]
    # The package is an extra, without types, and only what it answers is used.
    solvers: Any = import_module("pysat.solvers")
    with solvers.Solver(name="g4", bootstrap_with=asked, with_proof=True) as solver:
        solver.conf_budget(conflicts)
        answer = solver.solve_limited()
        if answer is None:
            return None
        if answer:
            return {variables[abs(each) - 1]: each > 0 for each in solver.get_model() if abs(each) <= len(variables)}
        learned = [[int(each) for each in line.split()[:-1]] for line in solver.get_proof() if line[0] != "d"]
    return _lemmas(asked, [gate for _, gate in clauses], learned, variables)


def _variable(literal: int) -> int:
    return literal if literal >= 0 else ~literal


def _lemmas(
    asked: Sequence[Sequence[int]], gates: Sequence[int], learned: Sequence[Sequence[int]], variables: Sequence[int]
) -> Lemmas:
    """What a solver learned, each with the gates and earlier lemmas that it follows from; only what is needed."""
    propagation = Propagation(len(variables), asked)
    behind: list[list[int]] = []
    for literals in [*learned, []]:
        behind.append(propagation.reasons([-each for each in literals]))
        if not literals:
            break
        propagation.add(literals)
    needed = {len(behind) - 1}
    for place in reversed(range(len(behind))):
        if place in needed:
            needed |= {each - len(asked) for each in behind[place] if each >= len(asked)}
    renamed = {place: number for number, place in enumerate(sorted(needed))}
    lemmas = []
    for place in sorted(needed):
        hints: list[int] = []
        for reason in behind[place]:
            hint = gates[reason] if reason < len(asked) else ~renamed[reason - len(asked)]
            if not hints or hints[-1] != hint:
                hints.append(hint)
        literals = learned[place] if place < len(learned) else ()
        named = tuple(variables[each - 1] if each > 0 else ~variables[-each - 1] for each in literals)
        lemmas.append(Lemma(named, tuple(hints)))
    return tuple(lemmas)
