"""Commands that show what there is: `targets`, `inspect`, `report`, `card`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import InputError
from .app import Json, Quiet, app


@app.command(epilog="Example: edgeml targets cortex-m4")
def targets(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A profile's name or file.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """The parts and boards that can be targeted, or one in detail."""
    from ..profile import board_names, load_profile, profile_names
    from ..terminal import Terminal

    terminal = Terminal(as_json, quiet)
    if name is not None:
        profile = load_profile(name)
        document = {"name": profile.name, "kind": profile.kind, "description": profile.description}
        rows = [[key, str(value)] for key, value in {**document, **profile.values}.items()]
        terminal.result({**document, **profile.values}, lambda: terminal.table("", ["field", "value"], rows))
        return
    profiles = [load_profile(each) for each in (*profile_names(), *board_names())]
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
    """The layers of a model or a bundle, with sizes, ranges and widths; of a QONNX file also what FINN would object to.

    Exit code 1 if a rule is broken.
    """
    from .. import plugins
    from ..metrics import TargetMetrics, modelled_said
    from ..report.proofs import proofs_sentence
    from ..report.synthesis import HARDWARE_TITLE, hardware_by_layer
    from ..report.terminal_summary import show_synthesis
    from ..terminal import Terminal

    terminal = Terminal(as_json, quiet)
    checks = plugins.inspections(Path(what)) if Path(what).is_file() else {}
    try:
        document, title, columns, rows = _layers(what, weights)
    except InputError as error:
        if not checks:
            raise
        # A file that edgeml does not read can still be checked for the tool that it was made for.
        document, title, columns, rows = {"unread": str(error)}, f"not read: {error}", [], []
    results = [(tool, result) for tool in checks for result in checks[tool]]
    if checks:
        document["rules"] = [{"tool": tool, **vars(result)} for tool, result in results]

    def show() -> None:
        if "unread" in document:
            terminal.plain(title)
        else:
            terminal.table(title, columns, rows)
            metrics = TargetMetrics.from_json(document.get("target"))
            hardware, by_layer = hardware_by_layer(metrics)
            if by_layer:
                terminal.table(HARDWARE_TITLE, hardware, [[row[column] for column in hardware] for row in by_layer])
            show_synthesis(terminal, metrics)
            if said := modelled_said(metrics.modelled):
                terminal.plain(f"An inference takes {said}, {metrics.modelled_by or 'by model'}.")
            if said := proofs_sentence(document.get("proof", [])):
                terminal.plain(f"Proofs: {said}")
        if checks:
            cells = [
                [result.rule, "kept" if result.passed else "broken", result.layer, result.detail, result.remedy]
                for _, result in results
            ]
            terminal.table("rules of " + ", ".join(checks), ["rule", "", "node", "found", "what to do"], cells)

    terminal.result(document, show)
    if any(not result.passed for _, result in results):
        raise typer.Exit(1)


def _layers(what: str, weights: Path | None) -> tuple[dict[str, Any], str, list[str], list[list[Any]]]:
    """What a model or bundle consists of: the document for --json, and a table's title, columns and rows."""
    from ..frontends.refused import SAVED_MODEL
    from ..frontends.snn import Snn
    from ..inspection import describe_mlp, describe_network, describe_snn
    from ..network import Network, decision_rule

    if Path(what).is_dir() and not (Path(what) / SAVED_MODEL).is_file():
        from ..bundle import load

        bundle = load(what)
        found: Any = bundle.network
        target = bundle.manifest.get("metrics", {}).get("target")
        proof = bundle.manifest.get("metrics", {}).get("proof")
    else:
        from ..frontends import load_model

        found, target, proof = load_model(what, weights=weights), None, None
    if isinstance(found, Network):
        document = describe_network(found)
        if target is not None:
            document["target"] = target
        if isinstance(proof, list):
            document["proof"] = proof
        columns = ["name", "kind", "inputs", "outputs", "low", "high", "bits", "parameters", "summary"]
        if any(layer["origin"] for layer in document["layers"]):
            columns.append("origin")
    elif isinstance(found, Snn):
        document = describe_snn(found)
        columns = ["name", "kind", "inputs", "outputs", "parameters", "summary"]
    else:
        document = describe_mlp(found)
        columns = ["name", "kind", "inputs", "outputs", "parameters", "origin"]
    rows = [
        [", ".join(layer[key]) if isinstance(layer[key], list) else layer[key] for key in columns]
        for layer in document["layers"]
    ]
    title = f"{document['name']}: {document['inputs']} → {document['outputs']}"
    if isinstance(found, Network):
        title += f"; {decision_rule(found)}"
    return document, title, columns, rows


@app.command(epilog="Example: edgeml report build/digits --open")
def report(
    bundles: Annotated[
        list[Path],
        typer.Argument(
            metavar="BUNDLE|SEARCH...", help="A bundle, a folder of 'edgeml explore', or bundles to compare."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Of several bundles: the file. Default comparison.html.")
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Where the report of a bundle or a search lies, or several bundles side by side: one HTML file that needs no
    network."""
    from ..terminal import Terminal

    terminal = Terminal(as_json, quiet)
    if len(bundles) > 1:
        path = _compare(bundles, output or Path("comparison.html"))
        found = {"bundles": [str(bundle) for bundle in bundles], "report": str(path)}
    elif output is not None:
        raise InputError("--output", "is for several bundles; the report of one lies in it", "Name two or more")
    else:
        path = _one_report(bundles[0])
        found = {"bundle": str(bundles[0]), "report": str(path)}
    terminal.result(found, lambda: terminal.plain(str(path)))
    if open_it:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


def _one_report(folder: Path) -> Path:
    """Where the report of a bundle lies; that of a search is written anew."""
    from ..bundle import REPORT, load
    from ..explore.front import FRONT, read_front

    if (folder / FRONT).is_file():
        from ..report import render_exploration
        from ..system.files import write_beside

        path = folder / REPORT
        write_beside(path, render_exploration(read_front(folder)).encode())
    else:
        path = load(folder).folder / REPORT
    if not path.is_file():
        raise InputError(str(folder), f"holds no {REPORT}", "Convert again")
    return path


def _compare(folders: list[Path], path: Path) -> Path:
    """Write the page of several bundles; by the names of their folders, or by whole paths where these are alike."""
    from ..bundle import load
    from ..report.comparison import render_comparison
    from ..system.files import write_beside

    if len(set(folders)) < len(folders):
        raise InputError("report", "the same bundle is named twice", "Name each once")
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in folders]
    found = [load(folder) for folder in folders]
    page = render_comparison([(name, each.manifest, each.network) for name, each in zip(names, found, strict=True)])
    write_beside(path, page.encode())
    return path


@app.command(epilog="Example: edgeml card build/digits --dataset digits --license mit --add")
def card(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The folder that 'edgeml convert' wrote.")],
    dataset: Annotated[str, typer.Option(help="What the data are called that the qualities were found on.")] = "",
    license_id: Annotated[str, typer.Option("--license", metavar="ID", help="The licence of the weights.")] = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where it goes; else it is printed.")] = None,
    add: Annotated[bool, typer.Option("--add", help="Put it into the bundle, as README.md.")] = False,
) -> None:
    """A model card in Markdown, with metadata for the Hugging Face Hub: what it is, what it is worth, what ran."""
    from ..bundle import load
    from ..bundle_card import CARD, add_card
    from ..report.card import render_card
    from ..system.files import write_beside

    found = load(bundle)
    text = render_card(found.manifest, found.network, dataset, license_id)
    if add:
        add_card(found, text)
        typer.echo(str(bundle / CARD))
    elif output is None:
        typer.echo(text, nl=False)
    elif output.resolve().is_relative_to(bundle.resolve()):
        raise InputError(str(output), "is in the bundle, whose files are all listed", "Use --add in the place of -o")
    else:
        write_beside(output, text.encode("utf-8"))
