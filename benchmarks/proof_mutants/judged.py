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
    refuted : whether the proof says so. confirmed : whether its counterexample was computed or simulated on both sides.
    left : whether the proof says neither: something is not proved, and nothing refutes it.
    """

    kind: str
    change: str
    changes: bool
    refuted: bool
    confirmed: bool
    left: bool = False

    @property
    def right(self) -> bool:
        """Whether no function that changes is proved, none that does not is refuted, and what is refuted is shown."""
        if self.refuted:
            return self.changes and self.confirmed
        return self.left or not self.changes
