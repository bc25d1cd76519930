// SPDX-License-Identifier: Apache-2.0
// Places are promised before they are filled: the other side asks for one only where there is one, and pushes only what
// it has a promise for. No value is lost, doubled or overtaken, and the first stays until it is taken.
`default_nettype none
module prove_fifo #(
    parameter WIDTH = 2,
    parameter DEPTH = 3,
    parameter LATE = 0,
    parameter BYPASS = 0
) (
    input wire             clk,
    input wire             rst,
    input wire             reserve,
    input wire             push,
    input wire [WIDTH-1:0] push_data,
    input wire             ready,
    input wire             choose  // the value that is pushed is the one to watch
);
    localparam INDEX_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1;
    localparam BITS = $clog2(DEPTH + 1) + 1;
    wire can_reserve, valid;
    wire [WIDTH-1:0] data;
    edgeml_fifo #(.WIDTH(WIDTH), .DEPTH(DEPTH), .LATE(LATE), .BYPASS(BYPASS)) unit (
        .clk(clk), .rst(rst), .can_reserve(can_reserve), .reserve(reserve), .push(push), .push_data(push_data),
        .valid(valid), .ready(ready), .data(data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    reg [BITS-1:0] promised, count;
    always @* begin
        assume (begun || rst);
        assume (!reserve || can_reserve);
        assume (!push || promised != 0 || reserve);
    end
    wire passes = BYPASS != 0 && push && count == 0;  // given in the clock of its push
    wire gives = (count != 0 || passes) && ready;
    // Any one value: watched from its push on, with so many ahead of it, unless it is taken in that clock.
    reg watched, late;  // late: a place that is free a clock later
    reg [BITS-1:0] ahead;
    reg [WIDTH-1:0] value;
    always @(posedge clk) begin
        promised <= rst ? 0 : promised + reserve - push;
        count <= rst ? 0 : count - gives + push;
        late <= LATE != 0 && !rst && gives;
        watched <= !rst && (watched ? !(gives && ahead == 0) : push && choose && !(passes && ready));
        ahead <= watched ? ahead - gives : count - gives;
        if (!watched) value <= push_data;
    end
    // Contract.
    always @* if (begun) begin
        assert (can_reserve == (count + promised + late != DEPTH));
        assert (valid == (count != 0 || passes));
        assert (!passes || data == push_data);
        assert (!watched || (valid && (ahead != 0 || data == value)));
    end
    // Why.
    wire [WIDTH*DEPTH-1:0] seen_memory;
    wire [$clog2(DEPTH+1)-1:0] seen_filled, seen_reserved;
    wire seen_popped, seen_some;
    wire [INDEX_BITS-1:0] seen_read_index, seen_write_index;
    wire [BITS-1:0] first = DEPTH == 1 ? 0 : seen_read_index;  // one place has no index
    wire [BITS:0] end_sum = first + count, place_sum = first + ahead;
    wire [BITS:0] place = place_sum >= DEPTH ? place_sum - DEPTH : place_sum;
    always @* if (begun) begin
        assert (seen_filled == count && seen_some == (count != 0));
        assert ((LATE == 0 || seen_popped == late) && seen_reserved == count + promised + late);
        assert (count <= DEPTH && promised <= DEPTH && count + promised + late <= DEPTH);
        assert (first < DEPTH && seen_write_index == (end_sum >= DEPTH ? end_sum - DEPTH : end_sum));
        assert (!watched || ahead < count);
    end
    genvar i;
    generate
        for (i = 0; i < DEPTH; i = i + 1) begin : places
            always @* if (begun && watched && place == i) assert (seen_memory[i*WIDTH +: WIDTH] == value);
        end
    endgenerate
endmodule
