"""`make figures`: measures again what README and docs show, and writes it between their markers.

    python -m benchmarks.figures                 every block
    python -m benchmarks.figures --only demo     this one

A block lies between `<!-- figures: NAME -->` and `<!-- end -->`, and is replaced whole. Each names the machine and the
month; where training is involved, it gives the spread over three seeds.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["BLOCKS", "machine", "main", "replaced"]

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SEEDS = (1, 2, 3)
_COLUMNS = "150"


def machine() -> str:
    """The processor's model, how many of its cores this process may use, and the month."""
    model = platform.processor() or platform.machine()
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
        model = found[1] if found else model
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {cores} cores, {datetime.date.today():%B %Y}"


def replaced(text: str, name: str, content: str) -> str:
    """`text` with the block `name` holding `content`; text without that block as it is."""
    pattern = rf"(<!-- figures: {re.escape(name)} -->\n).*?(<!-- end -->)"
    return re.sub(pattern, lambda found: f"{found[1]}{content.strip()}\n{found[2]}", text, flags=re.DOTALL)


def demo() -> str:
    """What `edgeml demo` prints."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "edgeml", "demo", "-o", "build/demo"]
        environment = {**os.environ, "COLUMNS": _COLUMNS, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    lines = "\n".join(line.rstrip() for line in done.stdout.strip().split("\n"))
    threads = "one thread. More threads add in another order, and may train another model."
    return f"```text\n{lines}\n```\n\n(On: {machine()}; {threads})"


def seeds() -> str:
    """The demo's accuracies over three seeds of training."""
    import edgeml
    from edgeml.demo import train_digits

    forms = {
        "2-bit quantized": ("quantized", {"bits": 2}),
        "tflite, `--rounding shift`": ("tflite", {"rounding": "shift"}),
    }
    found: dict[str, list[float]] = {"float model": [], **{form: [] for form in forms}}
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            train_digits(folder, seed)
            for form, (to, options) in forms.items():
                bundle = edgeml.convert(
                    folder / "digits.pt2",
                    to=to,
                    target="host",
                    data=folder / "digits.npz",
                    output=folder / to,
                    options={**options, **({"seed": seed} if to == "quantized" else {})},
                )
                accuracy = bundle.manifest["metrics"]["accuracy"]
                found[form].append(accuracy["integer"])
            found["float model"].append(accuracy["float"])
    rows = [f"| {form} | {' | '.join(f'{value:.1%}' for value in values)} |" for form, values in found.items()]
    head = f"| digits, 359 held-back images | {' | '.join(f'seed {seed}' for seed in SEEDS)} |"
    rule = "|---|" + "---|" * len(SEEDS)
    note = (
        f"(On: {machine()}. One image is 0.28 points; another processor or version\n"
        "of PyTorch trains another model, which may differ by one or a few.)"
    )
    return "\n".join([head, rule, *rows, "", note])


def _speed_rows(*options: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cpu.json"
        command = [sys.executable, "-m", "benchmarks.cpu", *options, "--json", str(path)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True)
        rows: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["rows"]
    return rows


def speed() -> str:
    """The generated C beside LiteRT, from `benchmarks.cpu`; in batches with AMX, too, where there is AMX."""
    from .without_amx import has_amx

    measured = [_speed_rows("--without-amx"), _speed_rows()] if has_amx() else [_speed_rows()]
    many = ["C, batch 256", "the same, both with AMX"][: len(measured)]
    heads = ["network, 2-bit weights and activations", "input", "C, batch 1", *many, "from Python, batch 1"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for one, *batches in zip(measured[0][::2], *(rows[1::2] for rows in measured), strict=True):
        ratios = [
            one["litert"] / one["c_loop"],
            *(each["litert"] / each["c_loop"] for each in batches),
            one["litert"] / one["from_python"],
        ]
        cells = [one["network"], f"{one['input_bits']} bit", f"{ratios[0]:.1f} × LiteRT"]
        lines.append("| " + " | ".join([*cells, *(f"{ratio:.1f} ×" for ratio in ratios[1:])]) + " |")
    note = "the generated C beside LiteRT int8 of the same topology, one thread, medians of 31 interleaved turns"
    columns = 'the columns "C" are a C loop, LiteRT is called from Python with its tensors set.'
    if has_amx():
        columns += " Neither gets AMX\n(`--without-amx`) but in the column that says so."
    return "\n".join([*lines, "", f"(`make bench`: {note};", f"{columns} On: {machine()}.)"])


def calls() -> str:
    """What one call from Python takes, from `benchmarks.cpu_calls`."""
    from . import cpu_calls

    note = "`python -m benchmarks.cpu_calls`, one thread, processor time, medians of 31 paired turns"
    return f"{cpu_calls.table()}\n\n({note}; on: {machine()}.)"


def kernels() -> str:
    """The dense kernels of microcontrollers, from `benchmarks.mcu_kernels`."""
    from . import mcu_kernels

    return mcu_kernels.table(mcu_kernels.counted())


def flash() -> str:
    """What one network takes on each core, from `benchmarks.mcu_flash`."""
    from . import mcu_flash

    return mcu_flash.table()


def bits() -> str:
    """A first layer on bits of bytes, from `benchmarks.mcu_bits`."""
    from . import mcu_bits

    return mcu_bits.table(mcu_bits.counted())


def few_inputs() -> str:
    """Neurons of few inputs on microcontrollers, from `benchmarks.mcu_fan_in`."""
    from . import mcu_fan_in

    return mcu_fan_in.table()


BLOCKS: dict[str, Callable[[], str]] = {
    "demo": demo,
    "seeds": seeds,
    "speed": speed,
    "calls": calls,
    "kernels": kernels,
    "flash": flash,
    "bits": bits,
    "few inputs": few_inputs,
}
"""What there is to measure, by the name in the markers."""


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=tuple(BLOCKS), default=list(BLOCKS), help="these blocks alone")
    for name in parser.parse_args(arguments).only:
        print(f"measuring {name}", flush=True)
        content = BLOCKS[name]()
        for page in PAGES:
            text = page.read_text("utf-8")
            if (changed := replaced(text, name, content)) != text:
                page.write_text(changed, "utf-8")
                print(f"  {page.relative_to(ROOT)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
