"""C of thresholds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, Node, Threshold, ValueRange

from ..arrays import ConstantArray
from ..dialect import Dialect
from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..stored.comparisons import compared, excepted, line_packed, line_words, searched, searched_rows
from ..stored.meaning import THRESHOLDS, Arrays, Ints, Meaning, Part
from ..tensor import Tensor
from ..threshold_lines import StoredLines, stored_lines

__all__ = ["EMITTER", "MOST_COMPARED", "ThresholdEmitter", "at_thresholds", "threshold_tensor"]

_TURNS = 6
_LINE_CODE = 24
"""Bytes that a line's constants must save: its code is compiled for each layer."""

MOST_COMPARED = 15
"""Up to so many thresholds per channel all are compared; of more, a binary search is quicker."""


def threshold_tensor(network: Network, node: Node, dialect: Dialect) -> Tensor:
    """The outputs of a threshold layer: what is stored is the number of thresholds reached."""
    assert isinstance(node.layer, Threshold)
    return Tensor.make(node.name, network.ranges[node.name], dialect.padding, ctype="uint8_t", low=node.layer.base)


def at_thresholds(thresholds: npt.NDArray[np.int32], x: Tensor) -> list[npt.NDArray[np.int64]]:
    """Values [channels] of `x` that reach a threshold of each channel, and that just do not."""
    low, high = x.ends
    channels, levels = thresholds.shape
    rows = []
    for turn in range(_TURNS):
        at = thresholds[np.arange(channels), (np.arange(channels) + turn) % levels].astype(np.int64)
        rows += [np.clip(at, low, high), np.clip(at - 1, low, high)]
    return rows


class ThresholdEmitter(LayerEmitter):
    """Counts the thresholds that are reached."""

    kind = "threshold"

    def output(self, network: Network, nodes: tuple[Node, ...], dialect: Dialect) -> Tensor:
        return threshold_tensor(network, nodes[-1], dialect)

    def extremes(self, job: LayerJob) -> list[npt.NDArray[np.int64]]:
        layer = job.nodes[0].layer
        assert isinstance(layer, Threshold)
        return at_thresholds(layer.thresholds, job.inputs[0])

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[-1].layer
        assert isinstance(layer, Threshold)
        (x,) = job.inputs
        wide, accumulator = x.ctype == "int32_t", "x" if x.ctype == "int32_t" else "values"
        if wide and int(x.stored_high.max()) == 2**31 - 1:  # one more than an accumulator would not fit 32 bits
            code = _compared(job, layer, accumulator)
        else:
            counted = _compared if job.dialect.vectors or not wide else _searched
            code = _on_lines(job, layer, accumulator, counted(job, layer, accumulator))
        comment = f"{layer.levels} thresholds per channel{code.comment}, stored outputs 0 ... {layer.levels}"
        if wide:
            return replace(code, comment=comment)
        widened = (
            "int32_t *const values = (int32_t *)(void *)scratch;",
            f"for (size_t i = 0; i < {layer.channels}u; i++) {{",
            f"    values[i] = (int32_t)x[i] + ({x.low});",
            "}",
        )
        assert code.meaning is not None
        inner, low, channels = code.meaning, x.low, layer.channels
        meaning = replace(inner, evaluate=lambda arrays, x: inner.evaluate(arrays, x[:, :channels] + low))
        return replace(
            code,
            comment=comment,
            statements=widened + code.statements,
            scratch_bytes=4 * layer.channels,
            small=False,
            meaning=meaning,
        )


def _compared(job: LayerJob, layer: Threshold, accumulator: str) -> LayerCode:
    """All compared, or a search where there are many."""
    few, channels, levels = layer.levels <= MOST_COMPARED, layer.channels, layer.levels
    values = layer.thresholds.T if few else layer.thresholds
    layout = f"[{levels} levels][{channels} channels]" if few else f"[{channels} channels][{levels} levels]"
    name = f"{job.prefix}_thresholds"
    kernel = "edgeml_threshold_compare" if few else "edgeml_threshold_search"
    return LayerCode(
        statements=(f"{kernel}({accumulator}, {name}, {channels}, {levels}, y);",),
        comment="",
        includes=("threshold.h",),
        constants=(ConstantArray(name, "int32_t", values, f"thresholds {layout}"),),
        meaning=_of_table(name, values.shape, transposed=few, count=compared if few else searched),
    )


def _of_table(
    name: str, shape: tuple[int, ...], *, transposed: bool = False, count: Callable[[Ints, Ints], Ints]
) -> Meaning:
    """Thresholds in a table: [channels, levels], or that transposed."""

    def table(arrays: Arrays) -> Ints:
        found = arrays[name].reshape(shape)
        return found.T if transposed else found

    def evaluate(arrays: Arrays, acc: Ints) -> Ints:
        thresholds = table(arrays)
        return count(acc[:, : len(thresholds)], thresholds)

    return Meaning(evaluate, (Part(name, THRESHOLDS),), lambda arrays: {"threshold": table(arrays)})


def _on_lines(job: LayerJob, layer: Threshold, accumulator: str, counted: LayerCode) -> LayerCode:
    """The line of each channel where that takes fewer bytes than `counted`, thresholds in a table, and no more time."""
    if layer.levels <= job.dialect.compared:
        return counted
    (x,) = job.inputs
    lines = stored_lines(layer.thresholds, ValueRange(*x.ends), job.dialect.vectors)
    if lines is None:
        return counted
    constants = [
        ConstantArray(f"{job.prefix}_{end}", ctype, values, comment) for end, ctype, values, comment in lines.arrays
    ]
    names = [array.name for array in constants]
    arguments = ", ".join(map(str, [accumulator, *names, layer.channels, *lines.arguments, layer.levels, "y"]))
    statements = [f"{lines.kernel}({arguments});"]
    if lines.exceptions:
        beside, rows = f"{job.prefix}_exceptions", np.array(lines.exceptions, np.int64)
        constants.append(ConstantArray(beside, "int32_t", rows, "channel, first, beyond, change"))
        statements.append(f"edgeml_threshold_exceptions({accumulator}, {beside}, {len(rows)}, y);")
    if sum(array.bytes for array in constants) + _LINE_CODE >= sum(array.bytes for array in counted.constants):
        return counted
    return LayerCode(
        statements=tuple(statements),
        comment=" on a line",
        includes=("threshold_line.h",),
        constants=tuple(constants),
        small=not job.dialect.vectors,
        meaning=_of_lines(lines, constants, layer),
    )


def _of_lines(lines: StoredLines, constants: list[ConstantArray], layer: Threshold) -> Meaning:
    """Lines, and what they miss. Which channels those are is not flipped: code would read and write beyond a layer."""
    names = [array.name for array in constants[: len(lines.arrays)]]
    beside = constants[-1].name if lines.exceptions else ""

    def evaluate(arrays: Arrays, acc: Ints) -> Ints:
        acc, stored = acc[:, : layer.channels], [arrays[name] for name in names]
        if len(names) == 1:
            place, shift = lines.arguments[:2]
            reached = line_packed(acc, stored[0], place, shift, layer.levels)
        else:
            scale, step, base, shift = lines.arguments
            reached = line_words(acc, stored[0], stored[1], (scale, step, base, shift), layer.levels)
        return excepted(acc, reached, arrays[beside].reshape(-1, 4)) if beside else reached

    def decoded(arrays: Arrays) -> dict[str, Ints]:
        found = {end.rstrip("s"): arrays[name] for (end, *_), name in zip(lines.arrays, names, strict=True)}
        return {**found, "exception": arrays[beside].reshape(-1, 4)} if beside else found

    parts = [Part(name, THRESHOLDS) for name in names]
    if beside:
        channel = np.tile(np.arange(4) == 0, len(lines.exceptions))
        reason = "the channel of an exception: with another, code would read and write beyond the layer"
        parts += [Part(beside, THRESHOLDS, ~channel), Part(beside, "", channel, reason)]
    return Meaning(evaluate, tuple(parts), decoded)


def _searched(job: LayerJob, layer: Threshold, accumulator: str) -> LayerCode:
    """A search of fixed depth in rows of 2^k − 1 thresholds. One that an accumulator cannot reach, or always does, may
    stand as the nearest value of its range, and all less their common centre: 8 or 16 bits then often hold them."""
    (x,) = job.inputs
    low, high = x.stored_low[:, None], x.stored_high[:, None]
    levels = (1 << layer.levels.bit_length()) - 1
    never = np.broadcast_to(high + 1, (layer.channels, levels - layer.levels))
    values = np.concatenate([np.clip(layer.thresholds, low, high + 1), never], axis=1)
    bits, centre = _narrowest(values, int(low.min()), int(high.max()))
    count = "" if levels == 3 else f", {levels}"
    kernel, name = f"edgeml_threshold_{'rows' if count else 'three'}_s{bits}", f"{job.prefix}_thresholds"
    stored = "thresholds" if centre == 0 else f"thresholds less {centre}"
    comment = f"{stored} [{layer.channels} channels][{levels} levels], within the range of the accumulators"
    return LayerCode(
        statements=(f"{kernel}({accumulator}, {name}, {centre}, {layer.channels}{count}, y);",),
        comment="",
        includes=("threshold_rows.h",),
        constants=(ConstantArray(name, f"int{bits}_t", values - centre, comment),),
        small=True,
        meaning=_of_table(name, values.shape, count=lambda acc, at: searched_rows(acc, at, centre)),
    )


def _narrowest(values: npt.NDArray[np.int64], low: int, high: int) -> tuple[int, int]:
    """Bits of the narrowest type, and a centre with which it holds values − centre; accumulators low … high less that
    centre fit 32 bits."""
    smallest, largest = int(values.min()), int(values.max())
    middle = (smallest + largest) // 2
    for bits in (8, 16):
        limit = 1 << (bits - 1)
        for centre in (0, middle):
            fits = -limit <= smallest - centre and largest - centre < limit
            if fits and low - centre >= -(2**31) and high - centre < 2**31:
                return bits, centre
    return 32, 0


EMITTER = ThresholdEmitter()
