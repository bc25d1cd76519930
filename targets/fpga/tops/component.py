"""`component.xml`: an IP as IP-XACT (IEEE 1685-2009) describes it, for tools that read a catalog from a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

from edgeml.licensing import SPDX

from ..verilog.writer import Port
from .registers import Register

__all__ = ["Component", "component_xml", "customization_script"]

_SPIRIT = "http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009"
_XILINX = "http://www.xilinx.com"
_INFO = re.compile(r'X_INTERFACE_INFO = "xilinx\.com:(\w+):(\w+):([\d.]+) (\w+) (\w+)"')
_PARAMETER = re.compile(r'X_INTERFACE_PARAMETER = "([^"]*)"')
_SOURCES = "sources"
_CONSTRAINTS = "constraints"
_CUSTOMIZATION = "customization"
_VIEWS = (
    ("xilinx_verilogsynthesis", "verilogSource:vivado.xilinx.com:synthesis", (_SOURCES, _CONSTRAINTS)),
    ("xilinx_verilogbehavioralsimulation", "verilogSource:vivado.xilinx.com:simulation", (_SOURCES,)),
    ("xilinx_xpgui", ":vivado.xilinx.com:xgui.ui", (_CUSTOMIZATION,)),
)


@dataclass(frozen=True)
class Component:
    """What the file says of an IP.

    Parameters
    ----------
    name, version, title, text : of the IP; `name` is that of its outermost module, too. ports : of this module; their
    attributes X_INTERFACE_INFO and X_INTERFACE_PARAMETER say which bus each belongs to. sources, constraints : files,
    as seen from the folder of `component.xml`. customization : the file of `customization_script`. registers : of the
    bus `register_bus`. families : Vivado's names of families, with how far each is tried.
    """

    name: str
    version: str
    title: str
    text: str
    ports: Sequence[Port]
    sources: Sequence[str]
    constraints: Sequence[str]
    customization: str
    registers: Sequence[Register]
    register_bus: str
    families: Mapping[str, str]


@dataclass
class _Bus:
    """A bus interface: its type, whether the IP is its master, the port of each logical name, its parameters."""

    type: tuple[str, str, str]
    master: bool
    ports: dict[str, str]
    parameters: dict[str, str]


def component_xml(component: Component) -> str:
    """The text of the file. Elements stand in the order of the standard's schema."""
    ET.register_namespace("spirit", _SPIRIT)
    ET.register_namespace("xilinx", _XILINX)
    root = ET.Element(_spirit("component"))
    for tag, text in _identity("edgeml", "user", component.name, component.version):
        _add(root, tag, text)
    buses = _add(root, "busInterfaces")
    for name, bus in _buses(component.ports).items():
        _bus_interface(buses, name, bus, component.register_bus)
    _memory_map(_add(root, "memoryMaps"), component)
    model = _add(root, "model")
    _views(_add(model, "views"), component)
    ports = _add(model, "ports")
    for port in component.ports:
        _port(ports, port)
    sets = _add(root, "fileSets")
    for name, files in _file_sets(component).items():
        _file_set(sets, name, files)
    _add(root, "description", component.text)
    _parameters(root, {"Component_Name": f"{component.name}_v{component.version.replace('.', '_')}"}, "PARAM_VALUE.")
    _vendor_extensions(root, component)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {SPDX} -->\n{ET.tostring(root, encoding="unicode")}\n'


def customization_script(name: str) -> str:
    """The Tcl file with what Vivado shows of the IP before it is added to a design: it has nothing to choose."""
    return "\n".join(
        [
            f"# What Vivado shows of {name}: there is nothing to choose. Made by edgeml, never run in Vivado.",
            "proc init_gui { IPINST } {",
            '    ipgui::add_param $IPINST -name "Component_Name"',
            '    ipgui::add_page $IPINST -name "Page 0"',
            "}",
            "",
        ]
    )


def _spirit(name: str) -> str:
    return f"{{{_SPIRIT}}}{name}"


def _add(parent: ET.Element, tag: str, text: str | None = None, /, **attributes: str) -> ET.Element:
    """A new child in the standard's namespace; attributes are in it, too."""
    child = ET.SubElement(parent, _spirit(tag), {_spirit(key): value for key, value in attributes.items()})
    child.text = text
    return child


def _identity(vendor: str, library: str, name: str, version: str) -> tuple[tuple[str, str], ...]:
    return ("vendor", vendor), ("library", library), ("name", name), ("version", version)


def _buses(ports: Iterable[Port]) -> dict[str, _Bus]:
    """The bus interfaces by name, as the ports' attributes tell."""
    found: dict[str, _Bus] = {}
    for port in ports:
        text = "\n".join(port.attributes)
        info = _INFO.search(text)
        if info is None:
            continue
        library, type_, version, name, logical = info.groups()
        bus = found.setdefault(name, _Bus((library, type_, version), False, {}, {}))
        bus.ports[logical] = port.name
        if logical in ("TVALID", "AWVALID", "INTERRUPT"):
            bus.master = port.direction == "output"
        if given := _PARAMETER.search(text):
            bus.parameters.update(dict(pair.strip().split(" ", 1) for pair in given[1].split(",")))
    return found


def _bus_interface(parent: ET.Element, name: str, bus: _Bus, register_bus: str) -> None:
    interface = _add(parent, "busInterface")
    _add(interface, "name", name)
    library, type_, version = bus.type
    for tag, suffix in (("busType", ""), ("abstractionType", "_rtl")):
        _add(interface, tag, **dict(_identity("xilinx.com", library, f"{type_}{suffix}", version)))
    role = _add(interface, "master" if bus.master else "slave")
    if name == register_bus:
        _add(role, "memoryMapRef", memoryMapRef=name)
    maps = _add(interface, "portMaps")
    for logical, physical in bus.ports.items():
        entry = _add(maps, "portMap")
        _add(_add(entry, "logicalPort"), "name", logical)
        _add(_add(entry, "physicalPort"), "name", physical)
    if bus.parameters:
        _parameters(interface, bus.parameters, f"BUSIFPARAM_VALUE.{name.upper()}.")


def _parameters(parent: ET.Element, values: Mapping[str, str], prefix: str) -> None:
    """Parameters with ids of their own, each fixed but for the name of an instance."""
    whole = _add(parent, "parameters")
    for name, value in values.items():
        parameter = _add(whole, "parameter")
        _add(parameter, "name", name)
        resolve = "user" if name == "Component_Name" else "immediate"
        _add(parameter, "value", value, resolve=resolve, id=f"{prefix}{name}")


def _memory_map(parent: ET.Element, component: Component) -> None:
    whole = _add(parent, "memoryMap")
    _add(whole, "name", component.register_bus)
    block = _add(whole, "addressBlock")
    _add(block, "name", "registers")
    _add(block, "baseAddress", "0x0")
    _add(block, "range", "4096")  # the least that Vivado gives a slave; addresses are taken modulo 128 bytes
    _add(block, "width", "32")
    _add(block, "usage", "register")
    for register in component.registers:
        entry = _add(block, "register")
        _add(entry, "name", register.name)
        _add(entry, "description", register.text)
        _add(entry, "addressOffset", f"0x{register.offset:02X}")
        _add(entry, "size", "32")
        _add(entry, "access", "read-write" if register.writable else "read-only")
        if register.reset is not None:
            _add(_add(entry, "reset"), "value", f"0x{register.reset:08X}")


def _views(parent: ET.Element, component: Component) -> None:
    for name, environment, sets in _VIEWS:
        view = _add(parent, "view")
        _add(view, "name", name)
        _add(view, "envIdentifier", environment)
        if _SOURCES in sets:
            _add(view, "language", "verilog")
            _add(view, "modelName", component.name)
        for each in sets:
            _add(_add(view, "fileSetRef"), "localName", each)


def _port(parent: ET.Element, port: Port) -> None:
    entry = _add(parent, "port")
    _add(entry, "name", port.name)
    wire = _add(entry, "wire")
    _add(wire, "direction", {"input": "in", "output": "out"}[port.direction])
    if port.width:
        vector = _add(wire, "vector")
        _add(vector, "left", str(port.width - 1))
        _add(vector, "right", "0")


def _file_sets(component: Component) -> dict[str, Sequence[str]]:
    return {
        _SOURCES: component.sources,
        _CONSTRAINTS: component.constraints,
        _CUSTOMIZATION: (component.customization,),
    }


def _file_set(parent: ET.Element, name: str, files: Sequence[str]) -> None:
    whole = _add(parent, "fileSet")
    _add(whole, "name", name)
    for file in files:
        entry = _add(whole, "file")
        _add(entry, "name", file)
        match PurePosixPath(file).suffix:
            case ".v":
                _add(entry, "fileType", "verilogSource")
            case ".tcl":
                _add(entry, "fileType", "tclSource")
            case suffix:
                _add(entry, "userFileType", suffix[1:])
        if name == _CONSTRAINTS:
            for use in ("out_of_context", "synthesis", "implementation"):
                _add(entry, "userFileType", f"USED_IN_{use}")


def _vendor_extensions(parent: ET.Element, component: Component) -> None:
    """What Vivado's catalog shows and asks beside the standard."""
    extensions = ET.SubElement(_add(parent, "vendorExtensions"), f"{{{_XILINX}}}coreExtensions")

    def add(parent: ET.Element, tag: str, text: str | None = None, /, **attributes: str) -> ET.Element:
        child = ET.SubElement(parent, f"{{{_XILINX}}}{tag}", {f"{{{_XILINX}}}{k}": v for k, v in attributes.items()})
        child.text = text
        return child

    families = add(extensions, "supportedFamilies")
    for family, cycle in component.families.items():
        add(families, "family", family, lifeCycle=cycle)
    add(add(extensions, "taxonomies"), "taxonomy", "/UserIP")
    add(extensions, "displayName", component.title)
    add(extensions, "coreRevision", "1")
