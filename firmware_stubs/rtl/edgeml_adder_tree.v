// SPDX-License-Identifier: Apache-2.0
// Sum of TERMS signed numbers, a register behind every second level of additions: TERMS ≤ 2^LEVELS, and the
// sum comes LEVELS / 2 (rounded down) clocks after its terms. Sums are taken modulo 2^SUM_BITS.
`default_nettype none
module edgeml_adder_tree #(
    parameter TERMS = 4,
    parameter TERM_BITS = 4,
    parameter SUM_BITS = 6,
    parameter LEVELS = $clog2(TERMS)
) (
    input  wire                       clk,
    input  wire [TERMS*TERM_BITS-1:0] terms,
    output wire [SUM_BITS-1:0]        sum
);
    genvar l, i;
    generate
        if (LEVELS == 0) begin : single
            if (SUM_BITS > TERM_BITS) begin : wider
                assign sum = {{(SUM_BITS - TERM_BITS){terms[TERM_BITS-1]}}, terms};
            end else begin : same
                assign sum = terms[SUM_BITS-1:0];
            end
            wire unused = &{1'b0, clk, terms};
        end else begin : tree
            for (l = 0; l < LEVELS; l = l + 1) begin : level
                // A level's numbers grow by one bit each, until they have all bits of the sum.
                localparam IN_BITS = (TERM_BITS + l < SUM_BITS) ? TERM_BITS + l : SUM_BITS;
                localparam OUT_BITS = (TERM_BITS + l + 1 < SUM_BITS) ? TERM_BITS + l + 1 : SUM_BITS;
                localparam IN = (TERMS + (1 << l) - 1) >> l;
                localparam OUT = (IN + 1) >> 1;
                wire [IN*IN_BITS-1:0] in;
                wire [OUT*OUT_BITS-1:0] added;
                wire [OUT*OUT_BITS-1:0] out;
                if (l == 0) begin : first
                    if (IN_BITS == TERM_BITS) begin : all_bits
                        assign in = terms;
                    end else begin : low_bits
                        for (i = 0; i < IN; i = i + 1) begin : term
                            assign in[i*IN_BITS +: IN_BITS] = terms[i*TERM_BITS +: IN_BITS];
                            wire unused = &{1'b0, terms[i*TERM_BITS +: TERM_BITS]};
                        end
                    end
                end else begin : next
                    assign in = level[l-1].out;
                end
                for (i = 0; i < OUT; i = i + 1) begin : pair
                    wire [OUT_BITS-1:0] left;
                    if (OUT_BITS > IN_BITS) begin : wider
                        assign left = {in[(2*i+1)*IN_BITS-1], in[2*i*IN_BITS +: IN_BITS]};
                    end else begin : same
                        assign left = in[2*i*IN_BITS +: IN_BITS];
                    end
                    if (2*i + 1 >= IN) begin : odd
                        assign added[i*OUT_BITS +: OUT_BITS] = left;
                    end else begin : two
                        wire [OUT_BITS-1:0] right;
                        if (OUT_BITS > IN_BITS) begin : wider
                            assign right = {in[(2*i+2)*IN_BITS-1], in[(2*i+1)*IN_BITS +: IN_BITS]};
                        end else begin : same
                            assign right = in[(2*i+1)*IN_BITS +: IN_BITS];
                        end
                        edgeml_pair_sum #(.BITS(OUT_BITS)) pair_sum (
                            .left(left), .right(right), .sum(added[i*OUT_BITS +: OUT_BITS])
                        );
                    end
                end
                if (l % 2 == 1) begin : registered
                    reg [OUT*OUT_BITS-1:0] held;
                    always @(posedge clk) held <= added;
                    assign out = held;
                end else begin : combinational
                    assign out = added;
                end
            end
            if (TERM_BITS + LEVELS < SUM_BITS) begin : wider
                localparam LAST_BITS = TERM_BITS + LEVELS;
                assign sum = {{(SUM_BITS - LAST_BITS){level[LEVELS-1].out[LAST_BITS-1]}}, level[LEVELS-1].out};
            end else begin : same
                assign sum = level[LEVELS-1].out;
            end
            if (LEVELS == 1) begin : no_register
                wire unused = &{1'b0, clk};
            end
        end
    endgenerate
endmodule
`default_nettype wire
