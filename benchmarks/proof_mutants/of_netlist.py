"""Faults in cells of a synthesized pipeline: a bit of a table turned, two wires of a cell swapped, another wire taken.

The oracle computes the cells by meanings of its own for every input of a small network, and holds `out_data` against
the golden simulator. A fault that yields no circuit (signals of different clocks, feedback) is no mutant: the next seed
is taken.
"""

from __future__ import annotations

import copy
import random
from functools import cache
from typing import Any

import numpy as np

from edgeml.errors import CheckFailed
from edgeml.network import simulate
from edgeml.proof.circuit import Circuit
from edgeml.proof.claim import PROVED, REFUTED
from edgeml.targets.fpga.architectures.unrolled.pipelining import Pipelining
from edgeml.targets.fpga.budget import FAMILIES
from edgeml.targets.fpga.design import Design, build
from edgeml.targets.fpga.proof.netlist_prover import compared, module_of, row_of
from edgeml.targets.fpga.proof.part_cells import in_tables
from edgeml.targets.fpga.proof.yosys_reader import circuit_of, read_module

from .judged import Judged
from .networks import mlp

__all__ = ["judge"]

_NEXT = 30_000
_TABLES = {"LUT4": ("INIT",), "CCU2C": ("INIT0", "INIT1"), "SB_LUT4": ("LUT_INIT",)}
_PINS = {"LUT4": "A B C D", "CCU2C": "A0 B0 C0 D0 A1 B1 C1 D1", "SB_LUT4": "I0 I1 I2 I3"}


@cache
def _netlist(seed: int, family: str) -> tuple[Circuit, dict[str, Any], np.ndarray, np.ndarray]:
    """The circuit of a small network's Verilog, its netlist, all inputs as numbers, and `out_data` for them."""
    network = mlp((4, 4, 2), seed)
    built = build(network, Design("unrolled", Pipelining(3, "edgeml")))
    verilog = built.files["net_pipeline.v"]
    known = circuit_of(read_module(verilog, "net_pipeline"))
    module = module_of(verilog, "net_pipeline", FAMILIES[family])
    numbers = np.arange(256)
    q = np.stack([(numbers >> 2 * k) & 3 for k in range(4)], 1).astype(np.int32)
    width = len(known.outputs) // 2
    y = simulate(network, q).astype(np.int64) & ((1 << width) - 1)
    return known, module, numbers, y[:, 0] | y[:, 1] << width


def judge(seed: int) -> Judged:
    """A fault of a netlist, judged by the comparison with its Verilog."""
    while (found := _judged(seed)) is None:
        seed += _NEXT
    return found


def _judged(seed: int) -> Judged | None:
    family = ("ecp5", "ice40")[seed % 2]
    known, module, numbers, wanted = _netlist(seed // 2 % 2, family)
    mutant, said = _mutant(module, random.Random(seed))
    try:
        other = circuit_of(in_tables(mutant))
        if other.latency != known.latency:
            return None
    except CheckFailed:
        return None
    row = row_of("netlist", *compared(known, other)[:2])
    given = _given(mutant, numbers)
    shown = False
    if row.status == REFUTED:
        at = int(row.detail.split("0x")[1].split(",")[0], 16)
        bit = int(row.detail.split()[1])
        shown = bool((given[at] ^ wanted[at]) >> bit & 1)
    changes, left = not np.array_equal(given, wanted), row.status not in (PROVED, REFUTED)
    return Judged("netlists of ECP5 and iCE40", said, changes, row.status == REFUTED, shown, left)


def _mutant(module: dict[str, Any], rng: random.Random) -> tuple[dict[str, Any], str]:
    """The module with one of its cells changed, and the change in words."""
    mutant = copy.deepcopy(module)
    name = rng.choice([name for name, cell in sorted(mutant["cells"].items()) if cell["type"] in _TABLES])
    cell = mutant["cells"][name]
    pins = [pin for pin in _PINS[cell["type"]].split() if cell["connections"][pin][0] not in ("0", "1", "x")]
    kind = rng.choice(("table", "swapped", "other"))
    if kind == "swapped" and len(pins) > 1:
        one, two = rng.sample(pins, 2)
        cell["connections"][one], cell["connections"][two] = cell["connections"][two], cell["connections"][one]
        return mutant, f"{name}: {one} and {two} swapped"
    if kind == "other" and pins:
        pin = rng.choice(pins)
        wires = sorted({bit for each in mutant["cells"].values() for bit in each["connections"].get("Z", [])})
        wires += sorted({bit for each in mutant["cells"].values() for bit in each["connections"].get("O", [])})
        cell["connections"][pin] = [rng.choice([*wires, *module["ports"]["in_data"]["bits"]])]
        return mutant, f"{name}: another wire at {pin}"
    table = rng.choice(_TABLES[cell["type"]])
    place = rng.randrange(16)
    bits = cell["parameters"][table].zfill(16)
    cell["parameters"][table] = bits[:place] + "10"[int(bits[place])] + bits[place + 1 :]
    return mutant, f"{name}: bit {15 - place} of {table}"


def _given(module: dict[str, Any], numbers: np.ndarray) -> np.ndarray:
    """`out_data` for each number at `in_data`, registers taken for wires: they are on every way alike."""
    value: dict[Any, np.ndarray] = {"0": numbers * 0, "1": numbers * 0 + 1, "x": numbers * 0}
    value |= {bit: (numbers >> k) & 1 for k, bit in enumerate(module["ports"]["in_data"]["bits"])}
    waiting = [cell for cell in module["cells"].values() if cell["type"] != "$scopeinfo"]
    while waiting:
        left = [cell for cell in waiting if not _computed(cell, value)]
        if len(left) == len(waiting):
            break  # cells that nothing depends on
        waiting = left
    return sum(value[bit] << k for k, bit in enumerate(module["ports"]["out_data"]["bits"]))


def _computed(cell: dict[str, Any], value: dict[Any, np.ndarray]) -> bool:
    """Give the outputs of a cell their values, if those of its inputs are known."""
    kind, wire = cell["type"], {pin: bits[0] for pin, bits in cell["connections"].items() if bits}
    others = {"Z", "O", "Q", "S0", "S1", "COUT", "CO"} | ({"CLK", "C"} if "Q" in wire else set())
    if any(bit not in value for pin, bit in wire.items() if pin not in others):
        return False
    v = {pin: value[bit] for pin, bit in wire.items() if bit in value}

    def table(name: str, *taken: np.ndarray) -> np.ndarray:
        return int(cell["parameters"][name], 2) >> sum(bit << k for k, bit in enumerate(taken)) & 1

    if kind in ("LUT4", "SB_LUT4"):
        pins = _PINS[kind].split()
        made = {"Z" if kind == "LUT4" else "O": table(_TABLES[kind][0], *(v[pin] for pin in pins))}
    elif kind == "PFUMX":
        made = {"Z": np.where(v["C0"], v["ALUT"], v["BLUT"])}
    elif kind == "L6MUX21":
        made = {"Z": np.where(v["SD"], v["D1"], v["D0"])}
    elif kind == "SB_CARRY":
        made = {"CO": (v["I0"] + v["I1"] + v["CI"]) // 2}
    elif kind == "CCU2C":
        made, carry = {}, v["CIN"]
        for half in "01":
            own = table(f"INIT{half}", *(v[f"{pin}{half}"] for pin in "ABCD"))
            low = table(f"INIT{half}", v[f"A{half}"], v[f"B{half}"])
            alone = cell["parameters"][f"INJECT1_{half}"] == "YES"
            made[f"S{half}"] = own ^ (0 if alone else carry)
            carry = np.where(own, carry, 0 if alone else low)
        made["COUT"] = carry
    else:  # registers
        data, resets = v.get("DI", v.get("D")), v.get("LSR", v.get("R", v.get("S", value["0"])))
        ones = cell["parameters"].get("REGSET", "").strip() == "SET" or kind == "SB_DFFSS"
        made = {"Q": np.where(resets, int(ones), data)}
    value |= {wire[pin]: bits for pin, bits in made.items() if pin in wire}
    return True
