"""The options of the int8 form: declared, and read into `Options`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeml.errors import InputError
from edgeml.input_encoding import ENCODE, FeatureEncoding
from edgeml.network.rounding import ROUNDINGS
from edgeml.options import Choice, Flag, Option, Real, Whole, read_values

from .calibration import METHODS
from .reader import DEFAULT_ROUNDING
from .runtimes import ALIASES, RUNTIMES

__all__ = ["OPTIONS", "Options", "parse_options"]

GUARD_BITS = 2
_DEFAULT_EPOCHS = 30

OPTIONS = (
    Option("bits", Whole(1, 8), "Bits of weights; activations have 8.", otherwise="8; 6 with --rounding shift"),
    Option("weight_bits", Whole(1, 8), "The same as --bits.", otherwise="as --bits", explored=(2, 4, 8)),
    Option(
        "epochs",
        Whole(0, 100_000),
        "Passes over the training samples, for narrow weights; 0 calibrates only.",
        otherwise=f"{_DEFAULT_EPOCHS} for weights of at most 4 bits, else 0",
    ),
    ENCODE,
    Option("seed", Whole(0, 2**31 - 1), "Order of the samples: the same seed gives the same bytes.", default=0),
    Option(
        "rounding",
        Choice((*ROUNDINGS, *RUNTIMES, *ALIASES)),
        "Rule by which layers round, or the runtime whose rule it is; shift: all runtimes give the same bytes.",
        default=DEFAULT_ROUNDING,
    ),
    Option("per_tensor", Flag(), "One scale for all the weights of a layer, not one for each channel.", default=False),
    Option("float_io", Flag(), "The file takes and gives float32.", default=False),
    Option("calibration", Choice(METHODS), "How the ranges of activations are found.", otherwise="mse"),
    Option(
        "percentile",
        Real(50, 100, open_low=True),
        "Share of the values, in percent, that a range must hold; calibrates by percentile.",
        default=99.99,
    ),
    Option("bias_correction", Flag(), "Shift biases so that the means of outputs stay.", default=True),
    Option("softmax", Choice(("drop", "keep")), "What becomes of a softmax at the end of the model.", default="drop"),
)
"""All options of the form, with their ranges and defaults."""


@dataclass(frozen=True)
class Options:
    """What the user asked for, with defaults filled in.

    Parameters
    ----------
    rounding : a rule's or a runtime's name, aliases resolved.
    weight_bits : 8, 4 or 2; in universal mode 2 to 6.
    calibration, percentile : see `Calibration`.
    softmax : "drop" or "keep" a softmax at the end of the model.
    epochs : training epochs for narrow weights; 0 calibrates only.
    encode : how features enter the network; () for all as whole numbers.
    """

    rounding: str
    per_tensor: bool
    float_io: bool
    weight_bits: int
    calibration: str
    percentile: float
    bias_correction: bool
    softmax: str
    epochs: int
    seed: int
    encode: tuple[FeatureEncoding, ...] = ()

    @property
    def universal(self) -> bool:
        """Whether one file must give the same bytes in every runtime."""
        return self.rounding == "shift"

    def weight_bits_of(self, *, trained: bool) -> int:
        """Bits of a layer's weights; those that are no parameters, as of a mean, have as many as the form allows."""
        return self.weight_bits if trained else 8 - GUARD_BITS if self.universal else 8


def _weight_bits(bits: int | None, weight_bits: int | None, universal: bool) -> int:
    if bits is not None and weight_bits is not None and bits != weight_bits:
        raise InputError(
            "options bits and weight_bits",
            f"are {bits} and {weight_bits}; in this form both mean the weights, activations have 8 bits",
            "Give one of them",
        )
    found = weight_bits or bits or (6 if universal else 8)
    if universal and found > 8 - GUARD_BITS:
        raise InputError(
            "option weight_bits",
            f"{found}-bit weights leave no room for the {GUARD_BITS} guard bits that keep every accumulator clear of "
            "ties: the runtimes would round some of them in different ways",
            f"Use at most {8 - GUARD_BITS} bits with --rounding shift, or choose the rule of one runtime",
        )
    if universal and found < 2:
        raise InputError("option weight_bits", "1-bit weights have no int8 form", "Use 2 to 6 bits")
    if not universal and found not in (8, 4, 2):
        raise InputError("option weight_bits", f"a .tflite file holds weights of 8, 4 or 2 bits, found {found}")
    return found


def parse_options(options: Mapping[str, Any]) -> Options:
    """`options` as given by the user, checked; InputError naming the option that is wrong."""
    values = read_values(OPTIONS, options)
    rounding = ALIASES.get(values["rounding"], values["rounding"])
    bits = _weight_bits(values["bits"], values["weight_bits"], rounding == "shift")
    calibration = values["calibration"] or ("percentile" if options.get("percentile") is not None else "mse")
    if options.get("percentile") is not None and calibration != "percentile":
        raise InputError(
            "options percentile and calibration",
            f"cannot work together: calibration {calibration!r} takes no percentile",
            "Leave one of them out",
        )
    epochs = values["epochs"]
    return Options(
        rounding=rounding,
        per_tensor=values["per_tensor"],
        float_io=values["float_io"],
        weight_bits=bits,
        calibration=calibration,
        percentile=values["percentile"],
        bias_correction=values["bias_correction"],
        softmax=values["softmax"],
        epochs=(0 if bits > 4 else _DEFAULT_EPOCHS) if epochs is None else epochs,
        seed=values["seed"],
        encode=values["encode"] or (),
    )
