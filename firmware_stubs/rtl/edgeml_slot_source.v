// SPDX-License-Identifier: Apache-2.0
// Input population, slot by slot: a frame of SIZE integers is kept, and each slot of its window gives one bit for each.
//
// With a = x − LOW in 0 … LEVELS. ENCODING 0: spikes in the first a slots (unary, stbif). 1: one spike, in slot
// LEVELS − a (ttfs). 2: the bits of a, most significant first (sar).
//
// Spikes of slot s follow `take` by s + 2 clocks, those of `slot` and `running` by one.
`default_nettype none
module edgeml_slot_source #(
    parameter SIZE = 4,
    parameter INPUT_BITS = 2,
    parameter INPUT_SIGNED = 0,
    parameter LOW = 0,
    parameter LEVELS = 3,
    parameter ENCODING = 0,
    parameter SLOT_BITS = 2
) (
    input  wire                       clk,
    input  wire                       rst,  // synchronous, active high
    input  wire                       take,
    input  wire [SIZE*INPUT_BITS-1:0] in_data,
    input  wire                       running,
    input  wire [SLOT_BITS-1:0]       slot,
    output reg  [SIZE-1:0]            spikes
);
    localparam COUNT_BITS = $clog2(LEVELS + 1);
    localparam WIDE = ((INPUT_BITS > COUNT_BITS) ? INPUT_BITS : COUNT_BITS) + 1;
    localparam integer LOW_NUMBER = LOW, LEVELS_NUMBER = LEVELS;
    wire [31:0] wide_slot = {{(32 - SLOT_BITS){1'b0}}, slot};
    wire [31:0] left = LEVELS_NUMBER - wide_slot;
    wire unused = &{1'b0, wide_slot, left};
    initial spikes = {SIZE{1'b0}};
    genvar i;
    generate
        for (i = 0; i < SIZE; i = i + 1) begin : channel
            wire [INPUT_BITS-1:0] x = in_data[i*INPUT_BITS +: INPUT_BITS];
            wire sign = (INPUT_SIGNED != 0) && x[INPUT_BITS-1];
            wire [WIDE-1:0] above = {{(WIDE - INPUT_BITS){sign}}, x} - LOW_NUMBER[WIDE-1:0];
            wire unused_above = &{1'b0, above};
            reg [COUNT_BITS-1:0] count;
            initial count = {COUNT_BITS{1'b0}};
            wire spike;
            if (ENCODING == 0) begin : unary
                assign spike = count > wide_slot[COUNT_BITS-1:0];
            end else if (ENCODING == 1) begin : ttfs
                assign spike = count == left[COUNT_BITS-1:0];
            end else begin : sar
                assign spike = count[COUNT_BITS-1];
            end
            always @(posedge clk) begin
                if (take) count <= above[COUNT_BITS-1:0];
                else if (ENCODING == 2) count <= count << 1;
                if (rst) spikes[i] <= 1'b0;
                else spikes[i] <= running && spike;
            end
        end
    endgenerate
endmodule
`default_nettype wire
