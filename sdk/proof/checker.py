"""The second look at a certificate: every claim followed again from the gates and the network, in seconds.

This file shares no code with what writes Verilog or with what proves: it takes the network's definition
(`edgeml.network`), the files of a bundle, and numpy. It looks at each gate in the circuit of the certificate, but not
at the Verilog itself: that the circuit is what the Verilog says is yosys's word, and its hash is compared.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import CheckFailed
from ..network import Network, network_file
from ..system.regular_file import read_regular

__all__ = ["check_certificate"]

_LARGEST = 2**28
_MOST_GATES = 2**22
_MOST_LEAVES = 22
_Column = npt.NDArray[Any]
_Columns = dict[int, _Column]
_FUNCTIONS = ("threshold", "requantize", "lookup", "encode", "logic")


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and
    how many are proved.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    content = read_regular(folder / "proof" / prover / "certificate.json", _LARGEST)
    gates = read_regular(folder / "proof" / prover / "circuit.json", _LARGEST)
    network_content = read_regular(folder / "network.edgeml", _LARGEST)
    try:
        certificate, circuit = json.loads(content), json.loads(gates)
        _need((certificate["format"], certificate["kind"]) == (1, "circuit"), "format", "is not 1, of a circuit")
        _need(certificate["network"] == hashlib.sha256(network_content).hexdigest(), "network", "is another")
        _need(certificate["circuit"] == hashlib.sha256(gates).hexdigest(), "circuit", "is another")
        _need(bool(certificate["artifacts"]), "artifacts", "are none")
        for name, digest in certificate["artifacts"].items():
            _need(".." not in Path(name).parts and not Path(name).is_absolute(), "artifact", "lies elsewhere")
            _need(digest == hashlib.sha256(read_regular(folder / name, _LARGEST)).hexdigest(), name, "is another")
        return _Check(network_file.from_bytes(network_content), certificate, _Gates(circuit)).places()
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise CheckFailed("certificate", f"is not sound ({type(error).__name__}: {str(error)[:200]})") from error


def _need(holds: bool, what: str, problem: str) -> None:
    if not holds:
        raise CheckFailed(f"certificate, {what}", problem)


def _integer(value: Any) -> int:
    _need(type(value) is int and abs(value) < 2**80, "number", f"{str(value)[:40]} is not one")
    return int(value)


class _Gates:
    """The circuit, gate by gate: which bits a gate takes, and what it gives for columns of 0 and 1."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.inputs = _integer(content["input_bits"])
        _need(0 <= self.inputs < _MOST_GATES and len(content["gates"]) < _MOST_GATES, "circuit", "is too large")
        self.owner: dict[int, int] = {}
        self.gates: list[tuple[int, tuple[int, ...], int, _Column | None]] = []
        following = self.inputs + 2
        for first, second in content["gates"]:
            if isinstance(first, str):
                _need(len(second) <= 12 and len(first) <= 1024, "circuit", "has a table of too many inputs")
                table, taken, made = self._table(first, len(second)), tuple(map(_integer, second)), 1
            else:
                _need(0 < len(first) == len(second) <= 64, "circuit", "adds numbers of different widths")
                table, taken, made = None, tuple(map(_integer, [*first, *second])), len(first)
            _need(all(0 <= bit < following for bit in taken), "circuit", "takes a bit before it is there")
            self.gates.append((following, taken, made, table))
            self.owner.update(dict.fromkeys(range(following, following + made), len(self.gates) - 1))
            following += made
        self.bits = following
        self.outputs = [_integer(bit) for bit in content["outputs"]]
        _need(all(0 <= bit < following for bit in self.outputs), "circuit", "gives a bit that is not there")

    @staticmethod
    def _table(text: str, inputs: int) -> _Column:
        number = int(text, 16)
        _need(0 <= number < 1 << (1 << inputs), "circuit", "has a table longer than its inputs")
        return np.array([(number >> row) & 1 for row in range(1 << inputs)], np.int64)

    def columns(self, wanted: list[int], given: _Columns, rows: int) -> _Columns:
        """The columns of bits that follow from given ones; CheckFailed where another input is needed."""
        known = {0: np.zeros(rows, np.int64), 1: np.ones(rows, np.int64), **given}
        needed, waiting = set(), [bit for bit in wanted if bit not in known]
        while waiting:
            bit = waiting.pop()
            _need(bit in self.owner, "piece", f"depends on bit {bit}, which is not among what it names")
            if self.owner[bit] not in needed:
                needed.add(self.owner[bit])
                waiting += [each for each in self.gates[self.owner[bit]][1] if each not in known]
        for place in sorted(needed):
            start, taken, made, table = self.gates[place]
            if table is not None:
                number = sum((known[bit] << k for k, bit in enumerate(taken)), np.zeros(rows, np.int64))
                known.setdefault(start, table[number])
            else:
                _need(made <= 60, "piece", "looks at the rows of a sum that is too wide")
                total = sum((known[bit] << k % made for k, bit in enumerate(taken)), np.zeros(rows, np.int64))
                for k in range(made):
                    known.setdefault(start + k, (total >> k) & 1)
        return known


class _Check:
    """The claims of a certificate, followed place by place. A cut is (bits, offset), or None."""

    def __init__(self, network: Network, certificate: dict[str, Any], gates: _Gates) -> None:
        self.network, self.gates, self.places_said = network, gates, certificate["places"]
        first, last = network.nodes[0].name, network.nodes[-1].name
        reach = network.ranges
        self.low = {name: [int(x) for x in reach[name].low] for name in reach}
        self.high = {name: [int(x) for x in reach[name].high] for name in reach}
        self.cuts: dict[str, list[tuple[list[int], int] | None]] = {}
        for node in network.nodes:
            cuts = certificate["cuts"][node.name]
            _need(len(cuts) == network.sizes[node.name], node.name, "has another number of channels")
            self.cuts[node.name] = [None if cut is None else self._cut(cut) for cut in cuts]
        self.sources = {node.name: list(node.inputs) for node in network.nodes} | {first: [" in"], " out": [last]}
        for name, like, bits in ((" in", first, list(range(2, gates.inputs + 2))), (" out", last, gates.outputs)):
            count = len(self.low[like])
            _need(len(bits) > 0 and len(bits) % count == 0, "circuit", "has ends that do not fit the network")
            width = len(bits) // count
            self.cuts[name] = [(bits[k : k + width], 0) for k in range(0, len(bits), width)]
            self.low[name], self.high[name] = self.low[like], self.high[like]
            signed = min(self.low[like]) < 0
            room = (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)
            _need(room[0] <= min(self.low[like]) and max(self.high[like]) <= room[1], name, "does not fit its bits")

    def _cut(self, cut: dict[str, Any]) -> tuple[list[int], int]:
        bits = [_integer(bit) for bit in cut["bits"]]
        _need(len(bits) <= 64 and all(_plain(bit) < self.gates.bits for bit in bits), "cut", "names no bit")
        return bits, _integer(cut["offset"])

    def places(self) -> dict[str, tuple[int, int]]:
        """Follow all claims; by place how many there are, and how many are proved."""
        names = [node.name for node in self.network.nodes]
        found = {}
        for name, said in [*zip(names, names, strict=True), (" out", "out_data")]:
            found[said] = (len(self.cuts[name]), self._place(name, self.places_said[said]))
        return found

    def _place(self, name: str, said: dict[str, Any]) -> int:
        cuts = self.cuts[name]
        _need(len(said["channels"]) == len(cuts), name, "has claims for another number of channels")
        words = [
            (cut[0], [(max(self.low[source][k] - cut[1], 0), self.high[source][k] - cut[1])])
            if self.low[source][k] - cut[1] >= 0
            else (cut[0], [(0, (1 << len(cut[0])) - 1)])
            for source in self.sources[name]
            for k, cut in enumerate(self.cuts[source])
            if cut is not None
        ]
        for word in said["words"]:
            words.append(self._word(word, words))
        pieces = [self._piece(piece, words) for piece in said["pieces"]]
        proved = 0
        for channel, (cut, claim) in enumerate(zip(cuts, said["channels"], strict=True)):
            if claim["status"] != "proved":
                continue
            what = f"{name}[{channel}]"
            if cut is None:
                _need(claim["method"] == "none", what, "stands nowhere, and is claimed to be proved")
            elif claim["method"] == "sum":
                self._sum(name, channel, cut, [pieces[index] for index in claim.get("pieces", [])])
            else:
                _need(claim["method"] == "rows", what, "is proved by no method that is known")
                self._rows(name, channel, cut, [_integer(bit) for bit in claim.get("leaves", [])])
            proved += 1
        return proved

    def _all(self, leaves: list[int], most: int = 16) -> tuple[_Columns, int]:
        _need(len(set(leaves)) == len(leaves) <= most, "piece", "looks at too many bits, or at one twice")
        rows = np.arange(1 << len(leaves))
        return {bit: (rows >> k) & 1 for k, bit in enumerate(leaves)}, len(rows)

    def _can(self, columns: _Columns, rows: int, within: list[int], words: list[Any]) -> _Column:
        """Which rows can come, by words that are known."""
        can = np.ones(rows, bool)
        for index in within:
            bits, spans = words[_integer(index)]
            known = [k for k, bit in enumerate(bits) if _plain(bit) in columns]
            numbers = np.concatenate([np.arange(first, last + 1) for first, last in spans])
            allowed = np.unique(sum((((numbers >> k) & 1) << at for at, k in enumerate(known)), 0 * numbers))
            number = _number(columns, [bits[k] for k in known], rows)
            can &= np.isin(number, allowed)
        return can

    def _numbers(self, bits: list[int], leaves: list[int], within: list[int], words: list[Any]) -> _Column:
        """What a number of bits is in all rows of leaves that can come."""
        columns, rows = self._all(leaves)
        made = self.gates.columns([_plain(bit) for bit in bits], columns, rows)
        return _number(made, bits, rows)[self._can(columns, rows, within, words)]

    def _sides(self, gate: tuple[Any, ...], said: dict[str, Any], words: list[Any]) -> tuple[int, int]:
        """The least and the largest sum of the two numbers of a gate that adds, each by rows of its own."""
        taken, made = list(gate[1]), gate[2]
        _need(len(said["leaves"]) == 2, "sum", "does not say what its two numbers follow from")
        low = high = 0
        for side, leaves in zip((taken[:made], taken[made:]), said["leaves"], strict=True):
            values = self._numbers(side, [_integer(bit) for bit in leaves], said["within"], words)
            low, high = low + int(values.min()), high + int(values.max())
        return low, high

    def _word(self, said: dict[str, Any], words: list[Any]) -> tuple[list[int], list[tuple[int, int]]]:
        """A number of bits that lies within spans: by rows, or as the sum of two numbers whose carry never comes."""
        bits = [_integer(bit) for bit in said["bits"]]
        spans = [(_integer(first), _integer(last)) for first, last in said["spans"]]
        _need(
            0 < len(bits) <= 16 and all(0 <= first <= last < 1 << len(bits) for first, last in spans), "word", "is odd"
        )
        if len(said["leaves"]) == 1:
            found = self._numbers(bits, [_integer(bit) for bit in said["leaves"][0]], said["within"], words)
        else:
            start, _, made, table = self.gates.gates[self.gates.owner[bits[0]]]
            _need(table is None and bits == list(range(start, start + made)), "word", "is not the sum that it is said")
            low, high = self._sides(self.gates.gates[self.gates.owner[start]], said, words)
            _need(high < 1 << made, "word", "may lose a carry")
            found = np.arange(low, high + 1)
        inside = np.zeros(len(found), bool)
        for first, last in spans:
            inside |= (found >= first) & (found <= last)
        _need(bool(inside.all()), "word", "leaves its spans")
        return bits, spans

    def _piece(self, said: dict[str, Any], words: list[Any]) -> tuple[int, dict[int, int]]:
        """(width, outputs − inputs as coefficients by bit): a form that is 0 modulo 2^width."""
        width = _integer(said["width"])
        _need(0 < width <= 40, "piece", "has no width that is known")
        outputs, inputs = ({_integer(bit): _integer(c) for bit, c in said[side]} for side in ("outputs", "inputs"))
        _need(len(outputs) == len(said["outputs"]), "piece", "names a bit twice")
        if said["kind"] == "sum":
            start, taken, made, table = self.gates.gates[self.gates.owner[min(outputs)]]
            factor = outputs[start]
            _need(table is None and outputs == {start + k: factor << k for k in range(made)}, "piece", "is not a sum")
            if (factor << made) % (1 << width):
                _need(
                    self._sides(self.gates.gates[self.gates.owner[start]], said, words)[1] < 1 << made,
                    "piece",
                    "may lose a carry",
                )
            inputs = {}
            for k, bit in enumerate(taken):
                inputs[bit] = inputs.get(bit, 0) + (factor << k % made)
        else:
            leaves = [bit for bit in inputs if bit > 1]
            columns, rows = self._all(leaves)
            made_columns = self.gates.columns(list(outputs), columns, rows)
            total = np.full(rows, -inputs.get(1, 0) % (1 << width), np.int64)
            for bit, value in outputs.items():
                total += value % (1 << width) * made_columns[bit]
            for bit in leaves:
                total -= inputs[bit] % (1 << width) * columns[bit]
            wrong = total[self._can(columns, rows, said["within"], words)] & ((1 << width) - 1)
            _need(not wrong.any(), "piece", "is not the weighted sum that it is said to be")
        form = dict(outputs)
        for bit, value in inputs.items():
            form[bit] = form.get(bit, 0) - value
        return width, form

    def _affine(self, name: str, channel: int) -> tuple[dict[tuple[str, int], int], int]:
        """(weights by source and channel, constant) of a channel that is a weighted sum."""
        sources = self.sources[name]
        if sources == [" in"] or name == " out":
            return {(sources[0], channel): 1}, 0
        layer: Any = next(node.layer for node in self.network.nodes if node.name == name)
        if layer.kind == "add":
            weights: dict[tuple[str, int], int] = {}
            for source in sources:
                weights[source, channel] = weights.get((source, channel), 0) + 1
            return weights, 0
        _need(layer.kind == "dense", name, f"is not a weighted sum, but of kind {layer.kind}")
        row = [int(weight) for weight in layer.weight[channel]]
        constant = int(layer.bias[channel]) - int(layer.input_zero_point) * sum(row)
        return {(sources[0], k): weight for k, weight in enumerate(row) if weight}, constant

    def _sum(self, name: str, channel: int, cut: tuple[list[int], int], pieces: list[Any]) -> None:
        """cut = Σ weights · cuts of the sources + constant: the same modulo 2^bits, and equal by its range."""
        what, (bits, offset) = f"{name}[{channel}]", cut
        weights, constant = self._affine(name, channel)
        size, form = 1 << len(bits), {1: offset - constant}
        _put(form, bits, 1)
        low = high = constant
        for (source, k), weight in weights.items():
            taken = self.cuts[source][k]
            _need(taken is not None, what, "takes a value that stands nowhere")
            assert taken is not None
            _put(form, taken[0], -weight)
            form[1] -= weight * taken[1]
            ends = weight * self.low[source][k], weight * self.high[source][k]
            low, high = low + min(ends), high + max(ends)
        _need(self.low[name][channel] <= low and high <= self.high[name][channel], what, "may leave its range")
        lowest = -(size >> 1) if name == " out" and low < 0 else offset
        _need(lowest <= low and high < lowest + size, what, "does not fit its bits")
        for width, piece in pieces:
            _need(width >= len(bits), what, "follows from a piece modulo too little")
            for bit, value in piece.items():
                form[bit] = form.get(bit, 0) - value
        _need(all(value % size == 0 for bit, value in form.items() if bit), what, "does not follow from its pieces")

    def _rows(self, name: str, channel: int, cut: tuple[list[int], int], leaves: list[int]) -> None:
        """cut = the layer's function of its inputs, in all rows of their bits that can come."""
        what = f"{name}[{channel}]"
        columns, rows = self._all(leaves, _MOST_LEAVES)
        layer: Any = next(node.layer for node in self.network.nodes if node.name == name)
        _need(layer.kind in _FUNCTIONS, what, f"is not a function of few inputs, but of kind {layer.kind}")
        source, can = self.sources[name][0], np.ones(rows, bool)
        taken = {"encode": lambda: [layer.source[channel]], "logic": lambda: layer.sources[channel]}
        given = np.tile(np.array(self.low[source], np.int64), (rows, 1))
        for k in sorted({int(k) for k in taken.get(layer.kind, lambda: [channel])()}):
            given[:, k] = self._value(source, k, columns, can)
        made = self.gates.columns([_plain(bit) for bit in cut[0]], columns, rows)
        found = _number(made, cut[0], rows) + cut[1]
        expected = layer.evaluate(given[can])[:, channel].astype(np.int64)
        _need(bool((found[can] == expected).all()), what, "is another function")
        reach = self.low[name][channel], self.high[name][channel]
        _need(bool(((expected >= reach[0]) & (expected <= reach[1])).all()), what, "leaves its range")

    def _value(self, name: str, channel: int, columns: _Columns, can: _Column) -> _Column:
        """A value in each row: by its bits, or by the sum that would give them; `can` loses rows out of its range."""
        cut = self.cuts[name][channel]
        low, high = self.low[name][channel], self.high[name][channel]
        if cut is None and low == high:
            return np.full(len(can), low, np.int64)
        if cut is None:
            weights, constant = self._affine(name, channel)
            total = np.full(len(can), constant, np.int64)
            for (source, k), weight in weights.items():
                total += weight * self._value(source, k, columns, can)
            return total
        _need(all(_plain(bit) in (0, 1) or _plain(bit) in columns for bit in cut[0]), name, "is not among the leaves")
        value = (
            _number({0: np.zeros(len(can), np.int64), 1: np.ones(len(can), np.int64), **columns}, *cut[:1], len(can))
            + cut[1]
        )
        can &= (value >= low) & (value <= high)
        return value


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
        if bit < 0:
            form[1] = form.get(1, 0) + (factor << k)
        if _plain(bit):
            form[_plain(bit)] = form.get(_plain(bit), 0) + ((factor if bit >= 0 else -factor) << k)
