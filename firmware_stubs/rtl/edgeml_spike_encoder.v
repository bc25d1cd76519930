// SPDX-License-Identifier: Apache-2.0
// Input population of a spiking network: a frame of SIZE integers, one per value, becomes events.
//
// ENCODING 0: each integer x that is not LOW becomes one event of amount x − LOW, as it comes (graded; with LOW = 0
// a current, "direct"). 1: a thermometer, slot by slot: in slots 0 … LEVELS − 1, one event of amount 1 for each
// channel whose x − LOW exceeds the slot (unary, stbif). 2: one event per channel, in slot LEVELS − (x − LOW), whose
// amount is the number of slots left: for so long its current flows (ttfs). 3: the bits of x − LOW, the highest
// first, as events of amount 2^b; as many slots as LEVELS has bits (sar).
//
// An event is {end, channel, amount}; `end` alone closes the frame. Clocks per frame, if nobody stalls: one per
// value and one for `end`; in addition slots · SIZE for the encodings 1 to 3, which look at all values per slot.
`default_nettype none
module edgeml_spike_encoder #(
    parameter SIZE = 4,
    parameter INPUT_BITS = 2,
    parameter INPUT_SIGNED = 0,
    parameter LOW = 0,
    parameter LEVELS = 3,
    parameter ENCODING = 0,
    parameter CHANNEL_BITS = 2,
    parameter AMOUNT_BITS = 3   // two's complement
) (
    input  wire                                clk,
    input  wire                                rst,  // synchronous, active high
    input  wire                                in_valid,
    output wire                                in_ready,
    input  wire [INPUT_BITS-1:0]               in_data,
    output wire                                out_valid,
    input  wire                                out_ready,
    output wire [CHANNEL_BITS+AMOUNT_BITS:0]   out_data
);
    localparam WIDE = ((INPUT_BITS + 1 > AMOUNT_BITS) ? INPUT_BITS + 1 : AMOUNT_BITS) + 1;
    localparam integer LOW_NUMBER = LOW, LAST_NUMBER = SIZE - 1;
    localparam [CHANNEL_BITS-1:0] LAST = LAST_NUMBER[CHANNEL_BITS-1:0];
    wire sign = (INPUT_SIGNED != 0) && in_data[INPUT_BITS-1];
    wire [WIDE-1:0] count = {{(WIDE - INPUT_BITS){sign}}, in_data} - LOW_NUMBER[WIDE-1:0];
    wire unused = &{1'b0, count};

    reg [CHANNEL_BITS-1:0] channel;
    reg ending;
    generate
        if (ENCODING == 0) begin : at_once
            wire silent = count == {WIDE{1'b0}};
            assign in_ready = !ending && (silent || out_ready);
            assign out_valid = ending || (in_valid && !silent);
            assign out_data = ending ? {1'b1, {(CHANNEL_BITS + AMOUNT_BITS){1'b0}}}
                : {1'b0, channel, count[AMOUNT_BITS-1:0]};
            always @(posedge clk) begin
                if (rst) begin
                    channel <= {CHANNEL_BITS{1'b0}};
                    ending <= 1'b0;
                end else if (ending) begin
                    if (out_ready) ending <= 1'b0;
                end else if (in_valid && in_ready) begin
                    channel <= (channel == LAST) ? {CHANNEL_BITS{1'b0}} : channel + 1'b1;
                    ending <= channel == LAST;
                end
            end
        end else begin : by_slots
            localparam SLOT_BITS = $clog2(LEVELS + 1);
            localparam SLOTS = (ENCODING == 3) ? SLOT_BITS : LEVELS;
            localparam integer LAST_SLOT_NUMBER = SLOTS - 1, LEVELS_NUMBER = LEVELS, TOP_NUMBER = 1 << (SLOT_BITS - 1);
            localparam [SLOT_BITS-1:0] LAST_SLOT = LAST_SLOT_NUMBER[SLOT_BITS-1:0];
            reg [SLOT_BITS-1:0] counts [0:SIZE-1];
            integer i;
            initial for (i = 0; i < SIZE; i = i + 1) counts[i] = {SLOT_BITS{1'b0}};
            reg scanning;
            reg [SLOT_BITS-1:0] slot;
            wire [SLOT_BITS-1:0] held = counts[channel];
            wire [SLOT_BITS-1:0] left = LEVELS_NUMBER[SLOT_BITS-1:0] - slot;
            wire [SLOT_BITS-1:0] place = TOP_NUMBER[SLOT_BITS-1:0] >> slot;
            wire spike = (ENCODING == 1) ? held > slot
                : ((ENCODING == 3) ? (held & place) != {SLOT_BITS{1'b0}} : held == left);
            wire [SLOT_BITS:0] amount = (ENCODING == 1) ? {{SLOT_BITS{1'b0}}, 1'b1}
                : {1'b0, (ENCODING == 3) ? place : left};
            wire moves = scanning && !ending && (!spike || out_ready);
            assign in_ready = !scanning;
            assign out_valid = ending || (scanning && spike);
            wire [AMOUNT_BITS-1:0] amount_out;
            if (AMOUNT_BITS > SLOT_BITS + 1) begin : wider
                assign amount_out = {{(AMOUNT_BITS - SLOT_BITS - 1){1'b0}}, amount};
            end else begin : same
                assign amount_out = amount[AMOUNT_BITS-1:0];
                wire unused_amount = &{1'b0, amount};
            end
            assign out_data = ending ? {1'b1, {(CHANNEL_BITS + AMOUNT_BITS){1'b0}}} : {1'b0, channel, amount_out};
            always @(posedge clk) if (in_valid && in_ready) counts[channel] <= count[SLOT_BITS-1:0];
            always @(posedge clk) begin
                if (rst) begin
                    channel <= {CHANNEL_BITS{1'b0}};
                    slot <= {SLOT_BITS{1'b0}};
                    scanning <= 1'b0;
                    ending <= 1'b0;
                end else if (ending) begin
                    if (out_ready) begin
                        ending <= 1'b0;
                        scanning <= 1'b0;
                    end
                end else if ((in_valid && in_ready) || moves) begin
                    channel <= (channel == LAST) ? {CHANNEL_BITS{1'b0}} : channel + 1'b1;
                    if (channel == LAST && !scanning) scanning <= 1'b1;
                    if (channel == LAST && scanning) begin
                        slot <= (slot == LAST_SLOT) ? {SLOT_BITS{1'b0}} : slot + 1'b1;
                        ending <= slot == LAST_SLOT;
                    end
                end
            end
        end
    endgenerate
endmodule
`default_nettype wire
