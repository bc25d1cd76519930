"""The command line. Everything heavy is imported inside the commands, so that help answers at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from .errors import EdgemlError, InputError, MissingTool

__all__ = ["app", "main"]

app = typer.Typer(
    name="edgeml",
    help="Trained MLPs onto FPGAs, microcontrollers, CPUs and neuromorphic chips, bit for bit.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 1 a check failed; 2 the input is wrong; 3 a tool is missing. "
    "Add --debug to any command for a traceback.",
)


@app.callback()
def alone(context: typer.Context) -> None:
    """Trained MLPs onto FPGAs, microcontrollers, CPUs and neuromorphic chips, bit for bit."""
    if context.invoked_subcommand is None:
        print(context.get_help())


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no remarks.")]
BundlePath = Annotated[Path, typer.Argument(metavar="BUNDLE", help="A folder that 'edgeml convert' wrote.")]
Executors = Annotated[list[str] | None, typer.Option("--on", metavar="NAME", help="Executor; can be repeated.")]


@app.command(
    epilog="Example: edgeml convert model.pt2 --to quantized --target host --bits 2 --data digits.npz -o build/digits"
)
def convert(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="model.pt2, model.onnx or module.py:factory")],
    to: Annotated[str, typer.Option("--to", metavar="FORM", help="quantized, spiking or tflite")],
    target: Annotated[str, typer.Option(metavar="NAME|profile.toml", help="See 'edgeml targets'.")],
    data: Annotated[Path | None, typer.Option(help=".npz with x, y; or .npy, .csv")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The bundle's folder.")] = None,
    weights: Annotated[Path | None, typer.Option(help=".safetensors for module.py:factory")] = None,
    name: Annotated[str | None, typer.Option(help="Prefix of generated code.")] = None,
    bits: Annotated[int | None, typer.Option(help="Weights and activations, 1 to 8.")] = None,
    weight_bits: Annotated[int | None, typer.Option(help="Weights only.")] = None,
    act_bits: Annotated[int | None, typer.Option(help="Activations only.")] = None,
    input_bits: Annotated[int | None, typer.Option(help="The network's input, 1 to 8.")] = None,
    layer_bits: Annotated[str | None, typer.Option(metavar="LAYER=BITS,…", help="Per layer, over all else.")] = None,
    weight_range: Annotated[str | None, typer.Option(metavar="narrow|full", help="Symmetric weights or not.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Training length; 0 calibrates only.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same bytes.")] = None,
    device: Annotated[str | None, typer.Option(metavar="cpu|cuda", help="Where to train.")] = None,
    architecture: Annotated[str | None, typer.Option(metavar="folded|unrolled|auto", help="FPGA")] = None,
    synthesize: Annotated[bool | None, typer.Option("--synthesize", help="FPGA: run yosys and nextpnr.")] = None,
    rounding: Annotated[str | None, typer.Option(metavar="NAME", help="tflite: rounding rule or runtime.")] = None,
    per_tensor: Annotated[bool | None, typer.Option("--per-tensor", help="tflite: one scale per tensor.")] = None,
    float_io: Annotated[bool | None, typer.Option("--float-io", help="tflite: float input and output.")] = None,
    encoding: Annotated[str | None, typer.Option(metavar="NAME", help="spiking: encoding of values.")] = None,
    steps: Annotated[int | None, typer.Option(help="spiking: time steps.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", metavar="KEY=VALUE", help="Any further option of a form or target.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Convert a trained model into a verified bundle."""
    from .pipeline import convert as run
    from .terminal import Terminal

    terminal = Terminal(as_json, quiet)
    given: dict[str, Any] = {
        "bits": bits,
        "weight_bits": weight_bits,
        "act_bits": act_bits,
        "input_bits": input_bits,
        "layer_bits": layer_bits,
        "weight_range": weight_range,
        "epochs": epochs,
        "seed": seed,
        "device": device,
        "architecture": architecture,
        "synthesize": synthesize,
        "rounding": rounding,
        "per_tensor": per_tensor,
        "float_io": float_io,
        "encoding": encoding,
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
            progress=progress,
            announce=announce,
        )
    terminal.result({"bundle": str(bundle.folder), **bundle.manifest}, lambda: show_bundle(terminal, bundle))


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
    """Print what a conversion found: accuracy, notes, verification, where the bundle lies."""
    from .verify import Verdict

    manifest = bundle.manifest
    accuracy = manifest["metrics"].get("accuracy", {})
    if accuracy:
        terminal.line("[bold]accuracy[/bold]   " + "   ".join(f"{key} {value:.2%}" for key, value in accuracy.items()))
    if "agreement" in manifest["metrics"]:
        terminal.line(
            f"[bold]agreement[/bold]  {manifest['metrics']['agreement']:.2%} of answers equal the float model's"
        )
    for note in manifest["notes"]:
        terminal.plain(f"note       {note}")
    terminal.verdicts([Verdict(**verdict) for verdict in manifest["verification"]])
    terminal.plain(f"{bundle.form} for {bundle.profile.name}: {bundle.folder}, report in {bundle.folder}/report.html")


@app.command(epilog="Example: edgeml verify build/digits --on native --on brevitas")
def verify(bundle: BundlePath, on: Executors = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """Run every executor that can run here against golden, bit for bit."""
    from .bundle import load
    from .terminal import Terminal
    from .verify import verify as run

    terminal = Terminal(as_json, quiet)
    loaded = load(bundle)
    with terminal.progress() as (_, announce):
        verdicts = run(loaded, on or (), lambda executor: announce(f"verifying on {executor}"))
    document = {"bundle": str(bundle), "executors": [verdict.as_json() for verdict in verdicts]}
    terminal.result(document, lambda: terminal.verdicts(verdicts))
    if any(verdict.status in ("mismatch", "error") for verdict in verdicts):
        raise typer.Exit(1)
    if on and any(verdict.status == "unavailable" for verdict in verdicts):
        raise typer.Exit(3)


@app.command(epilog="Example: edgeml simulate build/digits samples.npy -o answers.npy --on native")
def simulate(
    bundle: BundlePath,
    inputs: Annotated[Path, typer.Argument(help=".npy, .npz (x) or .csv; integers are taken as quantized")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the integers to this .npy.")] = None,
    on: Annotated[str, typer.Option("--on", metavar="NAME", help="Executor.")] = "golden",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run inputs through a bundle and give its integers."""
    import numpy as np

    from .bundle import load
    from .data import load_inputs, to_npy
    from .terminal import Terminal

    terminal = Terminal(as_json, quiet)
    loaded = load(bundle)
    result = loaded.run(load_inputs(inputs), on)
    if output is not None:
        try:
            partial = output.with_name(f".{output.name}.partial")
            partial.write_bytes(to_npy(result.integers))
            partial.replace(output)
        except OSError as error:
            raise InputError(str(output), f"cannot be written ({error.strerror or error})") from error
    shown = len(result) if as_json else min(len(result), 10)
    answers = result.labels or tuple(str(index) for index in result.classes)
    document = {
        "bundle": str(bundle),
        "executor": on,
        "samples": len(result),
        "classes": [int(index) for index in result.classes],
        "labels": list(result.labels),
        "integers": result.integers.tolist() if output is None else str(output),
    }

    def show() -> None:
        with np.printoptions(linewidth=100, threshold=20):
            rows = [[index, answers[index], str(result.integers[index])] for index in range(shown)]
        terminal.table("", ["sample", "answer", "integers"], rows)
        if shown < len(result):
            terminal.plain(f"… {len(result) - shown} more" + ("" if output else "; -o FILE.npy keeps all"))

    terminal.result(document, show)


@app.command(epilog="Example: edgeml targets cortex-m4")
def targets(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A profile's name or file.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """The parts that can be targeted, or one in detail."""
    from .profile import load_profile, profile_names
    from .terminal import Terminal

    terminal = Terminal(as_json, quiet)
    if name is not None:
        profile = load_profile(name)
        document = {"name": profile.name, "kind": profile.kind, "description": profile.description}
        rows = [[key, str(value)] for key, value in {**document, **profile.values}.items()]
        terminal.result({**document, **profile.values}, lambda: terminal.table("", ["field", "value"], rows))
        return
    profiles = [load_profile(each) for each in profile_names()]
    rows = [[profile.name, profile.kind, profile.description] for profile in profiles]
    documents = [{"name": row[0], "kind": row[1], "description": row[2]} for row in rows]
    terminal.result({"targets": documents}, lambda: terminal.table("", ["target", "kind", "description"], rows))


@app.command(epilog="Example: edgeml inspect model.onnx")
def inspect(
    what: Annotated[str, typer.Argument(metavar="MODEL|BUNDLE", help="A model, an .edgeml file or a bundle.")],
    weights: Annotated[Path | None, typer.Option(help=".safetensors for module.py:factory")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """The layers of a model or a bundle, with sizes, ranges and widths."""
    from .inspection import describe_mlp, describe_network
    from .network import Network
    from .terminal import Terminal

    terminal = Terminal(as_json, quiet)
    if Path(what).is_dir():
        from .bundle import load

        found: Any = load(what).network
    else:
        from .frontends import load_model

        found = load_model(what, weights=weights)
    if isinstance(found, Network):
        document = describe_network(found)
        columns = ["name", "kind", "inputs", "outputs", "low", "high", "bits", "parameters", "summary"]
    else:
        document = describe_mlp(found)
        columns = ["name", "kind", "inputs", "outputs", "parameters", "origin"]
    rows = [
        [", ".join(layer[key]) if isinstance(layer[key], list) else layer[key] for key in columns]
        for layer in document["layers"]
    ]
    title = f"{document['name']}: {document['inputs']} → {document['outputs']}"
    terminal.result(document, lambda: terminal.table(title, columns, rows))


@app.command(epilog="Example: edgeml bench build/digits --batch 256")
def bench(
    bundle: BundlePath,
    batch: Annotated[list[int] | None, typer.Option(help="Batch sizes; can be repeated.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Time every executor of a bundle that can run here, in one interleaved run."""
    from .bench import measure
    from .bundle import load
    from .terminal import Terminal

    terminal = Terminal(as_json, quiet)
    loaded = load(bundle)
    with terminal.progress() as (_, announce):
        rows = measure(loaded, batch or [1, 256], announce)
    table = [[row["executor"], row["batch"], row["microseconds"], row["ratio"], row["detail"]] for row in rows]
    columns = ["executor", "batch", "µs per inference", "times golden's speed", "detail"]
    terminal.result({"bundle": str(bundle), "rows": rows}, lambda: terminal.table("", columns, table))


@app.command(epilog="Example: edgeml report build/digits --open")
def report(
    bundle: BundlePath,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Where the bundle's report lies; it is one HTML file that needs no network."""
    from .bundle import REPORT, load
    from .terminal import Terminal

    terminal = Terminal(as_json, quiet)
    path = load(bundle).folder / REPORT
    if not path.is_file():
        raise InputError(str(bundle), f"holds no {REPORT}", "Convert again")
    terminal.result({"bundle": str(bundle), "report": str(path)}, lambda: terminal.plain(str(path)))
    if open_it:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


@app.command(epilog="Example: edgeml demo -o build/demo")
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the model, the data and the bundles.")] = (
        Path("build/demo")
    ),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a small MLP on real data (handwritten digits), convert it, verify it, and say what was found."""
    from .demo import run
    from .terminal import Terminal

    run(output, Terminal(as_json, quiet))


def _report(error: EdgemlError, arguments: Sequence[str]) -> None:
    if "--json" in arguments:
        parts = {"where": error.where, "problem": error.problem, "remedy": error.remedy}
        print(json.dumps({"error": parts}, indent=2, ensure_ascii=False))
    print(f"edgeml: {error}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0 done, 1 a check failed, 2 wrong input, 3 a missing tool."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    try:
        app(given)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except EdgemlError as error:
        if debug:
            raise
        _report(error, given)
        return error.exit_code
    except ModuleNotFoundError as error:
        if debug or (error.name or "").startswith("edgeml"):
            raise
        missing = MissingTool(f"package {error.name}", "is needed here and not installed", f"pip install {error.name}")
        _report(missing, given)
        return missing.exit_code
    except KeyboardInterrupt:
        print("edgeml: interrupted; nothing was left half-written", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except MemoryError:
        print("edgeml: not enough memory for this input", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
