// SPDX-License-Identifier: Apache-2.0
// First-in first-out buffer whose places are reserved before they are filled.
//
// A pipeline without a stall input may start work only when its result will find a place: it asserts `reserve`
// while `can_reserve` is high, and `push` whenever the result arrives, any number of clocks later. A place is
// free again in the clock after its value was taken, or one clock later with LATE. What is pushed in one clock is `valid`
// in the next. `can_reserve` and `valid` are registers. With LATE no way leads from `ready` to what `can_reserve` follows
// from: a register stands between the two ends, which may be far from each other. With BYPASS what is pushed while
// the buffer is empty is `valid` in the same clock, and needs no place if it is taken then: `valid` and `data` follow
// from `push` and `push_data` without a register.
`default_nettype none
module edgeml_fifo #(
    parameter WIDTH = 8,  // bits of one value
    parameter DEPTH = 4,  // places, 1 or more
    parameter LATE = 0,   // 1: a place is free again a clock later
    parameter BYPASS = 0  // 1: what comes while it is empty is given at once
) (
    input  wire             clk,
    input  wire             rst,          // synchronous, active high
    output wire             can_reserve,
    input  wire             reserve,
    input  wire             push,
    input  wire [WIDTH-1:0] push_data,
    output wire             valid,
    input  wire             ready,
    output wire [WIDTH-1:0] data
);
    localparam COUNT_BITS = $clog2(DEPTH + 1);
    localparam INDEX_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1;
    localparam integer LAST_NUMBER = DEPTH - 1;
    localparam [INDEX_BITS-1:0] LAST = LAST_NUMBER[INDEX_BITS-1:0];
    localparam integer ONE_LEFT_NUMBER = DEPTH - 1;
    localparam [COUNT_BITS-1:0] ONE_LEFT = ONE_LEFT_NUMBER[COUNT_BITS-1:0];
    localparam [COUNT_BITS-1:0] ONE = 1;

    reg [WIDTH-1:0] memory [0:DEPTH-1];
    reg [INDEX_BITS-1:0] write_index;
    reg [INDEX_BITS-1:0] read_index;
    reg [COUNT_BITS-1:0] reserved;  // places taken or promised
    reg [COUNT_BITS-1:0] filled;    // places that hold a value
    reg room;                       // reserved is below DEPTH
    reg some;                       // filled is above 0

    integer i;
    initial for (i = 0; i < DEPTH; i = i + 1) memory[i] = {WIDTH{1'b0}};

    wire pop = valid && ready;
    reg popped;
    wire freed = (LATE != 0) ? popped : pop;
    always @(posedge clk) popped <= !rst && pop;
    assign can_reserve = room;
    wire [WIDTH-1:0] first = memory[read_index];
    generate
        if (BYPASS != 0) begin : passing
            assign valid = some || push;
            assign data = some ? first : push_data;
        end else begin : waiting
            assign valid = some;
            assign data = first;
        end
    endgenerate

    always @(posedge clk) if (push) memory[write_index] <= push_data;

    always @(posedge clk) begin
        if (rst) begin
            write_index <= {INDEX_BITS{1'b0}};
            read_index <= {INDEX_BITS{1'b0}};
            reserved <= {COUNT_BITS{1'b0}};
            filled <= {COUNT_BITS{1'b0}};
            room <= 1'b1;
            some <= 1'b0;
        end else begin
            if (push) write_index <= (write_index == LAST) ? {INDEX_BITS{1'b0}} : write_index + 1'b1;
            if (pop) read_index <= (read_index == LAST) ? {INDEX_BITS{1'b0}} : read_index + 1'b1;
            if (reserve && !freed) begin
                reserved <= reserved + 1'b1;
                room <= reserved != ONE_LEFT;
            end
            if (!reserve && freed) begin
                reserved <= reserved - 1'b1;
                room <= 1'b1;
            end
            if (push && !pop) begin
                filled <= filled + 1'b1;
                some <= 1'b1;
            end
            if (!push && pop) begin
                filled <= filled - 1'b1;
                some <= filled != ONE;
            end
        end
    end
endmodule
`default_nettype wire
