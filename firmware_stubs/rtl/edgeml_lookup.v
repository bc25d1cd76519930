// SPDX-License-Identifier: Apache-2.0
// Lookup unit: y[c] = table[x[c]], the same table for all channels, LANES channels per clock, one clock later.
//
// TABLE_FILE: 2^INPUT_BITS words for $readmemh, by the bits of x read as a number that is not negative.
`default_nettype none
module edgeml_lookup #(
    parameter LANES = 1,
    parameter INPUT_BITS = 8,
    parameter OUTPUT_BITS = 8,
    parameter TABLE_FILE = ""
) (
    input  wire                         clk,
    input  wire                         rst,  // synchronous, active high
    input  wire                         in_push,
    input  wire [LANES*INPUT_BITS-1:0]  in_data,
    output reg                          push,
    output wire [LANES*OUTPUT_BITS-1:0] push_data
);
    always @(posedge clk) begin
        if (rst) push <= 1'b0;
        else push <= in_push;
    end

    genvar p;
    generate
        for (p = 0; p < LANES; p = p + 1) begin : lane
            reg [OUTPUT_BITS-1:0] table_rom [0:(1<<INPUT_BITS)-1];
            initial $readmemh(TABLE_FILE, table_rom);
            reg [OUTPUT_BITS-1:0] result;
            always @(posedge clk) result <= table_rom[in_data[p*INPUT_BITS +: INPUT_BITS]];
            assign push_data[p*OUTPUT_BITS +: OUTPUT_BITS] = result;
        end
    endgenerate
endmodule
`default_nettype wire
