// SPDX-License-Identifier: Apache-2.0
// Entry of a pipeline that starts without a layer of its own: takes a value when its result will have a place.
`default_nettype none
module edgeml_pass #(
    parameter WIDTH = 8  // bits of one value
) (
    input  wire             in_valid,
    output wire             in_ready,
    input  wire [WIDTH-1:0] in_data,
    input  wire             can_reserve,
    output wire             reserve,
    output wire             push,
    output wire [WIDTH-1:0] push_data
);
    assign in_ready = can_reserve;
    assign reserve = in_valid && can_reserve;
    assign push = reserve;
    assign push_data = in_data;
endmodule
`default_nettype wire
