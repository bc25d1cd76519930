// SPDX-License-Identifier: Apache-2.0
// What its spikes add up to is its count; LEVELS slots after the last current, it is the number of the thresholds that
// the potential reaches, whatever came before and in whatever order.
`default_nettype none
module prove_tracer_neuron #(
    parameter LEVELS = 3,
    parameter BITS = 6,
    parameter START = 9,
    parameter [LEVELS*BITS-1:0] THRESHOLDS = 0  // ascending
) (
    input wire            clk,
    input wire            rst,
    input wire            first,
    input wire [BITS-1:0] current
);
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    reg runs;  // a window is under way; the clock after each of its currents
    always @* assume ((begun || rst) && (!rst || first));
    wire [1:0] spike;
    edgeml_tracer_neuron #(.LEVELS(LEVELS), .BITS(BITS), .START(START), .THRESHOLDS(THRESHOLDS)) unit (
        .clk(clk), .rst(rst), .first(first), .current(current), .running(!first), .spike(spike)
    );
    wire [BITS-1:0] seen_potential;
    wire [$clog2(LEVELS+1)-1:0] seen_count;
    reg [7:0] level, quiet;
    reg signed [7:0] sum;  // of the spikes that came
    reg fresh;             // the spike at the output is none of this window
    integer k;
    always @* begin
        level = 0;
        for (k = 0; k < LEVELS; k = k + 1) level = level + (seen_potential >= THRESHOLDS[k*BITS +: BITS]);
    end
    wire signed [7:0] now_sum = fresh ? 0 : sum + $signed(spike);
    always @(posedge clk) begin
        quiet <= first || current != 0 ? 0 : quiet + (quiet != LEVELS);
        sum <= first || fresh ? 0 : now_sum;
        fresh <= first;
    end
    // Contract.
    always @* if (begun) begin
        assert (now_sum == seen_count);
        assert (quiet != LEVELS || seen_count == level);
    end
    // Why: each slot brings it one nearer.
    always @* if (begun) begin
        assert (seen_count <= LEVELS && level <= LEVELS && quiet <= LEVELS);
        assert (seen_count + LEVELS >= level + quiet && level + LEVELS >= seen_count + quiet);
        assert (!fresh || (seen_count == 0 && spike == 0));
    end
endmodule
`default_nettype wire
