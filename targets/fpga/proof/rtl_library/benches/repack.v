// SPDX-License-Identifier: Apache-2.0
// Units go out in the order in which they came, frame by frame, none lost or doubled; what a frame's last word has room
// for beside them is zero; an offer stays until it is taken, and comes as soon as its units are there.
`default_nettype none
module prove_repack #(
    parameter WIDTH = 2,
    parameter IN = 2,
    parameter OUT = 3,
    parameter UNITS = 7
) (
    input wire                clk,
    input wire                rst,
    input wire                in_valid,
    input wire [IN*WIDTH-1:0] in_data,
    input wire                out_ready,
    input wire                choose,  // of the word that is taken, one unit is to be watched
    input wire [15:0]         which    // this one
);
    localparam PLACES = IN + OUT - 1;
    wire in_ready, out_valid;
    wire [OUT*WIDTH-1:0] out_data;
    edgeml_repack #(.WIDTH(WIDTH), .IN(IN), .OUT(OUT), .UNITS(UNITS)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);

    // Units of the frame that came and that went, and of frames that are between the two: those that are inside.
    reg [31:0] came, went, inside;
    wire [31:0] more = came + IN >= UNITS ? UNITS - came : IN, wanted = went + OUT >= UNITS ? UNITS - went : OUT;
    wire takes = in_valid && in_ready, gives = out_valid && out_ready;
    always @(posedge clk) begin
        if (takes) came <= came + more == UNITS ? 0 : came + more;
        if (gives) went <= went + wanted == UNITS ? 0 : went + wanted;
        inside <= inside + (takes ? more : 0) - (gives ? wanted : 0);
        if (rst) {came, went, inside} <= 0;
    end
    // Any one unit: watched from the word in which it comes on, with so many ahead of it.
    reg watched;
    reg [31:0] ahead;
    reg [WIDTH-1:0] value;
    wire [31:0] gone = gives ? wanted : 0;
    wire [IN*WIDTH-1:0] chosen = in_data >> (which * WIDTH);
    always @(posedge clk) begin
        watched <= !rst && (watched ? ahead >= gone : takes && choose && which < more);
        ahead <= watched ? ahead - gone : inside - gone + which;
        if (!watched) value <= chosen[WIDTH-1:0];
    end

    // Contract.
    wire [OUT*WIDTH-1:0] at = out_data >> (ahead * WIDTH);
    always @* if (begun) begin
        assert (out_valid == (inside >= wanted));
        assert (in_ready == (inside - gone < OUT));
        assert (out_data >> (wanted * WIDTH) == 0);
        assert (!(watched && out_valid && ahead < wanted) || at[WIDTH-1:0] == value);
    end
    // Why.
    wire [PLACES*WIDTH-1:0] seen_held;
    wire [$clog2(PLACES+1)-1:0] seen_count;
    wire [((UNITS > IN) ? $clog2((UNITS + IN - 1) / IN) : 1)-1:0] seen_in_word;
    wire [((UNITS > OUT) ? $clog2((UNITS + OUT - 1) / OUT) : 1)-1:0] seen_out_word;
    wire [PLACES*WIDTH-1:0] place = seen_held >> (ahead * WIDTH);
    always @* if (begun) begin
        assert (inside <= PLACES && seen_count == inside);
        assert (came < UNITS && seen_in_word * IN == came && went < UNITS && seen_out_word * OUT == went);
        assert (seen_held >> (inside * WIDTH) == 0);
        assert (!watched || (ahead < inside && place[WIDTH-1:0] == value));
    end
endmodule
`default_nettype wire
