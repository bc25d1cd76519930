// SPDX-License-Identifier: Apache-2.0
// UART receiver: 8 data bits, no parity, 1 stop bit. Each bit is sampled in its middle.
//
// `valid` is high for one clock with each byte. A byte without its stop bit is dropped, as is a start bit that is
// gone at its middle. The pin passes two flip-flops first.
`default_nettype none
module edgeml_uart_rx #(
    parameter CLOCKS_PER_BIT = 104  // 4 or more
) (
    input  wire       clk,
    input  wire       rst,   // synchronous, active high
    input  wire       rx,    // the pin; high when idle
    output reg        valid,
    output reg  [7:0] data
);
    localparam COUNT_BITS = $clog2(CLOCKS_PER_BIT);
    localparam integer FULL_NUMBER = CLOCKS_PER_BIT - 1;
    localparam integer HALF_NUMBER = CLOCKS_PER_BIT / 2 - 1;
    localparam [COUNT_BITS-1:0] FULL = FULL_NUMBER[COUNT_BITS-1:0];
    localparam [COUNT_BITS-1:0] HALF = HALF_NUMBER[COUNT_BITS-1:0];

    reg [1:0] level;  // the pin, synchronised
    reg active;
    reg [COUNT_BITS-1:0] count;
    reg [3:0] index;  // 0: start bit, 1 … 8: data, 9: stop bit

    always @(posedge clk) begin
        if (rst) begin
            level <= 2'b11;
            active <= 1'b0;
            count <= {COUNT_BITS{1'b0}};
            index <= 4'd0;
            valid <= 1'b0;
            data <= 8'd0;
        end else begin
            level <= {level[0], rx};
            valid <= 1'b0;
            if (!active) begin
                active <= !level[1];
                count <= HALF;
                index <= 4'd0;
            end else if (count != {COUNT_BITS{1'b0}}) begin
                count <= count - 1'b1;
            end else begin
                count <= FULL;
                index <= index + 1'b1;
                if (index == 4'd0) begin
                    active <= !level[1];
                end else if (index == 4'd9) begin
                    active <= 1'b0;
                    valid <= level[1];
                end else begin
                    data <= {level[1], data[7:1]};
                end
            end
        end
    end
endmodule
`default_nettype wire
