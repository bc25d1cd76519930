// SPDX-License-Identifier: Apache-2.0
// Last layer of a spiking network: its membranes take in events and are given as they are when the frame has ended,
// WORDS values of PE membranes, lowest neuron first. It does not fire.
//
// Clocks of a frame, if nobody stalls: WORDS to start, WORDS per event, 1 for `end`, WORDS for the results.
`default_nettype none
module edgeml_spiking_readout #(
    parameter PE = 1,
    parameter WORDS = 1,
    parameter CHANNELS = 1,
    parameter WEIGHT_BITS = 2,
    parameter IN_CHANNEL_BITS = 1,
    parameter IN_AMOUNT_BITS = 2,
    parameter MEMBRANE_BITS = 8,
    parameter WEIGHT_FILE = "",
    parameter START_FILE = ""
) (
    input  wire                                    clk,
    input  wire                                    rst,  // synchronous, active high
    input  wire                                    in_valid,
    output wire                                    in_ready,
    input  wire [IN_CHANNEL_BITS+IN_AMOUNT_BITS:0] in_data,
    output wire                                    out_valid,
    input  wire                                    out_ready,
    output wire [PE*MEMBRANE_BITS-1:0]             out_data
);
    localparam [1:0] START = 2'd0, TAKE = 2'd1, GIVE = 2'd2;
    localparam WORD_BITS = (WORDS > 1) ? $clog2(WORDS) : 1;
    localparam integer LAST_NUMBER = WORDS - 1;
    localparam [WORD_BITS-1:0] LAST = LAST_NUMBER[WORD_BITS-1:0];

    reg [1:0] state;
    reg [WORD_BITS-1:0] word;
    wire last_word = word == LAST;
    wire in_end = in_data[IN_CHANNEL_BITS+IN_AMOUNT_BITS];
    wire event_here = state == TAKE && in_valid && !in_end;
    edgeml_membranes #(
        .PE(PE), .WORDS(WORDS), .CHANNELS(CHANNELS), .WEIGHT_BITS(WEIGHT_BITS), .AMOUNT_BITS(IN_AMOUNT_BITS),
        .MEMBRANE_BITS(MEMBRANE_BITS), .WORD_BITS(WORD_BITS), .CHANNEL_BITS(IN_CHANNEL_BITS),
        .WEIGHT_FILE(WEIGHT_FILE), .START_FILE(START_FILE)
    ) neurons (
        .clk(clk), .rst(rst), .clear(state == START), .add(event_here), .write(1'b0), .at(word),
        .channel(in_data[IN_AMOUNT_BITS +: IN_CHANNEL_BITS]), .amount(in_data[IN_AMOUNT_BITS-1:0]),
        .write_data({PE*MEMBRANE_BITS{1'b0}}), .membranes(out_data)
    );
    assign in_ready = state == TAKE && in_valid && (in_end || last_word);
    assign out_valid = state == GIVE;
    wire [WORD_BITS-1:0] next_word = last_word ? {WORD_BITS{1'b0}} : word + 1'b1;
    always @(posedge clk) begin
        if (rst) begin
            state <= START;
            word <= {WORD_BITS{1'b0}};
        end else if (state == START) begin
            word <= next_word;
            if (last_word) state <= TAKE;
        end else if (state == TAKE) begin
            if (in_valid && in_end) begin
                state <= GIVE;
                word <= {WORD_BITS{1'b0}};
            end else if (in_valid) word <= next_word;
        end else if (out_ready) begin
            word <= next_word;
            if (last_word) state <= START;
        end
    end
endmodule
`default_nettype wire
