// Drives edgeml_argmax with pauses on both sides and a reset in mid-stream; writes what comes out, and when.
`timescale 1ns / 1ps
`default_nettype none
module argmax_bench;
    localparam TOTAL = `FRAMES * ((`OUTPUTS + `LANES - 1) / `LANES);
    localparam WIDTH = `LANES * `ELEMENT_BITS;
    localparam CLASS_BITS = (`OUTPUTS > 1) ? $clog2(`OUTPUTS) : 1;
    reg clk = 1'b0, rst = 1'b1, in_valid = 1'b0, out_ready = 1'b0, moved = 1'b0;
    reg [WIDTH-1:0] in_data = 0;
    reg [WIDTH-1:0] words [0:TOTAL-1];
    wire in_ready, out_valid;
    wire [WIDTH-1:0] out_data;
    wire [CLASS_BITS-1:0] out_class;
    edgeml_argmax #(
        .OUTPUTS(`OUTPUTS), .LANES(`LANES), .ELEMENT_BITS(`ELEMENT_BITS), .SIGNED(`SIGNED)
    ) dut (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data),
        .out_valid(out_valid), .out_ready(out_ready), .out_data(out_data), .out_class(out_class)
    );
    always #5 clk = !clk;

    integer sent = 0, given = 0, clocks = 0, first = 0, reset_at = `RESET_AT, silence = 0, file, seed = 5;
    initial begin
        $readmemh("words.mem", words);
        file = $fopen("out.txt", "w");
        repeat (3) @(negedge clk);
        rst = 1'b0;
        while (given < TOTAL && silence < 1000) begin
            if (!in_valid && sent < TOTAL && ($random(seed) & 255) >= `PAUSE) begin
                in_valid = 1'b1;
                in_data = words[sent];
            end
            out_ready = ($random(seed) & 255) >= `PAUSE;
            #4;  // just before the rising edge
            moved = in_valid && in_ready;
            silence = silence + 1;
            if (out_valid && out_ready) begin
                $fdisplay(file, "%b %b %0d", out_data, out_class, clocks - first);
                given = given + 1;
                silence = 0;
            end
            if (moved && sent == 0) first = clocks;
            clocks = clocks + 1;
            @(negedge clk);
            if (moved) begin
                sent = sent + 1;
                in_valid = 1'b0;
            end
            if (given == reset_at) begin  // everything again, after a reset in mid-stream
                rst = 1'b1;
                in_valid = 1'b0;
                @(negedge clk);
                rst = 1'b0;
                reset_at = -1;
                sent = 0;
                given = 0;
                $fclose(file);
                file = $fopen("out.txt", "w");
            end
        end
        $fclose(file);
        $finish;
    end
endmodule
`default_nettype wire
