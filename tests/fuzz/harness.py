"""Runs damaged files through a reader, and keeps those that are neither read nor refused."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import random
import resource
import signal
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeml.errors import CheckFailed, EdgemlError

from .readers import READERS, Reader

__all__ = ["Finding", "Summary", "fuzz", "tried"]

SECONDS = 5.0
"""Of processor time that one small file may take."""
MEGABYTES = 700
"""By which one small file may raise the most memory that the process has ever taken."""
_LONGEST_MESSAGE = 5100


_peak = [0]
"""The most memory after the case before, in megabytes: asking for it takes longer than reading a small file."""


class Hang(BaseException):
    """The reader did not come back; not an Exception, so that no reader takes it for damage."""


@dataclass(frozen=True)
class Finding:
    """A file that a reader fails on: which reader, what happened, where, and the file."""

    reader: str
    problem: str
    place: str
    content: bytes


@dataclass
class Summary:
    """How many files were read, refused, and how many failed."""

    read: int = 0
    refused: int = 0
    failed: int = 0


def tried(name: str, content: bytes, folder: Path) -> str | Finding:
    """Read `content` as a file: "read", "refused", or what went wrong."""
    reader: Reader = READERS[name]
    path = folder / f"case.{reader.ending}"
    path.write_bytes(content)
    before = _peak[0] or _most_memory()
    outcome: str | Finding = "read"
    try:
        with _alarm(SECONDS), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            reader.read(path)
    except Hang:
        outcome = Finding(name, f"no answer in {SECONDS:g} s", _place(traceback.format_exc()), content)
    except CheckFailed as error:
        problem = f"{type(error).__name__}: {error}"
        outcome = Finding(name, problem, "", content) if "defect of edgeml" in problem else "refused"
    except EdgemlError as error:
        sound = str(error).isprintable() and len(str(error)) <= _LONGEST_MESSAGE
        outcome = (
            "refused"
            if sound
            else Finding(name, f"message {str(error)[:99]!r}", _place(traceback.format_exc()), content)
        )
    except Exception as error:
        problem = f"{type(error).__name__}: {str(error)[:200]}"
        outcome = Finding(name, problem, _place(traceback.format_exc()), content)
    _peak[0] = _most_memory()
    grown = _peak[0] - before
    if grown > MEGABYTES and isinstance(outcome, str):
        outcome = Finding(name, f"took {grown} MB", "", content)
    return outcome


def _most_memory() -> int:
    """The most memory that this process has ever taken, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise Hang

    old = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old)


def _place(text: str) -> str:
    """The innermost line of a traceback that lies in edgeml."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("File ")]
    own = [line for line in lines if any(f"/{part}/" in line for part in ("sdk", "converters", "targets"))]
    return (own or lines or [""])[-1]


def fuzz(
    name: str, cases: int, seed: int, folder: Path, seconds: float = float("inf")
) -> tuple[Summary, list[Finding]]:
    """Run so many cases of a reader, or for so many seconds; one finding is kept for each place and kind of problem.

    Case k depends on the seed, the reader and k alone. The file being read lies in `folder`, should the process die.
    """
    summary, found = Summary(), {}
    end = time.monotonic() + seconds
    for number in range(cases):
        if time.monotonic() > end:
            break
        chance = random.Random(f"{seed} {name} {number}")
        outcome = tried(name, READERS[name].case(chance), folder)
        if outcome == "read":
            summary.read += 1
        elif outcome == "refused":
            summary.refused += 1
        else:
            assert isinstance(outcome, Finding)
            summary.failed += 1
            found.setdefault((outcome.problem.partition(":")[0], outcome.place), outcome)
        if number % 500 == 499:
            gc.collect()
    return summary, list(found.values())


def kept(finding: Finding, folder: Path) -> Path:
    """Write a finding's file to `folder`; gives its path."""
    digest = hashlib.sha256(finding.content).hexdigest()[:10]
    path = folder / f"{finding.reader}-{digest}.{READERS[finding.reader].ending}"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(finding.content)
    return path


def in_child(name: str, cases: int, seed: int, folder: Path, seconds: float) -> int:
    """`fuzz` in a process of its own, which a crash may end; prints, keeps files, and counts what failed."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            summary, found = fuzz(name, cases, seed, folder, seconds)
            total = summary.read + summary.refused + summary.failed
            print(
                f"{name:9} {total:7} cases: {summary.read} read, {summary.refused} refused, {summary.failed} failed",
                flush=True,
            )
            for finding in found:
                print(f"    {kept(finding, folder / 'found')}: {finding.problem} at {finding.place}", flush=True)
            code = min(len(found), 60)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        print(f"{name:9} died of signal {os.WTERMSIG(status)}; the file lies in {folder}", flush=True)
        return 1
    return os.WEXITSTATUS(status)
