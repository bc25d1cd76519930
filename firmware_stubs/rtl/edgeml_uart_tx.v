// SPDX-License-Identifier: Apache-2.0
// UART transmitter: 8 data bits, no parity, 1 stop bit. Takes a byte when `valid` and `ready`.
`default_nettype none
module edgeml_uart_tx #(
    parameter CLOCKS_PER_BIT = 104  // 2 or more
) (
    input  wire       clk,
    input  wire       rst,    // synchronous, active high
    input  wire       valid,
    output wire       ready,
    input  wire [7:0] data,
    output wire       tx      // the pin; high when idle
);
    localparam COUNT_BITS = $clog2(CLOCKS_PER_BIT);
    localparam integer FULL_NUMBER = CLOCKS_PER_BIT - 1;
    localparam [COUNT_BITS-1:0] FULL = FULL_NUMBER[COUNT_BITS-1:0];

    reg [9:0] shift;  // the bit on the pin lowest; ones follow
    reg [3:0] left;   // bits of the byte that are not over
    reg [COUNT_BITS-1:0] count;

    assign ready = left == 4'd0;
    assign tx = shift[0];

    always @(posedge clk) begin
        if (rst) begin
            shift <= 10'h3FF;
            left <= 4'd0;
            count <= {COUNT_BITS{1'b0}};
        end else if (ready) begin
            if (valid) begin
                shift <= {1'b1, data, 1'b0};
                left <= 4'd10;
                count <= FULL;
            end
        end else if (count != {COUNT_BITS{1'b0}}) begin
            count <= count - 1'b1;
        end else begin
            shift <= {1'b1, shift[9:1]};
            left <= left - 1'b1;
            count <= FULL;
        end
    end
endmodule
`default_nettype wire
