"""The errors that edgeml raises for what a user can mend, and the exit code each one has.

Every message has three parts: where (file, layer, option), what is wrong with it (rule and value), and what
to do about it. Anything else that escapes is a defect of edgeml itself.
"""

from __future__ import annotations

from typing import Any

from .extras import install_package

__all__ = [
    "CheckFailed",
    "EdgemlError",
    "InputError",
    "MissingTool",
    "NetworkError",
    "OverBudget",
    "ToolFailed",
    "missing_package",
    "printable",
]


class EdgemlError(Exception):
    """Base of all errors that edgeml raises on purpose.

    Parameters
    ----------
    where : what the user gave: a file, a layer, an option.
    problem : what is wrong with it, with the rule and the value found.
    remedy : what to do; may be empty where nothing helps.
    """

    exit_code = 1
    several_lines = False
    """Whether the problem keeps its lines: rules that are broken, the words of a tool."""

    def __init__(self, where: str, problem: str, remedy: str = "") -> None:
        # A message may quote what a file says, and goes to a terminal.
        self.where = printable(where, 1000)
        lines = problem[:6000].split("\n") if self.several_lines else [problem]
        self.problem = "\n".join(printable(line, 1500) for line in lines)
        self.remedy = printable(remedy, 1000)
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.problem}"
        return f"{text}. {self.remedy}" if self.remedy else text


class CheckFailed(EdgemlError):
    """A check found a difference: a mismatch with golden, a broken design rule, a threshold not proved."""

    exit_code = 1
    several_lines = True


class InputError(EdgemlError):
    """The input or the options are wrong: a file that cannot be read, an operator that is not supported."""

    exit_code = 2


class NetworkError(InputError):
    """A layer or a network breaks a rule of the integer network."""


class MissingTool(EdgemlError):
    """A package or program that this step needs is not installed; the remedy names what to install."""

    exit_code = 3


class ToolFailed(EdgemlError):
    """A tool of others' (a compiler, a simulator, a runtime) failed or did not end in time.

    Nothing is known then of what it should have made or run: that is not a difference from golden.
    """

    exit_code = 1
    several_lines = True


class OverBudget(EdgemlError):
    """What is asked of a tool takes longer than its budget of processor time allows: it was not run."""

    exit_code = 1


def missing_package(where: str, error: ModuleNotFoundError) -> MissingTool:
    """The error for a Python package that a step imports and that is not installed."""
    package = (error.name or str(error)).partition(".")[0]
    return MissingTool(where, f"needs the Python package {package}, which is not installed", install_package(package))


def printable(text: Any, most: int = 120) -> str:
    """What a file says, fit for a message and a terminal: one line of printable characters, at most `most` of them."""
    if isinstance(text, str) and len(text) <= most and text.isprintable():
        return text
    line = "".join(character if character.isprintable() else " " for character in str(text)[: 4 * most])
    return line if len(line) <= most else f"{line[: most - 1]}…"
