// SPDX-License-Identifier: Apache-2.0
// One lane of a requantize unit for the rules that compute in integers: double_rounding, ruy_half_up and shift.
//
//   MULTIPLIES = 1:  h = (value · multiplier + 2^30) >> 31, arithmetic;   MULTIPLIES = 0:  h = value
//   rounded = h · 2^−(RIGHT + more), to the nearest integer; ties go up, with TIES_AWAY away from zero
//   result = clip(rounded + ZERO_POINT, LOW, HIGH)
//
// A factor of one and more has its left shift in the multiplier. The result comes 4 clocks (2 without a
// multiplication) after value, multiplier and more.
`default_nettype none
module edgeml_rescale_fixed #(
    parameter INPUT_BITS = 16,
    parameter INPUT_SIGNED = 1,
    parameter MULTIPLIES = 1,
    parameter MULTIPLIER_BITS = 31,  // not negative
    parameter TIES_AWAY = 0,
    parameter RIGHT = 0,             // places to shift right at least
    parameter MORE_BITS = 1,
    parameter ZERO_POINT = 0,
    parameter LOW = -128,
    parameter HIGH = 127,
    parameter OUTPUT_BITS = 8
) (
    input  wire                       clk,
    input  wire [INPUT_BITS-1:0]      value,
    input  wire [MULTIPLIER_BITS-1:0] multiplier,
    input  wire [MORE_BITS-1:0]       more,
    output wire [OUTPUT_BITS-1:0]     result
);
    localparam VALUE_BITS = INPUT_BITS + ((INPUT_SIGNED != 0) ? 0 : 1);
    localparam PRODUCT_BITS = VALUE_BITS + MULTIPLIER_BITS + 1;
    // Room for the rounded product, and at least for the half of a shift by RIGHT.
    localparam HIGH_BITS = (MULTIPLIES != 0) ? ((PRODUCT_BITS > 32) ? PRODUCT_BITS - 31 : 2) : VALUE_BITS;

    wire signed [VALUE_BITS-1:0] wide;
    generate
        if (INPUT_SIGNED != 0) begin : input_signed
            assign wide = value;
        end else begin : input_unsigned
            assign wide = {1'b0, value};
        end
    endgenerate

    // ---- the product without its last 31 bits
    wire signed [HIGH_BITS-1:0] high;
    wire [MORE_BITS-1:0] high_more;
    generate
        if (MULTIPLIES != 0) begin : multiplication
            wire signed [PRODUCT_BITS-1:0] factor = {{(PRODUCT_BITS - MULTIPLIER_BITS){1'b0}}, multiplier};
            reg signed [PRODUCT_BITS-1:0] product;
            reg signed [HIGH_BITS-1:0] high_held;
            reg [MORE_BITS-1:0] product_more;
            reg [MORE_BITS-1:0] more_held;
            localparam SUM_BITS = (PRODUCT_BITS > 32) ? PRODUCT_BITS : 33;
            wire signed [SUM_BITS-1:0] product_wide = {{(SUM_BITS-PRODUCT_BITS+1){product[PRODUCT_BITS-1]}},
                product[PRODUCT_BITS-2:0]};
            wire signed [SUM_BITS-1:0] nudged = product_wide + $signed({{(SUM_BITS - 31){1'b0}}, 1'b1, 30'd0});
            wire unused = &{1'b0, nudged[30:0]};
            always @(posedge clk) begin
                product <= wide * factor;
                product_more <= more;
                high_held <= nudged[31 +: HIGH_BITS];
                more_held <= product_more;
            end
            assign high = high_held;
            assign high_more = more_held;
        end else begin : no_multiplication
            assign high = wide;
            assign high_more = more;
            wire unused = &{1'b0, multiplier};
        end
    endgenerate

    // ---- a shift with the half below it: bit 0 of `shifted`; what falls off below that only breaks ties
    localparam SHIFT_BITS = HIGH_BITS + 1;
    wire signed [SHIFT_BITS-1:0] start = {high, 1'b0};
    wire signed [SHIFT_BITS-1:0] shifted = (start >>> RIGHT) >>> high_more;
    wire half = shifted[0];
    wire up;
    generate
        if (TIES_AWAY != 0) begin : ties_away
            wire [SHIFT_BITS-1:0] back = (shifted << high_more) << RIGHT;
            assign up = half && (!high[HIGH_BITS-1] || back != start);
        end else begin : ties_up
            assign up = half;
        end
    endgenerate
    localparam ROUNDED_BITS = HIGH_BITS + 1;
    reg signed [ROUNDED_BITS-1:0] rounded;
    always @(posedge clk)
        rounded <= $signed({shifted[SHIFT_BITS-1], shifted[SHIFT_BITS-1:1]}) + $signed({{HIGH_BITS{1'b0}}, up});

    edgeml_clip #(
        .INPUT_BITS(ROUNDED_BITS), .OFFSET(ZERO_POINT), .LOW(LOW), .HIGH(HIGH), .OUTPUT_BITS(OUTPUT_BITS)
    ) clip (.clk(clk), .value(rounded), .result(result));
endmodule
`default_nettype wire
