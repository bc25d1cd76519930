"""What verification found of one executor."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["STATUSES", "Verdict"]

STATUSES = ("exact", "mismatch", "unavailable", "error")


@dataclass(frozen=True)
class Verdict:
    """What verification found of one executor.

    Parameters
    ----------
    name : the executor.
    status : `exact` (every compared integer equal), `mismatch`, `unavailable` (cannot run here, or would take
        longer than its budget; `detail` says what to do), or `error` (it failed; `detail` says how, and what to do).
    vectors : test vectors run.
    mismatches : vectors with at least one integer that differs, at the output or at a layer.
    layers : how many layers were compared (the output counts as one).
    first_mismatch : {"vector", "layer", "index", "expected", "found"}, or None.
    detail : one line: the tool and its version, or the reason.
    ran : what the executor runs, in words; empty where it does not say.
    of_target : whether that is the target's own artifact, on the target or a model of it.
    question : what was asked: whether the integers are golden's, or whether a receiver who has the artifact alone gets
        the bundle's real numbers from it (see `reception`).
    artifact_wrong : with status `error`: the executor found the artifact itself wrong. If False, a tool failed, and
        nothing is known of the artifact.
    """

    name: str
    status: str
    vectors: int = 0
    mismatches: int = 0
    layers: int = 0
    first_mismatch: dict[str, Any] | None = None
    detail: str = ""
    ran: str = ""
    of_target: bool = False
    artifact_wrong: bool = False
    question: str = "integers"

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON-able fields."""
        return asdict(self)

    @property
    def refutes(self) -> bool:
        """Whether this says that an artifact is wrong, so that it must not be used."""
        return self.status == "mismatch" or self.artifact_wrong
