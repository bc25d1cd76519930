// SPDX-License-Identifier: Apache-2.0
// Constants in memory: word = FILE[place], one clock later.
//
// Synthesis keeps the module apart until it is mapped. Together with deeper logic around it yosys (0.70) spends up to
// five lookup tables on a bit that is one.
`default_nettype none
(* keep_hierarchy = 1 *)
module edgeml_rom #(
    parameter WORDS = 2,
    parameter PLACE_BITS = 1,
    parameter WIDTH = 8,
    parameter LOGIC = 0,     // whether it stays out of block RAM
    parameter FILE = ""      // WORDS words for $readmemh
) (
    input  wire                  clk,
    input  wire [PLACE_BITS-1:0] place,
    output wire [WIDTH-1:0]      word
);
    reg [WIDTH-1:0] held;
    assign word = held;
    generate
        if (LOGIC != 0) begin : in_logic
            (* rom_style = "distributed", ram_style = "logic" *) reg [WIDTH-1:0] words [0:WORDS-1];
            initial $readmemh(FILE, words);
            always @(posedge clk) held <= words[place];
        end else begin : anywhere
            reg [WIDTH-1:0] words [0:WORDS-1];
            initial $readmemh(FILE, words);
            always @(posedge clk) held <= words[place];
        end
    endgenerate
endmodule
`default_nettype wire
