"""From the trained detector to chips: every form and target, verified, and what each costs against the bus's time.

The quantized network is made once (`train`); other targets take the same integers, as do the spikes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.bundle import Bundle
from edgeml.data.dataset import load_arrays
from edgeml.errors import EdgemlError, MissingTool
from edgeml.pipeline import convert
from edgeml.terminal import Terminal

from .bus import shortest_frame_seconds

__all__ = [
    "NETWORK",
    "QUANTIZED",
    "Budget",
    "Deployment",
    "budget_of",
    "deploy",
    "deployments",
    "show_budgets",
    "some_windows",
]

QUANTIZED = "quantized-host"
NETWORK = "can_ids.edgeml"
_MEASURED_WINDOWS = 32
_TESTED_WINDOWS = 64
_BUSES = (500_000, 1_000_000)


@dataclass(frozen=True)
class Deployment:
    """One conversion, as `edgeml convert` takes it; `source` lies in the folder that `train` left."""

    form: str
    target: str
    source: str
    options: Mapping[str, Any]
    measured_on: str = ""

    @property
    def folder(self) -> str:
        """Name of the bundle."""
        return f"{self.form}-{self.target}"


def deployments(synthesize: bool = False) -> tuple[Deployment, ...]:
    """What `deploy` makes; the FPGA design takes one window a clock, and yosys counts its tables where it is to."""
    integers = f"{QUANTIZED}/network.edgeml"
    every_clock = {"architecture": "unrolled", "synthesize": synthesize}
    spikes = {"encoding": "stbif", "input_encoding": "direct"}
    return (
        Deployment("quantized", "xczu7ev", integers, every_clock, "verilator"),
        Deployment("quantized", "cortex-m7", integers, {}, "unicorn-m7"),
        Deployment("spiking", "host", integers, spikes),
    )


@dataclass(frozen=True)
class Budget:
    """The time that one window takes, against the bus.

    Parameters
    ----------
    bundle : its folder's name.
    executor : what the cycles or instructions were counted on.
    unit : cycles or instructions.
    count : of one window: FPGA, from the first input accepted to the last output; microcontroller, of one inference.
    interval : FPGA: cycles from one window to the next; else as `count`.
    clock : Hz, of the part.
    cost : resources, in words.
    """

    bundle: str
    executor: str
    unit: str
    count: int
    interval: int
    clock: float
    cost: str

    @property
    def seconds(self) -> float:
        """Of one window, at one instruction a cycle where instructions were counted."""
        return self.count / self.clock

    def share(self, bits_per_second: float, data_bytes: int = 0) -> float:
        """Of the time that the shortest frame with so many data bytes takes."""
        return self.seconds / shortest_frame_seconds(bits_per_second, data_bytes)


def some_windows(data: Path) -> dict[str, npt.NDArray[Any]]:
    """Held-back windows from all over the log, few enough for RTL simulators, beside edgeml's own test vectors."""
    x = load_arrays(data)["x_test"]
    chosen = x[np.linspace(0, len(x) - 1, min(len(x), _TESTED_WINDOWS)).astype(np.int64)]
    return {"x": chosen, "x_test": chosen}


def deploy(
    folder: Path,
    data: Path,
    synthesize: bool = False,
    only: tuple[str, ...] = (),
    progress: Callable[..., None] = lambda *_: None,
    announce: Callable[[str], None] = lambda _: None,
    show: Callable[[Bundle], None] = lambda _: None,
) -> tuple[list[Bundle], dict[str, str]]:
    """Make and verify the bundles, in `folder`; returns them, and why others were not made (a tool is missing)."""
    bundles, missing = [], {}
    for each in deployments(synthesize):
        if only and each.folder not in only:
            continue
        try:
            bundle = convert(
                folder / each.source,
                to=each.form,
                target=each.target,
                data=some_windows(data),
                output=folder / each.folder,
                options=each.options,
                progress=progress,
                announce=announce,
            )
        except MissingTool as error:
            missing[each.folder] = str(error)
            continue
        bundles.append(bundle)
        show(bundle)
    return bundles, missing


def budget_of(bundle: Bundle, x: npt.NDArray[np.uint8]) -> Budget | None:
    """What the bundle's executor counts on some windows x [windows, features]; None where it does not run here."""
    measured = {each.folder: each.measured_on for each in deployments()}.get(bundle.name, "")
    if not measured:
        return None
    try:
        measures = bundle.run(x[:_MEASURED_WINDOWS].astype(np.float32), on=measured).measures
    except EdgemlError:
        return None
    target = bundle.manifest["metrics"]["target"]
    if bundle.profile.kind == "fpga":
        return _fpga_budget(bundle, measured, measures, target)
    count = int(measures["instructions"])
    cost = f"flash {measures['flash_bytes']:,} bytes, RAM {measures['ram_bytes']:,} bytes"
    return Budget(bundle.name, measured, "instructions", count, count, float(bundle.profile.values["clock_hz"]), cost)


def _fpga_budget(bundle: Bundle, executor: str, measures: Mapping[str, Any], target: Mapping[str, Any]) -> Budget:
    cost = ", ".join(
        f"{name.replace('_', ' ')} {target['estimate'][name]:,} ({target['estimate'][name] / available:.1%})"
        for name, available in target["budget"].items()
        if available
    )
    latency, interval = int(measures["cycles"]["latency"]), int(measures["cycles"]["interval"])
    return Budget(bundle.name, executor, "cycles", latency, interval, target["planned_clock_mhz"] * 1e6, cost)


def _against(budget: Budget, bits_per_second: float, data_bytes: int) -> str:
    share = budget.share(bits_per_second, data_bytes)
    times = f"{1 / share:,.1f} times under it" if share <= 1 else "too slow for it"
    seconds = shortest_frame_seconds(bits_per_second, data_bytes)
    return f"{share:.2%} of the {seconds * 1e6:g} µs of a frame of {data_bytes} bytes, {times}"


def show_budgets(terminal: Terminal, budgets: list[Budget]) -> None:
    """Print each budget against the shortest frames without data and with 8 bytes, at 500 kbit/s and 1 Mbit/s."""
    for each in budgets:
        terminal.plain(
            f"{each.bundle} on {each.executor}: {each.count:,} {each.unit} a window"
            + (f", one every {each.interval:,}" if each.interval != each.count else "")
            + f", {each.seconds * 1e6:.3f} µs at {each.clock / 1e6:g} MHz"
            + (" and one instruction a cycle" if each.unit == "instructions" else "")
        )
        for bus in _BUSES:
            terminal.plain(f"  at {bus // 1000} kbit/s: " + "; ".join(_against(each, bus, data) for data in (0, 8)))
        terminal.plain(f"  {each.cost}")
