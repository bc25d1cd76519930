// SPDX-License-Identifier: Apache-2.0
// The integers of the words that were written come out in their order, extended, each two clocks after it was asked for;
// those that only fill a sample's last word do not.
`default_nettype none
module prove_hil_outputs #(
    parameter OUTPUTS = 3,
    parameter LANES = 2,
    parameter ELEMENT_BITS = 3,
    parameter SIGNED = 1,
    parameter SAMPLES = 2
) (
    input wire                          clk,
    input wire                          rst,
    input wire                          clear,
    input wire                          write,
    input wire [LANES*ELEMENT_BITS-1:0] write_data,
    input wire                          rewind,
    input wire                          advance
);
    localparam BEATS = (OUTPUTS + LANES - 1) / LANES;
    localparam WORDS = SAMPLES * BEATS;
    localparam ADDRESS_BITS = (WORDS > 1) ? $clog2(WORDS) : 1;
    localparam WIDTH = LANES * ELEMENT_BITS;
    wire [31:0] value;
    wire last;
    edgeml_hil_outputs #(
        .OUTPUTS(OUTPUTS), .LANES(LANES), .ELEMENT_BITS(ELEMENT_BITS), .SIGNED(SIGNED), .SAMPLES(SAMPLES)
    ) unit (
        .clk(clk), .rst(rst), .clear(clear), .write(write), .write_data(write_data), .rewind(rewind),
        .advance(advance), .value(value), .last(last)
    );
    reg begun = 1'b0;
    always @(posedge clk) begin
        begun <= 1'b1;
        moves <= rst || rewind || advance || write;
    end
    reg moves;  // one clock ago: what is read is that of before
    reg [7:0] written;                // words since the clear
    reg [WORDS*WIDTH-1:0] words;      // the first lowest
    reg [7:0] sample, number;         // of the integer that is read
    always @* assume ((begun || rst) && (!write || written < WORDS) && (!advance || sample < SAMPLES));
    wire ends = number == OUTPUTS - 1;
    integer i;
    always @(posedge clk) begin
        for (i = 0; i < WORDS; i = i + 1) if (write && written == i) words[i*WIDTH +: WIDTH] <= write_data;
        written <= rst || clear ? 8'd0 : written + write;
        number <= rst || rewind ? 8'd0 : !advance ? number : ends ? 8'd0 : number + 8'd1;
        sample <= rst || rewind ? 8'd0 : sample + (advance && ends);
    end
    wire [7:0] word = sample * BEATS + number / LANES;
    wire [ELEMENT_BITS-1:0] element = words >> (word * WIDTH + (number % LANES) * ELEMENT_BITS);
    wire [31:0] extended = {{32{SIGNED != 0 && element[ELEMENT_BITS-1]}}, element};
    // Contract.
    always @* if (begun) begin
        assert (last == ends);
        assert (moves || sample == SAMPLES || word >= written || value == extended);
    end
    // Why.
    wire [(1<<ADDRESS_BITS)*WIDTH-1:0] seen_kept;
    wire [WIDTH-1:0] seen_kept_data;
    wire [ADDRESS_BITS-1:0] seen_write_address, seen_address;
    wire [((LANES > 1) ? $clog2(LANES) : 1)-1:0] seen_lane;
    wire [((OUTPUTS > 1) ? $clog2(OUTPUTS) : 1)-1:0] seen_number;
    wire [WIDTH-1:0] here = words >> (word * WIDTH);
    wire [ADDRESS_BITS-1:0] place = word;
    wire [ADDRESS_BITS-1:0] next_place = written;
    always @* if (begun) begin
        assert (number < OUTPUTS && sample <= SAMPLES && (sample < SAMPLES || number == 0) && written <= WORDS);
        assert (seen_number == number && seen_lane == number % LANES);
        assert (seen_address == place && seen_write_address == next_place);
        assert (moves || word >= written || seen_kept_data == here);
    end
    genvar g;
    generate
        for (g = 0; g < WORDS; g = g + 1) begin : places
            always @*
                if (begun && g < written) assert (seen_kept[g*WIDTH +: WIDTH] == words[g*WIDTH +: WIDTH]);
        end
    endgenerate
endmodule
`default_nettype wire
