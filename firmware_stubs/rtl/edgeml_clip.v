// SPDX-License-Identifier: Apache-2.0
// result = clip(value + OFFSET, LOW, HIGH), one clock later; LOW, HIGH and OFFSET have at most 17 bits.
`default_nettype none
module edgeml_clip #(
    parameter INPUT_BITS = 16,  // two's complement
    parameter OFFSET = 0,
    parameter LOW = -128,
    parameter HIGH = 127,
    parameter OUTPUT_BITS = 8
) (
    input  wire                         clk,
    input  wire signed [INPUT_BITS-1:0] value,
    output reg  [OUTPUT_BITS-1:0]       result
);
    localparam WIDE = ((INPUT_BITS > 18) ? INPUT_BITS : 18) + 1;
    localparam integer OFFSET_NUMBER = OFFSET, LOW_NUMBER = LOW, HIGH_NUMBER = HIGH;
    localparam signed [WIDE-1:0] OFFSET_WIDE = {{(WIDE - 18){OFFSET_NUMBER[17]}}, OFFSET_NUMBER[17:0]};
    localparam signed [WIDE-1:0] LOW_WIDE = {{(WIDE - 18){LOW_NUMBER[17]}}, LOW_NUMBER[17:0]};
    localparam signed [WIDE-1:0] HIGH_WIDE = {{(WIDE - 18){HIGH_NUMBER[17]}}, HIGH_NUMBER[17:0]};
    wire signed [WIDE-1:0] wide = {{(WIDE - INPUT_BITS){value[INPUT_BITS-1]}}, value};
    wire signed [WIDE-1:0] moved = wide + OFFSET_WIDE;
    wire unused = &{1'b0, moved};
    always @(posedge clk) begin
        if (moved < LOW_WIDE) result <= LOW_NUMBER[OUTPUT_BITS-1:0];
        else if (moved > HIGH_WIDE) result <= HIGH_NUMBER[OUTPUT_BITS-1:0];
        else result <= moved[OUTPUT_BITS-1:0];
    end
endmodule
`default_nettype wire
