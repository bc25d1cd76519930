// Sends bytes with a good stop bit, without one, and a line that is held low; prints what the receiver gives.
`timescale 1ns / 1ps
module uart_rx_bench;
    localparam CLOCKS = 8;
    reg clk = 0, rst = 1, rx = 1;
    wire valid;
    wire [7:0] data;
    integer i;
    always #5 clk = !clk;
    edgeml_uart_rx #(.CLOCKS_PER_BIT(CLOCKS)) receiver (.clk(clk), .rst(rst), .rx(rx), .valid(valid), .data(data));
    always @(negedge clk) if (valid) $display("%02x", data);

    task send(input [7:0] value, input stop);
        begin
            rx = 0;
            repeat (CLOCKS) @(negedge clk);
            for (i = 0; i < 8; i = i + 1) begin
                rx = value[i];
                repeat (CLOCKS) @(negedge clk);
            end
            rx = stop;
            repeat (CLOCKS) @(negedge clk);
            rx = 1;
        end
    endtask

    initial begin
        repeat (4) @(negedge clk);
        rst = 0;
        repeat (4) @(negedge clk);
        send(8'h5A, 1);
        send(8'h01, 1);
        send(8'h93, 0);  // no stop bit: dropped
        repeat (3 * CLOCKS) @(negedge clk);
        send(8'hC4, 1);
        rx = 0;  // shorter than half a bit: no start bit
        repeat (CLOCKS / 4) @(negedge clk);
        rx = 1;
        repeat (3 * CLOCKS) @(negedge clk);
        send(8'h77, 1);
        repeat (3 * CLOCKS) @(negedge clk);
        $finish;
    end
endmodule
