"""What a mutant was, what an oracle that shares nothing with the proof says of it, and what the proof says."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Judged"]


@dataclass(frozen=True)
class Judged:
    """One mutant.

    Parameters
    ----------
    kind : what it is a fault of, a line of the table. change : in words.
    changes : whether the function is another for any value, by an oracle that runs all of them.
    refuted : whether the proof says so. confirmed : whether its counterexample was computed by both sides.
    """

    kind: str
    change: str
    changes: bool
    refuted: bool
    confirmed: bool

    @property
    def right(self) -> bool:
        """Whether the proof says what the oracle says, and shows it."""
        return self.changes == self.refuted and (self.confirmed or not self.refuted)
