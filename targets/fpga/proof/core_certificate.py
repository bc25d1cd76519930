"""What the certificates of whole cores have in common: facts of modules, places that take them, hashes of files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from edgeml.proof.certificate import CERTIFICATE
from edgeml.proof.claim import PROVED

from .folded.facts import Fact

__all__ = ["core_certificate", "place_of"]

FORMAT = 1


class _Claim(Protocol):
    @property
    def status(self) -> str: ...


def core_certificate(
    kind: str,
    claim: str,
    core: str,
    network_file: bytes,
    artifacts: Mapping[str, bytes],
    tools: Mapping[str, str],
    *,
    facts: Sequence[Fact],
    places: Mapping[str, Mapping[str, Any]],
    more: Mapping[str, Any],
) -> dict[str, bytes]:
    """The file of a certificate by its name.

    kind : names the checker. claim : what is claimed, in words. core : the path of its file. artifacts : content of all
    that was read, by its path. tools : versions by name. facts : of modules with their parameters. places : as
    `place_of` gives them, and what a kind adds. more : what else a kind says.
    """
    content = {
        "format": FORMAT,
        "kind": kind,
        "claim": claim,
        "network": hashlib.sha256(network_file).hexdigest(),
        "artifacts": {name: hashlib.sha256(data).hexdigest() for name, data in artifacts.items()},
        "core": core,
        "tools": dict(tools),
        "facts": {
            fact.key: {
                "module": fact.module,
                "parameters": fact.parameters,
                "says": fact.says,
                "numbers": fact.numbers,
            }
            for fact in facts
        },
        "places": {name: dict(place) for name, place in places.items()},
        **more,
    }
    return {CERTIFICATE: (json.dumps(content, separators=(",", ":")) + "\n").encode()}


def place_of(facts: Sequence[Fact], claims: Sequence[_Claim], looked_at: int) -> dict[str, Any]:
    """What a certificate says of a place: facts by their keys, and each channel's status."""
    statuses = [claim.status for claim in claims]
    proved = statuses.count(PROVED)
    return {"facts": [fact.key for fact in facts], "channels": statuses, "looked_at": looked_at, "proved": proved}
