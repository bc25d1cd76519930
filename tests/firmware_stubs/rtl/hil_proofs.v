// What holds of the parts of the protocol's device for ever: from a first clock with a reset on, whatever comes, further resets included.
//
// `assume` says what the other side must keep; what is asserted under "Contract" is what a user of the unit relies on.
// What is asserted under "Why" ties the unit's registers (`seen_x` is `unit.x`) to those that the contract is said in,
// so that one clock leads to the next: without it the induction would start from states that never are.
`default_nettype none

// From a start on, so many frames go in and so many come out, word for word; then it is done, and the clocks are counted
// from the first word taken to the last result given.
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

// The integers of the words that were written come out in their order, extended, each two clocks after it was asked for;
// those that only fill a sample's last word do not.
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

// The bytes that were written go to the core as words, in their order, one lane each and zeros in what a sample's last
// word has left; `samples` and `partial` say how many there are. A word is there two clocks after its last byte.
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
    always @* assume ((begun || rst) && (!write || sample < SAMPLES) && (!clear || !write));
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
        sample <= rst || clear ? 8'd0 : sample + (write && ends);
        number <= rst || clear ? 8'd0 : !write ? number : ends ? 8'd0 : number + 8'd1;
        stored <= rst || clear ? 8'd0 : written;
        word <= rst ? 8'd0 : next;
        read <= words >> (next * WIDTH);
        was_there <= !rst && !clear && next < stored;
    end
    wire [7:0] next = rewind ? 8'd0 : advance ? word + 8'd1 : word;
    always @* assume (next < WORDS + 1);
    // Contract.
    always @* if (begun) begin
        assert (samples == sample && partial == (number != 0));
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
        assert (number < INPUTS && sample <= SAMPLES && (sample < SAMPLES || number == 0));
        assert (seen_element == number && seen_lane == lane);
        assert (stored <= written && written <= stored + 1 && seen_word_whole == (stored != written));
        assert (seen_write_address == stored_place && seen_address == place && word <= WORDS);
        assert (stored == written || (lane == 0 && seen_word == made));
        assert (lane == 0 || (seen_word == so_far && so_far >> (lane * ELEMENT_BITS) == 0));
    end
    genvar g;
    generate
        for (g = 0; g < WORDS; g = g + 1) begin : places
            always @*
                if (begun && g < stored) assert (seen_requested[g*WIDTH +: WIDTH] == words[g*WIDTH +: WIDTH]);
        end
    endgenerate
endmodule
`default_nettype wire
