// SPDX-License-Identifier: Apache-2.0
// The AXI top is its packets' top and its registers and nothing else: whatever the two give, each signal of either is at
// its place, and the registers see the streams, what became of packets, and classes as they are.
//
// PACKETS and edgeml_axi_lite_status stand for the two: what they give are the free inputs. TOP and PACKETS become the
// names that they have; USER_BITS is 0 without a class unit.
`default_nettype none
module PACKETS #(
    parameter BUS = 32,
    parameter USER_BITS = 8
) (
    input  wire             aclk,
    input  wire             aresetn,
    input  wire             restart,
    input  wire [15:0]      frames,
    input  wire [BUS-1:0]   s_axis_tdata,
    input  wire [BUS/8-1:0] s_axis_tkeep,
    input  wire             s_axis_tlast,
    input  wire             s_axis_tvalid,
    output wire             s_axis_tready,
    output wire [BUS-1:0]   m_axis_tdata,
    output wire [BUS/8-1:0] m_axis_tkeep,
    output wire             m_axis_tlast,
    output wire             m_axis_tvalid,
    input  wire             m_axis_tready,
    output wire             in_frame,
    output wire             ended_early,
    output wire             ran_on,
    output wire             halted,
    output wire             out_frame,
    output wire [((USER_BITS > 0) ? USER_BITS : 1)-1:0] out_class
);
    wire [7:0] says;
    wire [BUS-1:0] gives;
    wire [BUS/8-1:0] keeps;
    wire [((USER_BITS > 0) ? USER_BITS : 1)-1:0] finds;
    assign {s_axis_tready, m_axis_tlast, m_axis_tvalid, in_frame, ended_early, ran_on, halted, out_frame} = says;
    assign m_axis_tdata = gives;
    assign m_axis_tkeep = keeps;
    assign out_class = finds;
endmodule

module edgeml_axi_lite_status #(
    parameter CLASS_BITS = 0,
    parameter CLASS_PORT = (CLASS_BITS > 0) ? CLASS_BITS : 1
) (
    input  wire [255:0] MODEL_HASH,
    input  wire        clk,
    input  wire        rst,
    input  wire        in_valid,
    input  wire        in_ready,
    input  wire        in_frame,
    input  wire        ended_early,
    input  wire        ran_on,
    input  wire        halted,
    input  wire        out_valid,
    input  wire        out_ready,
    input  wire        out_frame,
    input  wire [CLASS_PORT-1:0] out_class,
    output wire        irq,
    output wire [15:0] frames,
    output wire        restart,
    input  wire [6:0] awaddr,
    input  wire awvalid,
    input  wire [31:0] wdata,
    input  wire [3:0] wstrb,
    input  wire wvalid,
    input  wire bready,
    input  wire [6:0] araddr,
    input  wire arvalid,
    input  wire rready,
    output wire awready,
    output wire wready,
    output wire [1:0] bresp,
    output wire bvalid,
    output wire arready,
    output wire [31:0] rdata,
    output wire [1:0] rresp,
    output wire rvalid
);
    wire [31:0] class_here = CLASS_BITS;
    wire [17:0] orders;
    wire [40:0] answers;
    assign {irq, restart, frames} = orders;
    assign {awready, wready, bresp, bvalid, arready, rdata, rresp, rvalid} = answers;
endmodule

module prove_axi #(
    parameter BUS = 32,
    parameter USER_BITS = 8
) (
    input wire [255:0]     MODEL_HASH,  // any: of the network that the top is made for
    input wire             clk,
    input wire             rst,
    input wire [BUS-1:0]   in_data,
    input wire [BUS/8-1:0] in_keep,
    input wire             in_last,
    input wire             in_valid,
    input wire             out_ready,
    input wire [54:0]      asked,  // on AXI4-Lite
    input wire [7:0]       free_packets__says,
    input wire [BUS-1:0]   free_packets__gives,
    input wire [BUS/8-1:0] free_packets__keeps,
    input wire [((USER_BITS > 0) ? USER_BITS : 1)-1:0] free_packets__finds,
    input wire [17:0]      free_status__orders,
    input wire [40:0]      free_status__answers
);
    localparam USER = (USER_BITS > 0) ? USER_BITS : 1;
    wire in_ready, out_valid, out_last, irq;
    wire [BUS-1:0] out_data;
    wire [BUS/8-1:0] out_keep;
    wire [6:0] awaddr;
    wire awvalid;
    wire [31:0] wdata;
    wire [3:0] wstrb;
    wire wvalid;
    wire bready;
    wire [6:0] araddr;
    wire arvalid;
    wire rready;
    wire awready;
    wire wready;
    wire [1:0] bresp;
    wire bvalid;
    wire arready;
    wire [31:0] rdata;
    wire [1:0] rresp;
    wire rvalid;
    assign {awaddr, awvalid, wdata, wstrb, wvalid, bready, araddr, arvalid, rready} = asked;
    TOP unit (
        .MODEL_HASH(MODEL_HASH), .aclk(clk), .aresetn(!rst), .s_axis_tdata(in_data), .s_axis_tkeep(in_keep), .s_axis_tlast(in_last),
        .s_axis_tvalid(in_valid), .s_axis_tready(in_ready), .m_axis_tdata(out_data), .m_axis_tkeep(out_keep),
        .m_axis_tlast(out_last), .m_axis_tvalid(out_valid), .m_axis_tready(out_ready),
        .s_axi_awaddr(awaddr), .s_axi_awvalid(awvalid), .s_axi_wdata(wdata), .s_axi_wstrb(wstrb), .s_axi_wvalid(wvalid), .s_axi_bready(bready),
        .s_axi_araddr(araddr), .s_axi_arvalid(arvalid), .s_axi_rready(rready), .s_axi_awready(awready), .s_axi_wready(wready), .s_axi_bresp(bresp),
        .s_axi_bvalid(bvalid), .s_axi_arready(arready), .s_axi_rdata(rdata), .s_axi_rresp(rresp), .s_axi_rvalid(rvalid), .irq(irq)
    );
    // Contract.
    wire seen_packets__aclk, seen_packets__aresetn, seen_packets__restart, seen_packets__s_axis_tvalid;
    wire seen_packets__s_axis_tlast, seen_packets__m_axis_tready;
    wire [15:0] seen_packets__frames;
    wire [BUS-1:0] seen_packets__s_axis_tdata;
    wire [BUS/8-1:0] seen_packets__s_axis_tkeep;
    wire seen_status__clk, seen_status__rst, seen_status__in_valid, seen_status__in_ready, seen_status__out_valid;
    wire seen_status__out_ready, seen_status__in_frame, seen_status__ended_early, seen_status__ran_on;
    wire seen_status__halted, seen_status__out_frame;
    wire [USER-1:0] seen_status__out_class;
    wire [31:0] seen_status__class_here;
    wire [255:0] seen_status__MODEL_HASH;
    wire [6:0] seen_status__awaddr;
    wire seen_status__awvalid;
    wire [31:0] seen_status__wdata;
    wire [3:0] seen_status__wstrb;
    wire seen_status__wvalid;
    wire seen_status__bready;
    wire [6:0] seen_status__araddr;
    wire seen_status__arvalid;
    wire seen_status__rready;
    always @* begin
        assert (seen_packets__aclk == clk && seen_status__clk == clk);
        assert (seen_packets__aresetn == !rst && seen_status__rst == rst);
        assert ({irq, seen_packets__restart, seen_packets__frames} == free_status__orders);
        assert (seen_packets__s_axis_tdata == in_data && seen_packets__s_axis_tkeep == in_keep);
        assert (seen_packets__s_axis_tlast == in_last && seen_packets__s_axis_tvalid == in_valid);
        assert (seen_packets__m_axis_tready == out_ready);
        assert ({in_ready, out_last, out_valid} == free_packets__says[7:5]);
        assert (out_data == free_packets__gives && out_keep == free_packets__keeps);
        assert (seen_status__in_valid == in_valid && seen_status__in_ready == free_packets__says[7]);
        assert (seen_status__out_valid == free_packets__says[5] && seen_status__out_ready == out_ready);
        assert ({seen_status__in_frame, seen_status__ended_early, seen_status__ran_on, seen_status__halted,
                 seen_status__out_frame} == free_packets__says[4:0]);
        assert (seen_status__out_class == (USER_BITS == 0 ? {USER{1'b0}} : free_packets__finds));
        assert (seen_status__class_here == USER_BITS && seen_status__MODEL_HASH == MODEL_HASH);
        assert ({seen_status__awaddr, seen_status__awvalid, seen_status__wdata, seen_status__wstrb,
                 seen_status__wvalid, seen_status__bready, seen_status__araddr, seen_status__arvalid, seen_status__rready} == asked);
        assert ({awready, wready, bresp, bvalid, arready, rdata, rresp, rvalid} == free_status__answers);
    end
endmodule
`default_nettype wire
