"""A program that runs beside this process (an emulator, a simulated board) and ends with it, however that ends.

A process that is killed cannot end what it started, and an emulator that nobody talks to takes a whole processor for
ever. So a shell stands between: it holds the end of a pipe whose other end only this process has, and kills the program
when the pipe closes, which the system does for every process that is gone.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress

__all__ = ["BoundProgram"]

_UNTIL_THE_PIPE_CLOSES = '"$@" </dev/null & read -r _; kill -9 $!'


class BoundProgram:
    """A running program.

    Parameters
    ----------
    command : the program, which must be there, and its arguments.
    """

    def __init__(self, command: Sequence[str]) -> None:
        shell = shutil.which("sh")  # Windows has none: there a program outlives a process that was killed
        bound = [shell, "-c", _UNTIL_THE_PIPE_CLOSES, "sh"] if shell and hasattr(os, "killpg") else []
        # Not a pipe, which stops a program that says much when nobody reads; `end` closes it.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [*bound, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,
        )

    def end(self) -> str:
        """Kill it, and what it started; the end of what it wrote to its standard error. Again: nothing happens."""
        if self._said.closed:
            return ""
        if self._process.poll() is None:
            with suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGKILL)
                else:
                    self._process.kill()
        self._process.communicate()
        with self._said:
            self._said.seek(0)
            return self._said.read().decode("utf-8", "replace").strip()[-3000:]
