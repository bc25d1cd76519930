// SPDX-License-Identifier: Apache-2.0
// A sender whose bits have LENGTH of our clocks: each of its bytes comes once, whole, in order, and nothing else does.
// It may wait between bytes as long as it likes, or not at all; a reset is one of the sender too.
`default_nettype none
module prove_uart_rx #(
    parameter CLOCKS_PER_BIT = 16,
    parameter LENGTH = 16
) (
    input wire       clk,
    input wire       rst,
    input wire       wants,
    input wire [7:0] byte_wanted
);
    localparam BITS = $clog2(11 * (LENGTH > CLOCKS_PER_BIT ? LENGTH : CLOCKS_PER_BIT)) + 1;
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    // The sender, and as it was one and two clocks ago: what the two flip-flops behind the pin give.
    reg [2:0] sends;
    reg [9:0] frame [0:2];
    reg [BITS-1:0] elapsed [0:2];  // clocks since the byte's first
    wire ends = sends[0] && elapsed[0] == 10 * LENGTH - 1;
    wire begins = wants && (!sends[0] || ends);
    wire [2:0] line;
    genvar i;
    generate
        for (i = 0; i < 3; i = i + 1) begin : clocks
            assign line[i] = !sends[i] || frame[i][elapsed[i] / LENGTH];
            always @* if (begun && sends[i]) assert (elapsed[i] < 10 * LENGTH && frame[i][9] && !frame[i][0]);
        end
    endgenerate
    always @(posedge clk) begin
        if (begins) frame[0] <= {1'b1, byte_wanted, 1'b0};
        elapsed[0] <= begins ? 0 : elapsed[0] + 1;
        frame[1] <= frame[0];
        frame[2] <= frame[1];
        elapsed[1] <= elapsed[0];
        elapsed[2] <= elapsed[1];
        sends <= rst ? 3'd0 : {sends[1:0], begins || (sends[0] && !ends)};
    end
    wire valid;
    wire [7:0] data;
    edgeml_uart_rx #(.CLOCKS_PER_BIT(CLOCKS_PER_BIT)) unit (
        .clk(clk), .rst(rst), .rx(line[0]), .valid(valid), .data(data)
    );
    reg was_due;
    wire due = was_due || (sends[2] && elapsed[2] == 0);  // a byte began, and has not come
    always @(posedge clk) was_due <= !rst && due && !valid;
    // Contract.
    always @* if (begun) begin
        assert (!valid || (due && data == frame[2][8:1]));
        assert (!was_due || !sends[2] || elapsed[2] != 0);
        assert (sends[2] || !due);
    end
    // Why: bit i is taken in the middle of what CLOCKS_PER_BIT says of it.
    wire [1:0] seen_level;
    wire seen_active;
    wire [$clog2(CLOCKS_PER_BIT)-1:0] seen_count;
    wire [3:0] seen_index;
    wire [BITS-1:0] middle = CLOCKS_PER_BIT / 2 + seen_index * CLOCKS_PER_BIT;
    localparam GIVEN = CLOCKS_PER_BIT / 2 + 9 * CLOCKS_PER_BIT + 1;
    always @* if (begun) begin
        assert (seen_level == line[2:1]);
        assert (seen_active == (was_due && !valid));
        assert (!seen_active || (seen_index <= 9 && elapsed[2] + seen_count == middle));
        assert (!valid || elapsed[2] == GIVEN);
        assert (!sends[2] || due == (elapsed[2] <= GIVEN));
    end
    generate
        for (i = 1; i <= 8; i = i + 1) begin : bits
            always @* if (begun && seen_active && seen_index > i) assert (data[8-seen_index+i] == frame[2][i]);
        end
    endgenerate
endmodule
`default_nettype wire
