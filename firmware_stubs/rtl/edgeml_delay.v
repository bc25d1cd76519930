// SPDX-License-Identifier: Apache-2.0
// A value as it was CLOCKS clocks ago, one or more.
`default_nettype none
module edgeml_delay #(
    parameter WIDTH = 8,
    parameter CLOCKS = 2
) (
    input  wire             clk,
    input  wire [WIDTH-1:0] in_data,
    output wire [WIDTH-1:0] out_data
);
    reg [WIDTH-1:0] past [0:CLOCKS-1];
    integer i;
    initial for (i = 0; i < CLOCKS; i = i + 1) past[i] = {WIDTH{1'b0}};
    always @(posedge clk) begin
        past[0] <= in_data;
        for (i = 1; i < CLOCKS; i = i + 1) past[i] <= past[i-1];
    end
    assign out_data = past[CLOCKS-1];
endmodule
`default_nettype wire
