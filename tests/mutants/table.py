"""The mutants: small breaks of the source, and where the tests lie that must see each."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["ROOT", "Mutant", "mutants"]

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """One break.

    Parameters
    ----------
    file : from the repository's root.
    breaks : what is wrong then, in a few words.
    original, mutated : text of the file, which occurs in it exactly once, and what stands there instead.
    tests : folders or files whose quick tests must fail, in the order in which they run.
    """

    file: str
    breaks: str
    original: str
    mutated: str
    tests: tuple[str, ...]

    def applied(self, text: str) -> str:
        """The file's `text` with the break in it; ValueError where the original does not occur exactly once."""
        count = text.count(self.original)
        if count != 1:
            raise ValueError(f"{self.file}: {self.original!r} occurs {count} times; a mutant's text must occur once")
        return text.replace(self.original, self.mutated)


def mutants() -> list[Mutant]:
    """All of them, in the order of mutants.toml."""
    entries = tomllib.loads(Path(__file__).with_name("mutants.toml").read_text("utf-8"))["mutant"]
    return [Mutant(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]
