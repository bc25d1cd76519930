// SPDX-License-Identifier: Apache-2.0
// The spikes of a window say how many of the thresholds the potential reaches: their number (unary), SLOTS less the slot of
// the only one (ttfs), or that number's bits from the highest on (sar). The potential stays as it is until the last slot.
`default_nettype none
module prove_slot_neuron #(
    parameter ENCODING = 0,
    parameter SLOTS = 3,
    parameter SLOT_BITS = 2,
    parameter BITS = 6,
    parameter ENTRIES = 3,
    parameter [ENTRIES*BITS-1:0] THRESHOLDS = 0  // ascending, for ttfs descending
) (
    input wire            clk,
    input wire            rst,
    input wire            comes,   // a window begins, where none is under way
    input wire            charges, // a window of one slot comes in
    input wire [BITS-1:0] current
);
    reg begun = 1'b0;
    reg [7:0] slot = 0;
    reg fires_there = 1'b0;
    wire runs = fires_there;
    wire spike;
    wire ends = runs && slot == SLOTS - 1;
    wire [SLOT_BITS-1:0] slot_there = slot;
    wire changes = charges && (!runs || ends);
    edgeml_slot_neuron #(
        .ENCODING(ENCODING), .SLOTS(SLOTS), .SLOT_BITS(SLOT_BITS), .RULE(0), .WINDOW(1), .BITS(BITS), .START(0),
        .ENTRIES(ENTRIES), .THRESHOLDS(THRESHOLDS)
    ) unit (
        .clk(clk), .rst(rst), .first(changes), .last(changes), .current(current), .running(runs),
        .slot(slot_there), .spike(spike)
    );
    always @* assume (begun || rst);
    wire [BITS-1:0] seen_charge__potential;
    reg [7:0] level;
    integer k;
    always @* begin
        level = 0;
        for (k = 0; k < ENTRIES; k = k + 1) level = level + (seen_charge__potential >= THRESHOLDS[k*BITS +: BITS]);
    end
    reg stands;              // a spike of a window, or none, stands at the output
    reg [7:0] wanted, slots; // the level of the window whose spikes come; slots of it that came
    reg [7:0] count, place, bits;
    wire [7:0] now_count = count + spike;
    wire [7:0] now_bits = 2 * bits + spike;
    wire [7:0] now_place = spike && place == SLOTS ? slots - 1 : place;
    always @(posedge clk) begin
        begun <= 1'b1;
        fires_there <= !rst && ((comes && (!runs || ends)) || (runs && !ends));
        slot <= rst || ends || !runs ? 0 : slot + 1;
        stands <= runs && !rst;
        if (runs) wanted <= level;
        if (runs) slots <= slot + 1;
        if (runs && slot == 0) begin
            count <= 0;
            bits <= 0;
            place <= SLOTS;
        end else if (stands) begin
            count <= now_count;
            bits <= now_bits;
            place <= now_place;
        end
    end
    // Contract: beside the last spike of a window.
    always @* if (begun && stands && slots == SLOTS) begin
        assert (ENCODING != 0 || now_count == wanted);
        assert (ENCODING != 1 || (now_count == (wanted != 0) && now_place == SLOTS - wanted));
        assert (ENCODING != 2 || now_bits == wanted);
    end
    // Why.
    wire [7:0] past = slots - 1;
    always @* if (begun) begin
        assert (slot < SLOTS && (runs || slot == 0) && level <= ENTRIES);
        assert (!stands || (slots >= 1 && slots <= SLOTS && wanted <= ENTRIES));
        assert (!stands || slots == SLOTS || (runs && slot == slots && wanted == level));
        assert (!stands || slots != SLOTS || slot == 0);
        assert (!runs || slot == 0 || (stands && slots == slot));
        if (stands && ENCODING == 0) assert (spike == (wanted > past) && count == (wanted < past ? wanted : past));
        if (stands && ENCODING == 1) assert (spike == (wanted == SLOTS - past) && count == (wanted > SLOTS - past));
        if (stands && ENCODING == 1) assert (place == (wanted > SLOTS - past ? SLOTS - wanted : SLOTS));
        if (stands && ENCODING == 2) assert (bits == wanted >> (SLOTS - past) && spike == (wanted >> (SLOTS - slots)) % 2);
    end
    // Of ttfs alone, and of sar.
    wire seen_once__was_reached;
    wire [SLOTS-1:0] seen_by_bits__given;
    wire [7:0] left = SLOTS - slot;
    always @* if (begun && runs && slot != 0) begin
        assert (ENCODING != 1 || seen_once__was_reached == (level > left));
        assert (ENCODING != 2 || seen_by_bits__given == (level >> left) << left);
    end
endmodule
`default_nettype wire
