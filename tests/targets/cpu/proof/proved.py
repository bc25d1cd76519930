"""C for CPUs that is followed for all inputs, sound or with a seeded fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from edgeml.network import Network
from edgeml.proof.findings import Row
from edgeml.targets.c import CProgram, generate
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.proof.bodies import BODIES, module_of
from edgeml.targets.cpu.proof.counterexamples import Counterexamples
from edgeml.targets.cpu.proof.followed import Followed
from edgeml.targets.cpu.proof.prover import rows_of

__all__ = ["follow", "program_of", "rows"]


def program_of(network: Network, kernel: str = "", faults: Mapping[str, str] | None = None) -> CProgram:
    """With one kernel wherever it applies, or those that the dialect takes. Every text in the C that is a key of
    `faults` becomes the value; each must be there once in all files together."""
    dialect = CPU_DIALECT
    if kernel:
        kernels = tuple(each for each in dialect.dense_kernels if each.name == kernel)
        dialect = replace(dialect, dense_kernels=(*kernels, RowsKernel()))
    program = generate(network, dialect)
    files = dict(program.files)
    for old, new in (faults or {}).items():
        (path,) = (path for path, text in files.items() if old in text and not path.endswith("LICENSE"))
        assert files[path].count(old) == 1, (old, files[path].count(old))
        files[path] = files[path].replace(old, new)
    return replace(program, files=files)


def follow(program: CProgram, body: str) -> Followed:
    """Followed with samples drawn from the input's range."""
    network = program.layout.network
    shape = (program.layout.tile + 1, network.input_size)
    q = np.random.default_rng(0).integers(network.quantizer.low, network.quantizer.high + 1, shape)
    followed = Followed(module_of(program, BODIES[body]), program, q.astype(np.int32))
    followed.run(lambda what: None, 600)
    return followed


def rows(network: Network, body: str, kernel: str = "", faults: Mapping[str, str] | None = None) -> dict[str, Row]:
    """What the prover says, by part."""
    program = program_of(network, kernel, faults)
    followed = follow(program, body)
    return {row.part: row for row in rows_of(followed, Counterexamples(followed, program, BODIES[body]))}
