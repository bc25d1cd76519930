"""For AMD parts with a processor: a block design with the packaged IP behind a DMA, and a driver for PYNQ."""

from __future__ import annotations

from importlib import resources

from edgeml.network import Network
from edgeml.network.network_file import model_hash

from ..budget import Budget
from .packets import Packets

__all__ = ["zynq_files"]

_PROCESSORS = {
    "xc7z": ("processing_system7", "S_AXI_HP0", "M_AXI_GP0", "CONFIG.PCW_USE_S_AXI_HP0 {1}"),
    "xczu": ("zynq_ultra_ps_e", "S_AXI_HP0_FPD", "M_AXI_HPM0_FPD", "CONFIG.PSU__USE__S_AXI_GP2 {1}"),
}
_BOARDS = {"xc7z020": "tul.com.tw:pynq-z2:part0:1.0", "xczu7ev": "xilinx.com:zcu104:part0:1.1"}


def zynq_files(network: Network, packets: Packets, budget: Budget) -> dict[str, bytes]:
    """Files by name, beside the IP; none for a part without a processor."""
    kind = next((kind for kind in _PROCESSORS if budget.part.startswith(kind)), None)
    if kind is None:
        return {}
    return {
        "block_design.tcl": _block_design(network, packets, budget, kind).encode(),
        f"{network.name}_pynq.py": _driver(network, packets).encode(),
    }


def _driver(network: Network, packets: Packets) -> str:
    text = (resources.files("edgeml.firmware_stubs") / "packaging" / "pynq_driver.py.in").read_text("utf-8")
    given = {
        "NAME": network.name,
        "HASH": model_hash(network),
        "INPUTS": network.input_size,
        "OUTPUTS": network.output_size,
        "LOW": network.quantizer.low,
        "HIGH": network.quantizer.high,
        "TYPE": packets.input_type,
        "WIDTH": packets.width,
        "ROW_BYTES": packets.input_words * packets.width // 8,
        "RESULT_SLOTS": packets.output_words * packets.results,
    }
    for name, value in given.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def _block_design(network: Network, packets: Packets, budget: Budget, kind: str) -> str:
    processor, slave, master, used = _PROCESSORS[kind]
    board = next((board for part, board in _BOARDS.items() if budget.part.startswith(part)), "")
    name, width = f"{network.name}_axi", packets.width
    return f"""# A block design with {name}, made by edgeml: processor, AXI DMA and IP. Never run in Vivado.
#
#     vivado -mode batch -source block_design.tcl
#
# It takes the IP of component.xml; or, where package_ip.tcl was run before, the one that it packaged in ip/.
# {network.name}.bit and {network.name}.hwh come to lie beside this script, for {network.name}_pynq.py. The files of the
# board must be installed in Vivado: they set up the processor's memory. Another board: set board_part and part below.
# Model: sha256 {model_hash(network)}

set here [file normalize [file dirname [info script]]]
set part {budget.part}
set board_part {{{board}}}
set repository [file join $here ip]
if {{![file isdirectory $repository]}} {{
    set repository $here
}}

create_project -force -part $part block_design [file join $here block_design.project]
if {{$board_part ne ""}} {{
    set_property board_part $board_part [current_project]
}}
set_property ip_repo_paths $repository [current_project]
update_ip_catalog
create_bd_design system

set processor [create_bd_cell -type ip -vlnv xilinx.com:ip:{processor} processor]
apply_bd_automation -rule xilinx.com:bd_rule:{processor} -config {{apply_board_preset "1"}} $processor
set_property -dict [list {used}] $processor
set network [create_bd_cell -type ip -vlnv edgeml:user:{name} network]
set dma [create_bd_cell -type ip -vlnv xilinx.com:ip:axi_dma dma]
set_property -dict [list CONFIG.c_include_sg {{0}} CONFIG.c_sg_length_width {{26}} \\
    CONFIG.c_m_axi_mm2s_data_width {{{width}}} CONFIG.c_m_axis_mm2s_tdata_width {{{width}}} \\
    CONFIG.c_m_axi_s2mm_data_width {{{width}}}] $dma

connect_bd_intf_net [get_bd_intf_pins dma/M_AXIS_MM2S] [get_bd_intf_pins network/s_axis]
connect_bd_intf_net [get_bd_intf_pins network/m_axis] [get_bd_intf_pins dma/S_AXIS_S2MM]
foreach slave {{dma/S_AXI_LITE network/s_axi}} {{
    apply_bd_automation -rule xilinx.com:bd_rule:axi4 \\
        -config [list Master /processor/{master} Clk Auto] [get_bd_intf_pins $slave]
}}
apply_bd_automation -rule xilinx.com:bd_rule:axi4 \\
    -config [list Master /dma/M_AXI_MM2S Clk Auto] [get_bd_intf_pins processor/{slave}]
apply_bd_automation -rule xilinx.com:bd_rule:axi4 \\
    -config [list Slave /processor/{slave} Clk Auto] [get_bd_intf_pins dma/M_AXI_S2MM]

{_bitstream(network.name)}"""


def _bitstream(name: str) -> str:
    """The end of the script: from the joined design to its bitstream and hand-off file."""
    return f"""assign_bd_address
validate_bd_design
save_bd_design
set design [get_files system.bd]
add_files -norecurse [make_wrapper -files $design -top]
set_property top system_wrapper [current_fileset]
launch_runs impl_1 -to_step write_bitstream
wait_on_run impl_1
set run [get_property DIRECTORY [get_runs impl_1]]
file copy -force [file join $run system_wrapper.bit] [file join $here {name}.bit]
set project [file dirname [file dirname $run]]
set handoff [glob -directory $project -type f */sources_1/bd/system/hw_handoff/*.hwh]
file copy -force [lindex $handoff 0] [file join $here {name}.hwh]
"""
