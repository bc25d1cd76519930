// SPDX-License-Identifier: Apache-2.0
// The spikes of a window say the integer that was taken: their number (unary), the slot of the only one (ttfs), or its
// bits from the highest on (sar). A value is in LOW … LOW + LEVELS; slots come in order, the frame just before them.
`default_nettype none
module prove_slot_source #(
    parameter SIZE = 1,
    parameter INPUT_BITS = 3,
    parameter INPUT_SIGNED = 1,
    parameter LOW = -3,
    parameter LEVELS = 6,
    parameter ENCODING = 0,
    parameter SLOT_BITS = 3
) (
    input wire                  clk,
    input wire                  rst,
    input wire                  take,
    input wire [INPUT_BITS-1:0] in_data
);
    localparam SLOTS = ENCODING == 2 ? $clog2(LEVELS + 1) : LEVELS;
    reg begun = 1'b0;
    reg running = 1'b0;
    reg [SLOT_BITS-1:0] slot = 0;
    wire spikes;
    edgeml_slot_source #(
        .SIZE(1), .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED), .LOW(LOW), .LEVELS(LEVELS), .ENCODING(ENCODING),
        .SLOT_BITS(SLOT_BITS)
    ) unit (
        .clk(clk), .rst(rst), .take(take), .in_data(in_data), .running(running), .slot(slot), .spikes(spikes)
    );
    wire signed [31:0] x = INPUT_SIGNED ? $signed(in_data) : $signed({1'b0, in_data});
    wire signed [31:0] above = x - LOW;
    wire ends = running && slot == SLOTS - 1;
    always @* assume ((begun || rst) && (!take || ((!running || ends) && above >= 0 && above <= LEVELS)));
    reg [7:0] value, slots, count, place, bits;  // of the window whose spikes come; slots of it that came
    reg [7:0] taken;
    reg comes;                                   // a spike of it, or none, stands at the output
    always @(posedge clk) begin
        begun <= 1'b1;
        if (take) taken <= above;
        running <= !rst && (take || (running && !ends));
        slot <= rst || take || ends ? 0 : slot + running;
        comes <= running && !rst;
        if (running && slot == 0) value <= taken;
        if (running) slots <= slot + 1;
        count <= slots == SLOTS || slots == 0 ? 0 : now_count;
        if (running && slot == 0) count <= 0;
        else if (comes) count <= now_count;
        if (running && slot == 0) bits <= 0;
        else if (comes) bits <= now_bits;
        if (running && slot == 0) place <= SLOTS;
        else if (comes) place <= now_place;
    end
    wire [7:0] now_count = count + spikes;
    wire [7:0] now_bits = 2 * bits + spikes;
    wire [7:0] now_place = spikes && place == SLOTS ? slots - 1 : place;
    // Contract: beside the last spike of a window.
    always @* if (begun && comes && slots == SLOTS) begin
        assert (ENCODING != 0 || now_count == value);
        assert (ENCODING != 1 || (now_count == (value != 0) && now_place == SLOTS - value));
        assert (ENCODING != 2 || now_bits == value);
    end
    // Why.
    wire [$clog2(LEVELS+1)-1:0] seen_channel_0__count;
    wire [$clog2(LEVELS+1)-1:0] moved = taken << (ENCODING == 2 ? slot : 0);
    wire [7:0] before = slots - 1;
    always @* if (begun) begin
        assert (!running || (slot < SLOTS && taken <= LEVELS && seen_channel_0__count == moved));
        assert (!comes || (slots >= 1 && slots <= SLOTS && value <= LEVELS));
        assert (!comes || slots == SLOTS || (running && slot == slots && value == taken));
        assert (!comes || !running || slot == slots % SLOTS);
        if (comes && ENCODING == 0) assert (spikes == (value > before) && count == (value < before ? value : before));
        if (comes && ENCODING == 1) assert (spikes == (value == SLOTS - before) && count == (value > SLOTS - before));
        if (comes && ENCODING == 1) assert (place == (value > SLOTS - before ? SLOTS - value : SLOTS));
        if (comes && ENCODING == 2) assert (bits == value >> (SLOTS - before) && spikes == (value >> (SLOTS - slots)) % 2);
    end
endmodule
`default_nettype wire
