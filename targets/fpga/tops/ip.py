"""The IP for AMD parts: a design's AXI4-Stream top with status registers, and a Vivado script that packages it."""

from __future__ import annotations

from edgeml.network import Network
from edgeml.network.network_file import model_hash

from ..budget import Budget
from ..design import DESIGN_FILE, Built, library_text
from ..verilog.text import bus, instance

__all__ = ["FOLDER", "STATUS_MODULE", "ip_files"]

FOLDER = "tops/axi"
STATUS_MODULE = "edgeml_axi_lite_status.v"
_FAMILIES = ("xc7", "xcup")
_ADDRESS_BITS = 7
_VERSION = "1.0"
# Nobody has run it in Vivado on any: pre-production, says the catalog.
_SUPPORTED = " ".join(
    f"{family} Pre-Production" for family in ("artix7", "kintex7", "zynq", "zynquplus", "virtexuplus")
)


def ip_files(network: Network, built: Built, budget: Budget) -> dict[str, bytes]:
    """Files of the IP by their path in a bundle; none for a part that is not AMD's."""
    if budget.family.name not in _FAMILIES:
        return {}
    name = f"{network.name}_axi"
    return {
        f"{FOLDER}/{name}.v": _top(name, network, built).encode(),
        f"{FOLDER}/{STATUS_MODULE}": library_text(STATUS_MODULE),
        f"{FOLDER}/{name}.xdc": _constraints(name, budget).encode(),
        f"{FOLDER}/package_ip.tcl": _script(name, network, built, budget).encode(),
    }


def _port(kind: str, width: int, port: str, attributes: tuple[str, ...]) -> str:
    """A port behind its attributes; a width of 0 is a single wire."""
    lines = [f"    (* {attribute} *)" for attribute in attributes]
    return "\n".join([*lines, f"    {kind:<6} wire {bus(width) if width else ''}{port}"])


def _stream(name: str, bits: int, master: bool, user: int = 0) -> list[str]:
    """Ports of an AXI4-Stream interface; only a master tells where a frame ends. user : width of TUSER."""
    give, take = ("output", "input") if master else ("input", "output")
    parameter = f'X_INTERFACE_PARAMETER = "TDATA_NUM_BYTES {bits // 8}, HAS_TREADY 1, HAS_TLAST {int(master)}'
    parameter += f', TUSER_WIDTH {user}"'
    ports = [("TDATA", give, bits), ("TVALID", give, 0), ("TREADY", take, 0)]
    if master:
        ports.append(("TLAST", give, 0))
    if user:
        ports.append(("TUSER", give, user))
    return [
        _port(
            kind,
            width,
            f"{name}_{signal.lower()}",
            (
                f'X_INTERFACE_INFO = "xilinx.com:interface:axis:1.0 {name} {signal}"',
                *((parameter,) if signal == "TDATA" else ()),
            ),
        )
        for signal, kind, width in ports
    ]


_LITE = (
    ("AWADDR", "input", _ADDRESS_BITS),
    ("AWVALID", "input", 0),
    ("AWREADY", "output", 0),
    ("WDATA", "input", 32),
    ("WSTRB", "input", 4),
    ("WVALID", "input", 0),
    ("WREADY", "output", 0),
    ("BRESP", "output", 2),
    ("BVALID", "output", 0),
    ("BREADY", "input", 0),
    ("ARADDR", "input", _ADDRESS_BITS),
    ("ARVALID", "input", 0),
    ("ARREADY", "output", 0),
    ("RDATA", "output", 32),
    ("RRESP", "output", 2),
    ("RVALID", "output", 0),
    ("RREADY", "input", 0),
)


def _lite() -> list[str]:
    parameter = f'X_INTERFACE_PARAMETER = "PROTOCOL AXI4LITE, DATA_WIDTH 32, ADDR_WIDTH {_ADDRESS_BITS}"'
    return [
        _port(
            kind,
            width,
            f"s_axi_{signal.lower()}",
            (
                f'X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi {signal}"',
                *((parameter,) if signal == "AWADDR" else ()),
            ),
        )
        for signal, kind, width in _LITE
    ]


def _top(name: str, network: Network, built: Built) -> str:
    interface = built.interface
    reset = ('X_INTERFACE_INFO = "xilinx.com:signal:reset:1.0 aresetn RST"',
             'X_INTERFACE_PARAMETER = "POLARITY ACTIVE_LOW"')  # fmt: skip
    # Without FREQ_HZ: the block design's clock decides, whatever was planned.
    clock = (
        'X_INTERFACE_INFO = "xilinx.com:signal:clock:1.0 aclk CLK"',
        'X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF s_axis:m_axis:s_axi, ASSOCIATED_RESET aresetn"',
    )
    interrupt = ('X_INTERFACE_INFO = "xilinx.com:signal:interrupt:1.0 irq INTERRUPT"',
                 'X_INTERFACE_PARAMETER = "SENSITIVITY LEVEL_HIGH"')  # fmt: skip
    user = 8 * interface.class_bytes if interface.classes else 0
    ports = [
        _port("input", 0, "aclk", clock),
        _port("input", 0, "aresetn", reset),
        *_stream("s_axis", 8 * interface.input_bytes, False),
        *_stream("m_axis", 8 * interface.output_bytes, True, user),
        *_lite(),
        _port("output", 0, "irq", interrupt),
    ]
    streams = ["s_axis_tdata", "s_axis_tvalid", "s_axis_tready", "m_axis_tdata", "m_axis_tvalid", "m_axis_tready"]
    streams += ["m_axis_tlast", *(["m_axis_tuser"] if user else [])]
    design = instance(built.top, "design_axis", {}, {port: port for port in ("aclk", "aresetn", *streams)})
    status = instance(
        STATUS_MODULE[:-2],
        "status",
        {},
        {
            "clk": "aclk",
            "rst": "!aresetn",
            "in_valid": "s_axis_tvalid",
            "in_ready": "s_axis_tready",
            "out_valid": "m_axis_tvalid",
            "out_ready": "m_axis_tready",
            "out_last": "m_axis_tlast",
            "out_class": "m_axis_tuser" if user else "1'b0",
            "irq": "irq",
            **{signal.lower(): f"s_axi_{signal.lower()}" for signal, _, _ in _LITE},
        },
    ).replace(
        f"{STATUS_MODULE[:-2]} status (",
        f"{STATUS_MODULE[:-2]} #(\n        .MODEL_HASH(256'h{model_hash(network)}),\n"
        f"        .IN_BEATS({interface.input_beats}),\n        .CLASS_BITS({user})\n    ) status (",
    )
    head = f"""// {name}: {built.top} with status registers on AXI4-Lite, made by edgeml.
//
// Streams: see {built.top}.v. Registers: see {STATUS_MODULE}. One clock for all.
// The attributes tell Vivado which ports belong together; other tools pass over them.
// Model: sha256 {model_hash(network)}
`default_nettype none
module {name} (
"""
    return head + ",\n".join(ports) + f"\n);\n{design}\n{status}\nendmodule\n`default_nettype wire\n"


def _constraints(name: str, budget: Budget) -> str:
    return "\n".join(
        [
            f"# {name} out of context, made by edgeml: the clock that the design was planned for.",
            "# In a block design the clock comes from outside, and this file is not used.",
            f"create_clock -name aclk -period {1000 / budget.clock_mhz:.3f} [get_ports aclk]",
            "",
        ]
    )


def _script(name: str, network: Network, built: Built, budget: Budget) -> str:
    rtl = [f"../../rtl/{file}" for file in built.sources]
    memories = [f"../../rtl/{file}" for file in built.files if file not in (*built.sources, DESIGN_FILE, "sources.f")]
    files = "\n".join(f"    {file}" for file in (*rtl, *memories, STATUS_MODULE, f"{name}.v"))
    return f"""# Packages {name} as an IP for Vivado's catalog, made by edgeml.
#
#     vivado -mode batch -source package_ip.tcl
#
# The IP, with copies of its sources, comes to lie in the folder ip/ beside this script.
# Model: sha256 {model_hash(network)}

set here [file normalize [file dirname [info script]]]
set sources {{
{files}
}}
set constraints {{{name}.xdc}}

# Packaging wants a project on the disk: it lies beside this script, and goes at the end.
set scratch [file join $here package_ip.project]
create_project -force -part {budget.part} package_ip $scratch
foreach source $sources {{
    add_files -norecurse [file normalize [file join $here $source]]
}}
add_files -fileset constrs_1 -norecurse [file join $here $constraints]
set_property USED_IN {{out_of_context synthesis implementation}} [get_files [file join $here $constraints]]
set_property top {name} [current_fileset]
update_compile_order -fileset sources_1

ipx::package_project -root_dir [file join $here ip] -vendor edgeml -library user -taxonomy /UserIP -import_files -force
set core [ipx::current_core]
set_property vendor edgeml $core
set_property library user $core
set_property name {name} $core
set_property version {_VERSION} $core
set_property core_revision 1 $core
set_property supported_families {{{_SUPPORTED}}} $core
set_property display_name {{{network.name} (edgeml)}} $core
set_property description {{Integer neural network, model sha256 {model_hash(network)}}} $core

# The attributes in {name}.v name the interfaces already; this makes sure of it.
ipx::infer_bus_interfaces xilinx.com:interface:axis_rtl:1.0 $core
ipx::infer_bus_interfaces xilinx.com:interface:aximm_rtl:1.0 $core
foreach bus {{s_axis m_axis s_axi}} {{
    ipx::associate_bus_interfaces -busif $bus -clock aclk $core
}}
# The block design's clock decides, whatever rate was guessed here.
set clock [ipx::get_bus_interfaces aclk -of_objects $core]
if {{[llength [ipx::get_bus_parameters FREQ_HZ -quiet -of_objects $clock]]}} {{
    ipx::remove_bus_parameter FREQ_HZ $clock
}}

ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity $core
ipx::save_core $core
close_project
file delete -force $scratch
"""
