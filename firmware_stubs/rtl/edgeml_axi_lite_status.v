// Status registers of an AXI4-Stream design, on AXI4-Lite: which model it is, and what went through it.
//
//   0x00  magic, 0x45444D4C ("EDML")     0x30  values taken on the input
//   0x04  version of this map, 1         0x34  frames taken on the input
//   0x08  control (write)                0x38  values given on the output
//   0x0C  clocks                         0x3C  frames given on the output
//   0x10  model hash, digits 1 … 8       0x40  clocks with an input offered and not taken
//   …     eight digits a word            0x44  clocks with an output offered and not taken
//   0x2C  model hash, digits 57 … 64
//
// Control: writing 1 to bit 0 sets every counter to zero; what happens in that very clock is not counted. It reads
// as zero. Where a frame begins is not forgotten: a frame that is under way is counted when it ends.
// Counters have 32 bits and wrap. Words are addressed: the two lowest address bits count as zero.
// Any other address, and a write to a register that can only be read, is answered SLVERR and changes nothing.
// A write counts where its byte strobe is set: control needs WSTRB[0].
// AW and W may come in any order. One read and one write are taken at a time, the next when R or B is through.
`default_nettype none
module edgeml_axi_lite_status #(
    parameter [255:0] MODEL_HASH = 256'd0,  // SHA-256, the first digit highest
    parameter IN_BEATS = 1                  // values of an input frame
) (
    input  wire        clk,
    input  wire        rst,  // synchronous, active high
    // The streams, looked at only.
    input  wire        in_valid,
    input  wire        in_ready,
    input  wire        out_valid,
    input  wire        out_ready,
    input  wire        out_last,
    // AXI4-Lite.
    input  wire [6:0]  awaddr,
    input  wire        awvalid,
    output wire        awready,
    input  wire [31:0] wdata,
    input  wire [3:0]  wstrb,
    input  wire        wvalid,
    output wire        wready,
    output reg  [1:0]  bresp,
    output reg         bvalid,
    input  wire        bready,
    input  wire [6:0]  araddr,
    input  wire        arvalid,
    output wire        arready,
    output reg  [31:0] rdata,
    output reg  [1:0]  rresp,
    output reg         rvalid,
    input  wire        rready
);
    localparam [31:0] MAGIC = 32'h45444D4C;
    localparam [31:0] VERSION = 32'd1;
    localparam [1:0] OKAY = 2'b00;
    localparam [1:0] SLVERR = 2'b10;
    localparam [4:0] CONTROL = 5'd2;
    localparam BEAT_BITS = (IN_BEATS > 1) ? $clog2(IN_BEATS) : 1;
    localparam integer LAST_BEAT_NUMBER = IN_BEATS - 1;
    localparam [BEAT_BITS-1:0] LAST_BEAT = LAST_BEAT_NUMBER[BEAT_BITS-1:0];

    // Writes: address and data wait for each other.
    reg have_address, have_data, data_clear;
    reg [4:0] write_word;
    assign awready = !have_address && !bvalid;
    assign wready = !have_data && !bvalid;
    wire write = have_address && have_data;
    wire clear = write && write_word == CONTROL && data_clear;

    always @(posedge clk) begin
        if (rst) begin
            have_address <= 1'b0;
            have_data <= 1'b0;
            data_clear <= 1'b0;
            write_word <= 5'd0;
            bvalid <= 1'b0;
            bresp <= OKAY;
        end else begin
            if (awvalid && awready) begin
                have_address <= 1'b1;
                write_word <= awaddr[6:2];
            end
            if (wvalid && wready) begin
                have_data <= 1'b1;
                data_clear <= wdata[0] && wstrb[0];
            end
            if (write) begin
                have_address <= 1'b0;
                have_data <= 1'b0;
                bvalid <= 1'b1;
                bresp <= (write_word == CONTROL) ? OKAY : SLVERR;
            end else if (bready) bvalid <= 1'b0;
        end
    end

    // Counters.
    reg [BEAT_BITS-1:0] beat;
    reg [31:0] clocks, in_values, in_frames, out_values, out_frames, in_stalls, out_stalls;
    wire in_taken = in_valid && in_ready;
    wire out_taken = out_valid && out_ready;

    always @(posedge clk) begin
        if (rst) beat <= {BEAT_BITS{1'b0}};
        else if (in_taken) beat <= (beat == LAST_BEAT) ? {BEAT_BITS{1'b0}} : beat + 1'b1;
    end

    always @(posedge clk) begin
        if (rst || clear) begin
            clocks <= 32'd0;
            in_values <= 32'd0;
            in_frames <= 32'd0;
            out_values <= 32'd0;
            out_frames <= 32'd0;
            in_stalls <= 32'd0;
            out_stalls <= 32'd0;
        end else begin
            clocks <= clocks + 32'd1;
            if (in_taken) in_values <= in_values + 32'd1;
            if (in_taken && beat == LAST_BEAT) in_frames <= in_frames + 32'd1;
            if (out_taken) out_values <= out_values + 32'd1;
            if (out_taken && out_last) out_frames <= out_frames + 32'd1;
            if (in_valid && !in_ready) in_stalls <= in_stalls + 32'd1;
            if (out_valid && !out_ready) out_stalls <= out_stalls + 32'd1;
        end
    end

    // Reads.
    assign arready = !rvalid;

    always @(posedge clk) begin
        if (rst) begin
            rvalid <= 1'b0;
            rdata <= 32'd0;
            rresp <= OKAY;
        end else if (arvalid && arready) begin
            rvalid <= 1'b1;
            rresp <= OKAY;
            case (araddr[6:2])
                5'd0: rdata <= MAGIC;
                5'd1: rdata <= VERSION;
                CONTROL: rdata <= 32'd0;
                5'd3: rdata <= clocks;
                5'd4: rdata <= MODEL_HASH[255:224];
                5'd5: rdata <= MODEL_HASH[223:192];
                5'd6: rdata <= MODEL_HASH[191:160];
                5'd7: rdata <= MODEL_HASH[159:128];
                5'd8: rdata <= MODEL_HASH[127:96];
                5'd9: rdata <= MODEL_HASH[95:64];
                5'd10: rdata <= MODEL_HASH[63:32];
                5'd11: rdata <= MODEL_HASH[31:0];
                5'd12: rdata <= in_values;
                5'd13: rdata <= in_frames;
                5'd14: rdata <= out_values;
                5'd15: rdata <= out_frames;
                5'd16: rdata <= in_stalls;
                5'd17: rdata <= out_stalls;
                default: begin
                    rdata <= 32'd0;
                    rresp <= SLVERR;
                end
            endcase
        end else if (rready) rvalid <= 1'b0;
    end

    wire unused = &{1'b0, awaddr[1:0], araddr[1:0], wdata[31:1], wstrb[3:1]};
endmodule
`default_nettype wire
