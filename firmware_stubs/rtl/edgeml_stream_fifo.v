// SPDX-License-Identifier: Apache-2.0
// First-in first-out buffer between two streams with valid and ready; both handshakes are registered.
`default_nettype none
module edgeml_stream_fifo #(
    parameter WIDTH = 8,  // bits of one value
    parameter DEPTH = 4   // places, 1 or more
) (
    input  wire             clk,
    input  wire             rst,  // synchronous, active high
    input  wire             in_valid,
    output wire             in_ready,
    input  wire [WIDTH-1:0] in_data,
    output wire             out_valid,
    input  wire             out_ready,
    output wire [WIDTH-1:0] out_data
);
    edgeml_fifo #(.WIDTH(WIDTH), .DEPTH(DEPTH)) fifo (
        .clk(clk), .rst(rst),
        .can_reserve(in_ready), .reserve(in_valid && in_ready),
        .push(in_valid && in_ready), .push_data(in_data),
        .valid(out_valid), .ready(out_ready), .data(out_data)
    );
endmodule
`default_nettype wire
