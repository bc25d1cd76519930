"""The options of the int8 form, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeml.errors import InputError

from .calibration import METHODS
from .reader import DEFAULT_ROUNDING
from .runtimes import ALIASES, rounding_rule

__all__ = ["OPTION_NAMES", "Options", "parse_options"]

OPTION_NAMES = (
    "rounding",
    "per_tensor",
    "float_io",
    "bits",
    "weight_bits",
    "calibration",
    "percentile",
    "bias_correction",
    "softmax",
    "epochs",
    "seed",
)

GUARD_BITS = 2
_DEFAULT_EPOCHS = 30


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

    @property
    def universal(self) -> bool:
        """Whether one file must give the same bytes in every runtime."""
        return self.rounding == "shift"


def _integer(name: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"option {name}", f"must be a whole number in {low} … {high}, found {value!r}")
    return value


def _flag(options: Mapping[str, Any], name: str, default: bool) -> bool:
    value = options.get(name, default)
    if not isinstance(value, bool):
        raise InputError(f"option {name}", f"must be true or false, found {value!r}")
    return value


def _word(options: Mapping[str, Any], name: str, words: tuple[str, ...]) -> str:
    value = options.get(name, words[0])
    if value not in words:
        raise InputError(f"option {name}", f"must be one of {', '.join(words)}, found {value!r}")
    return str(value)


def _weight_bits(options: Mapping[str, Any], universal: bool) -> int:
    if "bits" in options and options.get("weight_bits", options["bits"]) != options["bits"]:
        raise InputError(
            "options bits and weight_bits",
            f"are {options['bits']!r} and {options['weight_bits']!r}; in this form both mean the weights, activations "
            "have 8 bits",
            "Give one of them",
        )
    bits = _integer("weight_bits", options.get("weight_bits", options.get("bits", 6 if universal else 8)), 1, 8)
    if universal and bits > 8 - GUARD_BITS:
        raise InputError(
            "option weight_bits",
            f"{bits}-bit weights leave no room for the {GUARD_BITS} guard bits that keep every accumulator clear of "
            "ties: the runtimes would round some of them in different ways",
            f"Use at most {8 - GUARD_BITS} bits with --rounding shift, or choose the rule of one runtime",
        )
    if universal and bits < 2:
        raise InputError("option weight_bits", "1-bit weights have no int8 form", "Use 2 to 6 bits")
    if not universal and bits not in (8, 4, 2):
        raise InputError("option weight_bits", f"a .tflite file holds weights of 8, 4 or 2 bits, found {bits}")
    return bits


def parse_options(options: Mapping[str, Any]) -> Options:
    """`options` as given by the user, checked; InputError naming the option where one is wrong."""
    name = options.get("rounding", DEFAULT_ROUNDING)
    if not isinstance(name, str):
        raise InputError("option rounding", f"must be a name, found {name!r}")
    rounding_rule(name)
    rounding = ALIASES.get(name, name)
    universal = rounding == "shift"
    bits = _weight_bits(options, universal)
    percentile = options.get("percentile", 99.99)
    if isinstance(percentile, bool) or not isinstance(percentile, (int, float)) or not 50 < percentile <= 100:
        raise InputError("option percentile", f"must be a number in 50 … 100, found {percentile!r}")
    calibration = "percentile" if "percentile" in options else "mse"
    if "percentile" in options and options.get("calibration", calibration) != "percentile":
        raise InputError(
            "options percentile and calibration",
            f"cannot work together: calibration {options['calibration']!r} takes no percentile",
            "Leave one of them out",
        )
    return Options(
        rounding=rounding,
        per_tensor=_flag(options, "per_tensor", False),
        float_io=_flag(options, "float_io", False),
        weight_bits=bits,
        calibration=_word(options, "calibration", (calibration, *METHODS)),
        percentile=float(percentile),
        bias_correction=_flag(options, "bias_correction", True),
        softmax=_word(options, "softmax", ("drop", "keep")),
        epochs=_integer("epochs", options.get("epochs", 0 if bits > 4 else _DEFAULT_EPOCHS), 0, 100_000),
        seed=_integer("seed", options.get("seed", 0), 0, 2**31 - 1),
    )
