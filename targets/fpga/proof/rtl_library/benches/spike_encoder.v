// SPDX-License-Identifier: Apache-2.0
// A frame of integers becomes events: those of any one channel add up to its level, x − LOW, in each encoding (as one event,
// as so many of amount 1, as one in the slot that says it, or as its bits), and are all there when the frame's `end` is
// given; `end` comes once for each frame, when all its values were taken, and none of the next frame before.
//
// Levels are in range, 0 … LEVELS, and a value that is offered stays.
`default_nettype none
module prove_spike_encoder #(
    parameter SIZE = 3,
    parameter INPUT_BITS = 3,
    parameter INPUT_SIGNED = 1,
    parameter LOW = -2,
    parameter LEVELS = 5,
    parameter ENCODING = 1,
    parameter CHANNEL_BITS = 2,
    parameter AMOUNT_BITS = 4
) (
    input wire                    clk,
    input wire                    rst,
    input wire                    in_valid,
    input wire [INPUT_BITS-1:0]   in_data,
    input wire                    out_ready,
    input wire [CHANNEL_BITS-1:0] which  // any channel
);
    localparam SLOT_BITS = $clog2(LEVELS + 1);
    localparam SLOTS = (ENCODING == 3) ? SLOT_BITS : LEVELS;
    localparam BITS = $clog2(SIZE + 1) + 1;
    wire in_ready, out_valid;
    wire [CHANNEL_BITS+AMOUNT_BITS:0] out_data;
    edgeml_spike_encoder #(
        .SIZE(SIZE), .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED), .LOW(LOW), .LEVELS(LEVELS),
        .ENCODING(ENCODING), .CHANNEL_BITS(CHANNEL_BITS), .AMOUNT_BITS(AMOUNT_BITS)
    ) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    reg in_waits, out_waits;
    reg [INPUT_BITS-1:0] in_offered;
    reg [CHANNEL_BITS+AMOUNT_BITS:0] out_offered;
    reg [CHANNEL_BITS-1:0] was;
    always @(posedge clk) begin
        begun <= 1'b1;
        was <= which;
        in_waits <= !rst && in_valid && !in_ready;
        in_offered <= in_data;
        out_waits <= !rst && out_valid && !out_ready;
        out_offered <= out_data;
    end
    wire signed [31:0] x = INPUT_SIGNED ? $signed(in_data) : $signed({1'b0, in_data});
    wire signed [31:0] above = x - LOW;
    always @* begin
        assume ((begun || rst) && which < SIZE && (!begun || was == which));
        assume (!begun || !in_waits || (in_valid && in_data == in_offered));
        assume (!in_valid || (above >= 0 && above <= LEVELS));
    end
    wire takes = in_valid && in_ready;
    wire gives = out_valid && out_ready;
    wire is_end = out_data[CHANNEL_BITS+AMOUNT_BITS];
    wire [CHANNEL_BITS-1:0] channel = out_data[AMOUNT_BITS +: CHANNEL_BITS];
    wire signed [AMOUNT_BITS-1:0] amount = out_data[AMOUNT_BITS-1:0];
    reg [BITS-1:0] number;        // values taken of the frame
    reg signed [15:0] level, sum; // of the channel, and of its events
    wire ours = gives && !is_end && channel == which;
    always @(posedge clk) begin
        number <= rst || (gives && is_end) ? 0 : number + takes;
        if (takes && number == which) level <= above;
        sum <= rst || (gives && is_end) ? 0 : sum + (ours ? amount : 0);
    end
    // Contract.
    always @* if (begun) begin
        assert (!takes || number < SIZE);
        assert (!gives || !is_end || (number == SIZE && sum == level));
        assert (!gives || is_end || (channel < SIZE && amount > 0));
        assert (!out_waits || (out_valid && out_data == out_offered));
    end
    // Why: what was given of the level so far.
    wire [CHANNEL_BITS-1:0] seen_channel;
    wire seen_ending, seen_by_slots__scanning;
    wire [SLOT_BITS-1:0] seen_by_slots__slot;
    wire [SLOT_BITS*SIZE-1:0] seen_by_slots__counts;
    wire came = number > which;
    wire [15:0] slots = seen_ending ? SLOTS : seen_by_slots__slot + (seen_channel > which);
    wire [15:0] left = SLOTS - slots;
    wire [15:0] high = (level >> left) << left;
    always @* if (begun) begin
        assert (number <= SIZE && (!came || (level >= 0 && level <= LEVELS)));
        if (ENCODING == 0) begin
            assert (seen_ending == (number == SIZE) && seen_channel == (number == SIZE ? 0 : number));
            assert (sum == (came ? level : 0));
        end else begin
            assert (seen_by_slots__scanning == (number == SIZE) && (!seen_ending || number == SIZE));
            assert (number == SIZE || (seen_channel == number && sum == 0 && seen_by_slots__slot == 0));
            assert (seen_channel < SIZE && seen_by_slots__slot < SLOTS);
            assert (!seen_ending || (seen_channel == 0 && seen_by_slots__slot == 0));
            if (number == SIZE && ENCODING == 1) assert (sum == (slots < level ? slots : level));
            if (number == SIZE && ENCODING == 2) assert (sum == (slots > LEVELS - level ? level : 0));
            if (number == SIZE && ENCODING == 3) assert (sum == high);
        end
    end
    genvar i;
    generate
        for (i = 0; i < SIZE; i = i + 1) begin : channels
            always @*
                if (begun && ENCODING != 0 && came && which == i)
                    assert (seen_by_slots__counts[i*SLOT_BITS +: SLOT_BITS] == level);
        end
    endgenerate
endmodule
`default_nettype wire
