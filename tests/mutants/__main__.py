"""Break the source in a hundred small ways, one at a time, and see whether the quick tests of that folder notice.

    python -m tests.mutants                 all of mutants.toml; exit code 1 where fewer than 95 % are noticed
    python -m tests.mutants --only rtl      those whose file or description holds that text, or one of several

Each break is made in a copy of the tree, never in place. A test that fails there must pass without the break, or it
proves nothing: that is tried too.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .table import ROOT, Mutant, mutants

_ENOUGH = 0.95


@dataclass(frozen=True)
class Finding:
    """What became of a mutant: `killed`, `survived`, or `unsound` (its test fails without the break as well)."""

    mutant: Mutant
    verdict: str
    test: str
    seconds: float


class Copy:
    """A copy of what git knows of the tree, with the package `edgeml` made of links into it."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
            if (ROOT / name).is_file():
                (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.tree / name)
        package = folder / "package" / "edgeml"
        package.mkdir(parents=True)
        parts = [*(self.tree / "sdk").iterdir(), *(self.tree / name for name in ("converters", "targets"))]
        for part in [*parts, self.tree / "firmware_stubs"]:
            (package / part.name).symlink_to(part)
        for name, source in (
            (".venv-tflite-runtime", ROOT / ".venv-tflite-runtime"),
            ("../shared", ROOT / "../shared"),
        ):
            if source.exists():
                (self.tree / name).symlink_to(source.resolve())
        paths = os.pathsep.join([str(package.parent), str(self.tree)])
        self.environment = {**os.environ, "PYTHONPATH": paths, "EDGEML_CACHE": str(folder.parent / "cache")}
        self.environment |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}

    def pytest(self, arguments: list[str], limit: float) -> tuple[int | None, str]:
        """(exit code, output) of the quick tests; no exit code where they took longer than `limit` seconds."""
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", "-p", "no:cacheprovider", *arguments]
        process = subprocess.Popen(
            command,
            cwd=self.tree,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return None, ""
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        return process.returncode, output

    def try_mutant(self, mutant: Mutant, limit: float) -> Finding:
        """Break, test, mend, and test the test."""
        start = time.monotonic()
        path = self.tree / mutant.file
        sound = path.read_text("utf-8")
        path.write_text(mutant.applied(sound), "utf-8")
        try:
            # The nearest file first and alone: its folder is not even collected where that fails.
            for number, place in enumerate(mutant.tests):
                ignored = [f"--ignore={done}" for done in mutant.tests[:number] if done.endswith(".py")]
                code, output = self.pytest([place, *ignored], limit)
                if code != 0:
                    break
        finally:
            path.write_text(sound, "utf-8")
        seconds = time.monotonic() - start
        if code is None:
            return Finding(mutant, "killed", f"more than {limit:g} s", seconds)
        if code == 0:
            return Finding(mutant, "survived", "", seconds)
        failed = re.search(r"^(?:FAILED|ERROR) (\S+(?:\[.*?\])?)(?: - |$)", output, re.MULTILINE)
        test = failed[1] if failed else ""
        again, text = self.pytest([test], limit) if test else (code, output)
        if again != 0:
            print(text[-2000:], file=sys.stderr)
        return Finding(mutant, "killed" if again == 0 else "unsound", test or f"pytest exit {code}", seconds)


def _row(finding: Finding) -> str:
    test = finding.test.removeprefix("tests/")
    return f"| {finding.mutant.file} | {finding.mutant.breaks} | {finding.verdict} | {test} | {finding.seconds:.0f} |"


def main() -> int:
    """Try them and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="TEXT", help="mutants whose file or description holds it"
    )
    parser.add_argument("--workers", type=int, default=2, help="copies of the tree that are tested side by side")
    parser.add_argument("--limit", type=float, default=900, metavar="SECONDS", help="for the tests of one mutant")
    given = parser.parse_args()
    chosen = [each for each in mutants() if any(text in each.file or text in each.breaks for text in given.only)]
    for mutant in chosen:
        mutant.applied((ROOT / mutant.file).read_text("utf-8"))
    print("| file | what is broken | verdict | seen by | s |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="edgeml-mutants-") as name:
        copies: queue.Queue[Copy] = queue.Queue()
        for number in range(given.workers):
            copies.put(Copy(Path(name) / str(number)))

        def run(mutant: Mutant) -> Finding:
            copy = copies.get()
            try:
                finding = copy.try_mutant(mutant, given.limit)
            finally:
                copies.put(copy)
            print(_row(finding), flush=True)
            return finding

        with ThreadPoolExecutor(given.workers) as pool:
            findings = list(pool.map(run, chosen))
    killed = sum(finding.verdict == "killed" for finding in findings)
    print(f"\n{killed} of {len(findings)} killed")
    return 0 if findings and killed >= _ENOUGH * len(findings) else 1


if __name__ == "__main__":
    sys.exit(main())
