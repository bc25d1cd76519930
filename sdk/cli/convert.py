"""`edgeml convert`, and the demo, which converts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InputError, printable
from .app import Json, Quiet, Require, TimeLimit, app


@app.command(
    epilog="Example: edgeml convert model.pt2 --to quantized --target host --bits 2 --data digits.npz -o build/digits"
)
def convert(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="model.pt2, model.onnx or module.py:factory")],
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="quantized, spiking or tflite")],
    target: Annotated[str, typer.Option(metavar="NAME|profile.toml", help="See 'edgeml targets'.")],
    data: Annotated[Path | None, typer.Option(help=".npz with x, y; or .npy, .csv")] = None,
    task: Annotated[str | None, typer.Option(metavar="classes|binary|values", help="What it answers.")] = None,
    labels: Annotated[str | None, typer.Option(metavar="A,B,…", help="Class names, in the outputs' order.")] = None,
    split: Annotated[str | None, typer.Option(metavar="stratified|tail", help="Which fifth is held back.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The bundle's folder.")] = None,
    weights: Annotated[Path | None, typer.Option(help=".safetensors for module.py:factory")] = None,
    name: Annotated[str | None, typer.Option(help="Prefix of generated code.")] = None,
    bits: Annotated[int | None, typer.Option(help="Weights and activations, 1 to 8.")] = None,
    weight_bits: Annotated[int | None, typer.Option(help="Weights only.")] = None,
    act_bits: Annotated[int | None, typer.Option(help="Activations only.")] = None,
    input_bits: Annotated[int | None, typer.Option(help="The network's input, 1 to 8.")] = None,
    input_range: Annotated[str | None, typer.Option(metavar="LOW,HIGH", help="Of the inputs, without data.")] = None,
    layer_bits: Annotated[str | None, typer.Option(metavar="LAYER=BITS,…", help="Per layer, over all else.")] = None,
    weight_range: Annotated[str | None, typer.Option(metavar="narrow|full", help="Symmetric weights or not.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Training length; 0 calibrates only.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same bytes.")] = None,
    device: Annotated[str | None, typer.Option(metavar="cpu|cuda", help="Where to train.")] = None,
    architecture: Annotated[str | None, typer.Option(metavar="folded|unrolled|auto", help="FPGA")] = None,
    adder_graph: Annotated[str | None, typer.Option(metavar="edgeml|da4ml", help="FPGA, unrolled")] = None,
    synthesize: Annotated[bool | None, typer.Option("--synthesize", help="FPGA: run yosys and nextpnr.")] = None,
    rounding: Annotated[str | None, typer.Option(metavar="NAME", help="tflite: rounding rule or runtime.")] = None,
    per_tensor: Annotated[bool | None, typer.Option("--per-tensor", help="tflite: one scale per tensor.")] = None,
    float_io: Annotated[bool | None, typer.Option("--float-io", help="tflite: float input and output.")] = None,
    encoding: Annotated[str | None, typer.Option(metavar="NAME", help="spiking: encoding of values.")] = None,
    input_encoding: Annotated[str | None, typer.Option(metavar="NAME", help="spiking: direct, or encoded.")] = None,
    steps: Annotated[int | None, typer.Option(help="spiking: time steps.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", metavar="KEY=VALUE", help="Any further option of a form or target.")
    ] = None,
    require: Require = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1, and no bundle, if integers are far from the float model.")
    ] = False,
    time_limit: TimeLimit = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Convert a trained model into a verified bundle."""
    from ..pipeline import convert as run
    from ..terminal import Terminal
    from ..verification.coverage import check_names
    from ..verification.verdict import Verdict
    from .outcome import end

    check_names(require or ())
    terminal = Terminal(as_json, quiet)
    given: dict[str, Any] = {
        "bits": bits,
        "weight_bits": weight_bits,
        "act_bits": act_bits,
        "input_bits": input_bits,
        "input_range": input_range,
        "layer_bits": layer_bits,
        "weight_range": weight_range,
        "epochs": epochs,
        "seed": seed,
        "device": device,
        "architecture": architecture,
        "adder_graph": adder_graph,
        "synthesize": synthesize,
        "rounding": rounding,
        "per_tensor": per_tensor,
        "float_io": float_io,
        "encoding": encoding,
        "input_encoding": input_encoding,
        "steps": steps,
    }
    for text in option or ():
        key, value = _key_and_value(text)
        if given.get(key) is not None:
            raise InputError(f"--option {text}", f"{key} is given twice")
        given[key] = value
    with terminal.progress() as (progress, announce):
        bundle = run(
            model,
            to=to,
            target=target,
            data=data,
            output=output,
            weights=weights,
            name=name,
            options=given,
            strict=strict,
            time_limit=time_limit,
            task=task,
            labels=labels or (),
            split=split,
            progress=progress,
            announce=announce,
            remark=terminal.remark,
        )
    terminal.result({"bundle": str(bundle.folder), **bundle.manifest}, lambda: show_bundle(terminal, bundle))
    end([Verdict(**verdict) for verdict in bundle.manifest["verification"]], require or ())


def _key_and_value(text: str) -> tuple[str, Any]:
    """`key=value`, the value as true, false, an integer or a number where it is one, else as text."""
    key, sign, value = text.partition("=")
    if not sign or not key.isidentifier():
        raise InputError(f"--option {text}", "is not of the form KEY=VALUE")
    if value in ("true", "false"):
        return key, value == "true"
    for kind in (int, float):
        try:
            return key, kind(value)
        except ValueError:
            continue
    return key, value


def show_bundle(terminal: Any, bundle: Any) -> None:
    """Print what a conversion found: accuracy, notes, verification, where the bundle lies.

    What nobody may overlook comes first: that nothing of the target ran, and the notes that are warnings."""
    from rich.markup import escape

    from ..data.checks import WARNING
    from ..judging.scores import said
    from ..network import decision_rule
    from ..verification.coverage import coverage
    from ..verification.verdict import Verdict

    manifest = bundle.manifest
    verdicts = [Verdict(**verdict) for verdict in manifest["verification"]]
    terminal.warning(coverage(verdicts, bundle.profile.name).sentence)
    warnings = [note for note in manifest["notes"] if note.startswith(WARNING)]
    for note in warnings:
        terminal.warning(note.removeprefix(WARNING))
    terminal.line(f"[bold]answer[/bold]     {escape(printable(decision_rule(bundle.network), 1000))}")
    for name, text in said(manifest["metrics"]):
        terminal.line(f"[bold]{name:9}[/bold]  {text}")
    if "agreement" in manifest["metrics"]:
        terminal.line(
            f"[bold]agreement[/bold]  {manifest['metrics']['agreement']:.2%} of answers equal the float model's"
        )
    for note in manifest["notes"]:
        if note not in warnings:
            terminal.plain(f"note       {note}")
    show_synthesis(terminal, manifest["metrics"].get("target"))
    terminal.verdicts(verdicts)
    terminal.plain(f"{bundle.form} for {bundle.profile.name}: {bundle.folder}, report in {bundle.folder}/report.html")


def show_synthesis(terminal: Any, target: Any) -> None:
    """Print the clock and what of the part is used, where a target's metrics hold a synthesis."""
    from ..report.synthesis import COLUMNS, clock_said, figures

    if not isinstance(target, Mapping):
        return
    if said := clock_said(target):
        terminal.plain(f"clock      {said}")
    if rows := figures(target):
        terminal.table("", COLUMNS, [[row[column] for column in COLUMNS] for row in rows])


@app.command(epilog="Example: edgeml demo -o build/demo")
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the model, the data and the bundles.")] = (
        Path("build/demo")
    ),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a small MLP on real data (handwritten digits), convert it, verify it, and say what was found."""
    from ..demo import run
    from ..terminal import Terminal

    run(output, Terminal(as_json, quiet))
