"""What a run against a device found, for people, for programs (JSON) and for build servers (JUnit XML)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from ..errors import EdgemlError, printable
from ..system.files import write_beside

__all__ = ["UNITS", "HilReport", "Mismatch", "failed_run_xml", "junit_file", "spread"]

UNITS = ("cycles", "instructions", "ticks")
"""What a device's counter may count: three words, as none follows from another."""


@dataclass(frozen=True)
class Mismatch:
    """The first integer of a vector that differs.

    Parameters
    ----------
    vector : index of the test vector.
    layer : the first layer that differs, as far as the device can trace; else the output.
    index : of the channel.
    expected, found : golden's integer and the device's.
    """

    vector: int
    layer: str
    index: int
    expected: int
    found: int

    def __str__(self) -> str:
        where = f"vector {self.vector}, layer {self.layer}, index {self.index}"
        return f"{where}: {self.expected} expected, {self.found} found"


@dataclass(frozen=True)
class HilReport:
    """A device against golden.

    Parameters
    ----------
    device : the port or the emulated board.
    model_hash, name : of the device's network.
    vectors, mismatches : test vectors run, and those with an integer that differs.
    first_mismatches : of the first vectors that differ.
    latency_us : minimum, median and p99 of an inference of one sample, the link included.
    counts : minimum, median and maximum of an inference by the device's own counter; empty where it has none.
    unit : what that counter counts, one of `UNITS`: `cycles` of a clock (a board, a simulated design), `instructions`
        (a core in Unicorn), or `ticks` of a timer in an emulator's virtual time (QEMU's SysTick).
    counts_per_second : of that counter; 0 if unknown.
    self_test : 0 if the device's constants and golden vectors are right.
    retries : requests that had to be repeated.
    traced : layers that were compared on the vectors that differ.
    modelled : cycles and time of an inference by a model of the core (`TargetMetrics.modelled`), beside `counts`.
    """

    device: str
    model_hash: str
    name: str
    vectors: int
    mismatches: int
    first_mismatches: tuple[Mismatch, ...]
    latency_us: dict[str, float]
    counts: dict[str, int]
    unit: str
    counts_per_second: int
    self_test: int
    retries: int
    traced: tuple[str, ...] = field(default=())
    modelled: Mapping[str, int | float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether all vectors are exact and the self-test is right."""
        return self.mismatches == 0 and self.self_test == 0

    def as_json(self) -> dict[str, Any]:
        """JSON-able fields; in place of `counts` and `unit` each unit's own, empty where it was not counted."""
        fields = {name: value for name, value in asdict(self).items() if name not in ("counts", "unit")}
        return {**fields, **{unit: self.counted(unit) for unit in UNITS}, "passed": self.passed}

    def counted(self, unit: str) -> dict[str, int]:
        """The counts, if they are of that unit."""
        return self.counts if self.unit == unit else {}

    @property
    def cycles(self) -> dict[str, int]:
        """Clock cycles of an inference, if the device counts those."""
        return self.counted("cycles")

    def junit_xml(self) -> str:
        """One test case for the self-test and one for the vectors, as JUnit XML."""
        failures = int(self.self_test != 0) + int(self.mismatches != 0)
        suite = ElementTree.Element("testsuite", name=f"edgeml hil {self.device}", tests="2", failures=str(failures))
        properties = ElementTree.SubElement(suite, "properties")
        values = {"model_hash": self.model_hash, "retries": self.retries}
        values |= {f"latency_us_{key}": value for key, value in self.latency_us.items()}
        values |= {f"{self.unit}_{key}": value for key, value in self.counts.items()}
        for key, value in values.items():
            ElementTree.SubElement(properties, "property", name=key, value=str(value))
        case = ElementTree.SubElement(suite, "testcase", classname="edgeml.hil", name="self_test")
        if self.self_test:
            ElementTree.SubElement(case, "failure", message=f"the self-test returns {self.self_test}")
        case = ElementTree.SubElement(suite, "testcase", classname="edgeml.hil", name=f"{self.vectors}_vectors")
        if self.mismatches:
            failure = ElementTree.SubElement(case, "failure", message=f"{self.mismatches} vectors differ from golden")
            failure.text = "\n".join(map(str, self.first_mismatches))
        ElementTree.indent(suite)
        return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def failed_run_xml(name: str, problem: str) -> str:
    """JUnit XML of a run that gave no report: one test case that failed."""
    suite = ElementTree.Element("testsuite", name=name, tests="1", failures="1")
    case = ElementTree.SubElement(suite, "testcase", classname="edgeml.hil", name="run")
    ElementTree.SubElement(case, "failure", message=printable(problem, 1000))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


@contextmanager
def junit_file(path: Path | None, name: str) -> Iterator[Callable[[HilReport], None]]:
    """A function that writes a report to `path` as JUnit XML; None for no file.

    Whatever happens in the block, the file tells of this run and of no earlier one: it says from the beginning that the
    run did not end, and why where an error ends it. Raises InputError where it cannot be written.
    """
    written = False

    def write(report: HilReport) -> None:
        nonlocal written
        if path is not None:
            write_beside(path, report.junit_xml().encode())
        written = True

    def failed(problem: str) -> None:
        if path is not None:
            write_beside(path, failed_run_xml(name, problem).encode())

    failed("the run did not end")
    try:
        yield write
    except BaseException as error:
        if not written:
            failed(str(error) if isinstance(error, EdgemlError) else f"the run was ended by {type(error).__name__}")
        raise


def spread(values: npt.NDArray[Any]) -> dict[str, float]:
    """Minimum, median and 99th percentile."""
    return {
        "minimum": float(np.min(values)),
        "median": float(np.median(values)),
        "p99": float(np.percentile(values, 99)),
    }
