// SPDX-License-Identifier: Apache-2.0
// Threshold unit whose thresholds lie on a line, LANES channels per clock, four clocks later:
//
//   y[c] = BASE + clip((x[c] · factor[c] + offset[c] · 2^ZEROS) >> PLACES, 0, LEVELS) + correction[c, x[c]]
//
// LINE_FILE: FOLD words for $readmemh, in the order in which the values of a frame arrive; in each, for lane p,
// FIELD = FACTOR_BITS + OFFSET_BITS bits from p · FIELD on: the factor (not negative), above it the offset (two's
// complement). x · factor + offset · 2^ZEROS must fit SUM_BITS bits, two's complement, for every x that occurs.
//
// CORRECTION_FILE: CORRECTIONS words for $readmemh, each a run of inputs of one channel whose level the line misses;
// from the lowest bit: the place of the channel's value in the frame (PLACE_BITS), its lane (PLACE_BITS), the first and
// the last input of the run (VALUE_BITS each, two's complement), and what is added (CORRECTION_BITS, two's complement).
// No input lies in two runs of a channel.
`default_nettype none
module edgeml_threshold_line #(
    parameter LANES = 1,
    parameter FOLD = 1,             // values per frame
    parameter INPUT_BITS = 8,
    parameter INPUT_SIGNED = 1,
    parameter FACTOR_BITS = 4,
    parameter OFFSET_BITS = 8,
    parameter SUM_BITS = 13,        // more than PLACES
    parameter PLACES = 8,
    parameter ZEROS = 0,            // at most PLACES
    parameter LEVELS = 15,
    parameter OUTPUT_BITS = 4,
    parameter BASE = 0,
    parameter LOGIC = 0,            // whether lines stay out of block RAM
    parameter LINE_FILE = "",
    parameter CORRECTIONS = 0,
    parameter PLACE_BITS = 1,
    parameter CORRECTION_BITS = 2,
    parameter CORRECTION_FILE = ""
) (
    input  wire                         clk,
    input  wire                         rst,  // synchronous, active high
    input  wire                         in_push,
    input  wire [LANES*INPUT_BITS-1:0]  in_data,
    output wire                         push,
    output wire [LANES*OUTPUT_BITS-1:0] push_data
);
    localparam INDEX_BITS = (FOLD > 1) ? $clog2(FOLD) : 1;
    localparam integer LAST_NUMBER = FOLD - 1;
    localparam [INDEX_BITS-1:0] LAST = LAST_NUMBER[INDEX_BITS-1:0];
    localparam VALUE_BITS = INPUT_BITS + ((INPUT_SIGNED != 0) ? 0 : 1);
    localparam FIELD = FACTOR_BITS + OFFSET_BITS;
    localparam WORD = LANES * FIELD;
    localparam RUN = 2 * PLACE_BITS + 2 * VALUE_BITS + CORRECTION_BITS;
    // A level, however far beyond the ends it lies, and LEVELS.
    localparam ABOVE = SUM_BITS - PLACES;
    localparam LEVEL_BITS = ((ABOVE > 16) ? ABOVE : 16) + 1;
    localparam integer LEVELS_NUMBER = LEVELS, BASE_NUMBER = BASE;
    localparam signed [LEVEL_BITS-1:0] MOST = {{(LEVEL_BITS - 16){1'b0}}, LEVELS_NUMBER[15:0]};
    localparam [OUTPUT_BITS-1:0] TOP = LEVELS_NUMBER[OUTPUT_BITS-1:0];

    reg [INDEX_BITS-1:0] index;
    wire [WORD-1:0] lines;
    reg [LANES*INPUT_BITS-1:0] values;
    reg [3:0] going;
    assign push = going[3];

    always @(posedge clk) begin
        values <= in_data;
        if (rst) begin
            index <= {INDEX_BITS{1'b0}};
            going <= 4'b0000;
        end else begin
            if (in_push) index <= (index == LAST) ? {INDEX_BITS{1'b0}} : index + 1'b1;
            going <= {going[2:0], in_push};
        end
    end

    genvar p, e;
    generate
        if (FOLD > 1) begin : stored
            edgeml_rom #(
                .WORDS(FOLD), .PLACE_BITS(INDEX_BITS), .WIDTH(WORD), .LOGIC(LOGIC), .FILE(LINE_FILE)
            ) rom (.clk(clk), .place(index), .word(lines));
        end else begin : constant
            reg [WORD-1:0] rom [0:0];
            initial $readmemh(LINE_FILE, rom);
            assign lines = rom[0];
        end
        for (p = 0; p < LANES; p = p + 1) begin : lane
            wire [INPUT_BITS-1:0] bits = values[p*INPUT_BITS +: INPUT_BITS];
            wire signed [VALUE_BITS-1:0] value;
            if (INPUT_SIGNED != 0) begin : input_signed
                assign value = bits;
            end else begin : input_unsigned
                assign value = {1'b0, bits};
            end
            wire signed [FACTOR_BITS:0] factor = {1'b0, lines[p*FIELD +: FACTOR_BITS]};
            wire signed [OFFSET_BITS-1:0] offset = lines[p*FIELD+FACTOR_BITS +: OFFSET_BITS];

            // ---- the line
            reg signed [SUM_BITS-1:0] product;
            reg signed [OFFSET_BITS-1:0] held;
            reg signed [SUM_BITS-1:ZEROS] sum;
            // verilator lint_off WIDTH
            always @(posedge clk) begin
                product <= value * factor;
                held <= offset;
                sum <= $signed(product[SUM_BITS-1:ZEROS]) + held;
            end
            // verilator lint_on WIDTH
            wire unused = &{1'b0, product, sum};

            // ---- what is added to the levels that the line misses
            wire [OUTPUT_BITS-1:0] correction;
            if (CORRECTIONS > 0) begin : corrects
                reg [RUN-1:0] runs [0:CORRECTIONS-1];
                initial $readmemh(CORRECTION_FILE, runs);
                reg [INDEX_BITS-1:0] place;
                always @(posedge clk) place <= index;
                wire [CORRECTIONS*CORRECTION_BITS-1:0] each;
                for (e = 0; e < CORRECTIONS; e = e + 1) begin : run
                    wire [RUN-1:0] word = runs[e];
                    wire [PLACE_BITS-1:0] run_place = word[0 +: PLACE_BITS];
                    wire [PLACE_BITS-1:0] run_lane = word[PLACE_BITS +: PLACE_BITS];
                    wire signed [VALUE_BITS-1:0] first = word[2*PLACE_BITS +: VALUE_BITS];
                    wire signed [VALUE_BITS-1:0] last = word[2*PLACE_BITS+VALUE_BITS +: VALUE_BITS];
                    // verilator lint_off WIDTH
                    wire here = (FOLD == 1 || run_place == place) && run_lane == p && first <= value && value <= last;
                    // verilator lint_on WIDTH
                    assign each[e*CORRECTION_BITS +: CORRECTION_BITS] =
                        word[RUN-1 -: CORRECTION_BITS] & {CORRECTION_BITS{here}};
                end
                integer n;
                reg [CORRECTION_BITS-1:0] any, taken, kept;
                always @* begin
                    any = {CORRECTION_BITS{1'b0}};
                    for (n = 0; n < CORRECTIONS; n = n + 1) any = any | each[n*CORRECTION_BITS +: CORRECTION_BITS];
                end
                always @(posedge clk) begin
                    taken <= any;
                    kept <= taken;
                end
                // verilator lint_off WIDTH
                assign correction = $signed(kept);
                // verilator lint_on WIDTH
            end else begin : corrects_none
                assign correction = {OUTPUT_BITS{1'b0}};
            end

            // ---- the levels that there are
            wire signed [LEVEL_BITS-1:0] level = {{(LEVEL_BITS - ABOVE){sum[SUM_BITS-1]}}, sum[SUM_BITS-1:PLACES]};
            wire [OUTPUT_BITS-1:0] clipped =
                level[LEVEL_BITS-1] ? {OUTPUT_BITS{1'b0}} : (level > MOST) ? TOP : level[OUTPUT_BITS-1:0];
            reg [OUTPUT_BITS-1:0] result;
            always @(posedge clk) result <= clipped + BASE_NUMBER[OUTPUT_BITS-1:0] + correction;
            assign push_data[p*OUTPUT_BITS +: OUTPUT_BITS] = result;
        end
    endgenerate
endmodule
`default_nettype wire
