// SPDX-License-Identifier: Apache-2.0
// Whole frames of packets that end where they must come through, once, in order and unchanged, and nothing else does:
// of a packet that ends early, lacks a byte or runs on the frame in which that shows is forgotten and the rest dropped, up
// to the word that ends it. Where frames of it had come through, nothing does until a reset. An offer stays until it is taken.
`default_nettype none
module prove_packet_gate #(
    parameter WIDTH = 2,
    parameter WORDS = 3,
    parameter KEEP = 4,
    parameter LAST_KEEP = 2
) (
    input wire             clk,
    input wire             rst,
    input wire [15:0]      frames,
    input wire             in_valid,
    input wire [WIDTH-1:0] in_data,
    input wire [KEEP-1:0]  in_keep,
    input wire             in_last,
    input wire             out_ready,
    input wire             choose,  // the frame that is let through is the one to watch
    input wire [15:0]      place    // the word of it to watch
);
    localparam INDEX_BITS = $clog2(2 * WORDS);
    wire in_ready, out_valid, let_through, ended_early, ran_on, halted;
    wire [WIDTH-1:0] out_data;
    edgeml_packet_gate #(.WIDTH(WIDTH), .WORDS(WORDS), .KEEP(KEEP), .LAST_KEEP(LAST_KEEP)) unit (
        .clk(clk), .rst(rst), .frames(frames), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data),
        .in_keep(in_keep), .in_last(in_last), .out_valid(out_valid), .out_ready(out_ready), .out_data(out_data),
        .let_through(let_through), .ended_early(ended_early), .ran_on(ran_on), .halted(halted)
    );
    reg begun = 1'b0;
    reg was_reset;
    reg [15:0] frames_before, place_before;
    always @(posedge clk) begin
        begun <= 1'b1;
        was_reset <= rst;
        frames_before <= frames;
        place_before <= place;
    end
    always @* begin
        assume (begun || rst);
        assume (frames != 0 && place < WORDS);
        assume (!begun || (place == place_before && (was_reset || frames == frames_before)));
    end

    // The packet as it comes in: its words counted from the first, whatever becomes of them.
    reg [31:0] number;   // of the word that comes next within its frame
    reg [15:0] passed;   // frames of this packet that came through
    reg lost, stopped;   // the rest of the packet is dropped; everything is
    wire takes = in_valid && in_ready;
    wire ends_frame = number == WORDS - 1, ends = ends_frame && passed == frames - 16'd1;
    wire [KEEP-1:0] needed = ends_frame ? {KEEP{1'b1}} >> (KEEP - LAST_KEEP) : {KEEP{1'b1}};
    wire complete = (in_keep & needed) == needed;
    wire looks = takes && !lost && !stopped;
    wire early = looks && (!complete || (in_last && !ends)), late = looks && complete && ends && !in_last;
    wire good = looks && !early && !late && ends_frame;
    always @(posedge clk) begin
        if (rst) {number, passed, lost, stopped} <= 0;
        else if (takes) begin
            lost <= (lost || early || late) && !in_last;
            stopped <= stopped || ((early || late) && passed != 0);
            if (looks) begin
                number <= early || late || ends_frame ? 0 : number + 1;
                passed <= early || late || in_last ? 0 : passed + ends_frame;
            end
        end
    end

    // Frames that came through and did not go out yet, and how far the first of them is.
    reg [3:0] inside;
    reg [31:0] given;
    wire gives = out_valid && out_ready, gives_frame = gives && given == WORDS - 1;
    reg [WIDTH-1:0] word;  // the word to watch of the frame that comes in
    reg watched;
    reg [3:0] ahead;
    reg [WIDTH-1:0] value;
    wire [WIDTH-1:0] word_now = looks && number == place ? in_data : word;
    always @(posedge clk) begin
        inside <= rst ? 0 : inside + good - gives_frame;
        given <= rst || gives_frame ? 0 : given + gives;
        word <= word_now;
        watched <= !rst && (watched ? !(gives_frame && ahead == 0) : good && choose);
        ahead <= watched ? ahead - gives_frame : inside - gives_frame;
        if (!watched) value <= word_now;
    end

    // Contract.
    reg offered, waited;
    reg [WIDTH-1:0] offer;
    always @(posedge clk) begin
        waited <= !rst && inside != 0 && !out_valid;
        offered <= !rst && out_valid && !out_ready;
        offer <= out_data;
    end
    always @* if (begun) begin
        assert (ended_early == early && ran_on == late && let_through == good);
        assert (halted == stopped);
        assert (!lost && !stopped || in_ready);
        assert (inside != 0 ? out_valid || !waited : !out_valid);
        assert (inside <= 3 && (in_ready || inside >= 2));
        assert (!offered || (out_valid && out_data == offer));
        assert (!(watched && ahead == 0 && out_valid && given == place) || out_data == value);
    end
    // Why.
    wire [WIDTH*2*WORDS-1:0] seen_memory;
    wire [((WORDS > 1) ? $clog2(WORDS) : 1)-1:0] seen_word;
    wire [INDEX_BITS-1:0] seen_write_index, seen_read_index;
    wire [15:0] seen_frame;
    wire [1:0] seen_filled;
    wire seen_dropping;
    // Where words lie: the first of those that are not given yet at read_index, less the one that is offered.
    wire [31:0] loaded = given + out_valid;  // words of the first frame that left the memory
    wire first_left = out_valid && given == WORDS - 1;  // all of them: the frame is no longer counted as held
    wire [31:0] half = seen_read_index >= WORDS ? WORDS : 0;
    wire [31:0] making = seen_filled == 1 ? WORDS - half : half;  // where the frame that comes in begins
    always @* if (begun) begin
        assert (number < WORDS && seen_word == number && seen_frame == passed && passed < frames);
        assert (seen_dropping == lost);
        assert (seen_filled <= 2 && inside == seen_filled + first_left);
        assert (given < WORDS && seen_read_index < 2 * WORDS && seen_write_index < 2 * WORDS);
        assert (seen_read_index == half + (first_left ? 0 : loaded));
        assert (seen_write_index == making + number);
        assert (seen_filled != 0 || given + out_valid == 0 || first_left);
        assert (!lost || number == 0);
        assert (!watched || ahead < inside);
    end
    // The word to watch lies in the memory until it is loaded.
    wire [3:0] frames_on = ahead - first_left;  // from the frame at read_index on
    wire [31:0] there = (frames_on[0] ? WORDS - half : half) + place;
    wire still = watched && !(ahead == 0 && (first_left || place < loaded));
    genvar i;
    generate
        for (i = 0; i < 2 * WORDS; i = i + 1) begin : places
            always @* if (begun) begin
                if (still && there == i) assert (seen_memory[i*WIDTH +: WIDTH] == value);
                if (number > place && making + place == i) assert (seen_memory[i*WIDTH +: WIDTH] == word);
            end
        end
    endgenerate
endmodule
`default_nettype wire
