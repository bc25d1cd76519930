// SPDX-License-Identifier: Apache-2.0
// For any bytes whatever: what a frame stands for comes out byte by byte, without the four bytes of CRC at its end; a frame
// is accepted where it is sound COBS, of 9 to LONGEST bytes, its CRC is that of the bytes before it, and none of it came
// while `hold` was high; each other zero drops what came before it. A frame is judged by its own bytes alone: each zero
// leaves the unit as a reset does, so that after whatever came a good frame is taken.
//
// `edgeml_crc32` is proved by itself to be the CRC's step for each state and byte.
`default_nettype none
// What a COBS frame stands for, byte by byte: a code c, then c − 1 bytes that are not zero; behind each such block but one
// of code 255 a zero, unless the frame ends there. A zero ends the frame, which is sound where a block has ended.
module cobs_decoder (
    input wire       clk,
    input wire       rst,
    input wire       valid,
    input wire [7:0] data,
    output wire       gives,      // a byte of what was encoded
    output wire [7:0] byte_given,
    output wire       ends,
    output wire       sound,
    output reg        inside,     // a code came
    output reg [7:0]  rest,       // bytes left of the block
    output reg        owes        // the block stands for a zero behind it, if another one follows
);
    wire code = rest == 0;
    assign ends = valid && data == 0;
    assign gives = valid && !ends && (!code || (inside && owes));
    assign byte_given = code ? 8'd0 : data;
    assign sound = inside && code;
    always @(posedge clk) begin
        if (rst || ends) begin
            inside <= 1'b0;
            rest <= 8'd0;
            owes <= 1'b0;
        end else if (valid) begin
            inside <= 1'b1;
            rest <= (code ? data : rest) - 8'd1;
            if (code) owes <= data != 255;
        end
    end
endmodule

module prove_hil_receive #(
    parameter LONGEST = 64
) (
    input wire       clk,
    input wire       rst,
    input wire       valid,
    input wire [7:0] data,
    input wire       hold
);
    wire byte_valid, accepted, dropped;
    wire [7:0] byte_data;
    edgeml_hil_receive #(.LONGEST(LONGEST)) unit (
        .clk(clk), .rst(rst), .valid(valid), .data(data), .hold(hold), .byte_valid(byte_valid), .byte_data(byte_data),
        .accepted(accepted), .dropped(dropped)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    wire gives, ends, sound, inside, owes;
    wire [7:0] given, rest;
    cobs_decoder frame (
        .clk(clk), .rst(rst), .valid(valid), .data(data), .gives(gives), .byte_given(given), .ends(ends), .sound(sound),
        .inside(inside), .rest(rest), .owes(owes)
    );
    localparam BITS = $clog2(LONGEST + 2);
    reg [BITS-1:0] count;  // bytes that the frame stands for so far, LONGEST + 1 where they are more
    reg [31:0] latest;     // the last four of them, the newest highest
    reg [31:0] crc;        // of those before
    reg held;              // some byte of the frame came while `hold` was high
    wire [31:0] crc_next;
    edgeml_crc32 step (.state(crc), .data(latest[7:0]), .next(crc_next));
    always @(posedge clk) begin
        if (rst || ends) begin
            count <= 0;
            latest <= 0;
            crc <= 32'hFFFFFFFF;
            held <= 1'b0;
        end else if (valid) begin
            held <= held || hold;
            if (gives && count <= LONGEST) count <= count + 1;
            if (gives) latest <= {given, latest[31:8]};
            if (gives && count >= 4) crc <= crc_next;
        end
    end
    // Contract.
    always @* if (begun) begin
        assert (byte_valid == (gives && count >= 4 && count <= LONGEST && !held && !hold));
        assert (!byte_valid || byte_data == latest[7:0]);
        assert (accepted == (ends && sound && count >= 9 && count <= LONGEST && latest == ~crc && !held && !hold));
        assert (dropped == (ends && !accepted));
    end
    // Why.
    wire [7:0] seen_code, seen_left;
    wire [31:0] seen_tail, seen_crc;
    wire [2:0] seen_filled;
    wire [$clog2(LONGEST+1)-1:0] seen_count;
    wire seen_overflow, seen_spoiled;
    always @* if (begun) begin
        assert (count <= LONGEST + 1 && (inside || (rest == 0 && count == 0)));
        assert ((seen_code != 0) == inside && (!inside || (seen_code != 255) == owes) && seen_left == rest);
        assert (seen_tail == latest && seen_crc == crc && seen_filled == (count < 4 ? count : 4));
        assert (seen_count == (count <= LONGEST ? count : LONGEST) && seen_overflow == (count > LONGEST));
        assert (seen_spoiled == held);
    end
endmodule
`default_nettype wire
