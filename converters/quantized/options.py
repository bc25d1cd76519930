"""The options of the quantized form, checked where they enter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edgeml.errors import InputError

__all__ = ["OPTION_NAMES", "Options", "read_options"]

OPTION_NAMES = (
    "bits",
    "weight_bits",
    "act_bits",
    "input_bits",
    "layer_bits",
    "weight_range",
    "input_range",
    "epochs",
    "seed",
    "device",
    "learning_rate",
    "batch_size",
)
DEFAULT_BITS = 8
_LAYER_BITS_EXAMPLE = "Write for example --layer-bits first=8,linear2=4/2 (weights/activations)"


@dataclass(frozen=True)
class Options:
    """What the user asked for.

    Parameters
    ----------
    weight_bits, act_bits, input_bits : 1 to 8.
    layer_bits : per layer by name (or `first`, `last`), (weight bits, activation bits), None where not given.
    narrow : weights of b bits lie in −(2^(b−1) − 1) … 2^(b−1) − 1, not in the full range from −2^(b−1).
    input_range : (low, high) of the input in the units of the model's data, or None: taken from the data.
    epochs : passes over the training samples; 0 calibrates only; None: decided by the bits.
    seed : of the order of samples.
    device : cpu or cuda.
    learning_rate : in units of a layer's weights (their root mean square is 1).
    batch_size : samples a training step takes.
    """

    weight_bits: int = DEFAULT_BITS
    act_bits: int = DEFAULT_BITS
    input_bits: int = 8
    layer_bits: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)
    narrow: bool = True
    input_range: tuple[float, float] | None = None
    epochs: int | None = None
    seed: int = 0
    device: str = "cpu"
    learning_rate: float = 0.08
    batch_size: int = 128


def _integer(name: str, value: Any, low: int, high: int) -> int:
    where = f"option {name}"
    if isinstance(value, bool) or (not isinstance(value, (int, str)) and not hasattr(value, "__index__")):
        raise InputError(where, f"must be an integer in {low} … {high}, found {value!r}")
    try:
        number = int(value)
    except ValueError:
        raise InputError(where, f"must be an integer in {low} … {high}, found {value!r}") from None
    if not low <= number <= high:
        raise InputError(where, f"must lie in {low} … {high}, found {number}")
    return number


def _real(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise InputError(f"option {name}", f"must be a number, found {value!r}")
    return number


def _pair(where: str, value: Any) -> tuple[int | None, int | None]:
    """`4` → both; `4/2` or (4, 2) → weights and activations; an empty side of the slash leaves that one alone."""
    sides: tuple[Any, ...]
    if isinstance(value, str) and "/" in value:
        sides = tuple(value.split("/"))
    elif isinstance(value, (tuple, list)):
        sides = tuple(value)
    else:
        sides = (value, value)
    if len(sides) != 2 or all(side in (None, "") for side in sides):
        raise InputError(f"option layer_bits, {where}", f"cannot be read: {value!r}", _LAYER_BITS_EXAMPLE)
    weight, act = (None if side in (None, "") else _integer(f"layer_bits, {where}", side, 1, 8) for side in sides)
    return weight, act


def _layer_bits(value: Any) -> dict[str, tuple[int | None, int | None]]:
    if isinstance(value, Mapping):
        entries = [(str(name), bits) for name, bits in value.items()]
    elif isinstance(value, str):
        entries = []
        for part in filter(None, (part.strip() for part in value.split(","))):
            name, separator, bits = part.partition("=")
            if not separator or not name.strip():
                raise InputError("option layer_bits", f"cannot read {part!r}", _LAYER_BITS_EXAMPLE)
            entries.append((name.strip(), bits.strip()))
    else:
        raise InputError("option layer_bits", f"must be text or a mapping, found {value!r}", _LAYER_BITS_EXAMPLE)
    result = {}
    for name, bits in entries:
        if name in result:
            raise InputError("option layer_bits", f"names {name!r} twice")
        result[name] = _pair(name, bits)
    return result


def _range(value: Any) -> tuple[float, float]:
    sides = value.split(",") if isinstance(value, str) else value
    if not isinstance(sides, (list, tuple)) or len(sides) != 2:
        raise InputError("option input_range", f"must be LOW,HIGH, found {value!r}", "For example 0,1")
    low, high = (_real("input_range", side) for side in sides)
    if not low < high:
        raise InputError("option input_range", f"needs low < high, found {low:g} and {high:g}")
    return low, high


def read_options(given: Mapping[str, Any]) -> Options:
    """`given` as checked `Options`; InputError naming the option that is wrong."""
    if unknown := sorted(set(given) - set(OPTION_NAMES)):
        raise InputError(f"option {unknown[0]!r}", "is not known", f"Known: {', '.join(OPTION_NAMES)}")
    values: dict[str, Any] = {}
    bits = _integer("bits", given["bits"], 1, 8) if "bits" in given else DEFAULT_BITS
    for name in ("weight_bits", "act_bits"):
        values[name] = _integer(name, given[name], 1, 8) if name in given else bits
    if "input_bits" in given:
        values["input_bits"] = _integer("input_bits", given["input_bits"], 1, 8)
    if "layer_bits" in given:
        values["layer_bits"] = _layer_bits(given["layer_bits"])
    if "weight_range" in given:
        if given["weight_range"] not in ("narrow", "full"):
            raise InputError("option weight_range", f"must be narrow or full, found {given['weight_range']!r}")
        values["narrow"] = given["weight_range"] == "narrow"
    if "input_range" in given:
        values["input_range"] = _range(given["input_range"])
    if "epochs" in given:
        values["epochs"] = _integer("epochs", given["epochs"], 0, 10**6)
    if "seed" in given:
        values["seed"] = _integer("seed", given["seed"], 0, 2**63 - 1)
    if "device" in given:
        if given["device"] not in ("cpu", "cuda"):
            raise InputError("option device", f"must be cpu or cuda, found {given['device']!r}")
        values["device"] = given["device"]
    if "learning_rate" in given:
        values["learning_rate"] = _real("learning_rate", given["learning_rate"])
        if not 0 < values["learning_rate"] <= 1:
            raise InputError("option learning_rate", f"must lie in (0, 1], found {given['learning_rate']!r}")
    if "batch_size" in given:
        values["batch_size"] = _integer("batch_size", given["batch_size"], 2, 2**20)
    return Options(**values)
