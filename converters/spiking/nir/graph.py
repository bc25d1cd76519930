"""The nodes and edges of a .nir file, as they are stored: kinds that edgeml reads, arrays of finite numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.system.hdf5_file import Hdf5File

__all__ = ["NEURONS", "SYNAPSES", "NirNode", "decoded", "flat", "read_graph"]

Floats = npt.NDArray[np.float64]
Edges = list[tuple[str, str]]

NEURONS = ("LIF", "CubaLIF", "IF")
SYNAPSES = ("Affine", "Linear")
_MOST_NODES = 10_000
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


def decoded(text: Any) -> str:
    """A text of the file, which may be stored as bytes."""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


class NirNode:
    """A node: its type, its arrays, and for a graph its inner nodes and edges."""

    def __init__(self, kind: str, values: dict[str, Floats]) -> None:
        self.kind, self.values = kind, values
        self.nodes: dict[str, NirNode] = {}
        self.edges: Edges = []


def read_graph(file: Hdf5File) -> NirNode:
    """The graph in a .nir file; InputError naming file and node if it is none that edgeml reads."""
    root = file.group(file.root, "node")
    if root is None:
        raise InputError(file.where, "holds no group `node`: it is HDF5, but not NIR")
    graph = _Reader(file).node(root, "node", 0)
    if graph.kind != "NIRGraph":
        raise InputError(file.where, f"its root is a {graph.kind}, not a NIRGraph")
    return graph


class _Reader:
    def __init__(self, file: Hdf5File) -> None:
        self.file, self.where = file, file.where
        self.count = 0

    def _text(self, group: Any, field: str, name: str) -> str:
        value = self.file.dataset(group, field)
        if value is None or value.shape != ():
            raise InputError(self.where, f"node {name} has no text {field!r}")
        return decoded(self.file.values(value).item())

    def _array(self, group: Any, field: str, name: str) -> Floats:
        value = self.file.dataset(group, field)
        if value is None or value.dtype.kind not in "fiu" or not value.size:
            raise InputError(self.where, f"node {name} has no numbers {field!r}")
        array = self.file.values(value).astype(np.float64)
        if not np.all(np.isfinite(array)):
            raise InputError(self.where, f"node {name}, {field} holds NaN or infinity")
        return array

    def node(self, group: Any, name: str, depth: int) -> NirNode:
        self.count += 1
        if self.count > _MOST_NODES or depth > 4:
            raise InputError(self.where, "holds too many nodes, or graphs too deep in one another")
        kind = self._text(group, "type", name)
        if kind != "NIRGraph":
            if kind not in _FIELDS:
                known = ", ".join([*_FIELDS, "NIRGraph"])
                raise InputError(self.where, f"node {name} is a {kind}", f"edgeml reads {known}")
            node = NirNode(kind, {field: self._array(group, field, name) for field in _FIELDS[kind]})
            if kind in NEURONS and "v_reset" in group:
                node.values["v_reset"] = self._array(group, "v_reset", name)
            return node
        node = NirNode(kind, {})
        inner = self.file.group(group, "nodes")
        if inner is None:
            raise InputError(self.where, f"graph {name} has no nodes")
        for key in inner:
            entry = self.file.group(inner, key)
            if entry is None:
                raise InputError(self.where, f"node {key} is not a group")
            node.nodes[str(key)] = self.node(entry, str(key), depth + 1)
        node.edges = self._edges(group, name, node.nodes)
        return node

    def _edges(self, group: Any, name: str, nodes: dict[str, NirNode]) -> Edges:
        edges = self.file.dataset(group, "edges")
        if edges is None or edges.ndim != 2 or edges.shape[1] != 2:
            raise InputError(self.where, f"graph {name} has no edges [count, 2]")
        if edges.shape[0] > 10 * _MOST_NODES:
            raise InputError(self.where, f"graph {name} has {edges.shape[0]} edges")
        found = []
        for pair in self.file.values(edges):
            a, b = (decoded(end) for end in pair)
            for end in (a, b):
                if end not in nodes:
                    raise InputError(self.where, f"an edge names the node {end!r}, which graph {name} does not have")
            found.append((a, b))
        return list(dict.fromkeys(found))


def flat(graph: NirNode, where: str) -> tuple[dict[str, NirNode], Edges]:
    """Nodes and edges with inner graphs laid open: their inputs and outputs are passed through."""
    nodes: dict[str, NirNode] = {}
    edges: Edges = []
    entry: dict[str, str] = {}
    leave: dict[str, str] = {}
    for name, node in graph.nodes.items():
        if node.kind != "NIRGraph":
            nodes[name] = node
            continue
        inner, inner_edges = flat(node, where)
        ins = [key for key, value in inner.items() if value.kind == "Input"]
        outs = [key for key, value in inner.items() if value.kind == "Output"]
        if len(ins) != 1 or len(outs) != 1:
            raise InputError(where, f"graph {name} needs one Input and one Output")
        first = [b for a, b in inner_edges if a == ins[0]]
        last = [a for a, b in inner_edges if b == outs[0]]
        if len(first) != 1 or len(last) != 1:
            raise InputError(where, f"graph {name}: one node behind its input and before its output is read")
        entry[name], leave[name] = f"{name}.{first[0]}", f"{name}.{last[0]}"
        nodes |= {f"{name}.{key}": value for key, value in inner.items() if key not in (ins[0], outs[0])}
        edges += [(f"{name}.{a}", f"{name}.{b}") for a, b in inner_edges if a != ins[0] and b != outs[0]]
    edges += [(leave.get(a, a), entry.get(b, b)) for a, b in graph.edges]
    return nodes, edges
