// SPDX-License-Identifier: Apache-2.0
// The bytes that were written go to the core as words, in their order, one lane each and zeros in what a sample's last
// word has left; `samples` and `partial` say how many there are. A word is there two clocks after its last byte. Where
// more is written than there are places for, nothing of this holds until it is cleared.
`default_nettype none
module prove_hil_inputs #(
    parameter INPUTS = 3,
    parameter LANES = 2,
    parameter ELEMENT_BITS = 3,
    parameter SAMPLES = 2
) (
    input wire       clk,
    input wire       rst,
    input wire       clear,
    input wire       write,
    input wire [7:0] write_data,
    input wire       zeros,
    input wire       rewind,
    input wire       advance
);
    localparam WIDTH = LANES * ELEMENT_BITS;
    localparam BEATS = (INPUTS + LANES - 1) / LANES;
    localparam WORDS = SAMPLES * BEATS;
    localparam ADDRESS_BITS = (WORDS > 1) ? $clog2(WORDS) : 1;
    wire [15:0] samples;
    wire partial;
    wire [WIDTH-1:0] data;
    edgeml_hil_inputs #(.INPUTS(INPUTS), .LANES(LANES), .ELEMENT_BITS(ELEMENT_BITS), .SAMPLES(SAMPLES)) unit (
        .clk(clk), .rst(rst), .clear(clear), .write(write), .write_data(write_data), .samples(samples),
        .partial(partial), .zeros(zeros), .rewind(rewind), .advance(advance), .data(data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    reg [7:0] sample, number;     // that the next byte is of
    reg [7:0] whole;              // words that are complete and that a read finds from this clock on
    reg [7:0] word;               // that is read
    reg [WORDS*WIDTH-1:0] words;  // the first lowest
    reg over;                     // more was written than there are places for
    always @* assume ((begun || rst) && (!clear || !write));
    wire ends = number == INPUTS - 1;
    wire [7:0] written = sample * BEATS + number / LANES;
    wire [7:0] lane = number % LANES;
    wire [WIDTH-1:0] so_far = lane == 0 ? 0 : words >> (written * WIDTH);
    wire [WIDTH-1:0] byte_there = write_data[ELEMENT_BITS-1:0];
    wire [WIDTH-1:0] more = so_far | (byte_there << (lane * ELEMENT_BITS));
    reg [7:0] stored;             // words that the memory holds
    reg [WIDTH-1:0] read;         // a clock ago, and whether it was there
    reg was_there;
    integer i;
    always @(posedge clk) begin
        for (i = 0; i < WORDS; i = i + 1) if (write && written == i) words[i*WIDTH +: WIDTH] <= more;
        over <= !rst && !clear && (over || (write && sample == SAMPLES));
        sample <= rst || clear ? 8'd0 : sample + (write && ends);
        number <= rst || clear ? 8'd0 : !write ? number : ends ? 8'd0 : number + 8'd1;
        stored <= rst || clear ? 8'd0 : written;
        word <= rst ? 8'd0 : next;
        read <= words >> (next * WIDTH);
        was_there <= !rst && !clear && !over && !(write && sample == SAMPLES) && next < stored;
    end
    wire [7:0] next = rewind ? 8'd0 : advance ? word + 8'd1 : word;
    always @* assume (next < WORDS + 1);
    // Contract.
    always @* if (begun) begin
        assert (over || (samples == sample && partial == (number != 0)));
        assert (!zeros || data == 0);
        assert (zeros || !was_there || data == read);
    end
    // Why.
    wire [(1<<ADDRESS_BITS)*WIDTH-1:0] seen_requested;
    wire [WIDTH-1:0] seen_word;
    wire seen_word_whole;
    wire [ADDRESS_BITS-1:0] seen_write_address, seen_address;
    wire [((LANES > 1) ? $clog2(LANES) : 1)-1:0] seen_lane;
    wire [((INPUTS > 1) ? $clog2(INPUTS) : 1)-1:0] seen_element;
    wire [ADDRESS_BITS-1:0] stored_place = stored;
    wire [ADDRESS_BITS-1:0] place = word;
    wire [WIDTH-1:0] made = words >> (stored * WIDTH);
    always @* if (begun) begin
        assert (seen_address == place && word <= WORDS);
        assert (!over || !was_there);
    end
    always @* if (begun && !over) begin
        assert (number < INPUTS && sample <= SAMPLES && (sample < SAMPLES || number == 0));
        assert (seen_element == number && seen_lane == lane);
        assert (stored <= written && written <= stored + 1 && seen_word_whole == (stored != written));
        assert (seen_write_address == stored_place);
        assert (stored == written || (lane == 0 && seen_word == made));
        assert (lane == 0 || (seen_word == so_far && so_far >> (lane * ELEMENT_BITS) == 0));
    end
    genvar g;
    generate
        for (g = 0; g < WORDS; g = g + 1) begin : places
            always @*
                if (begun && !over && g < stored) assert (seen_requested[g*WIDTH +: WIDTH] == words[g*WIDTH +: WIDTH]);
        end
    endgenerate
endmodule
`default_nettype wire
