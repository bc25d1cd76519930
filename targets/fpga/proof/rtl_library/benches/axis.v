// SPDX-License-Identifier: Apache-2.0
// The AXI4-Stream top is its core and its class unit and nothing else: each signal of either is at its place, whatever
// the two give; each element is extended as its sign says; TLAST stands beside the last value of each frame.
//
// CORE and edgeml_argmax stand for the two: what they give are the free inputs. TOP and CORE become the names that they
// have; USER_BITS is 0 without a class unit.
`default_nettype none
module CORE #(
    parameter INPUT_BITS = 4,
    parameter OUTPUT_BITS = 3
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   in_valid,
    output wire                   in_ready,
    input  wire [INPUT_BITS-1:0]  in_data,
    output wire                   out_valid,
    input  wire                   out_ready,
    output wire [OUTPUT_BITS-1:0] out_data
);
    wire takes, offers;
    wire [OUTPUT_BITS-1:0] gives;
    assign in_ready = takes;
    assign out_valid = offers;
    assign out_data = gives;
    wire unused = &{1'b0, clk, rst, in_valid, in_data, out_ready};
endmodule

module edgeml_argmax #(
    parameter OUTPUTS = 4,
    parameter LANES = 4,
    parameter ELEMENT_BITS = 8,
    parameter SIGNED = 1,
    parameter BINARY = 0,
    parameter signed [31:0] THRESHOLD = 32'sd0,
    parameter CLASS_BITS = (OUTPUTS > 1) ? $clog2(OUTPUTS) : 1
) (
    input  wire                          clk,
    input  wire                          rst,
    input  wire                          in_valid,
    output wire                          in_ready,
    input  wire [LANES*ELEMENT_BITS-1:0] in_data,
    output wire                          out_valid,
    input  wire                          out_ready,
    output wire [LANES*ELEMENT_BITS-1:0] out_data,
    output wire [CLASS_BITS-1:0]         out_class
);
    wire takes, offers;
    wire [LANES*ELEMENT_BITS-1:0] gives;
    wire [CLASS_BITS-1:0] finds;
    assign in_ready = takes;
    assign out_valid = offers;
    assign out_data = gives;
    assign out_class = finds;
    wire unused = &{1'b0, clk, rst, in_valid, in_data, out_ready};
endmodule

module prove_axis #(
    parameter INPUT_BITS = 4,
    parameter INPUT_BYTES = 1,
    parameter LANES = 2,
    parameter ELEMENT_BITS = 3,
    parameter SIGNED = 1,
    parameter RESULT_BYTES = 1,
    parameter BEATS = 3,
    parameter CLASS_BITS = 2,
    parameter USER_BITS = 8
) (
    input wire                          clk,
    input wire                          rst,
    input wire [8*INPUT_BYTES-1:0]      in_data,
    input wire                          in_valid,
    input wire                          out_ready,
    input wire                          free_core__takes,
    input wire                          free_core__offers,
    input wire [LANES*ELEMENT_BITS-1:0] free_core__gives,
    input wire                          free_argmax__takes,
    input wire                          free_argmax__offers,
    input wire [LANES*ELEMENT_BITS-1:0] free_argmax__gives,
    input wire [CLASS_BITS-1:0]         free_argmax__finds
);
    wire in_ready, out_valid, out_last;
    wire [8*RESULT_BYTES*LANES-1:0] out_data;
    wire [((USER_BITS > 0) ? USER_BITS : 1)-1:0] user;
    generate
        if (USER_BITS > 0) begin : with_classes
            assign user = user_given;
        end else begin : without
            assign user = 1'b0;
        end
    endgenerate
    wire [((USER_BITS > 0) ? USER_BITS : 1)-1:0] user_given;
    TOP unit (
        .aclk(clk), .aresetn(!rst), .s_axis_tdata(in_data), .s_axis_tvalid(in_valid), .s_axis_tready(in_ready),
        .m_axis_tdata(out_data), .m_axis_tvalid(out_valid), .m_axis_tready(out_ready), .m_axis_tlast(out_last)
        /*.m_axis_tuser(user_given)*/
    );
    reg begun = 1'b0;
    reg [15:0] number;  // of the value that comes next
    always @(posedge clk) begin
        begun <= 1'b1;
        if (rst) number <= 0;
        else if (out_valid && out_ready) number <= number == BEATS - 1 ? 0 : number + 1;
    end
    always @* assume (begun || rst);
    wire [LANES*ELEMENT_BITS-1:0] result = USER_BITS > 0 ? free_argmax__gives : free_core__gives;
    // Contract.
    wire seen_core__clk, seen_core__rst, seen_core__in_valid, seen_core__out_ready;
    wire [INPUT_BITS-1:0] seen_core__in_data;
    wire seen_argmax__clk, seen_argmax__rst, seen_argmax__in_valid, seen_argmax__out_ready;
    wire [LANES*ELEMENT_BITS-1:0] seen_argmax__in_data;
    always @* if (begun) begin
        assert (seen_core__clk == clk && seen_core__rst == rst);
        assert (in_ready == free_core__takes && seen_core__in_valid == in_valid);
        assert (seen_core__in_data == in_data[INPUT_BITS-1:0]);
        assert (out_last == (number == BEATS - 1));
        if (USER_BITS == 0) assert (out_valid == free_core__offers && seen_core__out_ready == out_ready);
        if (USER_BITS > 0) begin
            assert (seen_argmax__clk == clk && seen_argmax__rst == rst);
            assert (seen_argmax__in_valid == free_core__offers && seen_core__out_ready == free_argmax__takes);
            assert (seen_argmax__in_data == free_core__gives);
            assert (out_valid == free_argmax__offers && seen_argmax__out_ready == out_ready);
            assert (user == free_argmax__finds);
        end
    end
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : lane
            wire [ELEMENT_BITS-1:0] x = result[i*ELEMENT_BITS +: ELEMENT_BITS];
            wire [8*RESULT_BYTES-1:0] y = out_data[8*RESULT_BYTES*i +: 8*RESULT_BYTES];
            wire [8*RESULT_BYTES-1:0] extended = {{32{SIGNED != 0 && x[ELEMENT_BITS-1]}}, x};
            always @* if (begun) assert (y == extended);
        end
        // Why.
        if (BEATS > 1) begin : counted
            wire [$clog2(BEATS)-1:0] seen_beat;
            always @* if (begun) assert (seen_beat == number && number < BEATS);
        end
    endgenerate
endmodule
`default_nettype wire
