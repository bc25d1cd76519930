"""A loop of C over Boolean functions: the bits of each gathered, and looked up in its table."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgeml.network import Logic

from .arrays import ConstantArray
from .dense_kernels.bits import narrowest
from .tensor import Tensor

__all__ = ["looked_up"]

_WORD_INPUTS = 5
"""Inputs whose table is one word; a sixth chooses between two."""


def looked_up(
    layer: Logic, prefix: str, x: Tensor, low: int, source: str = "x", target: str = "y"
) -> tuple[tuple[str, ...], tuple[ConstantArray, ...]]:
    """A loop over the functions of a layer, from the stored integers of x at `source` to those at `target`, which stand
    for what is larger by `low`."""
    name, fan_in = prefix, layer.fan_in
    # Where 0 is stored for 1, all inputs are 1: the last entry is the only one that counts, and stands first.
    tables = layer.tables[:, ::-1] if x.low else layer.tables
    stored = np.where(tables > low, 1, 0) if low else tables
    places = narrowest(f"{name}_sources", layer.sources.astype(np.int64), f"[{layer.outputs}][{fan_in}], inputs of x")
    words = ConstantArray(f"{name}_tables", _type_of(fan_in), _packed(stored), "outputs by the number of the inputs")
    gathered = [f"((uint32_t){source}[from[{j}]] << {j})" for j in range(min(fan_in, _WORD_INPUTS))]
    gathered[0] = f"(uint32_t){source}[from[0]]"
    word = (
        f"{words.name}[2u * i + (uint32_t){source}[from[5]]]" if fan_in > _WORD_INPUTS else f"(uint32_t){words.name}[i]"
    )
    return (
        f"for (size_t i = 0; i < {layer.outputs}u; i++) {{",
        f"    const {places.ctype} *const from = {places.name} + {fan_in}u * i;",
        f"    const uint32_t number = {' | '.join(gathered)};",
        f"    {target}[i] = (uint8_t)({word} >> number & 1u);",
        "}",
    ), (places, words)


def _type_of(fan_in: int) -> str:
    return "uint8_t" if fan_in <= 3 else "uint16_t" if fan_in == 4 else "uint32_t"


def _packed(tables: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Entry e of each table as bit e of a number; of 64 entries two numbers."""
    entries = tables.reshape(tables.shape[0] * max(1, tables.shape[1] // 32), -1).astype(np.int64)
    return np.asarray((entries << np.arange(entries.shape[1])).sum(axis=1))
