"""Commands that run a bundle: `verify`, `simulate`, `flash`, `hil`, `bench`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from ..errors import InputError, MissingTool, ToolFailed, printable
from ..system.files import write_beside
from .app import BundlePath, Executors, Json, Quiet, Require, TimeLimit, app

if TYPE_CHECKING:
    from ..bundle import Bundle, Result
    from ..network import Monitored
    from ..terminal import Terminal


_Rates = Annotated[
    str | None, typer.Option("--faults", metavar="RATE,…", help="Flip stored bits instead, with these rates.")
]
_Places = Annotated[
    str, typer.Option("--where", metavar="PLACE,…", help="Of --faults: weights, thresholds, activations, state.")
]
_Labelled = Annotated[
    Path | None, typer.Option("--data", help="Of --faults: a data file with classes; its held-back samples.")
]
_Draws = Annotated[int, typer.Option("--draws", min=1, help="Of --faults: draws for each rate.")]
_Seed = Annotated[int, typer.Option("--seed", min=0, help="Of --faults.")]
_FaultLimit = Annotated[
    float, typer.Option("--fault-limit", metavar="SECONDS", min=0.0, help="Processor time of --faults.")
]


@app.command(epilog="Example: edgeml verify build/digits --on native --on brevitas")
def verify(
    bundle: BundlePath,
    on: Executors = None,
    require: Require = None,
    prove: Annotated[bool, typer.Option("--prove", help="Prove it for all inputs, and keep the certificate.")] = False,
    proof_limit: Annotated[
        float, typer.Option("--proof-limit", metavar="SECONDS", min=0.0, help="Processor time of --prove.")
    ] = 1800.0,
    check_proof: Annotated[bool, typer.Option("--check-proof", help="Check the certificate alone.")] = False,
    faults: _Rates = None,
    where: _Places = "weights,thresholds",
    data: _Labelled = None,
    draws: _Draws = 10,
    seed: _Seed = 0,
    fault_limit: _FaultLimit = 60.0,
    time_limit: TimeLimit = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run every executor that can run here against golden, bit for bit; or prove it for all inputs; or flip bits."""
    if faults is not None:
        from .faults import run_faults

        shown = (as_json, quiet)
        run_faults(bundle, faults, where, data, terminal=shown, draws=draws, seed=seed, seconds=fault_limit)
        return
    if prove or check_proof:
        from .prove import run_proof

        run_proof(bundle, prove=prove, seconds=proof_limit, time_limit=time_limit, terminal=(as_json, quiet))
        return
    from ..bundle import load
    from ..terminal import Terminal
    from ..verification.coverage import check_names, coverage
    from ..verification.verify import verify as run
    from .outcome import end

    check_names(require or ())

    terminal = Terminal(as_json, quiet)
    loaded = load(bundle)
    required = tuple(require or ())
    names = (*on, *required) if on else ()
    with terminal.progress() as (_, announce):
        verdicts = run(loaded, names, lambda executor: announce(f"verifying on {executor}"), time_limit=time_limit)
    covered = coverage(verdicts, loaded.profile.name, chosen=bool(names))
    document = {
        "bundle": str(bundle),
        "coverage": covered.as_json(),
        "executors": [verdict.as_json() for verdict in verdicts],
    }

    def show() -> None:
        terminal.warning(covered.sentence)
        terminal.verdicts(verdicts)

    terminal.result(document, show)
    end(verdicts, names if on else required)


def _asked(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _answers(result: Result, shown: int) -> tuple[str, ...]:
    """What is shown as the answer for each sample: its label, its class, or its values."""
    answers = result.labels or tuple(str(index) for index in result.classes)
    return answers or tuple(", ".join(f"{value:.6g}" for value in row) for row in result.real[:shown])


@app.command(epilog="Example: edgeml simulate build/digits samples.npy -o answers.npy --on native")
def simulate(
    bundle: BundlePath,
    inputs: Annotated[Path, typer.Argument(help=".npy, .npz (x), .csv or .parquet; integers are taken as quantized")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the integers to this .npy.")] = None,
    on: Annotated[str, typer.Option("--on", metavar="NAME", help="Executor.")] = "golden",
    waves: Annotated[
        Path | None, typer.Option(metavar="FILE.vcd|FILE.fst", help="Write all signals over time, from verilator.")
    ] = None,
    activity: Annotated[bool, typer.Option("--activity", help="Energy by changes of bits, from verilator.")] = False,
    calibrate: Annotated[Path | None, typer.Option(help="Windows (x) that offsets adapt to before, in golden.")] = None,
    learn: Annotated[Path | None, typer.Option(help="Labelled windows (x, y) to learn from before, in golden.")] = None,
    load_state: Annotated[Path | None, typer.Option(help="What a device saved, to begin with.")] = None,
    save_state: Annotated[Path | None, typer.Option(help="Write what a device would save.")] = None,
    time_limit: TimeLimit = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run inputs through a bundle and give its integers."""
    from ..adapted import adapted
    from ..bundle import load
    from ..data.dataset import to_npy
    from ..report.activity import show_activity
    from ..system.time_limit import time_limit as limited
    from ..terminal import Terminal

    terminal = Terminal(as_json, quiet)
    loaded = load(bundle)
    adapting, told = adapted(loaded, on, calibrate, learn, load_state, save_state)
    with limited(time_limit):
        asked = _asked(waves=waves, activity=activity or None, adapted=adapting)
        result, notes = _run(loaded, inputs, on, asked)
    if output is not None:
        write_beside(output, to_npy(result.integers))
    shown = len(result) if as_json else min(len(result), 10)
    answers = _answers(result, shown)
    document = {
        "bundle": str(bundle),
        "executor": on,
        "task": loaded.network.task,
        "samples": len(result),
        "classes": [int(index) for index in result.classes],
        "labels": list(result.labels),
        **({} if len(result.classes) else {"values": result.real.tolist()}),
        **({"notes": notes} if notes else {}),
        **({"adapted": told} if told else {}),
        "integers": result.integers.tolist() if output is None else str(output),
        **({"activity": result.measures["activity"]} if activity else {}),
        **_monitor_document(result.monitored),
    }

    def show() -> None:
        _show_result(terminal, result, answers[:shown], (notes, told), output is not None)
        if activity:
            show_activity(terminal, result.measures["activity"])
        _show_monitor(terminal, result.monitored)

    terminal.result(document, show)


def _run(bundle: Bundle, inputs: Path, on: str, asked: dict[str, Any]) -> tuple[Result, list[str]]:
    """What the bundle gives for a file, its monitor included where the executor runs it; and what there is to note."""
    import warnings

    from ..data.dataset import load_inputs

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", UserWarning)
        result = bundle.run(load_inputs(inputs), on, monitor=_runs_monitor(bundle, on), **asked)
    return result, [str(each.message) for each in warned if each.category is UserWarning]


def _runs_monitor(bundle: Bundle, on: str) -> bool:
    """Whether the bundle's network has a monitor that the executor runs."""
    from ..plugins.executor import EXECUTORS, RunsMonitor

    return bundle.network.monitor is not None and isinstance(EXECUTORS.load(on), RunsMonitor)


def _monitor_document(said: Monitored | None) -> dict[str, Any]:
    """A monitor's integers of each sample, and the share of unknown ones; nothing where none was run."""
    if said is None or not len(said.known):
        return {}
    columns = {name.replace(" ", "_"): values[:, 0].tolist() for name, values in said.columns.items()}
    return {"monitor": {"unknown": float((~said.known).mean()), **columns}}


def _show_monitor(terminal: Terminal, said: Monitored | None) -> None:
    if said is not None and len(said.known):
        unknown, count = int((~said.known).sum()), len(said.known)
        terminal.plain(f"{unknown} of {count} inputs ({unknown / count:.1%}) are unknown to the monitor")


def _show_result(
    terminal: Terminal, result: Result, answers: Sequence[str], told: tuple[list[str], Mapping[str, Any]], kept: bool
) -> None:
    """Answers and integers of the first samples; what is worth a warning, and what was adapted before."""
    import numpy as np

    for note in told[0]:
        terminal.warning(note)
    with np.printoptions(linewidth=100, threshold=20):
        rows = [[index, printable(answer), str(result.integers[index])] for index, answer in enumerate(answers)]
    terminal.table("", ["sample", "answer", "integers"], rows)
    for name, value in told[1].items():
        terminal.plain(f"{name.replace('_', ' ')}: {value}")
    if len(answers) < len(result):
        terminal.plain(f"… {len(result) - len(answers)} more" + ("" if kept else "; -o FILE.npy keeps all"))


@app.command(epilog="Example: edgeml flash build/board, then edgeml hil build/board --port /dev/ttyUSB1")
def flash(
    bundle: BundlePath,
    permanent: Annotated[bool, typer.Option("--permanent", help="Into its flash, so that it stays.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the command, and do nothing.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Load a board with the bitstream or the image of a bundle, by the program that its kind of board takes."""
    import shlex
    import shutil
    import subprocess

    from ..bundle import load
    from ..plugins.target import Flashes, targets
    from ..terminal import Terminal

    terminal = Terminal(as_json, quiet)
    loaded = load(bundle)
    target = targets(loaded.profile.kind)
    if not isinstance(target, Flashes):
        kind = loaded.profile.kind
        raise InputError(f"bundle {bundle}", f"is for a target of kind {kind}, which edgeml has no loader for")
    command = target.flash_command(loaded, permanent)
    if not show:
        if shutil.which(command[0]) is None:
            how = f"{target.loaders.get(command[0], 'Install it')}; or run: {shlex.join(command)}"
            raise MissingTool(command[0], "is not installed", how)
        status = subprocess.run(command, check=False, stdout=subprocess.DEVNULL if as_json else None).returncode
        if status:
            remedy = target.loaders.get(Path(command[0]).name, "Look whether the board is connected")
            raise ToolFailed(command[0], f"failed with status {status}: {shlex.join(command)}", remedy)
    document = {"bundle": str(bundle), "command": command, "run": not show}
    terminal.result(document, lambda: terminal.plain(shlex.join(command)))


class _JunitFirst(TyperCommand):
    """A command whose --junit file of an earlier run gives way before anything can go wrong, its own words included."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Look for --junit, then parse as ever."""
        from ..hil.report import failed_run_xml

        words = [] if "--help" in args else [word for given in args for word in given.split("=", 1)]
        for word, path in pairwise(words):
            if word == "--junit" and path:
                write_beside(Path(path), failed_run_xml("edgeml hil", "the run did not begin").encode())
        return super().parse_args(ctx, args)


@app.command(cls=_JunitFirst, epilog="Example: edgeml hil build/digits --emulate qemu-mps2-an386")
def hil(
    bundle: BundlePath,
    port: Annotated[str | None, typer.Option(help="/dev/ttyACM0, COM3, socket://host:port …")] = None,
    emulate: Annotated[str | None, typer.Option(metavar="BOARD", help="Start an emulated board instead.")] = None,
    baud: Annotated[int, typer.Option(help="Of a serial port.")] = 115200,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for an answer.")] = 2.0,
    vectors: Annotated[int | None, typer.Option(min=1, help="At most so many test vectors.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    time_limit: TimeLimit = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a bundle's test vectors on a board, real or emulated, against golden."""
    from .. import hil as hardware
    from ..bundle import load
    from ..hil.report import junit_file
    from ..metrics import modelled_said
    from ..system.time_limit import time_limit as limited
    from ..terminal import Terminal

    terminal = Terminal(as_json, quiet)
    with limited(time_limit), junit_file(junit, f"edgeml hil {port or emulate or bundle}") as report:
        if (port is None) == (emulate is None):
            boards = f"Boards: {', '.join(hardware.boards())}"
            raise InputError("edgeml hil", "needs either --port or --emulate", boards)
        loaded = load(bundle)
        with terminal.progress() as (progress, _):
            found = hardware.run(
                loaded, port=port, emulate=emulate, baud=baud, timeout=timeout, vectors=vectors, progress=progress
            )
        report(found)

    def show() -> None:
        rows = [
            ["vectors", f"{found.vectors}, {found.mismatches} differ from golden"],
            ["self-test", "passed" if found.self_test == 0 else f"failed with {found.self_test}"],
            ["latency, µs", ", ".join(f"{key} {value:.1f}" for key, value in found.latency_us.items())],
            [
                found.unit,
                ", ".join(f"{key} {value}" for key, value in found.counts.items()) or "the device has no counter",
            ],
            ["repeated requests", str(found.retries)],
            *([["by model", modelled_said(found.modelled)]] if found.modelled else []),
            *(["mismatch", str(mismatch)] for mismatch in found.first_mismatches),
        ]
        terminal.table(f"{loaded.name} on {found.device}", ["measure", "found"], rows)

    terminal.result(found.as_json(), show)
    if not found.passed:
        raise typer.Exit(1)


@app.command(epilog="Example: edgeml bench build/digits --batch 256")
def bench(
    bundle: BundlePath,
    batch: Annotated[list[int] | None, typer.Option(help="Batch sizes; can be repeated.")] = None,
    time_limit: TimeLimit = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Time every executor of a bundle that can run here, in one interleaved run; count instructions where emulated."""
    from ..bench import instructions, measure
    from ..bundle import load
    from ..metrics import modelled_said
    from ..system.time_limit import time_limit as limited
    from ..terminal import Terminal

    terminal = Terminal(as_json, quiet)
    loaded = load(bundle)
    with limited(time_limit), terminal.progress() as (_, announce):
        rows = measure(loaded, batch or [1, 256], announce)
        counted = instructions(loaded, announce)
    table = [[row["executor"], row["batch"], row["microseconds"], row["ratio"], row["detail"]] for row in rows]
    columns = ["executor", "batch", "µs per inference", "times golden's speed", "detail"]

    def show() -> None:
        terminal.table("", columns, table)
        if counted:
            terminal.table("", ["executor", "layer", "instructions", "per multiply-accumulate", "by model"], layers)

    layers = [
        [
            row["executor"],
            row["layer"] or "one inference",
            row["instructions"],
            row["instructions_per_mac"] or "",
            modelled_said(row),
        ]
        for row in counted
    ]
    terminal.result({"bundle": str(bundle), "rows": rows, "instructions": counted}, show)
