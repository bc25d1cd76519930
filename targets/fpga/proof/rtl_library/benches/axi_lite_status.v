// SPDX-License-Identifier: Apache-2.0
// One answer to each read and to each write, which stays as it is until it is taken; it says what the map says, of
// counters that count what went through the streams, of errors that stay until they are cleared, and of packets' lengths.
// The model's hash is an input that stays as it is: a constant of any value.
`default_nettype none
module prove_axi_lite_status #(
    parameter CLASS_BITS = 2,
    parameter CLASS_PORT = (CLASS_BITS > 0) ? CLASS_BITS : 1
) (
    input wire [255:0]          MODEL_HASH,
    input wire                  clk,
    input wire                  rst,
    input wire                  in_valid,
    input wire                  in_ready,
    input wire                  out_valid,
    input wire                  out_ready,
    input wire                  out_frame,
    input wire                  in_frame,
    input wire                  ended_early,
    input wire                  ran_on,
    input wire                  halted,
    input wire [CLASS_PORT-1:0] out_class,
    input wire [6:0]            awaddr,
    input wire                  awvalid,
    input wire [31:0]           wdata,
    input wire [3:0]            wstrb,
    input wire                  wvalid,
    input wire                  bready,
    input wire [6:0]            araddr,
    input wire                  arvalid,
    input wire                  rready
);
    wire [15:0] frames;
    wire restart, irq, awready, wready, bvalid, arready, rvalid;
    wire [1:0] bresp, rresp;
    wire [31:0] rdata;
    edgeml_axi_lite_status #(.CLASS_BITS(CLASS_BITS)) unit (
        .MODEL_HASH(MODEL_HASH), .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .out_frame(out_frame), .out_class(out_class), .in_frame(in_frame), .ended_early(ended_early), .ran_on(ran_on),
        .halted(halted), .frames(frames), .restart(restart), .irq(irq), .awaddr(awaddr), .awvalid(awvalid), .awready(awready),
        .wdata(wdata), .wstrb(wstrb), .wvalid(wvalid), .wready(wready), .bresp(bresp), .bvalid(bvalid), .bready(bready),
        .araddr(araddr), .arvalid(arvalid), .arready(arready), .rdata(rdata), .rresp(rresp), .rvalid(rvalid),
        .rready(rready)
    );
    reg begun = 1'b0;
    reg [255:0] hash_before;
    always @(posedge clk) begin
        begun <= 1'b1;
        hash_before <= MODEL_HASH;
    end
    always @* assume ((begun || rst) && (!begun || hash_before == MODEL_HASH));

    // Writes: what came of one, and what answers it.
    reg address_came, data_came, write_due, write_fails;
    reg [4:0] word;
    reg [31:0] bits, mask;
    wire writes = address_came && data_came;
    wire is_map = word == 2 || (word >= 21 && word <= 24) || (word == 19 && CLASS_BITS > 0);
    always @(posedge clk) begin
        if (awvalid && awready) word <= awaddr[6:2];
        if (wvalid && wready) bits <= wdata;
        if (wvalid && wready) mask <= {{8{wstrb[3]}}, {8{wstrb[2]}}, {8{wstrb[1]}}, {8{wstrb[0]}}};
        address_came <= !rst && !writes && (address_came || (awvalid && awready));
        data_came <= !rst && !writes && (data_came || (wvalid && wready));
        write_due <= !rst && (writes || (write_due && !bready));
        if (writes) write_fails <= !is_map;
    end

    // What the registers hold: 12 … 17 counters, 18 … 20 of classes, 21 and 22 of interrupts, 23 … 25
    // of packets.
    reg [31:0] held [0:31];
    reg [31:0] clocks;
    wire taken = in_valid && in_ready, given = out_valid && out_ready, ends = out_frame;
    wire clears = rst || (writes && word == 2 && bits[0] && mask[0]);
    wire is_watched = CLASS_BITS > 0 && ends && out_class == held[19];
    wire [31:0] of_classes = (1 << CLASS_BITS) - 1;
    wire restarts = writes && word == 23, early = ended_early, late = ran_on;
    wire [31:0] mixed = (held[word] & ~mask) | (bits & mask);
    always @(posedge clk) begin
        clocks <= clears ? 0 : clocks + 1;
        held[12] <= clears ? 0 : held[12] + taken;
        held[13] <= clears ? 0 : held[13] + in_frame;
        held[14] <= clears ? 0 : held[14] + given;
        held[15] <= clears ? 0 : held[15] + ends;
        held[16] <= clears ? 0 : held[16] + (in_valid && !in_ready);
        held[17] <= clears ? 0 : held[17] + (out_valid && !out_ready);
        held[18] <= CLASS_BITS == 0 ? 0 : clears ? 32'hFFFFFFFF : ends ? out_class : held[18];
        held[19] <= rst || CLASS_BITS == 0 ? 0 : writes && word == 19 ? mixed & of_classes : held[19];
        held[20] <= clears ? 0 : held[20] + is_watched;
        held[21] <= rst ? 0 : writes && word == 21 ? mixed & (CLASS_BITS > 0 ? 7 : 5) : held[21];
        held[22] <= rst ? 0 : (held[22] & ~(writes && word == 22 ? bits & mask : 0)) | {early || late, is_watched, ends};
        held[23] <= rst ? 1 : restarts ? (mixed[15:0] == 0 ? 1 : mixed[15:0]) : held[23];
        held[24] <= rst ? 0 : (held[24] & ~(writes && word == 24 ? bits & mask : 0)) | {late, early};
        held[25] <= clears ? 0 : held[25] + (early || late);
    end

    // Reads.
    wire [4:0] asked = araddr[6:2];
    wire reads = arvalid && arready;
    wire known = asked <= 17 || (asked <= 20 && CLASS_BITS > 0) || (asked >= 21 && asked <= 25);
    wire [31:0] digits = MODEL_HASH >> (32 * (11 - asked));
    reg read_due;
    reg [31:0] answer;
    reg [1:0] answers;
    always @(posedge clk) begin
        read_due <= !rst && (reads || (read_due && !rready));
        if (reads) begin
            answers <= known ? 2'b00 : 2'b10;
            answer <= asked == 0 ? "EDML" : asked == 1 ? 3 : asked == 2 ? 0 : asked == 3 ? clocks
                    : asked <= 11 ? digits : asked == 24 ? {halted, held[24][1:0]} : known ? held[asked] : 0;
        end
    end

    // Contract.
    always @* if (begun) begin
        assert (bvalid == write_due && rvalid == read_due);
        assert (!bvalid || bresp == (write_fails ? 2'b10 : 2'b00));
        assert (!rvalid || (rresp == answers && rdata == answer));
        assert (awready == (!address_came && !write_due) && wready == (!data_came && !write_due));
        assert (arready == !read_due);
        assert (irq == |(held[21] & held[22]));
        assert (restart == restarts && frames == held[23] && frames != 0);
    end
    // Why.
    wire seen_have_address, seen_have_data;
    wire [31:0] seen_data, seen_clocks, seen_in_values, seen_in_frames, seen_out_values, seen_out_frames;
    wire [31:0] seen_in_stalls, seen_out_stalls, seen_watched, seen_last_class, seen_watched_frames, seen_mask;
    wire [4:0] seen_write_word;
    wire [31:0] seen_failures;
    wire [2:0] seen_enabled, seen_pending;
    wire [1:0] seen_errors;
    always @* if (begun) begin
        assert (seen_have_address == address_came && seen_have_data == data_came);
        assert (!address_came || seen_write_word == word);
        assert (!data_came || (seen_data == bits && seen_mask == mask));
        assert (seen_clocks == clocks && seen_failures == held[25] && seen_errors == held[24]);
        assert (seen_in_values == held[12] && seen_in_frames == held[13] && seen_out_values == held[14]);
        assert (seen_out_frames == held[15] && seen_in_stalls == held[16] && seen_out_stalls == held[17]);
        assert (seen_last_class == held[18] && seen_watched == held[19] && seen_watched_frames == held[20]);
        assert (held[19] <= of_classes && (held[18] == 32'hFFFFFFFF || held[18] <= of_classes));
        assert (seen_enabled == held[21] && seen_pending == held[22] && held[22] <= 7 && (CLASS_BITS > 0 || !held[22][1]));
    end
endmodule
`default_nettype wire
