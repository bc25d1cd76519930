// SPDX-License-Identifier: Apache-2.0
// A number that is not negative, rounded to its KEPT highest bits from its first one on, ties to even: what a
// floating-point format with so many significant bits holds of it. Two clocks.
`default_nettype none
module edgeml_significand #(
    parameter WIDTH = 48,
    parameter KEPT = 24
) (
    input  wire             clk,
    input  wire [WIDTH-1:0] value,
    output wire [WIDTH:0]   rounded
);
    reg [WIDTH-1:0] held;
    reg [WIDTH:0] result;
    assign rounded = result;
    generate
        if (WIDTH > KEPT) begin : longer
            // One bit per number of places that go away, and below it all: `unit` is what the last kept bit counts.
            localparam MOST = WIDTH - KEPT;
            wire [MOST:0] reaches;
            genvar e;
            assign reaches[0] = 1'b1;
            for (e = 1; e <= MOST; e = e + 1) begin : place
                assign reaches[e] = value[WIDTH-1:KEPT+e-1] != {(MOST - e + 1){1'b0}};
            end
            // reaches[e]: at least e places go away.
            reg [MOST:0] away;
            always @(posedge clk) begin
                held <= value;
                away <= reaches;
            end
            // Bits 0 … e − 1 go away; half of the unit is bit e − 1.
            wire [MOST-1:0] gone = away[MOST:1];
            wire [MOST-1:0] half = gone ^ (gone >> 1);
            wire [MOST:0] unit = away ^ (away >> 1);
            wire odd = |(held[MOST:0] & unit);
            // half − 1 + odd; nothing where no place goes away.
            wire [MOST-1:0] ones = gone >> 1;
            wire [MOST-1:0] added = odd ? half : ones;
            wire [WIDTH:0] sum = {1'b0, held} + {{(WIDTH + 1 - MOST){1'b0}}, added};
            wire [WIDTH:0] mask = {{(WIDTH + 1 - MOST){1'b1}}, ~gone};
            always @(posedge clk) result <= sum & mask;
        end else begin : short
            always @(posedge clk) begin
                held <= value;
                result <= {1'b0, held};
            end
        end
    endgenerate
endmodule
`default_nettype wire
