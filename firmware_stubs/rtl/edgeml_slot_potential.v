// SPDX-License-Identifier: Apache-2.0
// What the currents of a window build up, one slot per clock, from START on; all modulo 2^BITS.
//
// `first` and `last` go with the currents of the first and the last slot, in the same clock if there is but one.
// RULE 0: the sum (unary, stbif, graded). 1: double it in each slot, then add (sar: the first slots weigh more).
// 2: the sum of the currents flows in each slot (ttfs: a spike adds its weight in every slot from its own on).
//
// `sum` holds the slot of its clock (RULE 2: the one before); `potential` follows `last` by one clock (RULE 2: two).
`default_nettype none
module edgeml_slot_potential #(
    parameter RULE = 0,
    parameter SLOTS = 3,
    parameter BITS = 8,
    parameter [BITS-1:0] START = 0
) (
    input  wire            clk,
    input  wire            first,
    input  wire            last,
    input  wire [BITS-1:0] current,
    output reg  [BITS-1:0] potential
);
    localparam [BITS-1:0] NONE = 0;
    reg [BITS-1:0] kept;
    wire [BITS-1:0] sum;
    wire done;
    initial begin
        potential = NONE;
        kept = NONE;
    end
    generate
        if (SLOTS == 1) begin : at_once
            assign sum = START + current;
            assign done = last;
            wire unused = &{1'b0, first, kept};
        end else if (RULE == 1) begin : doubled
            assign sum = (first ? NONE : kept << 1) + current + (last ? START : NONE);
            assign done = last;
        end else if (RULE == 2) begin : flowing
            reg [BITS-1:0] flow;
            reg begins;
            reg ends;
            initial begin
                flow = NONE;
                begins = 1'b0;
                ends = 1'b0;
            end
            always @(posedge clk) begin
                flow <= (first ? NONE : flow) + current;
                begins <= first;
                ends <= last;
            end
            assign sum = (begins ? START : kept) + flow;
            assign done = ends;
        end else begin : summed
            assign sum = (first ? START : kept) + current;
            assign done = last;
        end
    endgenerate
    always @(posedge clk) begin
        kept <= sum;
        if (done) potential <= sum;
    end
endmodule
`default_nettype wire
