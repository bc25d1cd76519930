"""What a converter, a target and an executor must offer, and how they are found: entry points.

A package of anybody's adds one by declaring an entry point in the group `edgeml.converters`, `edgeml.targets` or
`edgeml.executors`; its name is the name on the command line, its value an object that follows the protocol below
(or a class without arguments that makes one). Nothing in this repository needs to change.

The group `edgeml.inspections` holds functions that check a file before a foreign tool does; `edgeml inspect` calls
them all. Each takes a path and gives a list of `RuleResult`, or None for a file that it has no rules for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from .errors import InputError, MissingTool, printable
from .network import Network
from .options import Option

if TYPE_CHECKING:
    from .bundle import Bundle
    from .data.dataset import Dataset
    from .frontends.mlp import Mlp
    from .judging.fidelity import FloatReference
    from .profile import Profile

__all__ = [
    "Conversion",
    "Converter",
    "Execution",
    "Executor",
    "Progress",
    "RuleResult",
    "Subject",
    "Target",
    "converters",
    "executors",
    "find",
    "inspections",
    "targets",
]

Progress = Callable[[str, int, int, Mapping[str, float]], None]
"""Called as progress(stage, done, total, values) by long work, e.g. ("training", 3, 40, {"loss": 0.2})."""


@dataclass(frozen=True)
class Conversion:
    """What a converter gives.

    Parameters
    ----------
    network : the integer network.
    metrics : JSON-able; `{"accuracy": {"float": …, "integer": …, …}}` (fractions of 1) where there are labels,
        `{"agreement": …}` (share of samples that the float model answers alike) where there is data; of a network of
        values "mse", "mae" and "r2" in the place of both (`judging.judged` gives them).
    files : further files of the bundle by path relative to it (e.g. `brevitas/network.safetensors`).
    notes : sentences for the user, such as what a choice costs in accuracy.
    reference : the float model node by node, where there is one: the integers are held against it (`fidelity`).
    """

    network: Network
    metrics: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reference: FloatReference | None = None


class Converter(Protocol):
    """Makes an integer network of one form out of a trained model.

    Three things more are used where a converter has them: `adopt(model, network, data, options)`, a `Conversion` of a
    model that is an integer network already (None: take it as it is), `layer_kinds`, the kinds of layer that a network
    taken as it is may hold, and `left_out_note`, a sentence on which files of the form such a bundle does not have.
    """

    @property
    def options(self) -> tuple[Option, ...]:
        """The options that it takes (`edgeml.options`); others, and values that do not fit, are refused before it is
        called."""
        ...

    def convert(self, mlp: Mlp, data: Dataset | None, options: Mapping[str, Any], progress: Progress) -> Conversion:
        """Convert `mlp`. `options` holds only what the user gave; InputError where a value is wrong or where
        data is needed and missing. The same arguments give the same bytes."""
        ...


@dataclass(frozen=True)
class RuleResult:
    """One design rule applied to a network: what was found, what the part allows, and the layer at fault."""

    rule: str
    passed: bool
    detail: str
    layer: str = ""
    remedy: str = ""


class Target(Protocol):
    """Emits artifacts for one kind of hardware; which part exactly is described by a profile.

    Used by `edgeml explore` where a target has them, both called as (network, profile, options) and giving numbers by
    name: `estimate`, quick and without writing anything (`luts`, `latency_us`, `flash_bytes` …), and `measure`, which
    may build and run something (`instructions` …).

    A target with options of its own declares them as a converter does (`options`; `edgeml.options.TakesOptions`).

    A target that has `profile_fields` (see `profile_fields.Field`) is given only profiles whose values fit them.
    """

    def rules(self, network: Network, profile: Profile) -> list[RuleResult]:
        """The part's design rules applied to `network`; an artifact is made only if all pass."""
        ...

    def emit(self, network: Network, profile: Profile, folder: Path, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write the artifacts below `folder` (the unfinished bundle); returns JSON-able metrics (sizes, cost).

        One that runs long tools may take the keywords `announce` and `remark` too: see `pipeline.convert`.
        """
        ...


@dataclass(frozen=True, eq=False)
class Execution:
    """What an executor gives for input integers q [samples, inputs].

    Parameters
    ----------
    outputs : int32 [samples, outputs].
    trace : integers per layer by node name, as far as this executor can see them (may be empty).
    detail : one line for the table, e.g. the compiler or simulator with its version.
    measures : JSON-able, e.g. cycles or instructions per layer.
    """

    outputs: npt.NDArray[np.int32]
    trace: Mapping[str, npt.NDArray[np.int32]] = field(default_factory=dict)
    detail: str = ""
    measures: Mapping[str, Any] = field(default_factory=dict)


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


class Executor(Protocol):
    """Runs the artifacts of a bundle for real.

    An executor that runs the artifact of a target says so by one method more, `subject(bundle)`, which gives a
    `Subject`; without it, it does not count as one that the target's own artifact was verified by. One whose runtime
    computes by another rule than the bundle's network has `reference(bundle)`, the network that it is held against.
    One whose artifact says itself how real numbers enter and leave it has `receive(bundle, x)`, which gives a
    `reception.Reception` computed from the artifact alone, or None where this bundle's holds no such statement.

    An executor raises CheckFailed where it finds the artifact itself wrong, ToolFailed where a tool failed or took too
    long (`time_limit.seconds_for` tells how long it may), MissingTool where something is not installed.
    """

    def applies(self, bundle: Bundle) -> bool:
        """Whether the bundle holds what this executor runs."""
        ...

    def missing(self, bundle: Bundle) -> str:
        """Empty if it can run here; else what is missing and how to install it. Must be quick."""
        ...

    def run(self, bundle: Bundle, q: npt.NDArray[np.int32], *, trace: bool, options: Mapping[str, Any]) -> Execution:
        """Run q through the artifact. Raises EdgemlError where that fails."""
        ...


def find(group: str, kind: str) -> dict[str, Callable[[], Any]]:
    """Loaders of all plugins of an entry-point group by name; `kind` is the word for it in errors."""
    loaders: dict[str, Callable[[], Any]] = {}
    for entry in entry_points(group=group):
        if entry.name in loaders and entry.value != loaders[entry.name].__doc__:
            raise InputError(f"{kind} {entry.name!r}", f"two installed packages offer it ({entry.value})", "Remove one")

        def loader(entry: Any = entry) -> Any:
            try:
                plugin = entry.load()
            except ImportError as error:
                raise MissingTool(
                    f"{kind} {entry.name!r}", f"cannot be imported ({error})", "Install the package that it needs"
                ) from error
            return plugin() if isinstance(plugin, type) else plugin

        loader.__doc__ = entry.value
        loaders[entry.name] = loader
    return loaders


def _named(group: str, kind: str, name: str) -> Any:
    loaders = find(group, kind)
    if name not in loaders:
        known = ", ".join(sorted(loaders)) or "none installed"
        raise InputError(f"{kind} {printable(repr(name), 60)}", "is not known", f"Known: {known}")
    return loaders[name]()


def converters(name: str) -> Converter:
    """The converter to the form `name`; InputError naming the known ones where there is none."""
    converter: Converter = _named("edgeml.converters", "form", name)
    return converter


def targets(name: str) -> Target:
    """The target for hardware of kind `name` (cpu, mcu, …)."""
    target: Target = _named("edgeml.targets", "target kind", name)
    return target


def executors() -> dict[str, Callable[[], Executor]]:
    """Loaders of all executors by name, in the order of their names, `golden` first."""
    loaders = find("edgeml.executors", "executor")
    return {name: loaders[name] for name in sorted(loaders, key=lambda name: (name != "golden", name))}


def inspections(path: Path) -> dict[str, list[RuleResult]]:
    """The rules that installed packages check a file of this kind by, by the name of the tool that has them."""
    found = {name: load()(path) for name, load in sorted(find("edgeml.inspections", "inspection").items())}
    return {name: results for name, results in found.items() if results is not None}
