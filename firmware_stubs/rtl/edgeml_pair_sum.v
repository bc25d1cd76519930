// SPDX-License-Identifier: Apache-2.0
// Sum of two numbers, modulo 2^BITS: one carry chain.
//
// A module of its own, so that synthesis can be told to make one carry chain of each sum (yosys: `alumacc` on this
// module before anything is flattened). Left alone, yosys joins the sums of a tree into carry-save adders, which take
// one and a half times to twice the lookup tables.
`default_nettype none
module edgeml_pair_sum #(
    parameter BITS = 4
) (
    input  wire [BITS-1:0] left,
    input  wire [BITS-1:0] right,
    output wire [BITS-1:0] sum
);
    assign sum = left + right;
endmodule
`default_nettype wire
