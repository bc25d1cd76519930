// SPDX-License-Identifier: Apache-2.0
// The class of every frame of a stream: the index of its largest element, and of equal ones the lowest.
//
// Words pass unchanged and in order. Beside each stands the index of the largest element of its frame so far: beside
// the last word, the frame's class. Elements that pad the last word of a frame are no candidates.
//
// Elements are kept, then compared in pairs, one level of pairs a clock, then with the best of the words before;
// nothing in here stalls, so that a word's place in the buffer behind is reserved when it enters. A word comes out,
// with an output that is always ready, levels + 2 clocks after it went in (one more where a frame has several words),
// one every clock. With a single output there is nothing to compare: words pass in the same clock. If the network is
// binary, the class then is 1 where the output is above THRESHOLD, else 0.
//
// The second of each pair is kept inverted: first - second then is a sum, whose carry says which is larger, without an
// inverter before the carry chain.
`default_nettype none
module edgeml_argmax #(
    parameter OUTPUTS = 4,       // elements of a frame
    parameter LANES = 4,         // elements of a word, lowest index first, in the lowest bits
    parameter ELEMENT_BITS = 8,
    parameter SIGNED = 1,
    parameter BINARY = 0,                         // OUTPUTS = 1: decide by THRESHOLD
    parameter signed [31:0] THRESHOLD = 32'sd0,
    parameter CLASS_BITS = (OUTPUTS > 1) ? $clog2(OUTPUTS) : 1
) (
    input  wire                          clk,
    input  wire                          rst,  // synchronous, active high
    input  wire                          in_valid,
    output wire                          in_ready,
    input  wire [LANES*ELEMENT_BITS-1:0] in_data,
    output wire                          out_valid,
    input  wire                          out_ready,
    output wire [LANES*ELEMENT_BITS-1:0] out_data,
    output wire [CLASS_BITS-1:0]         out_class
);
    localparam LEVELS = (LANES > 1) ? $clog2(LANES) : 0;
    localparam WORDS = (OUTPUTS + LANES - 1) / LANES;
    localparam STAGES = 1 + LEVELS + ((WORDS > 1) ? 1 : 0);
    localparam USED = OUTPUTS - (WORDS - 1) * LANES;  // elements of a frame's last word

    genvar l, i;
    generate
        if (OUTPUTS == 1) begin : one_output
            assign in_ready = out_ready;
            assign out_valid = in_valid;
            assign out_data = in_data;
            if (BINARY != 0) begin : decided
                wire sign = (SIGNED != 0) && in_data[ELEMENT_BITS-1];
                wire signed [32:0] value = {{33 - ELEMENT_BITS{sign}}, in_data[ELEMENT_BITS-1:0]};
                wire signed [32:0] threshold = {THRESHOLD[31], THRESHOLD};
                assign out_class = {CLASS_BITS{value > threshold}};
            end else begin : constant
                assign out_class = {CLASS_BITS{1'b0}};
            end
            wire unused = &{1'b0, clk, rst};
        end else begin : several_outputs
            wire take = in_valid && in_ready;

            // Which words go through the stages, and which of them end a frame.
            wire in_last;
            reg [STAGES-1:0] going;
            wire [STAGES:0] passes = {going, take};
            always @(posedge clk) begin
                if (rst) going <= {STAGES{1'b0}};
                else going <= passes[STAGES-1:0];
            end
            if (WORDS > 1) begin : counted
                localparam COUNT_BITS = $clog2(WORDS);
                localparam integer LAST_NUMBER = WORDS - 1;
                localparam [COUNT_BITS-1:0] LAST = LAST_NUMBER[COUNT_BITS-1:0];
                reg [COUNT_BITS-1:0] word;
                assign in_last = word == LAST;
                always @(posedge clk) begin
                    if (rst) word <= {COUNT_BITS{1'b0}};
                    else if (take) word <= in_last ? {COUNT_BITS{1'b0}} : word + 1'b1;
                end
            end else begin : at_once
                assign in_last = 1'b1;
            end

            // Signed elements with their first bit turned compare as unsigned ones do.
            reg [LANES*ELEMENT_BITS-1:0] ordered;
            reg ordered_last;
            initial begin
                ordered = {LANES * ELEMENT_BITS{1'b0}};
                ordered_last = 1'b0;
            end
            always @(posedge clk) ordered_last <= !rst && in_last;
            for (i = 0; i < LANES; i = i + 1) begin : lane
                localparam FIRST = (i + 1) * ELEMENT_BITS - 1;
                localparam SECOND_OF_PAIR = i % 2 != 0;
                always @(posedge clk)
                    ordered[FIRST] <= rst ? 1'b0 : in_data[FIRST] ^ ((SIGNED != 0) != SECOND_OF_PAIR);
                if (ELEMENT_BITS > 1) begin : others
                    always @(posedge clk)
                        ordered[i*ELEMENT_BITS+:ELEMENT_BITS-1] <= rst ? {ELEMENT_BITS - 1{1'b0}} :
                            in_data[i*ELEMENT_BITS+:ELEMENT_BITS-1] ^ {ELEMENT_BITS - 1{SECOND_OF_PAIR}};
                end
            end

            for (l = 0; l < LEVELS; l = l + 1) begin : level
                localparam IN = (LANES + (1 << l) - 1) >> l;
                localparam OUT = (IN + 1) >> 1;
                wire [IN*ELEMENT_BITS-1:0] in;
                wire last;
                reg [OUT*ELEMENT_BITS-1:0] best;
                reg [OUT*(l+1)-1:0] index;  // of each best within its elements of the word
                reg last_held;
                initial begin
                    best = {OUT * ELEMENT_BITS{1'b0}};
                    index = {OUT * (l + 1) {1'b0}};
                    last_held = 1'b0;
                end
                always @(posedge clk) last_held <= !rst && last;
                if (l == 0) begin : first
                    assign in = ordered;
                    assign last = ordered_last;
                end else begin : next
                    assign in = level[l-1].best;
                    assign last = level[l-1].last_held;
                end
                for (i = 0; i < OUT; i = i + 1) begin : pair
                    localparam SECOND_OF_PAIR = i % 2 != 0;
                    wire [ELEMENT_BITS-1:0] left = in[2*i*ELEMENT_BITS+:ELEMENT_BITS];
                    if (2 * i + 1 < IN) begin : both
                        wire [ELEMENT_BITS-1:0] inverted = in[(2*i+1)*ELEMENT_BITS+:ELEMENT_BITS];
                        // left - right, its carry set where left >= right.
                        wire [ELEMENT_BITS:0] difference =
                            {1'b0, left} + {1'b0, inverted} + {{ELEMENT_BITS{1'b0}}, 1'b1};
                        wire unused = &{1'b0, difference};
                        // Whether the right half has an element of the frame in a last word too.
                        localparam ALWAYS = ((2 * i + 1) << l) < USED;
                        wire larger = !difference[ELEMENT_BITS] && (ALWAYS || !last);
                        always @(posedge clk)
                            best[i*ELEMENT_BITS+:ELEMENT_BITS] <= rst ? {ELEMENT_BITS{1'b0}} :
                                (larger ? ~inverted : left) ^ {ELEMENT_BITS{SECOND_OF_PAIR}};
                        if (l == 0) begin : leaf
                            always @(posedge clk) index[i] <= !rst && larger;
                        end else begin : node
                            wire [2*l-1:0] below = level[l-1].index[2*i*l+:2*l];
                            always @(posedge clk)
                                index[i*(l+1)+:l+1] <= rst ? {l + 1{1'b0}} :
                                    {larger, larger ? below[2*l-1:l] : below[l-1:0]};
                        end
                    end else begin : odd
                        always @(posedge clk)
                            best[i*ELEMENT_BITS+:ELEMENT_BITS] <= rst ? {ELEMENT_BITS{1'b0}} :
                                left ^ {ELEMENT_BITS{SECOND_OF_PAIR}};
                        if (l == 0) begin : leaf
                            always @(posedge clk) index[i] <= 1'b0;
                        end else begin : node
                            always @(posedge clk)
                                index[i*(l+1)+:l+1] <= rst ? {l + 1{1'b0}} : {1'b0, level[l-1].index[2*i*l+:l]};
                        end
                    end
                end
            end

            // The best of the word, and of the frame so far.
            wire [CLASS_BITS-1:0] result;
            if (WORDS > 1) begin : across
                wire [ELEMENT_BITS-1:0] word_best;
                wire [CLASS_BITS-1:0] word_index;
                wire word_last;
                if (LEVELS > 0) begin : tree
                    assign word_best = level[LEVELS-1].best;
                    assign word_last = level[LEVELS-1].last_held;
                    if (CLASS_BITS > LEVELS) begin : wider
                        assign word_index = {{(CLASS_BITS - LEVELS) {1'b0}}, level[LEVELS-1].index};
                    end else begin : same
                        assign word_index = level[LEVELS-1].index[CLASS_BITS-1:0];
                    end
                end else begin : lane_alone
                    assign word_best = ordered;
                    assign word_last = ordered_last;
                    assign word_index = {CLASS_BITS{1'b0}};
                end
                localparam integer STEP_NUMBER = LANES;
                localparam [CLASS_BITS-1:0] STEP = STEP_NUMBER[CLASS_BITS-1:0];
                reg fresh;                   // the next word begins a frame
                reg [CLASS_BITS-1:0] start;  // index of its first element
                reg [ELEMENT_BITS-1:0] best;
                reg [CLASS_BITS-1:0] index;
                always @(posedge clk) begin
                    if (rst) begin
                        fresh <= 1'b1;
                        start <= {CLASS_BITS{1'b0}};
                        best <= {ELEMENT_BITS{1'b0}};
                        index <= {CLASS_BITS{1'b0}};
                    end else if (passes[STAGES-1]) begin
                        fresh <= word_last;
                        start <= word_last ? {CLASS_BITS{1'b0}} : start + STEP;
                        if (fresh || word_best > best) begin
                            best <= word_best;
                            index <= start + word_index;
                        end
                    end
                end
                assign result = index;
            end else begin : alone
                if (CLASS_BITS > LEVELS) begin : wider
                    assign result = {{(CLASS_BITS - LEVELS) {1'b0}}, level[LEVELS-1].index};
                end else begin : same
                    assign result = level[LEVELS-1].index[CLASS_BITS-1:0];
                end
                wire unused = &{1'b0, level[LEVELS-1].best, level[LEVELS-1].last_held, level[LEVELS-1].index};
            end

            // A word waits in the first buffer for its class to come into the second.
            wire word_there, class_free;
            edgeml_fifo #(.WIDTH(LANES * ELEMENT_BITS), .DEPTH(STAGES + 2)) words (
                .clk(clk), .rst(rst), .can_reserve(in_ready), .reserve(take), .push(take), .push_data(in_data),
                .valid(word_there), .ready(out_valid && out_ready), .data(out_data)
            );
            edgeml_fifo #(.WIDTH(CLASS_BITS), .DEPTH(STAGES + 2)) classes (
                .clk(clk), .rst(rst), .can_reserve(class_free), .reserve(take), .push(passes[STAGES]),
                .push_data(result), .valid(out_valid), .ready(out_ready), .data(out_class)
            );
            wire unused = &{1'b0, word_there, class_free};
        end
    endgenerate
endmodule
`default_nettype wire
