"""A trained float spiking network: what snnTorch and NIR frontends give and the spiking converter takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..network import argmax
from ..network.task import BINARY, VALUES, label_count, task_of

__all__ = ["READOUTS", "Snn", "SnnLayer", "SnnRun", "SnnSource"]

Floats = npt.NDArray[np.float64]

READOUTS = ("count", "last-membrane", "largest-membrane")
"""What is read of the last layer: the number of its spikes, or its membrane after the last step, or the largest."""


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
        for name, shape in shapes.items():
            value = getattr(self, name)
            if value is None:
                continue
            if value.shape != shape:
                raise InputError(where, f"{name} must have shape {list(shape)}, found {list(value.shape)}")
            if not np.all(np.isfinite(value)):
                raise InputError(where, f"{name} holds NaN or infinity", "Train the model again, or mend it")
        for name in ("alpha", "beta"):
            value = getattr(self, name)
            if value is not None and (value.min() < 0 or value.max() > 1):
                raise InputError(where, f"{name} must lie in 0 … 1, found {value.min():g} … {value.max():g}")
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


class SnnSource(Protocol):
    """The model that an `Snn` was read from, to be run itself.

    Parameters
    ----------
    steps : time steps that its own program runs for one static sample; None where it takes events step by step.
    """

    steps: int | None

    def run(self, events: Floats) -> tuple[Floats, Floats]:
        """Spikes and membranes [steps, samples, outputs] of its last layer for events [steps, samples, inputs], of
        which a model with steps of its own takes the first."""

    def check(self, events: Floats) -> None:
        """Hold the reading against the model itself, layer by layer, on these events; CheckFailed where they differ by
        more than rounding."""


@dataclass(frozen=True, eq=False)
class Snn:
    """A feed-forward graph of layers (recurrent ones within a layer are theirs).

    Parameters
    ----------
    name : letters, digits and underscores.
    layers : in computing order; the last is the output.
    labels : names of the outputs, or empty; of a binary model the names of class 0 and class 1.
    task : "classes", "binary" (class 1 where the readout is above 0) or "values"; "" becomes what the outputs suggest.
    sources : for each layer, the layers whose spikes are added to be its input (−1: the network's input, alone).
        Empty: each takes the spikes of the one before.
    readout : what the model itself reads of its last layer, one of `READOUTS`.
    source : the model that this was read from, where it can be run.
    """

    name: str
    layers: tuple[SnnLayer, ...]
    labels: tuple[str, ...] = ()
    task: str = ""
    sources: tuple[tuple[int, ...], ...] = ()
    readout: str = "count"
    source: SnnSource | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.layers:
            raise InputError(f"model {self.name}", "holds no layer of spiking neurons")
        if self.readout not in READOUTS:
            raise InputError(f"model {self.name}", f"readout {self.readout!r} is not one of {', '.join(READOUTS)}")
        if not self.sources:
            object.__setattr__(self, "sources", tuple((k - 1,) for k in range(len(self.layers))))
        self._check_sources()
        object.__setattr__(self, "task", task_of(self.task, self.output_size, len(self.labels)))
        if self.labels and len(self.labels) != label_count(self.task, self.output_size):
            raise InputError("labels", f"{len(self.labels)} labels for {self.output_size} outputs of task {self.task}")

    def _check_sources(self) -> None:
        if len(self.sources) != len(self.layers):
            raise InputError(f"model {self.name}", f"{len(self.layers)} layers and sources of {len(self.sources)}")
        if (-1,) not in self.sources:
            raise InputError(f"model {self.name}", "has no layer that takes the input")
        for position, (layer, sources) in enumerate(zip(self.layers, self.sources, strict=True)):
            earlier = bool(sources) and all(0 <= source < position for source in sources)
            if not earlier and sources != (-1,):
                raise InputError(f"layer {layer.name}", f"takes {list(sources)}: layers before it, or the input alone")
            for source in sources:
                found = self.input_size if source < 0 else len(self.layers[source].bias)
                if layer.weight.shape[1] != found:
                    before = "the input" if source < 0 else self.layers[source].name
                    raise InputError(
                        f"layer {layer.name}", f"takes {layer.weight.shape[1]} inputs; {before} has {found}"
                    )

    @property
    def input_size(self) -> int:
        """Input channels per step."""
        return int(self.layers[self.sources.index((-1,))].weight.shape[1])

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
        spikes: list[Floats] = []
        membranes: list[Floats] = []
        for layer, sources in zip(self.layers, self.sources, strict=True):
            given = events if sources == (-1,) else sum((spikes[k] for k in sources[1:]), spikes[sources[0]])
            sent, membrane = layer.run(given)
            spikes.append(sent)
            membranes.append(membrane)
        return SnnRun(tuple(spikes), tuple(membranes))
