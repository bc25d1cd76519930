// SPDX-License-Identifier: Apache-2.0
// Sums of tables: sum[o] = constant[o] + Σ_i entry[i, o, x[i]], folded in both directions.
//
// Per clock it looks SIMD inputs up, each in a memory of its own, whose words hold the entries of PE outputs. A frame of
// SF values (SIMD elements each) is taken from the input while the first PE outputs are computed and kept in a buffer
// for the others: NF · SF clocks per frame, NF pushes of PE sums. Elements stand lowest index first, in the lowest bits.
//
// The unit never stalls once a step has begun: the last step of a sum is begun only when its result has a place
// (`can_reserve`). Latency from taking the last input of a sum to its `push`: 3 + LEVELS / 2 clocks, where
// LEVELS = clog2(SIMD).
//
// TABLE_FILE, with `_0000.mem` for input 0 of a step, `_0001.mem` for input 1 … behind it: NF · SF · 2^VALUE_BITS words
// for $readmemh, word (nf · SF + sf) · 2^VALUE_BITS + x; in each, the entry of output p at bits p · ENTRY_BITS, two's
// complement. CONSTANT_FILE: NF words of PE constants, read only if HAS_CONSTANT.
`default_nettype none
module edgeml_tables #(
    parameter SIMD = 1,
    parameter PE = 1,
    parameter SF = 1,            // input values per frame
    parameter NF = 1,            // output values per frame
    parameter INPUT_BITS = 2,
    parameter VALUE_BITS = 2,    // the lowest of INPUT_BITS, which tell the values of an input apart
    parameter ENTRY_BITS = 2,
    parameter SUM_BITS = 8,      // two's complement
    parameter HAS_CONSTANT = 0,
    parameter BLOCK_ROM = 0,     // 1: tables in block RAM, 0: in logic
    // Only synthesis reads the next one, as an attribute.
    // verilator lint_off UNUSEDPARAM
    parameter BUFFER_STYLE = "auto",  // where the input buffer is: auto, logic, block
    // verilator lint_on UNUSEDPARAM
    parameter TABLE_FILE = "",
    parameter CONSTANT_FILE = ""
) (
    input  wire                       clk,
    input  wire                       rst,  // synchronous, active high
    input  wire                       in_valid,
    output wire                       in_ready,
    input  wire [SIMD*INPUT_BITS-1:0] in_data,
    input  wire                       can_reserve,
    output wire                       reserve,
    output wire                       push,
    output wire [PE*SUM_BITS-1:0]     push_data
);
    localparam LEVELS = $clog2(SIMD);
    localparam TREE_CLOCKS = LEVELS / 2;
    localparam SF_BITS = (SF > 1) ? $clog2(SF) : 1;
    localparam NF_BITS = (NF > 1) ? $clog2(NF) : 1;
    localparam STEPS = NF * SF;
    localparam STEP_BITS = (STEPS > 1) ? $clog2(STEPS) : 1;
    localparam ADDRESS_BITS = VALUE_BITS + $clog2(STEPS);
    localparam integer LAST_SF_NUMBER = SF - 1;
    localparam [SF_BITS-1:0] LAST_SF = LAST_SF_NUMBER[SF_BITS-1:0];
    localparam integer LAST_NF_NUMBER = NF - 1;
    localparam [NF_BITS-1:0] LAST_NF = LAST_NF_NUMBER[NF_BITS-1:0];
    localparam WORDS = STEPS << VALUE_BITS;

    // ---- which step is next, and whether it can begin
    reg [SF_BITS-1:0] sf;
    reg [NF_BITS-1:0] nf;
    reg [STEP_BITS-1:0] step_number;
    wire first_pass = nf == {NF_BITS{1'b0}};
    wire last_of_sum = sf == LAST_SF;
    wire has_place = !last_of_sum || can_reserve;
    wire step = has_place && (!first_pass || in_valid);
    assign in_ready = first_pass && has_place;
    assign reserve = step && last_of_sum;

    always @(posedge clk) begin
        if (rst) begin
            sf <= {SF_BITS{1'b0}};
            nf <= {NF_BITS{1'b0}};
            step_number <= {STEP_BITS{1'b0}};
        end else if (step) begin
            sf <= last_of_sum ? {SF_BITS{1'b0}} : sf + 1'b1;
            if (last_of_sum) nf <= (nf == LAST_NF) ? {NF_BITS{1'b0}} : nf + 1'b1;
            step_number <= (last_of_sum && nf == LAST_NF) ? {STEP_BITS{1'b0}} : step_number + 1'b1;
        end
    end

    // ---- stage 1: inputs, the first pass's from the stream, the others' from the buffer; and the step's number
    wire [SIMD*INPUT_BITS-1:0] inputs;
    reg [STEP_BITS-1:0] looked_up;
    always @(posedge clk) begin
        if (rst) looked_up <= {STEP_BITS{1'b0}};
        else looked_up <= step_number;
    end
    generate
        if (NF > 1 && SF == 1) begin : kept
            reg [SIMD*INPUT_BITS-1:0] frame;
            always @(posedge clk) begin
                if (rst) frame <= {SIMD*INPUT_BITS{1'b0}};
                else if (step && first_pass) frame <= in_data;
            end
            assign inputs = frame;
        end else begin : passed
            reg [SIMD*INPUT_BITS-1:0] from_stream;
            always @(posedge clk) begin
                if (rst) from_stream <= {SIMD*INPUT_BITS{1'b0}};
                else from_stream <= in_data;
            end
            if (NF > 1) begin : reused
                (* ram_style = BUFFER_STYLE *) reg [SIMD*INPUT_BITS-1:0] buffer [0:SF-1];
                integer b;
                initial for (b = 0; b < SF; b = b + 1) buffer[b] = {SIMD*INPUT_BITS{1'b0}};
                always @(posedge clk) if (step && first_pass) buffer[sf] <= in_data;
                reg [SIMD*INPUT_BITS-1:0] from_buffer;
                always @(posedge clk) from_buffer <= buffer[sf];
                reg use_stream;
                always @(posedge clk) begin
                    if (rst) use_stream <= 1'b1;
                    else use_stream <= first_pass;
                end
                assign inputs = use_stream ? from_stream : from_buffer;
            end else begin : used_once
                assign inputs = from_stream;
            end
        end
    endgenerate
    wire unused = &{1'b0, inputs, looked_up};

    // ---- stage 2: entries. [input of the step][output]
    // A number as four digits.
    function [31:0] digits;
        input integer number;
        digits = 32'h30303030 + number % 10 + ((number / 10) % 10 << 8) + ((number / 100) % 10 << 16)
            + (number / 1000 << 24);
    endfunction

    wire [SIMD*PE*ENTRY_BITS-1:0] entries;
    genvar s, p;
    generate
        for (s = 0; s < SIMD; s = s + 1) begin : column
            localparam [31:0] NUMBER = digits(s);
            wire [ADDRESS_BITS-1:0] address;
            if (STEPS > 1) begin : several
                assign address = {looked_up, inputs[s*INPUT_BITS +: VALUE_BITS]};
            end else begin : one
                assign address = inputs[s*INPUT_BITS +: VALUE_BITS];
            end
            if (BLOCK_ROM != 0) begin : block
                (* rom_style = "block", ram_style = "block" *) reg [PE*ENTRY_BITS-1:0] rom [0:WORDS-1];
                initial $readmemh({TABLE_FILE, "_", NUMBER, ".mem"}, rom);
                reg [PE*ENTRY_BITS-1:0] word;
                always @(posedge clk) word <= rom[address];
                assign entries[s*PE*ENTRY_BITS +: PE*ENTRY_BITS] = word;
            end else begin : logic_rom
                edgeml_rom #(
                    .WORDS(WORDS), .PLACE_BITS(ADDRESS_BITS), .WIDTH(PE * ENTRY_BITS), .LOGIC(1),
                    .FILE({TABLE_FILE, "_", NUMBER, ".mem"})
                ) rom (.clk(clk), .place(address), .word(entries[s*PE*ENTRY_BITS +: PE*ENTRY_BITS]));
            end
        end
    endgenerate

    // ---- the steps on their way: begun, first and last of their sum
    reg [TREE_CLOCKS+1:0] going;
    reg [TREE_CLOCKS+1:0] going_first;
    reg [TREE_CLOCKS+1:0] going_last;
    wire add = going[TREE_CLOCKS+1];
    wire first = going_first[TREE_CLOCKS+1];
    wire last = add && going_last[TREE_CLOCKS+1];
    reg push_held;
    always @(posedge clk) begin
        if (rst) begin
            going <= {TREE_CLOCKS+2{1'b0}};
            going_first <= {TREE_CLOCKS+2{1'b0}};
            going_last <= {TREE_CLOCKS+2{1'b0}};
            push_held <= 1'b0;
        end else begin
            going <= {going[TREE_CLOCKS:0], step};
            going_first <= {going_first[TREE_CLOCKS:0], sf == {SF_BITS{1'b0}}};
            going_last <= {going_last[TREE_CLOCKS:0], last_of_sum};
            push_held <= last;
        end
    end
    assign push = push_held;

    // ---- constants: one word per output value, needed when its first step reaches the accumulator
    wire [PE*SUM_BITS-1:0] constants;
    generate
        if (HAS_CONSTANT != 0) begin : with_constant
            reg [PE*SUM_BITS-1:0] rom [0:NF-1];
            initial $readmemh(CONSTANT_FILE, rom);
            reg [NF_BITS-1:0] index;
            always @(posedge clk) begin
                if (rst) index <= {NF_BITS{1'b0}};
                else if (last) index <= (index == LAST_NF) ? {NF_BITS{1'b0}} : index + 1'b1;
            end
            assign constants = rom[index];
        end else begin : without_constant
            assign constants = {PE*SUM_BITS{1'b0}};
        end
    endgenerate

    // ---- sums of a step's entries, accumulators
    localparam FULL_BITS = ENTRY_BITS + LEVELS;
    localparam TREE_BITS = (FULL_BITS < SUM_BITS) ? FULL_BITS : SUM_BITS;
    generate
        for (p = 0; p < PE; p = p + 1) begin : row
            wire [SIMD*ENTRY_BITS-1:0] terms;
            for (s = 0; s < SIMD; s = s + 1) begin : term
                assign terms[s*ENTRY_BITS +: ENTRY_BITS] = entries[(s*PE+p)*ENTRY_BITS +: ENTRY_BITS];
            end
            wire signed [TREE_BITS-1:0] tree_sum;
            edgeml_adder_tree #(.TERMS(SIMD), .TERM_BITS(ENTRY_BITS), .SUM_BITS(TREE_BITS)) tree (
                .clk(clk), .terms(terms), .sum(tree_sum)
            );
            wire [SUM_BITS-1:0] step_sum;
            if (SUM_BITS > TREE_BITS) begin : wider
                assign step_sum = {{(SUM_BITS - TREE_BITS){tree_sum[TREE_BITS-1]}}, tree_sum};
            end else begin : same
                assign step_sum = tree_sum;
            end
            reg [SUM_BITS-1:0] sum;
            always @(posedge clk) begin
                if (rst) sum <= {SUM_BITS{1'b0}};
                else if (add) sum <= (first ? constants[p*SUM_BITS +: SUM_BITS] : sum) + step_sum;
            end
            assign push_data[p*SUM_BITS +: SUM_BITS] = sum;
        end
    endgenerate
endmodule
`default_nettype wire
