// SPDX-License-Identifier: Apache-2.0
// The AXI top is its stream top and its registers and nothing else: whatever the two give, each signal of either is at its
// place, and the registers see the streams, their beats and classes as they are.
//
// AXIS and edgeml_axi_lite_status stand for the two: what they give are the free inputs. TOP and AXIS become the names
// that they have; USER_BITS is 0 without a class unit.
`default_nettype none
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

module edgeml_axi_lite_status #(
    parameter [255:0] MODEL_HASH = 256'd0,
    parameter IN_BEATS = 1,
    parameter CLASS_BITS = 0,
    parameter CLASS_PORT = (CLASS_BITS > 0) ? CLASS_BITS : 1
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        in_valid,
    input  wire        in_ready,
    input  wire        out_valid,
    input  wire        out_ready,
    input  wire        out_last,
    input  wire [CLASS_PORT-1:0] out_class,
    output wire        irq,
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
    wire [31:0] beats_here = IN_BEATS, class_here = CLASS_BITS;
    wire interrupts;
    wire [40:0] answers;
    assign irq = interrupts;
    assign {awready, wready, bresp, bvalid, arready, rdata, rresp, rvalid} = answers;
endmodule

module prove_axi #(
    parameter IN_WIDTH = 8,
    parameter OUT_WIDTH = 16,
    parameter USER_BITS = 8,
    parameter IN_BEATS = 1
) (
    input wire                 clk,
    input wire                 rst,
    input wire [IN_WIDTH-1:0]  in_data,
    input wire                 in_valid,
    input wire                 out_ready,
    input wire [54:0]          asked,  // on AXI4-Lite
    input wire                 free_design_axis__takes,
    input wire                 free_design_axis__offers,
    input wire                 free_design_axis__last,
    input wire [OUT_WIDTH-1:0] free_design_axis__gives,
    input wire [((USER_BITS > 0) ? USER_BITS : 1)-1:0] free_design_axis__finds,
    input wire                 free_status__interrupts,
    input wire [40:0]          free_status__answers
);
    localparam USER = (USER_BITS > 0) ? USER_BITS : 1;
    wire in_ready, out_valid, out_last, irq;
    wire [OUT_WIDTH-1:0] out_data;
    wire [USER-1:0] user_given;
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
        .aclk(clk), .aresetn(!rst), .s_axis_tdata(in_data), .s_axis_tvalid(in_valid), .s_axis_tready(in_ready),
        .m_axis_tdata(out_data), .m_axis_tvalid(out_valid), .m_axis_tready(out_ready), .m_axis_tlast(out_last),
        .s_axi_awaddr(awaddr), .s_axi_awvalid(awvalid), .s_axi_wdata(wdata), .s_axi_wstrb(wstrb), .s_axi_wvalid(wvalid), .s_axi_bready(bready),
        .s_axi_araddr(araddr), .s_axi_arvalid(arvalid), .s_axi_rready(rready), .s_axi_awready(awready), .s_axi_wready(wready), .s_axi_bresp(bresp),
        .s_axi_bvalid(bvalid), .s_axi_arready(arready), .s_axi_rdata(rdata), .s_axi_rresp(rresp), .s_axi_rvalid(rvalid), .irq(irq)
        /*.m_axis_tuser(user_given)*/
    );
    // Contract.
    wire seen_design_axis__aclk, seen_design_axis__aresetn, seen_design_axis__s_axis_tvalid;
    wire seen_design_axis__m_axis_tready;
    wire [IN_WIDTH-1:0] seen_design_axis__s_axis_tdata;
    wire seen_status__clk, seen_status__rst, seen_status__in_valid, seen_status__in_ready, seen_status__out_valid;
    wire seen_status__out_ready, seen_status__out_last;
    wire [USER-1:0] seen_status__out_class;
    wire [31:0] seen_status__beats_here, seen_status__class_here;
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
        assert (seen_design_axis__aclk == clk && seen_status__clk == clk);
        assert (seen_design_axis__aresetn == !rst && seen_status__rst == rst);
        assert (seen_design_axis__s_axis_tdata == in_data && seen_design_axis__s_axis_tvalid == in_valid);
        assert (in_ready == free_design_axis__takes && seen_design_axis__m_axis_tready == out_ready);
        assert (out_data == free_design_axis__gives && out_valid == free_design_axis__offers);
        assert (out_last == free_design_axis__last && (USER_BITS == 0 || user_given == free_design_axis__finds));
        assert (seen_status__in_valid == in_valid && seen_status__in_ready == free_design_axis__takes);
        assert (seen_status__out_valid == free_design_axis__offers && seen_status__out_ready == out_ready);
        assert (seen_status__out_last == free_design_axis__last);
        assert (seen_status__out_class == (USER_BITS == 0 ? {USER{1'b0}} : free_design_axis__finds));
        assert (seen_status__beats_here == IN_BEATS && seen_status__class_here == USER_BITS);
        assert ({seen_status__awaddr, seen_status__awvalid, seen_status__wdata, seen_status__wstrb,
                 seen_status__wvalid, seen_status__bready, seen_status__araddr, seen_status__arvalid, seen_status__rready} == asked);
        assert ({awready, wready, bresp, bvalid, arready, rdata, rresp, rvalid} == free_status__answers);
        assert (irq == free_status__interrupts);
    end
endmodule
`default_nettype wire
