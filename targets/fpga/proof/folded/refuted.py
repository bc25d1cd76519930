"""What refutes claims that are not proved: a unit, or the core, that gives another value in Icarus."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edgeml.errors import EdgemlError
from edgeml.network import Network, Node, simulate
from edgeml.proof.claim import OPEN, REFUTED

from ...tools.programs import icarus
from .design_proof import DesignProof, Tried
from .layer_claims import ChannelClaim, NodeClaims, Values
from .simulation import MISSING, Section, core_subject, simulated, unit_subject

__all__ = ["Core", "Wrong", "refuted", "said_of", "wrong_of_core"]

Int64 = npt.NDArray[np.int64]
_MOST_CLOCKS = 40_000
_FRAMES = 24
_PATIENCE = 8
"""Frames' clocks in which a frame must have been taken: at the end half of all clocks are without pauses and resets."""


@dataclass(frozen=True)
class Wrong:
    """A value that was given, or text instead of one. taken : the integers that it is of, as they were taken."""

    channel: int
    expected: int
    found: int | str
    taken: tuple[int, ...]


@dataclass(frozen=True)
class Core:
    """A core's name, (lanes, bits) of what it takes and gives, and the clocks that a frame takes it."""

    name: str
    taken: tuple[int, int]
    given: tuple[int, int]
    clocks_per_frame: int


def refuted(proof: DesignProof, files: Mapping[str, bytes], core: Core) -> DesignProof:
    """The proof with what was refuted of it, each by values that Icarus gives on these files."""
    opened = [name for name, claims in proof.nodes.items() if any(claim.status == OPEN for claim in claims.claims)]
    joined = any(claim.status == OPEN for claim in (*proof.wiring.values(), *proof.output))
    if not opened and not joined:
        return proof
    if icarus() is None:
        return replace(proof, nodes={name: _noted(claims) for name, claims in proof.nodes.items()})
    nodes = dict(proof.nodes)
    for name in opened:
        if name in proof.tried:
            nodes[name] = _unit_refuted(proof.network, nodes[name], proof.tried[name], files)
    proof = replace(proof, nodes=nodes)
    if joined or any(claim.status == OPEN for claims in nodes.values() for claim in claims.claims):
        return _core_refuted(proof, files, core)
    return proof


def _noted(claims: NodeClaims) -> NodeClaims:
    noted = tuple(
        replace(claim, detail=f"{claim.detail} ({MISSING})") if claim.status == OPEN else claim
        for claim in claims.claims
    )
    return replace(claims, claims=noted)


def _unit_refuted(network: Network, claims: NodeClaims, tried: Tried, files: Mapping[str, bytes]) -> NodeClaims:
    """The claims of a node, those refuted that its unit breaks."""
    node = next(node for node in network.nodes if node.name == claims.name)
    frames = _frames(tried.sources, claims)
    lanes, bits = tried.result.lanes, tried.result.bits
    steps = int(tried.parameters.get("NF", 1))
    beats = tried.sources[0].beats(tried.sources[0].lanes)
    clocks = min(3 * len(frames[0]) * beats * steps + 400, _MOST_CLOCKS)
    words = np.concatenate([_words(each, source) for each, source in zip(frames, tried.sources, strict=True)], axis=1)
    packed = [_packed(row) for row in words]
    takes = sum(source.lanes * source.bits for source in tried.sources)
    subject = unit_subject(tried.module, tried.parameters, beats, (takes, lanes * bits))
    try:
        sections = simulated(files, subject, packed, clocks, 1)
    except EdgemlError as error:
        return _failing(claims, f"Icarus does not take it: {str(error)[:120]}")
    offered = len(packed) if clocks >= _PATIENCE * beats * steps else 0
    wrong = _differences(sections, tried, lambda x: _expected(node, x, tried)) or _stuck(sections, beats, offered)
    return _with(claims, wrong, "its unit")


def _failing(claims: NodeClaims, what: str) -> NodeClaims:
    return replace(claims, claims=tuple(
        replace(claim, detail=f"{claim.detail} ({what})") if claim.status == OPEN else claim for claim in claims.claims
    ))  # fmt: skip


def _with(claims: NodeClaims, wrong: Sequence[Wrong], what: str) -> NodeClaims:
    """Claims with what is wrong in their channels."""
    first: dict[int, Wrong] = {}
    for each in wrong:
        first.setdefault(each.channel, each)
    made = []
    for channel, claim in enumerate(claims.claims):
        found = first.get(channel)
        if claim.status != OPEN or found is None:
            made.append(claim)
            continue
        made.append(ChannelClaim(REFUTED, f"{claim.detail}; confirmed: {said_of(found, what)}", claim.example))
    return replace(claims, claims=tuple(made))


def said_of(found: Wrong, what: str) -> str:
    """What is wrong, in words."""
    given = ", ".join(map(str, found.taken[:16])) + (" …" if len(found.taken) > 16 else "")
    return f"Icarus gives {found.found} of {what} for {given}, where it must be {found.expected}"


def _frames(sources: Sequence[Values], claims: NodeClaims) -> list[Int64]:
    """Integers [frames, channels] for each source: the ends, what counterexamples name, and random ones."""
    rng = np.random.default_rng(2)
    examples = [claim.example for claim in claims.claims if claim.status == OPEN][:_FRAMES]
    found = []
    for source in sources:
        low, high = source.low, source.high
        rows = [low, high, np.clip(np.zeros_like(low), low, high)]
        for channel, example in enumerate(claim.example for claim in claims.claims):
            row = rng.integers(low, high + 1)
            if "value" in example and channel < len(low) and len(rows) < 3 * _FRAMES:
                row[example.get("source", channel)] = example["value"]
                rows.append(row)
        for example in examples:
            if "weight" in example:
                row = np.clip(np.zeros_like(low), low, high)
                row[example["weight"]] = high[example["weight"]] or low[example["weight"]]
                rows.append(row)
        rows += [rng.integers(low, high + 1) for _ in range(_FRAMES)]
        found.append(np.array(rows, np.int64))
    return found


def _words(frames: Int64, source: Values) -> Int64:
    """Frames as fields [beats of all frames, lanes], each of `bits` bits; lanes beyond the channels hold anything."""
    beats = source.beats(source.lanes)
    rng = np.random.default_rng(3)
    padded = rng.integers(0, 1 << source.bits, (len(frames), beats * source.lanes))
    padded[:, : source.channels] = frames & ((1 << source.bits) - 1)
    fields = padded.reshape(len(frames) * beats, source.lanes)
    return np.asarray((fields[:, :, None] >> np.arange(source.bits)) & 1, np.int64).reshape(len(fields), -1)


def _packed(bits: Int64) -> int:
    return int.from_bytes(np.packbits(bits.astype(np.uint8), bitorder="little").tobytes(), "little")


def _expected(node: Node, values: list[Int64], tried: Tried) -> Int64:
    """What a node gives for integers as they stand in streams [frames, channels], as its own stream has them."""
    taken = [(x + source.offset).astype(np.int32) for x, source in zip(values, tried.sources, strict=True)]
    return np.asarray(node.layer.evaluate(*taken).astype(np.int64) - tried.result.offset, np.int64)


def _taken_frames(section: Section, sources: Sequence[Values]) -> list[Int64]:
    """The whole frames that were taken, as integers within their ranges [frames, channels] of each source."""
    found, place = [], 0
    beats = sources[0].beats(sources[0].lanes)
    count = len(section.taken) // beats
    for source in sources:
        fields = [
            [word >> (place + lane * source.bits) & ((1 << source.bits) - 1) for lane in range(source.lanes)]
            for word in section.taken[: count * beats]
        ]
        values = np.array(fields, np.int64).reshape(count, beats * source.lanes)[:, : source.channels]
        found.append((values - source.low) % (1 << source.bits) + source.low)
        place += source.lanes * source.bits
    return found


def _differences(sections: Sequence[Section], tried: Tried, expected: Callable[[list[Int64]], Int64]) -> list[Wrong]:
    """Values that are not what follows from those taken; at the end, those that never came."""
    found, result = [], tried.result
    beats = result.beats(result.lanes)
    if not any(section.taken for section in sections):
        return [Wrong(0, 0, "nothing, and takes nothing,", ())]
    for last, section in zip([False] * (len(sections) - 1) + [True], sections, strict=True):
        frames = _taken_frames(section, tried.sources)
        wanted = (
            expected(frames) & ((1 << result.bits) - 1) if len(frames[0]) else np.zeros((0, result.channels), np.int64)
        )
        due = len(frames[0]) * beats
        for place, word in enumerate(section.given):
            frame, beat = divmod(place, beats)
            if frame >= len(frames[0]):
                if frame > len(frames[0]):  # of a frame that is not taken whole nothing is known yet
                    found.append(Wrong(beat * result.lanes, 0, "a result before its values", ()))
                break
            taken = tuple(int(x) for each in frames for x in each[frame])
            if isinstance(word, str):
                found.append(Wrong(beat * result.lanes, int(wanted[frame, beat * result.lanes]), word, taken))
                break
            for lane in range(min(result.lanes, result.channels - beat * result.lanes)):
                channel = beat * result.lanes + lane
                value = word >> lane * result.bits & ((1 << result.bits) - 1)
                if value != wanted[frame, channel]:
                    found.append(Wrong(channel, int(wanted[frame, channel]), value, taken))
        if last and len(section.given) < due and not found:
            frame, beat = divmod(len(section.given), beats)
            taken = tuple(int(x) for each in frames for x in each[frame])
            found.append(Wrong(beat * result.lanes, int(wanted[frame, beat * result.lanes]), "nothing", taken))
    return found


def _stuck(sections: Sequence[Section], beats: int, offered: int) -> list[Wrong]:
    """That since the last reset not even one whole frame was taken, or at the end nothing any more, though values were
    offered for long."""
    before, last = sum(-(-len(section.taken) // beats) for section in sections[:-1]), sections[-1]
    left = offered - before * beats
    if len(last.taken) < min(beats, left):
        return [Wrong(0, 0, f"nothing, and takes {len(last.taken)} of {beats} values of a frame,", ())]
    if last.calm == len(last.taken) < left:
        said = f"nothing more, and takes nothing more behind {len(last.taken)} values,"
        return [Wrong(0, 0, said, ())]
    return []


def wrong_of_core(network: Network, files: Mapping[str, bytes], core: Core, also: Int64 | None = None) -> list[Wrong]:
    """Values that the core as a whole gives in Icarus, and that are not the network's. also : more frames to try."""
    first, last = (network.ranges[node.name] for node in (network.nodes[0], network.nodes[-1]))
    source, result = (
        Values(lanes, bits, reach.low.astype(np.int64), reach.high.astype(np.int64), np.zeros(len(reach.low), np.int64))
        for reach, (lanes, bits) in ((first, core.taken), (last, core.given))
    )
    tried = Tried("core", {}, (source,), result)
    frames = _frames([source], NodeClaims("", "", ()))
    if also is not None:
        frames = [np.concatenate([also, frames[0]])]
    beats = source.beats(source.lanes)
    clocks = min(3 * len(frames[0]) * max(core.clocks_per_frame, beats) + 1000, _MOST_CLOCKS)
    subject = core_subject(core.name, beats, (source.lanes * source.bits, result.lanes * result.bits))
    packed = [_packed(row) for row in _words(frames[0], source)]
    offered = len(packed) if clocks >= _PATIENCE * max(core.clocks_per_frame, beats) else 0
    wrong: list[Wrong] = []
    for resets in (True, False):  # where all frames were taken before the last reset, what never came is not seen
        sections = simulated(files, subject, packed, clocks, 1, resets=resets)
        wrong = _differences(sections, tried, lambda x: simulate(network, x[0].astype(np.int32)).astype(np.int64))
        wrong = wrong or _stuck(sections, beats, offered)
        if wrong or sections[-1].taken:
            break
    return wrong


def _core_refuted(proof: DesignProof, files: Mapping[str, bytes], core: Core) -> DesignProof:
    """The output, and what is not proved of the wiring, beside the core as a whole."""
    try:
        wrong = wrong_of_core(proof.network, files, core)
    except EdgemlError:
        return proof
    if not wrong:
        return proof
    output = list(proof.output)
    for each in reversed(wrong):
        said = f"confirmed: {said_of(each, 'the core')}"
        output[each.channel] = ChannelClaim(REFUTED, said)
    said = f"confirmed: {said_of(wrong[0], 'the core')}"
    wiring = {
        name: replace(claim, status=REFUTED, detail=f"{claim.detail}; {said}") if claim.status == OPEN else claim
        for name, claim in proof.wiring.items()
    }
    return replace(proof, wiring=wiring, output=tuple(output))
