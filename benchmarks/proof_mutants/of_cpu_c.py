"""Faults in the C for CPUs: constants, numbers and operators of kernels; proved in LLVM's form of it, body by body.

The oracle builds the same C for this machine and runs it for every input of a small network, in a batch and singly;
where the network's outputs do not show a layer's fault, what the library gave for a counterexample does.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from edgeml.network import Network, simulate
from edgeml.proof.claim import OPEN, REFUTED
from edgeml.system.scratch import ScratchFolder
from edgeml.targets.c import CProgram, generate
from edgeml.targets.c.dense_kernels.rows import RowsKernel
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.proof.bodies import BODIES, Body, module_of
from edgeml.targets.cpu.proof.counterexamples import Counterexamples, runs_here
from edgeml.targets.cpu.proof.followed import Followed
from edgeml.targets.cpu.proof.prover import rows_of

from .judged import Judged
from .networks import mlp

__all__ = ["judge", "outputs", "places"]

_HEADERS = {"quads": "dense_quads.h", "crumbs": "dense_crumbs.h", "triplets": "dense_triplets.h"}
_SHARED = ("levels.h", "input.h", "dense_blocks.h")
_OTHERS = {"+": "-", "-": "+", "&": "|", "|": "&", "<<": ">>", ">>": "<<", "<": "<=", ">=": ">", "+=": "-=", ">": ">="}
_CALLS = {"add": "sub", "sub": "add", "and": "or", "or": "and", "srli": "srai", "srai": "srli", "packs": "packus"}


@cache
def _network(seed: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """A small network, all its inputs, and its outputs for them."""
    network = mlp((4, 4, 2), seed)
    q = np.stack(np.meshgrid(*[np.arange(4)] * 4, indexing="ij"), -1).reshape(-1, 4).astype(np.int32)
    return network, q, simulate(network, q)


def _program(network: Network, kernel: str) -> CProgram:
    kernels = tuple(each for each in CPU_DIALECT.dense_kernels if each.name == kernel)
    return generate(network, replace(CPU_DIALECT, dense_kernels=(*kernels, RowsKernel())))


def places(text: str, constants: bool) -> list[tuple[int, int, str]]:
    """Where there can be a fault: first and last letter, and what stands there then."""
    found = []
    if constants:
        for match in re.finditer(r"= \{([^{}]*)\}", text):
            for number in re.finditer(r"-?\b\d+\b", match[1]):
                start = match.start(1) + number.start()
                value = int(number[0])
                if value:  # most zeros are of what lies behind a tensor
                    found.append((start, start + len(number[0]), str(value - 1 if value > 0 else value + 1)))
        return found
    for match in re.finditer(r" (\+=|<<|>>|>=|\+|-|&|\||<|>) ", text):
        found.append((match.start(1), match.end(1), _OTHERS[match[1]]))
    for match in re.finditer(r"_mm\d+_(\w+?)_(?:epi|si)", text):
        if match[1] in _CALLS:
            found.append((match.start(1), match.end(1), _CALLS[match[1]]))
    for match in re.finditer(r"(?<=[ (*])\d+(?=[,)u; ])", text):
        found.append((match.start(), match.end(), str(int(match[0]) + 1)))
    return found


def _changed(program: CProgram, kernel: str, constants: bool, rng: np.random.Generator) -> tuple[CProgram, str]:
    """C with a fault, and what it was in words."""
    names = [f"{program.layout.name}.c"] if constants else [f"edgeml/{name}" for name in (_HEADERS[kernel], *_SHARED)]
    path = str(rng.choice([name for name in names if name in program.files]))
    text = program.files[path]
    found = places(text, constants)
    start, end, other = found[int(rng.integers(len(found)))]
    line = text[text.rfind("\n", 0, start) + 1 : text.find("\n", end)].strip()
    said = f"{path}: {text[start:end]} → {other} in {line[:80]}"
    return replace(program, files={**program.files, path: text[:start] + other + text[end:]}), said


def outputs(program: CProgram, body: Body, q: np.ndarray, outputs: int) -> np.ndarray | None:
    """What the C gives on this machine, as a batch, then singly; None where it is no program."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("no C compiler is installed")
    name = program.layout.name
    rows = ", ".join(map(str, q.ravel().tolist()))
    main = f"""#include <stdio.h>
#include "{name}.h"
static const uint8_t all[] = {{{rows}}};
static _Alignas(64) uint8_t arena[{name.upper()}_BATCH_ARENA_BYTES];
static int32_t y[{2 * len(q) * outputs}];
int main(void)
{{
    {name}_invoke_batch(all, {len(q)}, y, NULL, arena);
    for (size_t s = 0; s < {len(q)}u; s++) {{
        (void){name}_invoke(all + s * {q.shape[1]}u, y + ({len(q)}u + s) * {outputs}u, arena);
    }}
    for (size_t c = 0; c < sizeof y / sizeof *y; c++) printf("%ld\\n", (long)y[c]);
    return 0;
}}
"""
    with ScratchFolder("mutant") as folder:
        for path, content in {**program.files, "main.c": main}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
        command = [compiler, "-std=c11", "-O1", "-w", *body.native, "-o", "program", f"{name}.c", "main.c"]
        built = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
        if built.returncode:
            return None
        run = [str(Path(folder) / "program")]
        try:
            ran = subprocess.run(run, capture_output=True, timeout=20, check=False, text=True)
        except subprocess.TimeoutExpired:
            return np.zeros(0)
    return np.zeros(0) if ran.returncode else np.array(ran.stdout.split(), np.int64)


def judge(seed: int) -> Judged:
    """A fault of C for CPUs, judged by the prover of a body that this machine has."""
    network, q, y = _network(seed % 3)
    rng = np.random.default_rng(seed)
    body = BODIES[str(rng.choice([name for name, each in BODIES.items() if name != "neon" and not runs_here(each)]))]
    kernel = str(rng.choice(list(_HEADERS)))
    program = _program(network, kernel)
    sound = module_of(program, body)
    constants = rng.random() < 0.25
    kind = "constants of C (x86-64)" if constants else "kernels of C (x86-64)"
    while True:
        changed, said = _changed(program, kernel, constants, rng)
        found = outputs(changed, body, q, network.output_size)
        if found is not None and (module := module_of(changed, body)) != sound:
            break  # neither no program, nor a fault of another body
    changes = not np.array_equal(found, np.concatenate([y.ravel(), y.ravel()]))
    followed = Followed(module, changed, q[np.arange(9) * 28])
    followed.run(lambda what: None, 60)
    rows = rows_of(followed, Counterexamples(followed, changed, replace(body, native=(*body.native, "-w"))))
    refuted = [row for row in rows if row.status == REFUTED]
    left = any(row.status != REFUTED and row.claims > row.proved for row in rows) or any(
        row.status == OPEN for row in rows
    )
    shown = bool(refuted) and all("in the library" in row.detail for row in refuted)
    return Judged(kind, f"{body.title}, {kernel}, {said}", changes or shown, bool(refuted), shown, left and not refuted)
