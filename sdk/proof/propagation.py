"""Unit propagation with two watched literals of each clause, which says what a conflict follows from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["Propagation"]


class Propagation:
    """Clauses over variables 1 … `variables`, literals v and −v; more are added as they are learned."""

    def __init__(self, variables: int, clauses: Iterable[Sequence[int]]) -> None:
        self.clauses: list[list[int]] = []
        self._watching: list[list[int]] = [[] for _ in range(2 * variables + 1)]
        self._units: list[int] = []
        self._value = [0] * (2 * variables + 1)  # of each literal (negative ones from the end): 1 holds, −1 does not
        for clause in clauses:
            self.add(clause)

    def add(self, literals: Sequence[int]) -> None:
        """Add a clause of at least one literal."""
        place = len(self.clauses)
        self.clauses.append(list(literals))
        if len(literals) == 1:
            self._units.append(place)
        for literal in literals[:2]:
            self._watching[literal].append(place)

    def reasons(self, assumed: Iterable[int]) -> list[int]:
        """Places of clauses that lead from literals that hold to a conflict, in the order in which they say so.

        ValueError where they do not.
        """
        trail: list[tuple[int, int]] = []
        conflict = self._assign(((literal, -1) for literal in assumed), trail)
        if conflict < 0:
            conflict = self._assign(((self.clauses[unit][0], unit) for unit in self._units), trail)
        if conflict < 0:
            conflict = self._propagate(trail)
        reason = {literal: (order, place) for order, (literal, place) in enumerate(trail)}
        for literal, _ in trail:
            self._value[literal] = self._value[-literal] = 0
        if conflict < 0:
            raise ValueError("a clause does not follow by unit propagation")
        return [*self._behind(conflict, reason), conflict]

    def _assign(self, literals: Iterable[tuple[int, int]], trail: list[tuple[int, int]]) -> int:
        """Let literals hold; the clause of one that cannot, else −1."""
        for literal, place in literals:
            if self._value[literal] < 0:
                return place
            if not self._value[literal]:
                self._value[literal], self._value[-literal] = 1, -1
                trail.append((literal, place))
        return -1

    def _propagate(self, trail: list[tuple[int, int]]) -> int:
        """Follow the trail to its end; the clause that cannot hold, else −1."""
        value, at = self._value, 0
        while at < len(trail):
            false = -trail[at][0]
            at += 1
            watching, kept = self._watching[false], []
            for index, place in enumerate(watching):
                clause = self.clauses[place]
                if clause[0] == false and len(clause) > 1:
                    clause[0], clause[1] = clause[1], false
                first = clause[0]
                if value[first] > 0:
                    kept.append(place)
                    continue
                for k in range(2, len(clause)):
                    if value[clause[k]] >= 0:
                        clause[1], clause[k] = clause[k], false
                        self._watching[clause[1]].append(place)
                        break
                else:
                    kept.append(place)
                    if value[first] < 0:
                        self._watching[false] = kept + watching[index + 1 :]
                        return place
                    value[first], value[-first] = 1, -1
                    trail.append((first, place))
            self._watching[false] = kept
        return -1

    def _behind(self, conflict: int, reason: dict[int, tuple[int, int]]) -> list[int]:
        """The clauses that made a clause's literals false, earlier ones first."""
        found: dict[int, int] = {}
        waiting, seen = list(self.clauses[conflict]), set()
        while waiting:
            literal = -waiting.pop()
            if literal in seen or literal not in reason:
                continue
            seen.add(literal)
            order, place = reason[literal]
            if place >= 0:
                found[order] = place
                waiting += (each for each in self.clauses[place] if each != literal)
        return [found[order] for order in sorted(found)]
