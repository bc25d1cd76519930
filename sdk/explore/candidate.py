"""A design that may be tried: a network's shape and bits, the form, the part and how its hardware is arranged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError

__all__ = ["Candidate", "parse_baseline"]

_WIDEST = 65536
_DEEPEST = 16


@dataclass(frozen=True)
class Candidate:
    """One design.

    Parameters
    ----------
    target : a profile's name or path. form : quantized, spiking or tflite.
    hidden : widths of the hidden layers of a member of the family; empty where a trained model is given.
    weight_bits : of every linear layer in order. act_bits : behind every linear layer but the last.
    input_bits : of the network's input.
    options : of the target, and of the spiking form its encoding.
    baseline : whether it was given by hand (never stopped early).
    encode : how all features enter, as the option `encode` has it behind `all=`; "" for whole numbers.
    fan_in : most inputs of a neuron of every linear layer in order, 0 for all; empty: all everywhere.
    """

    target: str
    form: str
    hidden: tuple[int, ...]
    weight_bits: tuple[int, ...]
    act_bits: tuple[int, ...]
    input_bits: int
    options: Mapping[str, Any] = field(default_factory=dict)
    baseline: bool = False
    encode: str = ""
    fan_in: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Everything but `baseline`, for front.json and for the storage."""
        return {
            "target": self.target,
            "form": self.form,
            "hidden": list(self.hidden),
            "weight_bits": list(self.weight_bits),
            "act_bits": list(self.act_bits),
            "input_bits": self.input_bits,
            "encode": self.encode,
            "fan_in": list(self.fan_in),
            "options": dict(self.options),
        }

    @property
    def training_key(self) -> tuple[Any, ...]:
        """What decides the trained integers; spiking networks are made from the quantized ones, exactly."""
        bits = self.weight_bits, self.act_bits, self.input_bits
        return (self.form == "tflite", self.hidden, *bits, self.encode, self.fan_in)

    @property
    def target_options(self) -> dict[str, Any]:
        """The options of the target alone."""
        return {name: value for name, value in self.options.items() if name != "encoding"}

    def layer_bits(self, layers: Sequence[str]) -> dict[str, tuple[int, int | None]]:
        """The quantized form's option `layer_bits`, for linear layers called so."""
        acts: list[int | None] = [*self.act_bits, None]
        return dict(zip(layers, zip(self.weight_bits, acts, strict=True), strict=True))

    def limits(self, layers: Sequence[str]) -> dict[str, int]:
        """The quantized form's option `fan_in`, for linear layers called so; empty where no layer has a limit."""
        return {name: limit for name, limit in zip(layers, self.fan_in, strict=False) if limit}


def parse_baseline(text: str) -> tuple[tuple[int, ...], int]:
    """`256-128-64-32:2` as (hidden widths, bits of weights and activations); InputError where it is not so."""
    widths, colon, bits = text.partition(":")
    try:
        hidden = tuple(int(width) for width in widths.split("-"))
        number = int(bits)
    except ValueError:
        hidden, number = (), 0
    sound = 1 <= len(hidden) <= _DEEPEST and all(0 < width <= _WIDEST for width in hidden)
    if not colon or not 1 <= number <= 8 or not sound:
        raise InputError(
            f"option baseline {text!r}",
            f"must be hidden widths (1 … {_WIDEST}, at most {_DEEPEST}) and bits (1 … 8)",
            "For example 256-128-64-32:2",
        )
    return hidden, number
