"""Networks of Boolean functions whose C is followed bit by bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from edgeml.network import Network, network_file
from edgeml.targets.c import CProgram, generate
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.proof.bodies import BODIES, module_of
from edgeml.targets.cpu.proof.sliced.certificate import slices_certificate
from edgeml.targets.cpu.proof.sliced.followed import FollowedSlices
from tests.targets.logic_networks import logic_inputs

__all__ = ["PLACE", "files_of", "follow", "program_of"]

PLACE = "c-avx512"
"""The prover whose certificates `files_of` writes."""


def program_of(network: Network, faults: Mapping[str, str] | None = None) -> CProgram:
    """Its C. Every text in it that is a key of `faults` becomes the value; each must be there once in all files."""
    program = generate(network, CPU_DIALECT)
    files = dict(program.files)
    for old, new in (faults or {}).items():
        (path,) = (path for path, text in files.items() if old in text and not path.endswith("LICENSE"))
        assert files[path].count(old) == 1, (old, files[path].count(old))
        files[path] = files[path].replace(old, new)
    return replace(program, files=files)


def follow(program: CProgram, body: str, samples: int, counts: Sequence[int] = ()) -> FollowedSlices:
    """Followed in a call for so many samples, and for each of `counts`."""
    q = logic_inputs(program.layout.network, 0, samples)
    followed = FollowedSlices(module_of(program, BODIES[body]), program, q, counts=counts)
    followed.run(lambda what: None, 600)
    return followed


def files_of(followed: FollowedSlices, folder: Path) -> Path:
    """The files that the checker reads."""
    folder.mkdir(exist_ok=True)
    network_file.write(followed.network, folder / "network.edgeml")
    files = followed.program.files
    artifacts = {f"c/{path}": text.encode() for path, text in files.items() if path.endswith((".c", ".h"))}
    network_bytes = (folder / "network.edgeml").read_bytes()
    found = slices_certificate(followed, network_bytes, artifacts, f"proof/{PLACE}")
    for path, content in {**artifacts, **{f"proof/{PLACE}/{name}": data for name, data in found.items()}}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder
