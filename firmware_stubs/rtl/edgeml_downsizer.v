// SPDX-License-Identifier: Apache-2.0
// Width converter from a wide to a narrow stream: one value becomes RATIO, the lowest bits first.
//
// A frame has OUT_BEATS narrow values; what is left of the frame's last wide value behind them is dropped.
// No register: the wide value stays at the input until its last part has been taken.
`default_nettype none
module edgeml_downsizer #(
    parameter WIDTH = 8,     // bits of a narrow value
    parameter RATIO = 2,     // narrow values per wide one, 2 or more
    parameter OUT_BEATS = 4  // narrow values per frame
) (
    input  wire                   clk,
    input  wire                   rst,  // synchronous, active high
    input  wire                   in_valid,
    output wire                   in_ready,
    input  wire [WIDTH*RATIO-1:0] in_data,
    output wire                   out_valid,
    input  wire                   out_ready,
    output wire [WIDTH-1:0]       out_data
);
    localparam PART_BITS = $clog2(RATIO);
    localparam BEAT_BITS = (OUT_BEATS > 1) ? $clog2(OUT_BEATS) : 1;
    localparam integer LAST_PART_NUMBER = RATIO - 1;
    localparam [PART_BITS-1:0] LAST_PART = LAST_PART_NUMBER[PART_BITS-1:0];
    localparam integer LAST_BEAT_NUMBER = OUT_BEATS - 1;
    localparam [BEAT_BITS-1:0] LAST_BEAT = LAST_BEAT_NUMBER[BEAT_BITS-1:0];

    reg [PART_BITS-1:0] part;
    reg [BEAT_BITS-1:0] beat;
    wire last = (part == LAST_PART) || (beat == LAST_BEAT);
    assign out_valid = in_valid;
    assign out_data = in_data[part*WIDTH +: WIDTH];
    assign in_ready = out_ready && last;

    always @(posedge clk) begin
        if (rst) begin
            part <= {PART_BITS{1'b0}};
            beat <= {BEAT_BITS{1'b0}};
        end else if (in_valid && out_ready) begin
            part <= last ? {PART_BITS{1'b0}} : part + 1'b1;
            beat <= (beat == LAST_BEAT) ? {BEAT_BITS{1'b0}} : beat + 1'b1;
        end
    end
endmodule
`default_nettype wire
