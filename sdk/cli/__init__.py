"""The command line. Everything heavy is imported inside the commands, so that help answers at once."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from ..errors import EdgemlError, InputError, MissingTool
from ..extras import install_package
from ..other_distribution import said_of_other
from ..system.files import unwritable
from . import certify, convert, demo, explore, run, show  # noqa: F401  (importing them adds their commands)
from .app import app
from .interruption import Interrupted, tidy_on_signals

__all__ = ["app", "main"]

_PACKAGE = __name__.partition(".")[0]


def _report(error: EdgemlError, arguments: Sequence[str]) -> None:
    if "--json" in arguments:
        parts = {"where": error.where, "problem": error.problem, "remedy": error.remedy}
        print(json.dumps({"error": parts}, indent=2, ensure_ascii=False))
    print(f"edgeml: {error}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0 done, 1 a check failed, 2 wrong input, 3 a missing tool.

    Ended by a signal, it is 128 and the signal's number, and nothing is left half-written.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not hasattr(sys.modules[_PACKAGE], "__version__") and (said := said_of_other()):
        print(f"edgeml: {said}", file=sys.stderr)  # the front of the package is the other project's
        return MissingTool.exit_code
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    try:
        with tidy_on_signals():
            code = _run(given, debug)
            sys.stdout.flush()
            return code
    except (Interrupted, KeyboardInterrupt) as error:
        print("edgeml: interrupted; nothing was left half-written", file=sys.stderr)
        return error.exit_code if isinstance(error, Interrupted) else 130
    except BrokenPipeError:
        _close_stdout()
        return 0
    except OSError as error:
        if debug:
            raise
        where = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else "standard output"
        print(f"edgeml: {unwritable(where, error)}", file=sys.stderr)
        _close_stdout()
        return InputError.exit_code


def _close_stdout() -> None:
    """What is still buffered for an output that takes nothing goes nowhere, and is not complained of at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _run(given: Sequence[str], debug: bool) -> int:
    try:
        app(given)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except EdgemlError as error:
        if debug:
            raise
        _report(error, given)
        return error.exit_code
    except ModuleNotFoundError as error:
        if debug or (error.name or "").startswith("edgeml"):
            raise
        remedy = install_package(error.name or "")
        missing = MissingTool(f"package {error.name}", "is needed here and not installed", remedy)
        _report(missing, given)
        return missing.exit_code
    except MemoryError:
        print("edgeml: not enough memory for this input", file=sys.stderr)
        return 2
    return 0
