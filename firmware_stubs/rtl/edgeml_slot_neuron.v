// SPDX-License-Identifier: Apache-2.0
// A neuron that takes in a whole window and then fires, one slot per clock in both; the next window may come in while
// it fires. What its spikes cost is not taken off its potential but added to its threshold, which gives the same.
//
// ENCODING 0: fires in every slot whose threshold is reached, entry `slot` of THRESHOLDS, ascending (unary). 1: fires
// once, in the first such slot, thresholds descending (ttfs). 2: bit by bit from the highest; entry k − 1 is what
// the spikes so far and this one need if they stand for k (sar).
//
// Currents as in edgeml_slot_potential; `spike` follows `slot` and `running` by one clock.
`default_nettype none
module edgeml_slot_neuron #(
    parameter ENCODING = 0,
    parameter SLOTS = 3,
    parameter SLOT_BITS = 2,
    parameter RULE = 0,
    parameter WINDOW = 3,   // slots that come in
    parameter BITS = 8,
    parameter [BITS-1:0] START = 0,
    parameter ENTRIES = 3,
    parameter [ENTRIES*BITS-1:0] THRESHOLDS = 0
) (
    input  wire                 clk,
    input  wire                 rst,  // synchronous, active high
    input  wire                 first,
    input  wire                 last,
    input  wire [BITS-1:0]      current,
    input  wire                 running,
    input  wire [SLOT_BITS-1:0] slot,
    output reg                  spike
);
    wire [BITS-1:0] potential;
    edgeml_slot_potential #(.RULE(RULE), .SLOTS(WINDOW), .BITS(BITS), .START(START)) charge (
        .clk(clk), .first(first), .last(last), .current(current), .potential(potential)
    );

    wire [31:0] entry;
    reg [BITS-1:0] threshold;
    integer k;
    initial spike = 1'b0;
    always @* begin
        threshold = {BITS{1'b0}};
        for (k = 0; k < ENTRIES; k = k + 1)
            if (entry == k) threshold = threshold | THRESHOLDS[k*BITS +: BITS];
    end
    wire reached = potential >= threshold;
    wire fires;
    generate
        if (ENCODING == 2) begin : by_bits
            localparam integer TOP = 1 << (SLOTS - 1);
            localparam [SLOTS-1:0] HIGHEST = TOP[SLOTS-1:0];
            reg [SLOTS-1:0] given;
            initial given = {SLOTS{1'b0}};
            wire [SLOTS-1:0] known = (slot == {SLOT_BITS{1'b0}}) ? {SLOTS{1'b0}} : given;
            wire [SLOTS-1:0] wanted = known | (HIGHEST >> slot);
            assign entry = {{(32 - SLOTS){1'b0}}, wanted} - 32'd1;
            assign fires = reached;
            always @(posedge clk) given <= reached ? wanted : known;
        end else if (ENCODING == 1) begin : once
            reg was_reached;
            initial was_reached = 1'b0;
            assign entry = {{(32 - SLOT_BITS){1'b0}}, slot};
            assign fires = reached && (slot == {SLOT_BITS{1'b0}} || !was_reached);
            always @(posedge clk) was_reached <= reached;
        end else begin : repeatedly
            assign entry = {{(32 - SLOT_BITS){1'b0}}, slot};
            assign fires = reached;
        end
    endgenerate
    always @(posedge clk) begin
        if (rst) spike <= 1'b0;
        else spike <= running && fires;
    end
endmodule
`default_nettype wire
