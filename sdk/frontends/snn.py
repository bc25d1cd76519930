"""A trained float spiking network: what snnTorch and NIR frontends give and the spiking converter takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..network import argmax
from ..network.task import BINARY, VALUES, label_count, task_of

__all__ = ["Snn", "SnnLayer", "SnnRun"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SnnLayer:
    """One layer: synapses and neurons, as snnTorch 1.0 computes them, in float64.

    I = W·s + b (+ V·own spikes of the step before); i ← α·i + I where there is a current; U ← β·U + i (or I), less
    θ for a spike of the step before (`subtract`), or times 0 (`zero`); s = [U > θ]. With `reset_delay` false the
    membrane is reset in the step of the spike; see sdk/network/spiking/models for the corner cases.

    Parameters
    ----------
    name : where it stands in the user's model.
    weight : [neurons, inputs]. bias : [neurons].
    beta, threshold : [neurons]. alpha : [neurons], or None without a current.
    reset : subtract, zero or none. drops_input : whether a reset to zero drops that step's input too.
    recurrent : [neurons, neurons] or None.
    delays : whole steps [neurons, inputs] or None.
    """

    name: str
    weight: Floats
    bias: Floats
    beta: Floats
    threshold: Floats
    alpha: Floats | None = None
    reset: str = "subtract"
    reset_delay: bool = True
    drops_input: bool = False
    recurrent: Floats | None = None
    delays: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        where = f"layer {self.name}"
        neurons, inputs = self.weight.shape
        shapes = {
            "weight": (neurons, inputs),
            "bias": (neurons,),
            "beta": (neurons,),
            "threshold": (neurons,),
            "alpha": (neurons,),
            "recurrent": (neurons, neurons),
            "delays": (neurons, inputs),
        }
        for field, shape in shapes.items():
            value = getattr(self, field)
            if value is None:
                continue
            if value.shape != shape:
                raise InputError(where, f"{field} must have shape {list(shape)}, found {list(value.shape)}")
            if not np.all(np.isfinite(value)):
                raise InputError(where, f"{field} holds NaN or infinity", "Train the model again, or mend it")
        for field in ("alpha", "beta"):
            value = getattr(self, field)
            if value is not None and (value.min() < 0 or value.max() > 1):
                raise InputError(where, f"{field} must lie in 0 … 1, found {value.min():g} … {value.max():g}")
        if self.reset not in ("subtract", "zero", "none"):
            raise InputError(where, f"reset {self.reset!r} is not subtract, zero or none")
        if np.any(self.threshold <= 0):
            raise InputError(where, f"thresholds must be positive, found {self.threshold.min():g}")

    def run(self, events: Floats) -> tuple[Floats, Floats]:
        """Spikes and membranes [steps, samples, neurons] for events [steps, samples, inputs]."""
        steps, samples = events.shape[:2]
        if self.delays is None:
            arriving = events @ self.weight.T
        else:
            arriving = np.zeros((steps, samples, len(self.bias)))
            for delay in np.unique(self.delays):
                if delay < steps:
                    weight = np.where(self.delays == delay, self.weight, 0.0)
                    arriving[delay:] += events[: steps - delay] @ weight.T
        u = np.zeros((samples, len(self.bias)))
        current, spikes = np.zeros_like(u), np.zeros_like(u)
        all_spikes, membranes = np.empty((steps, *u.shape)), np.empty((steps, *u.shape))
        for t in range(steps):
            into = arriving[t] + self.bias
            if self.recurrent is not None:
                into = into + spikes @ self.recurrent.T
            if self.alpha is not None:
                into = current = self.alpha * current + into
            past = (u > self.threshold).astype(np.float64)
            if self.reset == "zero" and self.reset_delay and not self.drops_input:
                u = u * (1 - past)
            u = self.beta * u + into
            integrated = u
            if self.reset == "subtract":
                u = u - past * self.threshold
            elif self.reset == "zero" and self.reset_delay and self.drops_input:
                u = u * (1 - past)
            spikes = (u > self.threshold).astype(np.float64)
            if not self.reset_delay and self.reset == "subtract":
                u = integrated - spikes * self.threshold
            elif not self.reset_delay and self.reset == "zero":
                u = u * (1 - spikes)
            all_spikes[t], membranes[t] = spikes, u
        return all_spikes, membranes


@dataclass(frozen=True, eq=False)
class SnnRun:
    """Spikes and membranes [steps, samples, neurons] of every layer, in order."""

    spikes: tuple[Floats, ...]
    membranes: tuple[Floats, ...]


@dataclass(frozen=True, eq=False)
class Snn:
    """A feed-forward chain of layers (recurrent ones within a layer are theirs).

    Parameters
    ----------
    name : letters, digits and underscores.
    layers : in order; each takes the spikes of the one before.
    labels : names of the outputs, or empty; of a binary model the names of class 0 and class 1.
    task : "classes", "binary" (class 1 where the readout is above 0) or "values"; "" becomes what the outputs suggest.
    """

    name: str
    layers: tuple[SnnLayer, ...]
    labels: tuple[str, ...] = ()
    task: str = ""

    def __post_init__(self) -> None:
        if not self.layers:
            raise InputError(f"model {self.name}", "holds no layer of spiking neurons")
        for before, layer in zip(self.layers, self.layers[1:], strict=False):
            if layer.weight.shape[1] != len(before.bias):
                raise InputError(
                    f"layer {layer.name}", f"takes {layer.weight.shape[1]} inputs; {before.name} has {len(before.bias)}"
                )
        object.__setattr__(self, "task", task_of(self.task, self.output_size, len(self.labels)))
        if self.labels and len(self.labels) != label_count(self.task, self.output_size):
            raise InputError("labels", f"{len(self.labels)} labels for {self.output_size} outputs of task {self.task}")

    @property
    def input_size(self) -> int:
        """Input channels per step."""
        return int(self.layers[0].weight.shape[1])

    @property
    def output_size(self) -> int:
        """Number of outputs."""
        return len(self.layers[-1].bias)

    def decisions(self, outputs: Floats) -> npt.NDArray[np.int64]:
        """The class of each sample, int64 [samples], from the readout [samples, outputs]: the largest, or of one
        output whether it is above 0. InputError for a model of values."""
        if self.task == VALUES:
            raise InputError(f"model {self.name}", "gives values, not classes")
        return (outputs[:, 0] > 0).astype(np.int64) if self.task == BINARY else argmax(outputs)

    def takes(self, features: int) -> bool:
        """Whether samples of so many features fit: one per channel, or one per step and channel."""
        return features % self.input_size == 0

    def run(self, events: Floats) -> SnnRun:
        """Run events [steps, samples, inputs]."""
        spikes, membranes = [], []
        for layer in self.layers:
            events, membrane = layer.run(events)
            spikes.append(events)
            membranes.append(membrane)
        return SnnRun(tuple(spikes), tuple(membranes))
