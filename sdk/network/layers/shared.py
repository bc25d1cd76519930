"""A chain of layers that is computed at every position with the same parameters: convolutions, mixers, shared Dense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import NetworkError
from ..arrays import INT32_HIGH, INT32_LOW, integer_array, integer_scalar
from ..layer import Channels, Direction, Layer, layer_class
from ..value_range import IntArray, ValueRange

__all__ = ["PADDING", "Shared"]

PADDING = -1
"""In `gather`: the integer `padding` instead of an input."""

_MOST_LAYERS = 64
_MOST_GATHERED = 2**26
_BATCH = 2**22
"""Gathered values that are in flight at once."""


@dataclass(frozen=True, eq=False)
class Shared(Layer):
    """y[p · R + r] = chain(x[gather[p, 0]], …, x[gather[p, C − 1]])[r] for each position p = 0 … P − 1; exact.

    `chain` takes C values and gives R. Where `gather` is −1 it takes the integer `padding`. An empty chain only
    gathers: another order, a slice, padding. With one `Dense` it is a convolution (each position gathers its window)
    or a Dense on [positions, channels]; tensors are flat, position by position.

    Parameters
    ----------
    chain : layers of one input each, which repeat (`Layer.repeats`).
    gather : int32 [P, C], −1 … inputs − 1.
    inputs : how many inputs the layer takes.
    padding : int32, what −1 stands for.

    Raises
    ------
    NetworkError : a field is out of range, a layer of the chain does not repeat, or sizes do not fit; a value within
        the chain may pass 32 bits (from `output_range`).
    """

    kind: ClassVar[str] = "shared"
    expands: ClassVar[bool] = True

    chain: tuple[Layer, ...]
    gather: npt.NDArray[np.int32]
    inputs: int
    padding: int = 0

    def __post_init__(self) -> None:
        chain = tuple(self.chain)
        if len(chain) > _MOST_LAYERS:
            raise NetworkError("shared, chain", f"at most {_MOST_LAYERS} layers, found {len(chain)}")
        for layer in chain:
            if not (isinstance(layer, Layer) and layer.repeats):
                kind = layer.kind if isinstance(layer, Layer) else type(layer).__name__
                raise NetworkError("shared, chain", f"a layer of kind {kind!r} cannot be computed at many positions")
        inputs = integer_scalar("shared, inputs", self.inputs, 1, 2**24)
        gather = integer_array("shared, gather", self.gather, 2, PADDING, inputs - 1)
        if gather.size > _MOST_GATHERED:
            raise NetworkError("shared, gather", f"more than {_MOST_GATHERED} values for all positions together")
        padding = integer_scalar("shared, padding", self.padding, INT32_LOW, INT32_HIGH)
        for name, value in (("chain", chain), ("gather", gather), ("inputs", inputs), ("padding", padding)):
            object.__setattr__(self, name, value)
        _ = self.sizes

    @property
    def positions(self) -> int:
        """Number of positions, P."""
        return int(self.gather.shape[0])

    @property
    def width(self) -> int:
        """Values that each position gathers, C."""
        return int(self.gather.shape[1])

    @property
    def sizes(self) -> tuple[int, ...]:
        """Values of one position before the chain, and behind each of its layers; NetworkError if they do not fit."""
        sizes = [self.width]
        for layer in self.chain:
            sizes.append(layer.output_size(sizes[-1]))
        return tuple(sizes)

    @property
    def padded(self) -> bool:
        """Whether any position takes the padding."""
        return bool(np.any(self.gather == PADDING))

    @property
    def in_order(self) -> bool:
        """Whether the positions take all inputs one after the other: nothing is moved."""
        return self.gather.size == self.inputs and bool(np.all(self.gather.ravel() == np.arange(self.inputs)))

    @property
    def kinds(self) -> tuple[str, ...]:
        return (self.kind, *(layer.kind for layer in self.chain))

    @property
    def multiplications(self) -> int:
        return self.positions * sum(layer.multiplications for layer in self.chain)

    @property
    def weight_memory(self) -> int:
        return sum(layer.weight_memory for layer in self.chain)

    @property
    def rounding_rule(self) -> str:
        return next((layer.rounding_rule for layer in self.chain if layer.rounding_rule), "")

    @property
    def value_bits(self) -> int:
        return self.chain[-1].value_bits if self.chain else 0

    def output_size(self, *input_sizes: int) -> int:
        if input_sizes != (self.inputs,):
            raise NetworkError("shared", f"takes {self.inputs} inputs, found {list(input_sizes)}")
        return self.positions * self.sizes[-1]

    def gathered_ranges(self, x: ValueRange) -> list[ValueRange]:
        """What each position gathers of inputs within `x`; positions that gather the same share a range."""
        low, high = (np.append(end, self.padding)[self.gather] for end in (x.low, x.high))
        _, first, of = np.unique(np.concatenate([low, high], axis=1), axis=0, return_index=True, return_inverse=True)
        different = [ValueRange(low[index], high[index]) for index in first]
        return [different[index] for index in of.reshape(-1)]

    def chain_ranges(self, x: ValueRange) -> tuple[ValueRange, ...]:
        """The values of one position over all positions, before the chain and behind each of its layers.

        Exact for each position where the layers' own ranges are; NetworkError past 32 bits.
        """
        return self._ranges(x)[1]

    def _ranges(self, x: ValueRange) -> tuple[ValueRange, tuple[ValueRange, ...]]:
        """(of the outputs, those of `chain_ranges`)."""
        found: dict[int, list[ValueRange]] = {}
        at = self.gathered_ranges(x)
        for gathered in at:
            if id(gathered) not in found:
                ranges = [gathered]
                for layer in self.chain:
                    ranges.append(layer.output_range(ranges[-1]))
                    low, high = ranges[-1].bounds
                    if low < INT32_LOW or high > INT32_HIGH:
                        raise NetworkError(
                            f"shared, {layer.kind}",
                            f"its values range from {low} to {high}, past 32 bits",
                            "Use fewer bits or fewer inputs for this layer",
                        )
                found[id(gathered)] = ranges
        ends = [found[id(gathered)][-1] for gathered in at]
        output = ValueRange(np.concatenate([end.low for end in ends]), np.concatenate([end.high for end in ends]))
        stages = zip(*found.values(), strict=True)
        union = (
            ValueRange(np.min([r.low for r in stage], axis=0), np.max([r.high for r in stage], axis=0))
            for stage in stages
        )
        return output, tuple(union)

    def output_range(self, *inputs: ValueRange) -> ValueRange:
        return self._ranges(inputs[0])[0]

    def windows(self, x: IntArray) -> npt.NDArray[np.int32]:
        """What the positions gather: int32 [samples, inputs] → int32 [samples · P, C]."""
        if self.padded:
            x = np.concatenate([x, np.full((len(x), 1), self.padding, np.int32)], axis=1)
        gathered: npt.NDArray[np.int32] = x[:, self.gather].astype(np.int32, copy=False)
        return gathered.reshape(-1, self.width)

    def evaluate(self, *inputs: IntArray) -> npt.NDArray[np.int32]:
        (x,) = inputs
        y = np.empty((len(x), self.positions * self.sizes[-1]), np.int32)
        step = max(1, _BATCH // (self.positions * max(self.sizes)))
        for start in range(0, len(x), step):
            part = self.windows(x[start : start + step])
            for layer in self.chain:
                part = layer.evaluate(part)
            y[start : start + step] = part.reshape(-1, y.shape[1])
        return y

    def _scattered(self, at_positions: Direction) -> Direction:
        """Σ over the positions that gather an input: [P, C] → [inputs]."""
        total = np.zeros(self.inputs)
        taken = self.gather != PADDING
        np.add.at(total, self.gather[taken], at_positions[taken])
        return total

    def wanted_inputs(self, direction: Direction) -> tuple[Direction, ...] | None:
        rows = []
        for wanted in direction.reshape(self.positions, -1):
            for layer in reversed(self.chain):
                found = layer.wanted_inputs(wanted)
                if found is None:
                    return None
                (wanted,) = found
            rows.append(wanted)
        return (self._scattered(np.array(rows)),)

    def _kept_positions(self, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        return np.asarray(wanted.reshape(self.positions, -1).any(axis=1))

    def reads(self, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        found = np.zeros(self.inputs + 1, np.bool_)
        found[self.gather[self._kept_positions(wanted)]] = True  # the last one is the padding
        return found[:-1]

    def stay(self, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """All of a position, or nothing of it."""
        return np.repeat(self._kept_positions(wanted), self.sizes[-1])

    def of_channels(self, outputs: Channels, inputs: Channels, constants: npt.NDArray[np.int64]) -> Shared:
        """Of whole positions. Inputs that are left out are read by none of them."""
        kept = np.unique(outputs // self.sizes[-1])
        places = np.full(self.inputs + 1, PADDING, np.int32)
        places[inputs] = np.arange(inputs.size)
        return Shared(self.chain, places[self.gather[kept]], int(inputs.size), self.padding)

    def as_shared(self, x: ValueRange) -> Shared:
        return self

    def followed_by(self, layer: Layer, reached: ValueRange) -> Shared | None:
        """This layer and a channelwise one behind it as one, which holds the parameters of one position; None where
        that one does not repeat, or not the same at all positions for the values that this layer gives, `reached`."""
        if not (layer.channelwise and layer.repeats) or len(self.chain) == _MOST_LAYERS:
            return None
        once = layer.of_one_position(self.positions, reached)
        return None if once is None else replace(self, chain=(*self.chain, once))

    def summary(self) -> str:
        inner = " → ".join(f"{layer.kind} ({layer.summary()})" for layer in self.chain) or "gathered"
        return f"{self.positions} positions of {self.width} → {self.sizes[-1]}: {inner}"

    def parts(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        tensors: dict[str, npt.NDArray[Any]] = {"gather": self.gather}
        chain = []
        for position, layer in enumerate(self.chain):
            attributes, arrays = layer.parts()
            tensors |= {f"chain.{position}.{field}": array for field, array in arrays.items()}
            chain.append({"kind": layer.kind, "attributes": attributes, "tensors": sorted(arrays)})
        return {"chain": chain, "inputs": self.inputs, "padding": self.padding}, tensors

    @classmethod
    def from_parts(cls, attributes: Mapping[str, Any], tensors: Mapping[str, npt.NDArray[Any]]) -> Shared:
        stated = attributes.get("chain")
        if not isinstance(stated, list) or len(stated) > _MOST_LAYERS:
            raise NetworkError("shared, chain", f"must be a list of at most {_MOST_LAYERS} layers")
        chain, left = [], dict(tensors)
        for position, entry in enumerate(stated):
            if not isinstance(entry, dict) or not isinstance(entry.get("attributes"), dict):
                raise NetworkError("shared, chain", f"layer {position} states no attributes")
            arrays = {field: left.pop(f"chain.{position}.{field}") for field in entry["tensors"]}
            found = layer_class(entry["kind"])
            if not found.repeats:  # nor is what nests another
                raise NetworkError(
                    "shared, chain", f"a layer of kind {found.kind!r} cannot be computed at many positions"
                )
            chain.append(found.from_parts(entry["attributes"], arrays))
        fields = {name: value for name, value in attributes.items() if name != "chain"}
        return super().from_parts({**fields, "chain": tuple(chain)}, left)
