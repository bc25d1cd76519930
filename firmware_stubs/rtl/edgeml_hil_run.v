// SPDX-License-Identifier: Apache-2.0
// Runs frames through a core and counts clocks: from the one in which the first word is taken to the one in which the
// last result is given, both counted. Words go in whenever the core is ready, results are always taken.
`default_nettype none
module edgeml_hil_run #(
    parameter INPUT_BEATS = 1,  // words of a frame
    parameter OUTPUT_BEATS = 1
) (
    input  wire        clk,
    input  wire        rst,     // synchronous, active high
    input  wire        start,
    input  wire [15:0] frames,  // 1 or more
    output wire        done,    // in the clock of the last result
    output reg  [31:0] cycles,  // from the clock after `done`
    output wire        in_valid,
    input  wire        in_ready,
    input  wire        out_valid,
    output wire        out_ready
);
    localparam IN_BITS = (INPUT_BEATS > 1) ? $clog2(INPUT_BEATS) : 1;
    localparam OUT_BITS = (OUTPUT_BEATS > 1) ? $clog2(OUTPUT_BEATS) : 1;
    localparam integer LAST_IN_NUMBER = INPUT_BEATS - 1;
    localparam [IN_BITS-1:0] LAST_IN = LAST_IN_NUMBER[IN_BITS-1:0];
    localparam integer LAST_OUT_NUMBER = OUTPUT_BEATS - 1;
    localparam [OUT_BITS-1:0] LAST_OUT = LAST_OUT_NUMBER[OUT_BITS-1:0];

    reg feeding;
    reg running;
    reg counting;
    reg [IN_BITS-1:0] in_beat;
    reg [OUT_BITS-1:0] out_beat;
    reg [15:0] in_left;   // frames that are not wholly in
    reg [15:0] out_left;  // frames that are not wholly out
    wire taken = in_valid && in_ready;
    wire given = out_valid && out_ready;

    assign in_valid = feeding;
    assign out_ready = running;
    assign done = given && out_beat == LAST_OUT && out_left == 16'd1;

    always @(posedge clk) begin
        if (rst) begin
            feeding <= 1'b0;
            running <= 1'b0;
            counting <= 1'b0;
            in_beat <= {IN_BITS{1'b0}};
            out_beat <= {OUT_BITS{1'b0}};
            in_left <= 16'd0;
            out_left <= 16'd0;
            cycles <= 32'd0;
        end else if (start) begin
            feeding <= 1'b1;
            running <= 1'b1;
            counting <= 1'b0;
            in_beat <= {IN_BITS{1'b0}};
            out_beat <= {OUT_BITS{1'b0}};
            in_left <= frames;
            out_left <= frames;
            cycles <= 32'd0;
        end else begin
            if (running && (counting || taken)) cycles <= cycles + 1'b1;
            if (taken) begin
                counting <= 1'b1;
                in_beat <= in_beat == LAST_IN ? {IN_BITS{1'b0}} : in_beat + 1'b1;
                if (in_beat == LAST_IN) begin
                    in_left <= in_left - 1'b1;
                    if (in_left == 16'd1) feeding <= 1'b0;
                end
            end
            if (given) begin
                out_beat <= out_beat == LAST_OUT ? {OUT_BITS{1'b0}} : out_beat + 1'b1;
                if (out_beat == LAST_OUT) out_left <= out_left - 1'b1;
                if (done) running <= 1'b0;
            end
        end
    end
endmodule
`default_nettype wire
