// SPDX-License-Identifier: Apache-2.0
// One lane of a requantize unit for the rules that are defined in floating point, computed on integers: fp32_rne
// (KEPT = 24) and float64_away (KEPT = 53).
//
//   product = |value| · factor, rounded to KEPT significant bits, ties to even, as the format rounds it
//   rounded = product · 2^−(RIGHT + more) with the sign of value, to the nearest integer; ties go to even with
//   TIES_EVEN, else away from zero
//   result = clip(rounded + ZERO_POINT, LOW, HIGH)
//
// A value of more than KEPT bits is rounded to KEPT bits before, as its conversion does. The result comes 6 clocks
// after value, factor and more, 8 where INPUT_BITS > KEPT.
`default_nettype none
module edgeml_rescale_float #(
    parameter INPUT_BITS = 16,
    parameter INPUT_SIGNED = 1,
    parameter KEPT = 24,       // significant bits of the format, and of the factor
    parameter TIES_EVEN = 1,
    parameter RIGHT = 24,      // places to shift right at least, 1 or more
    parameter MORE_BITS = 1,
    parameter ZERO_POINT = 0,
    parameter LOW = -128,
    parameter HIGH = 127,
    parameter OUTPUT_BITS = 8
) (
    input  wire                   clk,
    input  wire [INPUT_BITS-1:0]  value,
    input  wire [KEPT-1:0]        factor,
    input  wire [MORE_BITS-1:0]   more,
    output wire [OUTPUT_BITS-1:0] result
);
    // ---- the magnitude, as the format holds it
    wire negative = (INPUT_SIGNED != 0) && value[INPUT_BITS-1];
    wire [INPUT_BITS-1:0] magnitude = negative ? -value : value;
    wire [INPUT_BITS:0] converted;
    wire [KEPT-1:0] multiplier;
    wire [MORE_BITS:0] aside;  // the sign, and places to shift
    generate
        if (INPUT_BITS > KEPT) begin : conversion
            edgeml_significand #(.WIDTH(INPUT_BITS), .KEPT(KEPT)) rounding (
                .clk(clk), .value(magnitude), .rounded(converted)
            );
            reg [2*KEPT-1:0] factors;
            reg [2*MORE_BITS+1:0] asides;
            always @(posedge clk) begin
                factors <= {factors[KEPT-1:0], factor};
                asides <= {asides[MORE_BITS:0], negative, more};
            end
            assign multiplier = factors[2*KEPT-1:KEPT];
            assign aside = asides[2*MORE_BITS+1:MORE_BITS+1];
        end else begin : exact
            assign converted = {1'b0, magnitude};
            assign multiplier = factor;
            assign aside = {negative, more};
        end
    endgenerate
    localparam ASIDE_BITS = MORE_BITS + 1;
    reg [4*ASIDE_BITS-1:0] held;
    always @(posedge clk) held <= {held[3*ASIDE_BITS-1:0], aside};
    wire [MORE_BITS-1:0] shift = held[3*ASIDE_BITS +: MORE_BITS];
    wire sign = held[4*ASIDE_BITS-1];

    // ---- the product, and its rounding to the format
    localparam PRODUCT_BITS = INPUT_BITS + 1 + KEPT;
    reg [PRODUCT_BITS-1:0] product;
    reg [PRODUCT_BITS-1:0] product_held;
    always @(posedge clk) begin
        product <= {{KEPT{1'b0}}, converted} * {{(INPUT_BITS + 1){1'b0}}, multiplier};
        product_held <= product;
    end
    wire [PRODUCT_BITS:0] kept;
    edgeml_significand #(.WIDTH(PRODUCT_BITS), .KEPT(KEPT)) rounding (
        .clk(clk), .value(product_held), .rounded(kept)
    );

    // ---- to an integer: bit 0 of `shifted` is the half, what falls off below it breaks ties
    localparam WIDE = ((PRODUCT_BITS + 1 > RIGHT) ? PRODUCT_BITS + 1 : RIGHT) + 1;
    localparam SHIFTED_BITS = WIDE - RIGHT + 1;
    wire [WIDE-1:0] start = {{(WIDE - PRODUCT_BITS - 1){1'b0}}, kept};
    wire [SHIFTED_BITS-1:0] whole = start[WIDE-1:RIGHT-1];
    wire [SHIFTED_BITS-1:0] shifted = whole >> shift;
    wire [SHIFTED_BITS-1:0] back = shifted << shift;
    wire below;
    generate
        if (RIGHT > 1) begin : bits_below
            assign below = (back != whole) || (start[RIGHT-2:0] != {(RIGHT-1){1'b0}});
        end else begin : none_below
            assign below = back != whole;
        end
    endgenerate
    wire up = shifted[0] && (TIES_EVEN == 0 || below || shifted[1]);
    wire unused_below = &{1'b0, below};
    reg signed [SHIFTED_BITS:0] rounded;
    wire [SHIFTED_BITS:0] nearest = {2'b00, shifted[SHIFTED_BITS-1:1]} + {{SHIFTED_BITS{1'b0}}, up};
    always @(posedge clk) rounded <= sign ? -nearest : nearest;

    edgeml_clip #(
        .INPUT_BITS(SHIFTED_BITS + 1), .OFFSET(ZERO_POINT), .LOW(LOW), .HIGH(HIGH), .OUTPUT_BITS(OUTPUT_BITS)
    ) clip (.clk(clk), .value(rounded), .result(result));
endmodule
`default_nettype wire
