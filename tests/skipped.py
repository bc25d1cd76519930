"""Which tests may be skipped: with `--allowed-skips FILE`, a skip whose reason is not in that file fails the run.

The file is TOML: entries `[[skip]]` with `reason` (a regular expression, found anywhere in what pytest gives as the
reason), `why` it may be, and, where it may be only on some machines, `without`: a program that is not on the path, or a
folder (with a `/` in it, seen from the repository's root) that is absent.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["AllowedSkips"]

ROOT = Path(__file__).parents[1]


class AllowedSkips:
    """Holds the skips of a run against the file; a pytest plugin."""

    def __init__(self, path: Path) -> None:
        self.entries: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["skip"]
        self.path = path
        self.reasons: Counter[str] = Counter()

    def allowing(self, reason: str) -> dict[str, Any] | None:
        """The entry that allows a skip for this reason on this machine, if there is one."""
        for entry in self.entries:
            if re.search(entry["reason"], reason) and _lacks(entry.get("without")):
                return entry
        return None

    @property
    def refused(self) -> list[str]:
        """The reasons that no entry allows."""
        return sorted(reason for reason in self.reasons if self.allowing(reason) is None)

    def _note(self, report: Any) -> None:
        if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
            self.reasons[report.longrepr[2].removeprefix("Skipped: ")] += 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.refused and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        write = terminalreporter.write_line
        terminalreporter.section("skipped, and why it may be")
        for reason, count in sorted(self.reasons.items()):
            if entry := self.allowing(reason):
                write(f"{count:4}  {reason}\n      {entry['why']}")
        for reason in self.refused:
            write(f"FAILED: {self.reasons[reason]} skipped for a reason that {self.path.name} does not allow: {reason}")


def _lacks(what: str | None) -> bool:
    if what is None:
        return True
    return not (ROOT / what).exists() if "/" in what else shutil.which(what) is None
