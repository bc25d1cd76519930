"""Neurons of few inputs: how many each layer's may have, which ones calibration keeps, and what weights cost then.

A neuron whose inputs have six bits together is one table of an FPGA, whatever its weights. Neurons of few inputs in a
wide layer are worth more than many inputs in a narrow one: digits at 96 % take half the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.options.kinds import shown

__all__ = [
    "ALL",
    "FEWEST_WEIGHT_BITS",
    "limits",
    "read_fan_in",
    "strongest",
    "untrained_note",
    "weight_bits",
    "widened_note",
]

Floats = npt.NDArray[np.float64]

ALL = 0
"""No limit."""
FEWEST_WEIGHT_BITS = 2
"""A layer of few inputs needs a code for the weight 0, which 1 bit (−1 or +1) does not have."""
_TABLE_BITS = 6
"""Inputs of a lookup table of an FPGA."""
_TABLE_WEIGHT_BITS = 4
_MOST = 2**20
_EXAMPLE = "Write for example --fan-in 6, or --fan-in 6,last=24,linear2=all"


def read_fan_in(value: Any) -> dict[str, int]:
    """`6`, `6,last=24,linear2=all`, or a mapping of layers to the same: the limit by layer, that of all others by "".

    InputError saying what is wrong.
    """
    if isinstance(value, Mapping):
        entries = [(str(name).strip(), limit) for name, limit in value.items()]
    else:
        entries = [_entry(part) for part in (value.split(",") if isinstance(value, str) else [value])]
    result: dict[str, int] = {}
    for name, limit in entries:
        if name in result:
            twice = f"names {shown(name)} twice" if name else "says twice what holds for all layers"
            raise InputError("option fan_in", twice, _EXAMPLE)
        result[name] = _limit(name, limit)
    return result


def _entry(part: Any) -> tuple[str, Any]:
    if not isinstance(part, str):
        return "", part
    name, separator, limit = part.partition("=")
    if not separator:
        return "", part.strip()
    if not name.strip():
        raise InputError("option fan_in", f"cannot read {shown(part.strip())}", _EXAMPLE)
    return name.strip(), limit.strip()


def _limit(name: str, value: Any) -> int:
    if value == "all":
        return ALL
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= _MOST:
        return int(text)
    where = f"option fan_in, {name}" if name else "option fan_in"
    raise InputError(where, f"must be a whole number in 1 … {_MOST}, or all, found {shown(value)}", _EXAMPLE)


def limits(option: Mapping[str, int], layers: Mapping[str, str], inputs: Mapping[str, int]) -> dict[str, int]:
    """How many inputs the neurons of each layer may have; layers that have no more anyway are left out.

    Parameters
    ----------
    option : as `read_fan_in` gives it.
    layers : the linear layers in computing order, by their names in the model; the values are what users call them.
    inputs : of each, by its name in the model.

    Raises
    ------
    InputError : the option names a layer that there is not, or one by two names.
    """
    in_order = list(layers)
    known = {**{called: name for name, called in layers.items()}, **{name: name for name in layers}}
    known = {"first": in_order[0], "last": in_order[-1], **known} if in_order else known
    stated: dict[str, int] = {}
    for wanted, limit in option.items():
        if not wanted:
            continue
        if wanted not in known:
            raise InputError(
                f"option fan_in, {wanted}",
                "is not a linear layer of this model",
                f"Its linear layers: {', '.join(layers.values())}; also first and last",
            )
        if known[wanted] in stated:
            raise InputError("option fan_in", f"names the layer {layers[known[wanted]]} twice", _EXAMPLE)
        stated[known[wanted]] = limit
    chosen = {name: stated.get(name, option.get("", ALL)) for name in layers}
    return {name: limit for name, limit in chosen.items() if limit != ALL and limit < inputs[name]}


def weight_bits(bits: int, stated: bool, fan_in: int, input_bits: int | None) -> int:
    """Bits of the weights of a layer whose neurons have at most `fan_in` inputs of `input_bits` each (None: unknown).

    At least 2. Where a neuron is one table of an FPGA anyway, and the user has not `stated` the bits of weights, 4.
    """
    bits = max(bits, FEWEST_WEIGHT_BITS)
    if stated or input_bits is None or fan_in * input_bits > _TABLE_BITS:
        return bits
    return max(bits, _TABLE_WEIGHT_BITS)


def widened_note(layers: Iterable[str]) -> str:
    """That the weights of these layers have more bits than was asked for."""
    return (
        f"The weights of {', '.join(layers)} have {_TABLE_WEIGHT_BITS} bits: their neurons have at most {_TABLE_BITS} "
        "bits of input, so that each is one table of an FPGA whatever its weights. --weight-bits says otherwise."
    )


def untrained_note(layers: Mapping[str, tuple[Floats, int]]) -> str:
    """That calibration dropped weights [outputs, inputs] beyond each layer's limit; "" if there were none."""
    lost = {
        name: int(np.maximum(np.count_nonzero(weight, axis=1) - limit, 0).sum())
        for name, (weight, limit) in layers.items()
    }
    if not any(lost.values()):
        return ""
    return (
        f"Neurons of few inputs were not trained: {sum(lost.values())} weights of "
        f"{', '.join(name for name, count in lost.items() if count)} became 0, those whose products have least power. "
        "Training (--epochs) chooses better ones."
    )


def strongest(strength: Floats, fan_in: int) -> npt.NDArray[np.bool_]:
    """True for the `fan_in` largest of each row of strength [outputs, inputs]; of equals the first."""
    order = np.argsort(-strength, axis=1, kind="stable")[:, :fan_in]
    kept = np.zeros(strength.shape, bool)
    np.put_along_axis(kept, order, True, axis=1)
    return kept
