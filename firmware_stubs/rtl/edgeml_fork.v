// SPDX-License-Identifier: Apache-2.0
// Sends every value of a stream to several takers; each takes it when it can, the next comes when all have it.
`default_nettype none
module edgeml_fork #(
    parameter TAKERS = 2
) (
    input  wire              clk,
    input  wire              rst,  // synchronous, active high
    input  wire              in_valid,
    output wire              in_ready,
    output wire [TAKERS-1:0] out_valid,
    input  wire [TAKERS-1:0] out_ready
);
    reg [TAKERS-1:0] served;
    wire [TAKERS-1:0] done = served | out_ready;
    assign out_valid = {TAKERS{in_valid}} & ~served;
    assign in_ready = &done;

    always @(posedge clk) begin
        if (rst) served <= {TAKERS{1'b0}};
        else if (in_valid) served <= in_ready ? {TAKERS{1'b0}} : done;
    end
endmodule
`default_nettype wire
