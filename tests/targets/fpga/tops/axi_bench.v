// Drives the IP: frames through its streams with pauses, reads and writes through AXI4-Lite. Prints PASS or FAIL lines.
`timescale 1ns / 1ps
`default_nettype none
module axi_bench;
    localparam IN_TOTAL = `IN_FRAMES * `IN_BEATS;
    localparam OUT_TOTAL = `IN_FRAMES * `OUT_BEATS;
    reg aclk = 1'b0;
    always #5 aclk = !aclk;
    reg aresetn = 1'b0;
    reg [`IN_BITS-1:0] s_axis_tdata = 0;
    reg s_axis_tvalid = 1'b0;
    wire s_axis_tready;
    wire [`OUT_BITS-1:0] m_axis_tdata;
    localparam SEEN_BITS = `OUT_BITS + `CLASS_BITS;
`ifdef HAS_CLASSES
    wire [`CLASS_BITS-1:0] m_axis_tuser;
    wire [SEEN_BITS-1:0] seen_now = {m_axis_tuser, m_axis_tdata};
`else
    wire [SEEN_BITS-1:0] seen_now = m_axis_tdata;
`endif
    wire interrupt;
    wire m_axis_tvalid, m_axis_tlast;
    reg m_axis_tready = 1'b0;
    reg [6:0] awaddr = 0, araddr = 0;
    reg awvalid = 0, wvalid = 0, bready = 0, arvalid = 0, rready = 0;
    reg [31:0] wdata = 0;
    reg [3:0] wstrb = 0;
    wire awready, wready, bvalid, arready, rvalid;
    wire [1:0] bresp, rresp;
    wire [31:0] rdata;
    `TOP dut (
        .aclk(aclk), .aresetn(aresetn),
        .s_axis_tdata(s_axis_tdata), .s_axis_tvalid(s_axis_tvalid), .s_axis_tready(s_axis_tready),
        .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(m_axis_tvalid), .m_axis_tready(m_axis_tready),
        .m_axis_tlast(m_axis_tlast), .irq(interrupt),
`ifdef HAS_CLASSES
        .m_axis_tuser(m_axis_tuser),
`endif
        .s_axi_awaddr(awaddr), .s_axi_awvalid(awvalid), .s_axi_awready(awready),
        .s_axi_wdata(wdata), .s_axi_wstrb(wstrb), .s_axi_wvalid(wvalid), .s_axi_wready(wready),
        .s_axi_bresp(bresp), .s_axi_bvalid(bvalid), .s_axi_bready(bready),
        .s_axi_araddr(araddr), .s_axi_arvalid(arvalid), .s_axi_arready(arready),
        .s_axi_rdata(rdata), .s_axi_rresp(rresp), .s_axi_rvalid(rvalid), .s_axi_rready(rready)
    );

    integer failures = 0, checks = 0;
    task check(input [31:0] found, input [31:0] expected, input [639:0] what);
        begin
            checks = checks + 1;
            if (found !== expected) begin
                failures = failures + 1;
                $display("FAIL %0s: found %h, expected %h at %0t", what, found, expected, $time);
            end
        end
    endtask

    // Seen at each rising edge, before anything changes: what the counters must say.
    integer clocks = 0, in_values = 0, out_values = 0, out_frames = 0, in_stalls = 0, out_stalls = 0;
    reg [SEEN_BITS-1:0] expected [0:OUT_TOTAL-1];
    reg [`IN_BITS-1:0] inputs [0:IN_TOTAL-1];
    reg [SEEN_BITS-1:0] seen;
    reg [31:0] last_class = 32'hFFFFFFFF, watched = 0;
    reg [1:0] pending = 0, enabled = 0;
    integer given = 0, watched_frames = 0, some_interrupts = 0;
    always @(posedge aclk) if (aresetn) begin
        clocks = clocks + 1;
        if (s_axis_tvalid && s_axis_tready) in_values = in_values + 1;
        if (s_axis_tvalid && !s_axis_tready) in_stalls = in_stalls + 1;
        if (m_axis_tvalid && !m_axis_tready) out_stalls = out_stalls + 1;
        if (m_axis_tvalid && m_axis_tready) begin
            out_values = out_values + 1;
            if ((given + 1) % `OUT_BEATS == 0) begin
                out_frames = out_frames + 1;
                pending[0] = 1;
`ifdef HAS_CLASSES
                last_class = expected[given % OUT_TOTAL][`OUT_BITS +: `CLASS_BITS];
                if (last_class == watched) begin
                    watched_frames = watched_frames + 1;
                    pending[1] = 1;
                end
`endif
            end
            // Lanes beyond a frame's last element hold anything.
            seen = seen_now;
            if (m_axis_tlast) seen[`OUT_BITS-1:0] = seen[`OUT_BITS-1:0] & {`OUT_BITS{1'b1}} >> (`OUT_BITS - `LAST_BITS);
            if (m_axis_tlast !== ((given + 1) % `OUT_BEATS == 0) || seen !== expected[given % OUT_TOTAL]) begin
                failures = failures + 1;
                $display("FAIL result %0d: %h", given, m_axis_tdata);
            end
            given = given + 1;
        end
    end

    always @(negedge aclk) if (aresetn) begin
        #2;  // what is driven now has settled
        checks = checks + 1;
        if (interrupt !== |(pending & enabled)) begin
            failures = failures + 1;
            $display("FAIL interrupt %b, pending %b, enabled %b at %0t", interrupt, pending, enabled, $time);
        end
        if (interrupt) some_interrupts = some_interrupts + 1;
    end

    // Everything is driven at falling edges. A read: its address until taken, then `wait_clocks` without RREADY.
    reg [31:0] got;
    reg [1:0] answer;
    integer i, sent, before, seed = 7;
    task read(input [6:0] address, input integer wait_clocks);
        begin
            araddr = address;
            arvalid = 1;
            rready = 0;
            while (!arready) @(negedge aclk);
            @(negedge aclk);
            arvalid = 0;
            check(rvalid, 1, "RVALID the clock after the address");
            got = rdata;
            answer = rresp;
            for (i = 0; i < wait_clocks; i = i + 1) begin
                arvalid = 1;  // a second read must wait
                araddr = 7'h00;
                @(negedge aclk);
                check({rvalid, arready, rresp, rdata[27:0]}, {1'b1, 1'b0, answer, got[27:0]}, "R held while RREADY is 0");
            end
            arvalid = 0;
            rready = 1;
            @(negedge aclk);
            rready = 0;
            check(rvalid, 0, "RVALID after R is taken");
        end
    endtask
    task read_is(input [6:0] address, input [31:0] value, input [1:0] response, input [639:0] what);
        begin
            read(address, address[3:2]);
            check(got, value, what);
            check(answer, response, what);
        end
    endtask
    // A write: `order` 0 both at once, 1 AW first, 2 W first; `wait_clocks` without BREADY.
    task write(input [6:0] address, input [31:0] value, input [3:0] strobe, input integer order,
               input integer wait_clocks, input [1:0] response);
        begin
            awaddr = address;
            wdata = value;
            wstrb = strobe;
            awvalid = order != 2;
            wvalid = order != 1;
            check({awready, wready}, 2'b11, "AW and W free");
            @(negedge aclk);
            if (order != 0) begin
                repeat (3) begin
                    check({awready, wready, bvalid}, order == 1 ? 3'b010 : 3'b100, "half a write waits");
                    awvalid = 0;
                    wvalid = 0;
                    @(negedge aclk);
                end
                awvalid = order == 2;
                wvalid = order == 1;
                @(negedge aclk);
            end
            awvalid = 0;
            wvalid = 0;
            @(negedge aclk);
            if (address == 7'h58 && strobe[0]) pending = pending & ~value[1:0];
            if (address == 7'h54 && strobe[0]) enabled = value[1:0] & `EVENTS;
            if (address == 7'h4C && strobe[0] && response == 0) watched[7:0] = value[7:0];
            for (i = 0; i < wait_clocks; i = i + 1) begin
                check({bvalid, bresp, awready, wready}, {1'b1, response, 2'b00}, "B held while BREADY is 0");
                awvalid = 1;  // a second write must wait
                wvalid = 1;
                @(negedge aclk);
            end
            awvalid = 0;
            wvalid = 0;
            check({bvalid, bresp}, {1'b1, response}, "B");
            bready = 1;
            @(negedge aclk);
            bready = 0;
            check(bvalid, 0, "BVALID after B is taken");
        end
    endtask
    task counters(input [639:0] what);
        begin
            before = clocks;
            read_is(7'h0C, before, 0, what);
            read_is(7'h30, in_values, 0, what);
            read_is(7'h34, in_values / `IN_BEATS, 0, what);
            read_is(7'h38, out_values, 0, what);
            read_is(7'h3C, out_frames, 0, what);
            read_is(7'h40, in_stalls, 0, what);
            read_is(7'h44, out_stalls, 0, what);
`ifdef HAS_CLASSES
            read_is(7'h48, last_class, 0, what);
            read_is(7'h4C, watched, 0, what);
            read_is(7'h50, watched_frames, 0, what);
`else
            read_is(7'h48, 0, 2'b10, what);
            read_is(7'h4C, 0, 2'b10, what);
            read_is(7'h50, 0, 2'b10, what);
`endif
            read_is(7'h54, enabled, 0, what);
            read_is(7'h58, pending, 0, what);
        end
    endtask
    task forget;
        begin
            clocks = 0;
            in_values = 0;
            out_values = 0;
            out_frames = 0;
            in_stalls = 0;
            out_stalls = 0;
            last_class = 32'hFFFFFFFF;
            watched_frames = 0;
        end
    endtask
    task identity;
        begin
            read_is(7'h00, 32'h45444D4C, 0, "magic");
            read_is(7'h04, 2, 0, "version");
            read_is(7'h08, 0, 0, "control");
            for (sent = 0; sent < 8; sent = sent + 1)
                read_is(7'h10 + 4 * sent[6:0], hash[255 - 32 * sent -: 32], 0, "hash");
        end
    endtask
    localparam [255:0] hash = `MODEL_HASH;
    // All frames, with pauses on both sides, the first results late; ends when the last result is out.
    reg collide = 0;
    task frames;
        integer target, late;
        reg moved;
        begin
            target = given + OUT_TOTAL;
            sent = 0;
            moved = 0;
            late = 400;
            while (given < target) begin
                if (moved) begin
                    sent = sent + 1;
                    s_axis_tvalid = 0;
                end
                // An event in the very clock in which it is dismissed stays pending.
                if (collide && !s_axis_tvalid && m_axis_tvalid && m_axis_tlast) begin
                    m_axis_tready = 0;
                    awaddr = 7'h58;
                    wdata = 3;
                    wstrb = 4'h1;
                    awvalid = 1;
                    wvalid = 1;
                    @(negedge aclk);
                    awvalid = 0;
                    wvalid = 0;
                    #3 pending = 0;
                    m_axis_tready = 1;
                    @(negedge aclk);
                    m_axis_tready = 0;
                    bready = 1;
                    @(negedge aclk);
                    bready = 0;
                    collide = 0;
                end
                if (!s_axis_tvalid && sent < IN_TOTAL && $random(seed) % 4 != 0) begin
                    s_axis_tvalid = 1;
                    s_axis_tdata = inputs[sent];
                end
                m_axis_tready = late == 0 && $random(seed) % 3 == 0;
                if (late > 0) late = late - 1;
                #4 moved = s_axis_tvalid && s_axis_tready;  // just before the rising edge
                @(negedge aclk);
            end
            s_axis_tvalid = 0;
            m_axis_tready = 0;
        end
    endtask

    integer first;
    initial begin
        $readmemh("inputs.mem", inputs);
        $readmemh("expected.mem", expected);
        repeat (4) @(negedge aclk);
        aresetn = 1;
        counters("after reset");
        identity;
        frames;
        counters("after frames");
        check(in_values, IN_TOTAL, "values sent");
        check(out_frames, `IN_FRAMES, "frames received");
        check(in_stalls > 0 && out_stalls > 0, 1, "both sides had to wait");
        // Addresses that hold nothing, registers that cannot be written, strobes.
        read_is(7'h5C, 0, 2'b10, "unmapped read");
        read_is(7'h7C, 0, 2'b10, "unmapped read");
        write(7'h30, 1, 4'hF, 0, 2, 2'b10);
        write(7'h7C, 1, 4'hF, 1, 0, 2'b10);
        write(7'h08, 1, 4'hE, 2, 1, 2'b00);
        write(7'h08, 2, 4'hF, 0, 0, 2'b00);
        counters("after writes that clear nothing");
        // Interrupts: enabled bit by bit, dismissed by ones; the watched class, one byte at a time.
        write(7'h54, 32'hFFFFFFFE, 4'h1, 0, 0, 2'b00);
        counters("after enabling the second interrupt");
        write(7'h54, 32'hFFFFFFFF, 4'hE, 0, 0, 2'b00);
        write(7'h58, 32'hFFFFFFFF, 4'hE, 0, 0, 2'b00);
        counters("after writes without a strobe");
        write(7'h58, 1, 4'h1, 1, 0, 2'b00);
        counters("after dismissing one");
        write(7'h54, 1, 4'h1, 2, 0, 2'b00);
        write(7'h58, 3, 4'hF, 0, 0, 2'b00);
        collide = 1;
        frames;
        check(collide, 0, "an event in the clock of its dismissal");
        counters("frames with an interrupt each");
        check(some_interrupts > 0, 1, "interrupts");
`ifdef HAS_CLASSES
        write(7'h54, 2, 4'h1, 2, 0, 2'b00);
        write(7'h4C, `WATCHED, 4'h1, 0, 0, 2'b00);
        write(7'h58, 3, 4'hF, 0, 0, 2'b00);
        frames;
        counters("frames of the watched class");
        check(watched_frames > 0 && watched_frames < out_frames, 1, "some frames are of the watched class");
`else
        write(7'h4C, 1, 4'hF, 0, 0, 2'b10);
        write(7'h48, 1, 4'hF, 0, 0, 2'b10);
`endif
        // Each order of AW and W clears.
        for (first = 0; first < 3; first = first + 1) begin
            write(7'h08, 1, 4'h1, first, 2 * first, 2'b00);
            forget;
            clocks = 1 + 2 * first;  // those since the clear: B waits, then is taken
            counters("after a clear");
            frames;
            counters("frames after a clear");
        end
        // Reads back to back, RREADY always on: one every other clock. Two readings of the clock counter differ by 2.
        rready = 1;
        arvalid = 1;
        araddr = 7'h0C;
        @(negedge aclk);
        before = rdata;
        check({rvalid, arready}, 2'b10, "back to back, first");
        @(negedge aclk);
        check({rvalid, arready}, 2'b01, "back to back, taken");
        @(negedge aclk);
        check(rvalid, 1, "back to back, second");
        check(rdata, before + 2, "clock counter");
        arvalid = 0;
        @(negedge aclk);
        rready = 0;
        // A reset forgets half a write and a frame begun, and clears everything.
        frames;
        awvalid = 1;
        awaddr = 7'h08;
        arvalid = 1;
        @(negedge aclk);
        awvalid = 0;
        arvalid = 0;
        check({rvalid, awready}, 2'b10, "a read and half a write under way");
        aresetn = 0;
        @(negedge aclk);
        check({rvalid, bvalid, awready, wready}, 4'b0011, "reset");
        @(negedge aclk);
        aresetn = 1;
        forget;
        pending = 0;
        enabled = 0;
        watched = 0;
        read_is(7'h08, 0, 0, "control");
        counters("after a second reset");
        frames;
        counters("frames after a second reset");
        if (failures == 0) $display("PASS %0d checks, %0d results", checks, given);
        $finish;
    end
    initial begin
        #50000000 $display("FAIL: takes too long");
        $finish;
    end
endmodule
`default_nettype wire
