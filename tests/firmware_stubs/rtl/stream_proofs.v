// What holds of streams for ever: from a first clock with a reset on, whatever comes, further resets included.
//
// `assume` says what the other side must keep; what is asserted under "Contract" is what a user of the unit relies on.
// What is asserted under "Why" ties the unit's registers (`seen_x` is `unit.x`) to those that the contract is said in,
// so that one clock leads to the next: without it the induction would start from states that never are.
`default_nettype none

// Places are promised before they are filled: the other side asks for one only where there is one, and pushes only what
// it has a promise for. No value is lost, doubled or overtaken, and the first stays until it is taken.
module prove_fifo #(
    parameter WIDTH = 2,
    parameter DEPTH = 3
) (
    input wire             clk,
    input wire             rst,
    input wire             reserve,
    input wire             push,
    input wire [WIDTH-1:0] push_data,
    input wire             ready
);
    localparam INDEX_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1;
    wire can_reserve, valid;
    wire [WIDTH-1:0] data;
    edgeml_fifo #(.WIDTH(WIDTH), .DEPTH(DEPTH)) unit (
        .clk(clk), .rst(rst), .can_reserve(can_reserve), .reserve(reserve), .push(push), .push_data(push_data),
        .valid(valid), .ready(ready), .data(data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    reg [7:0] promised, count;
    reg [WIDTH*DEPTH-1:0] queue;  // the first value lowest
    always @* begin
        assume (begun || rst);
        assume (!reserve || can_reserve);
        assume (!push || promised != 0 || reserve);
    end
    wire gives = count != 0 && ready;
    wire [7:0] left = count - gives;
    wire [WIDTH*DEPTH-1:0] rest = gives ? queue >> WIDTH : queue;
    wire [WIDTH*DEPTH-1:0] kept = (1 << (left * WIDTH)) - 1;
    always @(posedge clk) begin
        promised <= rst ? 8'd0 : promised + reserve - push;
        count <= rst ? 8'd0 : left + push;
        queue <= push ? (rest & kept) | (push_data << (left * WIDTH)) : rest;
    end
    // Contract.
    always @* if (begun) begin
        assert (can_reserve == (count + promised != DEPTH));
        assert (valid == (count != 0));
        assert (!valid || data == queue[WIDTH-1:0]);
    end
    // Why.
    wire [WIDTH*DEPTH-1:0] seen_memory;
    wire [$clog2(DEPTH+1)-1:0] seen_filled, seen_reserved;
    wire [INDEX_BITS-1:0] seen_read_index, seen_write_index;
    wire [7:0] first = DEPTH == 1 ? 0 : seen_read_index;  // one place has no index
    always @* if (begun) begin
        assert (seen_filled == count);
        assert (seen_reserved == count + promised);
        assert (count <= DEPTH && promised <= DEPTH && count + promised <= DEPTH);
        assert (first < DEPTH && seen_write_index == (first + count) % DEPTH);
    end
    genvar i;
    generate
        for (i = 0; i < DEPTH; i = i + 1) begin : places
            wire [7:0] place = (first + i) % DEPTH;
            always @*
                if (begun && i < count) assert (seen_memory[place*WIDTH +: WIDTH] == queue[i*WIDTH +: WIDTH]);
        end
    endgenerate
endmodule

// Values come out as they came in, one for one, in their order; the first stays until it is taken.
module prove_stream_fifo #(
    parameter WIDTH = 2,
    parameter DEPTH = 3
) (
    input wire             clk,
    input wire             rst,
    input wire             in_valid,
    input wire [WIDTH-1:0] in_data,
    input wire             out_ready
);
    localparam INDEX_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1;
    wire in_ready, out_valid;
    wire [WIDTH-1:0] out_data;
    edgeml_stream_fifo #(.WIDTH(WIDTH), .DEPTH(DEPTH)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    reg [7:0] count;
    reg [WIDTH*DEPTH-1:0] queue;  // the first value lowest
    always @* assume (begun || rst);
    wire gives = count != 0 && out_ready;
    wire takes = count != DEPTH && in_valid;
    wire [7:0] left = count - gives;
    wire [WIDTH*DEPTH-1:0] rest = gives ? queue >> WIDTH : queue;
    wire [WIDTH*DEPTH-1:0] kept = (1 << (left * WIDTH)) - 1;
    always @(posedge clk) begin
        count <= rst ? 8'd0 : left + takes;
        queue <= takes ? (rest & kept) | (in_data << (left * WIDTH)) : rest;
    end
    // Contract.
    always @* if (begun) begin
        assert (in_ready == (count != DEPTH));
        assert (out_valid == (count != 0));
        assert (!out_valid || out_data == queue[WIDTH-1:0]);
    end
    // Why.
    wire [WIDTH*DEPTH-1:0] seen_fifo__memory;
    wire [$clog2(DEPTH+1)-1:0] seen_fifo__filled, seen_fifo__reserved;
    wire [INDEX_BITS-1:0] seen_fifo__read_index, seen_fifo__write_index;
    wire [7:0] first = DEPTH == 1 ? 0 : seen_fifo__read_index;  // one place has no index
    always @* if (begun) begin
        assert (count <= DEPTH && seen_fifo__filled == count && seen_fifo__reserved == count);
        assert (first < DEPTH && seen_fifo__write_index == (first + count) % DEPTH);
    end
    genvar i;
    generate
        for (i = 0; i < DEPTH; i = i + 1) begin : places
            wire [7:0] place = (first + i) % DEPTH;
            always @*
                if (begun && i < count) assert (seen_fifo__memory[place*WIDTH +: WIDTH] == queue[i*WIDTH +: WIDTH]);
        end
    endgenerate
endmodule

// Every taker takes each value exactly once; the value goes when the last of them takes it, and not before.
module prove_fork #(
    parameter TAKERS = 2
) (
    input wire              clk,
    input wire              rst,
    input wire              in_valid,
    input wire [TAKERS-1:0] out_ready
);
    wire in_ready;
    wire [TAKERS-1:0] out_valid;
    edgeml_fork #(.TAKERS(TAKERS)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready)
    );
    reg begun = 1'b0;
    reg waits = 1'b0;  // a value was offered, and not taken: it stays
    reg [TAKERS-1:0] offered;
    always @(posedge clk) begin
        begun <= 1'b1;
        waits <= !rst && in_valid && !in_ready;
        offered <= out_valid & ~out_ready;
    end
    always @* assume ((begun || rst) && (!waits || in_valid));
    reg [TAKERS-1:0] had;  // who took the value that stands at the input
    wire [TAKERS-1:0] takes = out_valid & out_ready;
    always @(posedge clk) had <= rst || (in_valid && in_ready) ? {TAKERS{1'b0}} : had | takes;
    // Contract.
    always @* if (begun) begin
        assert ((takes & had) == 0);
        assert (!(in_valid && in_ready) || (had | takes) == {TAKERS{1'b1}});
        assert (!in_valid || in_ready || (had | takes) != {TAKERS{1'b1}});
        assert (in_valid || out_valid == 0);
        assert (!in_valid || (out_valid | had) == {TAKERS{1'b1}});
        assert (!waits || (out_valid & offered) == offered);
    end
    // Why.
    wire [TAKERS-1:0] seen_served;
    always @* if (begun) assert (seen_served == had);
endmodule

// RATIO values, or what is left of a frame with zeros above, become one; it stays until it is taken.
module prove_upsizer #(
    parameter WIDTH = 2,
    parameter RATIO = 2,
    parameter IN_BEATS = 4
) (
    input wire             clk,
    input wire             rst,
    input wire             in_valid,
    input wire [WIDTH-1:0] in_data,
    input wire             out_ready
);
    wire in_ready, out_valid;
    wire [WIDTH*RATIO-1:0] out_data;
    edgeml_upsizer #(.WIDTH(WIDTH), .RATIO(RATIO), .IN_BEATS(IN_BEATS)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    reg [7:0] number;                // of the frame's value that comes next
    reg [WIDTH*RATIO-1:0] gathered;  // what came of the wide value that is being made
    reg [WIDTH*RATIO-1:0] whole;     // the wide value that is offered
    reg offered;
    wire takes = in_valid && in_ready;
    wire [7:0] part = number % RATIO;
    wire [WIDTH*RATIO-1:0] more = (part == 0 ? 0 : gathered) | (in_data << (part * WIDTH));
    wire ends = part == RATIO - 1 || number == IN_BEATS - 1;
    always @(posedge clk) begin
        if (takes) number <= number == IN_BEATS - 1 ? 8'd0 : number + 8'd1;
        if (takes) gathered <= more;
        if (takes && ends) whole <= more;
        offered <= !rst && (takes ? ends : offered && !out_ready);
        if (rst) number <= 8'd0;
    end
    // Contract.
    always @* if (begun) begin
        assert (in_ready == (!offered || out_ready));
        assert (out_valid == offered);
        assert (!out_valid || out_data == whole);
    end
    // Why.
    wire [$clog2(RATIO)-1:0] seen_part;
    wire [((IN_BEATS > 1) ? $clog2(IN_BEATS) : 1)-1:0] seen_beat;
    always @* if (begun) begin
        assert (number < IN_BEATS && seen_beat == number && seen_part == part);
        assert (part == 0 || (out_data == gathered && gathered >> (part * WIDTH) == 0));
        assert (!offered || part == 0);
    end
endmodule

// A wide value becomes its parts, the lowest first, those of a frame alone, and goes with the last of them.
module prove_downsizer #(
    parameter WIDTH = 2,
    parameter RATIO = 2,
    parameter OUT_BEATS = 4
) (
    input wire                   clk,
    input wire                   rst,
    input wire                   in_valid,
    input wire [WIDTH*RATIO-1:0] in_data,
    input wire                   out_ready
);
    wire in_ready, out_valid;
    wire [WIDTH-1:0] out_data;
    edgeml_downsizer #(.WIDTH(WIDTH), .RATIO(RATIO), .OUT_BEATS(OUT_BEATS)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    reg waits = 1'b0, offered = 1'b0;
    reg [WIDTH*RATIO-1:0] stands;
    reg [WIDTH-1:0] offer;
    always @(posedge clk) begin
        begun <= 1'b1;
        waits <= !rst && in_valid && !in_ready;
        stands <= in_data;
        offered <= !rst && out_valid && !out_ready;
        offer <= out_data;
    end
    always @* assume ((begun || rst) && (!waits || (in_valid && in_data == stands)));
    reg [7:0] number;  // of the frame's part that comes next
    wire [7:0] part = number % RATIO;
    wire [WIDTH*RATIO-1:0] shifted = in_data >> (part * WIDTH);
    always @(posedge clk) begin
        if (out_valid && out_ready) number <= number == OUT_BEATS - 1 ? 8'd0 : number + 8'd1;
        if (rst) number <= 8'd0;
    end
    // Contract.
    always @* if (begun) begin
        assert (out_valid == in_valid);
        assert (!out_valid || out_data == shifted[WIDTH-1:0]);
        assert (!in_valid || in_ready == (out_ready && (part == RATIO - 1 || number == OUT_BEATS - 1)));
        assert (!offered || (out_valid && out_data == offer));
    end
    // Why.
    wire [$clog2(RATIO)-1:0] seen_part;
    wire [((OUT_BEATS > 1) ? $clog2(OUT_BEATS) : 1)-1:0] seen_beat;
    always @* if (begun) assert (number < OUT_BEATS && seen_beat == number && seen_part == part);
endmodule

// SLOTS clocks after each start, counted from 0; a start begins them anew.
module prove_slot_counter #(
    parameter SLOTS = 3,
    parameter SLOT_BITS = 2
) (
    input wire clk,
    input wire rst,
    input wire start
);
    wire running;
    wire [SLOT_BITS-1:0] slot;
    edgeml_slot_counter #(.SLOTS(SLOTS), .SLOT_BITS(SLOT_BITS)) unit (
        .clk(clk), .rst(rst), .start(start), .running(running), .slot(slot)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    reg [7:0] left;  // slots that are to come, this one included
    always @(posedge clk) left <= rst ? 8'd0 : start ? SLOTS : left - (left != 0);
    // Contract.
    always @* if (begun) begin
        assert (left <= SLOTS && running == (left != 0));
        assert (!running || slot == SLOTS - left);
    end
endmodule
`default_nettype wire
