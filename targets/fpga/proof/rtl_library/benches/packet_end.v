// SPDX-License-Identifier: Apache-2.0
// `last` stands beside the last word of the last of so many frames, packet by packet, from each reset on.
`default_nettype none
module prove_packet_end #(
    parameter WORDS = 2
) (
    input wire        clk,
    input wire        rst,
    input wire [15:0] frames,
    input wire        valid,
    input wire        ready
);
    wire last;
    edgeml_packet_end #(.WORDS(WORDS)) unit (
        .clk(clk), .rst(rst), .frames(frames), .valid(valid), .ready(ready), .last(last)
    );
    reg begun = 1'b0;
    reg was_reset;
    reg [15:0] frames_before;
    always @(posedge clk) begin
        begun <= 1'b1;
        was_reset <= rst;
        frames_before <= frames;
    end
    always @* begin
        assume (begun || rst);
        assume (frames != 0);
        assume (!begun || was_reset || frames == frames_before);
    end
    reg [31:0] word;  // of the frame, that comes next
    reg [31:0] left;  // frames of the packet, this one among them
    wire [31:0] left_now = left == 0 ? frames : left;  // 0: none of it came yet
    always @(posedge clk) begin
        if (rst) {word, left} <= 0;
        else if (valid && ready) begin
            word <= word == WORDS - 1 ? 0 : word + 1;
            left <= word == WORDS - 1 ? left_now - 1 : left_now;
        end
    end
    // Contract.
    always @* if (begun) assert (last == (word == WORDS - 1 && left_now == 1));
    // Why.
    wire [((WORDS > 1) ? $clog2(WORDS) : 1)-1:0] seen_word;
    wire [15:0] seen_frame;
    always @* if (begun) begin
        assert (word < WORDS && seen_word == word);
        assert (left_now <= frames && seen_frame == frames - left_now);
    end
endmodule
`default_nettype wire
