// SPDX-License-Identifier: Apache-2.0
// For any payload, of any length, at any pace on both sides: the frame that is sent stands for the payload and its CRC, byte
// by byte, none lost, doubled or overtaken, and is sound COBS that ends with its only zero; `done` comes with that zero.
// With `prove_hil_receive`, which says the same of the same decoder, what is received is what was sent.
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

module prove_hil_send (
    input wire       clk,
    input wire       rst,
    input wire       put,
    input wire [7:0] put_data,
    input wire       finish,
    input wire       tx_ready,
    input wire       choose,       // the byte that is put is the one to watch, or at the end one of the CRC
    input wire [1:0] chosen
);
    wire ready, done, tx_valid;
    wire [7:0] tx_data;
    edgeml_hil_send unit (
        .clk(clk), .rst(rst), .put(put), .put_data(put_data), .finish(finish), .ready(ready), .done(done),
        .tx_valid(tx_valid), .tx_ready(tx_ready), .tx_data(tx_data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume ((begun || rst) && !(put && finish));
    wire sends = tx_valid && tx_ready;
    wire gives, ends, sound, inside, owes;
    wire [7:0] given, rest;
    cobs_decoder frame (
        .clk(clk), .rst(rst), .valid(sends), .data(tx_data), .gives(gives), .byte_given(given), .ends(ends),
        .sound(sound), .inside(inside), .rest(rest), .owes(owes)
    );
    reg [31:0] crc;        // of what was put
    reg finished;          // the CRC is part of the frame
    reg [8:0] waiting;     // bytes of payload and CRC that the frame does not stand for yet
    wire [31:0] crc_next;
    edgeml_crc32 step (.state(crc), .data(put_data), .next(crc_next));
    wire puts = put && ready;
    wire ending = finish && ready;
    // Any one byte: watched from when it is put on, with so many ahead of it.
    reg watched;
    reg [8:0] ahead;
    reg [7:0] value;
    reg stands;            // what is offered, and was not taken
    reg [7:0] offered;
    reg [2:0] quiet;       // clocks in which neither side could do anything
    wire [7:0] crc_byte = (~crc) >> (8 * chosen);
    always @(posedge clk) begin
        if (rst || ends) crc <= 32'hFFFFFFFF;
        else if (puts) crc <= crc_next;
        finished <= !rst && !ends && (finished || ending);
        waiting <= rst ? 0 : waiting + puts + (ending ? 4 : 0) - gives;
        watched <= !rst && (watched ? !(gives && ahead == 0) : choose && (puts || ending));
        ahead <= watched ? ahead - gives : waiting - gives + (ending ? chosen : 0);
        if (!watched) value <= ending ? crc_byte : put_data;
        stands <= !rst && tx_valid && !tx_ready;
        offered <= tx_data;
        quiet <= rst || ready || tx_valid ? 0 : quiet + 1;
    end
    // Contract.
    always @* if (begun) begin
        assert (!gives || waiting != 0);
        assert (!watched || ahead < waiting);
        assert (!gives || !watched || ahead != 0 || given == value);
        assert (!ends || (sound && finished && waiting == 0));
        assert (done == ends);
        assert (!ready || !finished);
        assert (!stands || (tx_valid && tx_data == offered));
        assert (quiet <= 6);
    end
    // Why: the bytes that wait are a zero that is owed, those of the block, a zero behind it, and the rest of the CRC.
    wire [1:0] seen_state;
    wire seen_finishing, seen_last;
    wire [2:0] seen_crc_index;
    wire [31:0] seen_crc;
    wire [8*256-1:0] seen_block;
    wire [7:0] seen_block_data, seen_count, seen_index;
    wire collects = seen_state == 0, codes = seen_state == 1, blocks = seen_state == 2, zeros = seen_state == 3;
    wire [8:0] first = !blocks && inside && owes;
    wire [8:0] block = blocks ? seen_count - seen_index : zeros ? 0 : seen_count;
    wire [8:0] behind = (codes || blocks) && !seen_last && seen_count != 254;
    wire [8:0] held = zeros ? 0 : first + block + behind;
    wire [8:0] crc_left = finished ? 4 - seen_crc_index : 0;
    wire [8:0] crc_place = ahead - held;
    wire [7:0] crc_there = seen_crc >> (8 * crc_place);
    // Where the watched byte stands in the block, if it does.
    wire lands = watched ? finished && collects && seen_crc_index != 4 && crc_place == 0 && seen_crc[7:0] != 0
                         : choose && puts && put_data != 0;
    reg in_block;
    reg [7:0] place;
    always @(posedge clk) begin
        in_block <= !rst && (lands || (in_block && !(gives && ahead == 0)));
        if (lands) place <= seen_count;
    end
    always @* if (begun) begin
        assert (in_block == (watched && ahead >= first && ahead < first + block));
        assert (!in_block || ahead == first + place - (blocks ? seen_index : 8'd0));
        assert (seen_finishing == finished && (finished || seen_crc == crc) && (!finished || seen_crc_index <= 4));
        assert (!seen_last || (finished && seen_crc_index == 4 && !collects && seen_count <= 253));
        assert (waiting == held + crc_left);
        assert (blocks || rest == 0);
        assert (!collects || (seen_count <= 253 && seen_index == 0));
        assert (!codes || (seen_count <= 254 && seen_index == 0));
        assert (!blocks || (inside && seen_index < seen_count && seen_count <= 254));
        assert (!blocks || (rest == seen_count - seen_index && owes == (seen_count != 254)));
        assert (!zeros || (inside && seen_last && seen_count == 0 && seen_index == 0));
        if (collects && finished) assert (quiet <= 1 + seen_crc_index);
        if (collects && !finished) assert (quiet == 0);
        if (watched && ahead < held && first == 1 && ahead == 0) assert (value == 0);
        if (watched && ahead < held && ahead >= first + block) assert (value == 0);
        if (watched && ahead >= held) assert (value == crc_there);
    end
    genvar i;
    generate
        for (i = 0; i < 256; i = i + 1) begin : places
            wire [7:0] there = seen_block[8*i +: 8];
            always @* if (begun) begin
                assert (zeros || i >= seen_count || there != 0);
                assert (!blocks || seen_index != i || seen_block_data == there);
                if (in_block && place == i) assert (value == there);
            end
        end
    endgenerate
endmodule
`default_nettype wire
