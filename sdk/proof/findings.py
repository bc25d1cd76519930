"""What a prover gives: rows for people, and the files of a certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Findings", "Row"]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    part : what it is about. status : one of `claim.STATUSES`. claims : how many statements it stands for. proved : how
        many of them are. method : how. seconds : processor time. detail : why not, or what refutes it. prover : who
        says so; set where rows of several provers come together.
    """

    part: str
    status: str
    claims: int = 0
    proved: int = 0
    method: str = ""
    seconds: float = 0.0
    detail: str = ""
    prover: str = ""

    def as_json(self) -> dict[str, Any]:
        """The row as JSON-able fields."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Findings:
    """What a prover gives. certificate : files by name, below the folder of the prover."""

    rows: Sequence[Row]
    certificate: Mapping[str, bytes] = field(default_factory=dict)
