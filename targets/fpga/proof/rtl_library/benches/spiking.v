// SPDX-License-Identifier: Apache-2.0
// An event-driven neuron, for every potential: the events that it gives between a frame's `end` and its own say its level,
// the number of its thresholds (sums of the first steps) that its potential reached when the frame ended; for stbif those
// of the whole frame. They add up to it in each encoding: amounts of 1, one amount (graded), the slots left (ttfs), bits (sar).
//
// What stands for the membranes takes any value in range for each start and each event: no weight matters. Steps are
// those of steps.mem, positive; an event that is offered stays. Nothing is relayed.
`default_nettype none
module edgeml_membranes #(
    parameter PE = 1,
    parameter WORDS = 1,
    parameter CHANNELS = 1,
    parameter WEIGHT_BITS = 2,
    parameter AMOUNT_BITS = 2,
    parameter MEMBRANE_BITS = 8,
    parameter WORD_BITS = 1,
    parameter CHANNEL_BITS = 1,
    parameter WEIGHT_FILE = "",
    parameter START_FILE = ""
) (
    input  wire                        clk,
    input  wire                        rst,
    input  wire                        clear,
    input  wire                        add,
    input  wire                        write,
    input  wire [WORD_BITS-1:0]        at,
    input  wire [CHANNEL_BITS-1:0]     channel,
    input  wire [AMOUNT_BITS-1:0]      amount,
    input  wire [PE*MEMBRANE_BITS-1:0] write_data,
    output wire [PE*MEMBRANE_BITS-1:0] membranes
);
    wire [PE*MEMBRANE_BITS-1:0] changed;  // driven by free_neurons__changed
    reg [PE*MEMBRANE_BITS-1:0] memory [0:WORDS-1];
    reg adding;
    reg [WORD_BITS-1:0] adding_at;
    always @(posedge clk) begin
        adding <= !rst && add;
        adding_at <= at;
        if (adding) memory[adding_at] <= changed;
        else if (clear) memory[at] <= changed;
        else if (write) memory[at] <= write_data;
    end
    assign membranes = memory[at];
    wire unused = &{1'b0, channel, amount};
endmodule

module prove_spiking #(
    parameter ENCODING = 0,
    parameter PE = 2,
    parameter WORDS = 2,
    parameter LEVELS = 3,
    parameter EQUAL = 1,
    parameter MEMBRANE_BITS = 6
) (
    input wire                        clk,
    input wire                        rst,
    input wire                        in_valid,
    input wire [3:0]                  in_data,  // {end, channel, amount}
    input wire                        out_ready,
    input wire [PE*MEMBRANE_BITS-1:0] free_neurons__changed,
    input wire [3:0]                  which_word,  // any neuron
    input wire [3:0]                  which_lane
);
    localparam TTFS = 1, STBIF = 2, GRADED = 3, SAR = 4;
    localparam [2:0] START = 3'd0, TAKE = 3'd1, ADD = 3'd2, FIRE = 3'd3, GIVE = 3'd4, END = 3'd5, RELAY = 3'd6;
    localparam COUNT_BITS = $clog2(LEVELS + 1);
    localparam SLOTS = (ENCODING == SAR) ? COUNT_BITS : LEVELS;
    localparam STEPS = (EQUAL != 0) ? 1 : LEVELS;
    localparam WORD_BITS = (WORDS > 1) ? $clog2(WORDS) : 1;
    wire in_ready, out_valid;
    wire [8:0] out_data;  // {end, 4 bits of channel, 4 of amount}
    edgeml_spiking #(
        .ENCODING(ENCODING), .PE(PE), .WORDS(WORDS), .CHANNELS(2), .LEVELS(LEVELS), .EQUAL(EQUAL), .IN_CHANNEL_BITS(1),
        .IN_AMOUNT_BITS(2), .OUT_CHANNEL_BITS(4), .OUT_AMOUNT_BITS(4), .MEMBRANE_BITS(MEMBRANE_BITS),
        .NEURONS(PE*WORDS), .STEP_FILE("steps.mem"), .CEILING_FILE("ceilings.mem")
    ) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    reg in_waits, out_waits;
    reg [3:0] in_offered;
    reg [8:0] out_offered;
    reg [7:0] was;
    always @(posedge clk) begin
        begun <= 1'b1;
        was <= {which_word, which_lane};
        in_waits <= !rst && in_valid && !in_ready;
        in_offered <= in_data;
        out_waits <= !rst && out_valid && !out_ready;
        out_offered <= out_data;
    end
    wire signed [MEMBRANE_BITS-1:0] changed = free_neurons__changed >> (which_lane * MEMBRANE_BITS);
    wire signed [15:0] changed_wide = changed;
    always @* begin
        assume ((begun || rst) && which_word < WORDS && which_lane < PE && (!begun || was == {which_word, which_lane}));
        assume (!begun || !in_waits || (in_valid && in_data == in_offered));
        assume (changed_wide >= -(1 << (MEMBRANE_BITS - 2)) && changed_wide < 1 << (MEMBRANE_BITS - 2));
    end

    // The neuron's thresholds: what k spikes cost together; for ttfs what is left of the ceiling before k steps.
    reg [PE*MEMBRANE_BITS-1:0] steps [0:WORDS*STEPS-1];
    reg [PE*MEMBRANE_BITS-1:0] ceilings [0:WORDS-1];
    initial $readmemh("steps.mem", steps);
    initial $readmemh("ceilings.mem", ceilings);
    wire [PE*MEMBRANE_BITS-1:0] ceiling_word = ceilings[which_word];
    wire signed [MEMBRANE_BITS-1:0] ceiling = ceiling_word >> (which_lane * MEMBRANE_BITS);
    wire signed [16*(LEVELS+1)-1:0] costs;   // of the first k spikes
    wire signed [16*(LEVELS+1)-1:0] climbs;  // ttfs: of the first k slots
    assign costs[15:0] = 0;
    assign climbs[15:0] = 0;
    genvar k;
    generate
        for (k = 1; k <= LEVELS; k = k + 1) begin : level_cost
            wire [PE*MEMBRANE_BITS-1:0] word = steps[which_word * STEPS + (EQUAL ? 0 : k - 1)];
            wire [PE*MEMBRANE_BITS-1:0] down = steps[which_word * STEPS + (EQUAL ? 0 : LEVELS - k)];
            wire signed [MEMBRANE_BITS-1:0] step = word >> (which_lane * MEMBRANE_BITS);
            wire signed [MEMBRANE_BITS-1:0] down_step = down >> (which_lane * MEMBRANE_BITS);
            wire signed [15:0] wide = step, down_wide = down_step;
            assign costs[16*k +: 16] = (ENCODING == SAR && !EQUAL ? 16'd0 : costs[16*(k-1) +: 16]) + wide;
            assign climbs[16*k +: 16] = climbs[16*(k-1) +: 16] + down_wide;
        end
    endgenerate
    wire takes_end = in_valid && in_ready && in_data[3];
    wire gives = out_valid && out_ready;
    wire ours = gives && !out_data[8] && out_data[7:4] == which_word * PE + which_lane;
    wire signed [3:0] amount = out_data[3:0];
    wire ends = gives && out_data[8];

    // The potential, and the level that it says.
    reg signed [15:0] potential;  // stbif: with all that the spikes have cost
    reg signed [15:0] sum;
    reg firing;                   // a frame has ended, and its own end was not given
    reg [7:0] level;
    integer j;
    always @* begin
        level = 0;
        for (j = 1; j <= LEVELS; j = j + 1)
            if (ENCODING == TTFS) level = level + (potential + $signed(climbs[16*(LEVELS-j) +: 16]) >= ceiling);
            else level = level + (potential >= $signed(costs[16*j +: 16]));
    end
    // Contract.
    always @* if (begun) begin
        assert (!ends || (firing && sum == level));
        assert (!gives || out_data[8] || ENCODING == STBIF || firing);
        assert (!out_waits || (out_valid && out_data == out_offered));
    end
    // Why.
    wire [2:0] seen_state;
    wire [WORD_BITS-1:0] seen_word, seen_neurons__adding_at;
    wire [COUNT_BITS-1:0] seen_slot;
    wire seen_starting, seen_neurons__adding;
    wire [PE-1:0] seen_given_up, seen_given_down;
    wire [PE*MEMBRANE_BITS*WORDS-1:0] seen_neurons__memory;
    wire [PE*COUNT_BITS*WORDS-1:0] seen_counts;
    wire signed [MEMBRANE_BITS-1:0] v = seen_neurons__memory >> ((which_word * PE + which_lane) * MEMBRANE_BITS);
    wire [COUNT_BITS-1:0] count = seen_counts >> ((which_word * PE + which_lane) * COUNT_BITS);
    wire signed [15:0] wide_v = v, counted = {1'b0, count};
    wire signed [15:0] cost = costs >> (16 * count);
    wire changes = (seen_neurons__adding && seen_neurons__adding_at == which_word)
        || (!seen_neurons__adding && seen_state == START && seen_word == which_word);
    always @(posedge clk) begin
        if (changes) potential <= changed_wide + (ENCODING == STBIF && seen_state != START ? cost : 0);
        sum <= rst || ends ? 0 : sum + (ours ? amount : 0);
        firing <= !rst && !ends && (firing || takes_end);
    end
    wire here = seen_word == which_word;
    wire gave = seen_state == GIVE && here;
    wire up = seen_given_up >> which_lane;
    wire down = seen_given_down >> which_lane;
    wire signed [15:0] pending = !gave ? 0 : ENCODING == TTFS || ENCODING == GRADED ? (up ? count : 0)
        : ENCODING == SAR ? (up ? (1 << (COUNT_BITS - 1)) >> seen_slot : 0) : up - down;
    wire [7:0] done = seen_state == END ? SLOTS : seen_slot + (seen_word > which_word || gave);
    wire [7:0] left = SLOTS - done;
    wire signed [15:0] climbed = climbs >> (16 * (done - 1));
    wire signed [15:0] next_cost = costs >> (16 * (count + 1));
    wire at_rest = (count == LEVELS || wide_v < next_cost - cost) && (count == 0 || wide_v >= 0);
    wire fires_now = seen_state == FIRE || seen_state == GIVE || seen_state == END;
    always @* if (begun) begin
        assert (seen_word < WORDS && seen_slot < SLOTS && seen_state != RELAY && seen_state < 7 && count <= LEVELS);
        assert (seen_state != GIVE || (seen_given_up | seen_given_down) != 0);
        assert ((seen_given_up & seen_given_down) == 0);
        assert (ENCODING != GRADED || seen_state != GIVE || seen_slot == SLOTS - 1);
        if (ENCODING == STBIF) begin
            assert (firing == (seen_state == END) && seen_slot == 0 && (seen_state != END || seen_word == 0));
            assert (sum == ((seen_state == START && seen_word <= which_word) ? 16'sd0 : counted) - pending);
            assert (seen_state == START && seen_word <= which_word || wide_v == potential - cost);
            assert (seen_state != START || seen_word <= which_word || count == 0);
            if (!seen_starting && (seen_state == ADD || seen_state == FIRE || seen_state == GIVE))
                assert (in_valid && !in_data[3]);  // the event stays until it has been settled
            if (seen_state == TAKE || seen_state == END) assert (at_rest);
            if (fires_now && seen_state != END && (seen_starting ? seen_word > which_word : !here)) assert (at_rest);
            if (seen_state == ADD) assert (here || at_rest);
            assert (seen_neurons__adding == (seen_state == ADD) && (seen_state != ADD || seen_neurons__adding_at == seen_word));
            assert (!seen_starting || seen_state == START || seen_state == FIRE || seen_state == GIVE);
        end else begin
            assert (firing == fires_now && seen_state != ADD && seen_given_down == 0);
            assert (fires_now || seen_slot == 0);
            assert (seen_state != END || (seen_slot == 0 && seen_word == 0));
            assert (!seen_neurons__adding || seen_state == TAKE || seen_state == START);
            assert (seen_state != START || !seen_neurons__adding);
            assert (fires_now || sum == 0);
            assert (seen_state == START && seen_word <= which_word || fires_now || count == 0);
            assert (seen_state == START && seen_word <= which_word || fires_now || wide_v == potential);
            if (fires_now) begin
                if (ENCODING == 0) assert (count == (level < done ? level : done) && wide_v == potential - cost && sum == counted - pending);
                if (ENCODING == GRADED) assert (count == (level < done ? level : done) && wide_v == potential - cost);
                if (ENCODING == GRADED) assert (sum == (done == SLOTS ? counted - pending : 16'sd0));
                if (ENCODING == TTFS) assert (count == (done > LEVELS - level ? level : 0) && sum == counted - pending);
                if (ENCODING == TTFS) assert (wide_v == potential + (done == 0 ? 0 : climbed));
                if (ENCODING == SAR) assert (count == (level >> left) << left && wide_v == potential && sum == counted - pending);
            end
        end
        assert (seen_state == START && seen_word <= which_word
                || (potential >= -(1 << (MEMBRANE_BITS - 2)) && (ENCODING == STBIF || potential < 1 << (MEMBRANE_BITS - 2))));
    end
endmodule
`default_nettype wire
