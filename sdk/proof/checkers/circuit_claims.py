"""Claims about a circuit, followed again from its gates and the network that it must compute: what checkers share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import CheckFailed
from ...network import Network
from .statements import integer, need

__all__ = ["followed"]

_MOST_GATES, _MOST_LEAVES, _MOST_ROWS = 2**22, 22, 16
_FUNCTIONS = ("threshold", "requantize", "lookup", "encode", "logic")
_Column = npt.NDArray[Any]
_Columns = dict[int, _Column]
_Words = list[tuple[list[int], list[tuple[int, int]]]]


def followed(network: Network, said: dict[str, Any], circuit: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """By place how many claims there are of a circuit, and how many of them follow. Raises CheckFailed.

    said : `cuts` and `places` of a certificate. circuit : its gates.
    """
    return _Check(network, said, _Gates(circuit)).places()


def _plain(bit: int) -> int:
    return bit if bit >= 0 else ~bit


def _number(columns: _Columns, bits: list[int], rows: int) -> _Column:
    """The number that bits (`~bit`: complements) are in each row."""
    total = np.zeros(rows, np.int64)
    for k, bit in enumerate(bits):
        total += (columns[bit] if bit >= 0 else 1 - columns[~bit]) << k
    return total


def _put(form: dict[int, int], bits: list[int], factor: int) -> None:
    """Add factor · (the number that bits are) to a form; bit 1 carries its constant, bit 0 is nothing."""
    for k, bit in enumerate(bits):
        form[_plain(bit)] = form.get(_plain(bit), 0) + ((factor if bit >= 0 else -factor) << k)
        form[1] = form.get(1, 0) + (factor << k if bit < 0 else 0)


def _all(leaves: list[int], most: int = _MOST_ROWS) -> tuple[_Columns, int]:
    """All rows of some bits, and how many."""
    need(len(set(leaves)) == len(leaves) <= most, "piece", "looks at too many bits, or at one twice")
    rows = np.arange(1 << len(leaves))
    return {0: 0 * rows, 1: 0 * rows + 1} | {bit: (rows >> k) & 1 for k, bit in enumerate(leaves)}, len(rows)


class _Gates:
    """The circuit: each gate as (its first output, what it takes, how many bits it gives, its table or None)."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.inputs = following = integer(content["input_bits"])
        need(0 <= self.inputs < _MOST_GATES and len(content["gates"]) < _MOST_GATES, "circuit", "is too large")
        self.of_bit: dict[int, int] = {}
        self.gates: list[tuple[int, list[int], int, _Column | None]] = []
        following += 2
        for first, second in content["gates"]:
            table, made = None, 1
            if isinstance(first, str):
                need(len(second) <= 12 and len(first) <= 1024, "circuit", "has a table of too many inputs")
                taken, content_of_table = [integer(bit) for bit in second], int(first, 16)
                table = np.array([(content_of_table >> row) & 1 for row in range(1 << len(taken))], np.int64)
            else:
                made, taken = len(first), [integer(bit) for bit in [*first, *second]]
                need(0 < made == len(second) <= 60, "circuit", "adds numbers of different widths")
            need(all(0 <= bit < following for bit in taken), "circuit", "takes a bit before it is there")
            self.of_bit.update(dict.fromkeys(range(following, following + made), len(self.gates)))
            self.gates.append((following, taken, made, table))
            following += made
        self.bits, self.outputs = following, [integer(bit) for bit in content["outputs"]]
        need(all(0 <= bit < following for bit in self.outputs), "circuit", "gives a bit that is not there")

    def columns(self, bits: list[int], given: _Columns, rows: int) -> _Columns:
        """The columns of bits that follow from given ones; CheckFailed where another input is needed."""
        known, needed = dict(given), set()
        waiting = [_plain(bit) for bit in bits if _plain(bit) not in known]
        while waiting:
            bit = waiting.pop()
            need(bit in self.of_bit, "piece", f"depends on bit {bit}, which is not among what it names")
            if self.of_bit[bit] not in needed:
                needed.add(self.of_bit[bit])
                waiting += [each for each in self.gates[self.of_bit[bit]][1] if each not in known]
        for place in sorted(needed):
            start, taken, made, table = self.gates[place]
            total = _number(known, taken[:made] if table is None else taken, rows)
            total = total + _number(known, taken[made:], rows) if table is None else table[total]
            for k in range(made):
                known.setdefault(start + k, (total >> k) & 1)
        return known


class _Check:
    """The claims of a certificate, followed place by place. A cut is (bits, offset), or None."""

    def __init__(self, network: Network, certificate: dict[str, Any], gates: _Gates) -> None:
        self.network, self.gates, self.said = network, gates, certificate["places"]
        self.layers: dict[str, Any] = {node.name: node.layer for node in network.nodes}
        first, last = network.nodes[0].name, network.nodes[-1].name
        self.low = {name: [int(x) for x in reach.low] for name, reach in network.ranges.items()}
        self.high = {name: [int(x) for x in reach.high] for name, reach in network.ranges.items()}
        self.cuts: dict[str, list[tuple[list[int], int] | None]] = {}
        for name, cuts in ((node.name, certificate["cuts"][node.name]) for node in network.nodes):
            need(len(cuts) == network.sizes[name], name, "has another number of channels")
            self.cuts[name] = [None if cut is None else self._cut(cut) for cut in cuts]
        self.sources = {node.name: list(node.inputs) for node in network.nodes} | {first: [" in"], " out": [last]}
        for name, like, bits in ((" in", first, list(range(2, gates.inputs + 2))), (" out", last, gates.outputs)):
            self.low[name], self.high[name] = self.low[like], self.high[like]
            width = len(bits) // len(self.low[name])
            need(0 < width <= 40 and width * len(self.low[name]) == len(bits), name, "does not fit the network")
            self.cuts[name] = [(bits[k : k + width], 0) for k in range(0, len(bits), width)]
            least = -(1 << width - 1) if min(self.low[name]) < 0 else 0
            fits = least <= min(self.low[name]) and max(self.high[name]) < least + (1 << width)
            need(fits, name, "does not fit its bits")

    def _cut(self, cut: dict[str, Any]) -> tuple[list[int], int]:
        bits = [integer(bit) for bit in cut["bits"]]
        need(len(bits) <= 40 and all(_plain(bit) < self.gates.bits for bit in bits), "cut", "names no bit")
        return bits, integer(cut["offset"])

    def places(self) -> dict[str, tuple[int, int]]:
        """Follow all claims; by place how many there are, and how many are proved."""
        names = {node.name: node.name for node in self.network.nodes} | {" out": "out_data"}
        return {said: (len(self.cuts[name]), self._place(name, self.said[said])) for name, said in names.items()}

    def _place(self, name: str, said: dict[str, Any]) -> int:
        words: _Words = []
        for source in self.sources[name]:
            for cut, low, high in zip(self.cuts[source], self.low[source], self.high[source], strict=True):
                if cut is not None:
                    span = (low - cut[1], high - cut[1]) if low >= cut[1] else (0, (1 << len(cut[0])) - 1)
                    words.append((cut[0], [span]))
        for word in said["words"]:
            words.append(self._word(word, words))
        pieces = [self._piece(name, piece, words) for piece in said["pieces"]]
        proved: set[int] = set()
        need(sorted(said["order"]) == list(range(len(self.cuts[name]))), name, "has no order of all channels")
        for channel in said["order"]:
            cut, claim = self.cuts[name][channel], said["channels"][channel]
            if claim["status"] != "proved":
                continue
            what = f"{name}[{channel}]"
            if cut is None:
                need(claim["method"] == "none", what, "stands nowhere, and is claimed to be proved")
            elif claim["method"] == "sum":
                used = claim.get("pieces", [])
                needed = {said["pieces"][i]["channel"] for i in used if said["pieces"][i]["kind"] == "channel"}
                need(needed <= proved, what, "follows from a channel that is not proved before it")
                self._sum(name, channel, cut, [pieces[index] for index in used])
            else:
                need(claim["method"] in ("rows", "range"), what, "is proved by no method that is known")
                leaves = None if claim["method"] == "range" else [integer(bit) for bit in claim.get("leaves", [])]
                self._rows(name, channel, cut, leaves)
            proved.add(channel)
        return len(proved)

    def _can(self, columns: _Columns, rows: int, within: list[int], words: _Words) -> _Column:
        """Which rows can come, by words that are known."""
        can = np.ones(rows, bool)
        for bits, spans in (words[integer(index)] for index in within):
            need(spans[-1][1] < 1 << _MOST_LEAVES, "piece", "follows from a number that is too large")
            known = [k for k, bit in enumerate(bits) if _plain(bit) in columns]
            numbers = np.concatenate([np.arange(first, last + 1) for first, last in spans])
            allowed = np.unique(sum((((numbers >> k) & 1) << at for at, k in enumerate(known)), 0 * numbers))
            can &= np.isin(_number(columns, [bits[k] for k in known], rows), allowed)
        return can

    def _values(self, bits: list[int], leaves: list[Any], within: list[int], words: _Words) -> _Column:
        """What a number of bits is in all rows of leaves that can come."""
        columns, rows = _all([integer(bit) for bit in leaves])
        return _number(self.gates.columns(bits, columns, rows), bits, rows)[self._can(columns, rows, within, words)]

    def _without_carry(self, bit: int, said: dict[str, Any], words: _Words) -> tuple[int, int]:
        """The range of the sum that gives a bit, of two numbers that are looked at by rows; it must fit its outputs."""
        _, taken, made, _ = self.gates.gates[self.gates.of_bit[bit]]
        sides = [
            self._values(side, leaves, said["within"], words)
            for side, leaves in zip((taken[:made], taken[made:]), said["leaves"], strict=True)
        ]
        low, high = (sum(int(ends(side)) for side in sides) for ends in (np.min, np.max))
        need(high < 1 << made, "sum", "may lose a carry")
        return low, high

    def _word(self, said: dict[str, Any], words: _Words) -> tuple[list[int], list[tuple[int, int]]]:
        """A number of bits that lies within spans: by rows, or as the sum of two numbers whose carry never comes."""
        bits = [integer(bit) for bit in said["bits"]]
        spans = [(integer(first), integer(last)) for first, last in said["spans"]]
        ends = [end for span in spans for end in span]
        need(0 < len(bits) <= 16 and min(ends) >= 0 and max(ends) < 1 << len(bits), "word", "has other spans")
        if len(said["leaves"]) == 1:
            found = self._values(bits, said["leaves"][0], said["within"], words)
        else:
            start, _, made, table = self.gates.gates[self.gates.of_bit[bits[0]]]
            need(table is None and bits == list(range(start, start + made)), "word", "is not a sum")
            low, high = self._without_carry(start, said, words)
            found = np.arange(low, high + 1)
        inside = (any(first <= number <= last for first, last in spans) for number in np.unique(found))
        need(all(inside), "word", "leaves its spans")
        return bits, spans

    def _piece(self, name: str, said: dict[str, Any], words: _Words) -> tuple[int, dict[int, int]]:
        """(width, outputs − inputs as coefficients by bit): a form that is 0 modulo 2^width."""
        width, size = integer(said["width"]), 1 << min(integer(said["width"]), 64)
        outputs, inputs = ({integer(bit): integer(c) for bit, c in said[side]} for side in ("outputs", "inputs"))
        need(0 < width <= 40 and len(outputs) == len(said["outputs"]), "piece", "names a bit twice, or no width")
        need(min(outputs, default=2) > 1 and 0 not in inputs, "piece", "names what is not a bit")
        if said["kind"] == "sum":
            start, taken, made, table = self.gates.gates[self.gates.of_bit[min(outputs)]]
            factor = outputs[start]
            need(table is None and outputs == {start + k: factor << k for k in range(made)}, "piece", "is not a sum")
            if (factor << made) % size:
                self._without_carry(start, said, words)
            sums: dict[int, int] = {0: 0, 1: 0}
            _put(sums, taken[:made], factor)
            _put(sums, taken[made:], factor)
            stated = {bit: c for bit, c in inputs.items() if c}
            need(stated == {bit: c for bit, c in sums.items() if bit and c}, "piece", "adds other bits")
        elif said["kind"] == "channel":
            form = self._equation(name, integer(said["channel"]))
            stated = {bit: outputs.get(bit, 0) - inputs.get(bit, 0) for bit in {*outputs, *inputs}}
            factor = next((stated[bit] // form[bit] for bit in outputs if form[bit]), 0)
            equal = all(stated.get(bit, 0) == factor * value for bit, value in form.items() if bit)
            need(equal and stated.keys() <= form.keys(), "piece", "is not what the channel says")
        else:
            columns, rows = _all([bit for bit in inputs if bit > 1])
            can = self._can(columns, rows, said["within"], words)
            given = self.gates.columns(list(outputs), columns, rows)
            total = sum((value % size * given[bit] for bit, value in outputs.items()), np.zeros(rows, np.int64))
            for bit, value in inputs.items():
                total -= value % size * (columns[bit] if bit > 0 else self._term(name, bit, columns, can))
            need(not (total[can] % size).any(), "piece", "is not the sum that it is said to be")
        return width, {bit: outputs.get(bit, 0) - inputs.get(bit, 0) for bit in {*outputs, *inputs}}

    def _affine(self, name: str, channel: int) -> tuple[list[tuple[str, int, int]], int]:
        """([(source, its channel, weight)], constant) of a channel that is a weighted sum."""
        layer = self.layers.get(name)
        if layer is None or self.sources[name] == [" in"] or layer.kind == "add":
            return [(source, channel, 1) for source in self.sources[name]], 0
        need(layer.kind in ("dense", "tables"), name, f"is not a sum, but of kind {layer.kind}")
        row = [int(weight) for weight in layer.weight[channel]] if layer.kind == "dense" else []
        constant = int(layer.bias[channel]) - (int(layer.input_zero_point) * sum(row) if row else 0)
        return [(self.sources[name][0], k, weight) for k, weight in enumerate(row) if weight], constant

    def _terms(self, name: str, channel: int) -> list[int]:
        """Of a channel of tables: a symbol, negative, for what each of its inputs adds; `_term` is its value."""
        layer: Any = self.layers.get(name)
        used = np.unique(layer.source).tolist() if layer is not None and layer.kind == "tables" else []
        return [~(channel * layer.inputs + source) for source in used]

    def _term(self, name: str, symbol: int, columns: _Columns, can: _Column, given: Any = None) -> _Column:
        layer, before = self.layers[name], self.sources[name][0]
        channel, source = divmod(~symbol, layer.inputs)
        x = self._value(before, source, columns, can) if given is None else given
        x = np.clip(x, self.low[before][source], self.high[before][source])
        return np.asarray(layer.entries[layer.rows[layer.source == source][:, x], channel].astype(np.int64).sum(axis=0))

    def _equation(self, name: str, channel: int) -> dict[int, int]:
        """cut − Σ weights · cuts of the sources − constant, as a form."""
        terms, constant = self._affine(name, channel)
        form = {1: -constant} | dict.fromkeys(self._terms(name, channel), -1)
        for source, k, weight in [(name, channel, -1), *terms]:
            taken = self.cuts[source][k]
            if taken is None:
                raise CheckFailed(f"certificate, {name}[{channel}]", "takes a value that stands nowhere")
            _put(form, taken[0], -weight)
            form[1] -= weight * taken[1]
        return form

    def _sum(self, name: str, channel: int, cut: tuple[list[int], int], pieces: list[Any]) -> None:
        """cut = Σ weights · cuts of the sources + constant: the same modulo 2^bits, and equal by its range."""
        what, (bits, offset) = f"{name}[{channel}]", cut
        terms, low = self._affine(name, channel)
        size, high, form = 1 << len(bits), low, self._equation(name, channel)
        for source, k, weight in terms:
            ends = weight * self.low[source][k], weight * self.high[source][k]
            low, high = low + min(ends), high + max(ends)
        for term in self._terms(name, channel):
            all_x = np.arange(min(self.low[self.sources[name][0]]), max(self.high[self.sources[name][0]]) + 1)
            found = self._term(name, term, {}, all_x, all_x)
            low, high = low + int(found.min()), high + int(found.max())
        need(self.low[name][channel] <= low and high <= self.high[name][channel], what, "may leave its range")
        lowest = -(size >> 1) if name == " out" and min(self.low[name]) < 0 else offset
        need(lowest <= low and high < lowest + size, what, "does not fit its bits")
        for width, piece in pieces:
            need(width >= len(bits), what, "follows from a piece modulo too little")
            for bit, value in piece.items():
                form[bit] = form.get(bit, 0) - value
        for source, k, _ in terms:
            taken = self.cuts[source][k] or ([], 0)
            low, high = (int(end[source][k]) - taken[1] for end in (self.low, self.high))
            for at, bit in enumerate(taken[0] if low >= 0 else []):
                if low >> at == high >> at:  # the same in all of the range: above where its ends differ
                    form[1] += form.pop(_plain(bit), 0) * (low >> at & 1 ^ (bit < 0)) if _plain(bit) > 1 else 0
        need(all(value % size == 0 for bit, value in form.items() if bit), what, "does not follow from its pieces")

    def _rows(self, name: str, channel: int, cut: tuple[list[int], int], leaves: list[int] | None) -> None:
        """cut = the layer's meaning, in all rows of leaves that can come; without leaves, over its input's range."""
        what, given = f"{name}[{channel}]", None
        if leaves is None:
            need(self.layers[name].kind in _FUNCTIONS[:3], what, "is not a function of one input")
            low, high = (side[self.sources[name][0]][channel] for side in (self.low, self.high))
            need(high - low < 1 << _MOST_LEAVES, what, "has an input of too wide a range")
            given, rows = np.arange(low, high + 1), high - low + 1
            columns = {0: np.zeros(rows, np.int64), 1: np.ones(rows, np.int64)}
        else:
            columns, rows = _all(leaves, _MOST_LEAVES)
        can = np.ones(rows, bool)
        expected = self._meaning(name, channel, columns, can, given)[can]
        found = _number(self.gates.columns(cut[0], columns, rows), cut[0], rows) + cut[1]
        held = np.clip(expected, self.low[name][channel], self.high[name][channel])
        need(bool((found[can] == expected).all() and (expected == held).all()), what, "is another function")

    def _meaning(self, name: str, channel: int, columns: _Columns, can: _Column, given: Any = None) -> _Column:
        """What the network says of a channel in each row, from its inputs' values or from the `given` one."""
        layer, source = self.layers.get(name), self.sources[name][0]
        if layer is not None and layer.kind == "multiply":
            one, other = (self._value(each, channel, columns, can) for each in self.sources[name])
            return one * other
        if layer is None or layer.kind not in _FUNCTIONS:
            terms, constant = self._affine(name, channel)
            values = [weight * self._value(source, k, columns, can) for source, k, weight in terms]
            values += [self._term(name, term, columns, can) for term in self._terms(name, channel)]
            return sum(values, np.full(len(can), constant, np.int64))
        listed = {"encode": "source", "logic": "sources"}.get(layer.kind)
        named = [channel] if listed is None else np.unique(getattr(layer, listed)[channel]).tolist()
        values = [self._value(source, k, columns, can) for k in named] if given is None else [given]
        found = np.zeros(len(can), np.int64)
        for part in np.array_split(np.flatnonzero(can), 1 + len(can) // 2**12):
            x = np.tile(np.array(self.low[source], np.int64), (len(part), 1))
            x[:, named] = np.stack(values, axis=1)[part]
            found[part] = layer.evaluate(x)[:, channel]
        return found

    def _value(self, name: str, channel: int, columns: _Columns, can: _Column) -> _Column:
        """A value in each row: by its bits, or by its meaning; `can` loses the rows that are out of its range."""
        cut, low, high = self.cuts[name][channel], self.low[name][channel], self.high[name][channel]
        if cut is None:
            return np.full(len(can), low, np.int64) if low == high else self._meaning(name, channel, columns, can)
        need(all(_plain(bit) in columns for bit in cut[0]), name, "is not among the leaves")
        value = _number(columns, cut[0], len(can)) + cut[1]
        can &= (value >= low) & (value <= high)
        return value
