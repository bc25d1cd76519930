// SPDX-License-Identifier: Apache-2.0
// Frames of the hardware-in-the-loop protocol, received: COBS decoded, CRC-32 checked.
//
// Bytes of a payload come out as they are decoded, without the CRC behind them; whether they are to be believed is
// known at the frame's end: `accepted` or `dropped` is high for one clock. A frame is dropped if it is damaged, if it
// is longer than LONGEST or shorter than a header, or if any of it came while `hold` was high.
`default_nettype none
module edgeml_hil_receive #(
    parameter LONGEST = 64  // bytes of a payload and its CRC
) (
    input  wire       clk,
    input  wire       rst,         // synchronous, active high
    input  wire       valid,       // a received byte
    input  wire [7:0] data,
    input  wire       hold,
    output wire       byte_valid,  // a byte of the payload
    output wire [7:0] byte_data,
    output wire       accepted,
    output wire       dropped
);
    localparam COUNT_BITS = $clog2(LONGEST + 1);
    localparam integer LONGEST_NUMBER = LONGEST;
    localparam [COUNT_BITS-1:0] FULL = LONGEST_NUMBER[COUNT_BITS-1:0];
    localparam integer SHORTEST_NUMBER = 9;  // header and CRC
    localparam [COUNT_BITS-1:0] SHORTEST = SHORTEST_NUMBER[COUNT_BITS-1:0];

    reg [7:0] code;                 // the current block's; 0 at the start of a frame
    reg [7:0] left;                 // bytes until the next code; 0: a code comes next
    reg [31:0] tail;                // the last four bytes: at the end, the CRC
    reg [2:0] filled;               // bytes in tail
    reg [COUNT_BITS-1:0] count;     // bytes decoded
    reg overflow;
    reg spoiled;                    // came while a request was answered
    reg [31:0] crc;
    wire [31:0] crc_next;

    wire ends = valid && data == 8'd0;
    wire is_code = left == 8'd0;
    // A block stands for a zero at its end, which is known to be meant when the next block begins.
    wire stores = valid && !ends && (!is_code || (code != 8'd0 && code != 8'd255));
    wire [7:0] stored = is_code ? 8'd0 : data;

    assign byte_valid = stores && filled == 3'd4 && !overflow && !spoiled && !hold;
    assign byte_data = tail[7:0];
    assign accepted = ends && !hold && !spoiled && !overflow && code != 8'd0 && is_code && count >= SHORTEST
                      && tail == ~crc;
    assign dropped = ends && !accepted;

    edgeml_crc32 check (.state(crc), .data(tail[7:0]), .next(crc_next));

    always @(posedge clk) begin
        if (rst || ends) begin
            code <= 8'd0;
            left <= 8'd0;
            tail <= 32'd0;
            filled <= 3'd0;
            count <= {COUNT_BITS{1'b0}};
            overflow <= 1'b0;
            spoiled <= 1'b0;
            crc <= 32'hFFFFFFFF;
        end else if (valid) begin
            if (hold) spoiled <= 1'b1;
            if (is_code) code <= data;
            left <= (is_code ? data : left) - 1'b1;
            if (stores) begin
                if (count == FULL) overflow <= 1'b1;
                else count <= count + 1'b1;
                tail <= {stored, tail[31:8]};
                if (filled == 3'd4) crc <= crc_next;
                else filled <= filled + 1'b1;
            end
        end
    end
endmodule
`default_nettype wire
