"""Leaky integrate-and-fire neurons that run over time, with the synapses that feed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import INT32_HIGH, INT32_LOW, integer_array, integer_scalar
from ..layer import Direction, Layer
from ..spiking.dynamics import Record, run_layer
from ..spiking.models.neuron_model import NeuronModel
from ..spiking.models.operations import Program
from ..spiking.models.program import program_of
from ..spiking.ranges import state_ranges
from ..spiking.size_over_time import check_extent
from ..value_range import IntArray, ValueRange

__all__ = ["LeakyNeurons"]

_L = TypeVar("_L", bound="LeakyNeurons")
_MOST_DELAY = 2**12
_MOST_STATES = 2**23


@dataclass(frozen=True, eq=False)
class LeakyNeurons(Layer):
    """Spikes over time in, spikes (or membranes) over time out; `model` says what happens in each step.

    A tensor over time is [samples, steps · channels], step by step: element t · channels + c. State starts at
    `initial` and 0 for every sample. A synapse with delay d brings at step t what its source sent at step
    t − d − model.input_delay; a recurrent synapse at least the step before.

    Parameters
    ----------
    model : every choice of the neuron (spiking/models/neuron_model).
    steps : time steps.
    weight : integers [neurons, inputs] of `weight_bits`.
    weight_bits : 1 to 8, as for `Dense`.
    threshold : int32 [neurons], not negative, in units of the membrane.
    current_decay, membrane_decay : int32 [neurons], not negative: the parameter of model.decay for each state.
    bias : int32 [neurons], in units of the state that it is added to, every step.
    initial : int32 [neurons]: the membrane before the first step.
    recurrent : integers [neurons, neurons] of `weight_bits`, from each neuron's own spikes, or None.
    delays : integers [neurons, inputs], steps, or None.
    recurrent_delays : integers [neurons, neurons], at least 1, or None for 1.
    """

    kind: ClassVar[str] = "leaky_neurons"

    model: NeuronModel
    steps: int
    weight: npt.NDArray[np.int32]
    weight_bits: int
    threshold: npt.NDArray[np.int32]
    current_decay: npt.NDArray[np.int32]
    membrane_decay: npt.NDArray[np.int32]
    bias: npt.NDArray[np.int32]
    initial: npt.NDArray[np.int32]
    recurrent: npt.NDArray[np.int32] | None = None
    delays: npt.NDArray[np.int32] | None = None
    recurrent_delays: npt.NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.model, NeuronModel):
            raise NetworkError("leaky neurons, model", f"must be a NeuronModel, found {type(self.model).__name__}")
        bits = integer_scalar("leaky neurons, weight bits", self.weight_bits, 1, 8)
        low, high = (-1, 1) if bits == 1 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        weight = integer_array("leaky neurons, weight", self.weight, 2, low, high)
        neurons, inputs = weight.shape
        checked: dict[str, Any] = {
            "weight_bits": bits,
            "weight": weight,
            "steps": integer_scalar("leaky neurons, steps", self.steps, 1, 2**16),
        }
        check_extent("leaky neurons", checked["steps"], max(neurons, inputs))
        for name, least in (
            ("threshold", 0),
            ("current_decay", 0),
            ("membrane_decay", 0),
            ("bias", INT32_LOW),
            ("initial", INT32_LOW),
        ):
            array = integer_array(f"leaky neurons, {name}", getattr(self, name), 1, least)
            if array.size != neurons:
                raise NetworkError(f"leaky neurons, {name}", f"must have {neurons} values, found {array.size}")
            checked[name] = array
        self._check_decays(checked)
        for name, shape, least, most in (
            ("recurrent", (neurons, neurons), low, high),
            ("delays", (neurons, inputs), 0, _MOST_DELAY),
            ("recurrent_delays", (neurons, neurons), 1, _MOST_DELAY),
        ):
            if getattr(self, name) is not None:
                array = integer_array(f"leaky neurons, {name}", getattr(self, name), 2, least, most)
                if array.shape != shape:
                    raise NetworkError(f"leaky neurons, {name}", f"must be {list(shape)}, found {list(array.shape)}")
                checked[name] = array
        if self.recurrent_delays is not None and self.recurrent is None:
            raise NetworkError("leaky neurons, recurrent_delays", "needs recurrent synapses")
        if self.recurrent is not None and self.model.emission == "membrane":
            raise NetworkError("leaky neurons, recurrent", "needs neurons that emit spikes")
        if self.model.reset == "subtract_repeatedly" and np.any(checked["threshold"] < 1):
            raise NetworkError("leaky neurons, threshold", "must be positive to be subtracted repeatedly")
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def _check_decays(self, checked: Mapping[str, Any]) -> None:
        model = self.model
        most = {"multiply": 1 << model.decay_bits, "multiply_toward_zero": 1 << model.decay_bits, "shift": 31}
        for name in ("current_decay", "membrane_decay"):
            allowed = most.get(model.decay, INT32_HIGH)
            if int(checked[name].max()) > allowed:
                raise NetworkError(
                    f"leaky neurons, {name}",
                    f"is at most {allowed} for decay {model.decay}, found {checked[name].max()}",
                )

    @cached_property
    def program(self) -> Program:
        """What each neuron does in a step."""
        return program_of(self.model, biased=bool(self.bias.any()))

    @property
    def neurons(self) -> int:
        """Number of neurons."""
        return int(self.weight.shape[0])

    @property
    def inputs(self) -> int:
        """Number of input channels."""
        return int(self.weight.shape[1])

    @property
    def most_spikes(self) -> int:
        """Largest number of spikes of one neuron and step."""
        return self.model.max_spikes

    @property
    def time_steps(self) -> int:
        return self.steps

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.steps * self.inputs,):
            raise NetworkError(
                "leaky neurons", f"takes {self.steps} steps of {self.inputs} inputs, found {list(input_sizes)} in all"
            )
        return self.steps * self.neurons

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        current, membrane = state_ranges(self, inputs[0])
        for name, value_range in (("current", current), ("membrane", membrane)):
            low, high = value_range.bounds
            if low < INT32_LOW or high > INT32_HIGH:
                raise NetworkError(
                    f"leaky neurons, {name}",
                    f"may reach {low} … {high} within {self.steps} steps, past 32 bits",
                    "Use fewer fraction bits (weight_shift), fewer steps or smaller weights",
                )
        if self.model.emission == "membrane":
            return ValueRange(np.tile(membrane.low, self.steps), np.tile(membrane.high, self.steps))
        return ValueRange.uniform(0, self.most_spikes, self.steps * self.neurons)

    def record(self, x: IntArray) -> Record:
        """Currents, membranes and spikes of every step for x [samples, steps · inputs]."""
        spikes = np.ascontiguousarray(x.astype(np.int64).reshape(len(x), self.steps, self.inputs).transpose(1, 0, 2))
        if spikes.size and self.model.accumulation == "per_event" and spikes.min() < 0:
            raise NetworkError("leaky neurons", "events that are added one by one cannot be negative in number")
        return run_layer(self, spikes)

    def emitted(self, record: Record) -> npt.NDArray[np.int32]:
        """What the layer sends of a record: int32 [samples, steps · neurons]."""
        sent = record.membrane if self.model.emission == "membrane" else record.spikes
        return sent.transpose(1, 0, 2).reshape(sent.shape[1], -1).astype(np.int32)

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        (x,) = inputs
        outputs = np.empty((len(x), self.steps * self.neurons), np.int32)
        # States of all steps are in memory at once: few samples at a time if there are many.
        chunk = max(1, _MOST_STATES // (self.steps * max(self.neurons, self.inputs)))
        for start in range(0, len(x), chunk):
            outputs[start : start + chunk] = self.emitted(self.record(x[start : start + chunk]))
        return outputs

    def parts(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        attributes, tensors = super().parts()
        attributes["model"] = self.model.attributes()
        return attributes, tensors

    @classmethod
    def from_parts(cls: type[_L], attributes: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]) -> _L:
        model = NeuronModel.from_attributes(attributes.get("model"))
        return super().from_parts({**attributes, "model": model}, tensors)

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...]:
        return ((direction.reshape(self.steps, self.neurons) @ self.weight.astype(np.float64)).ravel(),)

    def summary(self) -> str:
        extras = [name for name in ("recurrent", "delays") if getattr(self, name) is not None]
        return ", ".join([f"{self.inputs} → {self.neurons}, {self.steps} steps, {self.model.name}", *extras])
