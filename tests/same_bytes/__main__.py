"""`python -m tests.same_bytes [--write]`: which files of the fixed set changed; with --write, keeps what they are now.

Exit code 1 where code changed, not comments alone.
"""

from __future__ import annotations

import sys

from .conversions import conversions
from .digests import TABLE, digests, read_table, write_table


def _change(new: str | None, old: str | None) -> str:
    """What happened to a file, in words; "" if nothing did."""
    if new == old:
        return ""
    if new is None or old is None:
        return "GONE" if new is None else "NEW"
    same_code = ":" in new + old and new.split(":")[-1] == old.split(":")[-1]
    return "comments changed" if same_code else "CHANGED"


def main() -> int:
    """Compare, and write if asked to."""
    known = read_table() if TABLE.exists() else {}
    table = {name: digests(make()) for name, make in conversions()}
    worst = 0
    for name, files in table.items():
        before = known.get(name, {})
        for file in sorted({*files, *before}):
            change = _change(files.get(file), before.get(file))
            if change:
                worst = worst if change == "comments changed" else 1
                print(f"{name}: {file}: {change}")
    if "--write" in sys.argv[1:]:
        write_table(table)
    print(f"{len(table)} conversions, {sum(map(len, table.values()))} files")
    return worst


if __name__ == "__main__":
    sys.exit(main())
