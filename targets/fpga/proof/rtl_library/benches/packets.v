// SPDX-License-Identifier: Apache-2.0
// The top that takes packets is its gate, the network between two repackings, and the count of packets' ends, and nothing
// else: whatever these give, each signal is at its place, each input is the low bits of its slot, each output an int32,
// and what the network gives beyond its last output is zero.
//
// AXIS and the modules edgeml_… stand for the parts: what they give are the free inputs. TOP and AXIS become the names
// that they have; USER_BITS is 0 without a class unit.
`default_nettype none
module edgeml_packet_gate #(
    parameter WIDTH = 8,
    parameter WORDS = 2,
    parameter KEEP = 1,
    parameter LAST_KEEP = 1
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [15:0]      frames,
    input  wire             in_valid,
    output wire             in_ready,
    input  wire [WIDTH-1:0] in_data,
    input  wire [KEEP-1:0]  in_keep,
    input  wire             in_last,
    output wire             out_valid,
    input  wire             out_ready,
    output wire [WIDTH-1:0] out_data,
    output wire             let_through,
    output wire             ended_early,
    output wire             ran_on,
    output wire             halted
);
    wire [31:0] words_here = WORDS, last_here = LAST_KEEP;
    wire [5:0] says;
    wire [WIDTH-1:0] gives;
    assign {in_ready, out_valid, let_through, ended_early, ran_on, halted} = says;
    assign out_data = gives;
endmodule

module edgeml_repack #(
    parameter WIDTH = 8,
    parameter IN = 1,
    parameter OUT = 2,
    parameter UNITS = 4
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire [IN*WIDTH-1:0]  in_data,
    output wire                 out_valid,
    input  wire                 out_ready,
    output wire [OUT*WIDTH-1:0] out_data
);
    wire [31:0] width_here = WIDTH, in_here = IN, out_here = OUT, units_here = UNITS;
    wire takes, offers;
    wire [OUT*WIDTH-1:0] gives;
    assign in_ready = takes;
    assign out_valid = offers;
    assign out_data = gives;
endmodule

module edgeml_packet_end #(
    parameter WORDS = 2
) (
    input  wire        clk,
    input  wire        rst,
    input  wire [15:0] frames,
    input  wire        valid,
    input  wire        ready,
    output wire        last
);
    wire [31:0] words_here = WORDS;
    wire ends;
    assign last = ends;
endmodule

module AXIS #(
    parameter IN_WIDTH = 8,
    parameter OUT_WIDTH = 16,
    parameter USER_BITS = 8
) (
    input  wire                 aclk,
    input  wire                 aresetn,
    input  wire [IN_WIDTH-1:0]  s_axis_tdata,
    input  wire                 s_axis_tvalid,
    output wire                 s_axis_tready,
    output wire [OUT_WIDTH-1:0] m_axis_tdata,
    output wire                 m_axis_tvalid,
    input  wire                 m_axis_tready,
    output wire [((USER_BITS > 0) ? USER_BITS : 1)-1:0] m_axis_tuser,
    output wire                 m_axis_tlast
);
    wire takes, offers, last;
    wire [OUT_WIDTH-1:0] gives;
    wire [((USER_BITS > 0) ? USER_BITS : 1)-1:0] finds;
    assign s_axis_tready = takes;
    assign m_axis_tdata = gives;
    assign m_axis_tvalid = offers;
    assign m_axis_tuser = finds;
    assign m_axis_tlast = last;
endmodule

module prove_packets #(
    parameter BUS = 32,          // bits of a word
    parameter SLOT_BYTES = 1,    // of an input in it
    parameter INPUT_BITS = 3,    // of an input in the network
    parameter INPUTS = 5,        // of a frame
    parameter INPUT_LANES = 2,   // of a value
    parameter IN_WIDTH = 8,      // bits of a value on the network's stream
    parameter IN_UNIT = 2,       // inputs of a unit
    parameter OUTPUTS = 4,
    parameter OUTPUT_LANES = 3,
    parameter RESULT_BYTES = 1,  // of an output on the network's stream
    parameter SIGNED = 1,
    parameter OUT_WIDTH = 16,
    parameter OUT_UNIT = 1,      // outputs of a unit
    parameter USER_BITS = 8,
    // Units of a value on either side; one that is a whole frame has whole words.
    parameter GATHERED = (INPUTS <= INPUT_LANES) ? (INPUT_LANES + IN_UNIT - 1) / IN_UNIT : INPUT_LANES / IN_UNIT,
    parameter SPREAD = (OUTPUTS <= OUTPUT_LANES) ? (OUTPUT_LANES + OUT_UNIT - 1) / OUT_UNIT : OUTPUT_LANES / OUT_UNIT
) (
    input wire             clk,
    input wire             rst,
    input wire             restart,
    input wire [15:0]      frames,
    input wire             in_valid,
    input wire [BUS-1:0]   in_data,
    input wire [BUS/8-1:0] in_keep,
    input wire             in_last,
    input wire             out_ready,
    input wire [5:0]       free_gate__says,
    input wire [BUS/8/SLOT_BYTES*INPUT_BITS-1:0] free_gate__gives,
    input wire             free_inputs__takes,
    input wire             free_inputs__offers,
    input wire [GATHERED*IN_UNIT*INPUT_BITS-1:0] free_inputs__gives,
    input wire             free_network__takes,
    input wire             free_network__offers,
    input wire             free_network__last,
    input wire [OUT_WIDTH-1:0] free_network__gives,
    input wire [((USER_BITS > 0) ? USER_BITS : 1)-1:0] free_network__finds,
    input wire             free_outputs__takes,
    input wire             free_outputs__offers,
    input wire [BUS/32*8*RESULT_BYTES-1:0] free_outputs__gives,
    input wire             free_packet_end__ends
);
    localparam SLOTS = BUS / (8 * SLOT_BYTES), RESULTS = BUS / 32, RESULT_BITS = 8 * RESULT_BYTES;
    localparam IN_WORDS = (INPUTS + SLOTS - 1) / SLOTS, OUT_WORDS = (OUTPUTS + RESULTS - 1) / RESULTS;
    localparam IN_ONE = INPUTS <= INPUT_LANES, OUT_ONE = OUTPUTS <= OUTPUT_LANES;
    localparam REST = OUTPUTS - (OUTPUTS - 1) / OUTPUT_LANES * OUTPUT_LANES;  // outputs of the last value
    localparam USER = (USER_BITS > 0) ? USER_BITS : 1;
    wire in_ready, out_valid, out_last, in_frame, ended_early, ran_on, halted, out_frame;
    wire [BUS-1:0] out_data;
    wire [BUS/8-1:0] out_keep;
    wire [USER-1:0] user_given;
    TOP unit (
        .aclk(clk), .aresetn(!rst), .restart(restart), .frames(frames), .s_axis_tdata(in_data), .s_axis_tkeep(in_keep),
        .s_axis_tlast(in_last), .s_axis_tvalid(in_valid), .s_axis_tready(in_ready), .m_axis_tdata(out_data),
        .m_axis_tkeep(out_keep), .m_axis_tlast(out_last), .m_axis_tvalid(out_valid), .m_axis_tready(out_ready),
        .in_frame(in_frame), .ended_early(ended_early), .ran_on(ran_on), .halted(halted), .out_frame(out_frame)
        /*.out_class(user_given)*/
    );
    // Contract.
    wire quiet = rst || restart;
    wire seen_gate__clk, seen_gate__rst, seen_gate__in_valid, seen_gate__in_last, seen_gate__out_ready;
    wire [15:0] seen_gate__frames, seen_packet_end__frames;
    wire [SLOTS*INPUT_BITS-1:0] seen_gate__in_data, seen_inputs__in_data;
    wire [BUS/8-1:0] seen_gate__in_keep;
    wire [31:0] seen_gate__words_here, seen_gate__last_here, seen_packet_end__words_here;
    wire [31:0] seen_inputs__width_here, seen_inputs__in_here, seen_inputs__out_here, seen_inputs__units_here;
    wire [31:0] seen_outputs__width_here, seen_outputs__in_here, seen_outputs__out_here, seen_outputs__units_here;
    wire seen_inputs__clk, seen_inputs__rst, seen_inputs__in_valid, seen_inputs__out_ready;
    wire seen_network__aclk, seen_network__aresetn, seen_network__s_axis_tvalid, seen_network__m_axis_tready;
    wire [IN_WIDTH-1:0] seen_network__s_axis_tdata;
    wire seen_outputs__clk, seen_outputs__rst, seen_outputs__in_valid, seen_outputs__out_ready;
    wire [SPREAD*OUT_UNIT*RESULT_BITS-1:0] seen_outputs__in_data;
    wire seen_packet_end__clk, seen_packet_end__rst, seen_packet_end__valid, seen_packet_end__ready;
    wire [OUTPUT_LANES*RESULT_BITS-1:0] kept =
        free_network__last && REST < OUTPUT_LANES ? (free_network__gives << ((OUTPUT_LANES - REST) * RESULT_BITS))
        >> ((OUTPUT_LANES - REST) * RESULT_BITS) : free_network__gives;
    always @* begin
        assert (seen_gate__clk == clk && seen_inputs__clk == clk && seen_network__aclk == clk);
        assert (seen_outputs__clk == clk && seen_packet_end__clk == clk);
        assert (seen_gate__rst == quiet && seen_inputs__rst == quiet && seen_network__aresetn == !quiet);
        assert (seen_outputs__rst == quiet && seen_packet_end__rst == quiet);
        assert (seen_gate__frames == frames && seen_packet_end__frames == frames);
        assert (seen_gate__in_valid == in_valid && seen_gate__in_last == in_last && seen_gate__in_keep == in_keep);
        assert (in_ready == free_gate__says[5] && in_frame == free_gate__says[3]);
        assert ({ended_early, ran_on, halted} == free_gate__says[2:0]);
        assert (seen_inputs__in_valid == free_gate__says[4] && seen_gate__out_ready == free_inputs__takes);
        assert (seen_inputs__in_data == free_gate__gives);
        assert (seen_network__s_axis_tvalid == free_inputs__offers && seen_inputs__out_ready == free_network__takes);
        assert (seen_network__s_axis_tdata == free_inputs__gives[INPUT_LANES*INPUT_BITS-1:0]);
        assert (seen_outputs__in_valid == free_network__offers && seen_network__m_axis_tready == free_outputs__takes);
        assert (seen_outputs__in_data == kept);
        assert (out_valid == free_outputs__offers && seen_outputs__out_ready == out_ready);
        assert (out_frame == (free_network__offers && free_outputs__takes && free_network__last));
        assert (seen_packet_end__valid == free_outputs__offers && seen_packet_end__ready == out_ready);
        assert (out_last == free_packet_end__ends && &out_keep);
        assert (USER_BITS == 0 || user_given == free_network__finds);
        assert (seen_gate__words_here == IN_WORDS && seen_packet_end__words_here == OUT_WORDS);
        assert (seen_gate__last_here == (INPUTS - (IN_WORDS - 1) * SLOTS) * SLOT_BYTES);
        assert (seen_inputs__width_here == IN_UNIT * INPUT_BITS && seen_inputs__in_here == SLOTS / IN_UNIT);
        assert (SLOTS % IN_UNIT == 0 && RESULTS % OUT_UNIT == 0);
        assert (seen_inputs__out_here == GATHERED && seen_inputs__units_here == (INPUTS + IN_UNIT - 1) / IN_UNIT);
        assert (IN_ONE ? IN_UNIT == SLOTS : INPUT_LANES % IN_UNIT == 0);
        assert (seen_outputs__width_here == OUT_UNIT * RESULT_BITS && seen_outputs__in_here == SPREAD);
        assert (seen_outputs__out_here == RESULTS / OUT_UNIT);
        assert (seen_outputs__units_here == (OUTPUTS + OUT_UNIT - 1) / OUT_UNIT);
        assert (OUT_ONE ? OUT_UNIT == RESULTS : OUTPUT_LANES % OUT_UNIT == 0);
    end
    genvar i;
    generate
        for (i = 0; i < SLOTS; i = i + 1) begin : slots
            always @* assert (seen_gate__in_data[i*INPUT_BITS +: INPUT_BITS] == in_data[8*SLOT_BYTES*i +: INPUT_BITS]);
        end
        for (i = 0; i < RESULTS; i = i + 1) begin : results
            wire [RESULT_BITS-1:0] x = free_outputs__gives[i*RESULT_BITS +: RESULT_BITS];
            wire [31:0] extended = {{32{SIGNED != 0 && x[RESULT_BITS-1]}}, x};
            always @* assert (out_data[32*i +: 32] == extended);
        end
    endgenerate
endmodule
`default_nettype wire
