"""A classic leaky integrate-and-fire model: every choice by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....errors import NetworkError
from ...arrays import integer_scalar
from .decay import DECAYS
from .limits import LIMITS

__all__ = ["NeuronModel"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "decay": tuple(DECAYS),
    "order": ("decay_then_add", "add_then_decay"),
    "accumulation": ("sum", "per_event"),
    "addition": ("exact", "saturating"),
    "current_limit": LIMITS,
    "membrane_limit": LIMITS,
    "compare": ("greater", "at_least"),
    "fire": ("per_step", "per_event"),
    "reset": ("none", "zero", "zero_with_input", "subtract", "subtract_guarded", "subtract_repeatedly"),
    "emission": ("binary", "count", "membrane"),
    "bias_into": ("current", "membrane"),
}


@dataclass(frozen=True)
class NeuronModel:
    """One time step of a neuron, for what its synapses bring it and its state: current u (optional) and membrane v.

    input: a = ((Σ weight · spike) >> dropped_bits) << weight_shift, `input_delay` steps late; u = decay(u) + a or
    decay(u + a) if there is a current, else u = a. Then v = decay(v) + u + bias, limited; s = [v > threshold] or
    [v ≥ threshold]; and the reset.

    Parameters
    ----------
    name : the preset that it comes from, or `custom`.
    current : whether there is a synaptic current with a decay of its own.
    decay, decay_bits : rule (spiking/models/decay) of both states.
    order : `decay_then_add`: u = decay(u) + a; `add_then_decay`: u = decay(u + a).
    accumulation : `sum`: all inputs of a step at once, wide; `per_event`: input by input in the order of their
        index, inputs before recurrent ones, limited by current_limit after each.
    addition : `exact`: decay(v) + u + bias, then limited; `saturating`: the change of v is limited after each
        addition (−loss + u, then + bias), and then v (Xylo).
    bits : width of the states.
    current_limit, membrane_limit : rules (spiking/models/limits) if a state passes it.
    weight_shift : left shift of what the weights bring: fraction bits of the state, Loihi's exponent.
    dropped_bits : bits that the sum of a step loses first, rounding down: Loihi's negative exponents. Recurrent
        synapses sum, and lose, by themselves, one sum per delay.
    compare : `greater` or `at_least`.
    fire : `per_step`, or `per_event`: compare and reset after every single event, and count the spikes (tinyODIN).
    reset : `none`; `zero`; `zero_with_input`: also what this step brought is dropped; `subtract` the threshold once;
        `subtract_guarded`: the comparison takes off the threshold if v was past it one step before, the membrane
        does not (snnTorch without reset delay); `subtract_repeatedly`: as often as it fits, at most max_spikes times.
    reset_delay : 1 if the reset that a spike asks for is done in the next step (snnTorch's habit), else 0.
    max_spikes : spikes of one neuron and step.
    emission : `binary` or `count` of spikes, or the `membrane` itself of a layer that does not fire.
    input_delay : steps between a spike and its effect, beside the delays of single synapses.
    bias_into : `current` or `membrane`; a bias is in units of the state, weight_shift does not move it.
    """

    name: str = "custom"
    current: bool = False
    decay: str = "none"
    decay_bits: int = 0
    order: str = "decay_then_add"
    accumulation: str = "sum"
    addition: str = "exact"
    bits: int = 32
    current_limit: str = "refuse"
    membrane_limit: str = "refuse"
    weight_shift: int = 0
    dropped_bits: int = 0
    compare: str = "at_least"
    fire: str = "per_step"
    reset: str = "subtract"
    reset_delay: int = 0
    max_spikes: int = 1
    emission: str = "binary"
    input_delay: int = 0
    bias_into: str = "current"

    def __post_init__(self) -> None:
        for field, known in _CHOICES.items():
            if getattr(self, field) not in known:
                raise NetworkError(f"neuron model, {field}", f"{getattr(self, field)!r} is not one of {known}")
        if not isinstance(self.name, str) or not isinstance(self.current, bool):
            raise NetworkError(
                "neuron model", f"name {self.name!r} must be text, current {self.current!r} a truth value"
            )
        for field, low, high in (
            ("decay_bits", 0, 24),
            ("bits", 2, 32),
            ("weight_shift", 0, 30),
            ("dropped_bits", 0, 8),
            ("reset_delay", 0, 1),
            ("max_spikes", 1, 255),
            ("input_delay", 0, 1),
        ):
            object.__setattr__(self, field, integer_scalar(f"neuron model, {field}", getattr(self, field), low, high))
        if self.fire == "per_event" and (self.current or self.accumulation != "per_event" or self.reset != "zero"):
            raise NetworkError("neuron model", "fire per_event needs accumulation per_event, reset zero, no current")
        if self.reset_delay and self.reset not in ("none", "zero", "zero_with_input", "subtract"):
            raise NetworkError("neuron model", f"reset {self.reset!r} has no delay")
        if self.max_spikes > 1 and self.reset != "subtract_repeatedly" and self.fire != "per_event":
            raise NetworkError("neuron model", "max_spikes above 1 needs reset subtract_repeatedly or fire per_event")
        if self.fire == "per_event" and self.emission == "membrane":
            raise NetworkError("neuron model", "fire per_event emits spikes, not the membrane")
        if self.emission == "binary" and self.max_spikes > 1:
            raise NetworkError("neuron model", "emission binary has at most one spike a step; use count")
        if self.accumulation == "per_event" and self.current_limit not in ("saturate", "refuse"):
            raise NetworkError("neuron model", "accumulation per_event saturates or does not, it cannot wrap")
        if self.dropped_bits and self.accumulation == "per_event":
            raise NetworkError("neuron model", "dropped_bits is for sums: accumulation per_event has none")
        if self.decay == "shift" and self.decay_bits:
            raise NetworkError("neuron model", "decay shift has its shift per neuron; decay_bits must be 0")

    @classmethod
    def from_attributes(cls, attributes: Any) -> NeuronModel:
        """Inverse of `attributes`; NetworkError if a field is unknown or wrong."""
        if not isinstance(attributes, Mapping):
            raise NetworkError("neuron model", f"must be a table of choices, found {type(attributes).__name__}")
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(set(attributes) - known, key=str):
            raise NetworkError("neuron model", f"unknown fields {unknown}")
        return cls(**attributes)

    def attributes(self) -> dict[str, Any]:
        """The choices as JSON-able fields."""
        return dataclasses.asdict(self)
