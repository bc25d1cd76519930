"""The commands of the example."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edgeml.errors import EdgemlError
from edgeml.terminal import Terminal

__all__ = ["app", "main"]

app = typer.Typer(
    name="python -m examples.can_ids",
    help="A 2-bit intrusion detector for automotive CAN, from a log to a chip.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Logs = Annotated[list[Path], typer.Argument(metavar="LOG…", help="candump, HCRL Car-Hacking or table of traces.")]
Attack = Annotated[str, typer.Option(help="HCRL: what the injected frames are. candump: what all frames are.")]
Size = Annotated[int, typer.Option("--frames", help="Frames in a window.")]
Most = Annotated[int, typer.Option(help="Training windows, classes balanced; 0: all, as they come.")]
HeldBack = Annotated[float, typer.Option(help="Share of each trace's time held back for testing.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same result.")]


@app.callback()
def commands() -> None:
    """A 2-bit intrusion detector for automotive CAN, from a log to a chip."""


@app.command(epilog="Example: python -m examples.can_ids prepare drive.csv -o can.npz")
def prepare(
    logs: Logs,
    output: Annotated[Path, typer.Option("--output", "-o", help="An .npz with x, y, x_test, y_test, labels.")],
    attack: Attack = "",
    frames: Size = 4,
    most: Most = 100_000,
    held_back: HeldBack = 0.2,
    seed: Seed = 0,
) -> None:
    """Write windows as data for `edgeml convert --data` and `edgeml explore`, split by time."""
    from .dataset import prepared, save_arrays, show_counts
    from .readers import read_logs
    from .windows import Recipe

    data = prepared(read_logs(logs, attack), Recipe(frames), held_back, most, seed)
    save_arrays(output, data.arrays)
    show_counts(Terminal(), data)


@app.command("inject", epilog="Example: python -m examples.can_ids inject clean.log --kind dos -o attacked.csv")
def inject_attack(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="Clean traffic.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A table of traces (.csv).")],
    kind: Annotated[str, typer.Option(help="dos, fuzzing or spoofing.")] = "dos",
    share: Annotated[float, typer.Option(help="Injected frames for each frame of the log.")] = 0.02,
    burst: Annotated[int, typer.Option(help="Frames of a burst.")] = 50,
    gap: Annotated[float, typer.Option(help="Spoofing: seconds between the frames of a burst.")] = 0.005,
    identifier: Annotated[str, typer.Option(help="Spoofing: hexadecimal; default: one of the log's.")] = "",
    bitrate: Annotated[float, typer.Option(help="Of the bus, bit/s.")] = 500_000.0,
    seed: Seed = 0,
) -> None:
    """Add an attack to clean traffic, at times that a bus of that speed allows."""
    from .inject import Attack, inject, read_identifier
    from .readers import read_log, write_table

    attack = Attack(kind, share, burst, gap, read_identifier(identifier) if identifier else None)
    attacked = inject(read_log(log), attack, seed, bitrate)
    write_table(attacked, output)
    counts = ", ".join(f"{number:,} {name}" for name, number in attacked.counts().items())
    Terminal().plain(f"{output}: {counts}")


@app.command(epilog="Example: python -m examples.can_ids train drive.csv -o build/can_ids")
def train(
    logs: Logs,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the model, the data and the bundle.")],
    attack: Attack = "",
    frames: Size = 4,
    widths: Annotated[str, typer.Option(help="Hidden layers.")] = "64,32",
    bits: Annotated[int, typer.Option(help="Weights and activations.")] = 2,
    fan_in: Annotated[
        str, typer.Option(help="Most inputs of a neuron, as `edgeml convert --fan-in`.")
    ] = "24,first=48,last=all",
    steps: Annotated[int, typer.Option(help="Of 256 windows, of the float model.")] = 2500,
    quantized_steps: Annotated[int, typer.Option(help="Of 256 windows, of the quantized one.")] = 8000,
    most: Most = 100_000,
    normal_recall: Annotated[
        float, typer.Option(help="Wanted share of normal validation windows called normal: sets one bias.")
    ] = 0.998,
    false_alarms: Annotated[float, typer.Option(help="Wanted, an hour: sets the alarm's threshold.")] = 20.0,
    held_back: HeldBack = 0.2,
    seeds: Annotated[
        str, typer.Option(help="One or several, such as 0,1,2: each is trained, and their spread said.")
    ] = "0",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train a float detector, quantize it, and say what each is worth on traffic held back by time."""
    from .readers import read_logs
    from .session import Plan, train_seeds
    from .training import seeds_of, widths_of
    from .windows import Recipe

    plan = Plan(
        Recipe(frames),
        widths_of(widths),
        bits,
        fan_in,
        steps,
        quantized_steps,
        normal_recall,
        most,
        false_alarms,
        held_back,
    )
    train_seeds(read_logs(logs, attack), plan, seeds_of(seeds), output, Terminal(as_json))


@app.command(epilog="Example: python -m examples.can_ids deploy build/can_ids")
def deploy(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `train` left.")],
    synthesize: Annotated[bool, typer.Option(help="FPGA: count lookup tables by yosys; takes minutes.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="A bundle by name; can be repeated.")] = None,
) -> None:
    """Convert to the FPGA, the microcontroller, spikes and tflite; verify; hold latencies against the bus's time."""
    from .session import deploy_all

    deploy_all(folder, synthesize, tuple(only or ()), Terminal())


@app.command(epilog="Example: python -m examples.can_ids monitor can0 --bundle build/can_ids/quantized-host")
def monitor(
    source: Annotated[str, typer.Argument(metavar="INTERFACE|LOG", help="can0, or a log.")],
    bundle: Annotated[Path, typer.Option(help="A bundle for the host.")],
    interface: Annotated[str, typer.Option(help="python-can's kind of interface.")] = "socketcan",
    bitrate: Annotated[int | None, typer.Option(help="For interfaces that are told, bit/s.")] = None,
    evidence: Annotated[
        Path | None, typer.Option(help="What train wrote: when to raise an alarm. Default: beside the bundle.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with exit code 1 where the bus is not like the one trained on.")
    ] = False,
    on: Annotated[str, typer.Option(help="Executor.")] = "native",
) -> None:
    """Watch a bus or play a log through the detector, frame by frame, and print alarms. Ctrl-C ends it.

    A warning says when the bus does not look like the one that the detector was trained on.
    """
    from edgeml.bundle import load

    from .detector import Detector
    from .evidence import EVIDENCE, Evidence
    from .habits import HABITS, Habits
    from .known_bus import KNOWN_BUS, KnownBus, Watch, watched
    from .monitor import frames_of_bus, frames_of_file, stop_on_signals
    from .monitor import monitor as watch

    terminal = Terminal()
    loaded, folder = load(bundle), bundle.resolve().parent
    rule = Evidence.load(evidence or folder / EVIDENCE)
    detector = Detector(loaded, rule, Habits.load(folder / HABITS), on)
    look = Watch(KnownBus.load(folder / KNOWN_BUS))
    labels = ", ".join(detector.labels)
    with stop_on_signals() as stop:
        is_file = Path(source).exists()
        frames = frames_of_file(Path(source)) if is_file else frames_of_bus(source, interface, stop, bitrate)
        print(f"watching {source} for {labels}", flush=True)

        def warn(sentence: str) -> None:
            print(f"WARNING  {sentence}", flush=True)
            if strict and look.strange:
                stop.set()

        seen = watch(watched(frames, look, warn), detector, lambda alarm: print(f"ALARM  {alarm}", flush=True), stop)
    terminal.plain(
        f"{seen.frames:,} frames, {seen.windows:,} windows, {seen.called:,} called an attack, {seen.alarms:,} alarms"
    )
    if strict and look.strange:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; a user's mistake gives one line and an exit code, never a traceback."""
    try:
        app()
    except EdgemlError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
