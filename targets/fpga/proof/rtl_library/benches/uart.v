// SPDX-License-Identifier: Apache-2.0
// The UART top is its four parts and nothing else: whatever they give, each signal of one is at its place at the others or
// at a pin; each has the clock, the shape of the network's streams, and the same reset: eight clocks from power-on and
// from the button on, two clocks behind it.
//
// What stands for the parts gives the free inputs. TOP and CORE become the names that they have. Hello answers with the
// model's hash, and the self-test has the seed and the CRC, which are inputs: constants of any value. What else hello
// answers is not looked at.
`default_nettype none
module CORE #(
    parameter CORE_INPUT = 6,
    parameter CORE_OUTPUT = 6
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   in_valid,
    output wire                   in_ready,
    input  wire [CORE_INPUT-1:0]  in_data,
    output wire                   out_valid,
    input  wire                   out_ready,
    output wire [CORE_OUTPUT-1:0] out_data
);
    wire takes, offers;
    wire [CORE_OUTPUT-1:0] gives;
    assign in_ready = takes;
    assign out_valid = offers;
    assign out_data = gives;
endmodule

module edgeml_uart_rx #(
    parameter CLOCKS_PER_BIT = 16
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       rx,
    output wire       valid,
    output wire [7:0] data
);
    wire gives;
    wire [7:0] given;
    wire [31:0] clocks_here = CLOCKS_PER_BIT;
    assign valid = gives;
    assign data = given;
endmodule

module edgeml_uart_tx #(
    parameter CLOCKS_PER_BIT = 16
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       valid,
    output wire       ready,
    input  wire [7:0] data,
    output wire       tx
);
    wire takes, line;
    wire [31:0] clocks_here = CLOCKS_PER_BIT;
    assign ready = takes;
    assign tx = line;
endmodule

module edgeml_hil_device #(
    parameter INPUTS = 4,
    parameter INPUT_LANES = 4,
    parameter INPUT_BITS = 8,
    parameter OUTPUTS = 4,
    parameter OUTPUT_LANES = 4,
    parameter OUTPUT_BITS = 8,
    parameter OUTPUT_SIGNED = 1,
    parameter SAMPLES = 1,
    parameter INPUT_SIGNED = 1,
    parameter INPUT_LOW = -128,
    parameter INPUT_HIGH = 127,
    parameter TEST_ROUNDS = 1,
    parameter HELLO_BYTES = 56
) (
    input  wire [31:0]                         TEST_SEED,
    input  wire [31:0]                         TEST_CRC,
    input  wire [8*HELLO_BYTES-1:0]            HELLO,
    input  wire                                clk,
    input  wire                                rst,
    input  wire                                rx_valid,
    input  wire [7:0]                          rx_data,
    output wire                                tx_valid,
    input  wire                                tx_ready,
    output wire [7:0]                          tx_data,
    output wire                                busy,
    output wire                                in_valid,
    input  wire                                in_ready,
    output wire [INPUT_LANES*INPUT_BITS-1:0]   in_data,
    input  wire                                out_valid,
    output wire                                out_ready,
    input  wire [OUTPUT_LANES*OUTPUT_BITS-1:0] out_data
);
    wire sends, works, offers, takes;
    wire [7:0] sent;
    wire [INPUT_LANES*INPUT_BITS-1:0] gives;
    wire [287:0] shape = {INPUTS, INPUT_LANES, INPUT_BITS, OUTPUTS, OUTPUT_LANES, OUTPUT_BITS, SAMPLES, INPUT_LOW, INPUT_HIGH};
    wire [1:0] signs = {INPUT_SIGNED != 0, OUTPUT_SIGNED != 0};
    wire [255:0] hash_here = HELLO[279:24];
    assign tx_valid = sends;
    assign tx_data = sent;
    assign busy = works;
    assign in_valid = offers;
    assign in_data = gives;
    assign out_ready = takes;
endmodule

module prove_uart #(
    parameter INPUTS = 4,
    parameter INPUT_LANES = 2,
    parameter INPUT_BITS = 3,
    parameter INPUT_SIGNED = 1,
    parameter INPUT_LOW = 0,
    parameter INPUT_HIGH = 0,
    parameter OUTPUTS = 4,
    parameter OUTPUT_LANES = 2,
    parameter OUTPUT_BITS = 3,
    parameter OUTPUT_SIGNED = 1,
    parameter SAMPLES = 1,
    parameter CLOCKS_PER_BIT = 16
) (
    input wire [255:0]                        MODEL_HASH,  // its first byte lowest
    input wire [31:0]                         TEST_SEED,
    input wire [31:0]                         TEST_CRC,
    input wire                                clk,
    input wire                                reset_n,
    input wire                                uart_rx,
    input wire                                free_receiver__gives,
    input wire [7:0]                          free_receiver__given,
    input wire                                free_transmitter__takes,
    input wire                                free_transmitter__line,
    input wire                                free_device__sends,
    input wire [7:0]                          free_device__sent,
    input wire                                free_device__works,
    input wire                                free_device__offers,
    input wire                                free_device__takes,
    input wire [INPUT_LANES*INPUT_BITS-1:0]   free_device__gives,
    input wire                                free_core__takes,
    input wire                                free_core__offers,
    input wire [OUTPUT_LANES*OUTPUT_BITS-1:0] free_core__gives
);
    wire uart_tx, busy;
    TOP unit (
        .MODEL_HASH(MODEL_HASH), .TEST_SEED(TEST_SEED), .TEST_CRC(TEST_CRC), .clk(clk), .reset_n(reset_n), .uart_rx(uart_rx), .uart_tx(uart_tx), .busy(busy)
    );
    reg [1:0] pressed = 2'd0;
    reg [3:0] clocks = 4'd0;  // since power-on or the button, eight at most
    always @(posedge clk) begin
        pressed <= {pressed[0], !reset_n};
        clocks <= pressed[1] ? 4'd0 : clocks < 8 ? clocks + 4'd1 : clocks;
    end
    // Contract.
    wire seen_receiver__clk, seen_transmitter__clk, seen_device__clk, seen_core__clk;
    wire seen_receiver__rst, seen_transmitter__rst, seen_device__rst, seen_core__rst;
    wire seen_receiver__rx, seen_transmitter__valid, seen_device__rx_valid, seen_device__tx_ready;
    wire seen_device__in_ready, seen_device__out_valid, seen_core__in_valid, seen_core__out_ready;
    wire [7:0] seen_transmitter__data, seen_device__rx_data;
    wire [31:0] seen_receiver__clocks_here, seen_transmitter__clocks_here;
    wire [INPUT_LANES*INPUT_BITS-1:0] seen_core__in_data;
    wire [OUTPUT_LANES*OUTPUT_BITS-1:0] seen_device__out_data;
    wire [287:0] seen_device__shape;
    wire [1:0] seen_device__signs;
    wire [255:0] seen_device__hash_here;
    wire [31:0] seen_device__TEST_SEED, seen_device__TEST_CRC;
    always @* begin
        assert ({4{clk}} == {seen_receiver__clk, seen_transmitter__clk, seen_device__clk, seen_core__clk});
        assert ({4{clocks < 8}} == {seen_receiver__rst, seen_transmitter__rst, seen_device__rst, seen_core__rst});
        assert (seen_receiver__rx == uart_rx && uart_tx == free_transmitter__line && busy == free_device__works);
        assert (seen_device__rx_valid == free_receiver__gives && seen_device__rx_data == free_receiver__given);
        assert (seen_transmitter__valid == free_device__sends && seen_transmitter__data == free_device__sent);
        assert (seen_device__tx_ready == free_transmitter__takes);
        assert (seen_core__in_valid == free_device__offers && seen_core__in_data == free_device__gives);
        assert (seen_device__in_ready == free_core__takes && seen_device__out_valid == free_core__offers);
        assert (seen_device__out_data == free_core__gives && seen_core__out_ready == free_device__takes);
        assert (seen_receiver__clocks_here == CLOCKS_PER_BIT && seen_transmitter__clocks_here == CLOCKS_PER_BIT);
        assert (seen_device__hash_here == MODEL_HASH);
        assert (seen_device__TEST_SEED == TEST_SEED && seen_device__TEST_CRC == TEST_CRC);
        assert (seen_device__signs == {INPUT_SIGNED != 0, OUTPUT_SIGNED != 0});
        assert (seen_device__shape == {INPUTS, INPUT_LANES, INPUT_BITS, OUTPUTS, OUTPUT_LANES, OUTPUT_BITS, SAMPLES,
                                       INPUT_LOW, INPUT_HIGH});
    end
    // Why.
    wire [3:0] seen_power_on;
    wire [1:0] seen_button;
    always @* assert (clocks <= 8 && seen_power_on == clocks && seen_button == pressed);
endmodule
`default_nettype wire
