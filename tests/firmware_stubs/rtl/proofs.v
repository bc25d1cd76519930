// What small modules compute, said in one expression each: yosys proves that no input whatever gives anything else.
//
// `rst` is low throughout. Registers begin with any bits, so that an answer counts from the clock on in
// which the inputs that it is made of are in the module.
`default_nettype none

module prove_pair_sum #(
    parameter BITS = 4
) (
    input wire [BITS-1:0] left,
    input wire [BITS-1:0] right
);
    wire [BITS-1:0] sum;
    edgeml_pair_sum #(.BITS(BITS)) unit (.left(left), .right(right), .sum(sum));
    wire [BITS:0] whole = {1'b0, left} + {1'b0, right};
    always @* assert (sum == whole[BITS-1:0]);
endmodule

// The CRC as a long division, highest bit first, of bits taken in the reverse order.
module prove_crc32 (
    input wire [31:0] state,
    input wire [7:0]  data
);
    wire [31:0] next;
    edgeml_crc32 unit (.state(state), .data(data), .next(next));
    reg [31:0] rest;
    reg [31:0] turned;
    integer i;
    always @* begin
        for (i = 0; i < 32; i = i + 1) rest[i] = state[31-i];
        for (i = 0; i < 8; i = i + 1)
            rest = {rest[30:0], 1'b0} ^ ((rest[31] ^ data[i]) ? 32'h04C11DB7 : 32'd0);
        for (i = 0; i < 32; i = i + 1) turned[i] = rest[31-i];
        assert (next == turned);
    end
endmodule

module prove_pass #(
    parameter WIDTH = 8
) (
    input wire             in_valid,
    input wire [WIDTH-1:0] in_data,
    input wire             can_reserve
);
    wire in_ready, reserve, push;
    wire [WIDTH-1:0] push_data;
    edgeml_pass #(.WIDTH(WIDTH)) unit (
        .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .can_reserve(can_reserve), .reserve(reserve),
        .push(push), .push_data(push_data)
    );
    always @* begin
        assert (reserve == (in_valid && in_ready));
        assert (reserve == (in_valid && can_reserve));
        assert (push == reserve);
        assert (!push || push_data == in_data);
    end
endmodule

module prove_adder_tree #(
    parameter TERMS = 5,
    parameter TERM_BITS = 4,
    parameter SUM_BITS = 6,
    parameter CLOCKS = 1
) (
    input wire                       clk,
    input wire [TERMS*TERM_BITS-1:0] terms
);
    wire [SUM_BITS-1:0] sum;
    edgeml_adder_tree #(.TERMS(TERMS), .TERM_BITS(TERM_BITS), .SUM_BITS(SUM_BITS)) unit (
        .clk(clk), .terms(terms), .sum(sum)
    );
    reg [TERMS*TERM_BITS-1:0] past [0:CLOCKS];
    reg signed [31:0] total;
    integer i;
    always @(posedge clk) for (i = 1; i <= CLOCKS; i = i + 1) past[i] <= past[i-1];
    always @* begin
        past[0] = terms;
        total = 0;
        for (i = 0; i < TERMS; i = i + 1) total = total + $signed(past[CLOCKS][i*TERM_BITS +: TERM_BITS]);
        assert (sum == total[SUM_BITS-1:0]);
    end
endmodule

module prove_clip #(
    parameter INPUT_BITS = 16,
    parameter OFFSET = 0,
    parameter LOW = -128,
    parameter HIGH = 127,
    parameter OUTPUT_BITS = 8
) (
    input wire                         clk,
    input wire signed [INPUT_BITS-1:0] value
);
    wire [OUTPUT_BITS-1:0] result;
    edgeml_clip #(.INPUT_BITS(INPUT_BITS), .OFFSET(OFFSET), .LOW(LOW), .HIGH(HIGH), .OUTPUT_BITS(OUTPUT_BITS)) unit (
        .clk(clk), .value(value), .result(result)
    );
    reg signed [INPUT_BITS-1:0] before;
    always @(posedge clk) before <= value;
    localparam signed [31:0] OFFSET_NUMBER = OFFSET, LOW_NUMBER = LOW, HIGH_NUMBER = HIGH;
    wire signed [63:0] moved = before + OFFSET_NUMBER;
    wire signed [63:0] held = moved < LOW_NUMBER ? LOW_NUMBER : moved > HIGH_NUMBER ? HIGH_NUMBER : moved;
    always @* assert (result == held[OUTPUT_BITS-1:0]);
endmodule

module prove_significand #(
    parameter WIDTH = 12,
    parameter KEPT = 5
) (
    input wire             clk,
    input wire [WIDTH-1:0] value
);
    wire [WIDTH:0] rounded;
    edgeml_significand #(.WIDTH(WIDTH), .KEPT(KEPT)) unit (.clk(clk), .value(value), .rounded(rounded));
    reg [WIDTH-1:0] before, earlier;
    always @(posedge clk) begin
        before <= value;
        earlier <= before;
    end
    reg [WIDTH:0] whole, rest, half, nearest;
    integer places;
    always @* begin
        nearest = {1'b0, earlier};
        for (places = 1; places <= WIDTH - KEPT; places = places + 1) begin
            if (earlier >> (KEPT + places - 1) == 1) begin  // so many bits above the last that is kept
                whole = {1'b0, earlier} >> places;
                rest = {1'b0, earlier} - (whole << places);
                half = 1 << (places - 1);
                nearest = (whole + (rest > half || (rest == half && whole[0]))) << places;
            end
        end
        assert (rounded == nearest);
    end
endmodule

module prove_rescale_fixed #(
    parameter INPUT_BITS = 8,
    parameter INPUT_SIGNED = 1,
    parameter MULTIPLIES = 1,
    parameter TIES_AWAY = 0,
    parameter RIGHT = 0,
    parameter CLOCKS = 4
) (
    input wire                  clk,
    input wire [INPUT_BITS-1:0] value,
    input wire [30:0]           multiplier,
    input wire [1:0]            more
);
    wire [7:0] result;
    edgeml_rescale_fixed #(
        .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED), .MULTIPLIES(MULTIPLIES), .TIES_AWAY(TIES_AWAY),
        .RIGHT(RIGHT), .MORE_BITS(2), .ZERO_POINT(-3)
    ) unit (.clk(clk), .value(value), .multiplier(multiplier), .more(more), .result(result));
    reg [INPUT_BITS+32:0] past [0:CLOCKS];
    integer i;
    always @(posedge clk) for (i = 1; i <= CLOCKS; i = i + 1) past[i] <= past[i-1];
    always @* past[0] = {value, multiplier, more};
    wire [INPUT_BITS-1:0] x = past[CLOCKS][INPUT_BITS+32:33];
    wire signed [INPUT_BITS:0] wide = {INPUT_SIGNED != 0 && x[INPUT_BITS-1], x};
    wire signed [31:0] factor = {1'b0, past[CLOCKS][32:2]};
    wire [5:0] places = RIGHT + past[CLOCKS][1:0];
    wire signed [63:0] high = MULTIPLIES ? (wide * factor + 64'sd1073741824) >>> 31 : wide;
    // The magnitude of a negative number is rounded, or a number, by adding a half and leaving the fraction.
    wire signed [63:0] half = (64'sd1 << places) >> 1;
    wire signed [63:0] down = (TIES_AWAY != 0 && high < 0) ? -((half - high) >>> places) : (high + half) >>> places;
    wire signed [63:0] moved = down - 3;
    wire signed [63:0] held = moved < -128 ? -128 : moved > 127 ? 127 : moved;
    always @* assert (result == held[7:0]);
endmodule

module prove_mvu_row #(
    parameter SIMD = 3,
    parameter INPUT_BITS = 3,
    parameter INPUT_SIGNED = 1,
    parameter WEIGHT_BITS = 2,
    parameter SUM_BITS = 9,
    parameter INVERTED = 0,  // −x is taken as −x − 1
    parameter CLOCKS = 1     // of the sum of the products
) (
    input wire                        clk,
    input wire                        rst,
    input wire [SIMD*WEIGHT_BITS-1:0] weights,
    input wire [SIMD*INPUT_BITS-1:0]  inputs,
    input wire                        add,
    input wire                        first,
    input wire [SUM_BITS-1:0]         start
);
    wire [SUM_BITS-1:0] sum;
    edgeml_mvu_row #(
        .SIMD(SIMD), .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED), .WEIGHT_BITS(WEIGHT_BITS), .SUM_BITS(SUM_BITS)
    ) unit (.clk(clk), .rst(rst), .weights(weights), .inputs(inputs), .add(add), .first(first), .start(start), .sum(sum));
    reg [SIMD*(WEIGHT_BITS+INPUT_BITS)-1:0] past [0:CLOCKS];
    reg [SUM_BITS-1:0] expected;
    reg signed [31:0] total, w, x;
    integer i;
    always @(posedge clk) for (i = 1; i <= CLOCKS; i = i + 1) past[i] <= past[i-1];
    always @* begin
        past[0] = {weights, inputs};
        total = 0;
        for (i = 0; i < SIMD; i = i + 1) begin
            w = $signed(past[CLOCKS][SIMD*INPUT_BITS+i*WEIGHT_BITS +: WEIGHT_BITS]);
            if (WEIGHT_BITS == 1) w = past[CLOCKS][SIMD*INPUT_BITS+i] ? 1 : -1;
            x = past[CLOCKS][i*INPUT_BITS +: INPUT_BITS];
            if (INPUT_SIGNED != 0) x = $signed(past[CLOCKS][i*INPUT_BITS +: INPUT_BITS]);
            total = total + w * x - (INVERTED != 0 && w < 0);
        end
    end
    always @(posedge clk) expected <= (first ? start : sum) + total[SUM_BITS-1:0];
    reg added;
    always @(posedge clk) added <= add;
    always @* if (added) assert (sum == expected);
endmodule

module prove_threshold #(
    parameter INPUT_BITS = 8,
    parameter INPUT_SIGNED = 1,
    parameter LEVELS = 3,
    parameter BASE = 0
) (
    input wire                  clk,
    input wire                  rst,
    input wire                  in_push,
    input wire [INPUT_BITS-1:0] in_data
);
    localparam VALUE_BITS = INPUT_BITS + ((INPUT_SIGNED != 0) ? 1 : 2);
    wire push;
    wire [7:0] push_data;
    edgeml_threshold #(
        .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED), .LEVELS(LEVELS), .OUTPUT_BITS(8), .BASE(BASE),
        .THRESHOLD_FILE("thresholds.mem")
    ) unit (.clk(clk), .rst(rst), .in_push(in_push), .in_data(in_data), .push(push), .push_data(push_data));
    reg [LEVELS*VALUE_BITS-1:0] thresholds [0:0];
    initial $readmemh("thresholds.mem", thresholds);
    wire [LEVELS*VALUE_BITS-1:0] row = thresholds[0];
    reg [INPUT_BITS:0] before, earlier;
    reg signed [31:0] x;
    reg [7:0] count;
    integer k;
    always @(posedge clk) begin
        before <= {in_push, in_data};
        earlier <= before;
    end
    always @* begin
        x = earlier[INPUT_BITS-1:0];
        if (INPUT_SIGNED != 0) x = $signed(earlier[INPUT_BITS-1:0]);
        count = BASE;
        for (k = 0; k < LEVELS; k = k + 1)
            if ($signed(row[k*VALUE_BITS +: VALUE_BITS]) <= x) count = count + 1;
        assert (push == earlier[INPUT_BITS]);
        assert (push_data == count);
    end
endmodule

module prove_threshold_line #(
    parameter INPUT_BITS = 6,
    parameter INPUT_SIGNED = 1,
    parameter FACTOR_BITS = 4,
    parameter OFFSET_BITS = 8,
    parameter PLACES = 5,
    parameter ZEROS = 0,
    parameter LEVELS = 7,
    parameter BASE = 0,
    parameter CORRECTIONS = 0
) (
    input wire                  clk,
    input wire                  rst,
    input wire                  in_push,
    input wire [INPUT_BITS-1:0] in_data
);
    localparam VALUE_BITS = INPUT_BITS + ((INPUT_SIGNED != 0) ? 0 : 1);
    wire push;
    wire [7:0] push_data;
    edgeml_threshold_line #(
        .INPUT_BITS(INPUT_BITS), .INPUT_SIGNED(INPUT_SIGNED), .FACTOR_BITS(FACTOR_BITS), .OFFSET_BITS(OFFSET_BITS),
        .SUM_BITS(20), .PLACES(PLACES), .ZEROS(ZEROS), .LEVELS(LEVELS), .OUTPUT_BITS(8), .BASE(BASE),
        .LINE_FILE("thresholds.mem"), .CORRECTIONS(CORRECTIONS), .CORRECTION_FILE("corrections.mem")
    ) unit (.clk(clk), .rst(rst), .in_push(in_push), .in_data(in_data), .push(push), .push_data(push_data));
    reg [FACTOR_BITS+OFFSET_BITS-1:0] lines [0:0];
    reg [2*VALUE_BITS+3:0] runs [0:0];
    initial $readmemh("thresholds.mem", lines);
    initial $readmemh("corrections.mem", runs);
    wire [FACTOR_BITS+OFFSET_BITS-1:0] line = lines[0];
    wire [2*VALUE_BITS+3:0] run = runs[0];
    reg [INPUT_BITS:0] past [1:4];
    reg signed [31:0] x, level;
    reg [7:0] expected;
    integer i;
    always @(posedge clk) begin
        past[1] <= {in_push, in_data};
        for (i = 2; i <= 4; i = i + 1) past[i] <= past[i-1];
    end
    always @* begin
        x = past[4][INPUT_BITS-1:0];
        if (INPUT_SIGNED != 0) x = $signed(past[4][INPUT_BITS-1:0]);
        level = x * line[FACTOR_BITS-1:0];
        level = level + $signed(line[FACTOR_BITS +: OFFSET_BITS]) * (1 << ZEROS);
        level = level >>> PLACES;
        level = level < 0 ? 0 : level > LEVELS ? LEVELS : level;
        if (CORRECTIONS != 0 && x >= $signed(run[2 +: VALUE_BITS]) && x <= $signed(run[2+VALUE_BITS +: VALUE_BITS]))
            level = level + $signed(run[2+2*VALUE_BITS +: 2]);
        expected = level + BASE;
        assert (push == past[4][INPUT_BITS]);
        assert (push_data == expected);
    end
endmodule
`default_nettype wire
