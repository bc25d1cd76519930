// SPDX-License-Identifier: Apache-2.0
// Membranes of a layer of neurons and the synapses before them: WORDS words of PE membranes each.
//
// clear: word `at` takes its start value. add: for an event, word `at` gets amount · weight[channel, word] one clock
// later. write: word `at` becomes write_data. One of the three at a time; what was added is seen two clocks after `add`.
//
// WEIGHT_FILE: CHANNELS · WORDS words for $readmemh, word channel · WORDS + w; in each, the weight of neuron
// w · PE + p at bits p · WEIGHT_BITS. START_FILE: WORDS words of PE start values.
`default_nettype none
module edgeml_membranes #(
    parameter PE = 1,
    parameter WORDS = 1,
    parameter CHANNELS = 1,
    parameter WEIGHT_BITS = 2,    // two's complement
    parameter AMOUNT_BITS = 2,    // two's complement
    parameter MEMBRANE_BITS = 8,  // two's complement
    parameter WORD_BITS = 1,
    parameter CHANNEL_BITS = 1,
    parameter WEIGHT_FILE = "",
    parameter START_FILE = ""
) (
    input  wire                        clk,
    input  wire                        rst,  // synchronous, active high
    input  wire                        clear,
    input  wire                        add,
    input  wire                        write,
    input  wire [WORD_BITS-1:0]        at,
    input  wire [CHANNEL_BITS-1:0]     channel,
    input  wire [AMOUNT_BITS-1:0]      amount,
    input  wire [PE*MEMBRANE_BITS-1:0] write_data,
    output wire [PE*MEMBRANE_BITS-1:0] membranes  // word `at`
);
    localparam DEPTH = CHANNELS * WORDS;
    localparam ADDRESS_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1;
    localparam PRODUCT_BITS = WEIGHT_BITS + AMOUNT_BITS;
    localparam integer WORDS_NUMBER = WORDS;

    reg [PE*WEIGHT_BITS-1:0] weights [0:DEPTH-1];
    reg [PE*MEMBRANE_BITS-1:0] starts [0:WORDS-1];
    reg [PE*MEMBRANE_BITS-1:0] memory [0:WORDS-1];
    integer i;
    initial begin
        $readmemh(WEIGHT_FILE, weights);
        $readmemh(START_FILE, starts);
        for (i = 0; i < WORDS; i = i + 1) memory[i] = {PE*MEMBRANE_BITS{1'b0}};
    end

    wire [31:0] address = {{(32 - CHANNEL_BITS){1'b0}}, channel} * WORDS_NUMBER + {{(32 - WORD_BITS){1'b0}}, at};
    wire unused = &{1'b0, address};
    reg [PE*WEIGHT_BITS-1:0] row;
    reg adding;
    reg [WORD_BITS-1:0] adding_at;
    reg signed [AMOUNT_BITS-1:0] adding_amount;
    always @(posedge clk) row <= weights[address[ADDRESS_BITS-1:0]];
    always @(posedge clk) begin
        if (rst) begin
            adding <= 1'b0;
            adding_at <= {WORD_BITS{1'b0}};
            adding_amount <= {AMOUNT_BITS{1'b0}};
        end else begin
            adding <= add;
            adding_at <= at;
            adding_amount <= amount;
        end
    end

    wire [PE*MEMBRANE_BITS-1:0] old_word = memory[adding_at];
    wire [PE*MEMBRANE_BITS-1:0] new_word;
    genvar p;
    generate
        for (p = 0; p < PE; p = p + 1) begin : lane
            wire signed [WEIGHT_BITS-1:0] weight = row[p*WEIGHT_BITS +: WEIGHT_BITS];
            wire signed [PRODUCT_BITS-1:0] product = weight * adding_amount;
            wire signed [MEMBRANE_BITS-1:0] more;
            if (MEMBRANE_BITS > PRODUCT_BITS) begin : wider
                assign more = {{(MEMBRANE_BITS - PRODUCT_BITS){product[PRODUCT_BITS-1]}}, product};
            end else begin : same
                assign more = product[MEMBRANE_BITS-1:0];
                wire unused_product = &{1'b0, product};
            end
            assign new_word[p*MEMBRANE_BITS +: MEMBRANE_BITS] = old_word[p*MEMBRANE_BITS +: MEMBRANE_BITS] + more;
        end
    endgenerate

    always @(posedge clk) begin
        if (adding) memory[adding_at] <= new_word;
        else if (clear) memory[at] <= starts[at];
        else if (write) memory[at] <= write_data;
    end
    assign membranes = memory[at];
endmodule
`default_nettype wire
