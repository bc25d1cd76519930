// What holds of the units of spikes, a step per clock, for every potential and every window: by induction over slots.
//
// A potential is what its currents add up to; the spikes of a window say how many of the neuron's thresholds it reaches.
// What is asserted under "Why" ties the unit's registers (`seen_x` is `unit.x`) to those that the contract is said in.
`default_nettype none

// The spikes of a window say the integer that was taken: their number (unary), the slot of the only one (ttfs), or its
// bits from the highest on (sar). A value is in LOW … LOW + LEVELS; slots come in order, the frame just before them.
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

// A window's currents c(0) … c(SLOTS − 1) make START plus their sum (RULE 0), plus c(s) · 2^(SLOTS − 1 − s) (RULE 1), or
// plus c(s) · (SLOTS − s) (RULE 2), modulo 2^BITS. Slots come one behind the other.
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

// The spikes of a window say how many of the thresholds the potential reaches: their number (unary), SLOTS less the slot of
// the only one (ttfs), or that number's bits from the highest on (sar). The potential stays as it is until the last slot.
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

// What its spikes add up to is its count; LEVELS slots after the last current, it is the number of the thresholds that
// the potential reaches, whatever came before and in whatever order.
module prove_tracer_neuron #(
    parameter LEVELS = 3,
    parameter BITS = 6,
    parameter START = 9,
    parameter [LEVELS*BITS-1:0] THRESHOLDS = 0  // ascending
) (
    input wire            clk,
    input wire            rst,
    input wire            first,
    input wire [BITS-1:0] current
);
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    reg runs;  // a window is under way; the clock after each of its currents
    always @* assume ((begun || rst) && (!rst || first));
    wire [1:0] spike;
    edgeml_tracer_neuron #(.LEVELS(LEVELS), .BITS(BITS), .START(START), .THRESHOLDS(THRESHOLDS)) unit (
        .clk(clk), .rst(rst), .first(first), .current(current), .running(!first), .spike(spike)
    );
    wire [BITS-1:0] seen_potential;
    wire [$clog2(LEVELS+1)-1:0] seen_count;
    reg [7:0] level, quiet;
    reg signed [7:0] sum;  // of the spikes that came
    reg fresh;             // the spike at the output is none of this window
    integer k;
    always @* begin
        level = 0;
        for (k = 0; k < LEVELS; k = k + 1) level = level + (seen_potential >= THRESHOLDS[k*BITS +: BITS]);
    end
    wire signed [7:0] now_sum = fresh ? 0 : sum + $signed(spike);
    always @(posedge clk) begin
        quiet <= first || current != 0 ? 0 : quiet + (quiet != LEVELS);
        sum <= first || fresh ? 0 : now_sum;
        fresh <= first;
    end
    // Contract.
    always @* if (begun) begin
        assert (now_sum == seen_count);
        assert (quiet != LEVELS || seen_count == level);
    end
    // Why: each slot brings it one nearer.
    always @* if (begun) begin
        assert (seen_count <= LEVELS && level <= LEVELS && quiet <= LEVELS);
        assert (seen_count + LEVELS >= level + quiet && level + LEVELS >= seen_count + quiet);
        assert (!fresh || (seen_count == 0 && spike == 0));
    end
endmodule
`default_nettype wire
