// SPDX-License-Identifier: Apache-2.0
// The device's side of the hardware-in-the-loop protocol around a core: hello, infer, self-test, benchmark.
//
// Requests and answers are those of firmware_stubs/c/hil/edgeml_hil.h, byte for byte. A request that comes while
// another one is answered is dropped, as a damaged one is: the host asks again. Cycles are clocks from the core's
// first input word to its last result, both counted. There is no trace.
//
// The self-test draws inputs from a shift register, runs them through the core as full requests, one behind the other,
// and holds the CRC-32 of all outputs (4 bytes each, the lowest first) against TEST_CRC: what it finds right is the
// core with the constants in it. They lie in logic, from where nothing reads them back, so that a CRC of their own
// cannot be had. The register is that of the CRC (edgeml_crc32 with zero bytes), from TEST_SEED on; its 8 lowest bits
// are an input, cut to the input's bits, and what is beyond INPUT_LOW … INPUT_HIGH becomes the nearest of them.
`default_nettype none
module edgeml_hil_device #(
    parameter INPUTS = 4,          // integers of a sample
    parameter INPUT_LANES = 4,     // integers of a word of the core's input
    parameter INPUT_BITS = 8,      // of an integer
    parameter OUTPUTS = 4,
    parameter OUTPUT_LANES = 4,
    parameter OUTPUT_BITS = 8,
    parameter OUTPUT_SIGNED = 1,
    parameter SAMPLES = 1,         // most in a request
    parameter INPUT_SIGNED = 1,
    parameter INPUT_LOW = -128,    // the least and the most that an input may be
    parameter INPUT_HIGH = 127,
    parameter TEST_ROUNDS = 1,     // requests of SAMPLES samples in the self-test, at most 65535
    parameter [31:0] TEST_SEED = 32'd1,
    parameter [31:0] TEST_CRC = 32'd0,
    parameter HELLO_BYTES = 56,    // the body of hello's answer, its first byte lowest; the model hash from byte 3 on
    parameter [8*HELLO_BYTES-1:0] HELLO = {8 * HELLO_BYTES{1'b0}}
) (
    input  wire                                clk,
    input  wire                                rst,        // synchronous, active high
    input  wire                                rx_valid,   // a byte from the host
    input  wire [7:0]                          rx_data,
    output wire                                tx_valid,   // a byte to the host
    input  wire                                tx_ready,
    output wire [7:0]                          tx_data,
    output wire                                busy,       // a request is being answered
    output wire                                in_valid,   // the core's streams
    input  wire                                in_ready,
    output wire [INPUT_LANES*INPUT_BITS-1:0]   in_data,
    input  wire                                out_valid,
    output wire                                out_ready,
    input  wire [OUTPUT_LANES*OUTPUT_BITS-1:0] out_data
);
    localparam [7:0] ASK_HELLO = 8'd1, ASK_INFER = 8'd2, ASK_SELF_TEST = 8'd3, ASK_BENCHMARK = 8'd4, ASK_TRACE = 8'd5;
    localparam [7:0] OK = 8'd0, OTHER_MODEL = 8'd1, BAD_REQUEST = 8'd2, NO_TRACE = 8'd3;
    localparam [31:0] VECTORS_DIFFER = 32'd2;  // the self-test's result, as the C firmware gives it
    localparam [3:0] IDLE = 4'd0, RUN = 4'd1, HEADER = 4'd2, BODY_HELLO = 4'd3, VALUE = 4'd4, NEXT = 4'd5,
                     FINISH = 4'd6, WAIT = 4'd7, ROUND = 4'd8, FILL = 4'd9, SETTLE = 4'd10;
    localparam HELLO_COUNT_BITS = $clog2(HELLO_BYTES);
    localparam integer HELLO_LAST_NUMBER = HELLO_BYTES - 1;
    localparam [HELLO_COUNT_BITS-1:0] HELLO_LAST = HELLO_LAST_NUMBER[HELLO_COUNT_BITS-1:0];
    localparam integer SAMPLES_NUMBER = SAMPLES;
    localparam [15:0] ALL_SAMPLES = SAMPLES_NUMBER[15:0];
    localparam integer ROUNDS_NUMBER = TEST_ROUNDS;
    localparam [15:0] ROUNDS = ROUNDS_NUMBER[15:0];
    localparam signed [31:0] LOW = INPUT_LOW;
    localparam signed [31:0] HIGH = INPUT_HIGH;

    // The request.
    wire byte_valid, accepted, dropped;
    wire [7:0] byte_data;
    reg [3:0] position;  // in the request, up to 15: the first byte of inputs
    reg [7:0] kind;
    reg [31:0] sequence_number;
    reg same_model;
    reg [15:0] number;   // of samples or repeats
    wire [15:0] samples;
    wire partial;
    wire [5:0] hash_index = position < 4'd5 ? 6'd0 : {2'd0, position} - 6'd2;  // byte 5 of a request is byte 3 of hello
    wire hash_differs = byte_data != HELLO[8*hash_index+:8];

    edgeml_hil_receive #(.LONGEST(15 + INPUTS * SAMPLES + 4)) receive (
        .clk(clk), .rst(rst), .valid(rx_valid), .data(rx_data), .hold(busy),
        .byte_valid(byte_valid), .byte_data(byte_data), .accepted(accepted), .dropped(dropped)
    );

    // What a whole request asks for; one that is too short for its kind, or of none, has no answer.
    wire answers = kind == ASK_HELLO ? position == 4'd5 : kind >= ASK_INFER && kind <= ASK_TRACE && position >= 4'd13;

    // The answer.
    wire sent;
    // What is dropped while a request is answered is not of it: the inputs that lie there stay.
    wire forget = (dropped && !busy) || sent || (accepted && !answers);
    reg [3:0] state;
    reg [7:0] status;
    reg [2:0] header;                        // byte of the header
    reg [HELLO_COUNT_BITS-1:0] hello_index;
    reg [31:0] value;                        // an integer, its next byte lowest
    reg [1:0] value_index;
    reg [15:0] left;                         // samples or repeats that are to come
    reg [31:0] least, most;                  // cycles of the benchmark
    reg [1:0] items;                         // integers of the body but for outputs that are to come
    reg testing;                             // the self-test runs: values go into its CRC
    wire put = state == HEADER || state == BODY_HELLO || (state == VALUE && !testing);
    wire [7:0] put_data = state == HEADER ? (header == 3'd0 ? kind | 8'd128 : header == 3'd5 ? status
                                             : sequence_number[7:0])
                        : state == BODY_HELLO ? HELLO[8*hello_index+:8] : value[7:0];
    wire put_ready;
    wire puts = put && put_ready;

    edgeml_hil_send send (
        .clk(clk), .rst(rst), .put(put), .put_data(put_data), .finish(state == FINISH), .ready(put_ready), .done(sent),
        .tx_valid(tx_valid), .tx_ready(tx_ready), .tx_data(tx_data)
    );

    // The core.
    reg start;
    reg ran;  // the clock after the last result, in which the count is whole
    reg [15:0] frames;
    reg zeros;
    wire run_done, last_output;
    wire [31:0] cycles, result;
    wire advance_output = state == NEXT && (testing || items == 2'd0) && left != 16'd0;

    // The self-test.
    reg [31:0] drawn, digest;
    reg [15:0] rounds;  // that are to come
    wire [31:0] drawn_next, digest_next;
    wire signed [31:0] unbounded = {{(32 - INPUT_BITS) {INPUT_SIGNED != 0 && drawn[INPUT_BITS-1]}}, drawn[INPUT_BITS-1:0]};
    wire signed [31:0] bounded = unbounded < LOW ? LOW : unbounded > HIGH ? HIGH : unbounded;
    wire fills = state == FILL && samples != ALL_SAMPLES;

    edgeml_crc32 draw (.state(drawn), .data(8'd0), .next(drawn_next));
    edgeml_crc32 digests (.state(digest), .data(value[7:0]), .next(digest_next));
    wire unused = &{1'b0, bounded[31:8]};

    edgeml_hil_inputs #(
        .INPUTS(INPUTS), .LANES(INPUT_LANES), .ELEMENT_BITS(INPUT_BITS), .SAMPLES(SAMPLES)
    ) inputs (
        .clk(clk), .rst(rst), .clear(forget || state == ROUND), .write(fills || (byte_valid && position == 4'd15)),
        .write_data(testing ? bounded[7:0] : byte_data), .samples(samples), .partial(partial),
        .zeros(zeros), .rewind(start), .advance(in_valid && in_ready), .data(in_data)
    );
    edgeml_hil_outputs #(
        .OUTPUTS(OUTPUTS), .LANES(OUTPUT_LANES), .ELEMENT_BITS(OUTPUT_BITS), .SIGNED(OUTPUT_SIGNED),
        .SAMPLES(SAMPLES)
    ) outputs (
        .clk(clk), .rst(rst), .clear(start), .write(out_valid && out_ready), .write_data(out_data),
        .rewind(run_done), .advance(advance_output), .value(result), .last(last_output)
    );
    edgeml_hil_run #(
        .INPUT_BEATS((INPUTS + INPUT_LANES - 1) / INPUT_LANES), .OUTPUT_BEATS((OUTPUTS + OUTPUT_LANES - 1) / OUTPUT_LANES)
    ) run (
        .clk(clk), .rst(rst), .start(start), .frames(frames), .done(run_done), .cycles(cycles),
        .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready)
    );

    assign busy = state != IDLE;

    wire sized = kind == ASK_BENCHMARK ? position == 4'd15 && number != 16'd0 && samples == 16'd0 && !partial
                                       : position == 4'd15 && number != 16'd0 && number == samples && !partial;
    wire [7:0] verdict = kind == ASK_HELLO ? OK : !same_model ? OTHER_MODEL : kind == ASK_SELF_TEST ? OK
                       : !sized ? BAD_REQUEST : kind == ASK_TRACE ? NO_TRACE : OK;
    wire runs = verdict == OK && kind != ASK_HELLO;

    always @(posedge clk) begin
        ran <= !rst && run_done;
        if (rst || forget) begin
            position <= 4'd0;
            same_model <= 1'b1;
        end else if (byte_valid && position != 4'd15) begin
            position <= position + 1'b1;
            if (position >= 4'd5 && position < 4'd13 && hash_differs) same_model <= 1'b0;
        end
        if (rst) begin
            kind <= 8'd0;
            number <= 16'd0;
        end else if (byte_valid) begin
            if (position == 4'd0) kind <= byte_data;
            if (position == 4'd13) number[7:0] <= byte_data;
            if (position == 4'd14) number[15:8] <= byte_data;
        end
        // The number comes in, and goes out again, lowest byte first.
        if (rst) sequence_number <= 32'd0;
        else if (byte_valid && position >= 4'd1 && position < 4'd5) sequence_number <= {byte_data, sequence_number[31:8]};
        else if (puts && state == HEADER && header != 3'd0) sequence_number <= {8'd0, sequence_number[31:8]};
    end

    always @(posedge clk) begin
        if (rst) begin
            state <= IDLE;
            status <= 8'd0;
            header <= 3'd0;
            hello_index <= {HELLO_COUNT_BITS{1'b0}};
            value <= 32'd0;
            value_index <= 2'd0;
            left <= 16'd0;
            least <= 32'd0;
            most <= 32'd0;
            items <= 2'd0;
            start <= 1'b0;
            frames <= 16'd0;
            zeros <= 1'b0;
            testing <= 1'b0;
            rounds <= 16'd0;
            drawn <= 32'd0;
            digest <= 32'd0;
        end else begin
            start <= 1'b0;
            if (fills) drawn <= drawn_next;
            case (state)
                IDLE: if (accepted && answers) begin
                    state <= !runs ? HEADER : kind == ASK_SELF_TEST ? ROUND : RUN;
                    status <= verdict;
                    start <= runs && kind != ASK_SELF_TEST;
                    frames <= kind == ASK_INFER ? number : kind == ASK_SELF_TEST ? ALL_SAMPLES : 16'd1;
                    zeros <= kind == ASK_BENCHMARK;
                    testing <= runs && kind == ASK_SELF_TEST;
                    rounds <= ROUNDS;
                    drawn <= TEST_SEED;
                    digest <= 32'hFFFFFFFF;
                    left <= number;
                    items <= kind == ASK_BENCHMARK ? 2'd2 : 2'd1;
                    least <= 32'hFFFFFFFF;
                    most <= 32'd0;
                    header <= 3'd0;
                    hello_index <= {HELLO_COUNT_BITS{1'b0}};
                end
                ROUND: begin
                    left <= ALL_SAMPLES;
                    state <= FILL;
                end
                FILL: if (!fills) state <= SETTLE;
                SETTLE: begin
                    start <= 1'b1;
                    state <= RUN;
                end
                RUN: if (ran) begin
                    // A benchmark runs one frame at a time.
                    if (cycles < least) least <= cycles;
                    if (cycles > most) most <= cycles;
                    if (kind == ASK_BENCHMARK) left <= left - 1'b1;
                    if (kind == ASK_BENCHMARK && left != 16'd1) start <= 1'b1;
                    else state <= testing ? NEXT : HEADER;
                end
                HEADER: if (puts) begin
                    header <= header + 1'b1;
                    if (header == 3'd5) state <= status != OK ? FINISH : kind == ASK_HELLO ? BODY_HELLO : NEXT;
                end
                BODY_HELLO: if (puts) begin
                    hello_index <= hello_index + 1'b1;
                    if (hello_index == HELLO_LAST) state <= FINISH;
                end
                NEXT: begin
                    value_index <= 2'd0;
                    state <= VALUE;
                    if (testing) begin
                        value <= result;
                        if (left == 16'd0) begin
                            rounds <= rounds - 1'b1;
                            testing <= rounds != 16'd1;
                            state <= rounds != 16'd1 ? ROUND : HEADER;
                        end else if (last_output) left <= left - 1'b1;
                    end else if (items != 2'd0) begin
                        items <= items - 1'b1;
                        value <= kind == ASK_INFER ? cycles : kind == ASK_SELF_TEST ? (~digest != TEST_CRC ? VECTORS_DIFFER : 32'd0)
                               : items == 2'd2 ? least : most;
                    end else if (kind == ASK_INFER && left != 16'd0) begin
                        value <= result;
                        if (last_output) left <= left - 1'b1;
                    end else begin
                        state <= FINISH;
                    end
                end
                VALUE: if (puts || testing) begin
                    if (testing) digest <= digest_next;
                    value <= {8'd0, value[31:8]};
                    value_index <= value_index + 1'b1;
                    if (value_index == 2'd3) state <= NEXT;
                end
                FINISH: if (put_ready) state <= WAIT;
                default: if (sent) state <= IDLE;
            endcase
        end
    end
endmodule
`default_nettype wire
