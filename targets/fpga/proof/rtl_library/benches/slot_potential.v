// SPDX-License-Identifier: Apache-2.0
// A window's currents c(0) … c(SLOTS − 1) make START plus their sum (RULE 0), plus c(s) · 2^(SLOTS − 1 − s) (RULE 1), or
// plus c(s) · (SLOTS − s) (RULE 2), modulo 2^BITS. Slots come one behind the other.
`default_nettype none
module prove_slot_potential #(
    parameter RULE = 0,
    parameter SLOTS = 3,
    parameter BITS = 6,
    parameter START = 9
) (
    input wire            clk,
    input wire            comes,   // a window begins, where none is under way
    input wire [BITS-1:0] current
);
    reg [7:0] slot = 0;
    wire runs = slot != 0 || comes;
    wire first = runs && slot == 0;
    wire last = runs && slot == SLOTS - 1;
    wire [BITS-1:0] potential;
    edgeml_slot_potential #(.RULE(RULE), .SLOTS(SLOTS), .BITS(BITS), .START(START)) unit (
        .clk(clk), .first(first), .last(last), .current(current), .potential(potential)
    );
    wire [BITS-1:0] worth = RULE == 1 ? current << (SLOTS - 1 - slot) : RULE == 2 ? current * (SLOTS - slot) : current;
    wire [BITS-1:0] start = START;
    reg [BITS-1:0] total, settled;
    reg done = 1'b0, late = 1'b0;
    wire [BITS-1:0] so_far = (first ? start : total) + worth;
    localparam LATE = RULE == 2 && SLOTS > 1;
    always @(posedge clk) begin
        slot <= last ? 0 : slot + runs;
        if (runs) total <= so_far;
        done <= last;
        late <= done;
        if (done) settled <= total;
    end
    // Contract.
    always @* begin
        assert (LATE || !done || potential == total);
        assert (!LATE || !late || potential == settled);
    end
    // Why: what is there, and what will come of it.
    wire [BITS-1:0] seen_kept;
    always @* begin
        assert (slot < SLOTS && (!done || slot == 0));
        assert (RULE != 0 || slot == 0 || seen_kept == total);
        assert (RULE != 1 || slot == 0 || SLOTS == 1 || start + (seen_kept << (SLOTS - slot)) == total);
    end
    // Of RULE 2 alone.
    wire [BITS-1:0] seen_flowing__flow;
    wire seen_flowing__begins, seen_flowing__ends;
    wire [BITS-1:0] built = (seen_flowing__begins ? start : seen_kept) + seen_flowing__flow;
    wire [BITS-1:0] to_come = built + seen_flowing__flow * (SLOTS - slot);
    always @* if (LATE) begin
        assert (seen_flowing__begins == (slot == 1) && seen_flowing__ends == done);
        assert (slot == 0 || to_come == total);
        assert (!done || built == total);
    end
endmodule
`default_nettype wire
