// SPDX-License-Identifier: Apache-2.0
// Encode unit: each result looks at one input x, by its rule: 0 x itself, 1 bit (x >> place) & 1, 2 level x ≥ operand,
// 3 equality x = operand.
//
// An input value of SIMD elements stays for PARTS result values of PE elements each, one per clock, and is then taken;
// of a frame's last one only as many as are left. A result is taken up only when it has a place (`can_reserve`), and
// pushed one clock later.
//
// What a result looks at stands in a slot: place, rule and position of x, the lowest PE slots for the first part. If
// all parts do the same, SHAPES is 1 and there are PE slots; else it is PARTS. Slots are the same for all input values;
// operands may differ: one word for each input value, or for each result value where SHAPES is 1.
//
// OPERAND_FILE: the words for $readmemh, read only if HAS_OPERANDS; in each, the operand of slot q at bits
// q · (INPUT_BITS + 1), as its distance from the least number of the input's type; 2^INPUT_BITS is never reached.
`default_nettype none
module edgeml_encode #(
    parameter SIMD = 1,
    parameter PE = 1,
    parameter NF = 1,             // result values per frame
    parameter PARTS = 1,          // result values per input value
    parameter SHAPES = 1,         // 1 or PARTS
    parameter INPUT_BITS = 8,
    parameter INPUT_SIGNED = 0,
    parameter OUTPUT_BITS = 1,
    parameter POSITION_BITS = 1,
    parameter [SHAPES*PE*(POSITION_BITS+7)-1:0] SLOTS = 0,  // position in the lowest bits, then rule, then place
    parameter HAS_OPERANDS = 0,
    parameter WORDS = 1,          // of operands
    parameter OPERAND_FILE = ""
) (
    input  wire                       clk,
    input  wire                       rst,  // synchronous, active high
    input  wire                       in_valid,
    output wire                       in_ready,
    input  wire [SIMD*INPUT_BITS-1:0] in_data,
    input  wire                       can_reserve,
    output wire                       reserve,
    output reg                        push,
    output reg  [PE*OUTPUT_BITS-1:0]  push_data
);
    localparam SLOT_BITS = POSITION_BITS + 7;
    localparam COUNT = SHAPES * PE;
    localparam OPERAND_BITS = INPUT_BITS + 1;
    localparam WIDTH = PE * OUTPUT_BITS;
    localparam PART_BITS = (PARTS > 1) ? $clog2(PARTS) : 1;
    localparam NF_BITS = (NF > 1) ? $clog2(NF) : 1;
    localparam WORD_BITS = (WORDS > 1) ? $clog2(WORDS) : 1;
    localparam integer LAST_PART_NUMBER = PARTS - 1;
    localparam [PART_BITS-1:0] LAST_PART = LAST_PART_NUMBER[PART_BITS-1:0];
    localparam integer LAST_BEAT_NUMBER = NF - 1;
    localparam [NF_BITS-1:0] LAST_BEAT = LAST_BEAT_NUMBER[NF_BITS-1:0];
    localparam integer LAST_WORD_NUMBER = WORDS - 1;
    localparam [WORD_BITS-1:0] LAST_WORD = LAST_WORD_NUMBER[WORD_BITS-1:0];

    // ---- which part of the input value is next, and whether it can be taken up
    reg [PART_BITS-1:0] part;
    wire frame_ends;
    wire last = frame_ends || part == LAST_PART;
    wire step = in_valid && can_reserve;
    assign in_ready = can_reserve && last;
    assign reserve = step;
    always @(posedge clk) begin
        if (rst) part <= {PART_BITS{1'b0}};
        else if (step) part <= last ? {PART_BITS{1'b0}} : part + 1'b1;
    end
    generate
        if (NF % PARTS != 0) begin : uneven
            reg [NF_BITS-1:0] beat;
            assign frame_ends = beat == LAST_BEAT;
            always @(posedge clk) begin
                if (rst) beat <= {NF_BITS{1'b0}};
                else if (step) beat <= frame_ends ? {NF_BITS{1'b0}} : beat + 1'b1;
            end
        end else begin : even
            assign frame_ends = 1'b0;
        end
    endgenerate

    // ---- operands: those of this input value, or of this result value
    wire [COUNT*OPERAND_BITS-1:0] operands;
    generate
        if (HAS_OPERANDS != 0) begin : compared
            (* rom_style = "distributed", ram_style = "logic" *) reg [COUNT*OPERAND_BITS-1:0] rom [0:WORDS-1];
            initial $readmemh(OPERAND_FILE, rom);
            reg [WORD_BITS-1:0] word;
            always @(posedge clk) begin
                if (rst) word <= {WORD_BITS{1'b0}};
                else if (step && (SHAPES == 1 || last))
                    word <= (word == LAST_WORD) ? {WORD_BITS{1'b0}} : word + 1'b1;
            end
            assign operands = rom[word];
        end else begin : not_compared
            assign operands = {COUNT*OPERAND_BITS{1'b0}};
        end
    endgenerate

    // ---- what each slot gives
    // x ≥ level as an AND or an OR per bit: of a constant, synthesis would else make a carry chain.
    function reached;
        input [OPERAND_BITS-1:0] x;
        input [OPERAND_BITS-1:0] level;
        integer i;
        begin
            reached = 1'b1;
            for (i = 0; i < OPERAND_BITS; i = i + 1)
                reached = level[i] ? (reached & x[i]) : (reached | x[i]);
        end
    endfunction

    wire unused_inputs = &{1'b0, in_data};
    wire [COUNT*OUTPUT_BITS-1:0] answers;
    genvar q;
    generate
        for (q = 0; q < COUNT; q = q + 1) begin : slot
            localparam [SLOT_BITS-1:0] SLOT = SLOTS[q*SLOT_BITS +: SLOT_BITS];
            localparam [POSITION_BITS-1:0] POSITION = SLOT[POSITION_BITS-1:0];
            localparam [1:0] RULE = SLOT[POSITION_BITS +: 2];
            localparam integer PLACE = {27'd0, SLOT[POSITION_BITS+2 +: 5]};
            wire [INPUT_BITS-1:0] x = in_data[POSITION*INPUT_BITS +: INPUT_BITS];
            wire [OPERAND_BITS-1:0] operand = operands[q*OPERAND_BITS +: OPERAND_BITS];
            // The distance of x from the least number of its type.
            wire [OPERAND_BITS-1:0] distance;
            if (INPUT_SIGNED != 0) begin : input_signed
                assign distance = {1'b0, x ^ ({{INPUT_BITS-1{1'b0}}, 1'b1} << (INPUT_BITS - 1))};
            end else begin : input_unsigned
                assign distance = {1'b0, x};
            end
            wire unused = &{1'b0, x, operand, distance};
            if (RULE == 2'd0) begin : value
                localparam integer MORE = (OUTPUT_BITS > INPUT_BITS) ? OUTPUT_BITS - INPUT_BITS : 0;
                wire [INPUT_BITS+MORE-1:0] wide;
                if (MORE > 0) begin : wider
                    assign wide = {{MORE{(INPUT_SIGNED != 0) && x[INPUT_BITS-1]}}, x};
                end else begin : same
                    assign wide = x;
                end
                assign answers[q*OUTPUT_BITS +: OUTPUT_BITS] = wide[OUTPUT_BITS-1:0];
                wire unused_top = &{1'b0, wide};
            end else begin : truth
                wire is_true;
                if (RULE == 2'd1) begin : bit_of
                    if (PLACE < INPUT_BITS) begin : there
                        assign is_true = x[PLACE];
                    end else begin : beyond
                        assign is_true = 1'b0;
                    end
                end else if (RULE == 2'd3) begin : equality
                    assign is_true = distance == operand;
                end else if (WORDS == 1) begin : fixed_level
                    assign is_true = reached(distance, operand);
                end else begin : level
                    assign is_true = distance >= operand;
                end
                if (OUTPUT_BITS > 1) begin : wider
                    assign answers[q*OUTPUT_BITS +: OUTPUT_BITS] = {{OUTPUT_BITS-1{1'b0}}, is_true};
                end else begin : same
                    assign answers[q] = is_true;
                end
            end
        end
    endgenerate

    wire [WIDTH-1:0] result;
    generate
        if (SHAPES > 1) begin : parts
            assign result = answers[part*WIDTH +: WIDTH];
        end else begin : same
            assign result = answers;
        end
    endgenerate
    always @(posedge clk) begin
        push_data <= result;
        if (rst) push <= 1'b0;
        else push <= step;
    end
endmodule
`default_nettype wire
