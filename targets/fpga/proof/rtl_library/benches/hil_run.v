// SPDX-License-Identifier: Apache-2.0
// From a start on, so many frames go in and so many come out, word for word; then it is done, and the clocks are counted
// from the first word taken to the last result given.
`default_nettype none
module prove_hil_run #(
    parameter INPUT_BEATS = 3,
    parameter OUTPUT_BEATS = 2
) (
    input wire        clk,
    input wire        rst,
    input wire        start,
    input wire [15:0] frames,
    input wire        in_ready,
    input wire        out_valid
);
    wire done, in_valid, out_ready;
    wire [31:0] cycles;
    edgeml_hil_run #(.INPUT_BEATS(INPUT_BEATS), .OUTPUT_BEATS(OUTPUT_BEATS)) unit (
        .clk(clk), .rst(rst), .start(start), .frames(frames), .done(done), .cycles(cycles), .in_valid(in_valid),
        .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume ((begun || rst) && (!start || frames != 0));
    reg [31:0] words, results;  // that are to be taken, and to be given
    reg first_came;
    reg [31:0] clocks;
    wire takes = words != 0 && in_ready;
    wire gives = results != 0 && out_valid;
    always @(posedge clk) begin
        words <= rst ? 0 : start ? frames * INPUT_BEATS : words - takes;
        results <= rst ? 0 : start ? frames * OUTPUT_BEATS : results - gives;
        first_came <= !rst && !start && (first_came || takes);
        clocks <= rst || start ? 0 : clocks + (results != 0 && (first_came || takes));
    end
    // Contract.
    always @* if (begun) begin
        assert (in_valid == (words != 0));
        assert (out_ready == (results != 0));
        assert (done == (gives && results == 1));
        assert (cycles == clocks);
    end
    // Why.
    wire seen_counting;
    wire [((INPUT_BEATS > 1) ? $clog2(INPUT_BEATS) : 1)-1:0] seen_in_beat;
    wire [((OUTPUT_BEATS > 1) ? $clog2(OUTPUT_BEATS) : 1)-1:0] seen_out_beat;
    wire [15:0] seen_in_left, seen_out_left;
    always @* if (begun) begin
        assert (seen_counting == first_came);
        assert (seen_in_beat < INPUT_BEATS && seen_out_beat < OUTPUT_BEATS);
        assert (words == seen_in_left * INPUT_BEATS - seen_in_beat && (seen_in_left != 0 || seen_in_beat == 0));
        assert (results == seen_out_left * OUTPUT_BEATS - seen_out_beat && (seen_out_left != 0 || seen_out_beat == 0));
    end
endmodule
`default_nettype wire
