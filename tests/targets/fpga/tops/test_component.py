"""`component.xml` says of the IP what its Verilog says: ports, buses, files; and it fits the standard's schema."""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from edgeml.targets.fpga.tops.ip import FOLDER
from edgeml.targets.fpga.tops.registers import registers

from .axi_designs import AxiDesign, written

_NAMES = {"spirit": "http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009"}
_STREAM = {"TDATA", "TKEEP", "TLAST", "TVALID", "TREADY"}
_TAKEN_BY_MASTERS = {"TREADY", "AWREADY", "WREADY", "BVALID", "BRESP", "ARREADY", "RVALID", "RDATA", "RRESP"}
_SCHEMA = "EDGEML_IPXACT_SCHEMA"


def _texts(root: ET.Element, path: str) -> list[str]:
    return [element.text or "" for element in root.findall(path, _NAMES)]


def _name(element: ET.Element) -> str:
    return _texts(element, "spirit:name")[0]


@pytest.fixture(scope="module", params=[AxiDesign("folded", 128, argmax=True), AxiDesign("unrolled", 32)], ids=str)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ET.Element, str]:
    """The folder of the IP, the document, the name of the IP."""
    folder = tmp_path_factory.mktemp("component")
    name = f"{written(request.param, folder).network.name}_axi"
    return folder / FOLDER, ET.parse(folder / FOLDER / "component.xml").getroot(), name


def test_ports_are_those_of_the_verilog(made: tuple[Path, ET.Element, str]) -> None:
    folder, root, name = made
    text = (folder / f"{name}.v").read_text().split(f"module {name}", 1)[1].split(");", 1)[0]
    declared = re.findall(r"^ +(input|output) +wire (?:\[(\d+):0\] )?(\w+)", text, re.MULTILINE)
    found = []
    for port in root.findall("spirit:model/spirit:ports/spirit:port", _NAMES):
        direction = {"in": "input", "out": "output"}[_texts(port, "spirit:wire/spirit:direction")[0]]
        left = _texts(port, "spirit:wire/spirit:vector/spirit:left")
        found.append((direction, left[0] if left else "", _name(port)))
    assert found == declared
    assert len(found) > 25


def test_each_port_is_one_signal_of_one_bus(made: tuple[Path, ET.Element, str]) -> None:
    _, root, _ = made
    directions = {
        _name(port): _texts(port, "spirit:wire/spirit:direction")[0]
        for port in root.findall("spirit:model/spirit:ports/spirit:port", _NAMES)
    }
    taken, buses = [], {}
    for bus in root.findall("spirit:busInterfaces/spirit:busInterface", _NAMES):
        master = bus.find("spirit:master", _NAMES) is not None
        maps = {
            _texts(entry, "spirit:logicalPort/spirit:name")[0]: _texts(entry, "spirit:physicalPort/spirit:name")[0]
            for entry in bus.findall("spirit:portMaps/spirit:portMap", _NAMES)
        }
        buses[_name(bus)] = (set(maps), master)
        for logical, physical in maps.items():
            gives = master != (logical in _TAKEN_BY_MASTERS)
            assert directions[physical] == ("out" if gives else "in"), (logical, physical)
        taken += maps.values()
    assert sorted(taken) == sorted(directions)
    assert buses["s_axis"] == (_STREAM, False)
    assert buses["m_axis"] == (_STREAM, True)
    assert buses["irq"] == ({"INTERRUPT"}, True)
    assert buses["aclk"] == ({"CLK"}, False)
    assert buses["aresetn"] == ({"RST"}, False)
    assert len(buses["s_axi"][0]) == 17
    clocked = root.findall(".//spirit:parameter[spirit:name='ASSOCIATED_BUSIF']/spirit:value", _NAMES)
    assert {each for value in clocked for each in (value.text or "").split(":")} == {"s_axis", "m_axis", "s_axi"}


def test_files_are_there_and_name_all_that_they_need(made: tuple[Path, ET.Element, str]) -> None:
    folder, root, name = made
    sets = {
        _name(each): _texts(each, "spirit:file/spirit:name")
        for each in root.findall("spirit:fileSets/spirit:fileSet", _NAMES)
    }
    assert all((folder / file).is_file() for files in sets.values() for file in files)
    sources = [folder / file for file in sets["sources"]]
    text = "".join(path.read_text() for path in sources if path.suffix == ".v")
    modules = set(re.findall(r"^module (\w+)", text, re.MULTILINE))
    assert name in modules
    used = set(re.findall(rf"^ {{4,}}(edgeml_\w+|{name.removesuffix('_axi')}_\w+) ", text, re.MULTILINE))
    assert used <= modules
    assert set(re.findall(r'"(\w+\.mem)"', text)) == {path.name for path in sources if path.suffix == ".mem"}
    for view in root.findall("spirit:model/spirit:views/spirit:view", _NAMES):
        assert set(_texts(view, "spirit:fileSetRef/spirit:localName")) <= set(sets)
    views = root.findall("spirit:model/spirit:views/spirit:view[spirit:modelName]", _NAMES)
    assert {_texts(view, "spirit:modelName")[0] for view in views} == {name}


def test_registers_have_addresses_of_their_own() -> None:
    for classes in (False, True):
        offsets = [register.offset for register in registers("0" * 64, classes)]
        assert offsets == sorted(set(offsets))
        assert len(offsets) == (26 if classes else 23)


def test_it_fits_the_schema_of_the_standard(made: tuple[Path, ET.Element, str]) -> None:
    """Against IEEE 1685-2009's files, of which `EDGEML_IPXACT_SCHEMA` names index.xsd."""
    if _SCHEMA not in os.environ:
        pytest.skip(f"{_SCHEMA} does not name the schema of IP-XACT")
    xmlschema = pytest.importorskip("xmlschema")
    xmlschema.XMLSchema(os.environ[_SCHEMA]).validate(str(made[0] / "component.xml"))
