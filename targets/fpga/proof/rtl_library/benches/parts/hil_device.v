// SPDX-License-Identifier: Apache-2.0
// What stands for the parts of a device: each keeps the contract that its own bench proves of it.
`default_nettype none
// Bytes of a request come while nothing holds, then either `accepted` or `dropped`; one that is accepted has 9 to LONGEST
// bytes, four of them its CRC.
module edgeml_hil_receive #(
    parameter LONGEST = 64
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       valid,
    input  wire [7:0] data,
    input  wire       hold,
    output wire       byte_valid,
    output wire [7:0] byte_data,
    output wire       accepted,
    output wire       dropped
);
    wire gives, takes, drops;
    wire [7:0] byte_given;
    reg [$clog2(LONGEST+1)-1:0] bytes;  // of the frame so far
    assign byte_valid = gives && !hold && bytes + 4 <= LONGEST;
    assign byte_data = byte_given;
    assign accepted = takes && !byte_valid && !hold && bytes >= 5 && bytes + 4 <= LONGEST;
    assign dropped = drops && !byte_valid && !accepted;
    always @(posedge clk) bytes <= rst || accepted || dropped ? 0 : bytes + byte_valid;
    wire unused = &{1'b0, valid, data};
endmodule

// `ready` until the end is asked for, then `done` once.
module edgeml_hil_send (
    input  wire       clk,
    input  wire       rst,
    input  wire       put,
    input  wire [7:0] put_data,
    input  wire       finish,
    output wire       ready,
    output wire       done,
    output wire       tx_valid,
    input  wire       tx_ready,
    output wire [7:0] tx_data
);
    wire takes, sends, offers;
    wire [7:0] offered;
    reg finished;
    assign ready = takes && !finished;
    assign done = sends && finished;
    assign tx_valid = offers;
    assign tx_data = offered;
    always @(posedge clk) finished <= !rst && !done && (finished || (finish && ready));
    wire unused = &{1'b0, put, put_data, tx_ready};
endmodule

// Counts samples as they are written, up to those that it has places for; words are read one by one from the first on.
module edgeml_hil_inputs #(
    parameter INPUTS = 3,
    parameter LANES = 2,
    parameter ELEMENT_BITS = 3,
    parameter SAMPLES = 2
) (
    input  wire                          clk,
    input  wire                          rst,
    input  wire                          clear,
    input  wire                          write,
    input  wire [7:0]                    write_data,
    output wire [15:0]                   samples,
    output wire                          partial,
    input  wire                          zeros,
    input  wire                          rewind,
    input  wire                          advance,
    output wire [LANES*ELEMENT_BITS-1:0] data
);
    localparam BEATS = (INPUTS + LANES - 1) / LANES;
    wire [16:0] finds;
    wire [LANES*ELEMENT_BITS-1:0] gives;
    wire [31:0] inputs_here = INPUTS, lanes_here = LANES, bits_here = ELEMENT_BITS, samples_here = SAMPLES;
    reg [$clog2(SAMPLES+2)-1:0] sample;  // that the next byte is of
    reg [$clog2(INPUTS+1)-1:0] number;
    reg over;                            // more was written than it has places for: nothing holds until it is cleared
    reg [$clog2(SAMPLES+2)-1:0] earlier, before;  // samples a clock ago, and two
    reg [$clog2(SAMPLES+2)-1:0] read_sample;      // that is given
    reg [$clog2(BEATS+1)-1:0] read_beat;
    wire ends = number == INPUTS - 1, reads_last = read_beat == BEATS - 1;
    assign samples = over ? finds[15:0] : sample;
    assign partial = over ? finds[16] : number != 0;
    assign data = gives;
    always @(posedge clk) begin
        sample <= rst || clear ? 0 : sample + (write && ends);
        number <= rst || clear ? 0 : !write ? number : ends ? 0 : number + 1;
        over <= !rst && !clear && (over || (write && sample == SAMPLES));
        earlier <= rst || clear ? 0 : sample;
        before <= rst || clear ? 0 : earlier;
        read_sample <= rst || rewind ? 0 : read_sample + (advance && reads_last);
        read_beat <= rst || rewind ? 0 : !advance ? read_beat : reads_last ? 0 : read_beat + 1;
    end
    wire unused = &{1'b0, write_data, zeros};
endmodule

// Gives the integers of whole samples one by one from the first on, where nothing moved a clock ago.
module edgeml_hil_outputs #(
    parameter OUTPUTS = 3,
    parameter LANES = 2,
    parameter ELEMENT_BITS = 3,
    parameter SIGNED = 1,
    parameter SAMPLES = 2
) (
    input  wire                          clk,
    input  wire                          rst,
    input  wire                          clear,
    input  wire                          write,
    input  wire [LANES*ELEMENT_BITS-1:0] write_data,
    input  wire                          rewind,
    input  wire                          advance,
    output wire [31:0]                   value,
    output wire                          last
);
    localparam BEATS = (OUTPUTS + LANES - 1) / LANES;
    wire [31:0] gives;
    wire [31:0] outputs_here = OUTPUTS, lanes_here = LANES, bits_here = ELEMENT_BITS, sign_here = SIGNED != 0;
    wire [31:0] samples_here = SAMPLES;
    reg moves;
    reg [$clog2(SAMPLES+2)-1:0] whole;        // samples that are written,
    reg [$clog2(BEATS+1)-1:0] beat;           // words of the next
    reg [$clog2(SAMPLES+2)-1:0] sample;       // of the integer that is read
    reg [$clog2(OUTPUTS+1)-1:0] number;
    reg [$clog2(SAMPLES*OUTPUTS+2)-1:0] reads;  // integers before it
    wire ends = beat == BEATS - 1;
    assign value = gives;
    assign last = number == OUTPUTS - 1;
    always @(posedge clk) begin
        moves <= rst || rewind || advance || write;
        whole <= rst || clear ? 0 : whole + (write && ends);
        beat <= rst || clear ? 0 : !write ? beat : ends ? 0 : beat + 1;
        sample <= rst || rewind ? 0 : sample + (advance && last);
        number <= rst || rewind ? 0 : !advance ? number : last ? 0 : number + 1;
        reads <= rst || rewind ? 0 : reads + advance;
    end
    wire unused = &{1'b0, write_data};
endmodule

// From a start on so many words go in and so many results come out; then it is done, and `cycles` says what it took.
module edgeml_hil_run #(
    parameter INPUT_BEATS = 3,
    parameter OUTPUT_BEATS = 2
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        start,
    input  wire [15:0] frames,
    output wire        done,
    output wire [31:0] cycles,
    output wire        in_valid,
    input  wire        in_ready,
    input  wire        out_valid,
    output wire        out_ready
);
    wire [31:0] inputs_here = INPUT_BEATS, outputs_here = OUTPUT_BEATS;
    wire [31:0] counts;
    reg [23:0] words, results;
    assign in_valid = words != 0;
    assign out_ready = results != 0;
    assign done = out_valid && results == 1;
    assign cycles = counts;
    always @(posedge clk) begin
        words <= rst ? 0 : start ? frames * INPUT_BEATS : words - (in_valid && in_ready);
        results <= rst ? 0 : start ? frames * OUTPUT_BEATS : results - (out_valid && out_ready);
    end
endmodule
`default_nettype wire
