// SPDX-License-Identifier: Apache-2.0
// Gates: y[c] = a[c] * b[c], LANES channels per clock; both values are taken together, one clock later their
// products are pushed.
`default_nettype none
module edgeml_multiply #(
    parameter LANES = 1,
    parameter A_BITS = 2,
    parameter A_SIGNED = 0,
    parameter B_BITS = 2,
    parameter B_SIGNED = 0,
    parameter OUTPUT_BITS = 4
) (
    input  wire                         clk,
    input  wire                         rst,  // synchronous, active high
    input  wire                         a_valid,
    output wire                         a_ready,
    input  wire [LANES*A_BITS-1:0]      a_data,
    input  wire                         b_valid,
    output wire                         b_ready,
    input  wire [LANES*B_BITS-1:0]      b_data,
    input  wire                         can_reserve,
    output wire                         reserve,
    output reg                          push,
    output wire [LANES*OUTPUT_BITS-1:0] push_data
);
    wire take = a_valid && b_valid && can_reserve;
    assign a_ready = take;
    assign b_ready = take;
    assign reserve = take;
    always @(posedge clk) begin
        if (rst) push <= 1'b0;
        else push <= take;
    end

    // A factor without a sign gets a 0 for one, so that one signed product serves all; it has as many bits as both.
    localparam WIDE = A_BITS + B_BITS + 2;
    genvar p;
    generate
        for (p = 0; p < LANES; p = p + 1) begin : lane
            wire [A_BITS-1:0] a = a_data[p*A_BITS +: A_BITS];
            wire [B_BITS-1:0] b = b_data[p*B_BITS +: B_BITS];
            wire signed [A_BITS:0] a_wide = {(A_SIGNED != 0) && a[A_BITS-1], a};
            wire signed [B_BITS:0] b_wide = {(B_SIGNED != 0) && b[B_BITS-1], b};
            wire signed [WIDE-1:0] both = a_wide * b_wide;
            wire unused = &{1'b0, both};
            reg [OUTPUT_BITS-1:0] product;
            always @(posedge clk) product <= both[OUTPUT_BITS-1:0];
            assign push_data[p*OUTPUT_BITS +: OUTPUT_BITS] = product;
        end
    endgenerate
endmodule
`default_nettype wire
