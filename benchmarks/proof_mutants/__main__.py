"""Seeded faults in all that is proved: what changes a function is refuted, and nothing else is.

    python -m benchmarks.proof_mutants                       as many of each as in docs/proofs.md, some minutes
    python -m benchmarks.proof_mutants --only tflite spikes --first 1000
    python -m benchmarks.proof_mutants --out mutants.jsonl   a line for each, written as it is judged

Exit code 1 if any is judged wrongly: a function that changes and is proved, or one that does not and is refuted, or a
counterexample that is not confirmed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from .judged import Judged

__all__ = ["judges", "table"]


def judges() -> dict[str, tuple[Callable[[int], Judged], int]]:
    """What judges a mutant from a seed, and how many of them, by name."""
    from . import (
        of_c,
        of_cpu_c,
        of_functions,
        of_joined_c,
        of_netlist,
        of_quantized,
        of_rtl,
        of_slices,
        of_spikes,
        of_spiking_c,
        of_tflite,
    )

    return {
        "quantized": (of_quantized.judge, 60),
        "functions": (of_functions.judge, 40),
        "tflite": (of_tflite.judge, 60),
        "spikes": (of_spikes.judge, 30),
        "unrolled": (of_rtl.judge_unrolled, 60),
        "folded": (of_rtl.judge_folded, 60),
        "event-driven": (of_rtl.judge_event_driven, 90),
        "step-per-clock": (of_rtl.judge_step_per_clock, 90),
        "netlist": (of_netlist.judge, 40),
        "c": (of_c.judge, 40),
        "cpu": (of_cpu_c.judge, 48),
        "joined-c": (of_joined_c.judge, 44),
        "slices": (of_slices.judge, 16),
        "spiking-c": (of_spiking_c.judge, 24),
    }


def table(found: list[Judged]) -> str:
    """A line for each kind, as docs/proofs.md shows it."""
    lines = [
        "| fault in | mutants | function changed | refuted | confirmed | not proved | judged wrongly |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in [*dict.fromkeys(each.kind for each in found), ""]:
        these = [each for each in found if not kind or each.kind == kind]
        counts = [len(these), *(sum(getattr(each, name) for each in these) for name in _COLUMNS)]
        wrong = sum(not each.right for each in these)
        lines.append(f"| {kind or 'all'} | {' | '.join(map(str, [*counts, wrong]))} |")
    return "\n".join(lines)


_COLUMNS = ("changes", "refuted", "confirmed", "left")


def main() -> int:
    """Judge them, and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", nargs="+", choices=list(judges()), default=list(judges()))
    arguments.add_argument("--first", type=int, default=0, help="the first seed")
    arguments.add_argument("--count", type=int, help="how many of each")
    arguments.add_argument("--out", type=Path)
    given = arguments.parse_args()
    found: list[Judged] = []
    with tempfile.TemporaryDirectory() as cache:
        os.environ["EDGEML_CACHE"] = cache
        for name in given.only:
            judge, count = judges()[name]
            for seed in range(given.first, given.first + (given.count or count)):
                judged = judge(seed)
                found.append(judged)
                if given.out:
                    with given.out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps({"judge": name, "seed": seed, **asdict(judged)}) + "\n")
                if not judged.right:
                    print(f"{name}, seed {seed}, judged wrongly: {judged}", flush=True)
    print(table(found))
    return int(not all(each.right for each in found))


if __name__ == "__main__":
    sys.exit(main())
