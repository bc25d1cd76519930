// SPDX-License-Identifier: Apache-2.0
// A wide value becomes its parts, the lowest first, those of a frame alone, and goes with the last of them.
`default_nettype none
module prove_downsizer #(
    parameter WIDTH = 2,
    parameter RATIO = 2,
    parameter OUT_BEATS = 4
) (
    input wire                   clk,
    input wire                   rst,
    input wire                   in_valid,
    input wire [WIDTH*RATIO-1:0] in_data,
    input wire                   out_ready
);
    localparam BITS = $clog2((OUT_BEATS > RATIO ? OUT_BEATS : RATIO) + 1) + 1;
    wire in_ready, out_valid;
    wire [WIDTH-1:0] out_data;
    edgeml_downsizer #(.WIDTH(WIDTH), .RATIO(RATIO), .OUT_BEATS(OUT_BEATS)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    reg waits = 1'b0, offered = 1'b0;
    reg [WIDTH*RATIO-1:0] stands;
    reg [WIDTH-1:0] offer;
    always @(posedge clk) begin
        begun <= 1'b1;
        waits <= !rst && in_valid && !in_ready;
        stands <= in_data;
        offered <= !rst && out_valid && !out_ready;
        offer <= out_data;
    end
    always @* assume ((begun || rst) && (!waits || (in_valid && in_data == stands)));
    reg [BITS-1:0] number;  // of the frame's part that comes next
    wire [BITS-1:0] part = number % RATIO;
    wire [WIDTH*RATIO-1:0] shifted = in_data >> (part * WIDTH);
    always @(posedge clk) begin
        if (out_valid && out_ready) number <= number == OUT_BEATS - 1 ? 0 : number + 1;
        if (rst) number <= 0;
    end
    // Contract.
    always @* if (begun) begin
        assert (out_valid == in_valid);
        assert (!out_valid || out_data == shifted[WIDTH-1:0]);
        assert (!in_valid || in_ready == (out_ready && (part == RATIO - 1 || number == OUT_BEATS - 1)));
        assert (!offered || (out_valid && out_data == offer));
    end
    // Why.
    wire [$clog2(RATIO)-1:0] seen_part;
    wire [((OUT_BEATS > 1) ? $clog2(OUT_BEATS) : 1)-1:0] seen_beat;
    always @* if (begun) assert (number < OUT_BEATS && seen_beat == number && seen_part == part);
endmodule
`default_nettype wire
