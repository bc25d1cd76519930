"""What can run a bundle must offer: an executor, which runs the bundle's artifacts for real."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..network import Monitored, Network
from ..registry import Registered, Registry

if TYPE_CHECKING:
    from ..faults.stored_form import StoredForm

__all__ = [
    "EXECUTORS",
    "BoundsItself",
    "CompiledNetwork",
    "Compiles",
    "CountsChanges",
    "CountsInstructions",
    "Execution",
    "Executor",
    "HasReference",
    "HoldsConstants",
    "NamesSubject",
    "NeedsDevice",
    "ReceivesReals",
    "Reception",
    "RunsMonitor",
    "StartsProcess",
    "Subject",
    "TimesItself",
    "WritesWaves",
    "executors",
]

_Bundle = TypeVar("_Bundle", contravariant=True)
"""Always `edgeml.bundle.Bundle`, which itself finds executors here."""


@dataclass(frozen=True, eq=False)
class Execution:
    """What an executor gives for input integers q [samples, inputs].

    Parameters
    ----------
    outputs : int32 [samples, outputs].
    trace : integers per layer by node name, as far as this executor can see them (may be empty).
    detail : one line for the table, e.g. the compiler or simulator with its version.
    measures : JSON-able, e.g. cycles or instructions per layer.
    rows : which rows of q the outputs are of, where not all of them were run (see `BoundsItself`); None for all.
    monitored : what the artifact's monitor says, where it was asked for (see `RunsMonitor`).
    """

    outputs: npt.NDArray[np.int32]
    trace: Mapping[str, npt.NDArray[np.int32]] = field(default_factory=dict)
    detail: str = ""
    measures: Mapping[str, Any] = field(default_factory=dict)
    rows: npt.NDArray[np.intp] | None = None
    monitored: Monitored | None = None


@dataclass(frozen=True)
class Subject:
    """What exactly an executor runs of a bundle, so that nobody takes it for more.

    Parameters
    ----------
    what : words that follow "ran", e.g. `the firmware's C on an emulated Cortex-M4`.
    of_target : whether that is the artifact made for the bundle's target, on that target or a model of it. The same
        network in another library, or the same C on another processor, is not.
    """

    what: str
    of_target: bool


@dataclass(frozen=True, eq=False)
class Reception:
    """What a receiver gets out of a file for real numbers, with nothing but the file.

    Parameters
    ----------
    real : float64 [samples, outputs]: the real outputs.
    detail : one line: the tool, and by what it turned numbers into integers.
    softmax : whether the outputs are probabilities, of which the network gives the logits.
    float32 : whether the file quantizes in float32: what is as near to a tie as that is exact may fall on either side.
    """

    real: npt.NDArray[np.float64]
    detail: str = ""
    softmax: bool = False
    float32: bool = False


@runtime_checkable
class Executor(Protocol[_Bundle]):
    """Runs the artifacts of a bundle. More is asked of one that follows one of the protocols below too.

    An executor raises CheckFailed if it finds the artifact itself wrong, ToolFailed if a tool failed or took too long
    (`time_limit.seconds_for` tells how long it may), MissingTool if something is not installed.
    """

    def applies(self, bundle: _Bundle) -> bool:
        """Whether the bundle holds what this executor runs."""
        ...

    def missing(self, bundle: _Bundle) -> str:
        """Empty if it can run here; else what is missing and how to install it. Must be quick."""
        ...

    def run(self, bundle: _Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q through the artifact. Raises EdgemlError if that fails."""
        ...


@runtime_checkable
class NamesSubject(Protocol[_Bundle]):
    """An executor that says what it runs; one that does not, does not count as one of the target's own artifact."""

    def subject(self, bundle: _Bundle) -> Subject:
        """What exactly it runs of this bundle."""
        ...


@runtime_checkable
class BoundsItself(Protocol[_Bundle]):
    """An executor so slow that verification gives it a budget of processor time rather than all test vectors."""

    def run_within_budget(self, bundle: _Bundle, q: npt.NDArray[np.int32]) -> Execution:
        """Run as many rows of q as the budget allows, the last ones first: they take layers to their extremes.

        The budget is the executor's own, or what `time_limit.seconds_for` gives. Raises OverBudget if that is none.
        """
        ...


@runtime_checkable
class HasReference(Protocol[_Bundle]):
    """An executor whose runtime computes by another rule than the bundle's network."""

    def reference(self, bundle: _Bundle) -> Network:
        """The integer network that it is held against."""
        ...


@runtime_checkable
class ReceivesReals(Protocol[_Bundle]):
    """An executor whose artifact says itself how real numbers enter and leave it."""

    def receive(self, bundle: _Bundle, x: npt.NDArray[np.float64]) -> Reception | None:
        """What a receiver gets for x [samples, inputs] from the artifact alone; None if this bundle's says nothing."""
        ...


@runtime_checkable
class HoldsConstants(Protocol[_Bundle]):
    """An executor whose artifact keeps weights in memory, and says what flipped bits there do (`verify --faults`)."""

    def stored(self, bundle: _Bundle) -> StoredForm:
        """The artifact's constants, and what it computes with others in their place. Raises InputError naming a layer
        for which that is not defined."""
        ...


@runtime_checkable
class TimesItself(Protocol[_Bundle]):
    """An executor that is timed inside of compiled code (`edgeml bench`)."""

    def benchmark(self, bundle: _Bundle, q: npt.NDArray[np.int32]) -> float:
        """Seconds per inference of one batch q [samples, inputs]."""
        ...


class CompiledNetwork(Protocol):
    """A bundle's artifact as a function for programs that call it often (`Bundle.compile`)."""

    dtype: np.dtype[Any]
    """Of input integers."""
    inputs: int
    outputs: int

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Output integers int32 [samples, outputs] for input integers x [samples, inputs], or [outputs] for [inputs]:
        arrays, or tensors that offer DLPack, in place. Written into `out` where it is given. InputError where one does
        not fit."""
        ...

    def bind(self, x: Any, out: Any = None) -> Callable[[], Any]:
        """A function that reads x and writes `out` at each call, and returns `out`."""
        ...


@runtime_checkable
class Compiles(Protocol[_Bundle]):
    """An executor that can give its artifact as a function."""

    def compile(self, bundle: _Bundle, options: Mapping[str, Any]) -> CompiledNetwork:
        """The function. Raises what `run` raises, options are the same."""
        ...


@runtime_checkable
class StartsProcess(TimesItself[_Bundle], Protocol[_Bundle]):
    """An executor that runs in a process of its own, which is timed apart."""

    def setup(self, bundle: _Bundle) -> float:
        """Seconds until the process gives its first answer."""
        ...


@runtime_checkable
class CountsInstructions(Protocol):
    """An executor whose `measures` hold `instructions` of one inference, and perhaps `instructions_by_layer`."""

    counts_instructions: bool


@runtime_checkable
class NeedsDevice(Protocol):
    """An executor that runs only on a device which the user names."""

    needs_device: bool


@runtime_checkable
class RunsMonitor(Protocol):
    """An executor whose artifact has the network's monitor: it takes the option `monitor`, and gives `monitored` then,
    of bundles whose network has one."""

    runs_monitor: bool


@runtime_checkable
class WritesWaves(Protocol):
    """An executor of hardware that takes the option `waves`, a path: it writes all signals over time there."""

    wave_formats: tuple[str, ...]
    """Ends of file names without a dot, such as `vcd`."""


@runtime_checkable
class CountsChanges(Protocol):
    """An executor of hardware that takes the option `activity`: its `measures` hold an entry `activity` then, the
    energy of an inference by how often its signals change (`energy_nj`, `table`, `said`, `layers`)."""

    counts_changes: bool


EXECUTORS: Registry[Executor[Any]] = Registry("edgeml.executors", "executor", Executor)  # type: ignore[type-abstract]


def executors(words: Iterable[str] | None = None) -> dict[str, Registered[Executor[Any]]]:
    """The executors for a bundle with these words (`Bundle.words`), or all, by name: `golden`, then in the order of
    their names. None of them is imported."""
    known = EXECUTORS.all() if words is None else EXECUTORS.fitting(words)
    return {name: known[name] for name in sorted(known, key=lambda name: (name != "golden", name))}
