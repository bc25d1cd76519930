"""The C of one stage, as a layer or a dense kernel gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .arrays import ConstantArray
from .stored.meaning import Meaning

__all__ = ["LayerCode"]


@dataclass(frozen=True)
class LayerCode:
    """The C of one stage.

    Parameters
    ----------
    statements : the body of its function. In scope: `x` (for the second input `x1`), pointers to const to the
        stored integers; `y`, pointer to the output's; `scratch`, `uint8_t *`, aligned like the arena. With
        `per_sample` they are those of one sample; else of `samples` (a `size_t`) samples, each tensor's `padded`
        elements (and the scratch bytes, rounded up to the alignment) after the one before.
    comment : what it computes, one line.
    includes : headers of `firmware_stubs/c/edgeml`, and of `headers`, whose functions it calls.
    headers : text of headers that are not edgeml's, by file name; they are copied beside edgeml's own.
    constants : arrays that it reads.
    scratch_bytes : bytes of scratch memory that it needs for one sample.
    per_sample : whether the statements are for one sample.
    fills_padding : whether the statements also write zeros behind the output's `size` elements; if not, zeros are
        written for them.
    kernel : which of several ways it goes, for reports.
    tile : samples that it computes best together, where those are more than the dialect's; 0 if it does not care. A
        program with such a stage calls it with up to so many, a number that is not constant.
    stages : each an `arena.Stage`: what the statements call, one after the other, functions of their own; their
        headers and constants are among this stage's.
    sixteen : whether its kernel has a body for sixteen samples at once, which processors with AMX get.
    small : whether its time is spent in functions that it calls, so that it may be compiled for size.
    meaning : what it computes with whatever its constants hold, flipped bits included; None where nothing states it.
    """

    statements: tuple[str, ...]
    comment: str
    includes: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    constants: tuple[ConstantArray, ...] = ()
    scratch_bytes: int = 0
    per_sample: bool = True
    fills_padding: bool = False
    kernel: str = ""
    tile: int = 0
    sixteen: bool = False
    small: bool = False
    stages: tuple[Any, ...] = ()
    meaning: Meaning | None = None
