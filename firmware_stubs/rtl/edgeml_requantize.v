// SPDX-License-Identifier: Apache-2.0
// Requantize unit: y[c] = clip(round(x[c] · factor[c]) + ZERO_POINT, LOW, HIGH), LANES channels per clock, by a rule
// with a name. What a rule computes stands in edgeml_rescale_fixed and edgeml_rescale_float.
//
// FACTOR_FILE: FOLD words for $readmemh, in the order in which the values of a frame arrive (one word where all
// channels share a factor: FOLD = 1); in each, for lane p, FIELD = FACTOR_BITS + MORE_BITS bits from p · FIELD on:
// the multiplier, and above it how many places more than RIGHT the product is shifted right.
//
// Clocks from in_push to push: 1, and those of the lane: shift 2, double_rounding and ruy_half_up 4, fp32_rne and
// float64_away 6, or 8 where INPUT_BITS > FACTOR_BITS. LATENCY must say so.
`default_nettype none
module edgeml_requantize #(
    parameter LANES = 1,
    parameter FOLD = 1,            // words of factors
    parameter INPUT_BITS = 16,
    parameter INPUT_SIGNED = 1,
    parameter ROUNDING = "shift",  // shift, double_rounding, ruy_half_up, float64_away, fp32_rne
    parameter FACTOR_BITS = 1,
    parameter MORE_BITS = 1,
    parameter RIGHT = 0,
    parameter ZERO_POINT = 0,
    parameter LOW = -128,
    parameter HIGH = 127,
    parameter OUTPUT_BITS = 8,
    parameter LATENCY = 3,
    parameter FACTOR_FILE = ""
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
    localparam FIELD = FACTOR_BITS + MORE_BITS;
    localparam WORD = LANES * FIELD;
    // Names have different lengths; the shorter is extended with zeros.
    // verilator lint_off WIDTH
    localparam EVEN = (ROUNDING == "fp32_rne") ? 1 : 0;
    localparam FLOATING = (EVEN != 0 || ROUNDING == "float64_away") ? 1 : 0;
    localparam AWAY = (ROUNDING == "double_rounding") ? 1 : 0;
    localparam MULTIPLIES = (ROUNDING == "shift") ? 0 : 1;
    // verilator lint_on WIDTH

    reg [WORD-1:0] rom [0:FOLD-1];
    initial $readmemh(FACTOR_FILE, rom);
    reg [INDEX_BITS-1:0] index;
    reg [WORD-1:0] factors;
    reg [LANES*INPUT_BITS-1:0] values;
    reg [LATENCY-1:0] going;
    assign push = going[LATENCY-1];

    always @(posedge clk) factors <= rom[index];
    always @(posedge clk) begin
        values <= in_data;
        if (rst) begin
            index <= {INDEX_BITS{1'b0}};
            going <= {LATENCY{1'b0}};
        end else begin
            if (in_push) index <= (index == LAST) ? {INDEX_BITS{1'b0}} : index + 1'b1;
            going <= {going[LATENCY-2:0], in_push};
        end
    end

    genvar p;
    generate
        for (p = 0; p < LANES; p = p + 1) begin : lane
            wire [INPUT_BITS-1:0] value = values[p*INPUT_BITS +: INPUT_BITS];
            wire [FACTOR_BITS-1:0] factor = factors[p*FIELD +: FACTOR_BITS];
            wire [MORE_BITS-1:0] more = factors[p*FIELD+FACTOR_BITS +: MORE_BITS];
            wire [OUTPUT_BITS-1:0] result;
            if (FLOATING != 0) begin : floating
                edgeml_rescale_float #(
                    .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED), .KEPT(FACTOR_BITS),
                    .TIES_EVEN(EVEN), .RIGHT(RIGHT), .MORE_BITS(MORE_BITS),
                    .ZERO_POINT(ZERO_POINT), .LOW(LOW), .HIGH(HIGH), .OUTPUT_BITS(OUTPUT_BITS)
                ) rescale (.clk(clk), .value(value), .factor(factor), .more(more), .result(result));
            end else begin : fixed
                edgeml_rescale_fixed #(
                    .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED), .MULTIPLIES(MULTIPLIES),
                    .MULTIPLIER_BITS(FACTOR_BITS), .TIES_AWAY(AWAY), .RIGHT(RIGHT),
                    .MORE_BITS(MORE_BITS), .ZERO_POINT(ZERO_POINT), .LOW(LOW), .HIGH(HIGH), .OUTPUT_BITS(OUTPUT_BITS)
                ) rescale (.clk(clk), .value(value), .multiplier(factor), .more(more), .result(result));
            end
            assign push_data[p*OUTPUT_BITS +: OUTPUT_BITS] = result;
        end
    endgenerate
endmodule
`default_nettype wire
