"""What a proof of one place leaves: claims, with words and pieces that channels share; as JSON and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .claim import Claim
from .known_ranges import Word
from .sums import Piece

__all__ = ["Evidence", "evidence_from", "evidence_json"]

Renamed = Callable[[int], int]


@dataclass(frozen=True, eq=False)
class Evidence:
    """The claims of a place by channel, the words that were found beyond the given ones (whose places come first), and
    the processor time that it took; `kept`: the channels that were proved before, and found again by their content."""

    claims: tuple[Claim, ...]
    words: tuple[Word, ...]
    seconds: float
    kept: frozenset[int] = frozenset()
    order: tuple[int, ...] = ()
    """Channels in an order in which each follows those that its pieces name."""

    @property
    def anew(self) -> list[int]:
        """The channels that were proved anew, or tried: all that stand somewhere and were not found again."""
        return [claim.channel for claim in self.claims if claim.channel not in self.kept and claim.method != "none"]


def _bit(bit: int, name: Renamed) -> int:
    return name(bit) if bit >= 0 else ~name(~bit)


def evidence_json(evidence: Evidence, name: Renamed = lambda bit: bit) -> dict[str, Any]:
    """Words, pieces (each once) and channels, with bits called by `name`."""
    pieces: dict[Piece, int] = {}
    channels: list[dict[str, Any]] = []
    for claim in evidence.claims:
        entry: dict[str, Any] = {"status": claim.status, "method": claim.method}
        if claim.pieces:
            entry["pieces"] = [pieces.setdefault(piece, len(pieces)) for piece in claim.pieces]
        if claim.leaves:
            entry["leaves"] = [name(bit) for bit in claim.leaves]
        if claim.detail:
            entry["detail"] = claim.detail
        if claim.counterexample:
            entry["counterexample"] = dict(claim.counterexample)
        channels.append(entry)
    return {
        "words": [
            {
                "bits": [_bit(bit, name) for bit in word.bits],
                "spans": word.spans,
                "leaves": [[name(bit) for bit in side] for side in word.leaves],
                "within": word.within,
            }
            for word in evidence.words
        ],
        "pieces": [
            {
                "width": piece.width,
                "kind": piece.kind,
                "outputs": [(name(bit), value) for bit, value in piece.outputs],
                "inputs": [(name(bit) if bit >= 0 else bit, value) for bit, value in piece.inputs],
                "leaves": [[name(bit) for bit in side] for side in piece.leaves],
                "within": piece.within,
                **({"channel": piece.channel} if piece.kind == "channel" else {}),
            }
            for piece in pieces
        ],
        "channels": channels,
        "order": evidence.order,
    }


def evidence_from(place: str, content: Mapping[str, Any], name: Renamed) -> Evidence:
    """Inverse, of what the user's own cache kept. KeyError, TypeError or ValueError where it is not sound."""
    pieces = [
        Piece(
            int(each["width"]),
            str(each["kind"]),
            tuple((name(bit), int(value)) for bit, value in each["outputs"]),
            tuple((name(bit) if bit >= 0 else bit, int(value)) for bit, value in each["inputs"]),
            tuple(tuple(name(bit) for bit in side) for side in each["leaves"]),
            tuple(each["within"]),
            int(each.get("channel", -1)),
        )
        for each in content["pieces"]
    ]
    words = [
        Word(
            tuple(_bit(bit, name) for bit in each["bits"]),
            tuple((int(first), int(last)) for first, last in each["spans"]),
            tuple(tuple(name(bit) for bit in side) for side in each["leaves"]),
            tuple(each["within"]),
        )
        for each in content["words"]
    ]
    claims = [
        Claim(
            place,
            channel,
            str(each["status"]),
            str(each["method"]),
            tuple(pieces[index] for index in each.get("pieces", ())),
            tuple(name(bit) for bit in each.get("leaves", ())),
        )
        for channel, each in enumerate(content["channels"])
    ]
    return Evidence(tuple(claims), tuple(words), 0.0, order=tuple(map(int, content["order"])))
