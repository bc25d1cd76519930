"""The integer network itself: layers in order, and what its last integers mean."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from ..errors import InputError, NetworkError
from .adaptation.definition import Adaptation
from .adaptation.fitting import check_fits
from .arrays import INT32_HIGH, INT32_LOW, integer_scalar, real_array
from .layer import Layer
from .layers.dense import Dense
from .layers.input_quantizer import InputQuantizer
from .layers.threshold import Threshold
from .monitor import Monitor
from .origin import origin_text
from .task import BINARY, TASKS, VALUES, label_count, task_of
from .value_range import IntArray, ValueRange

__all__ = ["MOST_VALUES", "Network", "Node", "Output"]

_L = TypeVar("_L", bound=Layer)

MOST_VALUES = 2**26
"""Values of one sample in all layers together: bounds the memory that a network from a small file can ask for."""


@dataclass(frozen=True)
class Node:
    """A layer at its place: its name, unique in the network, and the names of the nodes that feed it.

    `origin` says where it stands in the user's model ("encoder.fc1 (Linear), model.py line 12"); it is empty if nobody
    knows, or if the name says the same. It is for people alone: no integer and no model hash depends on it, and
    `origin_text` makes it safe to write anywhere.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...] = ()
    origin: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.origin, str):
            raise NetworkError("origin", f"must be text, found {self.origin!r}")
        origin = origin_text(self.origin)
        object.__setattr__(self, "origin", "" if origin == self.name else origin)


@dataclass(frozen=True, eq=False)
class Output:
    """What the last integers mean: real = (y − zero_point) · scale, and what is decided from them.

    Parameters
    ----------
    scale : float64 [1] or [outputs], positive.
    zero_point : int32.
    labels : a name for each output, or empty; of a binary network the names of class 0 and class 1.
    task : "classes", "binary" or "values" (see `task`), or "" if nobody stated it: then `Network.task` derives it.
    threshold : of a binary network, int32: class 1 if y > threshold. Without one: the zero point, real 0.
    """

    scale: npt.NDArray[np.float64]
    zero_point: int = 0
    labels: tuple[str, ...] = ()
    task: str = ""
    threshold: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", real_array("output, scale", self.scale, positive=True))
        zero_point = integer_scalar("output, zero point", self.zero_point, INT32_LOW, INT32_HIGH)
        object.__setattr__(self, "zero_point", zero_point)
        if not all(isinstance(label, str) for label in self.labels):
            raise NetworkError("output, labels", f"must be text, found {self.labels!r}")
        object.__setattr__(self, "labels", tuple(self.labels))
        if self.task not in ("", *TASKS):
            raise NetworkError("output, task", f"must be one of {', '.join(TASKS)}, found {self.task!r}")
        if self.threshold is not None:
            if self.task != BINARY:
                raise NetworkError("output, threshold", f"belongs to a binary network, not to task {self.task!r}")
            threshold = integer_scalar("output, threshold", self.threshold, INT32_LOW, INT32_HIGH)
            object.__setattr__(self, "threshold", threshold)
        elif self.task == BINARY:
            object.__setattr__(self, "threshold", zero_point)

    @property
    def decision_threshold(self) -> int:
        """Of a binary network: class 1 if y is above this integer."""
        return self.zero_point if self.threshold is None else self.threshold

    def real(self, y: IntArray) -> npt.NDArray[np.float64]:
        """The real values of output integers y [samples, outputs]."""
        return (y.astype(np.float64) - self.zero_point) * self.scale


@dataclass(frozen=True, eq=False)
class Network:
    """An integer network: a directed graph of layers, in an order in which each can be computed.

    Parameters
    ----------
    name : letters, digits and underscores, starting with a letter; becomes the prefix of generated code.
    nodes : the first holds the `InputQuantizer`; every other takes earlier nodes; the last one is the output.
    output : scale, zero point, labels and task of the last node's integers.
    adaptation : what can adapt on a device, or None; what `simulate` gives is of the network before it does.
    monitor : what tells known inputs from unknown ones, or None (see `monitor`).

    Raises
    ------
    NetworkError : a rule of the graph is broken, sizes do not fit, or a value may pass 32 bits.
    """

    name: str
    nodes: tuple[Node, ...]
    output: Output
    adaptation: Adaptation | None = None
    monitor: Monitor | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        if not (isinstance(self.name, str) and self.name.isascii() and self.name.isidentifier()):
            raise NetworkError("network name", f"must be letters, digits and underscores, found {self.name!r}")
        if not self.nodes or not isinstance(self.nodes[0].layer, InputQuantizer):
            raise NetworkError(f"network {self.name}", "the first node must be an input quantizer")
        if len(self.nodes) < 2:
            raise NetworkError(f"network {self.name}", "holds no layer behind its input quantizer")
        self._check_graph()
        _ = self.ranges  # checks that every value fits 32 bits
        if self.output.scale.size not in (1, self.output_size):
            raise NetworkError("output, scale", f"must have 1 or {self.output_size} values")
        if self.task != VALUES and (self.task == BINARY) != (self.output_size == 1):
            raise NetworkError(
                "output, task",
                f"{self.task} for {self.output_size} outputs",
                "A binary network has one output, a network for classes has several",
            )
        if self.adaptation is not None:
            inputs = {node.name: node.inputs for node in self.nodes}
            check_fits(self.adaptation, self.of_kind(Dense), self.of_kind(Threshold), inputs, self.ranges)
        expected = label_count(self.task, self.output_size)
        if self.output.labels and len(self.output.labels) != expected:
            raise NetworkError(
                "output, labels",
                f"{len(self.output.labels)} labels for {self.output_size} outputs of task {self.task}, which has "
                f"{expected}",
            )
        if self.monitor is not None:
            self._check_monitor(self.monitor)

    def _check_monitor(self, monitor: Monitor) -> None:
        if not isinstance(monitor, Monitor):
            raise NetworkError("monitor", f"must be a monitor or None, found {type(monitor).__name__}")
        if self.task == VALUES:
            raise NetworkError("monitor", "needs classes; this network gives values")
        classes = 2 if self.task == BINARY else self.output_size
        inner = frozenset(node.name for node in self.nodes[1:-1])
        monitor.check(self.ranges, inner, self.nodes[0].name, classes)

    def _check_graph(self) -> None:
        seen: set[str] = set()
        used: set[str] = set()
        for position, node in enumerate(self.nodes):
            if not (isinstance(node.name, str) and node.name.isascii() and node.name.isidentifier()):
                raise NetworkError(f"node {position}", f"name {node.name!r} is not letters, digits and underscores")
            if node.name in seen:
                raise NetworkError(f"layer {node.name}", "this name occurs twice")
            if position and isinstance(node.layer, InputQuantizer):
                raise NetworkError(f"layer {node.name}", "only the first node may be an input quantizer")
            if len(node.inputs) != node.layer.input_count:
                raise NetworkError(
                    f"layer {node.name}", f"takes {node.layer.input_count} inputs, found {list(node.inputs)}"
                )
            if missing := [name for name in node.inputs if name not in seen]:
                raise NetworkError(f"layer {node.name}", f"takes {missing}, which no earlier node gives")
            seen.add(node.name)
            used.update(node.inputs)
        if unused := [node.name for node in self.nodes[:-1] if node.name not in used]:
            raise NetworkError(f"network {self.name}", f"nothing takes the output of {unused}")

    @property
    def origins(self) -> dict[str, str]:
        """Where the layers stand in the user's model, by name; of those of which it is known."""
        return {node.name: node.origin for node in self.nodes if node.origin}

    def with_origins(self, origins: Mapping[str, str]) -> Network:
        """The same network with the origins of these nodes, by name; others keep theirs."""
        nodes = tuple(replace(node, origin=origins.get(node.name, node.origin)) for node in self.nodes)
        return replace(self, nodes=nodes)

    @property
    def task(self) -> str:
        """ "classes", "binary" or "values": what `output` states, else as `task.task_of` derives it."""
        return task_of(self.output.task, self.output_size, len(self.output.labels))

    @property
    def quantizer(self) -> InputQuantizer:
        """The first layer."""
        layer = self.nodes[0].layer
        assert isinstance(layer, InputQuantizer)
        return layer

    @property
    def layers(self) -> tuple[Node, ...]:
        """All nodes behind the input quantizer."""
        return self.nodes[1:]

    def of_kind(self, kind: type[_L]) -> dict[str, _L]:
        """The layers of one kind by the names of their nodes, in the order of the network."""
        return {node.name: cast(_L, node.layer) for node in self.nodes if node.layer.kind == kind.kind}

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Number of channels of each node's output."""
        sizes: dict[str, int] = {}
        for node in self.nodes:
            try:
                sizes[node.name] = node.layer.output_size(*(sizes[name] for name in node.inputs))
            except NetworkError as error:
                raise NetworkError(f"layer {node.name}", str(error)) from error
        if sum(sizes.values()) > MOST_VALUES:
            raise NetworkError(
                f"network {self.name}",
                f"its layers hold {sum(sizes.values())} values together; the most is {MOST_VALUES}",
            )
        return sizes

    @cached_property
    def ranges(self) -> dict[str, ValueRange]:
        """The values that each node's output can take, per channel, for inputs of any value.

        Each layer's is exact for inputs of any values within their ranges, and so is the first layer's; what follows
        is a bound, as the outputs of a layer are not independent of each other. NetworkError past 32 bits.
        """
        sizes = self.sizes
        ranges: dict[str, ValueRange] = {}
        for node in self.nodes:
            where = f"layer {node.name}"
            try:
                value_range = node.layer.output_range(*(ranges[name] for name in node.inputs))
            except NetworkError as error:
                raise NetworkError(where, str(error)) from error
            assert value_range.channels == sizes[node.name]
            low, high = value_range.bounds
            if low < INT32_LOW or high > INT32_HIGH:
                # At once: the layers behind compute with these numbers.
                raise NetworkError(
                    where,
                    f"its values range from {low} to {high}, past 32 bits",
                    "Use fewer bits or fewer inputs for this layer",
                )
            ranges[node.name] = value_range
        return ranges

    @property
    def input_size(self) -> int:
        """Number of input features."""
        return self.quantizer.size

    @property
    def output_size(self) -> int:
        """Number of outputs."""
        return self.sizes[self.nodes[-1].name]

    def adapting(self) -> Any:
        """An `adaptation.state_machine.AdaptingNetwork` in its factory state; InputError if nothing adapts."""
        return importlib.import_module(".adaptation.state_machine", __package__).AdaptingNetwork(self)

    def check_input(self, q: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
        """Input integers as int32 [samples, inputs]; InputError if shape, type or a value does not fit."""
        q = np.asarray(q)
        if q.dtype.kind not in "iu" or q.ndim != 2 or q.shape[1] != self.input_size:
            raise InputError("input", f"must be integers [samples, {self.input_size}], found {q.dtype} {list(q.shape)}")
        if q.size and not (self.quantizer.low <= int(q.min()) and int(q.max()) <= self.quantizer.high):
            raise InputError(
                "input",
                f"integers must lie in {self.quantizer.low} … {self.quantizer.high}, found {q.min()} … {q.max()}",
            )
        return q.astype(np.int32, copy=False)
