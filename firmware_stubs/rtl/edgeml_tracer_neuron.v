// SPDX-License-Identifier: Apache-2.0
// A neuron that corrects itself while currents come in: with each slot its count of spikes moves by one toward the
// number of thresholds that its potential reaches; up is a spike +1, down a spike −1 (stbif).
//
// `first` goes with the current of the first slot; `spike`, 0, +1 or −1 in two's complement, follows a slot's current
// by two clocks, while `running` (which goes with the clock between them). THRESHOLDS: entry k − 1 for the k-th spike.
`default_nettype none
module edgeml_tracer_neuron #(
    parameter LEVELS = 3,
    parameter BITS = 8,
    parameter [BITS-1:0] START = 0,
    parameter [LEVELS*BITS-1:0] THRESHOLDS = 0
) (
    input  wire            clk,
    input  wire            rst,  // synchronous, active high
    input  wire            first,
    input  wire [BITS-1:0] current,
    input  wire            running,
    output reg  [1:0]      spike
);
    localparam COUNT_BITS = $clog2(LEVELS + 1);
    localparam integer LEVELS_NUMBER = LEVELS;
    reg [BITS-1:0] potential;
    reg [COUNT_BITS-1:0] count;
    reg [BITS-1:0] next_threshold;
    reg [BITS-1:0] last_threshold;
    integer k;
    initial begin
        spike = 2'b00;
        potential = {BITS{1'b0}};
        count = {COUNT_BITS{1'b0}};
    end
    wire [31:0] wide_count = {{(32 - COUNT_BITS){1'b0}}, count};
    always @* begin
        next_threshold = {BITS{1'b0}};
        last_threshold = {BITS{1'b0}};
        for (k = 0; k < LEVELS; k = k + 1) begin
            if (wide_count == k) next_threshold = next_threshold | THRESHOLDS[k*BITS +: BITS];
            if (wide_count == k + 1) last_threshold = last_threshold | THRESHOLDS[k*BITS +: BITS];
        end
    end
    wire up = wide_count != LEVELS_NUMBER && potential >= next_threshold;
    wire down = count != {COUNT_BITS{1'b0}} && potential < last_threshold;
    always @(posedge clk) begin
        potential <= (first ? START : potential) + current;
        if (first) count <= {COUNT_BITS{1'b0}};
        else if (up) count <= count + 1'b1;
        else if (down) count <= count - 1'b1;
        if (rst) spike <= 2'b00;
        else spike <= running ? {down, up || down} : 2'b00;
    end
endmodule
`default_nettype wire
