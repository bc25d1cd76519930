"""A network as its generated C holds it in memory: bytes that may be flipped, and what the C computes then."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError
from edgeml.faults.stored_form import Bytes, Disturbed, Exclusion, Place

from ..arena import ArenaLayout, Stage
from ..source import used_constants
from ..tensor import Tensor
from .meaning import Arrays, Ints, Meaning

__all__ = ["StoredConstants", "element_type"]

_STORED: dict[str, str] = {"uint8_t": "<u1", "int16_t": "<i2", "int32_t": "<i4"}


def element_type(ctype: str) -> np.dtype[Any]:
    """A C type of exact width as a little-endian core has it in memory."""
    return np.dtype(f"<{'u' if ctype.startswith('u') else 'i'}{int(ctype.strip('uint_')) // 8}")


class StoredConstants:
    """The constants of a program, one behind the other as `content`, and the integers that follow from them.

    Raises InputError naming a layer for which nothing states what flipped bits mean, and for a network that adapts.
    """

    def __init__(self, layout: ArenaLayout) -> None:
        if layout.network.adaptation is not None:
            problem = "adapts on the device, for which it is not defined what flipped bits do"
            raise InputError(f"network {layout.network.name}", problem, "Convert it without --adapt")
        self.layout = layout
        self.arrays = used_constants(layout)
        self._meanings = [(stage, _meaning(stage)) for stage in layout.stages]
        sizes = [array.bytes for array in self.arrays]
        self.starts = dict(zip([array.name for array in self.arrays], np.cumsum([0, *sizes]).tolist(), strict=False))
        parts = [array.values.ravel().astype(element_type(array.ctype)).tobytes() for array in self.arrays]
        self.content: Bytes = np.frombuffer(b"".join(parts), np.uint8)

    @cached_property
    def tensors(self) -> Mapping[str, int]:
        """Bytes of each tensor that lies in the arena between two layers, by the name of the layer that writes it."""
        return {stage.name: stage.output.size * stage.output.item_bytes for stage in self.layout.stages[:-1]}

    def bits(self, where: str) -> npt.NDArray[np.int64]:
        """Positions in `content` (8 · byte + bit) of all bits of `weights` or `thresholds` that may flip, ascending."""
        chosen = np.zeros(len(self.content), np.bool_)
        sizes = {array.name: array for array in self.arrays}
        for _, meaning in self._meanings:
            for part in meaning.parts:
                if part.where == where and part.array:
                    array = sizes[part.array]
                    start = self.starts[array.name]
                    elements = np.ones(array.values.size, np.bool_) if part.elements is None else part.elements
                    chosen[start : start + array.bytes] |= np.repeat(elements, array.item_bytes)
        return (8 * np.flatnonzero(chosen)[:, None] + np.arange(8)).ravel()

    @property
    def excluded(self) -> list[Exclusion]:
        """What is never flipped, and why."""
        return [
            Exclusion(stage.name, part.array, part.reason)
            for stage, meaning in self._meanings
            for part in meaning.parts
            if not part.where
        ]

    def read(self, content: Bytes) -> Arrays:
        """The elements of each array in bytes like `content`."""
        found = {}
        for array in self.arrays:
            start = self.starts[array.name]
            raw = content[start : start + array.bytes].tobytes()
            found[array.name] = np.frombuffer(raw, element_type(array.ctype)).astype(np.int64)
        return found

    def golden(self, content: Bytes, q: npt.NDArray[np.int32], disturbed: Disturbed | None = None) -> Ints:
        """Outputs int64 [samples, outputs] of input integers q, as C computes them with `content` as its constants.

        disturbed : by tensor, bytes [samples, bytes] that are XORed onto it when it has been written.
        """
        arrays, tensors = self.read(content), {"": q.astype(np.int64)}
        for stage, meaning in self._meanings:
            source = stage.job.inputs[0].name if stage.job.inputs else ""
            stored = _as_written(meaning.evaluate(arrays, tensors[source]), stage.output)
            if disturbed and stage.name in disturbed:
                stored = _xored(stored, stage.output, disturbed[stage.name])
            tensors[stage.name] = stored
        last = self.layout.stages[-1].output
        return tensors[last.name][:, : last.size] + last.low

    def raw_input(self, q: npt.NDArray[np.int32]) -> Bytes:
        """What the first stage writes, bytes [samples, padded], for input integers q; it has no constants."""
        stage, meaning = self._meanings[0]
        stored = _as_written(meaning.evaluate({}, q.astype(np.int64)), stage.output)
        return np.ascontiguousarray(stored.astype(_STORED[stage.output.ctype])).view(np.uint8)

    def values(self, raw: Bytes) -> Ints:
        """Outputs of the last stage's bytes [samples, padded]."""
        last = self.layout.stages[-1].output
        return raw.view(_STORED[last.ctype])[:, : last.size].astype(np.int64) + last.low

    def place(self, bit: int) -> Place:
        """What a bit of the constants belongs to, and what the C reads there with it flipped."""
        array = next(each for each in reversed(self.arrays) if self.starts[each.name] <= bit // 8)
        flipped = self.content.copy()
        flipped[bit // 8] ^= np.uint8(1 << bit % 8)
        before, after = self.read(self.content), self.read(flipped)
        element, within = divmod(bit - 8 * self.starts[array.name], 8 * array.item_bytes)
        for stage, meaning in self._meanings:
            parts = [part for part in meaning.parts if part.array == array.name and part.where]
            here = [part for part in parts if part.elements is None or part.elements[element]]
            if not here:
                continue
            was, now = meaning.decoded(before), meaning.decoded(after)
            for what, values in was.items():
                changed = np.argwhere(values != now[what])
                if len(changed):
                    at = tuple(int(index) for index in changed[0])
                    return Place(stage.name, here[0].where, what, at, int(values[at]), int(now[what][at]), within)
            return Place(stage.name, here[0].where, "padding", (), 0, 0, within)
        raise InputError(f"bit {bit}", "is none of a layer's constants")


def _meaning(stage: Stage) -> Meaning:
    """Of a stage; InputError where it has none, or more than one input."""
    kind = stage.code.kernel or stage.job.nodes[0].layer.kind
    if stage.code.meaning is None or len(stage.job.inputs) > 1:
        problem = f"is computed by {kind}, for which it is not defined what flipped bits do"
        raise InputError(f"layer {stage.name}", problem, "Faults are defined for dense layers and thresholds")
    return stage.code.meaning


def _as_written(values: Ints, tensor: Tensor) -> Ints:
    """Values [samples, elements] as memory holds them, zeros behind."""
    stored = np.zeros((len(values), tensor.padded), np.int64)
    count = min(values.shape[1], tensor.padded)
    stored[:, :count] = values[:, :count].astype(_STORED[tensor.ctype])
    return stored


def _xored(stored: Ints, tensor: Tensor, masks: Bytes) -> Ints:
    whole = np.zeros((len(stored), tensor.padded * tensor.item_bytes), np.uint8)
    whole[:, : masks.shape[1]] = masks
    raw = np.ascontiguousarray(stored.astype(_STORED[tensor.ctype])).view(np.uint8)
    return np.ascontiguousarray(raw ^ whole).view(_STORED[tensor.ctype]).astype(np.int64)
