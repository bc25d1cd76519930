// SPDX-License-Identifier: Apache-2.0
// SLOTS clocks after each start, counted from 0; a start begins them anew.
`default_nettype none
module prove_slot_counter #(
    parameter SLOTS = 3,
    parameter SLOT_BITS = 2
) (
    input wire clk,
    input wire rst,
    input wire start
);
    wire running;
    wire [SLOT_BITS-1:0] slot;
    edgeml_slot_counter #(.SLOTS(SLOTS), .SLOT_BITS(SLOT_BITS)) unit (
        .clk(clk), .rst(rst), .start(start), .running(running), .slot(slot)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    reg [7:0] left;  // slots that are to come, this one included
    always @(posedge clk) left <= rst ? 8'd0 : start ? SLOTS : left - (left != 0);
    // Contract.
    always @* if (begun) begin
        assert (left <= SLOTS && running == (left != 0));
        assert (!running || slot == SLOTS - left);
    end
endmodule
`default_nettype wire
