"""Statements that were proved before, in the user's cache: found by all texts but their comments, parameters, yosys's
version and the code that asks it."""

from __future__ import annotations

import json
import re
import time

from edgeml.errors import ToolFailed
from edgeml.proof.claim import OUT_OF_TIME, PROVED
from edgeml.proof.kept import keep, kept
from edgeml.proof.own_code import code_digest
from edgeml.system.cache import digest_of

from ..yosys_reader import yosys_version
from .induction import Outcome, prove_for_ever
from .statements import Statement

__all__ = ["proved_once", "without_comments"]

_PROVER = tuple(f"{__package__}.{name}" for name in ("assertions", "induction", "ties"))
_COMMENT = re.compile(rb"^[ \t]*//(?!.*(?:synopsys|synthesis|translate|pragma|verilator|yosys)).*\n", re.MULTILINE)


def without_comments(text: bytes) -> bytes:
    """A text without lines that are comments and no directive to a tool: what a module says of the network that it was
    made for changes with each weight."""
    return _COMMENT.sub(b"", text)


def proved_once(name: str, statement: Statement, seconds: float) -> tuple[Outcome, bool]:
    """What comes of a statement, and whether it was proved before. What is not proved is not kept."""
    parts = [part for file, text in sorted(statement.sources.items()) for part in (file, without_comments(text))]
    stated = json.dumps(sorted(statement.parameters.items()))
    key = digest_of("induction", code_digest(*_PROVER), yosys_version(), statement.bench, stated, *parts)
    found = kept(key, lambda content: Outcome(PROVED, int(content["clocks"])))
    if found is not None:
        return found, True
    if seconds <= 0:
        return Outcome(OUT_OF_TIME), False
    begun = time.monotonic()
    try:
        (outcome,) = prove_for_ever(name, statement.bench, statement.sources, [statement.parameters], seconds)
    except ToolFailed:
        if time.monotonic() - begun < seconds:
            raise
        return Outcome(OUT_OF_TIME), False
    if outcome.status == PROVED:
        keep(key, {"clocks": outcome.clocks})
    return outcome, False
