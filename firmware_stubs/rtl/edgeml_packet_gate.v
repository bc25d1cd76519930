// SPDX-License-Identifier: Apache-2.0
// Lets whole frames of a packet through, and nothing else: the side of a DMA that sends.
//
// A packet is `frames` frames of WORDS words, and in_last stands beside its last word alone. Each frame is held until
// all of it is there and its end is where it must be; two have room, so that one is given while the next comes in.
// A packet is in error in the word where
//   - it ends before its last word, or lacks a byte of a frame (in_keep): `ended_early`, for the clock of that word;
//   - its last word comes without in_last: `ran_on`.
// The frame of that word is forgotten, and what follows up to the word with in_last is taken and dropped: the next
// packet begins behind it. Where frames of the same packet had been let through before, the other side no longer knows
// where packets end: `halted` is high, and all words are taken and dropped until a reset.
// `frames` changes in the clock of a reset only.
`default_nettype none
module edgeml_packet_gate #(
    parameter WIDTH = 8,      // bits of a word that are given
    parameter WORDS = 2,      // of a frame
    parameter KEEP = 1,       // bytes of a word
    parameter LAST_KEEP = 1   // bytes that a frame has in its last word, the lowest; 1 … KEEP
) (
    input  wire             clk,
    input  wire             rst,  // synchronous, active high
    input  wire [15:0]      frames,  // of a packet, 1 or more
    input  wire             in_valid,
    output wire             in_ready,
    input  wire [WIDTH-1:0] in_data,
    input  wire [KEEP-1:0]  in_keep,
    input  wire             in_last,
    output reg              out_valid,
    input  wire             out_ready,
    output reg  [WIDTH-1:0] out_data,
    output wire             let_through,  // the word that is taken is the last of a frame that is let through
    output wire             ended_early,
    output wire             ran_on,
    output reg              halted
);
    localparam WORD_BITS = (WORDS > 1) ? $clog2(WORDS) : 1;
    localparam INDEX_BITS = $clog2(2 * WORDS);
    localparam integer LAST_WORD_NUMBER = WORDS - 1, LAST_NUMBER = 2 * WORDS - 1;
    localparam [WORD_BITS-1:0] LAST_WORD = LAST_WORD_NUMBER[WORD_BITS-1:0];
    localparam [INDEX_BITS-1:0] LAST = LAST_NUMBER[INDEX_BITS-1:0], HALF = LAST_WORD_NUMBER[INDEX_BITS-1:0];

    reg [WIDTH-1:0] memory [0:2*WORDS-1];
    integer i;
    initial for (i = 0; i < 2 * WORDS; i = i + 1) memory[i] = {WIDTH{1'b0}};

    // What comes in.
    reg [WORD_BITS-1:0] word;          // of the frame, that comes next
    reg [INDEX_BITS-1:0] write_index;  // where it goes
    reg [15:0] frame;                  // of the packet
    reg dropping;                      // up to the end of the packet
    reg [1:0] filled;                  // frames that are held whole
    wire drops = dropping || halted;
    assign in_ready = drops || !filled[1];
    wire takes = in_valid && in_ready && !drops;
    wire frame_ends = word == LAST_WORD;
    wire packet_ends = frame_ends && frame == frames - 16'd1;
    wire whole = &(in_keep | (frame_ends ? {KEEP{1'b1}} << LAST_KEEP : {KEEP{1'b0}}));
    assign ended_early = takes && (!whole || (in_last && !packet_ends));
    assign ran_on = takes && whole && packet_ends && !in_last;
    wire fails = ended_early || ran_on;
    assign let_through = takes && frame_ends && !fails;
    wire [INDEX_BITS-1:0] begins = (write_index > HALF) ? HALF + 1'b1 : {INDEX_BITS{1'b0}};  // the frame that comes in

    always @(posedge clk) if (takes) memory[write_index] <= in_data;

    always @(posedge clk) begin
        if (rst) begin
            word <= {WORD_BITS{1'b0}};
            write_index <= {INDEX_BITS{1'b0}};
            frame <= 16'd0;
            dropping <= 1'b0;
            halted <= 1'b0;
        end else begin
            if (in_valid && dropping) dropping <= !in_last;
            if (fails) begin
                word <= {WORD_BITS{1'b0}};
                write_index <= begins;
                frame <= 16'd0;
                dropping <= !in_last;
                halted <= frame != 16'd0;
            end else if (takes) begin
                word <= frame_ends ? {WORD_BITS{1'b0}} : word + 1'b1;
                write_index <= (write_index == LAST) ? {INDEX_BITS{1'b0}} : write_index + 1'b1;
                if (frame_ends) frame <= packet_ends ? 16'd0 : frame + 16'd1;
            end
        end
    end

    // What goes out.
    reg [INDEX_BITS-1:0] read_index;
    wire loads = filled != 2'd0 && (!out_valid || out_ready);
    wire leaves = loads && (read_index == HALF || read_index == LAST);  // the last word of a frame

    always @(posedge clk) if (loads) out_data <= memory[read_index];

    always @(posedge clk) begin
        if (rst) begin
            filled <= 2'd0;
            read_index <= {INDEX_BITS{1'b0}};
            out_valid <= 1'b0;
        end else begin
            if (let_through && !leaves) filled <= filled + 2'd1;
            if (!let_through && leaves) filled <= filled - 2'd1;
            if (loads) read_index <= (read_index == LAST) ? {INDEX_BITS{1'b0}} : read_index + 1'b1;
            if (loads) out_valid <= 1'b1;
            else if (out_ready) out_valid <= 1'b0;
        end
    end
endmodule
`default_nettype wire
