"""The executor `icarus`: the bundle's RTL and its self-checking test bench in Icarus Verilog.

Icarus interprets. What it needs to elaborate a design grows with the square of its size, and each clock with the size:
minutes for 64 vectors of a network that Verilator runs in a tenth of a second. Verification gives it a budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed, MissingTool, OverBudget
from edgeml.network import simulate
from edgeml.plugins import Execution, Subject
from edgeml.system.scratch import ScratchFolder
from edgeml.system.time_limit import OPTION, TimedOut, seconds_for

from ..argmax import check_classes
from ..design import Built
from ..files import verify_bundle
from ..testbench import expected_image, input_image, testbench
from ..tools.programs import icarus, run

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["IcarusExecutor", "compile_bench", "run_bench", "run_icarus", "seconds_to_elaborate"]

_SECONDS = 3600.0
_BUDGET = 30.0
"""Seconds of processor time in which verification has a design elaborated, and again in which it runs vectors."""
_HOPELESS = 3.0
"""A design that is estimated to take so many times the budget is not begun: estimates are that far off."""
_MISSING = "install Icarus Verilog (package iverilog of your system)"


def run_icarus(
    built: Built,
    folder: Path,
    q: npt.NDArray[np.int32],
    expected: npt.NDArray[np.int32],
    *,
    pause: int = 0,
    trace: int = 0,
) -> tuple[npt.NDArray[np.int32], str]:
    """Run q through a design in `folder`; outputs [samples, outputs], and the test bench's verdict line.

    Raises MissingTool without Icarus, CheckFailed where a result holds an undefined bit or a frame does not come.
    """
    compile_bench(built, folder, q, expected, pause=pause, trace=trace)
    outputs, verdict = run_bench(built, folder)
    if len(outputs) < len(q):
        raise CheckFailed("icarus", f"gave {len(outputs)} of {len(q)} frames: {verdict}")
    return outputs, verdict


def compile_bench(
    built: Built,
    folder: Path,
    q: npt.NDArray[np.int32],
    expected: npt.NDArray[np.int32],
    *,
    pause: int = 0,
    trace: int = 0,
    seconds: float = _SECONDS,
) -> None:
    """Elaborate a design and its test bench for the frames q [samples, inputs] within `seconds`: see `run_tool`."""
    programs = icarus()
    if programs is None:
        raise MissingTool("icarus", "is not installed", _MISSING)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in built.files.items():
        (folder / name).write_bytes(content)
    bench = f"{built.top[:-5]}_tb"
    (folder / f"{bench}.v").write_text(testbench(built, len(q)), encoding="utf-8")
    (folder / "inputs.mem").write_text(input_image(built.interface, q), encoding="utf-8")
    (folder / "expected.mem").write_text(expected_image(built.interface, expected), encoding="utf-8")
    compile_command = [
        programs[0], "-g2005", "-Wall", "-Wno-timescale", "-o", "bench.vvp", "-s", bench,
        f"-P{bench}.PAUSE={pause}", f"-P{bench}.TRACE={trace}", *built.sources, f"{bench}.v",
    ]  # fmt: skip
    run(compile_command, folder, seconds, "iverilog")


def run_bench(
    built: Built, folder: Path, *, seconds: float = _SECONDS, stops: bool = False
) -> tuple[npt.NDArray[np.int32], str]:
    """Run a test bench that is elaborated: outputs [frames, outputs] of all frames that ended, and its verdict line.

    stops : it ends after `seconds`, and then there are fewer frames and no verdict.
    """
    programs = icarus()
    if programs is None:
        raise MissingTool("icarus", "is not installed", _MISSING)
    text = run([programs[1], "-n", "bench.vvp"], folder, seconds, "vvp", stops=stops)
    words = (folder / "results.mem").read_text(encoding="utf-8").split()
    if undefined := [word for word in words if set(word) & set("xzXZ")]:
        raise CheckFailed("icarus", f"a result holds an undefined bit: {undefined[0]}")
    interface = built.interface
    size = interface.output_bytes + (interface.class_bytes if interface.classes else 0)
    values = [int(word, 16).to_bytes(size, "little") for word in words]
    verdict = next(
        (line for line in reversed(text.splitlines()) if line.startswith(("PASS", "FAIL"))), "FAIL without a verdict"
    )
    whole = len(words) - len(words) % interface.output_beats
    words, values = words[:whole], values[:whole]
    outputs = interface.unpack(
        np.frombuffer(b"".join(value[: interface.output_bytes] for value in values), np.uint8).reshape(
            -1, interface.output_bytes
        )
    )
    if interface.classes:
        ends = values[interface.output_beats - 1 :: interface.output_beats]
        given = [int.from_bytes(value[interface.output_bytes :], "little") for value in ends]
        check_classes(interface, outputs, np.array(given))
    return outputs, verdict


class IcarusExecutor:
    """Runs `rtl/` of a bundle in Icarus Verilog, with its test bench. Option: pause (1/256)."""

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds RTL."""
        return "rtl/design.json" in bundle.manifest.get("files", {})

    def subject(self, bundle: Bundle) -> Subject:
        """What was made for the part, simulated."""
        return Subject("the RTL and its test bench in Icarus Verilog", True)

    def missing(self, bundle: Bundle) -> str:
        """What to install, if anything."""
        return "" if icarus() is not None else _MISSING

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Simulate in a temporary folder."""
        built = verify_bundle(bundle)
        if not len(q):
            return Execution(np.zeros((0, bundle.network.output_size), np.int32))
        with ScratchFolder("icarus") as scratch:
            pause = min(max(int(options.get("pause") or 0), 0), 255)
            expected = simulate(bundle.network, q)
            outputs, verdict = run_icarus(built, scratch, q, expected, pause=pause)
        return Execution(_checked(outputs, expected, verdict), {}, _said(verdict))

    def run_within_budget(self, bundle: Bundle, q: npt.NDArray[np.int32]) -> Execution:
        """Simulate as many rows of q, from the last to the first, as the budget of processor time allows."""
        built, rows = verify_bundle(bundle), np.arange(len(q))[::-1]
        budget = seconds_for(_BUDGET)
        expected = simulate(bundle.network, q[rows])
        if (about := seconds_to_elaborate(built)) > _HOPELESS * budget:
            raise _over_budget(f"would take about {about:,.0f} s to elaborate this design", budget)
        with ScratchFolder("icarus") as scratch:
            try:
                compile_bench(built, scratch, q[rows], expected, seconds=budget)
            except TimedOut as error:
                raise _over_budget("had not elaborated this design", budget) from error
            outputs, verdict = run_bench(built, scratch, seconds=budget, stops=True)
        done = len(outputs)
        if not done:
            raise _over_budget("had not run one vector", budget)
        if done == len(q):
            return Execution(_checked(outputs, expected, verdict), {}, _said(verdict), rows=rows)
        said = f"Icarus Verilog ran {done} of {len(q)} vectors, extremes first, within {budget:g} s of processor time"
        return Execution(outputs, {}, said, rows=rows[:done])


def _said(verdict: str) -> str:
    return f"Icarus Verilog, test bench says {verdict}"


def _over_budget(problem: str, budget: float) -> OverBudget:
    where = "Icarus Verilog, not run"
    return OverBudget(where, f"{problem}; its budget is {budget:g} s of processor time", f"Allow it more by {OPTION}")


def _checked(outputs: npt.NDArray[np.int32], expected: npt.NDArray[np.int32], verdict: str) -> npt.NDArray[np.int32]:
    """The outputs of all frames; CheckFailed where they are right and the bench saw another fault, as in TLAST."""
    if not verdict.startswith("PASS") and np.array_equal(outputs, expected):
        raise CheckFailed("icarus", f"all values are right, but not how they come: the test bench says {verdict}")
    return outputs


def seconds_to_elaborate(built: Built) -> float:
    """About how long Icarus takes to elaborate a design, in seconds of processor time.

    Measured with Icarus 11: unrolled designs of 2.0 and 3.1 MB of Verilog took 27 and 73 s, folded ones of 1,344 and
    4,736 products a clock 0.9 and 15 s.
    """
    megabytes = sum(len(built.files[name]) for name in built.sources) / 1e6
    folds = built.layout.choices.as_json().get("folds", {})
    products = sum(fold["pe"] * fold["simd"] for fold in folds.values())
    return float(27.0 * (megabytes / 2.0) ** 2.2 + 15.0 * (products / 4736) ** 2.2)
