// SPDX-License-Identifier: Apache-2.0
// Inputs of inferences: bytes of a request gathered into the core's words and kept; given to the core one a clock.
//
// `data` is the first word, or zeros, in the clock after `rewind`, and the next one in the clock after each `advance`.
// A word can be read two clocks after its last byte was written.
`default_nettype none
module edgeml_hil_inputs #(
    parameter INPUTS = 4,        // integers of a sample
    parameter LANES = 4,         // integers of a word
    parameter ELEMENT_BITS = 8,  // of an integer, 8 at most
    parameter SAMPLES = 1        // of a request
) (
    input  wire                          clk,
    input  wire                          rst,      // synchronous, active high
    input  wire                          clear,    // forget the request's bytes
    input  wire                          write,
    input  wire [7:0]                    write_data,
    output wire [15:0]                   samples,  // whole ones written
    output wire                          partial,  // and a part of another
    input  wire                          zeros,    // instead of what was written
    input  wire                          rewind,
    input  wire                          advance,
    output wire [LANES*ELEMENT_BITS-1:0] data
);
    localparam WIDTH = LANES * ELEMENT_BITS;
    localparam BEATS = (INPUTS + LANES - 1) / LANES;
    localparam REQUEST_WORDS = SAMPLES * BEATS;
    localparam REQUEST_BITS = (REQUEST_WORDS > 1) ? $clog2(REQUEST_WORDS) : 1;
    localparam LANE_BITS = (LANES > 1) ? $clog2(LANES) : 1;
    localparam ELEMENT_COUNT_BITS = (INPUTS > 1) ? $clog2(INPUTS) : 1;
    localparam integer LAST_LANE_NUMBER = LANES - 1;
    localparam [LANE_BITS-1:0] LAST_LANE = LAST_LANE_NUMBER[LANE_BITS-1:0];
    localparam integer LAST_NUMBER = INPUTS - 1;
    localparam [ELEMENT_COUNT_BITS-1:0] LAST = LAST_NUMBER[ELEMENT_COUNT_BITS-1:0];

    reg [WIDTH-1:0] requested [0:(1<<REQUEST_BITS)-1];
    reg [WIDTH-1:0] requested_data;

    integer i;
    initial for (i = 0; i < (1 << REQUEST_BITS); i = i + 1) requested[i] = {WIDTH{1'b0}};

    // Writing: a byte goes to its lane; the first of a word clears the others.
    reg [ELEMENT_COUNT_BITS-1:0] element;
    reg [LANE_BITS-1:0] lane;
    reg [15:0] whole;
    reg [WIDTH-1:0] word;
    reg word_whole;
    reg [REQUEST_BITS-1:0] write_address;
    wire last = element == LAST;
    wire word_ends = last || lane == LAST_LANE;

    assign samples = whole;
    assign partial = element != {ELEMENT_COUNT_BITS{1'b0}};

    genvar g;
    generate
        for (g = 0; g < LANES; g = g + 1) begin : lanes
            localparam integer HERE_NUMBER = g;
            localparam [LANE_BITS-1:0] HERE = HERE_NUMBER[LANE_BITS-1:0];
            always @(posedge clk) begin
                if (rst) word[g*ELEMENT_BITS+:ELEMENT_BITS] <= {ELEMENT_BITS{1'b0}};
                else if (write && lane == HERE) word[g*ELEMENT_BITS+:ELEMENT_BITS] <= write_data[ELEMENT_BITS-1:0];
                else if (write && lane == {LANE_BITS{1'b0}}) word[g*ELEMENT_BITS+:ELEMENT_BITS] <= {ELEMENT_BITS{1'b0}};
            end
        end
        if (ELEMENT_BITS < 8) begin : narrow
            wire unused = &{1'b0, write_data[7:ELEMENT_BITS]};
        end
    endgenerate

    always @(posedge clk) begin
        if (word_whole) requested[write_address] <= word;
        if (rst || clear) begin
            element <= {ELEMENT_COUNT_BITS{1'b0}};
            lane <= {LANE_BITS{1'b0}};
            whole <= 16'd0;
            word_whole <= 1'b0;
            write_address <= {REQUEST_BITS{1'b0}};
        end else begin
            word_whole <= write && word_ends;
            if (word_whole) write_address <= write_address + 1'b1;
            if (write) begin
                element <= last ? {ELEMENT_COUNT_BITS{1'b0}} : element + 1'b1;
                lane <= word_ends ? {LANE_BITS{1'b0}} : lane + 1'b1;
                if (last) whole <= whole + 1'b1;
            end
        end
    end

    // Reading: the address of the next clock, so that memories answer in time.
    reg [REQUEST_BITS-1:0] address;
    wire [REQUEST_BITS-1:0] next = rewind ? {REQUEST_BITS{1'b0}} : advance ? address + 1'b1 : address;

    always @(posedge clk) begin
        address <= rst ? {REQUEST_BITS{1'b0}} : next;
        requested_data <= requested[next];
    end

    assign data = zeros ? {WIDTH{1'b0}} : requested_data;
endmodule
`default_nettype wire
