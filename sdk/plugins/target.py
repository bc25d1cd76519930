"""What a kind of hardware must offer: a target, which makes artifacts of an integer network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from ..errors import CheckFailed, EdgemlError, InputError
from ..network import Network
from ..part import Profile
from ..profile_fields import Field
from ..registry import Registry

__all__ = [
    "NO_OPTIONS",
    "SILENT",
    "TARGETS",
    "Adapts",
    "DescribesProfiles",
    "Estimates",
    "Flashes",
    "HasAlternatives",
    "Listener",
    "Measures",
    "RuleResult",
    "Target",
    "adaptation_rule",
    "foreign_kinds",
    "refuse_broken",
    "targets",
    "without_monitor",
]

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class RuleResult:
    """One design rule applied to a network.

    Parameters
    ----------
    rule : its name: a word or a few, the same whatever was found.
    passed : whether the network keeps it.
    detail : what was found, and what is allowed.
    layer : the node at fault, if it is one.
    remedy : what to do if it is broken.
    option : the option at fault, if it is one: the network is not to blame then.
    """

    rule: str
    passed: bool
    detail: str
    layer: str = ""
    remedy: str = ""
    option: str = ""

    def __str__(self) -> str:
        where = f"rule {self.rule}, layer {self.layer}" if self.layer else f"rule {self.rule}"
        return f"{where}: {self.detail}" + (f" ({self.remedy})" if self.remedy and not self.passed else "")

    @classmethod
    def broken(cls, rule: str, error: EdgemlError) -> RuleResult:
        """The rule, broken by what an error says; its place may be that of a layer or an option."""
        layer = error.where[6:] if error.where.startswith("layer ") else ""
        option = error.where[7:].strip("'") if error.where.startswith("option ") else ""
        detail = error.problem if layer or option else f"{error.where}: {error.problem}"
        return cls(rule, False, detail, layer, error.remedy, option)


def _ignore(text: str) -> None:
    return None


@dataclass(frozen=True)
class Listener:
    """Who is told while a target works: `announce` before each stage, `remark` what is worth a line but no part of
    the bundle, such as how long a tool took."""

    announce: Callable[[str], None] = _ignore
    remark: Callable[[str], None] = _ignore


SILENT = Listener()


@runtime_checkable
class Target(Protocol):
    """Makes artifacts for one kind of hardware; which part exactly is described by a profile. More is asked of one
    that follows `options.TakesOptions`, `DescribesProfiles`, `Estimates` or `Measures` too."""

    def rules(self, network: Network, profile: Profile, options: Mapping[str, Any] = NO_OPTIONS) -> list[RuleResult]:
        """The part's design rules applied to `network` as `options` would have it made; an artifact is made only if
        all are kept.

        For every network there are results, and never an error: a layer whose kind this hardware does not have breaks
        a rule that `foreign_kinds` gives. `emit` refuses by the same results (`refuse_broken`).
        """
        ...

    def emit(
        self,
        network: Network,
        profile: Profile,
        folder: Path,
        options: Mapping[str, Any] = NO_OPTIONS,
        listener: Listener = SILENT,
    ) -> Mapping[str, Any]:
        """Write the artifacts below `folder` (the unfinished bundle); returns JSON-able metrics (sizes, cost).

        Raises CheckFailed if a rule is broken, InputError if an option is wrong.
        """
        ...


@runtime_checkable
class DescribesProfiles(Protocol):
    """A target that is given only profiles whose values fit its fields; others are refused when they are read."""

    profile_fields: Mapping[str, Field]


@runtime_checkable
class Adapts(Protocol):
    """A target whose artifacts hold the state of networks that adapt; others refuse these by a rule."""

    carries_adaptation: bool


@runtime_checkable
class Estimates(Protocol):
    """A target that says quickly what a network will cost; `edgeml explore` asks it."""

    def estimate(self, network: Network, profile: Profile, options: Mapping[str, Any]) -> Mapping[str, float]:
        """Numbers by name (`luts`, `latency_us`, `flash_bytes` …); nothing is written."""
        ...


@runtime_checkable
class HasAlternatives(Protocol):
    """A target that knows other designs worth looking at beside the one asked for; its `Estimates` tell what they
    cost."""

    def alternatives(
        self, network: Network, options: Mapping[str, Any], emitted: Mapping[str, Any]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Options of other designs, by what each is, in words. options, emitted : of the one that was made, and what
        `emit` said of it."""
        ...


@runtime_checkable
class Measures(Protocol):
    """A target that can build and run something to tell what a network costs; `edgeml explore` asks it."""

    def measure(self, network: Network, profile: Profile, options: Mapping[str, Any]) -> Mapping[str, float]:
        """Numbers by name (`instructions` …)."""
        ...


@runtime_checkable
class Flashes(Protocol):
    """A target whose bundles may hold what a device is loaded with; `edgeml flash` asks it."""

    loaders: Mapping[str, str]
    """How to install each of these programs, and what they need, by name."""

    def flash_command(self, bundle: Any, permanent: bool) -> list[str]:
        """The command that loads the device with what a `Bundle` holds: a program of others, by its path or by its
        name alone if it is not installed, then its arguments. permanent : into its flash memory, where there is a
        choice. InputError where the bundle holds nothing to load.
        """
        ...


def foreign_kinds(
    network: Network, what: str, has: Callable[[str], bool], known: Callable[[], Iterable[str]]
) -> list[RuleResult]:
    """The rule `layer-kind`, which every target answers alike: broken by each layer whose kind it has nothing for.

    Parameters
    ----------
    what : what a target has or has not for a kind, e.g. `C`, `hardware in architecture folded`.
    has : whether it has that for a kind of layer; an error says why not.
    known : all kinds that it has it for; called only if a kind is foreign.
    """
    broken = []
    for node in network.layers:
        try:
            problem = "" if has(node.layer.kind) else f"kind {node.layer.kind} has no {what}"
        except EdgemlError as error:  # of the package that adds the kind
            problem = f"kind {node.layer.kind} has no {what}: {error}"
        if problem:
            broken.append(RuleResult("layer-kind", False, problem, node.name, f"There is {what} for "))
    remedy = ", ".join(sorted(known())) if broken else ""
    return [replace(result, remedy=result.remedy + remedy) for result in broken] or [
        RuleResult("layer-kind", True, f"every kind of layer has {what}")
    ]


def adaptation_rule(network: Network, target: Target) -> list[RuleResult]:
    """The rule `adaptation`, for networks that adapt: broken where a target has no memory for what they learn."""
    if network.adaptation is None:
        return []
    carried = isinstance(target, Adapts) and target.carries_adaptation
    found = "is held in memory" if carried else "cannot be held by this kind of hardware"
    return [RuleResult("adaptation", carried, f"what the network learns {found}", "", "Convert without --adapt")]


def without_monitor(network: Network, what: str) -> list[RuleResult]:
    """The rule `monitor` of a target whose artifacts carry none: broken by a network that has one. what : such as
    `RTL`."""
    if network.monitor is None:
        return []
    detail = f"the network has a monitor, and there is no {what} for it"
    return [RuleResult("monitor", False, detail, remedy="Convert without --monitor, or for a CPU or microcontroller")]


def refuse_broken(results: Sequence[RuleResult], profile: Profile) -> None:
    """CheckFailed with all that is broken, if anything is; InputError if an option is to blame."""
    broken = [result for result in results if not result.passed]
    for result in broken:
        if result.option:
            layer = f", layer {result.layer}" if result.layer else ""
            raise InputError(f"option {result.option}{layer}", result.detail, result.remedy)
    if broken:
        lines = "\n  ".join(map(str, broken))
        raise CheckFailed(f"target {profile.name}", f"the network breaks its rules:\n  {lines}")


TARGETS: Registry[Target] = Registry("edgeml.targets", "target kind", Target)  # type: ignore[type-abstract]


def targets(name: str) -> Target:
    """The target for hardware of kind `name` (cpu, mcu, …)."""
    return TARGETS.load(name)
