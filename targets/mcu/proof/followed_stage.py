"""What following a stage of firmware gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeml.proof.words.claims import Claim
from edgeml.proof.words.dataflow import Operand

from .memory import OutsideObject

if TYPE_CHECKING:
    from edgeml.targets.c.arena import Stage

__all__ = ["FollowedStage"]


@dataclass
class FollowedStage:
    """What was found of a stage.

    Parameters
    ----------
    stage : None for what runs around the stages. claims : of each channel of its output. padding : the word that must
        be zero behind it. instructions, accesses, forks : executed; bytes or words read and written; branches both of
        whose ways were run. stopped : why it could not be followed to its end. outside : the access that stopped it.
        kept : it was followed at another time.
    """

    name: str
    stage: Stage | None
    claims: list[Claim] = field(default_factory=list)
    padding: list[Operand] = field(default_factory=list)
    instructions: int = 0
    accesses: int = 0
    forks: int = 0
    seconds: float = 0.0
    stopped: str = ""
    outside: OutsideObject | None = None
    kept: bool = False

    def add(self, before: tuple[int, int, int, float], after: tuple[int, int, int, float]) -> None:
        """Count what was followed between two readings of instructions, accesses, forks and processor seconds."""
        self.instructions += after[0] - before[0]
        self.accesses += after[1] - before[1]
        self.forks += after[2] - before[2]
        self.seconds += after[3] - before[3]
