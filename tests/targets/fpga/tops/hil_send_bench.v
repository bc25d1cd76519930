// Sends the payloads of payloads.mem (each byte with bit 8 set where it is its payload's last) and prints the bytes that
// come out, a line a frame. The taker is busy at times.
`timescale 1ns / 1ps
module hil_send_bench;
    reg clk = 0, rst = 1;
    reg [8:0] payloads [0:`BYTES-1];
    reg put = 0, finish = 0, tx_ready = 0;
    wire ready, done, tx_valid;
    wire [7:0] tx_data;
    integer at = 0, seed = 5;
    always #5 clk = !clk;
    edgeml_hil_send sender (
        .clk(clk), .rst(rst), .put(put), .put_data(payloads[at][7:0]), .finish(finish), .ready(ready), .done(done),
        .tx_valid(tx_valid), .tx_ready(tx_ready), .tx_data(tx_data)
    );
    always @(posedge clk) if (tx_valid && tx_ready) begin
        $write("%02x", tx_data);
        if (tx_data == 8'd0) $write("\n");
    end
    initial begin
        $readmemh("payloads.mem", payloads);
        repeat (3) @(negedge clk);
        rst = 0;
        while (at < `BYTES) begin
            put = 1;
            tx_ready = $random(seed) % 3 != 0;
            #1 if (ready) begin
                @(negedge clk);
                put = 0;
                if (payloads[at][8]) begin
                    finish = 1;
                    #1;
                    while (!ready) begin
                        tx_ready = 1;
                        @(negedge clk);
                    end
                    @(negedge clk);
                    finish = 0;
                    #1 while (!done) begin
                        tx_ready = $random(seed) % 3 != 0;
                        #1 if (!done) @(negedge clk);
                    end
                    @(negedge clk);
                end
                at = at + 1;
            end else @(negedge clk);
        end
        $finish;
    end
endmodule
