"""`python -m tests.fuzz [READER …] [--cases N] [--seed N] [--seconds N]`: damaged files for every reader.

Prints what was read, refused and failed for each; files that failed are kept in `build/fuzz/found`. Exit code 1 if any.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from .harness import in_child
from .readers import READERS


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("readers", nargs="*", choices=[[], *READERS], help="all by default")
    parser.add_argument("--cases", type=int, default=1000, help="of each reader")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="at most, for each reader")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    failed = 0
    for name in given.readers or READERS:
        folder = Path("build/fuzz")
        folder.mkdir(parents=True, exist_ok=True)
        failed += in_child(name, given.cases, given.seed, folder, given.seconds)
    return int(failed > 0)


sys.exit(main())
