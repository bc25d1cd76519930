"""Networks with the certificate of their claims in a folder, as they lie in a bundle, and changed certificates."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeml.bundle import Bundle, load, seal
from edgeml.errors import EdgemlError
from edgeml.network import Network, network_file, simulate
from edgeml.profile import load_profile
from edgeml.proof.network.prover import network_claims
from edgeml.proof.place_claims import PlaceClaims, statement_certificate

__all__ = ["bundle_of", "certified", "refused", "said"]

Change = Callable[[dict[str, Any]], None]


def certified(network: Network, folder: Path, places: list[PlaceClaims] | None = None) -> Path:
    """A folder with a network and the certificate of the prover `network`."""
    (folder / "proof" / "network").mkdir(parents=True)
    network_file.write(network, folder / "network.edgeml")
    content = (folder / "network.edgeml").read_bytes()
    files = statement_certificate("network", content, network_claims(network) if places is None else places)
    for name, data in files.items():
        (folder / "proof" / "network" / name).write_bytes(data)
    return folder


def said(path: list[Any], value: Any) -> Change:
    """A change that puts a value at a path; a function is applied to what stands there."""

    def change(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value(content[path[-1]]) if callable(value) else value

    return change


def refused(path: Path, change: Change, check: Callable[[], object]) -> None:
    """Hold that a certificate is followed as it is, and refused as changed."""
    sound = path.read_text()
    content = copy.deepcopy(json.loads(sound))
    change(content)
    assert content != json.loads(sound)
    try:
        path.write_text(json.dumps(content))
        with pytest.raises(EdgemlError):
            check()
    finally:
        path.write_text(sound)
    check()


def bundle_of(
    network: Network, folder: Path, form: str, files: dict[str, bytes] | None = None, *, target: str = "host"
) -> Bundle:
    """A bundle with a network, its vectors, and further files as a conversion would have left them."""
    (folder / "golden").mkdir(parents=True)
    network_file.write(network, folder / "network.edgeml")
    rng = np.random.default_rng(0)
    quantizer = network.quantizer
    q = rng.integers(quantizer.low, quantizer.high, (64, network.input_size), endpoint=True).astype(np.int32)
    np.save(folder / "golden" / "inputs.npy", q)
    np.save(folder / "golden" / "outputs.npy", simulate(network, q))
    for name, content in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    profile = load_profile(target)
    about = {"name": target, "kind": profile.kind, "description": "", "values": dict(profile.values)}
    seal(folder, {"name": network.name, "form": form, "target": about, "metrics": {}, "notes": [], "verification": []})
    return load(folder)
