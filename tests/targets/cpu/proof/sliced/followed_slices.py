"""Networks of Boolean functions whose C is followed bit by bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgeml.network import Network
from edgeml.targets.c import CProgram, generate
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.proof.bodies import BODIES, module_of
from edgeml.targets.cpu.proof.sliced.followed import FollowedSlices
from tests.targets.logic_networks import logic_inputs

__all__ = ["follow", "program_of"]


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
