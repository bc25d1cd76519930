// SPDX-License-Identifier: Apache-2.0
// Outputs of inferences: the core's words kept as they come; read back as integers of 32 bits, one by one.
//
// `value` is the first integer two clocks after `clear`'s words are there and `rewind` was high, and the next one two
// clocks after each `advance`; integers that pad the last word of a sample are left out.
`default_nettype none
module edgeml_hil_outputs #(
    parameter OUTPUTS = 4,       // integers of a sample
    parameter LANES = 4,         // integers of a word
    parameter ELEMENT_BITS = 8,  // of an integer, 32 at most
    parameter SIGNED = 1,
    parameter SAMPLES = 1        // of a request
) (
    input  wire                          clk,
    input  wire                          rst,      // synchronous, active high
    input  wire                          clear,    // start of a run
    input  wire                          write,
    input  wire [LANES*ELEMENT_BITS-1:0] write_data,
    input  wire                          rewind,
    input  wire                          advance,
    output wire [31:0]                   value,
    output wire                          last      // of a sample
);
    localparam WIDTH = LANES * ELEMENT_BITS;
    localparam BEATS = (OUTPUTS + LANES - 1) / LANES;
    localparam WORDS = SAMPLES * BEATS;
    localparam ADDRESS_BITS = (WORDS > 1) ? $clog2(WORDS) : 1;
    localparam LANE_BITS = (LANES > 1) ? $clog2(LANES) : 1;
    localparam COUNT_BITS = (OUTPUTS > 1) ? $clog2(OUTPUTS) : 1;
    localparam integer LAST_LANE_NUMBER = LANES - 1;
    localparam [LANE_BITS-1:0] LAST_LANE = LAST_LANE_NUMBER[LANE_BITS-1:0];
    localparam integer LAST_NUMBER = OUTPUTS - 1;
    localparam [COUNT_BITS-1:0] LAST = LAST_NUMBER[COUNT_BITS-1:0];

    reg [WIDTH-1:0] kept [0:(1<<ADDRESS_BITS)-1];
    reg [WIDTH-1:0] kept_data;

    integer i;
    initial for (i = 0; i < (1 << ADDRESS_BITS); i = i + 1) kept[i] = {WIDTH{1'b0}};

    // Writing.
    reg [ADDRESS_BITS-1:0] write_address;

    always @(posedge clk) begin
        if (write) kept[write_address] <= write_data;
        if (rst || clear) write_address <= {ADDRESS_BITS{1'b0}};
        else if (write) write_address <= write_address + 1'b1;
    end

    // Reading.
    reg [ADDRESS_BITS-1:0] address;
    reg [LANE_BITS-1:0] lane;
    reg [COUNT_BITS-1:0] number;
    wire word_ends = last || lane == LAST_LANE;
    wire [ELEMENT_BITS-1:0] element = kept_data[lane*ELEMENT_BITS+:ELEMENT_BITS];

    assign last = number == LAST;

    always @(posedge clk) begin
        kept_data <= kept[address];
        if (rst || rewind) begin
            address <= {ADDRESS_BITS{1'b0}};
            lane <= {LANE_BITS{1'b0}};
            number <= {COUNT_BITS{1'b0}};
        end else if (advance) begin
            if (word_ends) address <= address + 1'b1;
            lane <= word_ends ? {LANE_BITS{1'b0}} : lane + 1'b1;
            number <= last ? {COUNT_BITS{1'b0}} : number + 1'b1;
        end
    end

    generate
        if (ELEMENT_BITS == 32) begin : whole
            assign value = element;
        end else begin : extended
            assign value = {{(32 - ELEMENT_BITS) {SIGNED != 0 && element[ELEMENT_BITS-1]}}, element};
        end
    endgenerate
endmodule
`default_nettype wire
