"""Faults in generated C of layers at positions, maxima, concatenations and products: numbers, operators and names in
their own loops; proved in machine code for RV32 that is built of it.

The oracle is that of `of_c`: the C built for this machine, run for every input.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import numpy as np

from edgeml.errors import CheckFailed, ToolFailed
from edgeml.network import Network, simulate
from edgeml.proof.claim import OPEN, REFUTED
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import Firmware, firmware_files
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.proof.followed import Followed
from edgeml.targets.mcu.proof.prover import faulting, rows_of
from tests.targets.joined_networks import every_kind

from .judged import Judged
from .of_c import outputs

__all__ = ["judge"]

_CORE, _NEXT = "rv32", 30_000
_LAYERS = ("convolution", "pool", "product", "both")
_OTHERS = {"+": "-", "*": "+", ">": "<", "<": "<=", "&": "|", ">>": "<<"}


@cache
def _network(seed: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """A network, all its inputs, and its outputs for them."""
    network = every_kind(seed)
    q = np.stack(np.meshgrid(*[np.arange(4)] * 4, indexing="ij"), -1).reshape(-1, 4).astype(np.int32)
    return network, q, simulate(network, q)


def _changed(firmware: Firmware, name: str, seed: int) -> tuple[Firmware, str]:
    """Firmware with a fault, and what it was in words."""
    rng = np.random.default_rng(seed)
    path, layer = f"src/{name}.c", str(rng.choice(_LAYERS))
    text = str(firmware.files[path])
    (body,) = re.finditer(rf"\n[^\n]* {name}_layer_{layer}\([^;{{}}]*\)\n\{{.*?\n\}}", text, re.S)
    first = body[0].index("{")
    places: list[tuple[int, int, str]] = []
    for number in re.finditer(r"(?<![\w.])\d+(?=u?\b)", body[0][first:]):
        places.append((number.start(), number.end(), str(int(number[0]) + int(rng.choice([-1, 1])))))
    for operator in re.finditer(r"(?<= )(\+|\*|>>|>|<|&)(?= )", body[0][first:]):
        places.append((operator.start(), operator.end(), _OTHERS[operator[0]]))
    for tensor in re.finditer(r"\bx1?\b(?=\[)", body[0][first:]):
        if layer in ("product", "both"):
            places.append((tensor.start(), tensor.end(), "x1" if tensor[0] == "x" else "x"))
    start, end, other = places[int(rng.integers(len(places)))]
    start, end = start + body.start() + first, end + body.start() + first
    line = text[text.rfind("\n", 0, start) + 1 : text.find("\n", end)].strip()
    changed = text[:start] + other + text[end:]
    return replace(firmware, files={**firmware.files, path: changed}), f"{text[start:end]} → {other} in {line[:90]}"


def judge(seed: int) -> Judged:
    """A fault of these loops, judged by the prover `machine_code`."""
    network, q, y = _network(seed % 3)
    firmware = firmware_files(network, core(_CORE), {})
    while True:
        changed, said = _changed(firmware, network.name, seed)
        found = outputs(changed.files, network.name, q, network.output_size)
        try:
            image = library_image(changed, core(_CORE), optimize="-O2")
        except ToolFailed:
            found = None
        if found is not None:
            break
        seed += _NEXT  # no program
    changes = not np.array_equal(found, y.ravel())
    emulator = Emulator(core(_CORE), image)
    try:
        followed = Followed(emulator, changed.program, q[100])
        followed.run(lambda what: None, 120)
        rows = rows_of(followed)
    except CheckFailed as error:  # what the emulator cannot run to its end
        rows = [faulting(error)]
    refuted = [row for row in rows if row.status == REFUTED]
    left = any(row.status == OPEN for row in rows)
    shown = bool(refuted) and all("in the emulator" in row.detail for row in refuted)
    return Judged(
        "positions, maxima, products in C (RV32)", said, changes or shown, bool(refuted), shown, left and not refuted
    )
