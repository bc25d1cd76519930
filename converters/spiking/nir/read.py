"""Read .nir: the exact network of a file that edgeml wrote, else the float spiking network that its nodes say."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.snn import Snn, SnnLayer
from edgeml.network import Network, network_file
from edgeml.verification.stated_scales import StatedScales

from .stored import StoredFile, opened
from .write import EXACT_GROUP, NIR_STEP, REAL_NUMBERS

__all__ = ["read_model", "read_scales", "read_snn"]

Floats = npt.NDArray[np.float64]
_MOST_NODES = 10_000
_NEURONS = ("LIF", "CubaLIF", "IF")
_SYNAPSES = ("Affine", "Linear")
_FIELDS = {
    "Affine": ("weight", "bias"),
    "Linear": ("weight",),
    "Delay": ("delay",),
    "LIF": ("tau", "r", "v_leak", "v_threshold"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "w_in"),
    "IF": ("r", "v_threshold"),
    "Input": ("shape",),
    "Output": ("shape",),
}


def read_model(path: str | Path) -> Network | Snn:
    """The network in a .nir file; InputError naming the file and node where it cannot be read."""
    path = Path(path)
    with opened(path) as file:
        group = file.group(file.root, EXACT_GROUP)
        exact = None if group is None else file.dataset(group, "network")
        if exact is None:
            return _Reader(file, NIR_STEP).snn(_name(path))
        if exact.dtype != np.uint8 or exact.ndim != 1:
            raise InputError(file.where, f"its dataset {EXACT_GROUP}/network is not a sequence of bytes")
        return network_file.from_bytes(file.values(exact).tobytes(), f"{file.where}, {EXACT_GROUP}/network")


def read_snn(path: str | Path, step: float = NIR_STEP) -> Snn:
    """What the NIR nodes say, whoever wrote them, for time steps of so many seconds."""
    path = Path(path)
    with opened(path) as file:
        return _Reader(file, step).snn(_name(path))


def read_scales(path: str | Path) -> StatedScales:
    """What the file says real numbers become, and what its outputs stand for; CheckFailed where it says nothing."""
    with opened(Path(path)) as file:
        group = file.group(file.root, EXACT_GROUP)
        stated = None if group is None else file.dataset(group, REAL_NUMBERS)
        text = "" if stated is None else _decoded(file.values(stated).item())
        return StatedScales.from_json(text, file.where)


def _name(path: Path) -> str:
    name = re.sub(r"\W", "_", path.stem, flags=re.ASCII)
    return name if name.isidentifier() else f"nir_{name}"


def _decoded(text: Any) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


class _Node:
    """A node: its type, its arrays, and for a graph its inner nodes and edges."""

    def __init__(self, kind: str, values: dict[str, Floats]) -> None:
        self.kind, self.values = kind, values
        self.nodes: dict[str, _Node] = {}
        self.edges: list[tuple[str, str]] = []


class _Reader:
    def __init__(self, file: StoredFile, step: float) -> None:
        self.file, self.where, self.step = file, file.where, step
        self.count = 0
        root = file.group(file.root, "node")
        if root is None:
            raise InputError(self.where, "holds no group `node`: it is HDF5, but not NIR")
        self.graph = self._node(root, "node", 0)
        if self.graph.kind != "NIRGraph":
            raise InputError(self.where, f"its root is a {self.graph.kind}, not a NIRGraph")

    def _text(self, group: Any, field: str, name: str) -> str:
        value = self.file.dataset(group, field)
        if value is None or value.shape != ():
            raise InputError(self.where, f"node {name} has no text {field!r}")
        return _decoded(self.file.values(value).item())

    def _array(self, group: Any, field: str, name: str) -> Floats:
        value = self.file.dataset(group, field)
        if value is None or value.dtype.kind not in "fiu" or not value.size:
            raise InputError(self.where, f"node {name} has no numbers {field!r}")
        array = self.file.values(value).astype(np.float64)
        if not np.all(np.isfinite(array)):
            raise InputError(self.where, f"node {name}, {field} holds NaN or infinity")
        return array

    def _node(self, group: Any, name: str, depth: int) -> _Node:
        self.count += 1
        if self.count > _MOST_NODES or depth > 4:
            raise InputError(self.where, "holds too many nodes, or graphs too deep in one another")
        kind = self._text(group, "type", name)
        if kind != "NIRGraph":
            if kind not in _FIELDS:
                known = ", ".join([*_FIELDS, "NIRGraph"])
                raise InputError(self.where, f"node {name} is a {kind}", f"edgeml reads {known}")
            node = _Node(kind, {field: self._array(group, field, name) for field in _FIELDS[kind]})
            if kind in _NEURONS and "v_reset" in group:
                node.values["v_reset"] = self._array(group, "v_reset", name)
            return node
        node = _Node(kind, {})
        inner = self.file.group(group, "nodes")
        if inner is None:
            raise InputError(self.where, f"graph {name} has no nodes")
        for key in inner:
            entry = self.file.group(inner, key)
            if entry is None:
                raise InputError(self.where, f"node {key} is not a group")
            node.nodes[str(key)] = self._node(entry, str(key), depth + 1)
        node.edges = self._edges(group, name, node.nodes)
        return node

    def _edges(self, group: Any, name: str, nodes: dict[str, _Node]) -> list[tuple[str, str]]:
        edges = self.file.dataset(group, "edges")
        if edges is None or edges.ndim != 2 or edges.shape[1] != 2:
            raise InputError(self.where, f"graph {name} has no edges [count, 2]")
        if edges.shape[0] > 10 * _MOST_NODES:
            raise InputError(self.where, f"graph {name} has {edges.shape[0]} edges")
        found = []
        for pair in self.file.values(edges):
            a, b = (_decoded(end) for end in pair)
            for end in (a, b):
                if end not in nodes:
                    raise InputError(self.where, f"an edge names the node {end!r}, which graph {name} does not have")
            found.append((a, b))
        return list(dict.fromkeys(found))

    def snn(self, name: str) -> Snn:
        """The chain from the input to the output."""
        nodes, edges = self._flat(self.graph)
        after: dict[str, list[str]] = {key: [] for key in nodes}
        before: dict[str, list[str]] = {key: [] for key in nodes}
        for a, b in edges:
            after[a].append(b)
            before[b].append(a)
        inputs = [key for key, node in nodes.items() if node.kind == "Input"]
        outputs = [key for key, node in nodes.items() if node.kind == "Output"]
        if len(inputs) != 1 or len(outputs) != 1:
            raise InputError(self.where, f"needs one Input and one Output, found {len(inputs)} and {len(outputs)}")
        layers: list[SnnLayer] = []
        channels = self._size(nodes[inputs[0]], inputs[0])
        at, came_from = inputs[0], ""
        weight: Floats | None = None
        bias: Floats = np.zeros(0)
        early: Floats | None = None  # delays of the channels in front of the synapses
        late: Floats | None = None  # delays behind them
        seen = {at}
        while True:
            node = nodes[at]
            recurrent = None
            if node.kind in _NEURONS:
                loops = [key for key in after[at] if nodes[key].kind in _SYNAPSES and after[key] == [at]]
                loops = [key for key in loops if before[key] == [at]]
                if len(loops) > 1:
                    raise InputError(self.where, f"node {at} has {len(loops)} recurrent connections; one is read")
                recurrent = loops[0] if loops else None
                seen.update(loops)
            if node.kind in _SYNAPSES:
                if weight is not None:
                    raise InputError(self.where, f"node {at} follows synapses without neurons between")
                weight, bias = self._synapses(node, at, channels)
                channels = len(bias)
            elif node.kind == "Delay":
                steps = self._delays(node, at, channels)
                if weight is None:
                    early = steps if early is None else early + steps
                else:
                    late = steps if late is None else late + steps
            elif node.kind in _NEURONS:
                if weight is None:
                    raise InputError(self.where, f"node {at} has no synapses (Affine or Linear) in front")
                delays = None
                if early is not None or late is not None:
                    zero = np.zeros(weight.shape)
                    total = zero + (0 if early is None else early[None, :]) + (0 if late is None else late[:, None])
                    delays = total.astype(np.int64)
                inner = None if recurrent is None else nodes[recurrent]
                layers.append(self._neurons(at, node, weight, bias, inner, delays))
                weight, early, late = None, None, None
            elif node.kind == "Output":
                if weight is not None or early is not None:
                    raise InputError(self.where, "ends in synapses or delays without neurons behind them")
                if self._size(node, at) != channels:
                    raise InputError(
                        self.where,
                        f"output {at} has {node.values['shape'].tolist()} channels, {came_from} gives {channels}",
                    )
                break
            ahead = [key for key in after[at] if key != recurrent]
            if len(ahead) != 1:
                raise InputError(self.where, f"node {at} goes to {ahead or 'nothing'}; chains of layers are read")
            came_from, at = at, ahead[0]
            if at in seen:
                raise InputError(self.where, f"node {at} closes a loop that is not recurrent synapses of one layer")
            seen.add(at)
        if unread := sorted(set(nodes) - seen):
            raise InputError(self.where, f"nodes {unread} do not lie between input and output")
        if not layers:
            raise InputError(self.where, "holds no spiking neurons")
        return Snn(name, tuple(layers))

    def _flat(self, graph: _Node) -> tuple[dict[str, _Node], list[tuple[str, str]]]:
        """Nodes and edges with inner graphs laid open: their inputs and outputs are passed through."""
        nodes: dict[str, _Node] = {}
        edges: list[tuple[str, str]] = []
        entry: dict[str, str] = {}
        leave: dict[str, str] = {}
        for name, node in graph.nodes.items():
            if node.kind != "NIRGraph":
                nodes[name] = node
                continue
            inner, inner_edges = self._flat(node)
            ins = [key for key, value in inner.items() if value.kind == "Input"]
            outs = [key for key, value in inner.items() if value.kind == "Output"]
            if len(ins) != 1 or len(outs) != 1:
                raise InputError(self.where, f"graph {name} needs one Input and one Output")
            first = [b for a, b in inner_edges if a == ins[0]]
            last = [a for a, b in inner_edges if b == outs[0]]
            if len(first) != 1 or len(last) != 1:
                raise InputError(self.where, f"graph {name}: one node behind its input and before its output is read")
            entry[name], leave[name] = f"{name}.{first[0]}", f"{name}.{last[0]}"
            nodes |= {f"{name}.{key}": value for key, value in inner.items() if key not in (ins[0], outs[0])}
            edges += [(f"{name}.{a}", f"{name}.{b}") for a, b in inner_edges if a != ins[0] and b != outs[0]]
        edges += [(leave.get(a, a), entry.get(b, b)) for a, b in graph.edges]
        return nodes, edges

    def _size(self, node: _Node, name: str) -> int:
        shape = node.values["shape"].ravel()
        if shape.size != 1 or shape[0] != math.floor(shape[0]) or not 1 <= shape[0] <= 2**24:
            raise InputError(self.where, f"node {name} has shape {node.values['shape'].tolist()}; one axis is read")
        return int(shape[0])

    def _synapses(self, node: _Node, name: str, channels: int) -> tuple[Floats, Floats]:
        weight = node.values["weight"]
        if weight.ndim != 2 or weight.shape[1] != channels:
            raise InputError(self.where, f"node {name} has weights {list(weight.shape)}, its input {channels} channels")
        bias = node.values.get("bias", np.zeros(len(weight)))
        if bias.shape != (len(weight),):
            raise InputError(
                self.where, f"node {name} has a bias of shape {list(bias.shape)}, weights {list(weight.shape)}"
            )
        return weight, bias

    def _delays(self, node: _Node, name: str, channels: int) -> Floats:
        seconds = node.values["delay"].ravel()
        if seconds.size not in (1, channels):
            raise InputError(self.where, f"node {name} has {seconds.size} delays for {channels} channels")
        steps = np.broadcast_to(np.rint(seconds / self.step), (channels,)).astype(np.float64)
        if steps.min() < 0 or np.any(np.abs(steps * self.step - seconds) > 1e-3 * self.step):
            raise InputError(self.where, f"node {name}: delays are no multiples of the time step, {self.step} s")
        return steps

    def _neurons(
        self,
        name: str,
        node: _Node,
        weight: Floats,
        bias: Floats,
        loop: _Node | None,
        delays: npt.NDArray[np.int64] | None,
    ) -> SnnLayer:
        """Euler steps of NIR's equation; a reset to zero at once, as NIR has it."""
        size = len(bias)

        def each(field: str) -> Floats:
            values = node.values[field].ravel()
            if values.size not in (1, size):
                raise InputError(self.where, f"node {name}, {field}: {values.size} values for {size} neurons")
            return np.broadcast_to(values, (size,)).astype(np.float64)

        if np.any(node.values.get("v_reset", np.zeros(1)) != 0):
            raise InputError(self.where, f"node {name} resets to another value than 0, which no preset here does")
        gain, alpha, shift = each("r"), None, np.zeros(size)
        if node.kind == "IF":
            beta = np.ones(size)
        else:
            tau = each("tau" if node.kind == "LIF" else "tau_mem")
            if np.any(tau < self.step):
                raise InputError(self.where, f"node {name}: a time constant is shorter than the step, {self.step} s")
            beta, gain = 1 - self.step / tau, gain * self.step / tau
            shift = each("v_leak") * self.step / tau
        if node.kind == "CubaLIF":
            tau_syn = each("tau_syn")
            if np.any(tau_syn < self.step):
                raise InputError(self.where, f"node {name}: a time constant is shorter than the step, {self.step} s")
            if np.any(shift != 0):
                raise InputError(self.where, f"node {name} leaks to another value than 0, which no preset here does")
            alpha = 1 - self.step / tau_syn
            gain = gain * each("w_in") * self.step / tau_syn
        recurrent = None
        bias = bias * gain + shift
        if loop is not None:
            inner, inner_bias = self._synapses(loop, f"{name}, recurrent", size)
            recurrent, bias = inner * gain[:, None], bias + inner_bias * gain
        return SnnLayer(
            name, weight * gain[:, None], bias, beta, each("v_threshold"), alpha, "zero", False, True, recurrent, delays
        )
