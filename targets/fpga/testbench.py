"""A self-checking test bench in plain Verilog, with its vectors: runs in Icarus, Vivado's simulator or any other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .design import Built
from .interface import Interface
from .verilog.writer import Parameter, Verilog, bus, same

__all__ = ["expected_image", "input_image", "testbench"]


def _image(values: npt.NDArray[np.uint8]) -> str:
    """Rows of bytes, lowest first, as lines for $readmemh."""
    return "".join(f"{int.from_bytes(row.tobytes(), 'little'):0{2 * values.shape[1]}x}\n" for row in values)


def input_image(interface: Interface, q: npt.NDArray[np.int32]) -> str:
    """Input values of the frames q [samples, inputs]."""
    return _image(interface.pack(q))


def expected_image(interface: Interface, y: npt.NDArray[np.int32]) -> str:
    """Output values of the frames y [samples, outputs], as lines for $readmemh; lanes beyond the last are zero.

    With `interface.classes` TUSER stands above each value: the index of the largest element of the frame so far.
    """
    padded = np.zeros((len(y), interface.output_beats * interface.output_lanes), np.int64)
    padded[:, : interface.outputs] = y
    lanes = padded.reshape(-1, interface.output_lanes).astype(f"<i{interface.result_bytes}")
    values = lanes.view(np.uint8).reshape(len(lanes), -1)
    if interface.classes:
        ends = [min((k + 1) * interface.output_lanes, interface.outputs) for k in range(interface.output_beats)]
        classes = np.stack([interface.classes_of(y[:, :end]) for end in ends], axis=1).astype(
            f"<u{interface.class_bytes}"
        )
        values = np.concatenate([values, classes.reshape(-1, 1).view(np.uint8)], axis=1)
    return _image(values)


def testbench(built: Built, frames: int) -> str:
    """Text of the module `<name>_tb`: drives inputs.mem with pauses, checks against expected.mem, prints the verdict.

    Every value given is also written to results.mem. The chance of a pause is PAUSE/256 on both sides; TRACE=1 dumps
    all signals to trace.vcd. The last line printed is `PASS <frames>` or `FAIL <mismatches>`.
    """
    interface = built.interface
    beats_in, beats_out = frames * interface.input_beats, frames * interface.output_beats
    name = f"{built.top.removesuffix('_axis')}_tb"
    verilog = Verilog()
    verilog.header(f"{name}: checks {built.top} against expected results, made by edgeml.")
    verilog.line("`timescale 1ns / 1ps")
    with verilog.module(name, parameters=_PARAMETERS):
        _device(verilog, built)
        verilog.blank()
        _vectors(verilog, interface, beats_in, beats_out)
        verilog.blank()
        verilog.line("always #5 aclk = !aclk;")
        verilog.blank()
        verilog.lines(_START)
        verilog.blank()
        verilog.line(f"always @* last = received % {interface.output_beats} == {interface.output_beats - 1};")
        verilog.blank()
        with verilog.block("always @(posedge aclk) if (aresetn) begin"):
            _drive_and_check(verilog, beats_in, _seen_bits(interface))
            silence = 64 * (built.latency + built.interval) + 10_000
            with verilog.block(f"if (received == {beats_out} || silence > {silence}) begin"):
                verilog.lines(
                    f"""
                    if (received != {beats_out}) $display("stopped after %0d of {beats_out} values", received);
                    if (wrong == 0 && received == {beats_out}) $display("PASS {frames}");
                    else $display("FAIL %0d", wrong + {beats_out} - received);
                    $fclose(file);
                    $finish;
                    """
                )
    return verilog.text()


_PARAMETERS = (Parameter("PAUSE", 0, note="chance of a pause on either side, in 1/256"), Parameter("TRACE", 0))
_START = """
    initial begin
        $readmemh("inputs.mem", inputs);
        $readmemh("expected.mem", expected);
        file = $fopen("results.mem", "w");
        if (TRACE != 0) begin
            $dumpfile("trace.vcd");
            $dumpvars(0, dut);
        end
        repeat (4) @(posedge aclk);
        aresetn <= 1'b1;
    end
"""


def _seen_bits(interface: Interface) -> int:
    """Width of what is compared for each value: TDATA, and TUSER above it if there is one."""
    return 8 * (interface.output_bytes + (interface.class_bytes if interface.classes else 0))


def _device(verilog: Verilog, built: Built) -> None:
    """The design and the signals at its ports."""
    interface = built.interface
    in_bits = 8 * interface.input_bytes
    verilog.reg("aclk", value="1'b0")
    verilog.reg("aresetn", value="1'b0")
    verilog.reg("s_axis_tdata", width=in_bits, value=f"{in_bits}'d0")
    verilog.reg("s_axis_tvalid", value="1'b0")
    verilog.wire("s_axis_tready")
    verilog.wire("m_axis_tdata", width=8 * interface.output_bytes)
    verilog.wire("m_axis_tvalid")
    verilog.reg("m_axis_tready", value="1'b0")
    verilog.wire("m_axis_tlast")
    if interface.classes:
        verilog.wire("m_axis_tuser", width=8 * interface.class_bytes)
    verilog.instance(built.top, "dut", same("aclk", "aresetn", *interface.axis_signals))


def _vectors(verilog: Verilog, interface: Interface, beats_in: int, beats_out: int) -> None:
    """The memories of inputs and expected results, and what is compared."""
    seen_bits = _seen_bits(interface)
    used = interface.outputs - (interface.output_beats - 1) * interface.output_lanes
    last_mask = "1" * (8 * interface.result_bytes * used)
    if interface.classes:
        last_mask = "1" * (8 * interface.class_bytes) + last_mask.rjust(8 * interface.output_bytes, "0")
    seen = "{m_axis_tuser, m_axis_tdata}" if interface.classes else "m_axis_tdata"
    verilog.line(f"reg {bus(8 * interface.input_bytes)}inputs [0:{beats_in - 1}];")
    verilog.line(f"reg {bus(seen_bits)}expected [0:{beats_out - 1}];")
    verilog.wire("seen", width=seen_bits, value=seen)
    verilog.line("integer sent = 0, received = 0, wrong = 0, silence = 0, file, seed = 1;")
    verilog.reg("last")
    verilog.comment("Lanes beyond the last element of a frame have no meaning.")
    verilog.wire("mask", width=seen_bits, value=f"last ? {seen_bits}'b{last_mask} : {{{seen_bits}{{1'b1}}}}")


def _drive_and_check(verilog: Verilog, beats_in: int, seen_bits: int) -> None:
    """What happens in each clock: a value is given with some chance, and one that comes is compared."""
    verilog.lines(
        f"""
        if (s_axis_tvalid && s_axis_tready) s_axis_tvalid <= 1'b0;
        if ((!s_axis_tvalid || s_axis_tready) && sent < {beats_in} && ($random(seed) & 255) >= PAUSE) begin
            s_axis_tdata <= inputs[sent];
            s_axis_tvalid <= 1'b1;
            sent <= sent + 1;
        end
        m_axis_tready <= ($random(seed) & 255) >= PAUSE;
        silence <= silence + 1;
        if (m_axis_tvalid && m_axis_tready) begin
            silence <= 0;
            $fdisplay(file, "%h", seen);
            if (((seen ^ expected[received]) & mask) !== {seen_bits}'d0 || m_axis_tlast !== last) begin
                wrong = wrong + 1;
                if (wrong <= 10)
                    $display("value %0d: %h, expected %h", received, seen, expected[received]);
            end
            received = received + 1;
        end
        """
    )
