"""Bundles: a zip file of a bundle's files, laid out as a folder."""

from __future__ import annotations

import contextlib
import io
import json
import random
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from .. import mutators
from .networks import small
from .reader import Reader


def _bundle_seeds() -> list[bytes]:
    import edgeml
    from edgeml.network import network_file as file

    seeds = []
    for target, to in (("host", "quantized"),):
        with tempfile.TemporaryDirectory() as folder:
            file.write(small(), Path(folder) / "small.edgeml")
            bundle = edgeml.convert(Path(folder) / "small.edgeml", to=to, target=target, output=Path(folder) / "out")
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w") as archive:
                for name in ("bundle.json", *bundle.manifest["files"]):
                    archive.write(bundle.folder / name, name)
            seeds.append(stream.getvalue())
    return seeds


def _damaged_bundle(content: bytes, chance: random.Random) -> bytes:
    def change(name: str, inner: bytes, chance: random.Random) -> bytes:
        if name.endswith(".json"):
            return mutators.json_text(inner, chance)
        if name.endswith(".npy"):
            return mutators.npy(inner, chance)
        if name.endswith(".edgeml"):
            return mutators.safetensors(inner, chance)
        return mutators.bytes_of(inner, chance)

    with zipfile.ZipFile(io.BytesIO(content)) as source:
        likely = [name for name in source.namelist() if name.endswith((".json", ".npy", ".edgeml"))]
        members = {name: source.read(name) for name in source.namelist()}
    name = chance.choice(likely)
    members[name] = change(name, members[name], chance)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, inner in members.items():
            archive.writestr(name, inner)
    return stream.getvalue()


def _read_bundle(path: Path) -> Any:
    """Laid out and, but for what changed in the manifest itself, sealed again, so that hashes agree."""
    import hashlib

    import edgeml
    from edgeml.errors import EdgemlError
    from edgeml.inspection import describe_network
    from edgeml.network import network_file

    folder = path.parent / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    except Exception:
        return None  # damage of this container, which is not edgeml's
    try:
        manifest = json.loads((folder / "bundle.json").read_text("utf-8"))
        for name, entry in manifest["files"].items():
            inner = (folder / name).read_bytes()
            entry |= {"bytes": len(inner), "sha256": hashlib.sha256(inner).hexdigest()}
        with contextlib.suppress(EdgemlError):
            manifest["model_hash"] = network_file.model_hash(network_file.read(folder / "network.edgeml"))
        (folder / "bundle.json").write_text(json.dumps(manifest), "utf-8")
    except (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError):
        pass
    bundle = edgeml.load(folder)
    q, _ = bundle.golden()
    bundle.run(q[:2])
    describe_network(bundle.network)
    return bundle


READERS: dict[str, Reader] = {
    "bundle": Reader("zip", _bundle_seeds, _damaged_bundle, _read_bundle),
}
