"""What the memories of a folded core hold, held against the network."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from .folded_core import Instance
from .memories import Memories, as_signed, fits
from .statements import need

__all__ = ["FoldedMemories"]

Int64 = npt.NDArray[np.int64]


class FoldedMemories(Memories):
    """The memories of its units by their names."""

    def weights(self, layer: Any, given: dict[str, Any], what: str) -> Int64:
        """Word nf · SF + sf, lane p · SIMD + s holds the weight of output nf · PE + p and input sf · SIMD + s.

        Returns what the unit's sums lack without constants, by output.
        """
        sf, nf, pe, simd, bits = (int(given[key]) for key in ("SF", "NF", "PE", "SIMD", "WEIGHT_BITS"))
        outputs, inputs = layer.weight.shape
        stored = self.words(given["WEIGHT_FILE"], nf * sf, bits, pe * simd)
        stored = 2 * stored - 1 if bits == 1 else as_signed(stored, bits)
        wanted = np.zeros((outputs, sf * simd), np.int64)
        wanted[:, :inputs] = layer.weight
        rows = stored.reshape(nf, sf, pe, simd).transpose(0, 2, 1, 3).reshape(nf * pe, sf * simd)
        need(bool((rows[:outputs] == wanted).all()), what, "has other weights")
        less = bits == 1 or (bits == 2 and bits + given["INPUT_BITS"] > 6)  # −x is made as −x − 1
        added = (wanted < 0).sum(axis=1) if less else 0
        return np.asarray(layer.bias.astype(np.int64) - layer.input_zero_point * wanted.sum(axis=1) + added)

    def tables(self, layer: Any, given: dict[str, Any], what: str, ends: tuple[Int64, Int64]) -> Int64:
        """Word (nf · SF + sf) · values + x of memory s, lane p: what x adds to output nf · PE + p, less a constant.

        Returns as `weights`.
        """
        sf, nf, pe, simd, size = (int(given[key]) for key in ("SF", "NF", "PE", "SIMD", "ENTRY_BITS"))
        count, lacking = 1 << given["VALUE_BITS"], layer.bias.astype(np.int64)
        need(int(ends[0].min()) >= 0 and int(ends[1].max()) < count, what, "tells values apart by too few bits")
        for column in range(simd):
            stored = self.words(f"{given['TABLE_FILE']}_{column:04d}.mem", nf * sf * count, size, pe)
            entries = as_signed(stored, size).reshape(nf, sf, count, pe).transpose(1, 2, 0, 3)
            for step, held in enumerate(entries.reshape(sf, count, nf * pe)):
                number = step * simd + column
                inside = number < layer.inputs
                x = np.arange(int(ends[0][number]), int(ends[1][number]) + 1) if inside else np.arange(count)
                less = -held[x, : layer.outputs]
                for feature in np.flatnonzero(layer.source == number):
                    less = less + layer.entries[layer.rows[feature][x]]
                need(bool((less == less[0]).all()), what, f"has other entries of input {number}")
                lacking = lacking + less[0]
        return np.asarray(lacking)

    def channel(self, layer: Any, unit: Instance, what: str, of: tuple[int, int, int, int]) -> None:
        """That one channel's part of a memory gives what its layer does: thresholds, lines, factors or the table.

        of : the channel, the least and the largest integer that comes, and what the unit lacks of the value.
        """
        given, (channel, low, high, offset) = unit.parameters, of
        lanes, x = int(given["LANES"]), np.arange(low, high + 1)
        word, lane = (channel // lanes if int(given.get("FOLD", 1)) > 1 else 0), channel % lanes
        if unit.module == "edgeml_requantize":
            need(offset == 0, what, "lacks a constant")
            self._factor(layer, given, what, (word, lane, channel))
            return
        if unit.module == "edgeml_lookup":
            bits = given["INPUT_BITS"]
            table = self.words(given["TABLE_FILE"], 1 << bits, given["OUTPUT_BITS"], 1)[:, 0]
            found, wanted = table[x & ((1 << bits) - 1)], layer.table.astype(np.int64)[x + offset - layer.base]
            wanted = wanted & ((1 << given["OUTPUT_BITS"]) - 1)
        else:
            wanted = layer.base + np.searchsorted(layer.thresholds[channel].astype(np.int64), x + offset, "right")
            decode = self._levels if unit.module == "edgeml_threshold" else self._line
            found = decode(given, word, lane, x)
        need(bool((found == wanted).all()), what, "is another function than in the network")

    def _levels(self, given: dict[str, Any], word: int, lane: int, x: Int64) -> Int64:
        """BASE and how many of the thresholds of a lane x reaches."""
        bits, levels = given["INPUT_BITS"] + (1 if given["INPUT_SIGNED"] else 2), given["LEVELS"]
        stored = self.words(given["THRESHOLD_FILE"], int(given.get("FOLD", 1)), bits, int(given["LANES"]) * levels)
        own = as_signed(stored, bits)[word, lane * levels : (lane + 1) * levels]
        return np.asarray(given["BASE"] + np.searchsorted(np.sort(own), x, "right"))

    def encoded(self, layer: Any, given: dict[str, Any], what: str, beats: int) -> None:
        """That the slots and operands of an encode unit are the sources, rules and operands of its layer."""
        lanes, parts, shapes, simd = (int(given[key]) for key in ("PE", "PARTS", "SHAPES", "SIMD"))
        width, bits = given["POSITION_BITS"] + 7, given["INPUT_BITS"]
        words = int(given["NF"]) if shapes == 1 else beats
        operands = None
        if given["HAS_OPERANDS"]:
            need(given["WORDS"] == words, what, "has another number of operands")
            operands = self.words(given["OPERAND_FILE"], words, bits + 1, shapes * lanes)
        least = -(1 << bits - 1) if given["INPUT_SIGNED"] else 0
        slots = int(given["SLOTS"]) % (1 << shapes * lanes * width)
        for channel in range(layer.outputs):
            pos, lane = divmod(channel, lanes)
            at = (pos % parts if shapes > 1 else 0) * lanes + lane
            slot = slots >> at * width
            position, slot = slot & ((1 << given["POSITION_BITS"]) - 1), slot >> given["POSITION_BITS"]
            rule, place = slot & 3, slot >> 2 & 31
            source, operand = int(layer.source[channel]), int(layer.operand[channel])
            same = (pos // parts, position, rule) == (*divmod(source, simd), int(layer.rule[channel]))
            if rule >= 2:
                need(operands is not None, what, "compares with nothing")
                assert operands is not None
                stored = int(operands[pos if shapes == 1 else pos // parts, at])
                least_of = min(max(operand - least, 0), 1 << bits) if rule == 2 else operand - least
                same = same and stored == (least_of if 0 <= least_of <= 1 << bits else 1 << bits)
            need(same and (rule != 1 or place == operand), f"{what}[{channel}]", "looks at something else")

    def _line(self, given: dict[str, Any], word: int, lane: int, x: Int64) -> Int64:
        """BASE + clip((x · factor + offset · 2^ZEROS) >> PLACES, 0, LEVELS) + what the runs of corrections add."""
        factor_bits, field = given["FACTOR_BITS"], given["FACTOR_BITS"] + given["OFFSET_BITS"]
        stored = int(self.words(given["LINE_FILE"], int(given["FOLD"]), field, int(given["LANES"]))[word, lane])
        factor, offset = stored & ((1 << factor_bits) - 1), np.array(stored >> factor_bits)
        total = x * factor + (int(as_signed(offset, given["OFFSET_BITS"])) << given["ZEROS"])
        need(fits(int(total.min()), int(total.max()), given["SUM_BITS"], True), "line", "does not fit its sum")
        found = given["BASE"] + np.clip(total >> given["PLACES"], 0, given["LEVELS"])
        place, value = given["PLACE_BITS"], given["INPUT_BITS"] + (0 if given["INPUT_SIGNED"] else 1)
        sizes = (place, place, value, value, int(given["CORRECTION_BITS"]))
        for line in self.texts[str(given["CORRECTION_FILE"])].split() if given["CORRECTIONS"] else []:
            parts, run = [], int(line, 16)
            for bits in sizes:
                parts.append(run & ((1 << bits) - 1))
                run >>= bits
            first, last, change = (int(as_signed(np.array(p), b)) for p, b in zip(parts[2:], sizes[2:], strict=True))
            if parts[:2] == [word, lane]:
                found = found + change * ((first <= x) & (x <= last))
        return np.asarray(found, np.int64)

    def _factor(self, layer: Any, given: dict[str, Any], what: str, place: tuple[int, int, int]) -> None:
        """The factor of a channel and the places that it is shifted: exactly those of the layer."""
        word, lane, channel = place
        for key in ("ROUNDING", "ZERO_POINT", "LOW", "HIGH"):
            need(given[key] == getattr(layer, key.lower()), what, f"has another {key}")
        field = given["FACTOR_BITS"] + given["MORE_BITS"]
        line = int(self.texts[str(given["FACTOR_FILE"])].split()[word], 16) >> lane * field
        factor = line & ((1 << given["FACTOR_BITS"]) - 1)
        right = given["RIGHT"] + (line >> given["FACTOR_BITS"] & ((1 << given["MORE_BITS"]) - 1))
        at = channel if layer.per_channel else 0
        multiplier, shift = int(layer.multiplier[at]), int(layer.shift[at])
        if layer.rounding == "shift":
            holds = right == 1 - shift
        elif layer.rounding in ("double_rounding", "ruy_half_up"):
            holds = (factor, right) == (multiplier << max(shift, 0), max(-shift, 0))
        else:
            exact = Fraction((multiplier << 22) + int(layer.fraction[at])) * Fraction(2) ** (shift - 53)
            holds = Fraction(factor, 2**right) == exact
        need(holds, what, "has another factor")
