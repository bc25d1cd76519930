// SPDX-License-Identifier: Apache-2.0
// One output of a matrix-vector unit: SIMD products, their sum, and an accumulator; see `edgeml_mvu`.
//
// Products are of this clock's weights and inputs. Their sum is there LEVELS / 2 clocks later, LEVELS = clog2(SIMD);
// `add` and `first` belong to that clock: whether to add it, and to `start` rather than to the sum so far.
//
// With weights of 1 bit, or of 2 where no lookup table holds a product (INPUT_BITS > 4), −x is taken as ~x = −x − 1:
// a sum is then less by the number of its negative weights, which whoever makes the constants adds to them.
`default_nettype none
module edgeml_mvu_row #(
    parameter SIMD = 1,
    parameter INPUT_BITS = 2,
    parameter INPUT_SIGNED = 0,
    parameter WEIGHT_BITS = 2,  // two's complement; 1: bit 0 is −1, bit 1 is +1
    parameter SUM_BITS = 8      // two's complement
) (
    input  wire                        clk,
    input  wire                        rst,  // synchronous, active high
    // Public, so that Verilator leaves these wires in place: what drives them differs from row to row, and put in the
    // place of the wires it would make a piece of code for each row.
    input  wire [SIMD*WEIGHT_BITS-1:0] weights /* verilator public_flat_rd */,
    input  wire [SIMD*INPUT_BITS-1:0]  inputs /* verilator public_flat_rd */,
    input  wire                        add /* verilator public_flat_rd */,
    input  wire                        first /* verilator public_flat_rd */,
    input  wire [SUM_BITS-1:0]         start /* verilator public_flat_rd */,
    output reg  [SUM_BITS-1:0]         sum
);
    // All rows of a unit are the same: simulated by one piece of code, not by a copy for each.
    /* verilator no_inline_module */
    localparam LEVELS = $clog2(SIMD);
    localparam PRODUCT_BITS = INPUT_BITS + WEIGHT_BITS;
    localparam FACTOR_BITS = INPUT_BITS + WEIGHT_BITS;

    // Bit k of weight · input for every {weight, input}; nothing where they are too many for a lookup table.
    function [63:0] product_table;
        input integer k;
        integer w, x, product;
        begin
            product_table = 64'd0;
            for (w = 0; w < ((FACTOR_BITS <= 6) ? 1 << WEIGHT_BITS : 0); w = w + 1) begin
                for (x = 0; x < (1 << INPUT_BITS); x = x + 1) begin
                    product = ((w >= (1 << (WEIGHT_BITS - 1))) ? w - (1 << WEIGHT_BITS) : w)
                        * ((INPUT_SIGNED != 0 && x >= (1 << (INPUT_BITS - 1))) ? x - (1 << INPUT_BITS) : x);
                    if (((product >> k) & 1) != 0)
                        product_table = product_table | (64'd1 << (w * (1 << INPUT_BITS) + x));
                end
            end
        end
    endfunction
    // Made once, not for each product: that takes the tools that read this time.
    localparam [6*64-1:0] TABLES = {
        product_table(5), product_table(4), product_table(3), product_table(2), product_table(1), product_table(0)
    };

    wire [SIMD*PRODUCT_BITS-1:0] products;
    genvar s;
    generate
        for (s = 0; s < SIMD; s = s + 1) begin : column
            wire [WEIGHT_BITS-1:0] weight = weights[s*WEIGHT_BITS +: WEIGHT_BITS];
            wire [INPUT_BITS-1:0] bits = inputs[s*INPUT_BITS +: INPUT_BITS];
            wire signed [PRODUCT_BITS-1:0] value;
            if (INPUT_SIGNED != 0) begin : input_signed
                assign value = {{WEIGHT_BITS{bits[INPUT_BITS-1]}}, bits};
            end else begin : input_unsigned
                assign value = {{WEIGHT_BITS{1'b0}}, bits};
            end
            if (WEIGHT_BITS == 1) begin : bipolar
                assign products[s*PRODUCT_BITS +: PRODUCT_BITS] = value ^ {PRODUCT_BITS{!weight[0]}};
            end else if (FACTOR_BITS <= 6) begin : lookup
                // Few bits: a lookup table per bit of the product.
                genvar k;
                wire unused_value = &{1'b0, value};
                for (k = 0; k < PRODUCT_BITS; k = k + 1) begin : product_bit
                    localparam [63:0] TABLE = TABLES[64*k +: 64];
                    assign products[s*PRODUCT_BITS+k] = TABLE[{{(6 - FACTOR_BITS){1'b0}}, weight, bits}];
                end
            end else if (WEIGHT_BITS == 2) begin : two_bits
                // −2, −1, 0, 1 times the value: one of 0, x, 2x, perhaps inverted; no multiplier.
                wire [PRODUCT_BITS-1:0] twice = {value[PRODUCT_BITS-2:0], 1'b0};
                wire [PRODUCT_BITS-1:0] chosen =
                    weight[0] ? value : (weight[1] ? twice : {PRODUCT_BITS{1'b0}});
                assign products[s*PRODUCT_BITS +: PRODUCT_BITS] = chosen ^ {PRODUCT_BITS{weight[1]}};
            end else begin : multiplier
                wire signed [PRODUCT_BITS-1:0] factor = {{INPUT_BITS{weight[WEIGHT_BITS-1]}}, weight};
                assign products[s*PRODUCT_BITS +: PRODUCT_BITS] = value * factor;
            end
        end
    endgenerate

    localparam FULL_BITS = PRODUCT_BITS + LEVELS;
    localparam TREE_BITS = (FULL_BITS < SUM_BITS) ? FULL_BITS : SUM_BITS;
    wire [TREE_BITS-1:0] tree_sum;
    edgeml_adder_tree #(.TERMS(SIMD), .TERM_BITS(PRODUCT_BITS), .SUM_BITS(TREE_BITS)) tree (
        .clk(clk), .terms(products), .sum(tree_sum)
    );
    wire [SUM_BITS-1:0] step_sum;
    generate
        if (SUM_BITS > TREE_BITS) begin : wider
            assign step_sum = {{(SUM_BITS - TREE_BITS){tree_sum[TREE_BITS-1]}}, tree_sum};
        end else begin : same
            assign step_sum = tree_sum;
        end
    endgenerate

    always @(posedge clk) begin
        if (rst) sum <= {SUM_BITS{1'b0}};
        else if (add) sum <= (first ? start : sum) + step_sum;
    end
endmodule
`default_nettype wire
