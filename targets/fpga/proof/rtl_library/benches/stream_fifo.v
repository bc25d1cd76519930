// SPDX-License-Identifier: Apache-2.0
// Values come out as they came in, one for one, in their order; the first stays until it is taken.
`default_nettype none
module prove_stream_fifo #(
    parameter WIDTH = 2,
    parameter DEPTH = 3
) (
    input wire             clk,
    input wire             rst,
    input wire             in_valid,
    input wire [WIDTH-1:0] in_data,
    input wire             out_ready,
    input wire             choose  // the value that is taken is the one to watch
);
    localparam INDEX_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1;
    localparam BITS = $clog2(DEPTH + 1) + 1;
    wire in_ready, out_valid;
    wire [WIDTH-1:0] out_data;
    edgeml_stream_fifo #(.WIDTH(WIDTH), .DEPTH(DEPTH)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    reg [BITS-1:0] count;
    wire gives = count != 0 && out_ready;
    wire takes = count != DEPTH && in_valid;
    // Any one value: watched from when it is taken on, with so many ahead of it.
    reg watched;
    reg [BITS-1:0] ahead;
    reg [WIDTH-1:0] value;
    always @(posedge clk) begin
        count <= rst ? 0 : count - gives + takes;
        watched <= !rst && (watched ? !(gives && ahead == 0) : takes && choose);
        ahead <= watched ? ahead - gives : count - gives;
        if (!watched) value <= in_data;
    end
    // Contract.
    always @* if (begun) begin
        assert (in_ready == (count != DEPTH));
        assert (out_valid == (count != 0));
        assert (!watched || (out_valid && (ahead != 0 || out_data == value)));
    end
    // Why.
    wire [WIDTH*DEPTH-1:0] seen_fifo__memory;
    wire [$clog2(DEPTH+1)-1:0] seen_fifo__filled, seen_fifo__reserved;
    wire [INDEX_BITS-1:0] seen_fifo__read_index, seen_fifo__write_index;
    wire [BITS-1:0] first = DEPTH == 1 ? 0 : seen_fifo__read_index;  // one place has no index
    wire [BITS:0] end_sum = first + count, place_sum = first + ahead;
    wire [BITS:0] place = place_sum >= DEPTH ? place_sum - DEPTH : place_sum;
    always @* if (begun) begin
        assert (count <= DEPTH && seen_fifo__filled == count && seen_fifo__reserved == count);
        assert (first < DEPTH && seen_fifo__write_index == (end_sum >= DEPTH ? end_sum - DEPTH : end_sum));
        assert (!watched || ahead < count);
    end
    genvar i;
    generate
        for (i = 0; i < DEPTH; i = i + 1) begin : places
            always @* if (begun && watched && place == i) assert (seen_fifo__memory[i*WIDTH +: WIDTH] == value);
        end
    endgenerate
endmodule
`default_nettype wire
