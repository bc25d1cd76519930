// SPDX-License-Identifier: Apache-2.0
// The core around a pipeline: each frame that is taken gives its result once, in order, whenever results are taken; no
// result without a frame; an offered result stays; nothing is left of what was in it before a reset.
//
// `pipeline_of_core` stands for the pipeline: LATENCY clocks after `in_data` it gives what any function makes of it,
// which is the free input `free_pipeline__result`. CORE and pipeline_of_core become the names that they have.
`default_nettype none
module pipeline_of_core #(
    parameter INPUT_BITS = 4,
    parameter OUTPUT_BITS = 3,
    parameter LATENCY = 2
) (
    input wire                    clk,
    input wire  [INPUT_BITS-1:0]  in_data,
    output wire [OUTPUT_BITS-1:0] out_data
);
    wire [OUTPUT_BITS-1:0] result;  // driven by free_pipeline__result
    reg [OUTPUT_BITS*LATENCY-1:0] past;
    always @(posedge clk) past <= {past, result};
    assign out_data = past[OUTPUT_BITS*LATENCY-1 -: OUTPUT_BITS];
    wire unused = &{1'b0, in_data};
endmodule

module prove_core #(
    parameter INPUT_BITS = 4,
    parameter OUTPUT_BITS = 3,
    parameter LATENCY = 2,
    parameter STRAIGHT = 0  // 1: a result that finds no other before it is given in the clock in which it comes
) (
    input wire                   clk,
    input wire                   rst,
    input wire                   in_valid,
    input wire [INPUT_BITS-1:0]  in_data,
    input wire                   out_ready,
    input wire                   choose,  // the frame that is taken is the one to watch
    input wire [OUTPUT_BITS-1:0] free_pipeline__result  // of the frame that is at the input
);
    localparam DEPTH = LATENCY + 3 - STRAIGHT;
    localparam BITS = $clog2(DEPTH + 1) + 1;
    wire in_ready, out_valid;
    wire [OUTPUT_BITS-1:0] out_data;
    CORE unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    wire takes = in_valid && in_ready;
    wire gives = out_valid && out_ready;
    // Any one frame: watched from when it is taken on, with so many ahead of it.
    reg watched, landed;
    reg [BITS-1:0] count, ahead, age;
    reg [OUTPUT_BITS-1:0] value;
    reg waits, late;  // late: a place that is free a clock later
    reg [OUTPUT_BITS-1:0] offered;
    always @(posedge clk) begin
        count <= rst ? 0 : count + takes - gives;
        watched <= !rst && (watched ? !(gives && ahead == 0) : takes && choose);
        ahead <= watched ? ahead - gives : count - gives;
        age <= watched && !landed ? age + 1 : 0;
        landed <= watched && (landed || age == LATENCY - 1);
        if (!watched) value <= free_pipeline__result;
        waits <= !rst && out_valid && !out_ready;
        late <= !rst && gives;
        offered <= out_data;
    end
    // Contract.
    always @* if (begun) begin
        assert (in_ready == (count + late != DEPTH));
        assert (!out_valid || count != 0);
        assert (!watched || ahead < count);
        assert (!watched || ahead != 0 || !out_valid || out_data == value);
        assert (!watched || ahead != 0 || !landed || out_valid);  // LATENCY + 1 clocks after it came
        assert (STRAIGHT == 0 || !watched || ahead != 0 || age != LATENCY - 1 || out_valid);  // LATENCY clocks after
        assert (!waits || (out_valid && out_data == offered));
    end
    // Why.
    wire [OUTPUT_BITS*LATENCY-1:0] seen_pipeline__past;
    wire [LATENCY-1:0] seen_going;
    wire seen_results__popped, seen_results__some;
    wire [$clog2(DEPTH+1)-1:0] seen_results__filled, seen_results__reserved;
    wire [$clog2(DEPTH)-1:0] seen_results__read_index, seen_results__write_index;
    wire [OUTPUT_BITS*DEPTH-1:0] seen_results__memory;
    wire [BITS-1:0] filled = seen_results__filled, first = seen_results__read_index;
    wire [BITS:0] end_sum = first + filled, place_sum = first + ahead;
    wire [BITS:0] place = place_sum >= DEPTH ? place_sum - DEPTH : place_sum;
    wire [BITS*(LATENCY+1)-1:0] older;  // frames in the pipeline from a stage on
    assign older[BITS*LATENCY +: BITS] = 0;
    always @* if (begun) begin
        assert (seen_results__popped == late && seen_results__reserved == count + late && count + late <= DEPTH);
        assert (filled + older[BITS-1:0] == count && seen_results__some == (filled != 0));
        assert (out_valid == (filled != 0 || (STRAIGHT != 0 && seen_going[LATENCY-1])));
        assert (first < DEPTH && seen_results__write_index == (end_sum >= DEPTH ? end_sum - DEPTH : end_sum));
        assert (!watched || landed == (ahead < filled));
        assert (!watched || landed || age < LATENCY);
        assert (!waits || (filled != 0 && out_data == offered));
    end
    genvar s, i;
    generate
        for (s = 0; s < LATENCY; s = s + 1) begin : stage
            assign older[s*BITS +: BITS] = older[(s+1)*BITS +: BITS] + seen_going[s];
            always @* if (begun && watched && !landed && age == s) begin
                assert (seen_going[s] && seen_pipeline__past[s*OUTPUT_BITS +: OUTPUT_BITS] == value);
                assert (ahead == filled + older[(s+1)*BITS +: BITS]);
            end
        end
        for (i = 0; i < DEPTH; i = i + 1) begin : places
            always @*
                if (begun && watched && landed && place == i)
                    assert (seen_results__memory[i*OUTPUT_BITS +: OUTPUT_BITS] == value);
        end
    endgenerate
endmodule
`default_nettype wire
