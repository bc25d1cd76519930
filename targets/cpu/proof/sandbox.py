"""A network's C in a process of its own, with what the compiler can check of accesses and undefined behaviour.

What the C does there ends that process alone: unlike a library, it may be run where the prover does not know that all
accesses lie within their objects.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import ToolFailed
from edgeml.system.scratch import ScratchFolder
from edgeml.system.time_limit import TimedOut, seconds_for
from edgeml.system.tool import run_tool

from .sandbox_driver import CASES, GIVEN, REPORT, RUNS, sandbox_files
from .sanitizers import Sanitizers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeml.targets.c.program import CProgram

__all__ = ["NETWORK", "Case", "Outcome", "Report", "Sandbox"]

NETWORK = -1
_STORED = {"uint8_t": np.uint8, "int16_t": np.int16, "int32_t": np.int32}
_SECONDS = 60.0
_OPTIONS = (
    "print_legend=0:detect_leaks=0:hard_rss_limit_mb=2048:symbolize=1:handle_abort=0:detect_stack_use_after_return=1"
)
_SIGNALS = {
    4: "a trap",
    5: "a trap",
    7: "a bus error",
    8: "a trap of arithmetic",
    11: "an access to no memory of its own",
}
_OF_MEMORY = re.compile(
    r"AddressSanitizer|misaligned|out of bounds|null pointer|insufficient space|an access|a bus error|pointer index"
)


@dataclass(frozen=True, eq=False)
class Case:
    """Something to run.

    Parameters
    ----------
    stage : its place, or NETWORK. inputs : for each tensor that it takes, stored integers [samples, padded].
    """

    stage: int
    inputs: tuple[npt.NDArray[Any], ...]

    @property
    def samples(self) -> int:
        """How many at once."""
        return len(self.inputs[0])


@dataclass(frozen=True)
class Report:
    """What ended the process. case : its number. text : in words. memory : whether an access to memory did."""

    case: int
    text: str
    memory: bool


@dataclass(frozen=True, eq=False)
class Outcome:
    """What cases gave, as far as they were run.

    Parameters
    ----------
    given : of each, for each of its runs, what it wrote: stored integers [samples, padded] of a stage, outputs and
        labels [samples, outputs + 1] of the network. report : None where nothing was reported. late : whether the time
        ran out.
    """

    given: list[list[npt.NDArray[Any]]]
    report: Report | None
    late: bool = False


class Sandbox:
    """Builds a program's C with checks, and runs cases.

    flags : for the compiler besides. Raises ToolFailed where it does not compile.
    """

    def __init__(self, program: CProgram, sanitizers: Sanitizers, flags: Sequence[str]) -> None:
        self._program, self.sanitizers = program, sanitizers
        self._folder = ScratchFolder("sandbox")
        self._write({**program.files, **sandbox_files(program)})
        arguments = ["-std=gnu99", "-g1", "-w", "-fno-toplevel-reorder", *flags, *sanitizers.flags, "-o", "tried"]
        try:
            self._build(["-O0", *arguments])
        except TimedOut:
            raise
        except ToolFailed:  # an intrinsic whose argument is a constant only when functions are expanded
            self._build(["-O1", *arguments])

    def _build(self, arguments: Sequence[str]) -> None:
        self.sanitizers.compiler.run([*arguments, "tried-entries.c", "tried-driver.c"], self._folder.path)

    def _write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self._folder.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")

    def run(self, cases: Sequence[Case]) -> Outcome:
        """Run them one after the other, up to the first that is reported, which is then confirmed by itself."""
        found = self._run(cases)
        if found.report is None:
            return found
        number = found.report.case
        again = self._run(cases[number : number + 1]).report
        confirmed = None if again is None else Report(number, again.text, again.memory)
        return Outcome(found.given, confirmed, found.late)

    def _run(self, cases: Sequence[Case]) -> Outcome:
        folder = self._folder.path
        with (folder / CASES).open("wb") as file:
            for case in cases:
                file.write(np.array([case.stage + 1, case.samples], np.int32).tobytes())
                for values in case.inputs:
                    file.write(np.ascontiguousarray(values).tobytes())
        environment = {**os.environ, "ASAN_OPTIONS": _OPTIONS, "UBSAN_OPTIONS": "print_stacktrace=0:halt_on_error=1"}
        failed, late = "", False
        try:
            run_tool([str(folder / "tried")], folder, seconds_for(_SECONDS), "the C with checks", environment)
        except TimedOut:
            late = True
        except ToolFailed as error:
            failed = str(error)
        given = self._given(cases, (folder / GIVEN).read_bytes() if (folder / GIVEN).exists() else b"")
        if not failed:
            return Outcome(given, None, late)
        said = (folder / REPORT).read_text(encoding="utf-8", errors="replace") if (folder / REPORT).exists() else ""
        text = _in_words(said, failed)
        reached = next((number for number, runs in enumerate(given) if len(runs) < RUNS), len(given) - 1)
        return Outcome(given, Report(reached, text, bool(_OF_MEMORY.search(text))) if text else None)

    def _given(self, cases: Sequence[Case], written: bytes) -> list[list[npt.NDArray[Any]]]:
        """What was written, taken apart."""
        found, at = [], 0
        network = self._program.layout.network
        for case in cases:
            runs = []
            for _ in range(RUNS):
                if case.stage == NETWORK:
                    size = 4 * case.samples * network.output_size
                    part = np.frombuffer(written[at : at + size], np.int32)
                    labels = np.frombuffer(written[at + size : at + size + 4 * case.samples], np.int32)
                    whole = size + 4 * case.samples
                    row = [part.reshape(case.samples, -1), labels[:, None]] if len(written) >= at + whole else None
                    value = None if row is None else np.concatenate(row, axis=1)
                else:
                    tensor = self._program.layout.stages[case.stage].output
                    whole = tensor.bytes * case.samples
                    kept = written[at : at + whole]
                    value = None
                    if len(kept) == whole:
                        value = np.frombuffer(kept, _STORED[tensor.ctype]).reshape(case.samples, -1)
                if value is None:
                    break
                runs.append(value)
                at += whole
            found.append(runs)
        return found


def _in_words(report: str, failed: str) -> str:
    """A sanitizer's report in a line; of a process that a signal ended, which; empty where it ended otherwise."""
    if match := re.search(r"([\w./-]+):(\d+):\d+: runtime error: ([^\n]*)", report):
        return f"{match[3]}, at {_file(match[1])}:{match[2]}"
    if match := re.search(r"AddressSanitizer: ([\w-]+)[^\n]*", report):
        access = re.search(r"\b(READ|WRITE) of size (\d+)", report)
        how = f", {access[1].lower()}s {access[2]} bytes" if access else ""
        for frame in re.finditer(r"#\d+ 0x[0-9a-f]+ in (\w+) ([\w./-]+):(\d+)", report):
            if "tried-" not in frame[2] and "/gcc/" not in frame[2] and "/clang/" not in frame[2]:
                return f"AddressSanitizer: {match[1]}{how} in {frame[1]} at {_file(frame[2])}:{frame[3]}"
        return f"AddressSanitizer: {match[1]}{how}"
    if match := re.search(r"failed with status -(\d+)", failed):
        return _SIGNALS.get(int(match[1]), "")
    return ""


def _file(path: str) -> str:
    return path.rsplit("/", 1)[-1]
