// SPDX-License-Identifier: Apache-2.0
// Frames of the hardware-in-the-loop protocol, sent: takes a payload byte by byte, appends its CRC-32, encodes by COBS.
//
// A byte is taken when `put` and `ready`; after the last one, `finish` and `ready` end the frame. `done` is high for
// one clock when the zero behind the frame has been handed on.
`default_nettype none
module edgeml_hil_send (
    input  wire       clk,
    input  wire       rst,       // synchronous, active high
    input  wire       put,
    input  wire [7:0] put_data,
    input  wire       finish,
    output wire       ready,
    output wire       done,
    output wire       tx_valid,
    input  wire       tx_ready,
    output wire [7:0] tx_data
);
    localparam [1:0] COLLECT = 2'd0, CODE = 2'd1, BLOCK = 2'd2, ZERO = 2'd3;

    reg [1:0] state;
    reg finishing;             // the CRC is next
    reg [2:0] crc_index;       // bytes of it that are in a block
    reg last;                  // the frame's last block is being sent
    reg [31:0] crc;            // inverted and shifted out while finishing
    wire [31:0] crc_next;
    reg [7:0] block [0:255];   // bytes that are not zero, sent behind their number + 1
    reg [7:0] block_data;
    reg [7:0] count;
    reg [7:0] index;

    integer i;
    initial for (i = 0; i < 256; i = i + 1) block[i] = 8'd0;

    edgeml_crc32 check (.state(crc), .data(put_data), .next(crc_next));

    wire collected = finishing && crc_index == 3'd4;
    wire takes = state == COLLECT && (finishing ? !collected : put);
    wire [7:0] taken = finishing ? crc[7:0] : put_data;
    wire stores = takes && taken != 8'd0;
    wire sent = tx_valid && tx_ready;
    wire [7:0] read_next = state != BLOCK ? 8'd0 : sent ? index + 1'b1 : index;
    wire block_ends = state == CODE ? count == 8'd0 : index + 1'b1 == count;

    assign ready = state == COLLECT && !finishing;
    assign tx_valid = state != COLLECT;
    assign tx_data = state == CODE ? count + 1'b1 : state == BLOCK ? block_data : 8'd0;
    assign done = state == ZERO && tx_ready;

    always @(posedge clk) begin
        if (stores) block[count] <= taken;
        block_data <= rst ? 8'd0 : block[read_next];
    end

    always @(posedge clk) begin
        if (rst) begin
            state <= COLLECT;
            finishing <= 1'b0;
            crc_index <= 3'd0;
            last <= 1'b0;
            crc <= 32'hFFFFFFFF;
            count <= 8'd0;
            index <= 8'd0;
        end else begin
            if (ready && finish) begin
                finishing <= 1'b1;
                crc_index <= 3'd0;
                crc <= ~crc;
            end
            if (takes) begin
                if (finishing) begin
                    crc <= {8'd0, crc[31:8]};
                    crc_index <= crc_index + 1'b1;
                end else begin
                    crc <= crc_next;
                end
                if (stores) count <= count + 1'b1;
                if (!stores || count == 8'd253) state <= CODE;
            end
            if (state == COLLECT && collected) begin
                state <= CODE;
                last <= 1'b1;
            end
            if (sent) begin
                index <= read_next;
                if (state == ZERO) begin
                    state <= COLLECT;
                    finishing <= 1'b0;
                    last <= 1'b0;
                    crc <= 32'hFFFFFFFF;
                end else if (block_ends) begin
                    state <= last ? ZERO : COLLECT;
                    count <= 8'd0;
                    index <= 8'd0;
                end else begin
                    state <= BLOCK;
                end
            end
        end
    end
endmodule
`default_nettype wire
