"""A self-checking test bench in plain Verilog, with its vectors: runs in Icarus, Vivado's simulator or any other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .design import Built
from .interface import Interface

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
    in_bits, out_bits = 8 * interface.input_bytes, 8 * interface.output_bytes
    beats_in, beats_out = frames * interface.input_beats, frames * interface.output_beats
    used = interface.outputs - (interface.output_beats - 1) * interface.output_lanes
    last_mask = "1" * (8 * interface.result_bytes * used)
    seen, seen_bits, class_wire, class_port = "m_axis_tdata", out_bits, "", ""
    if interface.classes:
        class_bits = 8 * interface.class_bytes
        seen, seen_bits = "{m_axis_tuser, m_axis_tdata}", out_bits + class_bits
        class_wire = f"    wire [{class_bits - 1}:0] m_axis_tuser;\n"
        class_port = ", .m_axis_tuser(m_axis_tuser)"
        last_mask = "1" * class_bits + last_mask.rjust(out_bits, "0")
    return f"""// {built.top[:-5]}_tb: checks {built.top} against expected results, made by edgeml.
`timescale 1ns / 1ps
`default_nettype none
module {built.top[:-5]}_tb #(
    parameter PAUSE = 0,  // chance of a pause on either side, in 1/256
    parameter TRACE = 0
);
    reg aclk = 1'b0;
    reg aresetn = 1'b0;
    reg [{in_bits - 1}:0] s_axis_tdata = {in_bits}'d0;
    reg s_axis_tvalid = 1'b0;
    wire s_axis_tready;
    wire [{out_bits - 1}:0] m_axis_tdata;
    wire m_axis_tvalid;
    reg m_axis_tready = 1'b0;
    wire m_axis_tlast;
{class_wire}    {built.top} dut (
        .aclk(aclk), .aresetn(aresetn), .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready), .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready), .m_axis_tlast(m_axis_tlast){class_port}
    );

    reg [{in_bits - 1}:0] inputs [0:{beats_in - 1}];
    reg [{seen_bits - 1}:0] expected [0:{beats_out - 1}];
    wire [{seen_bits - 1}:0] seen = {seen};
    integer sent = 0, received = 0, wrong = 0, silence = 0, file, seed = 1;
    reg last;
    // Lanes beyond the last element of a frame have no meaning.
    wire [{seen_bits - 1}:0] mask = last ? {seen_bits}'b{last_mask} : {{{seen_bits}{{1'b1}}}};

    always #5 aclk = !aclk;

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

    always @* last = received % {interface.output_beats} == {interface.output_beats - 1};

    always @(posedge aclk) if (aresetn) begin
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
        if (received == {beats_out} || silence > {64 * (built.latency + built.interval) + 10_000}) begin
            if (received != {beats_out}) $display("stopped after %0d of {beats_out} values", received);
            if (wrong == 0 && received == {beats_out}) $display("PASS {frames}");
            else $display("FAIL %0d", wrong + {beats_out} - received);
            $fclose(file);
            $finish;
        end
    end
endmodule
`default_nettype wire
"""
