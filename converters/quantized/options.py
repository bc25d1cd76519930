"""The options of the quantized form: declared, and read into `Options`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeml.errors import InputError
from edgeml.input_encoding import ENCODE, FeatureEncoding
from edgeml.network.layers.logic import MOST_LOGIC_INPUTS
from edgeml.options import Choice, Option, Real, Structured, Whole, read_values
from edgeml.options.kinds import shown

from .adapting import ADAPT, REPLAY
from .fan_in import read_fan_in

__all__ = ["OPTIONS", "Options", "read_options"]

_BITS = Whole(1, 8)
_EXAMPLE = "Write for example --layer-bits first=8,linear2=4/2 (weights/activations)"


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
        raise InputError(where, f"cannot be read: {shown(value)}", _EXAMPLE)
    weight, act = (None if side in (None, "") else _side(where, side) for side in sides)
    return weight, act


def _side(where: str, value: Any) -> int:
    try:
        return _BITS.read(value)
    except ValueError:
        raise InputError(where, f"must be {_BITS.meaning}, found {shown(value)}", _EXAMPLE) from None


def _layer_bits(value: Any) -> dict[str, tuple[int | None, int | None]]:
    if isinstance(value, Mapping):
        entries = [(str(name), bits) for name, bits in value.items()]
    elif isinstance(value, str):
        entries = []
        for part in filter(None, (part.strip() for part in value.split(","))):
            name, separator, bits = part.partition("=")
            if not separator or not name.strip():
                raise InputError("option layer_bits", f"cannot read {shown(part)}", _EXAMPLE)
            entries.append((name.strip(), bits.strip()))
    else:
        raise InputError("option layer_bits", f"must be text or a mapping, found {shown(value)}", _EXAMPLE)
    result = {}
    for name, bits in entries:
        if name in result:
            raise InputError("option layer_bits", f"names {shown(name)} twice")
        result[name] = _pair(f"option layer_bits, {name}", bits)
    return result


def _range(value: Any) -> tuple[float, float]:
    sides = value.split(",") if isinstance(value, str) else value
    if not isinstance(sides, (list, tuple)) or len(sides) != 2:
        raise InputError("option input_range", f"must be LOW,HIGH, found {shown(value)}", "For example 0,1")
    end = Option("input_range", Real(), "An end.")
    low, high = (float(end.meant(side)) for side in sides)
    if not low < high:
        raise InputError("option input_range", f"needs low < high, found {low:g} and {high:g}")
    return low, high


def _numbers(name: str, most: int, largest: int, example: str) -> Structured:
    """Up to `most` numbers of 1 … `largest`, with commas between them."""
    each = Option(name, Whole(1, largest), "A number.")
    remedy = f"Write for example --{name.replace('_', '-')} {example}"

    def read(value: Any) -> tuple[int, ...]:
        parts = value.split(",") if isinstance(value, str) else value if isinstance(value, (list, tuple)) else [value]
        if not 1 <= len(parts) <= most:
            raise InputError(f"option {name}", f"must be 1 to {most} numbers, found {shown(value)}", remedy)
        try:
            return tuple(each.kind.read(part.strip() if isinstance(part, str) else part) for part in parts)
        except ValueError:
            problem = f"each must be {each.kind.meaning}, found {shown(value)}"
            raise InputError(f"option {name}", problem, remedy) from None

    return Structured("N,N,…", f"up to {most} numbers, such as {example}", read)


OPTIONS = (
    Option("bits", _BITS, "Bits of weights and activations.", default=8, explored=(1, 2, 3, 4, 6, 8)),
    Option("weight_bits", _BITS, "Bits of weights alone.", otherwise="as --bits"),
    Option("act_bits", _BITS, "Bits of activations alone.", otherwise="as --bits"),
    Option("input_bits", _BITS, "Bits of the network's input.", default=8, explored=(2, 3, 4, 6, 8)),
    Option(
        "input_range",
        Structured("LOW,HIGH", "two numbers, the lower first", _range),
        "Range of the inputs, to convert without data.",
        otherwise="taken from the data",
    ),
    ENCODE,
    Option(
        "layer_bits",
        Structured("LAYER=BITS,…", "layers and their bits, such as first=8,linear2=4/2", _layer_bits),
        "Bits of single layers by name, or of first and last, over all else.",
        otherwise="none",
    ),
    Option(
        "fan_in",
        Structured("F or F,LAYER=F,…", "inputs of a neuron, and of single layers, such as 6,last=24", read_fan_in),
        "Most inputs that a neuron may have: of all layers, and of single ones by name, first or last; all: no limit.",
        otherwise="no limit",
    ),
    Option(
        "weight_range",
        Choice(("narrow", "full", "powers")),
        "Weights symmetric around zero, with one value more below it, or 0 and powers of two, which are shifts.",
        otherwise="full for 2-bit weights on values of more than 1 bit, with 500 samples or more; else narrow",
    ),
    Option(
        "epochs",
        Whole(0, 10**6),
        "Passes over the training samples; 0 calibrates only.",
        otherwise="0 if all is 8 bits, else by the amount of data and weights",
    ),
    Option("seed", Whole(0, 2**63 - 1), "Order of the samples: the same seed gives the same bytes.", default=0),
    Option("device", Choice(("cpu", "cuda")), "Where to train.", default="cpu"),
    Option("learning_rate", Real(0, 1, open_low=True), "Step of the training, in units of a layer's weights.", 0.08),
    Option("batch_size", Whole(2, 2**20), "Samples of a training step.", default=128),
    Option(
        "neurons",
        Choice(("linear", "logic")),
        "Neurons that weigh their inputs, or Boolean functions of few inputs, trained anew.",
        default="linear",
    ),
    Option(
        "logic_widths",
        _numbers("logic_widths", 8, 2**16, "300,200"),
        "Functions of each layer of --neurons logic; the last number a multiple of the outputs.",
        otherwise="one layer, 20 for each output",
    ),
    Option(
        "logic_weights",
        _numbers("logic_weights", 8, 64, "1,2"),
        "Weights in the sums that --neurons logic ends in: those of an output's functions, again and again.",
        default=(1, 2),
    ),
    Option("logic_inputs", Whole(2, MOST_LOGIC_INPUTS), "Inputs of each function of --neurons logic.", default=6),
    ADAPT,
    REPLAY,
)
"""All options of the form, with their ranges and defaults."""


@dataclass(frozen=True)
class Options:
    """What the user asked for.

    Parameters
    ----------
    weight_bits, act_bits, input_bits : 1 to 8.
    weight_bits_stated : whether the user gave the bits of weights alone.
    encode : how features enter the network; () for all as whole numbers.
    layer_bits : per layer by name (or `first`, `last`), (weight bits, activation bits), None where not given.
    fan_in : most inputs of a neuron by layer, those of all others by ""; see `read_fan_in`.
    narrow : weights of b bits lie in −(2^(b−1) − 1) … 2^(b−1) − 1, not in the full range from −2^(b−1); None: decided
        layer by layer, see `place_quantizers`.
    powers : whether weights of 2 bits and more are 0 or ± a power of two, up to 2^(b−2).
    input_range : (low, high) of the input in the units of the model's data, or None: taken from the data.
    epochs : passes over the training samples; 0 calibrates only; None: decided by the bits.
    seed : of the order of samples.
    device : cpu or cuda.
    learning_rate : in units of a layer's weights (their root mean square is 1).
    batch_size : samples a training step takes.
    neurons : linear or logic.
    logic_widths : functions of each layer; () for what suits the model. logic_inputs : inputs of each.
    logic_weights : of the functions that an output sums, again and again.
    adapt : what of the network adapts on a device; () for nothing. replay : see `derivation.Wanted`.
    """

    weight_bits: int
    act_bits: int
    input_bits: int
    weight_bits_stated: bool
    encode: tuple[FeatureEncoding, ...]
    layer_bits: Mapping[str, tuple[int | None, int | None]]
    fan_in: Mapping[str, int]
    narrow: bool | None
    input_range: tuple[float, float] | None
    epochs: int | None
    seed: int
    device: str
    learning_rate: float
    batch_size: int
    powers: bool = False
    neurons: str = "linear"
    logic_widths: tuple[int, ...] = ()
    logic_inputs: int = MOST_LOGIC_INPUTS
    logic_weights: tuple[int, ...] = (1, 2)
    adapt: tuple[str, ...] = ()
    replay: int = 10


def read_options(given: Mapping[str, Any]) -> Options:
    """`given` as checked `Options`; InputError naming the option that is wrong."""
    values = read_values(OPTIONS, given)
    bits = values["bits"]
    return Options(
        weight_bits=values["weight_bits"] or bits,
        act_bits=values["act_bits"] or bits,
        input_bits=values["input_bits"],
        weight_bits_stated=values["weight_bits"] is not None,
        encode=values["encode"] or (),
        layer_bits=values["layer_bits"] or {},
        fan_in=values["fan_in"] or {},
        narrow=None if values["weight_range"] is None else values["weight_range"] != "full",
        input_range=values["input_range"],
        epochs=values["epochs"],
        seed=values["seed"],
        device=values["device"],
        learning_rate=values["learning_rate"],
        batch_size=values["batch_size"],
        powers=values["weight_range"] == "powers",
        neurons=values["neurons"],
        logic_widths=values["logic_widths"] or (),
        logic_inputs=values["logic_inputs"],
        logic_weights=values["logic_weights"],
        adapt=values["adapt"] or (),
        replay=values["replay"],
    )
