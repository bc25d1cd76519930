// SPDX-License-Identifier: Apache-2.0
// Which slot of a window it is: `start` in one clock, then `running` for SLOTS clocks while `slot` counts from 0.
// It may be started again in the last of them.
`default_nettype none
module edgeml_slot_counter #(
    parameter SLOTS = 3,
    parameter SLOT_BITS = 2
) (
    input  wire                 clk,
    input  wire                 rst,  // synchronous, active high
    input  wire                 start,
    output reg                  running,
    output reg  [SLOT_BITS-1:0] slot
);
    localparam integer LAST_NUMBER = SLOTS - 1;
    localparam [SLOT_BITS-1:0] LAST = LAST_NUMBER[SLOT_BITS-1:0];
    initial begin
        running = 1'b0;
        slot = {SLOT_BITS{1'b0}};
    end
    always @(posedge clk) begin
        if (rst) begin
            running <= 1'b0;
            slot <= {SLOT_BITS{1'b0}};
        end else if (start) begin
            running <= 1'b1;
            slot <= {SLOT_BITS{1'b0}};
        end else if (running) begin
            running <= slot != LAST;
            slot <= (slot == LAST) ? {SLOT_BITS{1'b0}} : slot + 1'b1;
        end
    end
endmodule
`default_nettype wire
