"""The nodes of a .nir file as a chain of layers: synapses and delays, neurons, and recurrent synapses around them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.frontends.snn import Snn, SnnLayer

from .graph import NEURONS, SYNAPSES, NirNode, flat

__all__ = ["Chain"]

Floats = npt.NDArray[np.float64]


class Chain:
    """A walk from the input of a graph to its output, which collects the layers.

    Parameters
    ----------
    graph : as the file holds it.
    where : the file, for errors.
    step : seconds of a time step.
    """

    def __init__(self, graph: NirNode, where: str, step: float) -> None:
        self.where, self.step = where, step
        self.nodes, edges = flat(graph, where)
        self.after: dict[str, list[str]] = {key: [] for key in self.nodes}
        self.before: dict[str, list[str]] = {key: [] for key in self.nodes}
        for a, b in edges:
            self.after[a].append(b)
            self.before[b].append(a)
        self.layers: list[SnnLayer] = []
        self.channels = 0
        self.weight: Floats | None = None
        self.bias: Floats = np.zeros(0)
        self.early: Floats | None = None
        """Steps of delay [channels] in front of the synapses."""
        self.late: Floats | None = None
        """Steps of delay [neurons] behind them."""

    def snn(self, name: str) -> Snn:
        """The layers in a row; InputError naming the node if the graph is not such a chain."""
        inputs = [key for key, node in self.nodes.items() if node.kind == "Input"]
        outputs = [key for key, node in self.nodes.items() if node.kind == "Output"]
        if len(inputs) != 1 or len(outputs) != 1:
            raise InputError(self.where, f"needs one Input and one Output, found {len(inputs)} and {len(outputs)}")
        at = inputs[0]
        self.channels = self._size(self.nodes[at], at)
        seen, came_from = {at}, ""
        while self.nodes[at].kind != "Output":
            loop = self._loop(at)
            seen.update(loop)
            self._take(at, loop[0] if loop else None)
            ahead = [key for key in self.after[at] if key not in loop]
            if len(ahead) != 1:
                raise InputError(self.where, f"node {at} goes to {ahead or 'nothing'}; chains of layers are read")
            came_from, at = at, ahead[0]
            if at in seen:
                raise InputError(self.where, f"node {at} closes a loop that is not recurrent synapses of one layer")
            seen.add(at)
        self._end(at, came_from)
        if unread := sorted(set(self.nodes) - seen):
            raise InputError(self.where, f"nodes {unread} do not lie between input and output")
        if not self.layers:
            raise InputError(self.where, "holds no spiking neurons")
        return Snn(name, tuple(self.layers))

    def _loop(self, at: str) -> list[str]:
        """The recurrent synapses of neurons, by name: none or one."""
        if self.nodes[at].kind not in NEURONS:
            return []
        loops = [key for key in self.after[at] if self.nodes[key].kind in SYNAPSES and self.after[key] == [at]]
        loops = [key for key in loops if self.before[key] == [at]]
        if len(loops) > 1:
            raise InputError(self.where, f"node {at} has {len(loops)} recurrent connections; one is read")
        return loops

    def _take(self, at: str, recurrent: str | None) -> None:
        """Add a node to what is collected."""
        node = self.nodes[at]
        if node.kind in SYNAPSES:
            if self.weight is not None:
                raise InputError(self.where, f"node {at} follows synapses without neurons between")
            self.weight, self.bias = self._synapses(node, at, self.channels)
            self.channels = len(self.bias)
        elif node.kind == "Delay":
            steps = self._delays(node, at, self.channels)
            if self.weight is None:
                self.early = steps if self.early is None else self.early + steps
            else:
                self.late = steps if self.late is None else self.late + steps
        elif node.kind in NEURONS:
            if self.weight is None:
                raise InputError(self.where, f"node {at} has no synapses (Affine or Linear) in front")
            inner = None if recurrent is None else self.nodes[recurrent]
            delays = self._collected_delays(self.weight)
            self.layers.append(self._neurons(at, node, self.weight, self.bias, inner, delays))
            self.weight, self.early, self.late = None, None, None

    def _collected_delays(self, weight: Floats) -> npt.NDArray[np.int64] | None:
        """Steps of each synapse, int64 [neurons, inputs]."""
        if self.early is None and self.late is None:
            return None
        total = np.zeros(weight.shape)
        total = total + (0 if self.early is None else self.early[None, :])
        total = total + (0 if self.late is None else self.late[:, None])
        return total.astype(np.int64)

    def _end(self, at: str, came_from: str) -> None:
        """Check what is left at the output."""
        if self.weight is not None or self.early is not None:
            raise InputError(self.where, "ends in synapses or delays without neurons behind them")
        node = self.nodes[at]
        if self._size(node, at) != self.channels:
            raise InputError(
                self.where,
                f"output {at} has {node.values['shape'].tolist()} channels, {came_from} gives {self.channels}",
            )

    def _size(self, node: NirNode, name: str) -> int:
        shape = node.values["shape"].ravel()
        if shape.size != 1 or shape[0] != math.floor(shape[0]) or not 1 <= shape[0] <= 2**24:
            raise InputError(self.where, f"node {name} has shape {node.values['shape'].tolist()}; one axis is read")
        return int(shape[0])

    def _synapses(self, node: NirNode, name: str, channels: int) -> tuple[Floats, Floats]:
        weight = node.values["weight"]
        if weight.ndim != 2 or weight.shape[1] != channels:
            raise InputError(self.where, f"node {name} has weights {list(weight.shape)}, its input {channels} channels")
        bias = node.values.get("bias", np.zeros(len(weight)))
        if bias.shape != (len(weight),):
            raise InputError(
                self.where, f"node {name} has a bias of shape {list(bias.shape)}, weights {list(weight.shape)}"
            )
        return weight, bias

    def _delays(self, node: NirNode, name: str, channels: int) -> Floats:
        seconds = node.values["delay"].ravel()
        if seconds.size not in (1, channels):
            raise InputError(self.where, f"node {name} has {seconds.size} delays for {channels} channels")
        steps = np.broadcast_to(np.rint(seconds / self.step), (channels,)).astype(np.float64)
        if steps.min() < 0 or np.any(np.abs(steps * self.step - seconds) > 1e-3 * self.step):
            raise InputError(self.where, f"node {name}: delays are not multiples of the time step, {self.step} s")
        return steps

    def _neurons(
        self,
        name: str,
        node: NirNode,
        weight: Floats,
        bias: Floats,
        loop: NirNode | None,
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
