// SPDX-License-Identifier: Apache-2.0
// A layer of integrate-and-fire neurons, event by event: events {end, channel, amount} come in, events go out.
//
// Every event adds amount · weight to all membranes, PE of them per clock. ENCODING says when a neuron fires:
//   0 unary   when the frame's `end` has come, LEVELS slots: v ≥ step fires, v −= step, amount 1
//   1 ttfs    then, LEVELS slots: v climbs by one step per slot and fires once at v ≥ ceiling; amount: slots left
//   2 stbif   after each event: +1 if v ≥ step (v −= step), −1 if v < 0 and spikes were given (v += the last step),
//             until all neurons are at rest
//   3 graded  then, as unary, but one event whose amount is the number of spikes
//   4 sar     then, as many slots as LEVELS has bits: a spike stands for 2^b, from the highest bit down, and is given
//             if v reaches what it and the spikes before it cost together
// A neuron's k-th spike costs step[k]; EQUAL = 1: all its steps are equal. After `end` it gives its own `end`.
// Events of channels RELAY_FROM … RELAY_TO − 1 are also passed on, for units further behind (residual paths): as
// channels that follow the neurons' own, each when all membranes have taken it.
//
// Clocks of a frame, if nobody stalls: WORDS to start; WORDS per event (stbif: 3 per word and event, 1 per word at the
// start); 1 per event passed on; 1 for `end`; WORDS · slots to fire; 1 per event given (stbif: 1 more per word in which
// any were); 1 for `end`.
//
// STEP_FILE: words of PE steps for $readmemh, word w · LEVELS + k (w if EQUAL); sar: of the sums of steps 0 … k.
// CEILING_FILE (ttfs): WORDS words.
`default_nettype none
module edgeml_spiking #(
    parameter ENCODING = 0,
    parameter PE = 1,
    parameter WORDS = 1,
    parameter CHANNELS = 1,
    parameter LEVELS = 3,
    parameter EQUAL = 1,
    parameter WEIGHT_BITS = 2,
    parameter IN_CHANNEL_BITS = 1,
    parameter IN_AMOUNT_BITS = 2,
    parameter OUT_CHANNEL_BITS = 1,
    parameter OUT_AMOUNT_BITS = 2,
    parameter MEMBRANE_BITS = 8,
    parameter NEURONS = 1,
    parameter RELAY_FROM = 0,
    parameter RELAY_TO = 0,
    parameter WEIGHT_FILE = "",
    parameter START_FILE = "",
    parameter STEP_FILE = "",
    parameter CEILING_FILE = ""
) (
    input  wire                                        clk,
    input  wire                                        rst,  // synchronous, active high
    input  wire                                        in_valid,
    output wire                                        in_ready,
    input  wire [IN_CHANNEL_BITS+IN_AMOUNT_BITS:0]     in_data,
    output wire                                        out_valid,
    input  wire                                        out_ready,
    output wire [OUT_CHANNEL_BITS+OUT_AMOUNT_BITS:0]   out_data
);
    localparam TTFS = 1, STBIF = 2, GRADED = 3, SAR = 4;
    localparam [2:0] START = 3'd0, TAKE = 3'd1, ADD = 3'd2, FIRE = 3'd3, GIVE = 3'd4, END = 3'd5, RELAY = 3'd6;
    localparam WORD_BITS = (WORDS > 1) ? $clog2(WORDS) : 1;
    localparam COUNT_BITS = $clog2(LEVELS + 1);
    localparam STEPS = (EQUAL != 0) ? 1 : LEVELS;
    localparam STEP_WORDS = WORDS * STEPS;
    localparam STEP_ADDRESS = (STEP_WORDS > 1) ? $clog2(STEP_WORDS) : 1;
    localparam SLOTS = (ENCODING == SAR) ? COUNT_BITS : LEVELS;
    localparam integer LAST_NUMBER = WORDS - 1, LEVELS_NUMBER = LEVELS, LAST_SLOT_NUMBER = SLOTS - 1;
    localparam integer LAST_STEP_NUMBER = LEVELS - 1, TOP_NUMBER = 1 << (COUNT_BITS - 1);
    localparam integer RELAY_FROM_NUMBER = RELAY_FROM, RELAY_COUNT = RELAY_TO - RELAY_FROM, NEURONS_NUMBER = NEURONS;
    localparam integer PE_NUMBER = PE, STEPS_NUMBER = STEPS;
    localparam [WORD_BITS-1:0] LAST = LAST_NUMBER[WORD_BITS-1:0];
    localparam [COUNT_BITS-1:0] ALL = LEVELS_NUMBER[COUNT_BITS-1:0];
    localparam [COUNT_BITS-1:0] LAST_SLOT = LAST_SLOT_NUMBER[COUNT_BITS-1:0];
    localparam [COUNT_BITS-1:0] LAST_STEP = LAST_STEP_NUMBER[COUNT_BITS-1:0];
    localparam [COUNT_BITS-1:0] TOP = TOP_NUMBER[COUNT_BITS-1:0];

    wire in_end = in_data[IN_CHANNEL_BITS+IN_AMOUNT_BITS];
    wire [IN_CHANNEL_BITS-1:0] in_channel = in_data[IN_AMOUNT_BITS +: IN_CHANNEL_BITS];
    wire [IN_AMOUNT_BITS-1:0] in_amount = in_data[IN_AMOUNT_BITS-1:0];

    reg [2:0] state;
    reg [WORD_BITS-1:0] word;
    reg [COUNT_BITS-1:0] slot;
    reg starting;                // stbif: neurons come to rest before the first event
    reg [PE-1:0] given_up;       // neurons of `word` whose spike is still to be given
    reg [PE-1:0] given_down;
    wire last_word = word == LAST;
    wire last_slot = slot == LAST_SLOT;
    wire event_here = state == TAKE && in_valid && !in_end;
    wire [31:0] wide_channel = {{(32 - IN_CHANNEL_BITS){1'b0}}, in_channel};
    wire [31:0] relay_offset = wide_channel - RELAY_FROM_NUMBER;
    wire relayed;
    generate
        if (RELAY_COUNT != 0) begin : relaying
            assign relayed = relay_offset < RELAY_COUNT;
        end else begin : last_use
            assign relayed = 1'b0;
        end
    endgenerate
    wire [COUNT_BITS-1:0] place = TOP >> slot;  // sar: what a spike of this slot stands for

    // ---- membranes, and the spikes that each neuron has given in this frame
    wire [PE*MEMBRANE_BITS-1:0] membranes;
    wire [PE*MEMBRANE_BITS-1:0] fired_membranes;
    wire fires = state == FIRE;
    edgeml_membranes #(
        .PE(PE), .WORDS(WORDS), .CHANNELS(CHANNELS), .WEIGHT_BITS(WEIGHT_BITS), .AMOUNT_BITS(IN_AMOUNT_BITS),
        .MEMBRANE_BITS(MEMBRANE_BITS), .WORD_BITS(WORD_BITS), .CHANNEL_BITS(IN_CHANNEL_BITS),
        .WEIGHT_FILE(WEIGHT_FILE), .START_FILE(START_FILE)
    ) neurons (
        .clk(clk), .rst(rst), .clear(state == START), .add(event_here), .write(fires), .at(word),
        .channel(in_channel), .amount(in_amount), .write_data(fired_membranes), .membranes(membranes)
    );
    reg [PE*COUNT_BITS-1:0] counts [0:WORDS-1];
    reg [PE*MEMBRANE_BITS-1:0] steps [0:STEP_WORDS-1];
    reg [PE*MEMBRANE_BITS-1:0] ceilings [0:WORDS-1];
    integer i;
    initial begin
        for (i = 0; i < WORDS; i = i + 1) counts[i] = {PE*COUNT_BITS{1'b0}};
        $readmemh(STEP_FILE, steps);
        if (ENCODING == TTFS) $readmemh(CEILING_FILE, ceilings);
        else for (i = 0; i < WORDS; i = i + 1) ceilings[i] = {PE*MEMBRANE_BITS{1'b0}};
    end
    wire [PE*COUNT_BITS-1:0] count_word = counts[word];
    wire [PE*COUNT_BITS-1:0] fired_counts;
    wire [PE*MEMBRANE_BITS-1:0] ceiling_word = ceilings[word];
    always @(posedge clk) begin
        if (state == START) counts[word] <= {PE*COUNT_BITS{1'b0}};
        else if (fires) counts[word] <= fired_counts;
    end

    // ---- which neurons fire
    wire [31:0] first_step = {{(32 - WORD_BITS){1'b0}}, word} * STEPS_NUMBER;
    wire [PE-1:0] up;
    wire [PE-1:0] down;
    wire [PE-1:0] told;  // spikes that become events
    wire unused = &{1'b0, first_step, ceiling_word};
    genvar p;
    generate
        for (p = 0; p < PE; p = p + 1) begin : lane
            wire signed [MEMBRANE_BITS-1:0] v = membranes[p*MEMBRANE_BITS +: MEMBRANE_BITS];
            wire [COUNT_BITS-1:0] count = count_word[p*COUNT_BITS +: COUNT_BITS];
            wire full = count == ALL;
            wire none = count == {COUNT_BITS{1'b0}};
            // The step that the next spike costs, or for ttfs that of the ramp: from the last one down.
            wire [COUNT_BITS-1:0] ramp = (slot == {COUNT_BITS{1'b0}}) ? {COUNT_BITS{1'b0}} : ALL - slot;
            wire [COUNT_BITS-1:0] wanted = count | place;
            wire [31:0] wide_wanted = {{(32 - COUNT_BITS){1'b0}}, wanted};
            wire beyond = wide_wanted > LEVELS_NUMBER;
            wire [COUNT_BITS-1:0] next = (ENCODING == TTFS) ? ramp
                : ((ENCODING == SAR) ? (beyond ? LAST_STEP : wanted - 1'b1) : (full ? LAST_STEP : count));
            wire [31:0] up_address = first_step + ((STEPS > 1) ? {{(32 - COUNT_BITS){1'b0}}, next} : 32'd0);
            wire [PE*MEMBRANE_BITS-1:0] up_word = steps[up_address[STEP_ADDRESS-1:0]];
            wire signed [MEMBRANE_BITS-1:0] up_step = up_word[p*MEMBRANE_BITS +: MEMBRANE_BITS];
            wire unused_up = &{1'b0, up_address, up_word};
            reg signed [MEMBRANE_BITS-1:0] after;
            reg [COUNT_BITS-1:0] after_count;
            if (ENCODING == TTFS) begin : ttfs
                wire signed [MEMBRANE_BITS-1:0] ceiling = ceiling_word[p*MEMBRANE_BITS +: MEMBRANE_BITS];
                wire signed [MEMBRANE_BITS-1:0] climbed = (slot == {COUNT_BITS{1'b0}}) ? v : v + up_step;
                assign up[p] = none && climbed >= ceiling;
                assign down[p] = 1'b0;
                assign told[p] = up[p];
                wire unused_full = &{1'b0, full};
                always @* begin
                    after = climbed;
                    after_count = up[p] ? ALL - slot : count;
                end
            end else if (ENCODING == SAR) begin : sar
                assign up[p] = !beyond && v >= up_step;
                assign down[p] = 1'b0;
                assign told[p] = up[p];
                wire unused_count = &{1'b0, full, none};
                always @* begin
                    after = v;
                    after_count = up[p] ? wanted : count;
                end
            end else if (ENCODING == STBIF) begin : stbif
                wire [31:0] down_address = first_step
                    + ((STEPS > 1 && !none) ? {{(32 - COUNT_BITS){1'b0}}, count} - 32'd1 : 32'd0);
                wire [PE*MEMBRANE_BITS-1:0] down_word = steps[down_address[STEP_ADDRESS-1:0]];
                wire signed [MEMBRANE_BITS-1:0] down_step = down_word[p*MEMBRANE_BITS +: MEMBRANE_BITS];
                wire unused_down = &{1'b0, down_address, down_word};
                assign up[p] = !full && v >= up_step;
                assign down[p] = !up[p] && !none && v[MEMBRANE_BITS-1];
                assign told[p] = up[p] || down[p];
                always @* begin
                    after = up[p] ? v - up_step : (down[p] ? v + down_step : v);
                    after_count = up[p] ? count + 1'b1 : (down[p] ? count - 1'b1 : count);
                end
            end else begin : by_slots
                assign up[p] = !full && v >= up_step;
                assign down[p] = 1'b0;
                assign told[p] = (ENCODING == GRADED) ? last_slot && after_count != {COUNT_BITS{1'b0}} : up[p];
                wire unused_none = &{1'b0, none};
                always @* begin
                    after = up[p] ? v - up_step : v;
                    after_count = up[p] ? count + 1'b1 : count;
                end
            end
            assign fired_membranes[p*MEMBRANE_BITS +: MEMBRANE_BITS] = after;
            assign fired_counts[p*COUNT_BITS +: COUNT_BITS] = after_count;
        end
    endgenerate

    // ---- events of one word, the lowest neuron first
    wire [PE-1:0] waiting = given_up | given_down;
    wire [PE-1:0] lowest = waiting & -waiting;
    wire [PE-1:0] others = waiting ^ lowest;
    integer n;
    reg [31:0] lane_number;
    always @* begin
        lane_number = 32'd0;
        for (n = 0; n < PE; n = n + 1) if (lowest[n]) lane_number = lane_number | n;
    end
    wire [31:0] neuron = {{(32 - WORD_BITS){1'b0}}, word} * PE_NUMBER + lane_number;
    wire [PE*COUNT_BITS-1:0] lane_counts = count_word >> (lane_number * COUNT_BITS);
    wire [COUNT_BITS-1:0] lane_count = lane_counts[COUNT_BITS-1:0];
    wire down_now = (lowest & given_down) != {PE{1'b0}};
    wire [COUNT_BITS:0] one = {{COUNT_BITS{1'b0}}, 1'b1};
    wire [COUNT_BITS:0] amount = (ENCODING == TTFS || ENCODING == GRADED) ? {1'b0, lane_count}
        : ((ENCODING == SAR) ? {1'b0, place} : (down_now ? {(COUNT_BITS + 1){1'b1}} : one));
    wire [31:0] relay_channel = relay_offset + NEURONS_NUMBER;
    wire unused_events = &{1'b0, neuron, lane_counts, amount, relay_channel, place};
    wire [OUT_AMOUNT_BITS-1:0] amount_out;
    wire [OUT_AMOUNT_BITS-1:0] relay_amount;
    generate
        if (OUT_AMOUNT_BITS > IN_AMOUNT_BITS) begin : relay_wider
            assign relay_amount = {{(OUT_AMOUNT_BITS - IN_AMOUNT_BITS){in_amount[IN_AMOUNT_BITS-1]}}, in_amount};
        end else begin : relay_same
            assign relay_amount = in_amount[OUT_AMOUNT_BITS-1:0];
        end
        if (OUT_AMOUNT_BITS > COUNT_BITS + 1) begin : wider
            assign amount_out = {{(OUT_AMOUNT_BITS - COUNT_BITS - 1){amount[COUNT_BITS]}}, amount};
        end else begin : same
            assign amount_out = amount[OUT_AMOUNT_BITS-1:0];
        end
    endgenerate
    wire relays = RELAY_COUNT != 0 && state == RELAY;
    assign out_valid = state == GIVE || state == END || relays;
    assign out_data = (state == END) ? {1'b1, {(OUT_CHANNEL_BITS + OUT_AMOUNT_BITS){1'b0}}}
        : (relays ? {1'b0, relay_channel[OUT_CHANNEL_BITS-1:0], relay_amount}
                  : {1'b0, neuron[OUT_CHANNEL_BITS-1:0], amount_out});

    // ---- one thing after the other
    wire rests = told == {PE{1'b0}};
    wire event_done = ENCODING == STBIF && fires && !starting && rests && last_word;
    wire taken = ENCODING != STBIF && last_word && !relayed;
    assign in_ready = (state == TAKE && in_valid && (in_end || taken)) || (event_done && !relayed)
        || (relays && out_ready);
    wire [WORD_BITS-1:0] next_word = last_word ? {WORD_BITS{1'b0}} : word + 1'b1;
    always @(posedge clk) begin
        if (rst) begin
            state <= START;
            word <= {WORD_BITS{1'b0}};
            slot <= {COUNT_BITS{1'b0}};
            starting <= 1'b1;
            given_up <= {PE{1'b0}};
            given_down <= {PE{1'b0}};
        end else begin
            case (state)
                START: begin
                    word <= next_word;
                    starting <= 1'b1;
                    if (last_word) state <= (ENCODING == STBIF) ? FIRE : TAKE;
                end
                TAKE: begin
                    if (in_valid && in_end) begin
                        state <= (ENCODING == STBIF) ? END : FIRE;
                        word <= {WORD_BITS{1'b0}};
                    end else if (in_valid) begin
                        if (ENCODING == STBIF) state <= ADD;
                        else begin
                            word <= next_word;
                            if (last_word && relayed) state <= RELAY;
                        end
                    end
                end
                ADD: state <= FIRE;
                FIRE: begin
                    given_up <= told & ~down;
                    given_down <= told & down;
                    if (!rests) state <= GIVE;
                    else if (ENCODING == STBIF) begin
                        word <= next_word;
                        if (!starting) state <= (last_word && relayed) ? RELAY : TAKE;
                        else if (last_word) begin
                            starting <= 1'b0;
                            state <= TAKE;
                        end
                    end else begin
                        word <= next_word;
                        if (last_word) slot <= last_slot ? {COUNT_BITS{1'b0}} : slot + 1'b1;
                        if (last_word && last_slot) state <= END;
                    end
                end
                GIVE: if (out_ready) begin
                    given_up <= given_up & ~lowest;
                    given_down <= given_down & ~lowest;
                    if (others == {PE{1'b0}}) begin
                        state <= FIRE;
                        if (ENCODING != STBIF) begin
                            word <= next_word;
                            if (last_word) slot <= last_slot ? {COUNT_BITS{1'b0}} : slot + 1'b1;
                            if (last_word && last_slot) state <= END;
                        end
                    end
                end
                RELAY: if (out_ready) state <= TAKE;
                default: if (out_ready) state <= START;
            endcase
        end
    end
    wire unused_kind = &{1'b0, up};
endmodule
`default_nettype wire
