// SPDX-License-Identifier: Apache-2.0
// Words pass as they came, in their order, none lost or doubled; beside each stands the class of its frame so far: for
// any two elements of the frame that came, if the class names the first, it is the larger, or of two equal ones the
// lower. A word is offered at the latest so many clocks after it came as the unit's head says, and stays until taken.
`default_nettype none
module prove_argmax #(
    parameter OUTPUTS = 5,
    parameter LANES = 2,
    parameter ELEMENT_BITS = 3,
    parameter SIGNED = 1,
    parameter BINARY = 0,
    parameter signed [31:0] THRESHOLD = 32'sd0,
    parameter CLASS_BITS = (OUTPUTS > 1) ? $clog2(OUTPUTS) : 1
) (
    input wire                          clk,
    input wire                          rst,
    input wire                          in_valid,
    input wire [LANES*ELEMENT_BITS-1:0] in_data,
    input wire                          out_ready,
    input wire                          choose,        // the word that is taken is the one to watch
    input wire [7:0]                    named_word,    // any element of a frame, which the class may name
    input wire [7:0]                    named_lane,
    input wire [7:0]                    other_word,    // and any other
    input wire [7:0]                    other_lane
);
    localparam WIDTH = LANES * ELEMENT_BITS;
    localparam LEVELS = (LANES > 1) ? $clog2(LANES) : 0;
    localparam WORDS = (OUTPUTS + LANES - 1) / LANES;
    localparam STAGES = OUTPUTS == 1 ? 1 : 1 + LEVELS + ((WORDS > 1) ? 1 : 0);
    localparam USED = OUTPUTS - (WORDS - 1) * LANES;
    localparam DEPTH = STAGES + 2;
    wire in_ready, out_valid;
    wire [WIDTH-1:0] out_data;
    wire [CLASS_BITS-1:0] out_class;
    edgeml_argmax #(
        .OUTPUTS(OUTPUTS), .LANES(LANES), .ELEMENT_BITS(ELEMENT_BITS), .SIGNED(SIGNED), .BINARY(BINARY),
        .THRESHOLD(THRESHOLD)
    ) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data), .out_class(out_class)
    );
    genvar l, g, s, i;
    generate
        if (OUTPUTS == 1) begin : one
            wire sign = SIGNED && in_data[ELEMENT_BITS-1];
            wire signed [32:0] value = {{33 - ELEMENT_BITS{sign}}, in_data[ELEMENT_BITS-1:0]};
            wire signed [32:0] threshold = {THRESHOLD[31], THRESHOLD};
            always @* begin
                assert (in_ready == out_ready && out_valid == in_valid && out_data == in_data);
                assert (out_class == (BINARY != 0 && value > threshold));
            end
        end else begin : several
            reg begun = 1'b0;
            reg [31:0] names;
            always @(posedge clk) begin
                begun <= 1'b1;
                names <= {named_word, named_lane, other_word, other_lane};
            end
            wire [7:0] named = named_word * LANES + named_lane;
            wire [7:0] other = other_word * LANES + other_lane;
            always @* begin
                assume (begun || rst);
                assume (!begun || names == {named_word, named_lane, other_word, other_lane});
                assume (named_word < WORDS && named_lane < LANES && named < OUTPUTS);
                assume (other_word < WORDS && other_lane < LANES && other < OUTPUTS);
            end

            // What stands beside a word: its number in the frame, and of either element whether it came, and its value.
            // Signed numbers with their first bit turned compare as unsigned ones do.
            localparam TAG = 8 + 2 * (1 + ELEMENT_BITS);
            wire takes = in_valid && in_ready;
            wire gives = out_valid && out_ready;
            reg [7:0] number;  // of the next word
            reg [TAG-1:0] latest;
            wire [ELEMENT_BITS-1:0] turn = SIGNED ? 1'b1 << (ELEMENT_BITS - 1) : 0;
            wire has_named = named_word == number || (number != 0 && latest[8]);
            wire has_other = other_word == number || (number != 0 && latest[9]);
            wire [ELEMENT_BITS-1:0] named_here = (in_data >> (named_lane * ELEMENT_BITS)) ^ turn;
            wire [ELEMENT_BITS-1:0] other_here = (in_data >> (other_lane * ELEMENT_BITS)) ^ turn;
            wire [TAG-1:0] tag = {
                other_word == number ? other_here : latest[10+ELEMENT_BITS +: ELEMENT_BITS],
                named_word == number ? named_here : latest[10 +: ELEMENT_BITS], has_other, has_named, number
            };
            always @(posedge clk) begin
                if (rst) number <= 0;
                else if (takes) number <= number == WORDS - 1 ? 8'd0 : number + 8'd1;
                latest <= rst ? WORDS - 1 : takes ? tag : latest;
            end

            // Any one word: watched from when it is taken on, with so many ahead of it.
            reg watched, landed;
            reg [7:0] age, ahead, count;
            reg [TAG-1:0] watched_tag;
            reg [WIDTH-1:0] watched_data;
            always @(posedge clk) begin
                count <= rst ? 0 : count + takes - gives;
                watched <= !rst && (watched ? !(gives && ahead == 0) : takes && choose);
                ahead <= watched ? ahead - gives : count - gives;
                age <= watched ? age + 1 : 0;
                landed <= watched && (landed || age == STAGES - 1);
                if (!watched) watched_tag <= tag;
                if (!watched) watched_data <= in_data;
            end
            function is_class;
                input [CLASS_BITS-1:0] index;
                input [TAG-1:0] about;
                reg [ELEMENT_BITS-1:0] x, y;
                begin
                    x = about[10 +: ELEMENT_BITS];
                    y = about[10+ELEMENT_BITS +: ELEMENT_BITS];
                    is_class = index < OUTPUTS && index < (about[7:0] + 1) * LANES;
                    if (index == named) is_class = is_class && about[8] && (!about[9] || x > y || (x == y && named <= other));
                end
            endfunction
            // Contract.
            always @* if (begun) begin
                assert (in_ready == (count != DEPTH));
                assert (!watched || ahead < count);
                assert (!watched || ahead != 0 || !out_valid || (out_data == watched_data && is_class(out_class, watched_tag)));
                assert (!watched || ahead != 0 || !landed || out_valid);
                assert (!out_valid || count != 0);
            end

            // Why: which word is in which stage, and what is known of it there.
            reg [TAG*STAGES-1:0] tags;
            reg [WIDTH*STAGES-1:0] data;
            always @(posedge clk) begin
                tags <= {tags, tag};
                data <= {data, in_data};
            end
            wire [STAGES-1:0] seen_going;
            wire [$clog2(DEPTH+1)-1:0] seen_words__filled, seen_words__reserved;
            wire [$clog2(DEPTH+1)-1:0] seen_classes__filled;
            wire seen_words__some;
            wire [$clog2(DEPTH)-1:0] seen_words__read_index, seen_words__write_index;
            wire [$clog2(DEPTH)-1:0] seen_classes__read_index, seen_classes__write_index;
            wire [WIDTH*DEPTH-1:0] seen_words__memory;
            wire [CLASS_BITS*DEPTH-1:0] seen_classes__memory;
            wire [7:0] filled = seen_classes__filled;
            wire [7:0] first = seen_words__read_index;
            wire [8*(STAGES+1)-1:0] older;  // words in the stages from a stage on
            assign older[8*STAGES +: 8] = 0;
            wire [7:0] words_end = first + count, classes_end = first + filled, place_sum = first + ahead;
            wire [7:0] place = place_sum >= DEPTH ? place_sum - DEPTH : place_sum;
            always @* if (begun) begin
                assert (seen_words__filled == count && seen_words__reserved == count);
                assert (count <= DEPTH && filled + older[7:0] == count);
                assert (seen_words__some == (count != 0) && out_valid == (filled != 0));
                assert (first < DEPTH && seen_classes__read_index == first);
                assert (seen_words__write_index == (words_end >= DEPTH ? words_end - DEPTH : words_end));
                assert (seen_classes__write_index == (classes_end >= DEPTH ? classes_end - DEPTH : classes_end));
                assert (number < WORDS && (number == 0 ? latest[7:0] == WORDS - 1 : latest[7:0] == number - 1));
                assert (!watched || landed == (ahead < filled));
                assert (!watched || landed || age < STAGES);
            end
            for (i = 0; i < DEPTH; i = i + 1) begin : places
                always @* if (begun && watched && place == i) begin
                    assert (seen_words__memory[i*WIDTH +: WIDTH] == watched_data);
                    assert (!landed || is_class(seen_classes__memory[i*CLASS_BITS +: CLASS_BITS], watched_tag));
                end
            end

            // The word that was the last to pass a stage, from the oldest on: the next one follows it.
            wire [TAG*(STAGES+1)-1:0] before;
            for (s = 0; s < STAGES; s = s + 1) begin : stage
                wire [TAG-1:0] here = tags[s*TAG +: TAG];
                wire [TAG-1:0] past = before[(s+1)*TAG +: TAG];
                wire [WIDTH-1:0] word = data[s*WIDTH +: WIDTH];
                wire there = seen_going[s];
                wire at_start = here[7:0] == 0;
                wire [ELEMENT_BITS-1:0] named_word_here = (word >> (named_lane * ELEMENT_BITS)) ^ turn;
                wire [ELEMENT_BITS-1:0] other_word_here = (word >> (other_lane * ELEMENT_BITS)) ^ turn;
                wire x_here = named_word == here[7:0];
                wire y_here = other_word == here[7:0];
                assign older[s*8 +: 8] = older[(s+1)*8 +: 8] + there;
                assign before[s*TAG +: TAG] = there ? here : past;
                always @* if (begun && there) begin
                    assert (here[7:0] < WORDS);
                    if (s < STAGES - 1 || WORDS == 1) assert (here[7:0] == (past[7:0] == WORDS - 1 ? 0 : past[7:0] + 1));
                    if (s < STAGES - 1 || WORDS == 1) assert (here[8] == (x_here || (!at_start && past[8])));
                    if (s < STAGES - 1 || WORDS == 1) assert (here[9] == (y_here || (!at_start && past[9])));
                    assert (!x_here || here[10 +: ELEMENT_BITS] == named_word_here);
                    assert (!y_here || here[10+ELEMENT_BITS +: ELEMENT_BITS] == other_word_here);
                    if (s < STAGES - 1 || WORDS == 1) begin
                        assert (x_here || at_start || !past[8] || here[10 +: ELEMENT_BITS] == past[10 +: ELEMENT_BITS]);
                        assert (y_here || at_start || !past[9]
                                || here[10+ELEMENT_BITS +: ELEMENT_BITS] == past[10+ELEMENT_BITS +: ELEMENT_BITS]);
                    end
                    if (watched && !landed && age == s) begin
                        assert (here == watched_tag && word == watched_data);
                        assert (ahead == filled + older[(s+1)*8 +: 8]);
                    end
                end
                always @* if (begun && watched && !landed && age == s) assert (there);
            end
            always @* if (begun && WORDS > 1) assert (latest == before[TAG-1:0]);

            // The first stage holds the word's elements, each second one inverted.
            wire [WIDTH-1:0] seen_ordered;
            wire seen_ordered_last;
            for (i = 0; i < LANES; i = i + 1) begin : lane
                wire [ELEMENT_BITS-1:0] x = data[i*ELEMENT_BITS +: ELEMENT_BITS] ^ turn ^ {ELEMENT_BITS{i % 2 != 0}};
                always @*
                    if (begun && seen_going[0])
                        assert (seen_ordered[i*ELEMENT_BITS +: ELEMENT_BITS] == x);
            end
            always @*
                if (begun && seen_going[0])
                    assert (seen_ordered_last == (tags[7:0] == WORDS - 1));
            // Each next one the best of twice as many, and which of them it is.
            for (l = 0; l < LEVELS; l = l + 1) begin : level
                localparam IN = (LANES + (1 << l) - 1) >> l;
                localparam OUT = (IN + 1) >> 1;
                wire [OUT*ELEMENT_BITS-1:0] seen_best;
                wire [OUT*(l+1)-1:0] seen_index;
                wire seen_last_held;
                wire [TAG-1:0] here = tags[(l+1)*TAG +: TAG];
                wire there = seen_going[l+1];
                wire last = here[7:0] == WORDS - 1;
                always @* if (begun && there) assert (seen_last_held == last);
                for (g = 0; g < OUT; g = g + 1) begin : group
                    wire [ELEMENT_BITS-1:0] best = seen_best[g*ELEMENT_BITS +: ELEMENT_BITS] ^ {ELEMENT_BITS{g % 2 != 0}};
                    wire [l:0] index = seen_index[g*(l+1) +: l+1];
                    wire [7:0] at = (g << (l + 1)) + index;
                    wire [ELEMENT_BITS-1:0] x = here[10 +: ELEMENT_BITS], y = here[10+ELEMENT_BITS +: ELEMENT_BITS];
                    always @* if (begun && there) begin
                        if (here[7:0] == named_word && at == named_lane) assert (best == x);
                        if (here[7:0] == other_word && other_lane >> (l + 1) == g)
                            assert (best > y || (best == y && at <= other_lane));
                        assert (at < LANES && (!last || g << (l + 1) >= USED || at < USED));
                    end
                end
            end
            if (WORDS > 1) begin : across
                wire seen_fresh;
                wire [CLASS_BITS-1:0] seen_start, seen_index;
                wire [ELEMENT_BITS-1:0] seen_best;
                wire [((WORDS > 1) ? $clog2(WORDS) : 1)-1:0] seen_word;
                reg [TAG-1:0] done;  // the last word that passed; before the first, as if a frame had ended
                reg none;
                always @(posedge clk) begin
                    if (rst) none <= 1'b1;
                    else if (seen_going[STAGES-2]) none <= 1'b0;
                    if (rst) done <= WORDS - 1;
                    else if (seen_going[STAGES-2]) done <= tags[(STAGES-2)*TAG +: TAG];
                end
                assign before[STAGES*TAG +: TAG] = done;
                wire [ELEMENT_BITS-1:0] x = done[10 +: ELEMENT_BITS], y = done[10+ELEMENT_BITS +: ELEMENT_BITS];
                wire ended = done[7:0] == WORDS - 1;
                wire [CLASS_BITS-1:0] index = seen_index;
                wire [ELEMENT_BITS-1:0] best = seen_best;
                always @* if (begun) begin
                    assert (done[7:0] < WORDS && seen_word == number);
                    assert (seen_fresh == ended && (!none || ended));
                    assert (seen_start == (ended ? 0 : (done[7:0] + 1) * LANES));
                    assert (!seen_going[STAGES-1] || (!none && done == tags[(STAGES-1)*TAG +: TAG]));
                    if (!none) begin
                        assert (index < OUTPUTS && index < (done[7:0] + 1) * LANES);
                        assert (index != named || (done[8] && best == x));
                        assert (!done[9] || best > y || (best == y && index <= other));
                    end
                end
            end else begin : alone
                assign before[STAGES*TAG +: TAG] = 0;
            end
        end
    endgenerate
endmodule
`default_nettype wire
