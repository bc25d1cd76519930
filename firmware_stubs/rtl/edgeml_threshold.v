// SPDX-License-Identifier: Apache-2.0
// Threshold unit: y[c] = BASE + #{k : x[c] ≥ threshold[c, k]}, LANES channels per clock, two clocks later.
//
// THRESHOLD_FILE: FOLD words for $readmemh, in the order in which the values of a frame arrive; in each,
// threshold k of lane p at bits (p · LEVELS + k) · VALUE_BITS, two's complement; those of a channel ascend with k.
`default_nettype none
module edgeml_threshold #(
    parameter LANES = 1,
    parameter FOLD = 1,          // values per frame
    parameter INPUT_BITS = 8,
    parameter INPUT_SIGNED = 1,
    parameter LEVELS = 3,
    parameter OUTPUT_BITS = 2,
    parameter BASE = 0,
    parameter THRESHOLD_FILE = ""
) (
    input  wire                         clk,
    input  wire                         rst,  // synchronous, active high
    input  wire                         in_push,
    input  wire [LANES*INPUT_BITS-1:0]  in_data,
    output wire                         push,
    output wire [LANES*OUTPUT_BITS-1:0] push_data
);
    localparam INDEX_BITS = (FOLD > 1) ? $clog2(FOLD) : 1;
    localparam integer LAST_NUMBER = FOLD - 1;
    localparam [INDEX_BITS-1:0] LAST = LAST_NUMBER[INDEX_BITS-1:0];
    // Room for a threshold just above the largest value, which is never reached.
    localparam VALUE_BITS = INPUT_BITS + ((INPUT_SIGNED != 0) ? 1 : 2);
    localparam COUNT_BITS = $clog2(LEVELS + 1);
    localparam WORD = LANES * LEVELS * VALUE_BITS;

    reg [INDEX_BITS-1:0] index;
    wire [WORD-1:0] thresholds;
    reg [LANES*INPUT_BITS-1:0] values;
    reg [1:0] going;
    assign push = going[1];

    always @(posedge clk) begin
        values <= in_data;
        if (rst) begin
            index <= {INDEX_BITS{1'b0}};
            going <= 2'b00;
        end else begin
            if (in_push) index <= (index == LAST) ? {INDEX_BITS{1'b0}} : index + 1'b1;
            going <= {going[0], in_push};
        end
    end

    genvar p, k, n;
    generate
        if (FOLD > 1) begin : stored
            edgeml_rom #(
                .WORDS(FOLD), .PLACE_BITS(INDEX_BITS), .WIDTH(WORD), .LOGIC(1), .FILE(THRESHOLD_FILE)
            ) rom (.clk(clk), .place(index), .word(thresholds));
        end else begin : constant
            reg [WORD-1:0] rom [0:0];
            initial $readmemh(THRESHOLD_FILE, rom);
            assign thresholds = rom[0];
        end
        for (p = 0; p < LANES; p = p + 1) begin : lane
            wire [INPUT_BITS-1:0] bits = values[p*INPUT_BITS +: INPUT_BITS];
            wire signed [VALUE_BITS-1:0] value;
            if (INPUT_SIGNED != 0) begin : input_signed
                assign value = {bits[INPUT_BITS-1], bits};
            end else begin : input_unsigned
                assign value = {2'b00, bits};
            end
            wire [LEVELS-1:0] reached;
            for (k = 0; k < LEVELS; k = k + 1) begin : level
                wire signed [VALUE_BITS-1:0] threshold = thresholds[(p*LEVELS+k)*VALUE_BITS +: VALUE_BITS];
                assign reached[k] = value >= threshold;
            end
            // Who reaches a threshold reaches all before it: bit b of the count changes with each 2^b of them.
            wire [COUNT_BITS-1:0] count;
            for (k = 0; k < COUNT_BITS; k = k + 1) begin : digit
                wire [LEVELS-1:0] turns;
                for (n = 0; n < LEVELS; n = n + 1) begin : turn
                    assign turns[n] = ((n + 1) % (1 << k) == 0) ? reached[n] : 1'b0;
                end
                assign count[k] = ^turns;
            end
            // verilator lint_off WIDTH
            wire [OUTPUT_BITS-1:0] level_of = BASE + count;
            // verilator lint_on WIDTH
            reg [OUTPUT_BITS-1:0] result;
            always @(posedge clk) result <= level_of;
            assign push_data[p*OUTPUT_BITS +: OUTPUT_BITS] = result;
        end
    endgenerate
endmodule
`default_nettype wire
