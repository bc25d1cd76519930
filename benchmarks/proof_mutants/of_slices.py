"""Faults in C that computes a bit of each of many samples in a word: functions, tests, rows to columns, sums.

The oracle builds the same C for this machine and runs it for every input of a small network, in batches and singly.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np

from edgeml.network import Dense, Encode, InputQuantizer, Logic, Network, Node, Output, simulate
from edgeml.network.layers.encode import BIT, EQUAL, LEVEL
from edgeml.proof.claim import OPEN, REFUTED
from edgeml.targets.c import CProgram, generate
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.proof.bodies import BODIES, module_of
from edgeml.targets.cpu.proof.counterexamples import Counterexamples, runs_here
from edgeml.targets.cpu.proof.prover import rows_of
from edgeml.targets.cpu.proof.sliced.followed import FollowedSlices

from .judged import Judged
from .of_cpu_c import outputs, places

__all__ = ["judge"]

_PLACES = ("functions", "slices.h", "slice_tests.h", "slice_sums.h")
_INPUTS = 4


@cache
def _network(seed: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """A small network, all its inputs, and its outputs for them."""
    rng = np.random.default_rng(seed)
    rule = rng.choice([BIT, LEVEL, EQUAL], 12)
    operand = np.where(rule == BIT, rng.integers(0, 2, 12), rng.integers(1, 4, 12))
    network = Network(
        "slices",
        (
            Node("input", InputQuantizer(_INPUTS, np.ones(1), np.zeros(1), 0, 2, False)),
            Node("bits", Encode(rng.permutation(np.arange(12) % _INPUTS), rule, operand, _INPUTS), ("input",)),
            Node("logic0", Logic(rng.integers(0, 12, (14, 4)), rng.integers(0, 2, (14, 16)), 12), ("bits",)),
            Node("logic1", Logic(rng.integers(0, 14, (12, 4)), rng.integers(0, 2, (12, 16)), 14), ("logic0",)),
            Node("out", Dense(rng.integers(-2, 2, (3, 12)), 2, rng.integers(-4, 5, 3)), ("logic1",)),
        ),
        Output(np.ones(1)),
    )
    q = np.stack(np.meshgrid(*[np.arange(4)] * _INPUTS, indexing="ij"), -1).reshape(-1, _INPUTS).astype(np.int32)
    q = np.concatenate([q, q[::-1], q[:97]])  # each input at two places of a block, and of one that is not full
    return network, q, simulate(network, q)


def _changed(program: CProgram, place: str, rng: np.random.Generator) -> tuple[CProgram, str]:
    """C with a fault, and what it was in words."""
    (path,) = (path for path in program.files if path.endswith("_planes.h" if place == "functions" else f"/{place}"))
    text = program.files[path]
    found = places(text, False)
    if place == "functions":  # what a plane is made of, or which of its functions
        found = []
        for match in re.finditer(r"EDGEML_PLANE\(\d+, (-?\d+)\)", text):
            found.append((match.start(1), match.end(1), str(int(match[1]) + int(rng.choice([-1, 1])))))
        for match in re.finditer(r"EDGEML_(?:F|PAIR)\((\w\w), ", text):
            codes = sorted(set(re.findall(rf"EDGEML_{match[0][7:-5]}\((\w\w), ", text)) - {match[1]})
            if codes:
                found.append((match.start(1), match.end(1), str(rng.choice(codes))))
    start, end, other = found[int(rng.integers(len(found)))]
    line = text[text.rfind("\n", 0, start) + 1 : text.find("\n", end)].strip()
    said = f"{path}: {text[start:end]} → {other} in {line[:80]}"
    return replace(program, files={**program.files, path: text[:start] + other + text[end:]}), said


def judge(seed: int) -> Judged:
    """A fault of C of many samples at once, judged by the prover of a body that this machine has."""
    network, q, y = _network(seed % 3)
    rng = np.random.default_rng(seed)
    body = BODIES[str(rng.choice([name for name, each in BODIES.items() if name != "neon" and not runs_here(each)]))]
    program = generate(network, CPU_DIALECT)
    sound, place = module_of(program, body), _PLACES[seed % len(_PLACES)]
    while True:
        changed, said = _changed(program, place, rng)
        found = outputs(changed, body, q, network.output_size)
        if found is not None and (module := module_of(changed, body)) != sound:
            break  # neither no program, nor a fault of another body
    changes = not np.array_equal(found, np.concatenate([y.ravel(), y.ravel()]))
    followed = FollowedSlices(module, changed, q[np.arange(513) % len(q)], counts=(5,))
    followed.run(lambda what: None, 120)
    rows = rows_of(followed, Counterexamples(followed, changed, replace(body, native=(*body.native, "-w"))))
    refuted = [row for row in rows if row.status == REFUTED]
    left = any(row.status != REFUTED and row.claims > row.proved for row in rows) or any(
        row.status == OPEN for row in rows
    )
    shown = bool(refuted) and all("in the library" in row.detail for row in refuted)
    title = f"{body.title}, {said}"
    return Judged("slices of C (x86-64)", title, changes or shown, bool(refuted), shown, left and not refuted)
