"""Claims of one place that no circuit is needed for: as a row, and in a certificate whose kind names its checker."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..version import __version__
from .certificate import CERTIFICATE
from .claim import PROVED, worst_status
from .findings import Row

__all__ = ["PlaceClaims", "statement_certificate"]

FORMAT = 1


@dataclass(frozen=True, eq=False)
class PlaceClaims:
    """What was found of one place.

    Parameters
    ----------
    place : its name, unique in a certificate. statement : what each claim says, in words and as a formula.
    method : how it was proved. claims : each with its `status` (one of `claim.STATUSES`), and what else its checker
        needs; a `counterexample` in words where it is refuted, a `detail` where it is not proved.
    seconds : processor time.
    """

    place: str
    statement: str
    method: str
    claims: Sequence[Mapping[str, Any]]
    seconds: float = 0.0

    def row(self) -> Row:
        """The line of the table, the worst status first."""
        found = [str(claim["status"]) for claim in self.claims]
        status = worst_status(found)
        detail = ""
        if status != PROVED and found:
            number = found.index(status)
            claim = self.claims[number]
            said = "; ".join(filter(None, (str(claim.get("counterexample", "")), str(claim.get("detail", "")))))
            detail = f"{self.place}[{number}]: {said}" if said else ""
        return Row(self.place, status, len(found), found.count(PROVED), self.method, round(self.seconds, 3), detail)

    def as_json(self) -> dict[str, Any]:
        """For the certificate."""
        return {"statement": self.statement, "method": self.method, "claims": [dict(claim) for claim in self.claims]}


def statement_certificate(
    kind: str,
    network_file: bytes,
    places: Sequence[PlaceClaims],
    artifacts: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """The file of a certificate by its name.

    kind : names the checker, `checkers/KIND.py`. artifacts : content of the files that the claims are about beside the
    network, by their paths in the bundle.
    """
    content = {
        "format": FORMAT,
        "kind": kind,
        "network": hashlib.sha256(network_file).hexdigest(),
        "artifacts": {name: hashlib.sha256(data).hexdigest() for name, data in (artifacts or {}).items()},
        "tools": {"edgeml": __version__, "numpy": np.__version__},
        "places": {each.place: each.as_json() for each in places},
    }
    return {CERTIFICATE: (json.dumps(content, separators=(",", ":")) + "\n").encode()}
