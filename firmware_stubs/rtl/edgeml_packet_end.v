// SPDX-License-Identifier: Apache-2.0
// Where packets end on a stream of frames: `last` stands beside the last of `frames` frames of WORDS words.
//
// `frames` changes in the clock of a reset only.
`default_nettype none
module edgeml_packet_end #(
    parameter WORDS = 2  // of a frame
) (
    input  wire        clk,
    input  wire        rst,  // synchronous, active high
    input  wire [15:0] frames,  // of a packet, 1 or more
    input  wire        valid,
    input  wire        ready,
    output wire        last
);
    localparam WORD_BITS = (WORDS > 1) ? $clog2(WORDS) : 1;
    localparam integer LAST_WORD_NUMBER = WORDS - 1;
    localparam [WORD_BITS-1:0] LAST_WORD = LAST_WORD_NUMBER[WORD_BITS-1:0];

    reg [WORD_BITS-1:0] word;
    reg [15:0] frame;
    wire frame_ends = word == LAST_WORD;
    assign last = frame_ends && frame == frames - 16'd1;

    always @(posedge clk) begin
        if (rst) begin
            word <= {WORD_BITS{1'b0}};
            frame <= 16'd0;
        end else if (valid && ready) begin
            word <= frame_ends ? {WORD_BITS{1'b0}} : word + 1'b1;
            if (frame_ends) frame <= last ? 16'd0 : frame + 16'd1;
        end
    end
endmodule
`default_nettype wire
