// SPDX-License-Identifier: Apache-2.0
// Matrix-vector unit: sum[o] = constant[o] + Σ_i weight[o, i] · x[i], folded in both directions; with weights of 1
// bit, or of 2 and INPUT_BITS > 4, less the number of negative weights of o (see `edgeml_mvu_row`).
//
// Per clock it multiplies SIMD inputs with the weights of PE outputs. A frame of SF values (SIMD elements each)
// is taken from the input while the first PE outputs are computed and kept in a buffer for the others: NF · SF
// clocks per frame, NF pushes of PE sums. Elements stand lowest index first, in the lowest bits.
//
// The unit never stalls once a step has begun: the last step of a sum is begun only when its result has a place
// (`can_reserve`). Latency from taking the last input of a sum to its `push`: 2 + LEVELS / 2 clocks, where
// LEVELS = clog2(SIMD).
//
// WEIGHT_FILE: NF · SF words for $readmemh, word nf · SF + sf; in each, weight of output p and input s at bits
// (p · SIMD + s) · WEIGHT_BITS. CONSTANT_FILE: NF words of PE constants, read only if HAS_CONSTANT.
`default_nettype none
module edgeml_mvu #(
    parameter SIMD = 1,
    parameter PE = 1,
    parameter SF = 1,            // input values per frame
    parameter NF = 1,            // output values per frame
    parameter INPUT_BITS = 2,
    parameter INPUT_SIGNED = 0,
    parameter WEIGHT_BITS = 2,   // two's complement; 1: bit 0 is −1, bit 1 is +1
    parameter SUM_BITS = 8,      // two's complement
    parameter HAS_CONSTANT = 0,
    parameter BLOCK_ROM = 0,     // 1: weights in block RAM, 0: in logic
    parameter SMALL_BUFFER = 0,  // 1: the input buffer is read without a clock, as small memories can be
    // Only synthesis reads the next one, as an attribute.
    // verilator lint_off UNUSEDPARAM
    parameter BUFFER_STYLE = "auto",  // where the input buffer is: auto, logic, block
    // verilator lint_on UNUSEDPARAM
    parameter WEIGHT_FILE = "",
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
    localparam ADDRESS_BITS = (NF * SF > 1) ? $clog2(NF * SF) : 1;
    localparam integer LAST_SF_NUMBER = SF - 1;
    localparam [SF_BITS-1:0] LAST_SF = LAST_SF_NUMBER[SF_BITS-1:0];
    localparam integer LAST_NF_NUMBER = NF - 1;
    localparam [NF_BITS-1:0] LAST_NF = LAST_NF_NUMBER[NF_BITS-1:0];
    localparam WORD = PE * SIMD * WEIGHT_BITS;

    // ---- which step is next, and whether it can begin
    reg [SF_BITS-1:0] sf;
    reg [NF_BITS-1:0] nf;
    reg [ADDRESS_BITS-1:0] address;
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
            address <= {ADDRESS_BITS{1'b0}};
        end else if (step) begin
            sf <= last_of_sum ? {SF_BITS{1'b0}} : sf + 1'b1;
            if (last_of_sum) nf <= (nf == LAST_NF) ? {NF_BITS{1'b0}} : nf + 1'b1;
            address <= (last_of_sum && nf == LAST_NF) ? {ADDRESS_BITS{1'b0}} : address + 1'b1;
        end
    end

    // ---- stage 1: weights, and inputs from the stream or from the buffer
    wire [WORD-1:0] weights;
    generate
        if (BLOCK_ROM != 0) begin : block
            (* rom_style = "block", ram_style = "block" *) reg [WORD-1:0] rom [0:NF*SF-1];
            initial $readmemh(WEIGHT_FILE, rom);
            reg [WORD-1:0] word;
            always @(posedge clk) word <= rom[address];
            assign weights = word;
        end else begin : logic_rom
            (* rom_style = "distributed", ram_style = "logic" *) reg [WORD-1:0] rom [0:NF*SF-1];
            initial $readmemh(WEIGHT_FILE, rom);
            reg [WORD-1:0] word;
            always @(posedge clk) word <= rom[address];
            assign weights = word;
        end
    endgenerate

    // The first pass takes them from the stream, the others from the buffer. Products follow without a register in
    // between: a choice between the two right before them would be made again in each product.
    wire [SIMD*INPUT_BITS-1:0] inputs;
    generate
        if (NF > 1 && SF == 1) begin : kept
            reg [SIMD*INPUT_BITS-1:0] frame;
            always @(posedge clk) begin
                if (rst) frame <= {SIMD*INPUT_BITS{1'b0}};
                else if (step && first_pass) frame <= in_data;
            end
            assign inputs = frame;
        end else if (NF > 1) begin : reused
            (* ram_style = BUFFER_STYLE *) reg [SIMD*INPUT_BITS-1:0] buffer [0:SF-1];
            integer b;
            initial for (b = 0; b < SF; b = b + 1) buffer[b] = {SIMD*INPUT_BITS{1'b0}};
            always @(posedge clk) if (step && first_pass) buffer[sf] <= in_data;
            if (SMALL_BUFFER != 0) begin : unregistered
                reg [SIMD*INPUT_BITS-1:0] chosen;
                always @(posedge clk) begin
                    if (rst) chosen <= {SIMD*INPUT_BITS{1'b0}};
                    else chosen <= first_pass ? in_data : buffer[sf];
                end
                assign inputs = chosen;
            end else begin : registered
                // Block RAM has its register before the choice.
                reg [SIMD*INPUT_BITS-1:0] from_stream;
                reg [SIMD*INPUT_BITS-1:0] from_buffer;
                reg use_stream;
                always @(posedge clk) from_buffer <= buffer[sf];
                always @(posedge clk) begin
                    if (rst) begin
                        from_stream <= {SIMD*INPUT_BITS{1'b0}};
                        use_stream <= 1'b1;
                    end else begin
                        from_stream <= in_data;
                        use_stream <= first_pass;
                    end
                end
                assign inputs = use_stream ? from_stream : from_buffer;
            end
        end else begin : used_once
            reg [SIMD*INPUT_BITS-1:0] from_stream;
            always @(posedge clk) begin
                if (rst) from_stream <= {SIMD*INPUT_BITS{1'b0}};
                else from_stream <= in_data;
            end
            assign inputs = from_stream;
        end
    endgenerate

    // ---- the steps on their way: begun, first and last of their sum
    reg [TREE_CLOCKS:0] going;
    reg [TREE_CLOCKS:0] going_first;
    reg [TREE_CLOCKS:0] going_last;
    wire [TREE_CLOCKS+1:0] next_going = {going, step};
    wire [TREE_CLOCKS+1:0] next_first = {going_first, sf == {SF_BITS{1'b0}}};
    wire [TREE_CLOCKS+1:0] next_last = {going_last, last_of_sum};
    wire unused = &{1'b0, next_going, next_first, next_last};
    always @(posedge clk) begin
        if (rst) begin
            going <= {TREE_CLOCKS+1{1'b0}};
            going_first <= {TREE_CLOCKS+1{1'b0}};
            going_last <= {TREE_CLOCKS+1{1'b0}};
        end else begin
            going <= next_going[TREE_CLOCKS:0];
            going_first <= next_first[TREE_CLOCKS:0];
            going_last <= next_last[TREE_CLOCKS:0];
        end
    end

    // ---- constants: one word per output value, needed when its first step reaches the accumulator
    wire [PE*SUM_BITS-1:0] constants;
    generate
        if (HAS_CONSTANT != 0) begin : with_constant
            reg [PE*SUM_BITS-1:0] rom [0:NF-1];
            initial $readmemh(CONSTANT_FILE, rom);
            reg [NF_BITS-1:0] index;
            always @(posedge clk) begin
                if (rst) index <= {NF_BITS{1'b0}};
                else if (going[TREE_CLOCKS] && going_last[TREE_CLOCKS])
                    index <= (index == LAST_NF) ? {NF_BITS{1'b0}} : index + 1'b1;
            end
            assign constants = rom[index];
        end else begin : without_constant
            assign constants = {PE*SUM_BITS{1'b0}};
        end
    endgenerate

    // ---- products, their sums, accumulators

    reg push_held;
    always @(posedge clk) begin
        if (rst) push_held <= 1'b0;
        else push_held <= going[TREE_CLOCKS] && going_last[TREE_CLOCKS];
    end
    assign push = push_held;

    genvar p;
    generate
        for (p = 0; p < PE; p = p + 1) begin : row
            edgeml_mvu_row #(
                .SIMD(SIMD), .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED), .WEIGHT_BITS(WEIGHT_BITS),
                .SUM_BITS(SUM_BITS)
            ) output_row (
                .clk(clk), .rst(rst),
                .weights(weights[p*SIMD*WEIGHT_BITS +: SIMD*WEIGHT_BITS]), .inputs(inputs),
                .add(going[TREE_CLOCKS]), .first(going_first[TREE_CLOCKS]),
                .start(constants[p*SUM_BITS +: SUM_BITS]), .sum(push_data[p*SUM_BITS +: SUM_BITS])
            );
        end
    endgenerate
endmodule
`default_nettype wire
