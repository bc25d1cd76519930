// SPDX-License-Identifier: Apache-2.0
// CRC-32 (IEEE 802.3: reflected, polynomial EDB88320) with one more byte; combinational.
//
// The state starts as FFFFFFFF; the CRC is the state inverted.
`default_nettype none
module edgeml_crc32 (
    input  wire [31:0] state,
    input  wire [7:0]  data,
    output wire [31:0] next
);
    function [31:0] step;
        input [31:0] unshifted;
        integer i;
        begin
            step = unshifted;
            for (i = 0; i < 8; i = i + 1) step = {1'b0, step[31:1]} ^ (step[0] ? 32'hEDB88320 : 32'd0);
        end
    endfunction

    assign next = step(state ^ {24'd0, data});
endmodule
`default_nettype wire
