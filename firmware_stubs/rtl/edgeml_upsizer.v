// SPDX-License-Identifier: Apache-2.0
// Width converter from a narrow to a wide stream: RATIO values become one, the first in the lowest bits.
//
// A frame has IN_BEATS narrow values; where RATIO does not divide that, the last wide value of each frame is
// sent early and its upper part is zero.
`default_nettype none
module edgeml_upsizer #(
    parameter WIDTH = 8,     // bits of a narrow value
    parameter RATIO = 2,     // narrow values per wide one, 2 or more
    parameter IN_BEATS = 4   // narrow values per frame
) (
    input  wire                   clk,
    input  wire                   rst,  // synchronous, active high
    input  wire                   in_valid,
    output wire                   in_ready,
    input  wire [WIDTH-1:0]       in_data,
    output reg                    out_valid,
    input  wire                   out_ready,
    output reg  [WIDTH*RATIO-1:0] out_data
);
    localparam PART_BITS = $clog2(RATIO);
    localparam BEAT_BITS = (IN_BEATS > 1) ? $clog2(IN_BEATS) : 1;
    localparam integer LAST_PART_NUMBER = RATIO - 1;
    localparam [PART_BITS-1:0] LAST_PART = LAST_PART_NUMBER[PART_BITS-1:0];
    localparam integer LAST_BEAT_NUMBER = IN_BEATS - 1;
    localparam [BEAT_BITS-1:0] LAST_BEAT = LAST_BEAT_NUMBER[BEAT_BITS-1:0];

    reg [PART_BITS-1:0] part;
    reg [BEAT_BITS-1:0] beat;
    wire take = in_valid && in_ready;
    wire last = (part == LAST_PART) || (beat == LAST_BEAT);
    assign in_ready = !out_valid || out_ready;

    integer i;
    always @(posedge clk) begin
        if (rst) begin
            out_valid <= 1'b0;
            out_data <= {WIDTH*RATIO{1'b0}};
            part <= {PART_BITS{1'b0}};
            beat <= {BEAT_BITS{1'b0}};
        end else begin
            if (in_ready) out_valid <= take && last;
            if (take) begin
                part <= last ? {PART_BITS{1'b0}} : part + 1'b1;
                beat <= (beat == LAST_BEAT) ? {BEAT_BITS{1'b0}} : beat + 1'b1;
                for (i = 0; i < RATIO; i = i + 1) begin
                    if (part == i[PART_BITS-1:0]) out_data[i*WIDTH +: WIDTH] <= in_data;
                    else if (part == {PART_BITS{1'b0}}) out_data[i*WIDTH +: WIDTH] <= {WIDTH{1'b0}};
                end
            end
        end
    end
endmodule
`default_nettype wire
