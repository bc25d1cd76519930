// SPDX-License-Identifier: Apache-2.0
// Registers of a design that takes packets of frames, on AXI4-Lite: which model it is, what went through it, what failed.
//
//   0x00  magic, 0x45444D4C ("EDML")     0x30  words taken on the input
//   0x04  version of this map, 3         0x34  frames let through to the network
//   0x08  control (write)                0x38  words given on the output
//   0x0C  clocks                         0x3C  frames given by the network
//   0x10  model hash, digits 1 … 8       0x40  clocks with an input offered and not taken
//   …     eight digits a word            0x44  clocks with an output offered and not taken
//   0x2C  model hash, digits 57 … 64     0x48  class of the last frame given; FFFFFFFF before the first
//   0x54  interrupt enable (read, write) 0x4C  the watched class (read, write)
//   0x58  interrupt pending (write 1s    0x50  frames given of the watched class
//         to clear)                      0x60  errors (write 1s to clear)
//   0x5C  frames of a packet (read,      0x64  packets in error
//         write), 1 after a reset
//
// Interrupts: bit 0, a frame was given; bit 1, one of the watched class was; bit 2, a packet was in error. `irq` is high
// while a bit that is enabled is pending; pending bits are set whether enabled or not.
// Errors: bit 0, a packet ended before its last word or lacked bytes; bit 1, one ran on behind it; bit 2 (read only),
// frames of a packet in error had been let through: nothing is, until a restart.
// Frames of a packet: 1 … 65535; 0 is taken as 1. A write restarts the design, whatever it writes: the frames in it are
// forgotten, and the next word begins a packet. Counters go on. Stop the DMA before: offers are taken back.
// Where the design has no argmax unit (CLASS_BITS is 0), there are no registers 0x48 … 0x50 and no bit 1.
// Control: writing 1 to bit 0 sets every counter to zero and forgets the last class; what happens in that very clock
// is not counted. It reads as zero. A frame that is under way is counted when it ends.
// Counters have 32 bits and wrap. Words are addressed: the two lowest address bits count as zero.
// Any other address, and a write to a register that can only be read, is answered SLVERR and changes nothing.
// A byte is written where its strobe is set: control needs WSTRB[0].
// AW and W may come in any order. One read and one write are taken at a time, the next when R or B is through.
`default_nettype none
module edgeml_axi_lite_status #(
    parameter [255:0] MODEL_HASH = 256'd0,  // SHA-256, the first digit highest
    parameter CLASS_BITS = 0,               // of a class, at most 31; 0: there are none
    parameter CLASS_PORT = (CLASS_BITS > 0) ? CLASS_BITS : 1
) (
    input  wire        clk,
    input  wire        rst,  // synchronous, active high
    // The streams, looked at only.
    input  wire        in_valid,
    input  wire        in_ready,
    input  wire        in_frame,  // a frame is let through in this clock
    input  wire        ended_early,
    input  wire        ran_on,
    input  wire        halted,
    input  wire        out_valid,
    input  wire        out_ready,
    input  wire        out_frame,  // the network gives the last value of a frame in this clock
    input  wire [CLASS_PORT-1:0] out_class,  // of this frame
    output wire        irq,  // level, active high
    output reg  [15:0] frames,  // of a packet
    output wire        restart,  // all of the streams' side is reset in this clock
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
    localparam [31:0] VERSION = 32'd3;
    localparam [1:0] OKAY = 2'b00;
    localparam [1:0] SLVERR = 2'b10;
    localparam [4:0] CONTROL = 5'd2, CLASS = 5'd18, WATCHED = 5'd19, WATCHED_FRAMES = 5'd20, ENABLE = 5'd21,
                     PENDING = 5'd22, FRAMES = 5'd23, ERRORS = 5'd24, FAILURES = 5'd25;
    localparam CLASSES = CLASS_BITS > 0;

    // Writes: address and data wait for each other.
    reg have_address, have_data;
    reg [31:0] data;
    reg [3:0] strobe;
    reg [4:0] write_word;
    assign awready = !have_address && !bvalid;
    assign wready = !have_data && !bvalid;
    wire write = have_address && have_data;
    wire [31:0] mask = {{8{strobe[3]}}, {8{strobe[2]}}, {8{strobe[1]}}, {8{strobe[0]}}};
    wire clear = write && write_word == CONTROL && data[0] && strobe[0];
    wire writable = write_word == CONTROL || write_word == ENABLE || write_word == PENDING || write_word == FRAMES
                  || write_word == ERRORS || (CLASSES && write_word == WATCHED);

    always @(posedge clk) begin
        if (rst) begin
            have_address <= 1'b0;
            have_data <= 1'b0;
            data <= 32'd0;
            strobe <= 4'd0;
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
                data <= wdata;
                strobe <= wstrb;
            end
            if (write) begin
                have_address <= 1'b0;
                have_data <= 1'b0;
                bvalid <= 1'b1;
                bresp <= writable ? OKAY : SLVERR;
            end else if (bready) bvalid <= 1'b0;
        end
    end

    // Counters.
    reg [31:0] clocks, in_values, in_frames, out_values, out_frames, in_stalls, out_stalls, failures;
    wire in_taken = in_valid && in_ready;
    wire out_taken = out_valid && out_ready;
    wire failed = ended_early || ran_on;

    always @(posedge clk) begin
        if (rst || clear) begin
            clocks <= 32'd0;
            in_values <= 32'd0;
            in_frames <= 32'd0;
            out_values <= 32'd0;
            out_frames <= 32'd0;
            in_stalls <= 32'd0;
            out_stalls <= 32'd0;
            failures <= 32'd0;
        end else begin
            clocks <= clocks + 32'd1;
            if (in_taken) in_values <= in_values + 32'd1;
            if (in_frame) in_frames <= in_frames + 32'd1;
            if (out_taken) out_values <= out_values + 32'd1;
            if (out_frame) out_frames <= out_frames + 32'd1;
            if (in_valid && !in_ready) in_stalls <= in_stalls + 32'd1;
            if (out_valid && !out_ready) out_stalls <= out_stalls + 32'd1;
            if (failed) failures <= failures + 32'd1;
        end
    end

    // Classes and interrupts.
    wire [31:0] watched, last_class, watched_frames;
    wire watched_given;
    generate
        if (CLASSES) begin : classes
            reg [CLASS_BITS-1:0] chosen, last;
            reg [31:0] count;
            reg none;
            wire [CLASS_BITS-1:0] class_mask = mask[CLASS_BITS-1:0];
            assign watched = {{(32 - CLASS_BITS) {1'b0}}, chosen};
            assign last_class = none ? 32'hFFFFFFFF : {{(32 - CLASS_BITS) {1'b0}}, last};
            assign watched_frames = count;
            assign watched_given = out_frame && out_class == chosen;
            always @(posedge clk) begin
                if (rst) chosen <= {CLASS_BITS{1'b0}};
                else if (write && write_word == WATCHED)
                    chosen <= (chosen & ~class_mask) | (data[CLASS_BITS-1:0] & class_mask);
                if (rst || clear) begin
                    last <= {CLASS_BITS{1'b0}};
                    none <= 1'b1;
                    count <= 32'd0;
                end else if (out_frame) begin
                    last <= out_class;
                    none <= 1'b0;
                    if (watched_given) count <= count + 32'd1;
                end
            end
        end else begin : no_classes
            assign watched = 32'd0;
            assign last_class = 32'd0;
            assign watched_frames = 32'd0;
            assign watched_given = 1'b0;
            wire unused = &{1'b0, out_class};
        end
    endgenerate

    localparam [2:0] EVENTS = CLASSES ? 3'b111 : 3'b101;
    reg [2:0] enabled, pending;
    wire [2:0] dismissed = (write && write_word == PENDING) ? data[2:0] & mask[2:0] : 3'b000;
    assign irq = |(enabled & pending);

    always @(posedge clk) begin
        if (rst) begin
            enabled <= 3'b000;
            pending <= 3'b000;
        end else begin
            if (write && write_word == ENABLE)
                enabled <= ((enabled & ~mask[2:0]) | (data[2:0] & mask[2:0])) & EVENTS;
            pending <= (pending & ~dismissed) | {failed, watched_given, out_frame};
        end
    end

    // Packets.
    reg [1:0] errors;
    wire [1:0] cleared = (write && write_word == ERRORS) ? data[1:0] & mask[1:0] : 2'b00;
    wire [15:0] asked = (frames & ~mask[15:0]) | (data[15:0] & mask[15:0]);
    assign restart = write && write_word == FRAMES;

    always @(posedge clk) begin
        if (rst) begin
            frames <= 16'd1;
            errors <= 2'b00;
        end else begin
            if (restart) frames <= (asked == 16'd0) ? 16'd1 : asked;
            errors <= (errors & ~cleared) | {ran_on, ended_early};
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
                CLASS: rdata <= last_class;
                WATCHED: rdata <= watched;
                WATCHED_FRAMES: rdata <= watched_frames;
                ENABLE: rdata <= {29'd0, enabled};
                PENDING: rdata <= {29'd0, pending};
                FRAMES: rdata <= {16'd0, frames};
                ERRORS: rdata <= {29'd0, halted, errors};
                FAILURES: rdata <= failures;
                default: begin
                    rdata <= 32'd0;
                    rresp <= SLVERR;
                end
            endcase
            if (!CLASSES && araddr[6:2] >= CLASS && araddr[6:2] <= WATCHED_FRAMES) rresp <= SLVERR;
        end else if (rready) rvalid <= 1'b0;
    end

    wire unused = &{1'b0, awaddr[1:0], araddr[1:0], data, mask};
endmodule
`default_nettype wire
