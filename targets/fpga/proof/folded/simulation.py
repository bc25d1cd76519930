"""A unit, or a whole core, in Icarus with chosen values, random pauses and resets: what it took and what it gave.

The bench prints a line for each reset, each value that is taken and each that is given; what must be given is computed
from what was taken, so that no clock is told beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeml.system.scratch import ScratchFolder

from ...tools.programs import icarus, run
from .units.entry import JOINING

__all__ = ["MISSING", "Section", "Subject", "core_subject", "literal", "simulated", "unit_subject"]

MISSING = "not simulated: Icarus Verilog is not installed (package iverilog)"
_SECONDS = 300.0
_PASSING = ("edgeml_threshold", "edgeml_threshold_line", "edgeml_requantize", "edgeml_lookup")


@dataclass(frozen=True)
class Subject:
    """What is simulated.

    Parameters
    ----------
    name : of the module. instance : Verilog for it, `dut`. takes, gives : bits of a value that it takes, that it
        gives. beats : values of a frame: behind a reset the next frame is begun.
    """

    name: str
    instance: str
    takes: int
    gives: int
    beats: int


@dataclass
class Section:
    """From one reset to the next: the words taken and given, in their order; text where bits are undefined.

    calm : how many it had taken when it had been offered values without pauses for a while; None before.
    """

    taken: list[int]
    given: list[int | str]
    calm: int | None = None


def unit_subject(module: str, parameters: Mapping[str, int | str], beats: int, widths: tuple[int, int]) -> Subject:
    """A unit with its parameters; widths of what it takes (of a sum or a product: both operands together) and gives."""
    said = ", ".join(
        f'.{name}("{v}")' if isinstance(v, str) else f".{name}({literal(v)})" for name, v in parameters.items()
    )
    given = f"{module} #({said}) dut (" if said else f"{module} dut ("
    clock = "" if module == "edgeml_pass" else ".clk(clk), .rst(rst), "
    pushed = ".push(gives), .push_data(out_data)"
    if module in _PASSING:
        ports = f".in_push(in_valid), .in_data(in_data), {pushed}); assign in_ready = 1'b1; assign reserve = 1'b0;"
    elif module in JOINING:
        lanes, a = int(parameters["LANES"]), int(parameters["LANES"]) * int(parameters["A_BITS"])
        ports = (
            f".a_valid(in_valid), .a_ready(in_ready), .a_data(in_data[{a - 1}:0]), .b_valid(in_valid), .b_ready(), "
            f".b_data(in_data[{a + lanes * int(parameters['B_BITS']) - 1}:{a}]), "
            f".can_reserve(accept), .reserve(reserve), {pushed});"
        )
    else:
        ports = (
            ".in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), "
            f".can_reserve(accept), .reserve(reserve), {pushed});"
        )
    return Subject(module, given + clock + ports, *widths, beats)


def literal(value: int | str) -> str:
    """A number as Verilog has it, of more than 32 bits with its width."""
    if isinstance(value, str):
        return value
    return str(value) if -(1 << 31) <= value < 1 << 31 else f"{value.bit_length()}'h{value:x}"


def core_subject(core: str, beats: int, widths: tuple[int, int]) -> Subject:
    """A whole core; values are given where they are accepted."""
    ports = (
        f"wire out_valid; {core} dut (.clk(clk), .rst(rst), "
        ".in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), "
        ".out_valid(out_valid), .out_ready(accept), .out_data(out_data)); "
        "assign gives = out_valid && accept; assign reserve = 1'b0;"
    )
    return Subject(core, ports, *widths, beats)


def simulated(
    files: Mapping[str, bytes], subject: Subject, values: Sequence[int], clocks: int, seed: int, *, resets: bool = True
) -> list[Section]:
    """What a subject takes of values and gives, in so many clocks with random pauses and then some without.

    resets : whether there are any behind the first clocks.

    MissingTool without Icarus (ask `programs.icarus` before); ToolFailed where the text cannot be simulated.
    """
    programs = icarus()
    assert programs is not None
    control = _control(clocks, seed, resets)
    with ScratchFolder("counterexample") as folder:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        (folder / "control.mem").write_text("".join(f"{word:x}\n" for word in control), "utf-8")
        (folder / "values.mem").write_text("".join(f"{word:x}\n" for word in values), "utf-8")
        (folder / "bench.v").write_text(_bench(subject, (len(control), clocks + clocks // 4), len(values)), "utf-8")
        sources = [name for name in files if name.endswith(".v")]
        run(
            [programs[0], "-g2005", "-s", "bench", "-o", "bench.vvp", *sources, "bench.v"], folder, _SECONDS, "iverilog"
        )
        said = run([programs[1], "-n", "bench.vvp"], folder, _SECONDS, "vvp")
    return _sections(said)


def _control(clocks: int, seed: int, often: bool) -> list[int]:
    """For each clock 4 · reset + 2 · offer + accept: pauses on either side, a few resets, at the end none of either."""
    rng = np.random.default_rng(seed)
    offer, accept = rng.random(clocks), rng.random(clocks)
    eager = np.repeat(rng.random(clocks // 64 + 1), 64)[:clocks]
    resets = (rng.random(clocks) < min(3.0 / clocks, 0.02)) & often
    resets[:2] = True
    # Stretches in which nothing is accepted fill what lies between, whatever it holds.
    stopped = np.repeat(rng.random(clocks // 256 + 1) < 0.25, 256)[:clocks]
    words = 4 * resets + 2 * ((offer < eager) | stopped) + ((accept < 1.2 - eager) & ~stopped)
    return [*words.astype(int).tolist(), *([3] * (clocks // 2)), *([1] * (clocks // 2))]


def _bench(subject: Subject, times: tuple[int, int], values: int) -> str:
    """times : all clocks, and that from which on it is seen whether anything is taken still."""
    clocks, calm = times
    return f"""`default_nettype wire
module bench;
    reg clk = 1'b0, rst = 1'b1, held = 1'b0, accept = 1'b0, offer = 1'b0;
    reg [2:0] control [0:{clocks - 1}];
    reg [{subject.takes - 1}:0] values [0:{values - 1}];
    integer t, n = 0;
    wire in_ready, reserve, gives;
    wire in_valid = held && !rst && n < {values};
    wire [{subject.takes - 1}:0] in_data = values[n];
    wire [{subject.gives - 1}:0] out_data;
    {subject.instance}
    initial begin
        $readmemh("control.mem", control);
        $readmemh("values.mem", values);
        for (t = 0; t < {clocks}; t = t + 1) begin
            {{rst, offer, accept}} = control[t];
            held = held | offer;
            #1;
            if (t == {calm}) $display("C");
            if (rst) begin
                $display("R");
                held = 1'b0;
                n = ((n + {subject.beats - 1}) / {subject.beats}) * {subject.beats};
            end else begin
                if (gives !== 1'b0) $display("O %b", gives === 1'b1 ? out_data : {{{subject.gives}{{1'bx}}}});
                if (reserve !== 1'b0 && !accept) $display("X");
                if (in_valid && in_ready !== 1'b0) $display("T %h", in_data);
            end
            offer = in_valid && in_ready !== 1'b0;
            #1 clk = 1'b1;
            #1 clk = 1'b0;
            if (offer) begin
                n = n + 1;
                held = 1'b0;
            end
        end
        $finish;
    end
endmodule
"""


def _sections(said: str) -> list[Section]:
    """The bench's lines; a place that was taken without being promised is given as text."""
    found = [Section([], [])]
    for kind, word in re.findall(r"^([ROTXC]) ?([0-9a-fxz]*)$", said, re.MULTILINE):
        if kind == "R":
            if found[-1].taken or found[-1].given:
                found.append(Section([], []))
        elif kind == "C":
            found[-1].calm = len(found[-1].taken)
        elif kind == "T":
            found[-1].taken.append(int(word, 16))
        elif kind == "X":
            found[-1].given.append("a place for a result that was not promised")
        else:
            found[-1].given.append(int(word, 2) if set(word) <= {"0", "1"} else f"undefined bits, {word}")
    return found
