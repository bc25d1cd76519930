"""What checkers share: a certificate is read, and is of this network, these files and no others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import CheckFailed
from ...network import Network, network_file
from ...system.regular_file import read_regular
from .about import network_of
from .soundness import UNSOUND, Claims, integer, integers, need

__all__ = ["UNSOUND", "Claims", "check_file", "check_statements", "integer", "integers", "need"]

_LARGEST = 2**28


def check_file(
    folder: Path,
    prover: str,
    kind: str,
    follow: Callable[[Network, dict[str, bytes], dict[str, Any]], dict[str, tuple[int, int]]],
) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER/certificate.json` of a bundle: it is of this kind, this network, and these files.

    follow : is given the network, the files that the certificate names by their paths in the bundle, and its content.
    Raises CheckFailed naming what does not follow, InputError where a file cannot be read.
    """
    content = read_regular(folder / f"proof/{prover}/certificate.json", _LARGEST)
    try:
        network = network_of(folder, kind)
        certificate = json.loads(content)
        need((certificate["format"], certificate["kind"]) == (1, kind), "format", f"is not 1, of {kind}")
        need(certificate["network"] == hashlib.sha256(network).hexdigest(), "network", "is another")
        files = {}
        for name, digest in certificate["artifacts"].items():
            need(".." not in Path(name).parts and not Path(name).is_absolute(), "artifact", "lies elsewhere")
            files[name] = read_regular(folder / name, _LARGEST)
            need(digest == hashlib.sha256(files[name]).hexdigest(), name, "is another")
        return follow(network_file.from_bytes(network), files, certificate)
    except UNSOUND as error:
        raise CheckFailed("certificate", f"is not sound ({type(error).__name__}: {str(error)[:200]})") from error


def check_statements(
    folder: Path,
    prover: str,
    kind: str,
    places: Callable[[Network, dict[str, bytes], dict[str, Claims]], dict[str, int]],
) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and how many are proved.

    places : follows the claims of a network, beside further files of the bundle by their paths, place by place, and
    gives the number of claims that each place must have: `proved` is believed of none that it did not look at. Raises
    as `check_file`.
    """

    def follow(network: Network, files: dict[str, bytes], certificate: dict[str, Any]) -> dict[str, tuple[int, int]]:
        claims = {name: [dict(claim) for claim in said["claims"]] for name, said in certificate["places"].items()}
        wanted = places(network, files, claims)
        need(set(wanted) == set(claims), "places", f"are {', '.join(sorted(claims))[:200]}")
        for name, count in wanted.items():
            need(len(claims[name]) == count, name, f"has {len(claims[name])} claims, not {count}")
        proved = {name: sum(claim["status"] == "proved" for claim in claims[name]) for name in wanted}
        return {name: (count, proved[name]) for name, count in wanted.items()}

    return check_file(folder, prover, kind, follow)
