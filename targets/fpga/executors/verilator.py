"""The executor `verilator`: the bundle's RTL, compiled by Verilator and run clock by clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import CheckFailed, InputError
from edgeml.plugins import Execution, Subject
from edgeml.system.scratch import ScratchFolder
from edgeml.system.tool import side_by_side

from ..argmax import check_classes
from ..budget import budget_of
from ..design import Built
from ..files import verify_bundle
from ..tools.programs import (
    compiler,
    find_verilator,
    processors,
    run,
)
from ..tools.verilation import MISSING, WAVES, compile_program

if TYPE_CHECKING:
    from edgeml.bundle import Bundle

__all__ = ["Simulation", "VerilatorExecutor", "compile_design"]

_RUN_SECONDS = 3600.0
_LEAST_FRAMES = 1000


@dataclass(frozen=True, eq=False)
class Simulation:
    """A compiled design.

    Parameters
    ----------
    built : the design. folder : where the program is (the memory images lie there too). program : its path.
    """

    built: Built
    folder: Path
    program: Path
    detail: str

    def run(
        self,
        q: npt.NDArray[np.int32],
        *,
        seed: int = 0,
        input_pause: int = 0,
        output_pause: int = 0,
        resets: int = 0,
        waves: Path | None = None,
    ) -> tuple[npt.NDArray[np.int32], dict[str, Any]]:
        """Outputs [samples, outputs] for q [samples, inputs], and counts.

        input_pause, output_pause : chance of a pause in each clock, in 1/256 (below 256). resets : in mid-stream.
        waves : the file for all signals, of a design that was compiled for it.

        Many frames without pauses and resets are split over as many processes as there are processors, each with a
        design of its own that starts from reset. `clocks` are those of all processes together, from the release of
        reset to the last result; `ends` are the clocks in which the first frames ended, counted from the clock that
        took the first input, in the first process; `parts` those of each.
        """
        if not len(q):
            return np.zeros((0, self.built.interface.outputs), np.int32), {"clocks": 0, "resets": 0, "ends": []}
        stress = [str(n) for n in (seed, input_pause, output_pause, resets)]
        parts = 1
        if waves is not None:
            stress.append(str(waves.resolve()))
        elif not (input_pause or output_pause or resets):
            parts = max(1, min(processors(), len(q) // _LEAST_FRAMES))
        done = side_by_side(lambda part: self._run_part(part, stress), np.array_split(q, parts), parts)
        counts = [counts for _, counts in done]
        return np.concatenate([outputs for outputs, _ in done]), {
            "clocks": sum(part["clocks"] for part in counts),
            "resets": sum(part["resets"] for part in counts),
            "ends": counts[0]["ends"],
            "parts": [part["ends"] for part in counts],
        }

    def _run_part(self, q: npt.NDArray[np.int32], stress: list[str]) -> tuple[npt.NDArray[np.int32], dict[str, Any]]:
        """Outputs for q [samples, inputs] of one process, and its counts."""
        interface = self.built.interface
        with ScratchFolder("simulation") as scratch:
            source, result = scratch / "input.bin", scratch / "output.bin"
            source.write_bytes(_words(interface.pack(q)))
            command = [str(self.program), str(source), str(result), str(len(q)), *stress]
            text = run(command, self.folder, _RUN_SECONDS, "simulation")
            raw = np.fromfile(result, np.uint8)
        words = -(-interface.output_bytes // 4)
        size = 4 * words * interface.output_beats * len(q)
        values = raw[:size].reshape(-1, 4 * words)[:, : interface.output_bytes]
        outputs = interface.unpack(values)
        if interface.classes:
            check_classes(interface, outputs, raw[size:].view("<u4"))
        return outputs, dict(json.loads(text.strip().splitlines()[-1]))


def _words(values: npt.NDArray[np.uint8]) -> bytes:
    """Rows of bytes, each padded to whole 32-bit words."""
    padded = np.zeros((values.shape[0], -(-values.shape[1] // 4) * 4), np.uint8)
    padded[:, : values.shape[1]] = values
    return padded.tobytes()


def compile_design(
    built: Built,
    folder: Path,
    *,
    sources: tuple[str, ...] = (),
    flags: tuple[str, ...] = ("-Wall",),
    waves: str = "",
) -> Simulation:
    """Compile a design below `folder` (made if missing). `sources`: other Verilog than the design's, same top;
    `flags` : of Verilator; `waves` : format of the wave files that it will write, one of `WAVES`.

    Raises MissingTool without Verilator or a C++ compiler, ToolFailed where lint or compilation fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in built.files.items():
        (folder / name).write_bytes(content)
    (folder / "design.h").write_text(_header(built, waves), encoding="utf-8")
    program, detail = compile_program(
        folder,
        built.top,
        sources or built.sources,
        "harness.cpp",
        flags=flags,
        equal_rows=built.layout.architecture.equal_rows and not sources,
        waves=waves,
    )
    return Simulation(built, folder, program, detail)


def _header(built: Built, waves: str) -> str:
    interface = built.interface
    silence = 16 * (built.latency + built.interval) + 10_000
    lines = {
        "DESIGN_CLASS": f"V{built.top}",
        "DESIGN_HEADER": f'"V{built.top}.h"',
        "INPUT_WORDS": -(-interface.input_bytes // 4),
        "OUTPUT_WORDS": -(-interface.output_bytes // 4),
        "INPUT_BEATS": interface.input_beats,
        "OUTPUT_BEATS": interface.output_beats,
        "LONGEST_SILENCE": silence,
    }
    if interface.classes:
        lines["HAS_CLASSES"] = 1
    if waves:
        lines["WAVE_HEADER"] = f'"{WAVES[waves][1]}.h"'
        lines["WAVE_CLASS"] = f"Verilated{waves.capitalize()}C"
    return "".join(f"#define {key} {value}\n" for key, value in lines.items())


def _vcd(asked: Path | None, folder: Path) -> Path:
    """Where all signals are written that are counted: where they are asked for as VCD, else in a scratch folder."""
    if asked is None:
        return folder / "activity.vcd"
    if asked.suffix.lower() != ".vcd":
        raise InputError(f"option waves={asked}", "must end in .vcd where activity is asked for too")
    return asked


class VerilatorExecutor:
    """Runs `rtl/` of a bundle in Verilator.

    Options: seed, input_pause, output_pause (1/256), resets; waves, the path of a file for all signals; activity, to
    measure how often signals change.
    """

    wave_formats = tuple(WAVES)
    counts_changes = True

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds RTL."""
        return "rtl/design.json" in bundle.manifest.get("files", {})

    def subject(self, bundle: Bundle) -> Subject:
        """What was made for the part, simulated."""
        return Subject("the RTL, clock by clock in Verilator", True)

    def missing(self, bundle: Bundle) -> str:
        """What to install, if anything."""
        return "" if find_verilator() is not None and compiler() is not None else MISSING

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Compile the bundle's RTL in a temporary folder and run q through it."""
        built = verify_bundle(bundle)
        known = ("seed", "input_pause", "output_pause", "resets")
        stress = {key: int(options[key]) for key in known if options.get(key) is not None}
        waves = Path(options["waves"]) if options.get("waves") is not None else None
        with ScratchFolder("verilator") as scratch:
            if options.get("activity"):
                waves = _vcd(waves, scratch)
            simulation = compile_design(built, scratch, waves="" if waves is None else waves.suffix[1:].lower())
            outputs, counts = simulation.run(q, waves=waves, **stress)
            activity = {}
            if options.get("activity") and waves is not None:
                from ..activity.measures import activity_measures

                family = budget_of(bundle.profile).family
                activity = {"activity": activity_measures(built, family, waves, len(q), counts["clocks"])}
        measures: dict[str, Any] = {
            "cycles": {"latency": built.latency, "interval": built.interval},
            "clocks": counts["clocks"],
            **activity,
        }
        if not stress and counts["ends"]:
            measures["cycles"]["latency"] = counts["ends"][0] + 1
            self._check_timing(built, q, counts["parts"])
        return Execution(outputs, {}, simulation.detail, measures)

    @staticmethod
    def _check_timing(built: Built, q: npt.NDArray[np.int32], parts: list[list[int]]) -> None:
        """Hold the clocks in which the first frames of each process ended against the prediction.

        If they depend on the inputs, that of the first frame: to follow its events takes time.
        """
        clocks = built.cycles(q[:1])
        frames = list(clocks.frames)
        for ends in parts if clocks.exact else parts[:1]:
            if ends[: len(frames)] != frames[: len(ends)]:
                raise CheckFailed(
                    "cycle model", f"predicts that frames end in clocks {frames}, simulation took {ends[: len(frames)]}"
                )
