// SPDX-License-Identifier: Apache-2.0
// RATIO values, or what is left of a frame with zeros above, become one; it stays until it is taken.
`default_nettype none
module prove_upsizer #(
    parameter WIDTH = 2,
    parameter RATIO = 2,
    parameter IN_BEATS = 4
) (
    input wire             clk,
    input wire             rst,
    input wire             in_valid,
    input wire [WIDTH-1:0] in_data,
    input wire             out_ready
);
    localparam BITS = $clog2((IN_BEATS > RATIO ? IN_BEATS : RATIO) + 1) + 1;
    wire in_ready, out_valid;
    wire [WIDTH*RATIO-1:0] out_data;
    edgeml_upsizer #(.WIDTH(WIDTH), .RATIO(RATIO), .IN_BEATS(IN_BEATS)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    reg [BITS-1:0] number;                // of the frame's value that comes next
    reg [WIDTH*RATIO-1:0] gathered;  // what came of the wide value that is being made
    reg [WIDTH*RATIO-1:0] whole;     // the wide value that is offered
    reg offered;
    wire takes = in_valid && in_ready;
    wire [BITS-1:0] part = number % RATIO;
    wire [WIDTH*RATIO-1:0] more = (part == 0 ? 0 : gathered) | (in_data << (part * WIDTH));
    wire ends = part == RATIO - 1 || number == IN_BEATS - 1;
    always @(posedge clk) begin
        if (takes) number <= number == IN_BEATS - 1 ? 0 : number + 1;
        if (takes) gathered <= more;
        if (takes && ends) whole <= more;
        offered <= !rst && (takes ? ends : offered && !out_ready);
        if (rst) number <= 0;
    end
    // Contract.
    always @* if (begun) begin
        assert (in_ready == (!offered || out_ready));
        assert (out_valid == offered);
        assert (!out_valid || out_data == whole);
    end
    // Why.
    wire [$clog2(RATIO)-1:0] seen_part;
    wire [((IN_BEATS > 1) ? $clog2(IN_BEATS) : 1)-1:0] seen_beat;
    always @* if (begun) begin
        assert (number < IN_BEATS && seen_beat == number && seen_part == part);
        assert (part == 0 || (out_data == gathered && gathered >> (part * WIDTH) == 0));
        assert (!offered || part == 0);
    end
endmodule
`default_nettype wire
