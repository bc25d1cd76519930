// What holds of streams for ever: from a first clock with a reset on, whatever comes, further resets included.
//
// `assume` says what the other side must keep; what is asserted under "Contract" is what a user of the unit relies on.
// What is asserted under "Why" ties the unit's registers (`seen_x` is `unit.x`) to those that the contract is said in,
// so that one clock leads to the next: without it the induction would start from states that never are.
`default_nettype none

// Places are promised before they are filled: the other side asks for one only where there is one, and pushes only what
// it has a promise for. No value is lost, doubled or overtaken, and the first stays until it is taken.
module prove_fifo #(
    parameter WIDTH = 2,
    parameter DEPTH = 3
) (
    input wire             clk,
    input wire             rst,
    input wire             reserve,
    input wire             push,
    input wire [WIDTH-1:0] push_data,
    input wire             ready
);
    localparam INDEX_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1;
    wire can_reserve, valid;
    wire [WIDTH-1:0] data;
    edgeml_fifo #(.WIDTH(WIDTH), .DEPTH(DEPTH)) unit (
        .clk(clk), .rst(rst), .can_reserve(can_reserve), .reserve(reserve), .push(push), .push_data(push_data),
        .valid(valid), .ready(ready), .data(data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    reg [7:0] promised, count;
    reg [WIDTH*DEPTH-1:0] queue;  // the first value lowest
    always @* begin
        assume (begun || rst);
        assume (!reserve || can_reserve);
        assume (!push || promised != 0 || reserve);
    end
    wire gives = count != 0 && ready;
    wire [7:0] left = count - gives;
    wire [WIDTH*DEPTH-1:0] rest = gives ? queue >> WIDTH : queue;
    wire [WIDTH*DEPTH-1:0] kept = (1 << (left * WIDTH)) - 1;
    always @(posedge clk) begin
        promised <= rst ? 8'd0 : promised + reserve - push;
        count <= rst ? 8'd0 : left + push;
        queue <= push ? (rest & kept) | (push_data << (left * WIDTH)) : rest;
    end
    // Contract.
    always @* if (begun) begin
        assert (can_reserve == (count + promised != DEPTH));
        assert (valid == (count != 0));
        assert (!valid || data == queue[WIDTH-1:0]);
    end
    // Why.
    wire [WIDTH*DEPTH-1:0] seen_memory;
    wire [$clog2(DEPTH+1)-1:0] seen_filled, seen_reserved;
    wire [INDEX_BITS-1:0] seen_read_index, seen_write_index;
    wire [7:0] first = DEPTH == 1 ? 0 : seen_read_index;  // one place has no index
    always @* if (begun) begin
        assert (seen_filled == count);
        assert (seen_reserved == count + promised);
        assert (count <= DEPTH && promised <= DEPTH && count + promised <= DEPTH);
        assert (first < DEPTH && seen_write_index == (first + count) % DEPTH);
    end
    genvar i;
    generate
        for (i = 0; i < DEPTH; i = i + 1) begin : places
            wire [7:0] place = (first + i) % DEPTH;
            always @*
                if (begun && i < count) assert (seen_memory[place*WIDTH +: WIDTH] == queue[i*WIDTH +: WIDTH]);
        end
    endgenerate
endmodule

// Values come out as they came in, one for one, in their order; the first stays until it is taken.
module prove_stream_fifo #(
    parameter WIDTH = 2,
    parameter DEPTH = 3
) (
    input wire             clk,
    input wire             rst,
    input wire             in_valid,
    input wire [WIDTH-1:0] in_data,
    input wire             out_ready
);
    localparam INDEX_BITS = (DEPTH > 1) ? $clog2(DEPTH) : 1;
    wire in_ready, out_valid;
    wire [WIDTH-1:0] out_data;
    edgeml_stream_fifo #(.WIDTH(WIDTH), .DEPTH(DEPTH)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    reg [7:0] count;
    reg [WIDTH*DEPTH-1:0] queue;  // the first value lowest
    always @* assume (begun || rst);
    wire gives = count != 0 && out_ready;
    wire takes = count != DEPTH && in_valid;
    wire [7:0] left = count - gives;
    wire [WIDTH*DEPTH-1:0] rest = gives ? queue >> WIDTH : queue;
    wire [WIDTH*DEPTH-1:0] kept = (1 << (left * WIDTH)) - 1;
    always @(posedge clk) begin
        count <= rst ? 8'd0 : left + takes;
        queue <= takes ? (rest & kept) | (in_data << (left * WIDTH)) : rest;
    end
    // Contract.
    always @* if (begun) begin
        assert (in_ready == (count != DEPTH));
        assert (out_valid == (count != 0));
        assert (!out_valid || out_data == queue[WIDTH-1:0]);
    end
    // Why.
    wire [WIDTH*DEPTH-1:0] seen_fifo__memory;
    wire [$clog2(DEPTH+1)-1:0] seen_fifo__filled, seen_fifo__reserved;
    wire [INDEX_BITS-1:0] seen_fifo__read_index, seen_fifo__write_index;
    wire [7:0] first = DEPTH == 1 ? 0 : seen_fifo__read_index;  // one place has no index
    always @* if (begun) begin
        assert (count <= DEPTH && seen_fifo__filled == count && seen_fifo__reserved == count);
        assert (first < DEPTH && seen_fifo__write_index == (first + count) % DEPTH);
    end
    genvar i;
    generate
        for (i = 0; i < DEPTH; i = i + 1) begin : places
            wire [7:0] place = (first + i) % DEPTH;
            always @*
                if (begun && i < count) assert (seen_fifo__memory[place*WIDTH +: WIDTH] == queue[i*WIDTH +: WIDTH]);
        end
    endgenerate
endmodule

// Every taker takes each value exactly once; the value goes when the last of them takes it, and not before.
module prove_fork #(
    parameter TAKERS = 2
) (
    input wire              clk,
    input wire              rst,
    input wire              in_valid,
    input wire [TAKERS-1:0] out_ready
);
    wire in_ready;
    wire [TAKERS-1:0] out_valid;
    edgeml_fork #(.TAKERS(TAKERS)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready)
    );
    reg begun = 1'b0;
    reg waits = 1'b0;  // a value was offered, and not taken: it stays
    reg [TAKERS-1:0] offered;
    always @(posedge clk) begin
        begun <= 1'b1;
        waits <= !rst && in_valid && !in_ready;
        offered <= out_valid & ~out_ready;
    end
    always @* assume ((begun || rst) && (!waits || in_valid));
    reg [TAKERS-1:0] had;  // who took the value that stands at the input
    wire [TAKERS-1:0] takes = out_valid & out_ready;
    always @(posedge clk) had <= rst || (in_valid && in_ready) ? {TAKERS{1'b0}} : had | takes;
    // Contract.
    always @* if (begun) begin
        assert ((takes & had) == 0);
        assert (!(in_valid && in_ready) || (had | takes) == {TAKERS{1'b1}});
        assert (!in_valid || in_ready || (had | takes) != {TAKERS{1'b1}});
        assert (in_valid || out_valid == 0);
        assert (!in_valid || (out_valid | had) == {TAKERS{1'b1}});
        assert (!waits || (out_valid & offered) == offered);
    end
    // Why.
    wire [TAKERS-1:0] seen_served;
    always @* if (begun) assert (seen_served == had);
endmodule

// RATIO values, or what is left of a frame with zeros above, become one; it stays until it is taken.
module prove_upsizer #(
    parameter WIDTH = 2,
    parameter RATIO = 2,
    parameter IN_BEATS = 4
) (
    input wire             clk,
    input wire             rst,
    input wire             in_valid,
    input wire [WIDTH-1:0] in_data,
    input wire             out_ready
);
    wire in_ready, out_valid;
    wire [WIDTH*RATIO-1:0] out_data;
    edgeml_upsizer #(.WIDTH(WIDTH), .RATIO(RATIO), .IN_BEATS(IN_BEATS)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    reg [7:0] number;                // of the frame's value that comes next
    reg [WIDTH*RATIO-1:0] gathered;  // what came of the wide value that is being made
    reg [WIDTH*RATIO-1:0] whole;     // the wide value that is offered
    reg offered;
    wire takes = in_valid && in_ready;
    wire [7:0] part = number % RATIO;
    wire [WIDTH*RATIO-1:0] more = (part == 0 ? 0 : gathered) | (in_data << (part * WIDTH));
    wire ends = part == RATIO - 1 || number == IN_BEATS - 1;
    always @(posedge clk) begin
        if (takes) number <= number == IN_BEATS - 1 ? 8'd0 : number + 8'd1;
        if (takes) gathered <= more;
        if (takes && ends) whole <= more;
        offered <= !rst && (takes ? ends : offered && !out_ready);
        if (rst) number <= 8'd0;
    end
    // Contract.
    always @* if (begun) begin
        assert (in_ready == (!offered || out_ready));
        assert (out_valid == offered);
        assert (!out_valid || out_data == whole);
    end
    // Why.
    wire [$clog2(RATIO)-1:0] seen_part;
    wire [((IN_BEATS > 1) ? $clog2(IN_BEATS) : 1)-1:0] seen_beat;
    always @* if (begun) begin
        assert (number < IN_BEATS && seen_beat == number && seen_part == part);
        assert (part == 0 || (out_data == gathered && gathered >> (part * WIDTH) == 0));
        assert (!offered || part == 0);
    end
endmodule

// A wide value becomes its parts, the lowest first, those of a frame alone, and goes with the last of them.
module prove_downsizer #(
    parameter WIDTH = 2,
    parameter RATIO = 2,
    parameter OUT_BEATS = 4
) (
    input wire                   clk,
    input wire                   rst,
    input wire                   in_valid,
    input wire [WIDTH*RATIO-1:0] in_data,
    input wire                   out_ready
);
    wire in_ready, out_valid;
    wire [WIDTH-1:0] out_data;
    edgeml_downsizer #(.WIDTH(WIDTH), .RATIO(RATIO), .OUT_BEATS(OUT_BEATS)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .in_data(in_data), .out_valid(out_valid),
        .out_ready(out_ready), .out_data(out_data)
    );
    reg begun = 1'b0;
    reg waits = 1'b0, offered = 1'b0;
    reg [WIDTH*RATIO-1:0] stands;
    reg [WIDTH-1:0] offer;
    always @(posedge clk) begin
        begun <= 1'b1;
        waits <= !rst && in_valid && !in_ready;
        stands <= in_data;
        offered <= !rst && out_valid && !out_ready;
        offer <= out_data;
    end
    always @* assume ((begun || rst) && (!waits || (in_valid && in_data == stands)));
    reg [7:0] number;  // of the frame's part that comes next
    wire [7:0] part = number % RATIO;
    wire [WIDTH*RATIO-1:0] shifted = in_data >> (part * WIDTH);
    always @(posedge clk) begin
        if (out_valid && out_ready) number <= number == OUT_BEATS - 1 ? 8'd0 : number + 8'd1;
        if (rst) number <= 8'd0;
    end
    // Contract.
    always @* if (begun) begin
        assert (out_valid == in_valid);
        assert (!out_valid || out_data == shifted[WIDTH-1:0]);
        assert (!in_valid || in_ready == (out_ready && (part == RATIO - 1 || number == OUT_BEATS - 1)));
        assert (!offered || (out_valid && out_data == offer));
    end
    // Why.
    wire [$clog2(RATIO)-1:0] seen_part;
    wire [((OUT_BEATS > 1) ? $clog2(OUT_BEATS) : 1)-1:0] seen_beat;
    always @* if (begun) assert (number < OUT_BEATS && seen_beat == number && seen_part == part);
endmodule

// SLOTS clocks after each start, counted from 0; a start begins them anew.
module prove_slot_counter #(
    parameter SLOTS = 3,
    parameter SLOT_BITS = 2
) (
    input wire clk,
    input wire rst,
    input wire start
);
    wire running;
    wire [SLOT_BITS-1:0] slot;
    edgeml_slot_counter #(.SLOTS(SLOTS), .SLOT_BITS(SLOT_BITS)) unit (
        .clk(clk), .rst(rst), .start(start), .running(running), .slot(slot)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    reg [7:0] left;  // slots that are to come, this one included
    always @(posedge clk) left <= rst ? 8'd0 : start ? SLOTS : left - (left != 0);
    // Contract.
    always @* if (begun) begin
        assert (left <= SLOTS && running == (left != 0));
        assert (!running || slot == SLOTS - left);
    end
endmodule

// A byte is on the pin as 0, its bits from the lowest on, and 1, CLOCKS_PER_BIT clocks each; then comes the next, or 1.
module prove_uart_tx #(
    parameter CLOCKS_PER_BIT = 4
) (
    input wire       clk,
    input wire       rst,
    input wire       valid,
    input wire [7:0] data
);
    wire ready, tx;
    edgeml_uart_tx #(.CLOCKS_PER_BIT(CLOCKS_PER_BIT)) unit (
        .clk(clk), .rst(rst), .valid(valid), .ready(ready), .data(data), .tx(tx)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    reg sends;
    reg [9:0] frame;
    reg [3:0] bits;    // of the frame that are over
    reg [7:0] clocks;  // of this bit that are over
    always @(posedge clk) begin
        if (ready && valid) begin
            sends <= 1'b1;
            frame <= {1'b1, data, 1'b0};
            bits <= 4'd0;
            clocks <= 8'd0;
        end else if (sends) begin
            clocks <= clocks == CLOCKS_PER_BIT - 1 ? 8'd0 : clocks + 8'd1;
            if (clocks == CLOCKS_PER_BIT - 1) begin
                bits <= bits + 4'd1;
                sends <= bits != 4'd9;
            end
        end
        if (rst) sends <= 1'b0;
    end
    // Contract.
    always @* if (begun) begin
        assert (ready == !sends);
        assert (tx == (sends ? frame[bits] : 1'b1));
    end
    // Why.
    wire [9:0] seen_shift;
    wire [3:0] seen_left;
    wire [$clog2(CLOCKS_PER_BIT)-1:0] seen_count;
    wire [9:0] ones = ~(10'h3FF >> bits);
    always @* if (begun) begin
        assert (seen_left == (sends ? 4'd10 - bits : 4'd0));
        assert (sends || seen_shift == 10'h3FF);
        assert (!sends || (bits <= 4'd9 && clocks < CLOCKS_PER_BIT && seen_count == CLOCKS_PER_BIT - 1 - clocks));
        assert (!sends || (frame[9] && !frame[0] && seen_shift == ((frame >> bits) | ones)));
    end
endmodule

// A sender whose bits have LENGTH of our clocks: each of its bytes comes once, whole, in order, and nothing else does.
// It may wait between bytes as long as it likes, or not at all; a reset is one of the sender too.
module prove_uart_rx #(
    parameter CLOCKS_PER_BIT = 16,
    parameter LENGTH = 16
) (
    input wire       clk,
    input wire       rst,
    input wire       wants,
    input wire [7:0] byte_wanted
);
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);
    // The sender, and as it was one and two clocks ago: what the two flip-flops behind the pin give.
    reg [2:0] sends;
    reg [9:0] frame [0:2];
    reg [8:0] elapsed [0:2];  // clocks since the byte's first
    wire ends = sends[0] && elapsed[0] == 10 * LENGTH - 1;
    wire begins = wants && (!sends[0] || ends);
    wire [2:0] line;
    genvar i;
    generate
        for (i = 0; i < 3; i = i + 1) begin : clocks
            assign line[i] = !sends[i] || frame[i][elapsed[i] / LENGTH];
            always @* if (begun && sends[i]) assert (elapsed[i] < 10 * LENGTH && frame[i][9] && !frame[i][0]);
        end
    endgenerate
    always @(posedge clk) begin
        if (begins) frame[0] <= {1'b1, byte_wanted, 1'b0};
        elapsed[0] <= begins ? 9'd0 : elapsed[0] + 9'd1;
        frame[1] <= frame[0];
        frame[2] <= frame[1];
        elapsed[1] <= elapsed[0];
        elapsed[2] <= elapsed[1];
        sends <= rst ? 3'd0 : {sends[1:0], begins || (sends[0] && !ends)};
    end
    wire valid;
    wire [7:0] data;
    edgeml_uart_rx #(.CLOCKS_PER_BIT(CLOCKS_PER_BIT)) unit (
        .clk(clk), .rst(rst), .rx(line[0]), .valid(valid), .data(data)
    );
    reg was_due;
    wire due = was_due || (sends[2] && elapsed[2] == 0);  // a byte began, and has not come
    always @(posedge clk) was_due <= !rst && due && !valid;
    // Contract.
    always @* if (begun) begin
        assert (!valid || (due && data == frame[2][8:1]));
        assert (!was_due || !sends[2] || elapsed[2] != 0);
        assert (sends[2] || !due);
    end
    // Why: bit i is taken in the middle of what CLOCKS_PER_BIT says of it.
    wire [1:0] seen_level;
    wire seen_active;
    wire [$clog2(CLOCKS_PER_BIT)-1:0] seen_count;
    wire [3:0] seen_index;
    wire [8:0] middle = CLOCKS_PER_BIT / 2 + seen_index * CLOCKS_PER_BIT;
    localparam GIVEN = CLOCKS_PER_BIT / 2 + 9 * CLOCKS_PER_BIT + 1;
    always @* if (begun) begin
        assert (seen_level == line[2:1]);
        assert (seen_active == (was_due && !valid));
        assert (!seen_active || (seen_index <= 9 && elapsed[2] + seen_count == middle));
        assert (!valid || elapsed[2] == GIVEN);
        assert (!sends[2] || due == (elapsed[2] <= GIVEN));
    end
    generate
        for (i = 1; i <= 8; i = i + 1) begin : bits
            always @* if (begun && seen_active && seen_index > i) assert (data[8-seen_index+i] == frame[2][i]);
        end
    endgenerate
endmodule

// One answer to each read and to each write, which stays as it is until it is taken; it says what the map says, of
// counters that count what went through the streams.
module prove_axi_lite_status #(
    parameter IN_BEATS = 3,
    parameter CLASS_BITS = 2,
    parameter CLASS_PORT = (CLASS_BITS > 0) ? CLASS_BITS : 1
) (
    input wire                  clk,
    input wire                  rst,
    input wire                  in_valid,
    input wire                  in_ready,
    input wire                  out_valid,
    input wire                  out_ready,
    input wire                  out_last,
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
    localparam [255:0] HASH = 256'h00112233_44556677_8899AABB_CCDDEEFF_01234567_89ABCDEF_FEDCBA98_76543210;
    wire irq, awready, wready, bvalid, arready, rvalid;
    wire [1:0] bresp, rresp;
    wire [31:0] rdata;
    edgeml_axi_lite_status #(.MODEL_HASH(HASH), .IN_BEATS(IN_BEATS), .CLASS_BITS(CLASS_BITS)) unit (
        .clk(clk), .rst(rst), .in_valid(in_valid), .in_ready(in_ready), .out_valid(out_valid), .out_ready(out_ready),
        .out_last(out_last), .out_class(out_class), .irq(irq), .awaddr(awaddr), .awvalid(awvalid), .awready(awready),
        .wdata(wdata), .wstrb(wstrb), .wvalid(wvalid), .wready(wready), .bresp(bresp), .bvalid(bvalid), .bready(bready),
        .araddr(araddr), .arvalid(arvalid), .arready(arready), .rdata(rdata), .rresp(rresp), .rvalid(rvalid),
        .rready(rready)
    );
    reg begun = 1'b0;
    always @(posedge clk) begun <= 1'b1;
    always @* assume (begun || rst);

    // Writes: what came of one, and what answers it.
    reg address_came, data_came, write_due, write_fails;
    reg [4:0] word;
    reg [31:0] bits, mask;
    wire writes = address_came && data_came;
    wire is_map = word == 2 || word == 21 || word == 22 || (word == 19 && CLASS_BITS > 0);
    always @(posedge clk) begin
        if (awvalid && awready) word <= awaddr[6:2];
        if (wvalid && wready) bits <= wdata;
        if (wvalid && wready) mask <= {{8{wstrb[3]}}, {8{wstrb[2]}}, {8{wstrb[1]}}, {8{wstrb[0]}}};
        address_came <= !rst && !writes && (address_came || (awvalid && awready));
        data_came <= !rst && !writes && (data_came || (wvalid && wready));
        write_due <= !rst && (writes || (write_due && !bready));
        if (writes) write_fails <= !is_map;
    end

    // What the registers hold: 12 … 17 counters, 18 … 20 of classes, 21 and 22 of interrupts.
    reg [31:0] held [0:31];
    reg [7:0] number;  // of the value that comes next in its frame
    reg [31:0] clocks;
    wire taken = in_valid && in_ready, given = out_valid && out_ready, ends = given && out_last;
    wire clears = rst || (writes && word == 2 && bits[0] && mask[0]);
    wire is_watched = CLASS_BITS > 0 && ends && out_class == held[19];
    wire [31:0] of_classes = (1 << CLASS_BITS) - 1;
    wire [31:0] mixed = (held[word] & ~mask) | (bits & mask);
    always @(posedge clk) begin
        number <= rst ? 8'd0 : !taken ? number : number == IN_BEATS - 1 ? 8'd0 : number + 8'd1;
        clocks <= clears ? 0 : clocks + 1;
        held[12] <= clears ? 0 : held[12] + taken;
        held[13] <= clears ? 0 : held[13] + (taken && number == IN_BEATS - 1);
        held[14] <= clears ? 0 : held[14] + given;
        held[15] <= clears ? 0 : held[15] + ends;
        held[16] <= clears ? 0 : held[16] + (in_valid && !in_ready);
        held[17] <= clears ? 0 : held[17] + (out_valid && !out_ready);
        held[18] <= CLASS_BITS == 0 ? 0 : clears ? 32'hFFFFFFFF : ends ? out_class : held[18];
        held[19] <= rst || CLASS_BITS == 0 ? 0 : writes && word == 19 ? mixed & of_classes : held[19];
        held[20] <= clears ? 0 : held[20] + is_watched;
        held[21] <= rst ? 0 : writes && word == 21 ? mixed & (CLASS_BITS > 0 ? 3 : 1) : held[21];
        held[22] <= rst ? 0 : (held[22] & ~(writes && word == 22 ? bits & mask : 0)) | {is_watched, ends};
    end

    // Reads.
    wire [4:0] asked = araddr[6:2];
    wire reads = arvalid && arready;
    wire known = asked <= 17 || (asked <= 20 && CLASS_BITS > 0) || asked == 21 || asked == 22;
    wire [31:0] digits = HASH >> (32 * (11 - asked));
    reg read_due;
    reg [31:0] answer;
    reg [1:0] answers;
    always @(posedge clk) begin
        read_due <= !rst && (reads || (read_due && !rready));
        if (reads) begin
            answers <= known ? 2'b00 : 2'b10;
            answer <= asked == 0 ? "EDML" : asked == 1 ? 2 : asked == 2 ? 0 : asked == 3 ? clocks
                    : asked <= 11 ? digits : known ? held[asked] : 0;
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
    end
    // Why.
    wire seen_have_address, seen_have_data;
    wire [31:0] seen_data, seen_clocks, seen_in_values, seen_in_frames, seen_out_values, seen_out_frames;
    wire [31:0] seen_in_stalls, seen_out_stalls, seen_watched, seen_last_class, seen_watched_frames, seen_mask;
    wire [4:0] seen_write_word;
    wire [1:0] seen_enabled, seen_pending;
    wire [((IN_BEATS > 1) ? $clog2(IN_BEATS) : 1)-1:0] seen_beat;
    always @* if (begun) begin
        assert (seen_have_address == address_came && seen_have_data == data_came);
        assert (!address_came || seen_write_word == word);
        assert (!data_came || (seen_data == bits && seen_mask == mask));
        assert (number < IN_BEATS && seen_beat == number && seen_clocks == clocks);
        assert (seen_in_values == held[12] && seen_in_frames == held[13] && seen_out_values == held[14]);
        assert (seen_out_frames == held[15] && seen_in_stalls == held[16] && seen_out_stalls == held[17]);
        assert (seen_last_class == held[18] && seen_watched == held[19] && seen_watched_frames == held[20]);
        assert (held[19] <= of_classes && (held[18] == 32'hFFFFFFFF || held[18] <= of_classes));
        assert (seen_enabled == held[21] && seen_pending == held[22] && held[22] <= (CLASS_BITS > 0 ? 3 : 1));
    end
endmodule

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
