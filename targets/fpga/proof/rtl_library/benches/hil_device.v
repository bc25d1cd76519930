// SPDX-License-Identifier: Apache-2.0
// A device answers each request that is accepted and whole once, and nothing else: header, verdict and then hello's fields,
// the clocks and each integer of the outputs in its order, the self-test's finding, or the benchmark's clocks. Inputs go
// to the core in their order, all there before they are read; the self-test draws, runs and adds up all that it must.
// No further request is taken before the answer is sent, the next one then.
//
// Its parts (parts/hil_device.v) stand for their contracts, which the benches of their names prove: what they may give
// are the free inputs, what they must give follows from what they were asked. Assumed of the core: a run's last result
// comes when its last word was taken.
`default_nettype none
module prove_hil_device #(
    parameter INPUTS = 3,
    parameter INPUT_LANES = 2,
    parameter INPUT_BITS = 3,
    parameter OUTPUTS = 3,
    parameter OUTPUT_LANES = 2,
    parameter OUTPUT_BITS = 5,
    parameter OUTPUT_SIGNED = 1,
    parameter SAMPLES = 2,
    parameter INPUT_SIGNED = 1,
    parameter INPUT_LOW = -3,
    parameter INPUT_HIGH = 3,
    parameter TEST_ROUNDS = 2,
    parameter HELLO_BYTES = 56
) (
    input wire [8*HELLO_BYTES-1:0]            HELLO,      // constants of any value
    input wire [31:0]                         TEST_SEED,
    input wire [31:0]                         TEST_CRC,
    input wire                                clk,
    input wire                                rst,
    input wire                                rx_valid,
    input wire [7:0]                          rx_data,
    input wire                                tx_ready,
    input wire                                in_ready,
    input wire                                out_valid,
    input wire [OUTPUT_LANES*OUTPUT_BITS-1:0] out_data,
    input wire                                free_receive__gives,
    input wire                                free_receive__takes,
    input wire                                free_receive__drops,
    input wire [7:0]                          free_receive__byte_given,
    input wire                                free_send__takes,
    input wire                                free_send__sends,
    input wire                                free_send__offers,
    input wire [7:0]                          free_send__offered,
    input wire [16:0]                         free_inputs__finds,
    input wire [INPUT_LANES*INPUT_BITS-1:0]   free_inputs__gives,
    input wire [31:0]                         free_outputs__gives,
    input wire [31:0]                         free_run__counts,
    input wire [$clog2(SAMPLES*OUTPUTS+2)-1:0] which,  // any integer of the outputs,
    input wire [31:0]                         its     // and its value
);
    localparam HELLO_ASKED = 1, INFER = 2, SELF_TEST = 3, BENCHMARK = 4, TRACE = 5;
    localparam [3:0] IDLE = 4'd0, RUN = 4'd1, HEADER = 4'd2, BODY_HELLO = 4'd3, VALUE = 4'd4, NEXT = 4'd5,
                     FINISH = 4'd6, WAIT = 4'd7, ROUND = 4'd8, FILL = 4'd9, SETTLE = 4'd10;
    localparam IN_BEATS = (INPUTS + INPUT_LANES - 1) / INPUT_LANES;
    localparam OUT_BEATS = (OUTPUTS + OUTPUT_LANES - 1) / OUTPUT_LANES;
    localparam BITS = $clog2(600 + 4 * SAMPLES * OUTPUTS);
    wire tx_valid, busy, in_valid, out_ready;
    wire [7:0] tx_data;
    wire [INPUT_LANES*INPUT_BITS-1:0] in_data;
    edgeml_hil_device #(
        .INPUTS(INPUTS), .INPUT_LANES(INPUT_LANES), .INPUT_BITS(INPUT_BITS), .OUTPUTS(OUTPUTS),
        .OUTPUT_LANES(OUTPUT_LANES), .OUTPUT_BITS(OUTPUT_BITS), .OUTPUT_SIGNED(OUTPUT_SIGNED), .SAMPLES(SAMPLES),
        .INPUT_SIGNED(INPUT_SIGNED), .INPUT_LOW(INPUT_LOW), .INPUT_HIGH(INPUT_HIGH), .TEST_ROUNDS(TEST_ROUNDS),
        .HELLO_BYTES(HELLO_BYTES)
    ) unit (
        .TEST_SEED(TEST_SEED), .TEST_CRC(TEST_CRC), .HELLO(HELLO), .clk(clk), .rst(rst), .rx_valid(rx_valid), .rx_data(rx_data), .tx_valid(tx_valid), .tx_ready(tx_ready),
        .tx_data(tx_data), .busy(busy), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data),
        .out_valid(out_valid), .out_ready(out_ready), .out_data(out_data)
    );
    // What the parts are asked and what they give.
    wire seen_receive__byte_valid, seen_receive__accepted, seen_receive__dropped, seen_receive__valid, seen_receive__hold;
    wire [7:0] seen_receive__byte_data, seen_receive__data, seen_send__put_data;
    wire [$clog2(15+INPUTS*SAMPLES+4+1)-1:0] seen_receive__bytes;
    wire seen_send__put, seen_send__finish, seen_send__ready, seen_send__done, seen_send__tx_ready, seen_send__finished;
    wire seen_inputs__clear, seen_inputs__write, seen_inputs__zeros, seen_inputs__rewind, seen_inputs__advance;
    wire seen_inputs__over;
    wire [7:0] seen_inputs__write_data;
    wire [$clog2(SAMPLES+2)-1:0] seen_inputs__sample, seen_inputs__earlier, seen_inputs__before, seen_inputs__read_sample;
    wire [$clog2(INPUTS+1)-1:0] seen_inputs__number;
    wire [$clog2(IN_BEATS+1)-1:0] seen_inputs__read_beat;
    wire seen_outputs__clear, seen_outputs__write, seen_outputs__rewind, seen_outputs__advance, seen_outputs__moves;
    wire [OUTPUT_LANES*OUTPUT_BITS-1:0] seen_outputs__write_data;
    wire [$clog2(SAMPLES+2)-1:0] seen_outputs__whole, seen_outputs__sample;
    wire [$clog2(OUT_BEATS+1)-1:0] seen_outputs__beat;
    wire [$clog2(OUTPUTS+1)-1:0] seen_outputs__number;
    wire [$clog2(SAMPLES*OUTPUTS+2)-1:0] seen_outputs__reads;
    wire [23:0] seen_run__words, seen_run__results;
    wire seen_run__start, seen_run__done;
    wire [15:0] seen_run__frames;
    wire gives = seen_receive__byte_valid;
    wire [7:0] given = seen_receive__byte_data;
    wire puts = seen_send__put && seen_send__ready;
    wire done = seen_send__done;

    reg begun = 1'b0;
    reg [$clog2(SAMPLES*OUTPUTS+2)+31:0] was;
    reg counted;               // no run was under way a clock ago: its clocks stay
    reg [31:0] counts_before;
    reg [8*HELLO_BYTES+63:0] constants_before;
    always @(posedge clk) begin
        begun <= 1'b1;
        counted <= !rst && !seen_run__start && seen_run__results == 0;
        counts_before <= free_run__counts;
        was <= {which, its};
        constants_before <= {HELLO, TEST_SEED, TEST_CRC};
    end
    always @* begin
        assume ((begun || rst) && (!begun || was == {which, its}));
        assume (seen_outputs__moves || seen_outputs__reads != which || free_outputs__gives == its);
        assume (!begun || constants_before == {HELLO, TEST_SEED, TEST_CRC});
        assume (!counted || free_run__counts == counts_before);
        assume (!out_valid || seen_run__results != 1 || seen_run__words == 0);  // the core
    end

    // The request.
    reg [$clog2(INPUTS*SAMPLES+32)-1:0] came;  // bytes of it
    reg [7:0] kind;
    reg [31:0] sequence;
    reg same;                 // model
    reg [15:0] count;         // of samples or repeats
    wire whole = kind == HELLO_ASKED ? came == 5 : kind >= INFER && kind <= TRACE && came >= 13;
    wire asks = seen_receive__accepted && whole;
    wire [$clog2(SAMPLES+2)-1:0] few = count;
    wire sized = count != 0 && (kind == BENCHMARK ? came == 15 : count <= SAMPLES && came == 15 + few * INPUTS);
    wire [7:0] found = kind == HELLO_ASKED ? 0 : !same ? 1 : kind == SELF_TEST ? 0 : !sized ? 2 : kind == TRACE ? 3 : 0;
    // The answer.
    reg answers;
    reg [7:0] verdict;
    reg [BITS-1:0] sent;      // bytes of it
    reg [31:0] clocks;        // of the last run, known a clock after it
    reg ran;
    reg [16:0] runs;          // that are over
    reg [31:0] least, most;   // of their clocks
    reg [31:0] drawn, digest; // of the self-test
    reg [$clog2(SAMPLES*INPUTS+2)-1:0] filled;
    reg [BITS-1:0] added;     // drawn for a run, and of its outputs that are in the digest
    wire [31:0] drawn_next, digest_next;
    wire [31:0] seen_value;
    wire [1:0] seen_value_index;
    wire [3:0] seen_state;
    wire seen_testing;
    wire digests = seen_testing && seen_state == VALUE;
    edgeml_crc32 draw_step (.state(drawn), .data(8'd0), .next(drawn_next));
    edgeml_crc32 digest_step (.state(digest), .data(seen_value[7:0]), .next(digest_next));
    wire fills = answers && seen_inputs__write;
    integer i;
    always @(posedge clk) begin
        came <= rst || done || (!answers && (seen_receive__dropped || (seen_receive__accepted && !whole))) ? 0 : came + gives;
        if (rst) begin
            kind <= 0;
            count <= 0;
        end else if (gives) begin
            if (came == 0) kind <= given;
            if (came == 13) count[7:0] <= given;
            if (came == 14) count[15:8] <= given;
        end
        for (i = 0; i < 4; i = i + 1) if (gives && came == 1 + i) sequence[8*i +: 8] <= given;
        if (came == 0) same <= 1'b1;
        for (i = 0; i < 8; i = i + 1) if (gives && came == 5 + i && given != HELLO[8*(3+i) +: 8]) same <= 1'b0;
        answers <= !rst && !done && (answers || asks);
        ran <= !rst && seen_run__done;
        filled <= !answers || seen_run__start ? 0 : filled + fills;
        added <= !answers || seen_run__start ? 0 : added + digests;
        if (ran) clocks <= free_run__counts;
        if (!answers) begin
            verdict <= found;
            sent <= 0;
            runs <= 0;
            least <= 32'hFFFFFFFF;
            most <= 0;
            drawn <= TEST_SEED;
            digest <= 32'hFFFFFFFF;
        end else begin
            sent <= sent + puts;
            if (ran) begin
                runs <= runs + 1;
                if (free_run__counts < least) least <= free_run__counts;
                if (free_run__counts > most) most <= free_run__counts;
            end
            if (fills) drawn <= drawn_next;
            if (digests) digest <= digest_next;
        end
    end
    wire [BITS-1:0] behind = sent - 6;
    wire [BITS-1:0] item = behind >> 2;  // integer of the body
    wire [1:0] place = behind;           // byte of it
    wire [31:0] integer_there = kind == INFER ? (item == 0 ? clocks : its)
        : kind == SELF_TEST ? (~digest != TEST_CRC ? 2 : 0) : item == 0 ? least : most;
    wire [7:0] body = kind == HELLO_ASKED ? HELLO >> {behind[9:0], 3'd0} : integer_there >> {place, 3'd0};
    wire [7:0] byte_there = sent == 0 ? kind | 128 : sent < 5 ? sequence >> {sent[2:0] - 3'd1, 3'd0} : sent == 5 ? verdict : body;
    wire watched = kind != INFER || item == 0 || item - 1 == which || sent < 6;
    wire [BITS-1:0] length = verdict != 0 ? 6 : kind == HELLO_ASKED ? 6 + HELLO_BYTES : kind == SELF_TEST ? 10
        : kind == BENCHMARK ? 14 : 10 + 4 * OUTPUTS * few;
    wire [16:0] wanted_runs = verdict != 0 || kind == HELLO_ASKED ? 0 : kind == SELF_TEST ? TEST_ROUNDS
        : kind == BENCHMARK ? count : 1;
    wire signed [31:0] low = INPUT_LOW, high = INPUT_HIGH;
    wire signed [31:0] plain = {{32{INPUT_SIGNED != 0 && drawn[INPUT_BITS-1]}}, drawn[INPUT_BITS-1:0]};
    wire [7:0] clipped = plain < low ? low : plain > high ? high : plain;
    // Contract.
    wire [$clog2(SAMPLES*INPUTS+2)-1:0] drawn_bytes = SAMPLES * INPUTS;
    wire [BITS-1:0] output_bytes = 4 * SAMPLES * OUTPUTS;
    wire [$clog2(SAMPLES+2)-1:0] all_frames = kind == INFER ? few : kind == SELF_TEST ? SAMPLES : 1;
    always @* if (begun) begin
        assert (busy == answers);
        assert (!seen_send__put || (answers && !seen_send__finish));
        assert (!puts || (sent < length && (!watched || seen_send__put_data == byte_there)));
        assert (!(seen_send__finish && seen_send__ready) || (answers && sent == length && runs == wanted_runs));
        assert (!done || answers);
        assert (!seen_run__start || (answers && verdict == 0 && runs < wanted_runs && seen_run__frames == all_frames));
        assert (!seen_run__start || (all_frames != 0 && all_frames <= SAMPLES));
        // Inputs.
        if (!answers) assert (seen_inputs__write == (gives && came >= 15) && (!gives || seen_inputs__write_data == given));
        if (fills) assert (kind == SELF_TEST && verdict == 0 && seen_inputs__write_data == clipped);
        assert (!seen_inputs__write || !seen_inputs__clear);
        if (seen_run__start && kind == SELF_TEST) assert (filled == drawn_bytes && (runs == 0 || added == output_bytes));
        if (in_valid) assert (in_data == free_inputs__gives && seen_inputs__zeros == (kind == BENCHMARK));
        if (in_valid && kind != BENCHMARK) assert (seen_inputs__read_sample < seen_inputs__before);
        if (in_valid) assert (seen_inputs__read_sample * IN_BEATS + seen_inputs__read_beat + seen_run__words == all_frames * IN_BEATS);
        assert (seen_inputs__advance == (in_valid && in_ready) && seen_inputs__rewind == seen_run__start);
        // Outputs.
        assert (seen_outputs__write == (out_valid && out_ready) && (!seen_outputs__write || seen_outputs__write_data == out_data));
        assert (!seen_outputs__write || seen_outputs__whole < SAMPLES);
        assert (seen_outputs__clear == seen_run__start && seen_outputs__rewind == seen_run__done);
        assert (!seen_outputs__advance || (seen_outputs__sample < seen_outputs__whole && !seen_outputs__moves));
        if (digests) assert (added == 4 * (seen_outputs__reads - 1) + seen_value_index);
        if (digests && seen_outputs__reads - 1 == which) assert (seen_value[7:0] == (its >> {seen_value_index, 3'd0}) % 256);
        if (puts && kind == SELF_TEST && verdict == 0) assert (added == output_bytes);
    end
    // Each part has its clock, its reset, its ports and its shape.
    wire seen_receive__clk, seen_send__clk, seen_inputs__clk, seen_outputs__clk, seen_run__clk;
    wire seen_receive__rst, seen_send__rst, seen_inputs__rst, seen_outputs__rst, seen_run__rst;
    wire seen_run__in_ready, seen_run__out_valid, seen_run__in_valid, seen_run__out_ready;
    wire [31:0] seen_inputs__inputs_here, seen_inputs__lanes_here, seen_inputs__bits_here, seen_inputs__samples_here;
    wire [31:0] seen_outputs__outputs_here, seen_outputs__lanes_here, seen_outputs__bits_here, seen_outputs__sign_here;
    wire [31:0] seen_outputs__samples_here, seen_run__inputs_here, seen_run__outputs_here;
    always @* if (begun) begin
        assert ({5{clk}} == {seen_receive__clk, seen_send__clk, seen_inputs__clk, seen_outputs__clk, seen_run__clk});
        assert ({5{rst}} == {seen_receive__rst, seen_send__rst, seen_inputs__rst, seen_outputs__rst, seen_run__rst});
        assert (seen_receive__valid == rx_valid && seen_receive__data == rx_data && seen_receive__hold == busy);
        assert (tx_valid == free_send__offers && tx_data == free_send__offered && seen_send__tx_ready == tx_ready);
        assert (seen_run__in_ready == in_ready && seen_run__out_valid == out_valid);
        assert (in_valid == seen_run__in_valid && out_ready == seen_run__out_ready);
        assert (seen_inputs__inputs_here == INPUTS && seen_inputs__lanes_here == INPUT_LANES);
        assert (seen_inputs__bits_here == INPUT_BITS && seen_inputs__samples_here == SAMPLES);
        assert (seen_outputs__outputs_here == OUTPUTS && seen_outputs__lanes_here == OUTPUT_LANES);
        assert (seen_outputs__bits_here == OUTPUT_BITS && seen_outputs__sign_here == (OUTPUT_SIGNED != 0));
        assert (seen_outputs__samples_here == SAMPLES);
        assert (seen_run__inputs_here == IN_BEATS && seen_run__outputs_here == OUT_BEATS);
    end
    // Why.
    wire [3:0] seen_position;
    wire [7:0] seen_kind, seen_status;
    wire [31:0] seen_sequence_number, seen_drawn, seen_digest, seen_least, seen_most;
    wire [15:0] seen_number, seen_left, seen_rounds;
    wire [2:0] seen_header;
    wire [$clog2(HELLO_BYTES)-1:0] seen_hello_index;
    wire [1:0] seen_items;
    wire seen_same_model, seen_ran;
    wire running = seen_run__results != 0;
    wire makes = seen_state == ROUND || seen_state == FILL || seen_state == SETTLE;
    wire early = makes || seen_state == RUN || seen_testing;
    wire reads_back = seen_state == NEXT || seen_state == VALUE;
    wire takes = verdict == 0 && kind != HELLO_ASKED;
    wire [$clog2(INPUTS*SAMPLES+32)-1:0] after = came > 15 ? came - 15 : 0;
    wire [2:0] told = came > 5 ? 5 : came;
    always @* if (begun) begin
        // The request.
        assert (came <= 16 + INPUTS * SAMPLES && seen_position == (came > 15 ? 15 : came));
        assert (seen_number == count && (came == 0 || seen_kind == kind) && seen_same_model == (came == 0 || same));
        assert (seen_receive__bytes == (answers ? 0 : came));
        if (!answers && told > 1) assert (seen_sequence_number >> (8 * (5 - told)) == (sequence & (32'hFFFFFFFF >> (8 * (5 - told)))));
        if (answers) assert (whole && came <= 15 + INPUTS * SAMPLES && !seen_inputs__over && verdict == found);
        assert (seen_inputs__number < INPUTS);
        if (!answers) begin
            assert (seen_inputs__sample * INPUTS + seen_inputs__number == after && seen_inputs__sample <= SAMPLES + 1);
            assert (seen_inputs__over == (after > INPUTS * SAMPLES) && seen_inputs__earlier <= seen_inputs__sample);
        end
        // The answer.
        assert (seen_state <= SETTLE && (seen_state == IDLE) == !answers && seen_ran == ran);
        assert (seen_send__finished == (seen_state == WAIT));
        assert (seen_testing == (answers && takes && kind == SELF_TEST && (makes || seen_state == RUN || (reads_back && sent == 0))));
        if (answers) begin
            assert (seen_status == verdict && seen_drawn == drawn && seen_digest == digest);
            assert (seen_least == least && seen_most == most && seen_inputs__zeros == (kind == BENCHMARK));
            assert (!early || (sent == 0 && takes && runs < wanted_runs + (ran || reads_back)));
            assert (!makes || seen_testing);
            assert (runs <= wanted_runs && (kind != INFER || seen_state != RUN || runs == 0));
            if (kind == SELF_TEST && takes && !seen_testing) assert (seen_left == 0);
            assert (!early && seen_state != HEADER || seen_header == sent);
            assert (sent >= 6 || seen_hello_index == 0);
            assert (sent <= length && (takes ? seen_run__frames == all_frames : runs == 0));
            if (early || seen_state == HEADER) assert (sent < 6 && seen_sequence_number == sequence >> {sent == 0 ? 3'd0 : sent[2:0] - 3'd1, 3'd0});
            if (early || seen_state == HEADER) assert (kind != INFER || seen_items == 1);
            if (early || seen_state == HEADER) assert (kind != BENCHMARK || seen_items == 2);
            if (early || seen_state == HEADER) assert (kind != SELF_TEST || seen_items == 1);
            if (!early) assert (runs == wanted_runs);
            if (seen_state == BODY_HELLO) assert (kind == HELLO_ASKED && verdict == 0 && sent == 6 + seen_hello_index && sent < length);
            if (seen_state == FINISH || seen_state == WAIT) assert (sent == length);
            if (reads_back && !seen_testing) begin
                assert (takes && kind != TRACE && sent >= 6 && place == (seen_state == VALUE ? seen_value_index : 2'd0));
                if (kind == BENCHMARK) assert (seen_items + item + (seen_state == VALUE) == 2);
                if (kind == SELF_TEST) assert (seen_items + item + (seen_state == VALUE) == 1);
                if (kind == INFER) assert (seen_items == (item == 0 && seen_state == NEXT));
                if (kind == INFER) assert (seen_outputs__reads == (seen_state == VALUE || item == 0 ? item : item - 1));
                if (seen_state == VALUE && watched) assert (seen_value == integer_there >> {place, 3'd0});
            end
            if (kind == INFER && takes && !early) assert (clocks == free_run__counts && counted);
            if (kind == INFER && takes && seen_state != RUN) assert (seen_left == few - seen_outputs__sample);
            if (kind == INFER && takes && seen_state == RUN) assert (seen_left == count);
            if (kind == BENCHMARK && takes) assert (seen_left == count - runs && (seen_state != RUN || seen_left != 0));
        end
        // Runs.
        if (seen_state == RUN) assert (seen_run__start + running + ran == 1);
        if (seen_state != RUN) assert (!seen_run__start && !running && !ran);
        assert (running || seen_run__words == 0);
        if (takes && answers && (seen_state == RUN ? !seen_run__start : !makes)) begin
            assert (seen_run__results == (all_frames - seen_outputs__whole) * OUT_BEATS - seen_outputs__beat);
            assert (seen_outputs__whole <= all_frames && (seen_outputs__whole < all_frames || seen_outputs__beat == 0));
            if (!running) assert (seen_outputs__whole == all_frames);
            if (!running) assert (seen_outputs__sample <= all_frames && (seen_outputs__sample < all_frames || seen_outputs__number == 0));
        end
        if (running) begin
            assert (seen_inputs__read_sample * IN_BEATS + seen_inputs__read_beat + seen_run__words == all_frames * IN_BEATS);
            assert (seen_inputs__read_sample <= all_frames && (seen_inputs__read_sample < all_frames || seen_inputs__read_beat == 0));
            assert (kind == BENCHMARK || seen_inputs__before == all_frames);
        end
        if (running || seen_run__start || seen_state == SETTLE)
            assert (kind == BENCHMARK || (seen_inputs__sample == all_frames && seen_inputs__number == 0));
        if (running || seen_run__start) assert (kind == BENCHMARK || seen_inputs__earlier == all_frames);
        if (answers && takes && kind == INFER) assert (seen_inputs__sample == count && seen_inputs__number == 0);
        assert (seen_inputs__read_beat < IN_BEATS && seen_outputs__beat < OUT_BEATS);
        // Outputs.
        assert (seen_outputs__number < OUTPUTS);
        assert (seen_outputs__reads == seen_outputs__sample * OUTPUTS + seen_outputs__number);
        if (ran) assert (seen_outputs__reads == 0);
        if (seen_state == HEADER || seen_state == NEXT) assert (!seen_outputs__moves || !takes);
        if (seen_state == HEADER && takes) assert (seen_outputs__reads == 0 || kind == SELF_TEST);
        // The self-test.
        if (seen_testing) begin
            assert (seen_rounds != 0 && seen_rounds <= TEST_ROUNDS && runs == TEST_ROUNDS - seen_rounds + reads_back);
            if (seen_state != ROUND) assert (seen_left == SAMPLES - (reads_back ? seen_outputs__sample : 0));
            if (makes) assert (runs == 0 || added == output_bytes);
            if (seen_state == RUN && seen_run__start) assert (filled == drawn_bytes && (runs == 0 || added == output_bytes));
            if (seen_state == RUN && !seen_run__start) assert (added == 0 && filled == 0);
            if (reads_back || seen_state == ROUND) assert (filled == 0);
            if (seen_state == FILL || seen_state == SETTLE) assert (filled == seen_inputs__sample * INPUTS + seen_inputs__number);
            if (seen_state == FILL) assert (seen_inputs__sample < SAMPLES || (seen_inputs__sample == SAMPLES && seen_inputs__number == 0));
            if (seen_state == NEXT) assert (added == 4 * seen_outputs__reads);
            if (seen_state == VALUE) assert (seen_outputs__reads != 0 && added == 4 * (seen_outputs__reads - 1) + seen_value_index);
            if (seen_state == VALUE && seen_outputs__reads - 1 == which) assert (seen_value == its >> {seen_value_index, 3'd0});
        end else if (answers && takes && kind == SELF_TEST) assert (added == output_bytes);
    end
endmodule
`default_nettype wire
