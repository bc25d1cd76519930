"""Faults in generated C: constants, numbers in calls, operators of kernels; proved in machine code that is built of it.

The oracle builds the same C for this machine and runs it for every input of a small network; where the network's
outputs do not show a layer's fault, what the emulated core gave for a counterexample does.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from edgeml.errors import CheckFailed
from edgeml.network import Network, simulate
from edgeml.proof.claim import OPEN, REFUTED
from edgeml.system.scratch import ScratchFolder
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import Firmware, firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.proof.followed import Followed
from edgeml.targets.mcu.proof.prover import faulting, rows_of

from .judged import Judged
from .networks import mlp

__all__ = ["judge", "outputs"]

_CORE = "rv32"
_KERNELS = ("dense_lanes.h", "threshold_rows.h", "begin.h", "input.h")
_OTHERS = {"+": "-", "-": "+", "&": "|", "|": "&", "<<": ">>", ">>": "<<", "<": "<=", ">=": ">", "+=": "-=", "!=": "=="}


@cache
def _network(seed: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """A small network, all its inputs, and its outputs for them."""
    network = mlp((4, 4, 2), seed)
    q = np.stack(np.meshgrid(*[np.arange(4)] * 4, indexing="ij"), -1).reshape(-1, 4).astype(np.int32)
    return network, q, simulate(network, q)


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else content.decode()


def _changed(firmware: Firmware, name: str, seed: int) -> tuple[Firmware, str]:
    """Firmware with a fault, and what it was in words."""
    rng = np.random.default_rng(seed)
    files = {path: _text(content) for path, content in firmware.files.items() if path.endswith((".c", ".h"))}
    where = str(rng.choice(["constants", "constants", "calls", "kernel", "kernel"]))
    places: list[tuple[int, int, str]] = []
    if where == "constants":
        path = f"src/{name}_constants.c"
        for match in re.finditer(r"\{([^{}]*)\}", files[path]):
            for number in re.finditer(r"0x([0-9A-Fa-f]+)|-?\b\d+\b", match[1]):
                start, end = match.start(1) + number.start(), match.start(1) + number.end()
                other = (
                    f"0x{int(number[1], 16) ^ (1 << int(rng.integers(8))):08X}"
                    if number[1]
                    else str(int(number[0]) + 1)
                )
                places.append((start, end, other))
    elif where == "calls":
        path = f"src/{name}.c"
        layers = re.compile(r"\n        edgeml_\w+\(.*?\);", re.S)
        for match in layers.finditer(files[path]):
            for number in re.finditer(r"(?<=[ (])\d+(?=[,)u])", match[0]):
                start = match.start() + number.start()
                places.append((start, start + len(number[0]), str(int(number[0]) + 1)))
    else:
        path = f"src/edgeml/{rng.choice(_KERNELS)}"
        called = set(re.findall(r"\bedgeml_\w+", files[f"src/{name}.c"]))
        for body in re.finditer(r"\b(edgeml_\w+)\([^;{}]*\)\s*\{.*?\n\}", files[path], re.S):
            for match in re.finditer(r" (\+=|<<|>>|>=|!=|\+|-|&|\||<) ", body[0] if body[1] in called else ""):
                start, end = body.start() + match.start(1), body.start() + match.end(1)
                places.append((start, end, _OTHERS[match[1]]))
    if not places:  # a kernel that the network does not call
        return _changed(firmware, name, seed + 10_000)
    start, end, other = places[int(rng.integers(len(places)))]
    text = files[path]
    line = text[text.rfind("\n", 0, start) + 1 : text.find("\n", end)].strip()
    said = f"{path}: {text[start:end]} → {other} in {line[:80]}"
    changed = text[:start] + other + text[end:]
    return replace(firmware, files={**firmware.files, path: changed}), said


def outputs(files: Mapping[str, str | bytes], name: str, q: np.ndarray, outputs: int) -> np.ndarray | None:
    """What the C gives on this machine; None where it is no program, or ends with a fault."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("no C compiler is installed")
    rows = ", ".join("{" + ", ".join(map(str, row)) + "}" for row in q.tolist())
    large = name.upper()
    main = f"""#include <stdio.h>
#include "{name}.h"
static const uint8_t all[][{q.shape[1]}] = {{{rows}}};
static uint32_t arena[{large}_ARENA_BYTES / 4 + 4096];
int main(void)
{{
    for (size_t s = 0; s < sizeof all / sizeof *all; s++) {{
        int32_t y[{outputs}] = {{0}};
        {name}_invoke(all[s], y, arena);
        for (size_t c = 0; c < {outputs}u; c++) printf("%ld\\n", (long)y[c]);
    }}
    return 0;
}}
"""
    with ScratchFolder("mutant") as folder:
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(_text(content), encoding="utf-8")
        (folder / "main.c").write_text(main, encoding="utf-8")
        sources = [f"src/{name}.c", f"src/{name}_constants.c", "main.c"]
        command = [compiler, "-std=c99", "-O1", "-w", "-Iinclude", "-Isrc", "-o", "program", *sources]
        built = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
        if built.returncode:
            return None
        try:
            ran = subprocess.run(
                [str(Path(folder) / "program")], capture_output=True, timeout=20, check=False, text=True
            )
        except subprocess.TimeoutExpired:
            return np.zeros(0)
    if ran.returncode:
        return np.zeros(0)
    return np.array(ran.stdout.split(), np.int64)


def judge(seed: int) -> Judged:
    """A fault of generated C, judged by the prover `machine_code`."""
    network, q, y = _network(seed % 3)
    firmware = firmware_files(network, core(_CORE), {})
    while True:
        changed, said = _changed(firmware, network.name, seed)
        found = outputs(changed.files, network.name, q, network.output_size)
        if found is not None:
            break
        seed += 30_000  # no program
    changes = not np.array_equal(found, y.ravel())
    kind = "constants of C" if "_constants.c" in said else "generated C" if "edgeml/" not in said else "kernels of C"
    emulator = Emulator(core(_CORE), library_image(changed, core(_CORE), optimize="-O2"))
    try:
        followed = Followed(emulator, changed.program, q[100])
        followed.run(lambda what: None, 120)
        rows = rows_of(followed)
    except CheckFailed as error:  # what the emulator cannot run to its end
        rows = [faulting(error)]
    refuted = [row for row in rows if row.status == REFUTED]
    left = any(row.status == OPEN for row in rows)
    shown = bool(refuted) and all("in the emulator" in row.detail for row in refuted)
    return Judged(kind, said, changes or shown, bool(refuted), shown, left and not refuted)
