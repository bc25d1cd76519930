// SPDX-License-Identifier: Apache-2.0
// Words of one number of units become words of another, frame by frame; the first unit in the lowest bits.
//
// A frame has UNITS units. Where they do not fill its last word, the rest of that word is nothing on the input and zero
// on the output: the next frame begins in a word of its own. A word is offered in the clock after its last unit was
// taken, and words of the next frame are taken while those of a frame wait: IN or OUT units a clock, whichever are less.
`default_nettype none
module edgeml_repack #(
    parameter WIDTH = 8,  // bits of a unit
    parameter IN = 1,     // units of a word that comes in
    parameter OUT = 2,    // of one that is given
    parameter UNITS = 4   // of a frame
) (
    input  wire                 clk,
    input  wire                 rst,  // synchronous, active high
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire [IN*WIDTH-1:0]  in_data,
    output wire                 out_valid,
    input  wire                 out_ready,
    output wire [OUT*WIDTH-1:0] out_data
);
    localparam PLACES = IN + OUT - 1;
    localparam COUNT_BITS = $clog2(PLACES + 1);
    localparam IN_WORDS = (UNITS + IN - 1) / IN, OUT_WORDS = (UNITS + OUT - 1) / OUT;
    localparam IN_BITS = (IN_WORDS > 1) ? $clog2(IN_WORDS) : 1;
    localparam OUT_BITS = (OUT_WORDS > 1) ? $clog2(OUT_WORDS) : 1;
    localparam IN_REST = UNITS - (IN_WORDS - 1) * IN, OUT_REST = UNITS - (OUT_WORDS - 1) * OUT;
    localparam integer IN_LAST_NUMBER = IN_WORDS - 1, OUT_LAST_NUMBER = OUT_WORDS - 1;
    localparam [IN_BITS-1:0] IN_LAST = IN_LAST_NUMBER[IN_BITS-1:0];
    localparam [OUT_BITS-1:0] OUT_LAST = OUT_LAST_NUMBER[OUT_BITS-1:0];
    localparam integer IN_NUMBER = IN, OUT_NUMBER = OUT, IN_REST_NUMBER = IN_REST, OUT_REST_NUMBER = OUT_REST;

    reg [PLACES*WIDTH-1:0] held;   // the first unit lowest; zero above
    reg [COUNT_BITS-1:0] count;    // units that are held
    reg [IN_BITS-1:0] in_word;     // of its frame, that comes next
    reg [OUT_BITS-1:0] out_word;   // of its frame, that is given next
    wire in_last = in_word == IN_LAST, out_last = out_word == OUT_LAST;
    wire [COUNT_BITS-1:0] adds = in_last ? IN_REST_NUMBER[COUNT_BITS-1:0] : IN_NUMBER[COUNT_BITS-1:0];
    wire [COUNT_BITS-1:0] needs = out_last ? OUT_REST_NUMBER[COUNT_BITS-1:0] : OUT_NUMBER[COUNT_BITS-1:0];
    assign out_valid = count >= needs;
    wire gives = out_valid && out_ready;
    wire [COUNT_BITS-1:0] left = gives ? count - needs : count;
    assign in_ready = left < OUT_NUMBER[COUNT_BITS-1:0];
    wire takes = in_valid && in_ready;

    // Units that stay, at their new places, and behind them those that come.
    wire [PLACES*WIDTH-1:0] stays =
        !gives ? held : out_last ? held >> (OUT_REST * WIDTH) : held >> (OUT * WIDTH);
    wire [IN*WIDTH-1:0] comes = in_last ? in_data & ({IN*WIDTH{1'b1}} >> ((IN - IN_REST) * WIDTH)) : in_data;
    reg [PLACES*WIDTH-1:0] behind;
    integer i;
    always @* begin
        behind = {PLACES*WIDTH{1'b0}};
        for (i = 0; i < OUT; i = i + 1)
            if (left == i[COUNT_BITS-1:0]) behind[i*WIDTH +: IN*WIDTH] = comes;
    end

    always @(posedge clk) begin
        if (rst) begin
            held <= {PLACES*WIDTH{1'b0}};
            count <= {COUNT_BITS{1'b0}};
            in_word <= {IN_BITS{1'b0}};
            out_word <= {OUT_BITS{1'b0}};
        end else begin
            held <= takes ? stays | behind : stays;
            count <= takes ? left + adds : left;
            if (takes) in_word <= in_last ? {IN_BITS{1'b0}} : in_word + 1'b1;
            if (gives) out_word <= out_last ? {OUT_BITS{1'b0}} : out_word + 1'b1;
        end
    end

    assign out_data = out_last ? held[OUT*WIDTH-1:0] & ({OUT*WIDTH{1'b1}} >> ((OUT - OUT_REST) * WIDTH))
                               : held[OUT*WIDTH-1:0];
endmodule
`default_nettype wire
