// SPDX-License-Identifier: Apache-2.0
// A byte is on the pin as 0, its bits from the lowest on, and 1, CLOCKS_PER_BIT clocks each; then comes the next, or 1.
`default_nettype none
module prove_uart_tx #(
    parameter CLOCKS_PER_BIT = 4
) (
    input wire       clk,
    input wire       rst,
    input wire       valid,
    input wire [7:0] data
);
    wire ready, tx;
    edgeml_uart_tx #(.CLOCKS_PER_BIT(CLOCKS_PER_BIT)) unit (
        .clk(clk), .rst(rst), .valid(valid), .ready(ready), .data(data), .tx(tx)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    reg sends;
    reg [9:0] frame;
    reg [3:0] bits;    // of the frame that are over
    reg [15:0] clocks;  // of this bit that are over
    always @(posedge clk) begin
        if (ready && valid) begin
            sends <= 1'b1;
            frame <= {1'b1, data, 1'b0};
            bits <= 4'd0;
            clocks <= 8'd0;
        end else if (sends) begin
            clocks <= clocks == CLOCKS_PER_BIT - 1 ? 8'd0 : clocks + 8'd1;
            if (clocks == CLOCKS_PER_BIT - 1) begin
                bits <= bits + 4'd1;
                sends <= bits != 4'd9;
            end
        end
        if (rst) sends <= 1'b0;
    end
    // Contract.
    always @* if (begun) begin
        assert (ready == !sends);
        assert (tx == (sends ? frame[bits] : 1'b1));
    end
    // Why.
    wire [9:0] seen_shift;
    wire [3:0] seen_left;
    wire [$clog2(CLOCKS_PER_BIT)-1:0] seen_count;
    wire [9:0] ones = ~(10'h3FF >> bits);
    always @* if (begun) begin
        assert (seen_left == (sends ? 4'd10 - bits : 4'd0));
        assert (sends || seen_shift == 10'h3FF);
        assert (!sends || (bits <= 4'd9 && clocks < CLOCKS_PER_BIT && seen_count == CLOCKS_PER_BIT - 1 - clocks));
        assert (!sends || (frame[9] && !frame[0] && seen_shift == ((frame >> bits) | ones)));
    end
endmodule
`default_nettype wire
