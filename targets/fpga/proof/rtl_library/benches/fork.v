// SPDX-License-Identifier: Apache-2.0
// Every taker takes each value exactly once; the value goes when the last of them takes it, and not before.
`default_nettype none
module prove_fork #(
    parameter TAKERS = 2
) (
    input wire              clk,
    input wire              rst,
    input wire              in_valid,
    input wire [TAKERS-1:0] out_ready
);
    wire in_ready;
    wire [TAKERS-1:0] out_valid;
    edgeml_fork #(.TAKERS(TAKERS)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready)
    );
    reg begun = 1'b0;
    reg waits = 1'b0;  // a value was offered, and not taken: it stays
    reg [TAKERS-1:0] offered;
    always @(posedge clk) begin
        begun <= 1'b1;
        waits <= !rst && in_valid && !in_ready;
        offered <= out_valid & ~out_ready;
    end
    always @* assume ((begun || rst) && (!waits || in_valid));
    reg [TAKERS-1:0] had;  // who took the value that stands at the input
    wire [TAKERS-1:0] takes = out_valid & out_ready;
    always @(posedge clk) had <= rst || (in_valid && in_ready) ? {TAKERS{1'b0}} : had | takes;
    // Contract.
    always @* if (begun) begin
        assert ((takes & had) == 0);
        assert (!(in_valid && in_ready) || (had | takes) == {TAKERS{1'b1}});
        assert (!in_valid || in_ready || (had | takes) != {TAKERS{1'b1}});
        assert (in_valid || out_valid == 0);
        assert (!in_valid || (out_valid | had) == {TAKERS{1'b1}});
        assert (!waits || (out_valid & offered) == offered);
    end
    // Why.
    wire [TAKERS-1:0] seen_served;
    always @* if (begun) assert (seen_served == had);
endmodule
`default_nettype wire
