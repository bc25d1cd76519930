"""What a target says of what it made: `metrics.target` of a bundle's manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .json_values import amount, mapping, number, numbers

__all__ = ["NOT_SAID", "Amount", "Placed", "Synthesis", "TargetMetrics", "bars_of"]


class _NotSaid(Mapping[str, Any]):
    """An empty mapping that is only equal to itself."""

    __hash__ = object.__hash__

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


NOT_SAID: Mapping[str, Any] = _NotSaid()
"""Stands for a mapping that is not in the manifest; another empty mapping is in it."""
_LOGIC_CELL = "ICESTORM_LC"

Numbers = Mapping[str, int | float]


@dataclass(frozen=True)
class Amount:
    """How much of something is used, and how much there is (None: no limit)."""

    used: float
    available: float | None


@dataclass(frozen=True)
class Placed:
    """What placing and routing found: the clock in MHz, and cells by resource. `in_logic_cells`: a placed cell holds a
    lookup table, a carry, a flip-flop, or more of them (iCE40). `seed`: of the placement; `seeds_tried`: how many
    were, 1 where nothing is said of it."""

    fmax_mhz: float | None
    cells: Mapping[str, Amount]
    in_logic_cells: bool
    seed: int = 1
    seeds_tried: int = 1

    @classmethod
    def from_json(cls, document: Any) -> Placed:
        """What of the document is sound."""
        said = mapping(document)
        cells = {}
        for name, entry in mapping(said.get("cells")).items():
            used, available = (number(mapping(entry).get(key)) for key in ("used", "available"))
            if used is not None and available is not None:
                cells[name] = Amount(used, available)
        seed, tried = (round(number(said.get(key)) or 1) for key in ("seed", "seeds_tried"))
        return cls(number(said.get("fmax_mhz")), cells, _LOGIC_CELL in mapping(said.get("utilization")), seed, tried)


@dataclass(frozen=True)
class Synthesis:
    """What synthesis counted: cells by resource; and what placing found, nothing if the part was not placed.

    unfinished : what had not ended within its limit, and its limit; "" where all was finished.
    """

    cells: Numbers
    placed: Placed
    document: Mapping[str, Any]
    unfinished: str = ""

    @classmethod
    def from_json(cls, document: Any) -> Synthesis:
        """What of the document is sound."""
        said = mapping(document)
        unfinished = _text(said.get("unfinished")) or ""
        return cls(numbers(said.get("cells")), Placed.from_json(said.get("placed")), said, unfinished)


@dataclass(frozen=True, kw_only=True)
class TargetMetrics:
    """The figures of a target. A target gives those that it has; the manifest holds them by these names.

    Parameters
    ----------
    architecture, part : of an FPGA. cycles : `latency` and `interval` of a frame, clocks.
    planned_clock_mhz, latency_us, frames_per_second : at the planned clock. slowest_path_ns : planned, from register to
        register. delays : where the delays come from that it is planned by, in words.
    estimate, budget : what the design takes by estimate, and what the part has, by resource (`luts`, `flip_flops` …).
    core : of a microcontroller. arena_bytes, constant_bytes : of the C. kernels : by layer.
    arena_in_use : bytes of the arena that hold something while a layer runs, by the last layer of each stage.
    batch_arena_bytes : of the C for a batch on a CPU. build : commands by compiler.
    trace : the layers whose integers a device can give. kernels_chosen_by : how kernels were chosen.
    flash_bytes, ram_bytes, stack_bytes : of the linked firmware. instructions : of an inference.
    modelled : of that inference by a model of the core: `cycles`, of which `flash_cycles` wait for flash,
        `microseconds`, `microjoules`. modelled_by : what it was computed by, in words.
    layers : costs of each layer by the names above. sections : bytes of each section of the memory.
    estimate_low, estimate_high : the least and the most of each that the design takes, by how far estimates were off.
    folds : units of each layer. estimate_error : how far estimates of such designs were off, in words.
    qonnx : where the hand-off to FINN lies, or why there is none. synthesis : see `Synthesis`.
    compiler, optimize : that the figures of the firmware hold for.
    chip, populations, synapses : of a neuromorphic chip.
    further : what only this target says, by name. {"used": …, "budget": …} becomes a bar of the report.
    order : the names that come first in the manifest; the others follow in the order above.
    """

    architecture: str | None = None
    part: str | None = None
    cycles: Numbers = NOT_SAID
    planned_clock_mhz: int | float | None = None
    slowest_path_ns: int | float | None = None
    delays: str | None = None
    latency_us: int | float | None = None
    frames_per_second: int | float | None = None
    estimate: Numbers = NOT_SAID
    estimate_low: Numbers = NOT_SAID
    estimate_high: Numbers = NOT_SAID
    budget: Numbers = NOT_SAID
    core: str | None = None
    arena_bytes: int | float | None = None
    arena_in_use: Numbers = NOT_SAID
    constant_bytes: int | float | None = None
    batch_arena_bytes: int | float | None = None
    kernels: Mapping[str, Any] = NOT_SAID
    build: Mapping[str, Any] = NOT_SAID
    trace: tuple[str, ...] | None = None
    kernels_chosen_by: str | None = None
    flash_bytes: int | float | None = None
    ram_bytes: int | float | None = None
    stack_bytes: int | float | None = None
    instructions: int | float | None = None
    layers: Mapping[str, Mapping[str, Any]] = NOT_SAID
    folds: Mapping[str, Any] = NOT_SAID
    sections: Numbers = NOT_SAID
    estimate_error: str | None = None
    qonnx: str | None = None
    synthesis: Synthesis | None = None
    compiler: str | None = None
    optimize: str | None = None
    modelled: Numbers = NOT_SAID
    modelled_by: str | None = None
    chip: str | None = None
    populations: Mapping[str, Any] = NOT_SAID
    synapses: int | float | None = None
    further: Mapping[str, Any] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, document: Any) -> TargetMetrics:
        """What of a manifest's `metrics.target` is sound; of a wrong type counts as not said."""
        said = mapping(document)
        found: dict[str, Any] = {}
        for name, read in _READERS.items():
            if name in said and (value := read(said[name])) is not None:
                found[name] = value
        further = {key: value for key, value in said.items() if key not in _READERS}
        return cls(**found, further=further, order=tuple(said))

    def as_json(self) -> dict[str, Any]:
        """As the manifest holds it."""
        said = {name: getattr(self, name) for name in _READERS if _is_said(getattr(self, name))} | dict(self.further)
        return {name: _written(said[name]) for name in dict.fromkeys((*self.order, *said)) if name in said}

    @property
    def bars(self) -> dict[str, Amount]:
        """Further figures with a budget, by name."""
        return bars_of(self.further)

    def layer_costs(self, cost: str) -> dict[str, int | float]:
        """One cost of each layer that has it, by layer."""
        return {name: each[cost] for name, each in self.layers.items() if number(each.get(cost)) is not None}

    @property
    def placed(self) -> Placed:
        """What placing found; nothing if it was not done."""
        return self.synthesis.placed if self.synthesis is not None else _NOT_PLACED


def bars_of(entries: Mapping[str, Any]) -> dict[str, Amount]:
    """The entries of the form {"used": …, "budget": …}, by name."""
    found = {}
    for name, item in entries.items():
        entry = mapping(item)
        if {"used", "budget"} <= set(entry) and (used := amount(entry["used"])) is not None:
            found[name] = Amount(used, amount(entry["budget"]))
    return found


_NOT_PLACED = Placed(None, {}, False)


def _is_said(value: Any) -> bool:
    return value is not None and value is not NOT_SAID


def _written(value: Any) -> Any:
    if isinstance(value, Synthesis):
        return dict(value.document)
    if isinstance(value, tuple):
        return list(value)
    return {key: _written(each) for key, each in value.items()} if isinstance(value, Mapping) else value


def _text(item: Any) -> str | None:
    return item if isinstance(item, str) else None


def _mapping(item: Any) -> Mapping[str, Any] | None:
    return mapping(item) if isinstance(item, Mapping) else None


def _numbers(item: Any) -> Numbers | None:
    return numbers(item) if isinstance(item, Mapping) else None


def _layers(item: Any) -> Mapping[str, Mapping[str, Any]] | None:
    return {name: mapping(each) for name, each in mapping(item).items()} if isinstance(item, Mapping) else None


def _synthesis(item: Any) -> Synthesis | None:
    return Synthesis.from_json(item) if isinstance(item, Mapping) else None


def _names(item: Any) -> tuple[str, ...] | None:
    sound = isinstance(item, (list, tuple)) and all(isinstance(name, str) for name in item)
    return tuple(item) if sound else None


_READERS: Mapping[str, Any] = {
    each.name: {
        "str | None": _text,
        "int | float | None": amount,
        "Numbers": _numbers,
        "Mapping[str, Any]": _mapping,
        "Mapping[str, Mapping[str, Any]]": _layers,
        "tuple[str, ...] | None": _names,
        "Synthesis | None": _synthesis,
    }[str(each.type)]
    for each in fields(TargetMetrics)
    if each.name not in ("further", "order")
}
"""How each field is read, by its declared type."""
