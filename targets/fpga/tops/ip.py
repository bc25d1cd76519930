"""The IP for AMD parts: a design's AXI4-Stream top with status registers, and how it gets into Vivado's catalog: as it
is, by its `component.xml`, or packaged by a script."""

from __future__ import annotations

from edgeml.network import Network
from edgeml.network.network_file import model_hash

from ..budget import Budget
from ..design import Built
from ..verilog.shipped_modules import library_text
from ..verilog.writer import Expression, Port, Verilog, same
from .component import Component, component_xml, customization_script
from .packets import FOLDER, PACKET_MODULES, Packets
from .registers import ADDRESS_BITS, registers
from .zynq import zynq_files

__all__ = ["FOLDER", "STATUS_MODULE", "ip_files"]

STATUS_MODULE = "edgeml_axi_lite_status.v"
_FAMILIES = ("xc7", "xcup")
_VERSION = "1.0"
# Nobody has run it in Vivado on any: pre-production, says the catalog.
_SUPPORTED = dict.fromkeys(("artix7", "kintex7", "zynq", "zynquplus", "virtexuplus"), "Pre-Production")


def ip_files(network: Network, built: Built, budget: Budget) -> dict[str, bytes]:
    """Files of the IP by their path in a bundle, beside those of `packet_files`; none for a part that is not AMD's."""
    if budget.family.name not in _FAMILIES:
        return {}
    name, packets = f"{network.name}_axi", Packets(built.interface, built.design.axi_width)
    return {
        f"{FOLDER}/{name}.v": _top(name, network, built, packets).encode(),
        f"{FOLDER}/{STATUS_MODULE}": library_text(STATUS_MODULE),
        f"{FOLDER}/{name}.xdc": _constraints(name, budget).encode(),
        **{f"{FOLDER}/{file}": content for file, content in zynq_files(network, packets, budget).items()},
        f"{FOLDER}/package_ip.tcl": _script(name, network, built, budget).encode(),
        f"{FOLDER}/component.xml": component_xml(_component(name, network, built, packets)).encode(),
        f"{FOLDER}/{_customization(name)}": customization_script(name).encode(),
    }


def _port(direction: str, name: str, info: str, width: int = 0, parameter: str = "") -> Port:
    """A port behind the attributes that tell Vivado which signal of which interface it is."""
    attributes = [f'X_INTERFACE_INFO = "xilinx.com:{info}"']
    if parameter:
        attributes.append(f'X_INTERFACE_PARAMETER = "{parameter}"')
    return Port(direction, name, width, attributes=tuple(attributes))


def _stream(name: str, bits: int, master: bool) -> list[Port]:
    """Ports of an AXI4-Stream interface."""
    give, take = ("output", "input") if master else ("input", "output")
    parameter = f"TDATA_NUM_BYTES {bits // 8}, HAS_TREADY 1, HAS_TKEEP 1, HAS_TLAST 1, TUSER_WIDTH 0"
    ports = [("TDATA", give, bits), ("TKEEP", give, bits // 8), ("TLAST", give, 0), ("TVALID", give, 0)]
    ports.append(("TREADY", take, 0))
    return [
        _port(
            direction,
            f"{name}_{signal.lower()}",
            f"interface:axis:1.0 {name} {signal}",
            width,
            parameter if signal == "TDATA" else "",
        )
        for signal, direction, width in ports
    ]


_LITE = (
    ("AWADDR", "input", ADDRESS_BITS),
    ("AWVALID", "input", 0),
    ("AWREADY", "output", 0),
    ("WDATA", "input", 32),
    ("WSTRB", "input", 4),
    ("WVALID", "input", 0),
    ("WREADY", "output", 0),
    ("BRESP", "output", 2),
    ("BVALID", "output", 0),
    ("BREADY", "input", 0),
    ("ARADDR", "input", ADDRESS_BITS),
    ("ARVALID", "input", 0),
    ("ARREADY", "output", 0),
    ("RDATA", "output", 32),
    ("RRESP", "output", 2),
    ("RVALID", "output", 0),
    ("RREADY", "input", 0),
)


def _lite() -> list[Port]:
    """Ports of the AXI4-Lite interface of the status registers."""
    parameter = f"PROTOCOL AXI4LITE, DATA_WIDTH 32, ADDR_WIDTH {ADDRESS_BITS}"
    return [
        _port(
            direction,
            f"s_axi_{signal.lower()}",
            f"interface:aximm:1.0 s_axi {signal}",
            width,
            parameter if signal == "AWADDR" else "",
        )
        for signal, direction, width in _LITE
    ]


def _ports(packets: Packets) -> list[Port]:
    # Without FREQ_HZ: the block design's clock decides, whatever was planned.
    buses = "ASSOCIATED_BUSIF s_axis:m_axis:s_axi, ASSOCIATED_RESET aresetn"
    return [
        _port("input", "aclk", "signal:clock:1.0 aclk CLK", parameter=buses),
        _port("input", "aresetn", "signal:reset:1.0 aresetn RST", parameter="POLARITY ACTIVE_LOW"),
        *_stream("s_axis", packets.width, False),
        *_stream("m_axis", packets.width, True),
        *_lite(),
        _port("output", "irq", "signal:interrupt:1.0 irq INTERRUPT", parameter="SENSITIVITY LEVEL_HIGH"),
    ]


_STREAMS = tuple(f"{side}_axis_{signal}" for side in "sm" for signal in ("tdata", "tkeep", "tlast", "tvalid", "tready"))
_EVENTS = ("in_frame", "ended_early", "ran_on", "halted", "out_frame")


def _top(name: str, network: Network, built: Built, packets: Packets) -> str:
    classes = 8 * built.interface.class_bytes if built.interface.classes else 0
    inner = f"{network.name}_packets"
    verilog = Verilog()
    verilog.header(
        f"{name}: {inner} with registers on AXI4-Lite, made by edgeml.",
        "",
        f"Streams: see {inner}.v. Registers: see {STATUS_MODULE}. One clock for all.",
        "The attributes tell Vivado which ports belong together; other tools pass over them.",
        facts={"Model": f"sha256 {model_hash(network)}"},
    )
    with verilog.module(name, _ports(packets)):
        verilog.wire("restart", *_EVENTS)
        verilog.wire("frames", width=16)
        if classes:
            verilog.wire("out_class", width=classes)
        beside = ("aclk", "aresetn", "restart", "frames"), _STREAMS, (*_EVENTS, *(["out_class"] if classes else []))
        verilog.instance(inner, "packets", [same(*names) for names in beside])
        watched = {
            "clk": "aclk",
            "rst": "!aresetn",
            "in_valid": "s_axis_tvalid",
            "in_ready": "s_axis_tready",
            "out_valid": "m_axis_tvalid",
            "out_ready": "m_axis_tready",
            **same(*_EVENTS, "frames", "restart", "irq"),
            "out_class": "out_class" if classes else "1'b0",
        }
        lite = {signal.lower(): f"s_axi_{signal.lower()}" for signal, _, _ in _LITE}
        verilog.instance(
            STATUS_MODULE.removesuffix(".v"),
            "status",
            {**watched, **lite},
            [
                {"MODEL_HASH": Expression(f"256'h{model_hash(network)}")},
                {"CLASS_BITS": classes},
            ],
        )
    return verilog.text()


def _constraints(name: str, budget: Budget) -> str:
    return "\n".join(
        [
            f"# {name} out of context, made by edgeml: the clock that the design was planned for.",
            "# In a block design the clock comes from outside, and this file is not used.",
            f"create_clock -name aclk -period {1000 / budget.clock_mhz:.3f} [get_ports aclk]",
            "",
        ]
    )


def _sources(name: str, network: Network, built: Built) -> list[str]:
    """Verilog and memory images of the IP, as seen from its folder."""
    return [
        *(f"../../rtl/{file}" for file in (*built.sources, *built.memories)),
        *PACKET_MODULES,
        f"{network.name}_packets.v",
        STATUS_MODULE,
        f"{name}.v",
    ]


def _customization(name: str) -> str:
    return f"xgui/{name}_v{_VERSION.replace('.', '_')}.tcl"


def _component(name: str, network: Network, built: Built, packets: Packets) -> Component:
    return Component(
        name=name,
        version=_VERSION,
        title=f"{network.name} (edgeml)",
        text=_described(network),
        ports=_ports(packets),
        sources=_sources(name, network, built),
        constraints=(f"{name}.xdc",),
        customization=_customization(name),
        registers=registers(model_hash(network), packets.interface.classes),
        register_bus="s_axi",
        families=_SUPPORTED,
    )


def _described(network: Network) -> str:
    return f"Integer neural network, model sha256 {model_hash(network)}"


def _script(name: str, network: Network, built: Built, budget: Budget) -> str:
    files = "\n".join(f"    {file}" for file in _sources(name, network, built))
    supported = " ".join(f"{family} {cycle}" for family, cycle in _SUPPORTED.items())
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
set_property supported_families {{{supported}}} $core
set_property display_name {{{network.name} (edgeml)}} $core
set_property description {{{_described(network)}}} $core

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
