"""Proofs of channels that were made before, in the user's cache: found by the gates of a channel and what is claimed.

A key holds all that a channel's proof follows from: the gates between its bits and those of the layer's inputs,
numbered by how they hang together, so that what else the circuit holds changes nothing; what the layer says of the
channel; the ranges of what it takes; the code of prover and layers. What was proved by another channel of the layer is
taken again only beside that channel, with its key. The channels of a place lie together: a file of each proof that
found anything new, the last ones of which are looked through.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ..system.cache import digest_of
from .channel_meaning import Undescribed, described
from .circuit import Circuit, Lookup
from .claim import PROVED, Claim
from .evidence import Evidence, evidence_from, evidence_json
from .kept import keep, kept_before
from .known_ranges import Word
from .operand import Place, plain
from .own_code import code_digest
from .statement import Source

__all__ = ["Found", "KeptChannels"]

_PROVER = ("edgeml.proof", "edgeml.network")
_MOST_FILES = 8


@dataclass
class Found:
    """What was proved before of a place. words : beyond the given ones. order : channels, each behind what it takes."""

    claims: dict[int, Claim] = field(default_factory=dict)
    words: list[Word] = field(default_factory=list)
    order: list[int] = field(default_factory=list)


class _View:
    """One channel with bits of its own: constants, the bits of inputs, then what gates give as the channel's bits lead
    to them. Raises Undescribed where what it is cannot be said."""

    def __init__(
        self,
        circuit: Circuit,
        places: Mapping[str, Place],
        place: Place,
        channel: int,
        ends: Mapping[int, Sequence[Source]],
    ) -> None:
        cut, statement = place.cuts[channel], place.statements[channel]
        if cut is None or statement is None:
            raise Undescribed
        targets = [plain(bit) for bit in cut.bits]
        self.local: dict[int, int] = {0: 0, 1: 1}

        def reached() -> set[Source]:
            return {source for bit in _reached(circuit, targets, self.local, ends) for source in ends[bit]}

        meaning, self.sources = described(places, place, statement, reached, self._bit)
        gates = self._numbered(circuit, targets)
        own = [[self._bit(bit) for bit in cut.bits], cut.offset, int(place.low[channel]), int(place.high[channel])]
        sizes = [len(places[name].cuts) for name in place.sources]  # symbols of functions are numbered by them
        stated = [channel, sizes, place.name, own, meaning, gates]
        self.key = hashlib.sha256(json.dumps(stated, separators=(",", ":")).encode()).hexdigest()

    def _bit(self, bit: int) -> int:
        """The local number of a bit, or of one that it complements."""
        number = self.local.setdefault(plain(bit), len(self.local))
        return number if bit >= 0 else ~number

    def _numbered(self, circuit: Circuit, targets: Iterable[int]) -> list[object]:
        """The gates that targets lead to, in an order of their own, with local numbers."""
        gates: list[object] = []
        waiting = list(reversed(list(targets)))
        while waiting:
            bit = waiting[-1]
            place = circuit.driver.get(bit)
            if bit in self.local or place is None:
                self.local.setdefault(bit, len(self.local))
                waiting.pop()
                continue
            gate = circuit.gates[place]
            missing = [each for each in gate.inputs if each not in self.local]
            if missing:
                waiting += reversed(missing)
                continue
            inputs = [self.local[each] for each in gate.inputs]
            outputs = [self._bit(each) for each in gate.outputs]
            gates.append([outputs, inputs, f"{gate.table:x}" if isinstance(gate, Lookup) else "+"])
        return gates


def _ends(places: Mapping[str, Place], place: Place) -> dict[int, list[Source]]:
    """By bit, the values that feed a place (which of its sources, and which channel) and stand in it."""
    found: dict[int, list[Source]] = {}
    for which, name in enumerate(place.sources):
        for number, cut in enumerate(places[name].cuts):
            for bit in cut.bits if cut else ():
                found.setdefault(plain(bit), []).append((which, number))
    return found


def _reached(circuit: Circuit, targets: Iterable[int], known: Collection[int], ends: Mapping[int, object]) -> set[int]:
    """The ends that bits lead to; nothing behind bits that are known."""
    found, seen, waiting = set[int](), set[int](), list(targets)
    while waiting:
        bit = waiting.pop()
        if bit in ends:
            found.add(bit)
        elif bit not in seen and bit not in known and bit in circuit.driver:
            seen.add(bit)
            waiting += circuit.gates[circuit.driver[bit]].inputs
    return found


class KeptChannels:
    """The channels of one place: which of them were proved before, and what is kept of those that are proved now."""

    def __init__(self, circuit: Circuit, places: Mapping[str, Place], place: Place, given: Sequence[Source]) -> None:
        """given : the values that feed the place whose ranges are its first words, in their order."""
        self.place, self.given = place, list(given)
        self.key = digest_of("channels", code_digest(*_PROVER), place.name, str(len(place.cuts)))
        self.views: dict[int, _View] = {}
        ends = _ends(places, place)
        for channel in range(len(place.cuts)):
            with suppress(Undescribed):
                self.views[channel] = _View(circuit, places, place, channel, ends)

    def find(self) -> Found:
        """What was proved before; channels that take what was proved of others only where those were found too."""
        kept: dict[str, Any] = {}
        for content in kept_before(self.key, _MOST_FILES, dict):
            kept = content | kept
        found, more = Found(), True
        while more:
            more = False
            for channel, view in self.views.items():
                if channel in found.claims or view.key not in kept:
                    continue
                with suppress(KeyError, TypeError, ValueError, IndexError, AttributeError):
                    taken = kept[view.key]["takes"].items()
                    if all(int(other) in found.claims and self.views[int(other)].key == key for other, key in taken):
                        self._enter(found, channel, kept[view.key])
                        more = True
        return found

    def _enter(self, found: Found, channel: int, content: Mapping[str, Any]) -> None:
        """Enter a channel's claim with the numbers that bits and words have here."""
        view = self.views[channel]
        back = {number: bit for bit, number in view.local.items()}
        evidence = evidence_from(self.place.name, content, back.__getitem__)
        places = [self.given.index(source) for source in view.sources]
        words = list(found.words)
        for word in evidence.words:
            whole = replace(word, within=tuple(sorted(places[at] for at in word.within)))
            if whole not in words:
                words.append(whole)
            places.append(len(self.given) + words.index(whole))
        (claim,) = evidence.claims
        pieces = tuple(replace(each, within=tuple(sorted(places[at] for at in each.within))) for each in claim.pieces)
        found.words = words
        found.claims[channel] = replace(claim, channel=channel, pieces=pieces)
        found.order.append(channel)

    def keep(self, evidence: Evidence) -> None:
        """Keep what is proved, if any of it was not found; what names a bit of elsewhere is not kept."""
        content: dict[str, Any] = {}
        for channel, view in self.views.items():
            claim = evidence.claims[channel]
            if claim.status == PROVED:
                with suppress(KeyError, ValueError):
                    content[view.key] = self._content(view, claim, evidence.words)
        if set(evidence.kept) != {channel for channel in self.views if self.views[channel].key in content}:
            keep(self.key, content)

    def _content(self, view: _View, claim: Claim, words: Sequence[Word]) -> dict[str, Any]:
        first = len(self.given)
        needed, waiting = set[int](), [at for piece in claim.pieces for at in piece.within]
        while waiting:
            at = waiting.pop()
            if at not in needed:
                needed.add(at)
                waiting += words[at - first].within if at >= first else ()
        local = {at: view.sources.index(self.given[at]) for at in needed if at < first}
        local |= {at: len(view.sources) + k for k, at in enumerate(sorted(at for at in needed if at >= first))}
        own = [
            replace(words[at - first], within=_renumbered(words[at - first].within, local))
            for at in sorted(needed)
            if at >= first
        ]
        pieces = tuple(replace(piece, within=_renumbered(piece.within, local)) for piece in claim.pieces)
        takes = {piece.channel for piece in pieces if piece.kind == "channel"}
        evidence = Evidence((replace(claim, pieces=pieces),), tuple(own), 0.0)
        return evidence_json(evidence, view.local.__getitem__) | {
            "takes": {str(each): self.views[each].key for each in takes}
        }


def _renumbered(within: Iterable[int], local: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(local[at] for at in within)
